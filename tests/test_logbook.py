"""SMS and calls as sentences in the logbook."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import fnmatch
from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.openvox_gsm import logbook
from custom_components.openvox_gsm.const import (
    DOMAIN,
    EVENT_CALL,
    EVENT_SMS_DELIVERED,
    EVENT_SMS_RECEIVED,
    EVENT_SMS_SENT,
)
from custom_components.openvox_gsm.gateway import SendFailure
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
from simulator import Simulator

from .common import PHONE, add_contact, settle, span_device, until

type Tell = Callable[[str, dict[str, Any]], str]


ICONS = {
    EVENT_SMS_RECEIVED: "mdi:message-arrow-left",
    EVENT_SMS_SENT: "mdi:message-arrow-right",
    EVENT_SMS_DELIVERED: "mdi:message-check",
    EVENT_CALL: "mdi:phone",
}


@pytest.fixture
def tell(hass: HomeAssistant) -> Tell:
    """Put an event into a sentence, behind the name."""
    describers: dict[str, logbook.Describe] = {}

    def register(domain: str, event: str, describe: logbook.Describe) -> None:
        assert domain == "openvox_gsm"
        describers[event] = describe

    logbook.async_describe_events(hass, register)

    def tell(event: str, data: dict[str, Any]) -> str:
        told = describers[event](Event(event, data))
        assert told["icon"] == ICONS[event]
        return f"{told['name']} {told['message']}"

    return tell


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"contact": "Anna"}, "received an SMS from Anna: Hello"),
        ({"contact": None}, f"received an SMS from {PHONE}: Hello"),
        ({"sender": ""}, "received an SMS from an unknown number: Hello"),
        (
            {"message": "one\r\n\r\ntwo\tthree"},
            f"received an SMS from {PHONE}: one two three",
        ),
        (
            {"message": "word " * 100},
            f"received an SMS from {PHONE}: {'word ' * 31}…",
        ),
    ],
)
def test_an_sms_came_in(tell: Tell, data: dict[str, Any], sentence: str) -> None:
    """It stands in one line, however it was written."""
    told = tell(EVENT_SMS_RECEIVED, {"sender": PHONE, "message": "Hello", **data})

    assert told == f"OpenVox GSM gateway {sentence}"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"status": "sent", "error": None}, "sent an SMS to Anna"),
        (
            {"status": "failed", "error": "rejected"},
            "couldn't send an SMS to Anna: the network rejected it",
        ),
        (
            {"status": "unknown", "error": "timed_out"},
            "may have sent an SMS to Anna: the network didn't respond in time",
        ),
    ],
)
def test_an_sms_was_sent(tell: Tell, data: dict[str, Any], sentence: str) -> None:
    """Or was not, or nobody knows."""
    told = tell(EVENT_SMS_SENT, {"target": PHONE, "contact": "Anna", **data})

    assert told == f"OpenVox GSM gateway {sentence}"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"delivered": True, "cause": None}, "learned that an SMS reached Anna"),
        (
            {"delivered": False, "cause": "Phone busy"},
            "learned that an SMS didn't reach Anna: Phone busy",
        ),
        (
            {"delivered": False, "cause": None},
            "learned that an SMS didn't reach Anna",
        ),
    ],
)
def test_an_sms_was_delivered(tell: Tell, data: dict[str, Any], sentence: str) -> None:
    """Or was not; the text of the message stands elsewhere."""
    told = tell(
        EVENT_SMS_DELIVERED,
        {"target": PHONE, "contact": "Anna", "message": "Hi", **data},
    )

    assert told == f"OpenVox GSM gateway {sentence}"


@pytest.mark.parametrize("device_id", [None, "gone"])
def test_what_no_span_did(
    hass: HomeAssistant, tell: Tell, entry: MockConfigEntry, device_id: str | None
) -> None:
    """It's the gateway that failed."""
    entry.add_to_hass(hass)
    data = {"device_id": device_id, "config_entry_id": entry.entry_id}
    told = tell(EVENT_SMS_SENT, {"status": "failed", "error": "no_span_ready", **data})

    assert told.startswith(f"{entry.title} couldn't send an SMS")
    assert told.endswith("no span was ready to send")


# By a word that no other has.
FAILURES = {
    "no_span_ready": "no span was ready",
    "span_not_ready": "the span wasn't ready",
    "span_silent": "the span didn't respond",
    "power_off": "turned off",
    "no_sim": "no SIM",
    "pin_error": "PIN",
    "no_network": "registered",
    "in_call": "in a call",
    "down": "down",
    "alarm": "alarm",
    "stuck": "stuck",
    "span_locked": "locked",
    "span_limit": "gateway's own limit",
    "no_such_span": "no such span",
    "not_connected": "wasn't connected",
    "not_responding": "the gateway didn't respond",
    "busy": "busy",
    "rejected": "rejected",
    "refused": "refused",
    "text_mode": "text mode",
    "wrong_coding": "coding",
    "timed_out": "the network didn't respond",
    "connection_lost": "connection to the gateway was lost",
    "given_up": "script",
    "not_allowed": "don't allow",  # by version 0.1.0
    "limit_reached": "the SMS limit is",
    "sim_limit_reached": "the SMS limit of the SIM",
}


