"""Whether a gateway can be reached, and whether its SIMs are in a network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import OpenVoxEntity, OpenVoxSpanEntity, async_add_span_entities
from .gateway import Span
from .runtime import OpenVoxConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SpanBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of a span, and how its value is read from it."""

    value: Callable[[Span], bool | None]


CONNECTED = BinarySensorEntityDescription(
    key="connected",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)

# The network status says both in one word.
SPAN_BINARY_SENSORS = (
    SpanBinarySensorDescription(
        key="registered",
        translation_key="registered",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda span: span.registered,
    ),
    SpanBinarySensorDescription(
        key="roaming",
        translation_key="roaming",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda span: span.roaming,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenVoxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of the gateway and of each span."""
    runtime = entry.runtime_data
    async_add_entities([ConnectedSensor(runtime, CONNECTED)])

    def make(number: int) -> list[BinarySensorEntity]:
        return [SpanBinarySensor(runtime, each, number) for each in SPAN_BINARY_SENSORS]

    async_add_span_entities(entry, async_add_entities, make)


class ConnectedSensor(OpenVoxEntity, BinarySensorEntity):
    """Whether the gateway answers; always available itself."""

    @property
    @override
    def available(self) -> bool:
        """Always, since it shows whether the gateway is there."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Whether the gateway is connected and answers."""
        return (
            self.coordinator.gateway.is_connected
            and self.coordinator.last_update_success
        )


class SpanBinarySensor(OpenVoxSpanEntity, BinarySensorEntity):
    """A value of a span that is on or off."""

    entity_description: SpanBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """The value as it was last read."""
        return self.entity_description.value(self.span)
