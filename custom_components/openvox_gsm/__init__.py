"""The OpenVox GSM gateway integration."""

from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .coordinator import OpenVoxConfigEntry, OpenVoxCoordinator
from .services import async_setup_services

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS = [Platform.BINARY_SENSOR, Platform.SENSOR]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, which serve all gateways."""
    await async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> bool:
    """Connect to a gateway and add its entities."""
    coordinator = OpenVoxCoordinator(hass, entry)
    await coordinator.async_config_entry_first_refresh()

    async def shut_down(_event: Event) -> None:
        await coordinator.async_shutdown()

    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, shut_down)
    )
    entry.runtime_data = coordinator
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    coordinator.async_publish_from_start()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> bool:
    """Remove the entities; the coordinator shuts itself down after that."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: OpenVoxConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Let a span's device be removed once the gateway has no such span any more."""
    return entry.runtime_data.async_forget_device(device)