def test_every_failure_is_told_in_words(tell: Tell) -> None:
    """Each in its own, and not by its code."""
    assert {*map(str, SendFailure), "not_allowed"} == FAILURES.keys()
    for failure in FAILURES:
        told = tell(EVENT_SMS_SENT, {"status": "failed", "error": failure})
        assert re.search(r": (the|no) [A-Za-z' ]+$", told)
        meant = [each for each, words in FAILURES.items() if words in told]
        assert meant == [failure], told


@pytest.mark.parametrize(
    ("kind", "direction", "duration", "sentence"),
    [
        ("ringing", "incoming", None, "has an incoming call from Anna"),
        ("answered", "incoming", None, "answered a call from Anna"),
        ("missed", "incoming", None, "missed a call from Anna"),
        ("ended", "incoming", 75, "ended a call from Anna after 75 s"),
        ("answered", "outgoing", None, "called Anna, who answered"),
        ("ended", "outgoing", 75, "ended a call to Anna after 75 s"),
        ("ended", "outgoing", 0, "ended a call to Anna after 0 s"),
        ("ended", "outgoing", None, "called Anna, who didn't answer"),
    ],
)
def test_calls(
    tell: Tell, kind: str, direction: str, duration: int | None, sentence: str
) -> None:
    """Both ways, from the ringing to the end."""
    data = {"type": kind, "direction": direction, "duration": duration}
    told = tell(EVENT_CALL, {"caller": PHONE, "contact": "Anna", **data})

    assert told == f"OpenVox GSM gateway {sentence}"


@pytest.mark.parametrize(
    "event", [EVENT_SMS_RECEIVED, EVENT_SMS_SENT, EVENT_SMS_DELIVERED, EVENT_CALL]
)
def test_events_of_others(tell: Tell, event: str) -> None:
    """The logbook shows whatever has the event's name; it must not break there."""
    assert "an unknown number" in tell(event, {})
    keys = (
        *("device_id", "config_entry_id", "type", "direction"),
        *("status", "error", "message", "cause"),
    )
    assert tell(event, {key: [{}] for key in keys})


async def test_the_logbook(
    recorder_mock: None,
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
) -> None:
    """It uses the name that the user gave the span."""
    begin = datetime.now(UTC) - timedelta(minutes=1)
    assert await async_setup_component(hass, "logbook", {})
    entry.add_to_hass(hass)
    add_contact(hass, entry, "Anna", PHONE)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    device = span_device(hass, entry, 1)
    dr.async_get(hass).async_update_device(device.id, name_by_user="My SIM")

    call = await gateway.incoming_call(1, PHONE)
    await call.hangup()
    await hass.services.async_call(
        "notify",
        "send_sms",
        {"message": "Hi", "target": PHONE, "device_id": device.id},
        blocking=True,
    )
    await hass.services.async_call(
        "openvox", "dial", {"number": "Anna", "device_id": device.id}, blocking=True
    )
    await until(lambda: gateway.spans[1].call is None)
    await async_wait_recording_done(hass)
    client = await hass_ws_client()
    await client.send_json_auto_id(
        {
            "type": "logbook/get_events",
            "start_time": begin.isoformat(),
            "device_ids": [device.id],
        }
    )
    response = await client.receive_json()

    told = [f"{each.get('name')} {each.get('message')}" for each in response["result"]]
    for sentence in (
        "My SIM has an incoming call from Anna",
        "My SIM missed a call from Anna",
        "My SIM sent an SMS to Anna",
        "My SIM called Anna, who answered",
        "My SIM ended a call to Anna after 0 s",
    ):
        assert told.count(sentence) == 1
    assert "My SIM called Anna, who didn't answer" not in told


@pytest.mark.parametrize(
    "language", ["en", "de", "es", "fr", "it", "pt", "ru", "tr", "zh-Hans"]
)
async def test_the_advice_of_the_docs_fits_in_every_language(
    hass: HomeAssistant,
    gateway: Simulator,
    enable_custom_integrations: None,
    entry: MockConfigEntry,
    language: str,
) -> None:
    """It hides the event entities of two gateways, and nothing else."""
    page = Path(__file__).parents[1] / "docs/events.md"
    [config] = re.findall(r"`(logbook: .*)`", page.read_text("utf-8"))
    [glob] = parse_yaml(config)["logbook"]["exclude"]["entity_globs"]
    hass.config.language = language
    other = MockConfigEntry(
        domain=DOMAIN, version=2, title="Other", data=dict(entry.data)
    )
    for each in (entry, other):
        each.add_to_hass(hass)
        assert await hass.config_entries.async_setup(each.entry_id)
        await settle(hass)

    registry = er.async_get(hass)
    events = {
        entity.entity_id
        for each in (entry, other)
        for entity in er.async_entries_for_config_entry(registry, each.entry_id)
        if entity.domain == "event"
    }
    assert len(events) == 2 * 2 * len(gateway.spans)
    assert set(fnmatch.filter(registry.entities, glob)) == events
