"""What happens on a gateway, as messages."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.openvox_gsm.const import CONF_CALL_EVENTS, EVENT_SMS_RECEIVED
from custom_components.openvox_gsm.gateway import (
    CallDirection,
    CallEvent,
    CallEventType,
    StatusReport,
)
from custom_components.openvox_gsm.messages.record import MessageRecord
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from simulator import Box, CallOutcome, Simulator

from .conftest import WHEN, kept, only, receive, send

from tests.common import (
    OTHER_PHONE,
    PHONE,
    pass_time,
    poll,
    set_options,
    settle,
    until,
    until_later,
)

# SMS


async def test_an_sms(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """With all that is known of it; its number in its one form."""
    hass.config.country = "DE"
    await receive(gateway, loaded, (3, "015112345678", "Grüße 👋"))

    [message] = kept(loaded)
    assert message == {
        "id": message["id"],
        "kind": "sms",
        "direction": "in",
        "number": PHONE,
        "text": "Grüße 👋",
        "time": message["time"],
        "span": 3,
        "parts": 1,
        "status": "received",
        "reason": None,
        "duration": None,
    }
    age = dt_util.utcnow() - dt_util.parse_datetime(
        message["time"], raise_on_error=True
    )
    assert 0 <= age.total_seconds() < 60
    assert message["time"].endswith("+00:00")


async def test_senders_with_names(gateway: Simulator, loaded: MockConfigEntry) -> None:
    """They keep their letters; one in other letters is the same sender."""
    await receive(gateway, loaded, (1, "MyBank", "One"), (1, "MYBANK", "Two"))

    assert only(loaded, "number") == [("MyBank",), ("MYBANK",)]
    assert list(loaded.runtime_data.messages.conversations) == ["mybank"]


async def test_a_part_is_missing(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """What is there is kept."""
    await gateway.receive_sms(1, PHONE, "x" * 300, WHEN, order=[1])
    await settle(hass)
    for _ in range(8):
        await poll(hass, freezer)
    await until_later(freezer, lambda: kept(loaded))

    assert only(loaded, "status", "parts") == [("incomplete", 2)]


async def test_an_sms_that_was_held_for_long(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """No automation sees it, so it's here that a person does; with when it came."""
    publisher = loaded.runtime_data.publisher
    publisher.async_hold()
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await until(lambda: publisher._held)  # noqa: SLF001
    arrived = dt_util.utcnow()
    await hass.config_entries.async_set_disabled_by(
        loaded.entry_id, ConfigEntryDisabler.USER
    )
    await pass_time(hass, freezer, 610)
    await hass.config_entries.async_set_disabled_by(loaded.entry_id, None)
    await settle(hass)

    [message] = kept(loaded)
    assert (message["status"], message["text"]) == ("late", "Hello")
    assert message["time"] <= arrived.isoformat()


