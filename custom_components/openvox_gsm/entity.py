"""The two kinds of entities: a gateway's and a span's."""

from collections.abc import Callable, Iterable
from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .coordinator import OpenVoxConfigEntry, OpenVoxCoordinator
from .gateway import Span


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
        self._attr_device_info = DeviceInfo(
            identifiers={coordinator.gateway_identifier}
        )


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
        self._attr_device_info = DeviceInfo(
            identifiers={coordinator.span_identifier(number)}
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
