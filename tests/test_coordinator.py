"""Polls, and what happens when the gateway goes away and comes back."""

import asyncio
from datetime import UTC, datetime
import logging

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.openvox_gsm.const import DOMAIN, EVENT_SMS_RECEIVED
from custom_components.openvox_gsm.gateway import spans
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import (
    CONF_PASSWORD,
    CONF_USERNAME,
    EVENT_STATE_CHANGED,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.update_coordinator import UpdateFailed
from simulator import Box, Simulator, User

from .common import (
    PHONE,
    entity_states,
    give_rights_back,
    pass_time,
    poll,
    said,
    set_rights,
    settle,
    until,
    until_later,
)

CONNECTED = "binary_sensor.openvox_connectivity"
WHEN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set an entry up."""
    if not hass.config_entries.async_get_entry(entry.entry_id):
        entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


async def test_a_poll_that_finds_nothing_new_writes_nothing(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """The gateway is asked, but Home Assistant is left in peace."""
    notified = []
    loaded.runtime_data.coordinator.async_add_listener(lambda: notified.append(1))
    asked = len(gateway.commands)

    await poll(hass, freezer)
    assert len(gateway.commands) > asked
    assert notified == []

    gateway.spans[1].signal = 5
    await poll(hass, freezer)
    assert notified == [1]


@pytest.mark.parametrize("gateway", [{"box": Box.TODAY}], indirect=True, ids=[""])
async def test_the_driver_tells_of_a_span(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """It's read at once, but not more often than every few seconds."""
    gateway.commands.clear()
    gateway.spans[1].remove_sim()
    await until(lambda: hass.states.is_state("sensor.gsm_1_status", "no_sim"))

    polls = gateway.commands.count("gsm show span all")
    for _ in range(20):
        gateway.spans[1].insert_sim()
    gateway.spans[2].lock()
    await settle(hass)
    assert gateway.commands.count("gsm show span all") == polls
    await pass_time(hass, freezer, 4)
    assert gateway.commands.count("gsm show span all") == polls
    await pass_time(hass, freezer, 2)
    assert gateway.commands.count("gsm show span all") == polls + 1
    assert hass.states.is_state("sensor.gsm_1_status", "ready")
    assert hass.states.is_state("sensor.gsm_2_status", "locked")


async def test_a_poll_while_the_gateway_is_unloaded(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its answer never comes, and nobody waits for it: that's no error."""
    gateway.faults.silent_commands.add("gsm show span")
    gateway.commands.clear()
    refresh = hass.async_create_task(loaded.runtime_data.coordinator.async_refresh())
    await until(lambda: gateway.commands)

    assert await hass.config_entries.async_unload(loaded.entry_id)
    await refresh

    assert said(caplog, logging.WARNING) == []


async def test_the_gateway_goes_and_comes_back(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line when it goes, however often it is polled meanwhile; one when it is back."""
    await gateway.stop()
    await until(lambda: hass.states.is_state("sensor.gsm_1_status", STATE_UNAVAILABLE))
    for _ in range(3):
        await poll(hass, freezer)
    [line] = said(caplog)
    assert line.startswith("Error requesting OpenVox data: Can't connect to")

    await gateway.start()
    await until_later(
        freezer, lambda: hass.states.is_state("sensor.gsm_1_status", "ready")
    )
    await settle(hass)
    await poll(hass, freezer)
    assert said(caplog)[1:] == ["Fetching OpenVox data recovered"]
    assert STATE_UNAVAILABLE not in entity_states(hass, loaded).values()


async def test_a_poll_notices_first(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The loss of the connection that follows says nothing more."""
    gateway.faults.silent_commands.add("gsm show")
    await until_later(freezer, lambda: hass.states.is_state(CONNECTED, STATE_OFF))
    [line] = said(caplog)
    assert line.startswith("Error fetching OpenVox data: Can't connect to")

    gateway.faults.refuse = True
    gateway.faults.drop_sessions()
    await poll(hass, freezer)
    await poll(hass, freezer)
    assert said(caplog) == [line]

    gateway.faults.silent_commands.clear()
    gateway.faults.refuse = False
    await until_later(freezer, lambda: hass.states.is_state(CONNECTED, STATE_ON))
    await poll(hass, freezer)
    assert said(caplog)[1:] == ["Fetching OpenVox data recovered"]


@pytest.mark.parametrize("gateway", [{"box": Box.TODAY}], indirect=True)
async def test_it_is_not_back_before_it_is_ready(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A gateway that lets us in while it is still booting would flicker."""
    gateway.faults.silent_commands.add("gsm show version")
    gateway.faults.drop_sessions()
    await until(lambda: hass.states.is_state(CONNECTED, STATE_OFF))
    states = async_capture_events(hass, EVENT_STATE_CHANGED)
    before = len(gateway.commands)
    await until_later(freezer, lambda: len(gateway.commands) > before)
    refresh = asyncio.create_task(loaded.runtime_data.coordinator.async_refresh())
    await until_later(freezer, refresh.done)
    await until_later(
        freezer, lambda: gateway.commands[-1].startswith("gsm show version")
    )
    await until_later(freezer, lambda: gateway.commands[-1].startswith("core show"))
    assert states == []
    assert len(said(caplog)) == 1

    gateway.faults.silent_commands.clear()
    await until_later(freezer, lambda: hass.states.is_state(CONNECTED, STATE_ON))


async def test_the_password_is_changed_later(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The user is asked once; nobody goes on trying with the old one."""
    gateway.users["admin"] = User("admin", "changed")
    gateway.faults.drop_sessions()

    await until_later(freezer, hass.config_entries.flow.async_progress)
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert flow["context"]["entry_id"] == loaded.entry_id

    tried = gateway.actions.count("Login")
    for _ in range(5):
        await poll(hass, freezer)
    assert gateway.actions.count("Login") == tried
    assert len(hass.config_entries.flow.async_progress()) == 1
    assert len(said(caplog)) == 1


async def test_a_new_password_is_asked_for_at_once(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """No poll has to fail before."""
    coordinator = loaded.runtime_data.coordinator
    coordinator.update_interval = None
    await coordinator.async_refresh()
    gateway.users["admin"] = User("admin", "changed")
    gateway.faults.drop_sessions()

    await until_later(freezer, hass.config_entries.flow.async_progress)


async def test_a_password_that_stays_wrong(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It's tried once and stays the reason; the right one is asked for until it comes."""

    def asked() -> list[str]:
        return [
            flow["flow_id"]
            for flow in hass.config_entries.flow.async_progress_by_handler(
                DOMAIN, match_context={"source": SOURCE_REAUTH}
            )
        ]

    gateway.users["admin"] = User("admin", "changed")
    gateway.actions.clear()
    gateway.faults.drop_sessions()
    await until_later(freezer, asked)
    for _ in range(2):
        hass.config_entries.flow.async_abort(asked()[0])
        assert asked() == []
        await poll(hass, freezer)
        assert len(asked()) == 1
    await poll(hass, freezer)
    [flow_id] = asked()

    assert gateway.actions.count("Login") == 1
    error = loaded.runtime_data.coordinator.last_exception
    assert isinstance(error, UpdateFailed)
    assert error.translation_key == "invalid_auth"
    assert loaded.state is ConfigEntryState.LOADED

    result = await hass.config_entries.flow.async_configure(
        flow_id, {CONF_USERNAME: "admin", CONF_PASSWORD: "changed"}
    )
    assert result["reason"] == "reauth_successful"
    await settle(hass)
    assert hass.states.is_state(CONNECTED, STATE_ON)
    assert asked() == []
    await poll(hass, freezer)
    assert asked() == []


async def test_more_spans_than_any_gateway_has(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They don't fill Home Assistant with devices; the reason is said."""
    monkeypatch.setattr(spans, "MAX_SPANS", 3)
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.reason
    assert "has a span 4, and no gateway has more than 3" in entry.reason
    assert dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id) == []


@pytest.mark.parametrize("one_by_one", [False, True])
async def test_other_spans_in_each_poll(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    one_by_one: bool,
) -> None:
    """They don't fill Home Assistant with devices; the honest ones come back."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    if one_by_one:
        gateway.cli.leave_out("gsm show span all")
    spans = list(gateway.spans.values())
    for first in (65, 1000, 9000, 1):
        for number, span in enumerate(spans, start=first):
            span.number = number
        gateway.spans = {span.number: span for span in spans}
        await poll(hass, freezer)
        assert hass.states.is_state(CONNECTED, STATE_ON if first == 1 else STATE_OFF)
    assert devices == dr.async_entries_for_config_entry(
        dr.async_get(hass), loaded.entry_id
    )


@pytest.mark.parametrize("year", [1, 9999])
async def test_a_start_at_the_end_of_the_calendar(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    year: int,
) -> None:
    """No time zone moves it beyond that: it's unknown."""
    for zone in ("Asia/Tokyo", "America/New_York"):
        await hass.config.async_set_time_zone(zone)
        gateway.started_at = datetime(
            year, 12 if year > 1 else 1, 31 if year > 1 else 1
        )
        await poll(hass, freezer)
        assert hass.states.is_state(CONNECTED, STATE_ON)
        assert hass.states.is_state("sensor.openvox_start_time", STATE_UNKNOWN)


async def test_the_right_for_commands_is_taken_later(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once it is given back all goes on."""
    set_rights(gateway, without="command")
    gateway.faults.drop_sessions()
    await until(lambda: hass.states.is_state(CONNECTED, STATE_OFF))
    await poll(hass, freezer)

    give_rights_back(gateway)
    await until_later(freezer, lambda: hass.states.is_state(CONNECTED, STATE_ON))
    assert len(said(caplog)) == 2


async def test_nothing_private_is_logged(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No number, text, PIN, code or password, even where everything is logged."""
    caplog.set_level(logging.DEBUG)
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    gateway.users["admin"] = User("admin", "pa55word")
    gateway.spans[2].status = "Pin (73917391) Error"
    gateway.spans[1].ussd["*111#"] = "Your balance"
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "password": "pa55word"}
    )
    await set_up(hass, entry)
    await gateway.receive_sms(1, PHONE, "my secret", WHEN)
    await until_later(freezer, lambda: events)
    target = {"message": "my answer", "target": PHONE}
    await hass.services.async_call("notify", "send_sms", target, blocking=True)
    await hass.services.async_call(
        "openvox",
        "send_ussd",
        {"code": "*111#", "config_entry_id": entry.entry_id, "span": 1},
        blocking=True,
    )
    await gateway.stop()
    await until(lambda: hass.states.is_state(CONNECTED, STATE_OFF))

    logged = "\n".join(said(caplog, logging.DEBUG))
    assert logged
    for private in (
        PHONE[1:],
        "my secret",
        "my answer",
        "73917391",
        "*111#",
        "balance",
        "pa55word",
    ):
        assert private not in logged