async def test_an_sms_that_is_held(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """It's there at once, so that a crash doesn't lose it; and stays one message.

    Until automations see it, it counts as late.
    """
    publisher = loaded.runtime_data.publisher
    events = async_capture_events(hass, EVENT_SMS_RECEIVED)
    publisher.async_hold()
    await gateway.receive_sms(1, PHONE, "Half of it. " * 20, WHEN, order=[1])
    await gateway.receive_sms(1, PHONE, "Hello", WHEN)
    await until(lambda: only(loaded, "text", "status") == [("Hello", "late")])
    assert events == []

    publisher.async_publish_rest()

    assert len(events) == 2
    assert sorted(only(loaded, "status")) == [("incomplete",), ("received",)]


# Delivery reports


@pytest.fixture
def _reports(gateway: Simulator) -> None:
    gateway.status_reports = True


TODAY = pytest.mark.parametrize("gateway", [{"box": Box.TODAY}], indirect=True)


@TODAY
@pytest.mark.usefixtures("_reports")
async def test_whether_a_message_was_delivered(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Each report finds its message, among others to the same number."""
    gateway.spans[1].deliveries.extend([True, True, False])
    for text in ("x" * 200, "Hello"):
        await send(hass, text, span=1)
        await until(lambda: only(loaded, "status")[-1] != ("sent",))
        await settle(hass)

    assert only(loaded, "status", "reason", "parts") == [
        ("delivered", None, 2),
        ("undelivered", "Validity period expired", 1),
    ]


def report(delivered: bool, span: int = 1, number: str = PHONE) -> StatusReport:
    """Return a report as it comes from the network."""
    status = 0 if delivered else 0x46
    return StatusReport(span, number, 1, delivered, status, None, dt_util.utcnow())


@pytest.mark.parametrize(
    ("outcomes", "statuses"),
    [
        ([True], ["sent", "sent"]),
        ([True, True], ["delivered", "delivered"]),
        ([False, False], ["undelivered", "undelivered"]),
        ([True, False], ["sent", "sent"]),
    ],
)
async def test_two_messages_to_one_number(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    outcomes: list[bool],
    statuses: list[str],
) -> None:
    """The reports don't say which; it's certain once both have the same outcome."""
    for text in ("One", "Two"):
        await send(hass, text, span=1)
    for delivered in outcomes:
        loaded.runtime_data.gateway.reports.reported(report(delivered))

    assert [status for (status,) in only(loaded, "status")] == statuses


async def test_two_messages_by_two_spans(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The report comes on the span that sent it."""
    for span in (1, 2):
        await send(hass, "Hello", span=span)
    loaded.runtime_data.gateway.reports.reported(report(True, span=2))

    assert only(loaded, "span", "status") == [(1, "sent"), (2, "delivered")]


@pytest.mark.parametrize(
    ("texts", "statuses"),
    [
        (["Hello"], ["delivered"]),
        (["One", "Two"], ["sent", "sent"]),
        # Its report may be of the first part.
        (["x" * 200], ["sent"]),
    ],
)
async def test_a_report_after_a_reload(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    texts: list[str],
    statuses: list[str],
) -> None:
    """It finds its message if it can be about no other."""
    for text in texts:
        await send(hass, text, span=1)
    await send(hass, "Other", span=1, target=OTHER_PHONE)
    await send(hass, "Other", span=2)
    await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)

    loaded.runtime_data.gateway.reports.reported(report(True))

    found = [status for (status,) in only(loaded, "status")]
    assert found == [*statuses, "sent", "sent"]


async def test_a_report_in_a_long_conversation(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Only the messages of the last day are looked at."""
    history = loaded.runtime_data.messages
    await send(hass, "Hello", span=1)
    [recent] = history.newest_first()
    for days in range(2, 12):
        time = recent.time - timedelta(days=days)
        history.add(replace(recent, id=history.new_id(time), time=time))
    looked_at = []

    def newest_first(ids: Sequence[str]) -> Iterator[MessageRecord]:
        for message_id in reversed(ids):
            looked_at.append(message_id)
            yield cast(MessageRecord, history.get(message_id))

    with patch.object(history, "newest_first", newest_first):
        incoming = loaded.runtime_data.publisher._messages  # noqa: SLF001
        incoming.sms_reported(report(True))

    assert len(looked_at) <= 2
    assert only(loaded, "status")[-1] == ("delivered",)


async def test_a_report_of_something_else(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Such as an SMS that somebody sent in the gateway's web interface."""
    await send(hass, "Hello", span=1)
    loaded.runtime_data.gateway.reports.reported(report(False, number=OTHER_PHONE))
    assert only(loaded, "status") == [("sent",)]


# Calls


async def test_a_call_is_one_message(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """From its first ring to its end."""
    call = await gateway.incoming_call(2, PHONE)
    await until(lambda: only(loaded, "status") == [("ringing",)])
    [ringing] = kept(loaded)
    assert ringing == {
        "id": ringing["id"],
        "kind": "call",
        "direction": "in",
        "number": PHONE,
        "text": None,
        "time": ringing["time"],
        "span": 2,
        "parts": 0,
        "status": "ringing",
        "reason": None,
        "duration": None,
    }
    await call.answer()
    await until(lambda: only(loaded, "status") == [("answered",)])
    await call.hangup()
    await until(lambda: only(loaded, "status") == [("ended",)])

    assert kept(loaded) == [ringing | {"status": "ended", "duration": 0}]


async def test_calls_at_the_same_time(
    gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Each is a message, and what happens to it goes there."""
    first = await gateway.incoming_call(1, PHONE)
    second = await gateway.incoming_call(2, OTHER_PHONE)
    await until(lambda: only(loaded, "status") == 2 * [("ringing",)])
    await first.answer()
    await second.hangup()
    await until(lambda: ("missed",) in only(loaded, "status"))
    await first.hangup()
    await until(lambda: ("ended",) in only(loaded, "status"))
    assert only(loaded, "span", "number", "status") == [
        (1, PHONE, "ended"),
        (2, OTHER_PHONE, "missed"),
    ]


async def test_a_missed_call(gateway: Simulator, loaded: MockConfigEntry) -> None:
    """A withheld number is None."""
    call = await gateway.incoming_call(2, "")
    await until(lambda: only(loaded, "status") == [("ringing",)])
    await call.hangup()
    await until(lambda: only(loaded, "status") == [("missed",)])
    assert only(loaded, "number", "duration") == [(None, None)]


async def test_a_call_that_someone_else_makes(
    gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Why it failed is said in words."""
    gateway.spans[2].call_outcomes.append(CallOutcome.FAILED)
    await loaded.runtime_data.gateway.run_action(
        "Originate",
        [("Channel", "EXTRA/3/12345678"), ("Application", "Hangup"), ("Async", "yes")],
    )
    await until(lambda: only(loaded, "status") == [("failed",)])
    assert only(loaded, "reason") == [
        ("The network didn't connect the call on span 2 of OpenVox.",)
    ]


async def test_a_call_while_nothing_is_published(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It's written down all the same, and once."""
    publisher = loaded.runtime_data.publisher
    publisher.async_hold()
    call = await gateway.incoming_call(2, PHONE)
    await call.hangup()
    await until(lambda: only(loaded, "status") == [("missed",)])
    publisher.async_publish_rest()
    assert only(loaded, "status") == [("missed",)]


async def test_the_connection_is_lost_during_a_call(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Its end isn't seen, which the message says."""
    await gateway.incoming_call(2, PHONE)
    await until(lambda: only(loaded, "status") == [("ringing",)])
    await gateway.stop()
    await until(lambda: only(loaded, "status") == [("ended",)])
    [(reason,)] = only(loaded, "reason")
    assert reason.startswith("The end of the call wasn't seen")


@pytest.mark.parametrize(
    ("is_answered", "outcome"), [(False, "missed"), (True, "ended")]
)
async def test_the_connection_is_lost_after_a_call(
    gateway: Simulator, loaded: MockConfigEntry, is_answered: bool, outcome: str
) -> None:
    """It keeps its outcome, which was seen."""
    call = await gateway.incoming_call(2, PHONE)
    if is_answered:
        await call.answer()
    await call.hangup()
    await until(lambda: only(loaded, "status") == [(outcome,)])
    await gateway.stop()
    await until(lambda: not loaded.runtime_data.coordinator.last_update_success)
    assert only(loaded, "status", "reason") == [(outcome, None)]


async def test_a_reload_during_a_call(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The same."""
    call = await gateway.incoming_call(2, PHONE)
    await until(lambda: only(loaded, "status") == [("ringing",)])
    await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    await call.hangup()
    assert only(loaded, "status") == [("ended",)]


async def test_calls_are_no_events(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Then they're no messages, either."""
    await set_options(hass, loaded, **{CONF_CALL_EVENTS: False})
    call = await gateway.incoming_call(2, PHONE)
    await call.hangup()
    await loaded.runtime_data.coordinator.async_refresh()
    assert kept(loaded) == []


async def test_the_number_comes_later(loaded: MockConfigEntry) -> None:
    """After the first ring; it's kept when the end comes without it."""
    incoming: Any = loaded.runtime_data.publisher._messages  # noqa: SLF001

    for kind, number in (
        (CallEventType.RINGING, ""),
        (CallEventType.RINGING, PHONE),
        (CallEventType.MISSED, ""),
    ):
        incoming.call_changed(
            CallEvent(kind, 1, CallDirection.INCOMING, number, call_id="1")
        )
    assert only(loaded, "status", "number") == [("missed", PHONE)]


async def test_calls_without_an_end(loaded: MockConfigEntry) -> None:
    """They're given up, so that nothing grows forever."""
    incoming: Any = loaded.runtime_data.publisher._messages  # noqa: SLF001

    for number in range(201):
        incoming.call_changed(
            CallEvent(
                CallEventType.RINGING,
                1,
                CallDirection.INCOMING,
                PHONE,
                call_id=str(number),
            )
        )
    statuses = [status for (status,) in only(loaded, "status")]
    assert statuses == ["ended", *["ringing"] * 200]
