"""The two kinds of entities: a gateway's and a span's."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .ami import AmiError, CannotConnectError, PermissionDeniedError
from .const import DOMAIN
from .coordinator import OpenVoxConfigEntry, OpenVoxCoordinator
from .gateway import Span, SpanError


class OpenVoxEntity(CoordinatorEntity[OpenVoxCoordinator]):
    """Something of a gateway."""

    _attr_has_entity_name = True

    def __init__(
        self, coordinator: OpenVoxCoordinator, description: EntityDescription
    ) -> None:
        """Belong to the gateway's device."""
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_unique_id = f"{coordinator.config_entry.entry_id}_{description.key}"
        self._belong_to(coordinator.gateway_device_id)

    def _belong_to(self, device_id: str | None) -> None:
        """Belong to a device, which the coordinator has registered.

        With device_info each entity would have it looked up by all its identifiers,
        which takes a quarter of the set-up of a large gateway.
        """
        assert device_id  # each poll registers devices before it tells of them
        self.device_entry = dr.async_get(self.coordinator.hass).async_get(device_id)


class OpenVoxSpanEntity(OpenVoxEntity):
    """Something of a span."""

    def __init__(
        self,
        coordinator: OpenVoxCoordinator,
        description: EntityDescription,
        number: int,
    ) -> None:
        """Belong to the span's device."""
        super().__init__(coordinator, description)
        self.number = number
        self._attr_unique_id = (
            f"{coordinator.config_entry.entry_id}_{number}_{description.key}"
        )
        self._belong_to(coordinator.device_id(number))

    @property
    def span(self) -> Span:
        """The span as it was last read."""
        return self.coordinator.data.spans[self.number]

    @property
    @override
    def available(self) -> bool:
        """Whether the gateway answers and has this span."""
        return super().available and self.number in self.coordinator.data.spans

    async def _command_module(self, command: Awaitable[None]) -> None:
        """Have a command to the module carried out, and read what became of it.

        Raises HomeAssistantError where the gateway could not or did not answer;
        something may have changed even then.
        """
        try:
            await command
        except (SpanError, AmiError) as err:
            await self.coordinator.async_refresh()
            raise self._module_error(err) from err
        await self.coordinator.async_refresh()

    def _module_error(self, err: SpanError | AmiError) -> HomeAssistantError:
        """Put in words what happened, and what to do."""
        if isinstance(err, SpanError):
            problem = "module_failed"
        elif isinstance(err, PermissionDeniedError):
            problem = "no_command_right"
        elif isinstance(err, CannotConnectError):
            connected = self.coordinator.gateway.is_connected
            problem = "cannot_connect" if connected else "not_connected"
        else:
            problem = "module_not_answered"
        return HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=problem,
            translation_placeholders={
                "gateway": self.coordinator.config_entry.title,
                "span": str(self.number),
                "error": str(err),
            },
        )


@callback
def async_add_span_entities(
    entry: OpenVoxConfigEntry,
    add_entities: AddConfigEntryEntitiesCallback,
    make: Callable[[int], Iterable[Entity]],
) -> None:
    """Add the entities of each span, and those of spans that appear later."""
    coordinator = entry.runtime_data
    known: set[int] = set()

    @callback
    def add_new() -> None:
        # The device of a span that is gone may have been removed.
        known.intersection_update(coordinator.span_devices)
        new = coordinator.data.spans.keys() - known
        if new:
            known.update(new)
            add_entities(entity for number in sorted(new) for entity in make(number))

    add_new()
    entry.async_on_unload(coordinator.async_add_listener(add_new))


@callback
def async_add_subentry_entities(
    entry: OpenVoxConfigEntry,
    add_entities: AddConfigEntryEntitiesCallback,
    kind: str,
    make: Callable[[ConfigSubentry], Entity | None],
    device_of: Callable[[ConfigSubentry], str | None] = lambda _subentry: None,
) -> None:
    """Add the entity of each subentry of a kind, and keep up with its changes.

    One that is changed, or whose device (its id) is another one, is made anew; one
    that is removed takes its entity with it. `make` returns None for an entity that
    cannot be there yet.
    """
    coordinator = entry.runtime_data
    # With what each was made of: the subentry itself is changed in place.
    made: dict[str, tuple[tuple[Mapping[str, Any], str | None], Entity]] = {}
    changing: set[str] = set()

    @callback
    def add(subentry: ConfigSubentry) -> None:
        if entity := make(subentry):
            of = (subentry.data, device_of(subentry))
            made[subentry.subentry_id] = (of, entity)
            add_entities([entity], config_subentry_id=subentry.subentry_id)

    async def make_anew(old: Entity, subentry: ConfigSubentry) -> None:
        try:
            await old.async_remove()
        finally:
            changing.discard(subentry.subentry_id)
            made.pop(subentry.subentry_id, None)
        if subentry.subentry_id in entry.subentries:
            add(subentry)

    @callback
    def keep_up() -> None:
        for subentry in entry.get_subentries_of_type(kind):
            of, entity = made.get(subentry.subentry_id, (None, None))
            if entity is None:
                add(subentry)
            elif (
                of != (subentry.data, device_of(subentry))
                and subentry.subentry_id not in changing
            ):
                changing.add(subentry.subentry_id)
                entry.async_create_task(coordinator.hass, make_anew(entity, subentry))

    keep_up()
    entry.async_on_unload(coordinator.async_add_listener(keep_up))
