"""SMS and calls as event entities."""

from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    mock_restore_cache_with_extra_data,
)

from custom_components.openvox_gsm import event as event_module
from custom_components.openvox_gsm.const import CONF_CALL_EVENTS, EVENT_CALL
from homeassistant.const import (
    EVENT_HOMEASSISTANT_STARTED,
    EVENT_STATE_CHANGED,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import CoreState, HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from simulator import Call, Simulator

from .common import (
    OTHER_PHONE,
    PHONE,
    add_contact,
    poll,
    settle,
    span_device,
    until,
    until_later,
)

ROOT = Path(event_module.__file__).parent
CONNECTED = "binary_sensor.openvox_connectivity"
WHEN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def attributes(hass: HomeAssistant, entity_id: str) -> dict[str, Any]:
    """Return the attributes that describe the event."""
    state = hass.states.get(entity_id)
    assert state
    return {
        key: value
        for key, value in state.attributes.items()
        if key not in ("event_types", "friendly_name")
    }


def event_type(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return the type of the last event."""
    kind: str | None = attributes(hass, entity_id)["event_type"]
    return kind


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set the entry up."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


@pytest.fixture
async def known(
    hass: HomeAssistant, enable_custom_integrations: None, entry: MockConfigEntry
) -> MockConfigEntry:
    """A gateway that is set up, with a contact."""
    entry.add_to_hass(hass)
    add_contact(hass, entry, "Anna", PHONE)
    await set_up(hass, entry)
    return entry


async def ring(hass: HomeAssistant, gateway: Simulator, number: str = PHONE) -> Call:
    """Let a call come in on span 1."""
    call = await gateway.incoming_call(1, number)
    await until(lambda: event_type(hass, "event.gsm_1_call") == "ringing")
    return call


# SMS


async def test_an_sms(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """It tells all of it, and who that is."""
    state = hass.states.get("event.gsm_3_sms")
    assert state
    assert state.state == STATE_UNKNOWN
    assert state.attributes["friendly_name"] == "GSM 3 SMS"
    assert state.attributes["event_types"] == ["received"]

    await gateway.receive_sms(3, PHONE, "Grüße", WHEN, zone_hours=2)
    await until(lambda: not hass.states.is_state("event.gsm_3_sms", STATE_UNKNOWN))

    assert attributes(hass, "event.gsm_3_sms") == {
        "event_type": "received",
        "sender": PHONE,
        "contact": "Anna",
        "message": "Grüße",
        "received_at": "2026-05-04T05:02:01+02:00",
        "parts": 1,
        "complete": True,
    }
    for other in ("event.gsm_1_sms", "event.gsm_3_call"):
        assert hass.states.is_state(other, STATE_UNKNOWN)


async def test_the_same_sms_again(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """Two people who write the same, even at once, are two events."""
    states = async_capture_events(hass, EVENT_STATE_CHANGED)
    await gateway.receive_sms(1, PHONE, "open")
    await gateway.receive_sms(1, OTHER_PHONE, "open")

    def told() -> list[str | None]:
        return [
            event.data["new_state"].attributes["contact"]
            for event in states
            if event.data["entity_id"] == "event.gsm_1_sms"
        ]

    await until(lambda: len(told()) == 2)
    assert told() == ["Anna", None]


# Calls


async def test_a_call_that_is_answered(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
) -> None:
    """It rings, is answered and ends."""
    call = await ring(hass, gateway)
    assert attributes(hass, "event.gsm_1_call") == {
        "event_type": "ringing",
        "caller": PHONE,
        "contact": "Anna",
        "direction": "incoming",
        "duration": None,
        "cause": None,
    }

    await call.answer()
    await until(lambda: event_type(hass, "event.gsm_1_call") == "answered")
    freezer.tick(75)
    await call.hangup()
    await until(lambda: event_type(hass, "event.gsm_1_call") == "ended")
    told = attributes(hass, "event.gsm_1_call")
    assert (told["duration"], told["cause"]) == (75, "Normal Clearing")


async def test_a_call_that_is_missed(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """A withheld number is empty, and no contact."""
    call = await ring(hass, gateway, "<unknown>")
    await call.hangup(19)
    await until(lambda: event_type(hass, "event.gsm_1_call") == "missed")

    told = attributes(hass, "event.gsm_1_call")
    assert (told["caller"], told["contact"]) == ("", None)


async def test_calls_are_told_on_the_bus(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """As SMS are."""
    events = async_capture_events(hass, EVENT_CALL)
    call = await ring(hass, gateway)
    await call.hangup(19)
    await until(lambda: len(events) == 2)

    assert [event.data["type"] for event in events] == ["ringing", "missed"]
    assert events[1].data == {
        "config_entry_id": known.entry_id,
        "device_id": span_device(hass, known, 1).id,
        "span": 1,
        "type": "missed",
        "caller": PHONE,
        "contact": "Anna",
        "direction": "incoming",
        "duration": None,
        "cause": "User alerting, no answer",
    }


async def test_calls_are_switched_off(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """No entity, no event; not even the entities that were there before."""
    assert er.async_get(hass).async_get("event.gsm_1_call")
    hass.config_entries.async_update_entry(known, options={CONF_CALL_EVENTS: False})
    assert await hass.config_entries.async_reload(known.entry_id)
    await settle(hass)
    assert not er.async_get(hass).async_get("event.gsm_1_call")
    assert er.async_get(hass).async_get("event.gsm_1_sms")

    events = async_capture_events(hass, EVENT_CALL)
    await gateway.incoming_call(1, PHONE)
    await gateway.receive_sms(2, PHONE, "Hello")
    await until(lambda: not hass.states.is_state("event.gsm_2_sms", STATE_UNKNOWN))
    assert events == []


async def test_calls_before_home_assistant_has_started(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """That one was missed is still news then; that it rang is not."""
    events = async_capture_events(hass, EVENT_CALL)
    hass.set_state(CoreState.starting)
    entry.add_to_hass(hass)
    await set_up(hass, entry)
    call = await gateway.incoming_call(1, PHONE)
    await call.hangup()
    await until(lambda: entry.runtime_data.publisher._held)  # noqa: SLF001
    assert events == []

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settle(hass)
    assert [event.data["type"] for event in events] == ["missed"]
    assert event_type(hass, "event.gsm_1_call") == "missed"


# Nothing that looks like a new event


async def automations(hass: HomeAssistant) -> list[Any]:
    """Make automations on the entities; returns what they see."""
    entity_ids = ["event.gsm_1_sms", "event.gsm_1_call"]
    seen = async_capture_events(hass, "seen")
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": [
                {
                    "triggers": {
                        "trigger": "event.received",
                        "target": {"entity_id": entity_ids},
                        "options": {"event_type": ["received", "ringing", "missed"]},
                    },
                    "actions": {"event": "seen"},
                },
                {
                    "triggers": {"trigger": "state", "entity_id": entity_ids},
                    "actions": {"event": "seen"},
                },
            ]
        },
    )
    await settle(hass)
    return seen


async def test_a_reconnection_is_no_event(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
) -> None:
    """The entities stay as they are while the gateway is away, and when it is back."""
    await ring(hass, gateway)
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await until_later(
        freezer, lambda: not hass.states.is_state("event.gsm_1_sms", STATE_UNKNOWN)
    )
    seen = await automations(hass)
    before = hass.states.get("event.gsm_1_sms")

    gateway.faults.drop_sessions()
    await until(lambda: hass.states.is_state(CONNECTED, STATE_OFF))
    assert hass.states.get("event.gsm_1_sms") == before
    await until_later(freezer, lambda: hass.states.is_state(CONNECTED, STATE_ON))
    await poll(hass, freezer)
    assert hass.states.get("event.gsm_1_sms") == before
    assert seen == []


async def test_a_reload_is_no_event(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
) -> None:
    """To the trigger that is made for events; the last one is still there."""
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await until_later(
        freezer, lambda: not hass.states.is_state("event.gsm_1_sms", STATE_UNKNOWN)
    )
    before = hass.states.get("event.gsm_1_sms")
    assert before
    seen = async_capture_events(hass, "seen")
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "triggers": {
                    "trigger": "event.received",
                    "target": {"entity_id": "event.gsm_1_sms"},
                    "options": {"event_type": ["received"]},
                },
                "actions": {"event": "seen"},
            }
        },
    )

    assert await hass.config_entries.async_reload(known.entry_id)
    await settle(hass)
    after = hass.states.get("event.gsm_1_sms")
    assert after
    assert (after.state, after.attributes) == (before.state, before.attributes)
    assert seen == []

    await gateway.receive_sms(1, PHONE, "Hello again", WHEN)
    await until_later(freezer, lambda: seen)


async def test_a_restart_is_no_event(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """The last event from before the restart keeps its own time."""
    mock_restore_cache_with_extra_data(
        hass,
        [
            (
                State("event.gsm_1_sms", "2026-05-04T03:02:01.000+00:00"),
                {
                    "last_event_type": "received",
                    "last_event_attributes": {"message": "of before"},
                },
            )
        ],
    )
    entry.add_to_hass(hass)
    await set_up(hass, entry)

    assert hass.states.is_state("event.gsm_1_sms", "2026-05-04T03:02:01.000+00:00")
    assert attributes(hass, "event.gsm_1_sms")["message"] == "of before"


async def test_a_span_that_is_gone(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
) -> None:
    """What happened on it has happened all the same."""
    gateway.remove_span(1)
    await poll(hass, freezer)

    assert hass.states.is_state("sensor.gsm_1_status", STATE_UNAVAILABLE)
    assert hass.states.is_state("event.gsm_1_sms", STATE_UNKNOWN)


def test_every_event_has_its_texts_and_icon() -> None:
    """The entity and its attributes, each type of event too; none is left over."""
    texts = json.loads((ROOT / "translations/en.json").read_text("utf-8"))["entity"]
    icons = json.loads((ROOT / "icons.json").read_text("utf-8"))["entity"]

    assert texts["event"].keys() == icons["event"].keys() == {"sms", "call"}
    for description in (event_module.SMS, event_module.CALL):
        key = description.key
        text, icon = texts["event"][key], icons["event"][key]
        types = text["state_attributes"]["event_type"]["state"]
        assert text["name"]
        assert icon["default"]
        assert types.keys() == set(description.event_types or ())
    call_icons = icons["event"]["call"]["state_attributes"]["event_type"]["state"]
    assert call_icons.keys() == set(event_module.CALL.event_types or ())
