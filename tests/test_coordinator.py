"""What comes in from a gateway: polls, SMS, and the news that it went away."""

import asyncio
from datetime import UTC, datetime
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.openvox_gsm.const import (
    DOMAIN,
    EVENT_SMS_RECEIVED,
    EVENT_SMS_SENT,
)
from custom_components.openvox_gsm.sending import OutgoingSms, async_send
from homeassistant.config_entries import SOURCE_IGNORE, SOURCE_REAUTH
from homeassistant.const import (
    CONF_PORT,
    EVENT_HOMEASSISTANT_STARTED,
    EVENT_STATE_CHANGED,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import CoreState, Event, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from simulator import Box, Simulator, SmsOutcome, User

from .common import (
    OTHER_PHONE,
    PHONE,
    add_contact,
    entity_states,
    gateway_device,
    give_rights_back,
    poll,
    said,
    set_rights,
    settle,
    span_device,
    span_names,
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


# Devices


async def test_the_gateway_and_its_spans_are_devices(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """With versions, models and serial numbers; a span is reached by its gateway."""
    gateway = gateway_device(hass, loaded)
    assert (gateway.manufacturer, gateway.model, gateway.name) == (
        "OpenVox",
        "GSM gateway",
        "OpenVox",
    )
    assert gateway.sw_version == "Asterisk 1.8.20.0, libgsmat 2.0.8"
    assert gateway.configuration_url == "http://127.0.0.1"
    assert gateway.via_device_id is None

    span = span_device(hass, loaded, 2)
    assert (span.name, span.manufacturer, span.model) == (
        "GSM 2",
        "SIMCOM_Ltd",
        "SIMCOM_SIM840W",
    )
    assert span.sw_version
    assert "1224B02SIM840W16" in span.sw_version
    assert span.serial_number == "860041020985602"
    assert span.via_device_id == gateway.id
    assert span_names(hass, loaded) == {"GSM 1", "GSM 2", "GSM 3", "GSM 4"}


async def test_the_spans_of_two_gateways(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Their names tell them apart; entities keep their ids, and people their names."""
    mine = span_device(hass, loaded, 2)
    dr.async_get(hass).async_update_device(mine.id, name_by_user="My SIM")
    before = entity_states(hass, loaded).keys()
    second = MockConfigEntry(
        domain=DOMAIN, title="Other", data={**loaded.data, CONF_PORT: other.port}
    )
    second.add_to_hass(hass)
    assert await hass.config_entries.async_setup(second.entry_id)

    await poll(hass, freezer)
    assert span_names(hass, loaded) == {
        f"OpenVox GSM {number}" for number in (1, 2, 3, 4)
    }
    assert span_names(hass, second) == {"Other GSM 1"}
    assert span_device(hass, loaded, 2).name_by_user == "My SIM"
    assert entity_states(hass, loaded).keys() == before
    assert "sensor.gsm_1_status" in before
    assert "sensor.other_gsm_1_status" in entity_states(hass, second)

    # A gateway that was only found, and is ignored, is none.
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE).add_to_hass(hass)
    await hass.config_entries.async_remove(second.entry_id)
    assert span_device(hass, loaded, 1).name == "GSM 1"


async def test_a_gateway_that_tells_no_versions(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then its device has none; an IPv6 address makes a link, too."""
    set_rights(gateway, without="system")
    set_rights(gateway, without="reporting")
    gateway.cli.leave_out("gsm show version")
    connect = hass.loop.create_connection

    async def by_ipv4(factory: Any, host: str, port: int, **options: Any) -> Any:
        assert host == "fd00::5"
        return await connect(factory, gateway.host, port, **options)

    monkeypatch.setattr(hass.loop, "create_connection", by_ipv4)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "host": "fd00::5"}
    )

    await set_up(hass, entry)

    device = gateway_device(hass, entry)
    assert device.sw_version is None
    assert device.configuration_url == "http://[fd00::5]"


async def test_a_span_appears_later(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """It gets its device and entities without a restart, and goes when it goes."""
    gateway.add_span(7).signal = 31

    await poll(hass, freezer)

    assert hass.states.is_state("sensor.gsm_7_signal_strength", "-51")
    assert span_device(hass, loaded, 7).name == "GSM 7"

    gateway.remove_span(7)
    await poll(hass, freezer)
    assert hass.states.is_state("sensor.gsm_7_signal_strength", STATE_UNAVAILABLE)
    assert hass.states.is_state("sensor.gsm_1_signal_strength", "-73")


async def test_a_module_without_power_is_still_the_same(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """What it does not tell is not forgotten; what it tells anew is taken."""
    span = gateway.spans[1]
    before = span_device(hass, loaded, 1)
    span.manufacturer = span.model = span.imei = span.revision = ""
    await poll(hass, freezer)
    after = span_device(hass, loaded, 1)
    for key in ("manufacturer", "model", "serial_number", "sw_version"):
        assert getattr(after, key) == getattr(before, key), key

    span.imei = "860041020985699"
    await poll(hass, freezer)
    assert span_device(hass, loaded, 1).serial_number == "860041020985699"


# Polls


async def test_a_poll_that_finds_nothing_new_writes_nothing(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """The gateway is asked, but Home Assistant is left in peace."""
    notified = []
    loaded.runtime_data.async_add_listener(lambda: notified.append(1))
    asked = len(gateway.commands)

    await poll(hass, freezer)
    assert len(gateway.commands) > asked
    assert notified == []

    gateway.spans[1].signal = 5
    await poll(hass, freezer)
    assert notified == [1]


# Away and back


async def test_a_thousand_entities_do_not_hold_everything_up(
    hass: HomeAssistant, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """They hear the news in turns; one that goes meanwhile hears it no more."""
    coordinator = loaded.runtime_data
    heard: list[int] = []

    def stumble() -> None:
        raise ValueError

    coordinator.async_add_listener(stumble)
    removers = [
        coordinator.async_add_listener(lambda number=number: heard.append(number))
        for number in range(250)
    ]
    coordinator.async_update_listeners()
    assert 0 < len(heard) <= 100
    removers[200]()
    await until(lambda: 249 in heard)

    assert sorted(heard) == [number for number in range(250) if number != 200]
    assert said(caplog, logging.ERROR) == ["Unexpected error while updating an entity"]


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
    assert line.startswith("Error requesting OpenVox data: The gateway cannot be")

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
    assert line.startswith("Error fetching OpenVox data: The gateway cannot be")

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
    gateway.faults.silent_commands.add("manager show user")
    gateway.faults.drop_sessions()
    await until(lambda: hass.states.is_state(CONNECTED, STATE_OFF))
    states = async_capture_events(hass, EVENT_STATE_CHANGED)
    before = len(gateway.commands)
    await until_later(freezer, lambda: len(gateway.commands) > before)
    refresh = asyncio.create_task(loaded.runtime_data.async_refresh())
    await until_later(freezer, refresh.done)
    await until_later(freezer, lambda: gateway.commands[-1].startswith("manager show"))
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


# Incoming SMS


async def test_an_sms_comes_in(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The event tells all of it: the text, the sender, the span and its device."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)

    await gateway.receive_sms(3, PHONE, "Grüße 👋\r\nfrom me", WHEN, zone_hours=2)
    await until(lambda: events)

    assert events[0].data == {
        "config_entry_id": loaded.entry_id,
        "device_id": span_device(hass, loaded, 3).id,
        "span": 3,
        "sender": PHONE,
        "contact": None,
        "message": "Grüße 👋\r\nfrom me",
        "received_at": "2026-05-04T05:02:01+02:00",
        "parts": 1,
        "complete": True,
    }


async def test_a_long_sms_is_one(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """However its parts come in."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    text = "".join(f"{number:4}" for number in range(100))

    await gateway.receive_sms(1, "MyBank", text, WHEN, order=[3, 1, 2])
    await until(lambda: events)

    [event] = events
    assert event.data["message"] == text
    assert event.data["sender"] == "MyBank"
    assert (event.data["parts"], event.data["complete"]) == (3, True)


async def test_a_part_is_missing(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """After a while what is there is published, and that it is not all."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)

    await gateway.receive_sms(1, PHONE, "x" * 300, WHEN, order=[1])
    await settle(hass)
    for _ in range(8):
        await poll(hass, freezer)
    assert events == []

    await until_later(freezer, lambda: events)
    [event] = events
    assert (event.data["parts"], event.data["complete"]) == (2, False)
    assert set(event.data["message"]) == {"x"}


async def test_a_gateway_that_tells_no_time_zone(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """No time is better than a wrong one; such SMS are never taken for repetitions."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    for text in ("Hello", "Hello again"):
        await gateway.receive_sms(1, PHONE, text, WHEN, varset=False)
        await until_later(freezer, lambda: events)
        assert events.pop().data["received_at"] is None


async def test_sms_are_held_until_home_assistant_has_started(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """In the order in which they came, even over a reload of the entry."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    hass.set_state(CoreState.starting)
    await set_up(hass, entry)

    await gateway.receive_sms(1, PHONE, "one", WHEN)
    await gateway.receive_sms(1, PHONE, "two", WHEN)
    held = entry.runtime_data._memory.held  # noqa: SLF001
    await until(lambda: len(held) == 2)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    await gateway.receive_sms(1, PHONE, "three", WHEN)
    await until(lambda: len(held) == 3)
    assert events == []
    assert hass.states.is_state("sensor.gsm_1_last_sms", "unknown")

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settle(hass)

    assert [event.data["message"] for event in events] == ["one", "two", "three"]
    assert not hass.states.is_state("sensor.gsm_1_last_sms", "unknown")

    await gateway.receive_sms(1, PHONE, "four", WHEN)
    await until(lambda: len(events) == 4)


async def test_an_automation_sees_what_came_during_the_start(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """That is what it is held for."""
    actions: list[Event] = async_capture_events(hass, "seen")
    hass.set_state(CoreState.not_running)
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "triggers": {"trigger": "event", "event_type": EVENT_SMS_RECEIVED},
                "actions": {
                    "event": "seen",
                    "event_data": {"text": "{{ trigger.event.data.message }}"},
                },
            }
        },
    )
    await set_up(hass, entry)
    await gateway.receive_sms(1, PHONE, "early", WHEN)
    await until(lambda: entry.runtime_data._memory.held)  # noqa: SLF001

    await hass.async_start()
    await settle(hass)

    assert [event.data["text"] for event in actions] == ["early"]


async def test_an_sms_comes_while_the_entry_is_set_up(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """It waits for the devices and entities, so that it names the device."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    entry.add_to_hass(hass)
    setup = asyncio.create_task(hass.config_entries.async_setup(entry.entry_id))
    await until(lambda: gateway.commands)
    await gateway.receive_sms(1, PHONE, "early", WHEN)
    assert await setup
    await settle(hass)
    await until(lambda: events)

    assert events[0].data["device_id"] == span_device(hass, entry, 1).id
    assert not hass.states.is_state("sensor.gsm_1_last_sms", "unknown")


async def test_nothing_is_published_twice(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Not after a reload, not after the connection was away, not if it is repeated."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await until_later(freezer, lambda: events)

    assert await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    gateway.faults.drop_sessions()
    await until(lambda: hass.states.is_state(CONNECTED, STATE_OFF))
    await until_later(freezer, lambda: hass.states.is_state(CONNECTED, STATE_ON))
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await gateway.receive_sms(1, PHONE, "News", WHEN)
    await until_later(freezer, lambda: len(events) > 1)
    assert [event.data["message"] for event in events] == ["Hello", "News"]

    # The same text at the same time from the service centre, but long after.
    freezer.tick(301)
    await settle(hass)
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await until_later(freezer, lambda: len(events) > 2)


async def test_the_numbers_of_senders_are_remembered(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The newest of them; one that writes again is among the newest."""
    monkeypatch.setattr("custom_components.openvox_gsm.coordinator._MAX_SENDERS", 2)
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    known_number = loaded.runtime_data.known_number
    for sender in ("+491", "2222", "+491", "+493"):
        await gateway.receive_sms(1, sender, f"{len(events)}", WHEN)
        count = len(events)
        await until(lambda count=count: len(events) > count)

    assert known_number("491") == "+491"
    assert known_number("493") == "+493"
    assert known_number("2222") is None

    assert await hass.config_entries.async_reload(loaded.entry_id)
    assert loaded.runtime_data.known_number("491") == "+491"


# Outgoing SMS


async def test_what_became_of_a_message(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """One event for each message and recipient, however many parts it takes."""
    events = async_capture_events(hass, EVENT_SMS_SENT)
    entry.add_to_hass(hass)
    add_contact(hass, entry, "Anna", PHONE)
    await set_up(hass, entry)
    gateway.spans[1].sms_outcomes.extend(2 * [SmsOutcome.SUCCESS])
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)

    for number in (PHONE, OTHER_PHONE):
        await async_send(OutgoingSms(number, "x" * 200, 1), [entry.runtime_data])
    await settle(hass)

    where = {
        "config_entry_id": entry.entry_id,
        "device_id": span_device(hass, entry, 1).id,
        "span": 1,
        "parts": 2,
    }
    assert [event.data for event in events] == [
        where
        | {
            "target": PHONE,
            "contact": "Anna",
            "status": "sent",
            "parts_sent": 2,
            "error": None,
        },
        where
        | {
            "target": OTHER_PHONE,
            "contact": None,
            "status": "failed",
            "parts_sent": 0,
            "error": "rejected",
        },
    ]


async def test_a_message_that_no_span_can_take(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Its event names none."""
    events = async_capture_events(hass, EVENT_SMS_SENT)
    for span in gateway.spans.values():
        span.power = False

    await async_send(OutgoingSms(PHONE, "Hello"), [loaded.runtime_data])
    await settle(hass)

    [event] = events
    assert (event.data["span"], event.data["device_id"]) == (None, None)
    assert event.data["error"] == "no_span_ready"


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
    gateway.spans[2].status = "Pin (7391) Error"
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
        "7391",
        "*111#",
        "balance",
        "pa55word",
    ):
        assert private not in logged


async def test_the_device_registry_is_asked_nothing_outdated(
    hass: HomeAssistant, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Home Assistant complains of what will stop working."""
    assert dr.async_get(hass)
    assert "Detected that custom integration" not in caplog.text


async def test_half_of_a_long_sms_at_a_reload(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It is joined with what comes after that, and reaches the new entities."""
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    text = "x" * 200
    await gateway.receive_sms(1, PHONE, text, WHEN, reference=7, order=[1])
    await loaded.runtime_data.async_refresh()  # what came before the answer is here
    await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    assert events == []
    await gateway.receive_sms(1, PHONE, text, WHEN, reference=7, order=[2])
    await until(lambda: events)
    await settle(hass)

    (event,) = events
    assert (event.data["message"], event.data["complete"]) == (text, True)
    state = hass.states.get("event.gsm_1_sms")
    assert state
    assert state.attributes["message"] == text


async def test_half_of_a_long_sms_of_a_gateway_that_is_removed(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody waits for the rest; the log says so."""
    await gateway.receive_sms(1, PHONE, "x" * 200, order=[1])
    await loaded.runtime_data.async_refresh()  # what came before the answer is here
    await hass.config_entries.async_remove(loaded.entry_id)
    await settle(hass)

    assert "only 1 of 2 parts of a long SMS arrived" in caplog.text
