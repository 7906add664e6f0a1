"""The OpenVox GSM gateway integration."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    CONF_COUNTRY,
    EVENT_CORE_CONFIG_UPDATE,
    EVENT_HOMEASSISTANT_STOP,
    Platform,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .contacts import country_of
from .coordinator import OpenVoxCoordinator
from .devices import Devices
from .issues import Issues, async_setup_issues
from .limits.sims import async_get_sims
from .messages.history import async_get_history, async_remove_history
from .messages.setup import async_setup_messages, async_watch_spans
from .migration import async_migrate_entry as async_migrate_entry
from .phone_numbers import preload
from .publisher import async_close_publisher, async_get_publisher, publishes_calls
from .runtime import OpenVoxConfigEntry, OpenVoxRuntime
from .services import async_setup_services
from .store import async_get_store, async_remove_store
from .ussd.query import UssdQueries

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
    await async_get_sims(hass)
    await async_setup_services(hass)
    async_setup_issues(hass)
    async_setup_messages(hass)

    async def load_country(event: Event) -> None:
        if CONF_COUNTRY in event.data:
            await _load_country(hass, event.data[CONF_COUNTRY])

    hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, load_country)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> bool:
    """Connect to a gateway and add its entities."""
    await _load_country(hass, country_of(hass, entry))
    store = await async_get_store(hass, entry)
    messages = await async_get_history(hass, entry)
    publisher = async_get_publisher(hass, entry, store, messages)
    publisher.connection_lost()  # of the last time it was set up
    devices = Devices(hass, entry)
    issues = Issues(hass, entry, store.budget)
    sims = await async_get_sims(hass)
    coordinator = OpenVoxCoordinator(
        hass, entry, publisher, devices, issues, store, sims
    )
    await coordinator.async_config_entry_first_refresh()

    async def shut_down(_event: Event) -> None:
        await coordinator.async_shutdown()
        publisher.async_publish_rest()

    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, shut_down)
    )
    queries = UssdQueries(hass, entry, coordinator.gateway)
    entry.runtime_data = OpenVoxRuntime(
        entry,
        coordinator,
        devices,
        issues,
        publisher,
        store,
        sims,
        messages,
        queries,
        publishes_calls=publishes_calls(entry),
    )
    entry.async_on_unload(entry.add_update_listener(_async_entry_updated))
    entry.async_on_unload(async_watch_spans(hass, coordinator))
    _apply_changes(entry)  # it may have been changed while connecting

    @callback
    def publish_once_loaded() -> None:
        # Not before: an automation may answer an SMS at once.
        if entry.state is ConfigEntryState.LOADED:
            publisher.async_publish_from_start()

    entry.async_on_unload(entry.async_on_state_change(publish_once_loaded))
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def _async_entry_updated(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> None:
    """Apply what needs no new connection: options, contacts, queries, the title.

    The flow that changes the entry's data schedules a reload itself. Entities of
    calls come and go with one as well.
    """
    # Without waiting: polls go on meanwhile, and the entry may be unloaded.
    _apply_changes(entry)
    if publishes_calls(entry) != entry.runtime_data.publishes_calls:
        hass.config_entries.async_schedule_reload(entry.entry_id)
    await _load_country(hass, country_of(hass, entry))


async def _load_country(hass: HomeAssistant, country: str | None) -> None:
    """Load the rules of phone numbers, which the library has in many files."""
    await hass.async_add_executor_job(preload, [country or ""])


def _apply_changes(entry: OpenVoxConfigEntry) -> None:
    runtime = entry.runtime_data
    runtime.coordinator.async_apply_options()
    runtime.devices.update_gateway(runtime.gateway.features)
    runtime.ussd_queries.update()
    runtime.issues.options_changed(runtime.gateway)
    runtime.coordinator.async_update_listeners()


async def async_unload_entry(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> bool:
    """Remove the entities; the coordinator shuts itself down after that.

    What comes in from now on is held for the entities that come after these.
    """
    publisher = entry.runtime_data.publisher
    publisher.async_hold()
    if await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return True
    publisher.async_publish_from_start()
    return False


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: OpenVoxConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Let people remove the device of a span that the gateway no longer has.

    While the gateway isn't set up, it isn't known which spans it has.
    """
    if entry.state is not ConfigEntryState.LOADED:
        return False
    runtime = entry.runtime_data
    if not runtime.devices.forget(device, runtime.coordinator.data.spans):
        return False
    runtime.coordinator.async_update_listeners()
    return True


async def async_remove_entry(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> None:
    """Publish what is left of a gateway that is removed, and delete its files.

    If it was disabled, nothing may have been set up in this run.
    """
    async_close_publisher(hass, entry)
    (await async_get_sims(hass)).forget(entry.entry_id)
    await async_remove_store(hass, entry)
    await async_remove_history(hass, entry)
