"""What the entities of a gateway, of a span and of a subentry have in common."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from homeassistant.util.signal_type import SignalTypeFormat

from .ami import AmiError
from .coordinator import OpenVoxCoordinator
from .errors import module_error
from .gateway import Span, SpanError
from .runtime import OpenVoxConfigEntry, OpenVoxRuntime


def unique_id_of(
    runtime: OpenVoxRuntime, description: EntityDescription, span: int | None
) -> str:
    """Return the unique id of an entity of a span, or of the gateway itself."""
    place = "" if span is None else f"{span}_"
    return f"{runtime.entry.entry_id}_{place}{description.key}"


class OpenVoxEntity(CoordinatorEntity[OpenVoxCoordinator]):
    """An entity of a gateway."""

    _attr_has_entity_name = True

    def __init__(
        self,
        runtime: OpenVoxRuntime,
        description: EntityDescription,
        span: int | None = None,
    ) -> None:
        """Belong to the device of a span, or of the gateway itself."""
        super().__init__(runtime.coordinator)
        self.runtime = runtime
        self.entity_description = description
        self._attr_unique_id = unique_id_of(runtime, description, span)
        device_id = (
            runtime.devices.gateway_id
            if span is None
            else runtime.devices.span_ids[span]
        )
        # With device_info, each entity would have it looked up by all its identifiers,
        # which takes a quarter of the set-up of a large gateway.
        assert device_id  # the poll before has registered it
        registry = dr.async_get(runtime.coordinator.hass)
        self.device_entry = registry.async_get(device_id)


class OpenVoxSpanEntity(OpenVoxEntity):
    """An entity of a span."""

    _written_from: tuple[Span | None, bool]

    def __init__(
        self, runtime: OpenVoxRuntime, description: EntityDescription, number: int
    ) -> None:
        """Belong to the span's device."""
        super().__init__(runtime, description, number)
        self.number = number

    @override
    async def async_added_to_hass(self) -> None:
        """Note what the first state is written from, which happens right after this."""
        await super().async_added_to_hass()
        self._written_from = self._polled

    @property
    def _polled(self) -> tuple[Span | None, bool]:
        """The span as it was last read, and whether the last poll succeeded."""
        return (
            self.coordinator.data.spans.get(self.number),
            self.coordinator.last_update_success,
        )

    @property
    def span(self) -> Span:
        """The span as it was last read."""
        return self.coordinator.data.spans[self.number]

    @property
    @override
    def available(self) -> bool:
        """Whether the gateway answers and has this span."""
        return super().available and self.number in self.coordinator.data.spans

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state, unless the poll has read the same as the one before."""
        span, succeeded = self._polled
        # Equal spans of two polls are one and the same object.
        if span is not self._written_from[0] or succeeded != self._written_from[1]:
            self._written_from = (span, succeeded)
            super()._handle_coordinator_update()

    def listen(
        self, signal: SignalTypeFormat[*tuple[Any, ...]], target: Callable[..., None]
    ) -> None:
        """Call a function with each signal that is for this span."""
        address = signal.format(self.runtime.entry.entry_id, self.number)
        self.async_on_remove(async_dispatcher_connect(self.hass, address, target))

    async def command_module(self, command: Awaitable[None]) -> None:
        """Wait for a command to the module, and poll its effect.

        Raises HomeAssistantError where the gateway could not do it or did not answer;
        something may have changed even then.
        """
        failure: SpanError | AmiError | None = None
        try:
            await command
        except (SpanError, AmiError) as err:
            failure = err
        self.runtime.issues.module_commanded(self.number)
        await self.coordinator.async_refresh()
        if failure:
            raise module_error(
                self.runtime.entry,
                self.number,
                failure,
                is_connected=self.runtime.gateway.is_connected,
            ) from failure


@callback
def async_add_span_entities(
    entry: OpenVoxConfigEntry,
    add_entities: AddConfigEntryEntitiesCallback,
    make: Callable[[int], Iterable[Entity]],
) -> None:
    """Add the entities of each span, and those of spans that appear later."""
    runtime = entry.runtime_data
    registry = er.async_get(runtime.coordinator.hass)
    known: set[int] = set()

    @callback
    def add_new() -> None:
        # The device of a span that is gone may have been removed.
        known.intersection_update(runtime.devices.span_ids)
        new = runtime.coordinator.data.spans.keys() - known
        if new:
            known.update(new)
            # Home Assistant would leave them out as well, but takes its time over it:
            # a fifth of the set-up. It reloads the entry when one is enabled.
            disabled = {
                each.unique_id
                for each in er.async_entries_for_config_entry(registry, entry.entry_id)
                if each.disabled
            }
            add_entities(
                entity
                for number in sorted(new)
                for entity in make(number)
                if entity.unique_id not in disabled
            )

    add_new()
    entry.async_on_unload(runtime.coordinator.async_add_listener(add_new))


@callback
def async_add_subentry_entities(
    entry: OpenVoxConfigEntry,
    add_entities: AddConfigEntryEntitiesCallback,
    kind: str,
    make: Callable[[ConfigSubentry], Entity | None],
    device_of: Callable[[ConfigSubentry], str | None] = lambda _subentry: None,
) -> None:
    """Add the entity of each subentry of a kind, and follow its changes.

    An entity is replaced when its subentry or the id of its device has changed. Home
    Assistant removes it together with its subentry. `make` returns None for an entity
    that can't exist yet.
    """
    coordinator = entry.runtime_data.coordinator
    # With what each was made from: the subentry itself is changed in place.
    entities: dict[str, tuple[_Source, Entity]] = {}
    being_replaced: set[str] = set()

    def source_of(subentry: ConfigSubentry) -> _Source:
        return subentry.title, subentry.data, device_of(subentry)

    @callback
    def add(subentry: ConfigSubentry) -> None:
        if entity := make(subentry):
            entities[subentry.subentry_id] = (source_of(subentry), entity)
            add_entities([entity], config_subentry_id=subentry.subentry_id)

    async def replace(old: Entity, subentry: ConfigSubentry) -> None:
        try:
            if old.enabled:  # Home Assistant has not added it otherwise
                await old.async_remove()
        finally:
            being_replaced.discard(subentry.subentry_id)
            entities.pop(subentry.subentry_id, None)
        if subentry.subentry_id in entry.subentries:
            add(subentry)

    @callback
    def follow() -> None:
        for subentry in entry.get_subentries_of_type(kind):
            source, entity = entities.get(subentry.subentry_id, (None, None))
            if entity is None:
                add(subentry)
            elif (
                source != source_of(subentry)
                and subentry.subentry_id not in being_replaced
            ):
                being_replaced.add(subentry.subentry_id)
                entry.async_create_task(coordinator.hass, replace(entity, subentry))

    follow()
    entry.async_on_unload(coordinator.async_add_listener(follow))


type _Source = tuple[str, Mapping[str, Any], str | None]
