"""Whether a gateway can be reached."""

from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import OpenVoxConfigEntry
from .entity import OpenVoxEntity

PARALLEL_UPDATES = 0

CONNECTED = BinarySensorEntityDescription(
    key="connected",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenVoxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the gateway's binary sensor."""
    async_add_entities([ConnectedSensor(entry.runtime_data, CONNECTED)])


class ConnectedSensor(OpenVoxEntity, BinarySensorEntity):
    """Tells whether the gateway answers; always available itself."""

    @property
    @override
    def available(self) -> bool:
        """Whether there is anything to tell: always."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Whether the gateway is connected and answers."""
        return (
            self.coordinator.gateway.is_connected
            and self.coordinator.last_update_success
        )
