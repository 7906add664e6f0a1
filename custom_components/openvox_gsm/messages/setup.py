"""Sets up what serves the messages of all gateways, and tells when something changes."""

from typing import Any

from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.coordinator import OpenVoxCoordinator
from custom_components.openvox_gsm.devices import read_identifiers
from custom_components.openvox_gsm.signals import SIGNAL_GATEWAYS_CHANGED
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.setup import async_when_setup

from .history import HISTORIES
from .panel import MessagesPanel, async_create_panel
from .websocket_api import async_register_commands


@callback
def async_setup_messages(hass: HomeAssistant) -> None:
    """Register the commands, and the page as soon as there is a frontend."""
    async_register_commands(hass)
    panel: MessagesPanel | None = None

    async def frontend_is_set_up(hass: HomeAssistant, _component: str) -> None:
        nonlocal panel
        panel = await async_create_panel(hass)
        await panel.async_update()

    async_when_setup(hass, "frontend", frontend_is_set_up)

    @callback
    def update_panel() -> None:
        if panel:
            hass.async_create_task(panel.async_update(), "OpenVox messages page")

    @callback
    def entry_changed(_change: ConfigEntryChange, entry: ConfigEntry[Any]) -> None:
        if entry.domain != DOMAIN:
            return
        if history := hass.data.get(HISTORIES, {}).get(entry.entry_id):
            history.apply_options()
        update_panel()
        async_dispatcher_send(hass, SIGNAL_GATEWAYS_CHANGED)

    @callback
    def config_changed(event: Event[dict[str, Any]]) -> None:
        if "language" in event.data:
            update_panel()

    @callback
    def device_changed(event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        if (
            event.data["action"] != "update"
            or "name_by_user" not in event.data["changes"]
        ):
            return
        device = dr.async_get(hass).async_get(event.data["device_id"])
        if device and read_identifiers(device.identifiers):
            async_dispatcher_send(hass, SIGNAL_GATEWAYS_CHANGED)

    # Until Home Assistant stops, as the integration is never unset.
    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)
    hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, config_changed)
    hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, device_changed)


@callback
def async_watch_spans(
    hass: HomeAssistant, coordinator: OpenVoxCoordinator
) -> CALLBACK_TYPE:
    """Tell when spans come, go, or can send; return what ends that."""
    known: tuple[Any, ...] | None = None

    @callback
    def polled() -> None:
        nonlocal known
        ready = [span.can_send for span in coordinator.data.spans.values()]
        now = (coordinator.last_update_success, tuple(coordinator.data.spans), *ready)
        if known not in (None, now):
            async_dispatcher_send(hass, SIGNAL_GATEWAYS_CHANGED)
        known = now

    polled()
    return coordinator.async_add_listener(polled)
