"""The OpenVox GSM gateway integration."""

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .coordinator import OpenVoxConfigEntry, OpenVoxCoordinator, async_forget_memory
from .issues import async_setup_issues
from .services import async_setup_services

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.NOTIFY,
    Platform.SENSOR,
    Platform.SWITCH,
]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, which serve all gateways."""
    await async_setup_services(hass)
    async_setup_issues(hass)
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
    entry.async_on_unload(entry.add_update_listener(_async_entry_updated))
    entry.async_on_unload(
        async_dispatcher_connect(
            hass, SIGNAL_CONFIG_ENTRY_CHANGED, coordinator.async_entries_changed
        )
    )
    coordinator.async_apply_entry()  # it may have been changed while connecting
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    coordinator.async_publish_from_start()
    return True


async def _async_entry_updated(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> None:
    """Take over what needs no new connection: options, contacts, queries, the name.

    Whoever changes the entry's data schedules the reload. Entities of calls come and
    go with it.
    """
    coordinator = entry.runtime_data
    if coordinator.call_events != coordinator.had_call_events:
        hass.config_entries.async_schedule_reload(entry.entry_id)
    coordinator.async_apply_entry()


async def async_unload_entry(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> bool:
    """Remove the entities; the coordinator shuts itself down after that.

    What comes in from now on is held for the entities that come after these.
    """
    entry.runtime_data.async_hold()
    if await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return True
    entry.runtime_data.async_publish_from_start()
    return False


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: OpenVoxConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Let a span's device be removed once the gateway has no such span any more.

    While the gateway is not set up nobody knows which spans it has.
    """
    return (
        entry.state is ConfigEntryState.LOADED
        and entry.runtime_data.async_forget_device(device)
    )


async def async_remove_entry(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> None:
    """Forget what is kept of a gateway that is removed."""
    await async_forget_memory(hass, entry)
