"""Setting a gateway up, unloading it, and what must not stay behind."""

import asyncio
import gc
import logging
import threading
from typing import Any
from unittest.mock import patch
import weakref

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm import async_remove_config_entry_device
from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.publisher import PUBLISHERS
from custom_components.openvox_gsm.store import STORES
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.const import (
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    EVENT_HOMEASSISTANT_STOP,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.setup import async_setup_component
from simulator import Simulator, User

from .common import (
    entity_states,
    gateway_device,
    pass_time,
    poll,
    said,
    set_rights,
    settle,
    span_device,
    span_names,
    until,
    until_later,
)

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")


def tasks_of_ours() -> list[str]:
    """Return the names of the tasks that a connection runs on."""
    return [
        task.get_name()
        for task in asyncio.all_tasks()
        if task.get_name().startswith(("OpenVox", "AMI"))
    ]


async def test_a_gateway_is_set_up(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """One session is for events, one for commands; all entities have a state."""
    assert loaded.state is ConfigEntryState.LOADED
    assert gateway.sessions == 2
    states = entity_states(hass, loaded)
    assert len(states) == 5 + 4 * 9
    assert STATE_UNAVAILABLE not in states.values()


async def test_unloading_leaves_nothing_behind(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """No session, no task; the entities become unavailable."""
    listeners = dict(hass.bus.async_listeners())

    assert await hass.config_entries.async_unload(loaded.entry_id)

    assert loaded.state is ConfigEntryState.NOT_LOADED
    await until(lambda: gateway.connections == 0)
    assert tasks_of_ours() == []
    assert set(entity_states(hass, loaded).values()) == {STATE_UNAVAILABLE}
    assert hass.bus.async_listeners().get(EVENT_HOMEASSISTANT_STOP, 0) == (
        listeners[EVENT_HOMEASSISTANT_STOP] - 1
    )


async def test_a_reload_starts_over(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Not a session more than before, however often."""
    listeners = dict(hass.bus.async_listeners())
    before = entity_states(hass, loaded)

    for _ in range(3):
        assert await hass.config_entries.async_reload(loaded.entry_id)
        await settle(hass)

    await until(lambda: gateway.connections == 2)
    now = dict(hass.bus.async_listeners())
    # One for each file that is still to be saved
    final_writes = listeners.pop(EVENT_HOMEASSISTANT_FINAL_WRITE)
    assert now.pop(EVENT_HOMEASSISTANT_FINAL_WRITE) <= final_writes
    assert now == listeners
    assert entity_states(hass, loaded) == before


async def test_a_span_rests_over_a_reload(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The next USSD request doesn't get in the way of the answer to the last one."""
    gateway.spans[1].ussd = {"*1#": "one", "*2#": "two"}
    gateway.spans[1].ussd_duration = 1.5

    async def ask(code: str, timeout: int) -> Any:
        return await hass.services.async_call(
            "openvox",
            "send_ussd",
            {"code": code, "span": 1, "timeout": timeout},
            blocking=True,
            return_response=True,
        )

    first = asyncio.create_task(ask("*1#", 2))
    await until(lambda: gateway.spans[1].doing)
    # While a request waits in the driver itself, the span seems to be ready.
    gateway.spans[1].doing = None
    assert await hass.config_entries.async_reload(loaded.entry_id)
    with pytest.raises(HomeAssistantError):
        await first

    assert (await ask("*2#", 5))["message"] == "two"
    assert gateway.ussd_overlaps == []


async def test_unloading_while_the_gateway_is_away(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Nobody goes on trying to connect."""
    await gateway.stop()
    await until(lambda: STATE_UNAVAILABLE in entity_states(hass, loaded).values())
    assert tasks_of_ours()

    assert await hass.config_entries.async_unload(loaded.entry_id)

    assert tasks_of_ours() == []


async def test_home_assistant_stops(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The gateway is left in order, and nobody complains that it went."""
    await hass.async_stop(force=True)

    await until(lambda: gateway.connections == 0)
    assert gateway.actions[-2:] == ["Logoff", "Logoff"]
    assert tasks_of_ours() == []
    assert said(caplog) == []


async def test_the_gateway_is_away_at_first(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
) -> None:
    """Home Assistant tries again by itself; nothing of us tries beside it."""
    gateway.faults.refuse = True
    entry.add_to_hass(hass)

    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "cannot_connect"
    assert "No connection to" in (entry.reason or "")
    assert tasks_of_ours() == []

    gateway.faults.refuse = False
    await pass_time(hass, freezer, 10)
    await until(lambda: entry.state is ConfigEntryState.LOADED)
    await settle(hass)


async def test_the_first_poll_fails(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
) -> None:
    """The connection that was made for it is closed."""
    gateway.faults.silent_commands.add("gsm show span")
    entry.add_to_hass(hass)
    setup = asyncio.create_task(hass.config_entries.async_setup(entry.entry_id))

    await until_later(freezer, setup.done)
    assert not await setup

    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "cannot_connect"
    assert tasks_of_ours() == []


async def test_the_password_is_wrong(
    hass: HomeAssistant, gateway: Simulator, entry: MockConfigEntry
) -> None:
    """Then the user is asked for it."""
    gateway.users["admin"] = User("admin", "changed")
    entry.add_to_hass(hass)

    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "invalid_auth"
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert tasks_of_ours() == []


async def test_the_user_may_not_run_commands(
    hass: HomeAssistant, gateway: Simulator, entry: MockConfigEntry
) -> None:
    """The reason says which right is missing."""
    set_rights(gateway, without="command")
    entry.add_to_hass(hass)

    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "no_command_right"


async def test_another_asterisk_is_there_now(
    hass: HomeAssistant, gateway: Simulator, entry: MockConfigEntry
) -> None:
    """The address may have been given to another machine."""
    gateway.cli.leave_out("gsm")
    entry.add_to_hass(hass)

    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "not_openvox"


async def test_the_actions_are_there_without_a_gateway(hass: HomeAssistant) -> None:
    """So that automations can be checked, and say what is wrong."""
    assert await async_setup_component(hass, DOMAIN, {})

    assert hass.services.has_service("notify", "send_sms")
    assert hass.services.has_service("openvox", "send_ussd")


async def test_the_device_of_a_span_that_is_gone_can_be_removed(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Those of the gateway and of a span that it has cannot; one that returns is new."""
    device = span_device(hass, loaded, 4)
    assert not await async_remove_config_entry_device(
        hass, loaded, gateway_device(hass, loaded)
    )
    assert not await async_remove_config_entry_device(hass, loaded, device)

    gateway.remove_span(4)
    await poll(hass, freezer)
    assert hass.states.is_state("sensor.gsm_4_status", STATE_UNAVAILABLE)
    gateway.add_span(4)
    await poll(hass, freezer)
    assert hass.states.is_state("sensor.gsm_4_status", "ready")

    gateway.remove_span(4)
    await poll(hass, freezer)
    assert await async_remove_config_entry_device(hass, loaded, device)
    dr.async_get(hass).async_remove_device(device.id)
    await settle(hass)
    assert hass.states.get("sensor.gsm_4_status") is None
    assert hass.states.is_state("sensor.gsm_3_status", "ready")

    gateway.add_span(4)
    await poll(hass, freezer)
    assert hass.states.is_state("sensor.gsm_4_status", "ready")
    assert hass.states.is_state("event.gsm_4_sms", STATE_UNKNOWN)


async def test_a_device_that_somebody_else_removed(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The span is still there, so its device comes back."""
    registry = dr.async_get(hass)
    device_id = loaded.runtime_data.devices.span_ids[3]
    assert device_id
    registry.async_remove_device(device_id)
    await poll(hass, freezer)
    device_id = loaded.runtime_data.devices.span_ids[3]
    assert device_id
    assert registry.async_get(device_id)


async def test_the_devices_of_a_board_that_is_gone(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """They are removed after ten minutes; what else the entry has stays."""
    registry = dr.async_get(hass)
    before = span_names(hass, loaded)
    contact = registry.async_get_or_create(
        config_entry_id=loaded.entry_id,
        identifiers={(DOMAIN, f"{loaded.entry_id}_contact")},
    )
    assert await hass.config_entries.async_unload(loaded.entry_id)
    gateway.remove_span(3)
    gateway.remove_span(4)

    assert await hass.config_entries.async_setup(loaded.entry_id)
    await settle(hass)
    for _ in range(18):
        await poll(hass, freezer)
    assert span_names(hass, loaded) == before | {contact.name}

    await poll(hass, freezer)
    assert span_names(hass, loaded) == {"GSM 1", "GSM 2", contact.name}
    assert hass.states.get("sensor.gsm_4_status") is None
    assert hass.states.is_state("sensor.gsm_2_status", "ready")
    assert gateway_device(hass, loaded)

    gateway.add_span(3)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    assert hass.states.is_state("sensor.gsm_3_status", "ready")


async def test_a_gateway_that_is_only_starting(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """It shows no span, or some of them; that is no reason to remove any."""
    before = span_names(hass, loaded)
    for number in list(gateway.spans):
        gateway.remove_span(number)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    assert loaded.state is ConfigEntryState.LOADED

    for _ in range(22):
        await poll(hass, freezer)
    for number in (1, 2, 3):
        gateway.add_span(number)
    for _ in range(15):
        await poll(hass, freezer)
    # It starts once more, so everything starts over.
    gateway.faults.drop_sessions()
    await until(lambda: not loaded.runtime_data.gateway.is_connected)
    await until_later(freezer, lambda: loaded.runtime_data.gateway.is_connected)
    await settle(hass)
    for _ in range(15):
        await poll(hass, freezer)

    assert span_names(hass, loaded) == before
    gateway.add_span(4)
    await poll(hass, freezer)
    assert hass.states.is_state("sensor.gsm_4_status", "ready")


async def test_a_span_that_was_seen_is_not_removed(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Its module may come back. If you removed it, you can delete the device."""
    before = span_names(hass, loaded)
    gateway.remove_span(4)

    for _ in range(22):
        await poll(hass, freezer)

    assert span_names(hass, loaded) == before


async def test_a_device_of_a_gateway_that_is_away_is_not_deleted(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
) -> None:
    """Nobody knows then which spans it has."""
    device = dr.async_entries_for_config_entry(device_registry, loaded.entry_id)[-1]
    await gateway.stop()
    await hass.config_entries.async_reload(loaded.entry_id)
    assert loaded.state is ConfigEntryState.SETUP_RETRY
    assert not await async_remove_config_entry_device(hass, loaded, device)


async def test_a_gateway_that_is_removed_leaves_nothing_behind(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Neither senders nor texts stay in memory."""
    await gateway.receive_sms(1, "+4915112345678", "a secret")
    await settle(hass)
    coordinator = weakref.ref(loaded.runtime_data)
    await hass.config_entries.async_remove(loaded.entry_id)
    assert hass.data[PUBLISHERS] == {}
    assert hass.data[STORES] == {}
    gc.collect()
    assert coordinator() is None


async def test_a_gateway_that_is_disabled_since_the_start_is_removed(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Its files go, although nothing of the integration was set up."""
    entry = MockConfigEntry(domain=DOMAIN, disabled_by=ConfigEntryDisabler.USER)
    entry.add_to_hass(hass)
    keys = [f"{DOMAIN}.{entry.entry_id}", f"{DOMAIN}.messages.{entry.entry_id}"]
    for key in keys:
        hass_storage[key] = {"version": 1, "data": {}}

    await hass.config_entries.async_remove(entry.entry_id)

    assert [key for key in keys if key in hass_storage] == []


async def test_the_connection_is_lost_while_the_entities_are_added(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Their first state says so; the next poll brings them back."""
    forward = hass.config_entries.async_forward_entry_setups

    async def lose_the_connection_and_forward(*args: Any) -> None:
        loaded.runtime_data.coordinator.async_set_update_error(UpdateFailed())
        await forward(*args)

    with patch.object(
        hass.config_entries,
        "async_forward_entry_setups",
        lose_the_connection_and_forward,
    ):
        assert await hass.config_entries.async_reload(loaded.entry_id)
        await settle(hass)
    assert hass.states.is_state("sensor.gsm_1_status", STATE_UNAVAILABLE)

    await loaded.runtime_data.coordinator.async_refresh()
    await settle(hass)

    assert STATE_UNAVAILABLE not in entity_states(hass, loaded).values()


async def test_an_entry_is_changed_right_before_it_is_unloaded(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The change applies at once, even if the country's rules take long to load."""
    sms = loaded.runtime_data.gateway.sms
    may_load = threading.Event()

    with patch(
        "custom_components.openvox_gsm.preload", lambda _countries: may_load.wait(5)
    ):
        hass.config_entries.async_update_entry(loaded, options={"line_breaks": True})
        assert sms.line_breaks
        assert await hass.config_entries.async_unload(loaded.entry_id)
        may_load.set()
        await settle(hass)

    assert said(caplog, logging.WARNING) == []
    assert "Error" not in caplog.text


async def test_home_assistants_country_changes(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Its rules are read from disk, and not in the event loop; nothing else is."""
    loads: list[tuple[list[str], bool]] = []
    loop_thread = threading.current_thread()

    def load(countries: list[str]) -> None:
        loads.append((countries, threading.current_thread() is loop_thread))

    with patch("custom_components.openvox_gsm.preload", load):
        await hass.config.async_update(location_name="Home")
        await hass.async_block_till_done()
        assert loads == []

        await hass.config.async_update(country="JP")
        await hass.async_block_till_done()
        assert loads == [(["JP"], False)]
