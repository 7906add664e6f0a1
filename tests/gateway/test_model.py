"""What can be said of a span by what the gateway tells."""

from datetime import UTC, datetime

import pytest

from custom_components.openvox_gsm.gateway import (
    CallDirection,
    CallEvent,
    CallEventType,
    IncomingSms,
    NetworkStatus,
    Span,
    SpanStatus,
    StatusReport,
    UssdReply,
)
from custom_components.openvox_gsm.gateway.replies import read_span

NUMBER = "13632919026"


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("READY", "READY"),
        ("SMS SENDING", "SMS SENDING"),
        ("SIM PIN REQ", "SIM PIN REQ"),
        ("", ""),
        (f"CALL ACTIVE Called from {NUMBER} 00:01:12", "CALL ACTIVE"),
        (f"CALL ACTIVE Called to {NUMBER}", "CALL ACTIVE"),
        # Guesses at what other firmware may say: no word with digits, nobody's name.
        (f"CALL ACTIVE called from {NUMBER}", "CALL ACTIVE"),
        (f"CALL ACTIVE {NUMBER}", "CALL ACTIVE"),
        ("CALL ACTIVE Called from MyBank", "CALL ACTIVE"),
        (f"+{NUMBER} RINGING", ""),
    ],
)
def test_the_state_does_not_tell_the_other_side(told: str, state: str) -> None:
    """Only the driver's own words."""
    assert Span(1, state_text=told).state == state


@pytest.mark.parametrize(
    ("network", "registered", "roaming"),
    [
        (NetworkStatus.HOME, True, False),
        (NetworkStatus.ROAMING, True, True),
        (NetworkStatus.REGISTERED, True, None),
        (NetworkStatus.NOT_REGISTERED, False, False),
        (NetworkStatus.SEARCHING, False, False),
        (NetworkStatus.DENIED, False, False),
        (NetworkStatus.UNKNOWN, None, None),
    ],
)
def test_the_network(
    network: NetworkStatus, registered: bool | None, roaming: bool | None
) -> None:
    """As far as it's known. A module that does not work is in none."""
    span = Span(1, status=SpanStatus.READY, network_status=network)
    assert (span.registered, span.roaming) == (registered, roaming)

    for status in (
        SpanStatus.DOWN,
        SpanStatus.NO_SIGNAL,
        SpanStatus.NO_SIM,
        SpanStatus.PIN_ERROR,
        SpanStatus.POWER_OFF,
    ):
        span = Span(1, status=status, network_status=network)
        assert (span.registered, span.roaming) == (False, False)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "PDD: 7\nASR: 20\nACD: 12\nOwn Number: +4915112345678\n"
            "SIM SMS Center Number: +8613800755500",
            (7, 20, 12, "+4915112345678", "+8613800755500"),
        ),
        (
            "PDD: -1\nASR: \nACD: many\nOwn Number:\nSIM SMS Center Number: Undefined",
            (None, None, None, "", ""),
        ),
        ("State: READY", (None, None, None, "", "")),
    ],
)
def test_statistics_and_numbers(lines: str, expected: tuple[object, ...]) -> None:
    """What the firmware does not tell is None or empty."""
    span = read_span(1, f"Status: Power on, Up, Active\n{lines}")
    assert span
    assert (
        span.post_dial_delay,
        span.answer_seizure_ratio,
        span.average_call_duration,
        span.own_number,
        span.sms_center,
    ) == expected
    for number in (span.own_number, span.sms_center):
        assert not number or number not in repr(span)


@pytest.mark.parametrize(
    "told",
    [
        IncomingSms(1, NUMBER, "hello", None, datetime.now(UTC)),
        CallEvent(CallEventType.RINGING, 1, CallDirection.INCOMING, NUMBER),
        StatusReport(1, NUMBER, 5, True, 0, None, datetime.now(UTC), message="hello"),
        UssdReply(1, 0, 15, f"hello {NUMBER}"),
    ],
    ids=lambda told: type(told).__name__,
)
def test_what_came_in_does_not_show_what_it_holds(told: object) -> None:
    """It may end up in a traceback."""
    assert NUMBER not in repr(told)
    assert "hello" not in repr(told)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (0x40, "Remote procedure error"),
        (0x41, "Incompatible destination"),
        (0x42, "Connection rejected by the phone"),
        (0x43, "Not obtainable"),
        (0x44, "Quality of service not available"),
        (0x45, "No interworking available"),
        (0x46, "Validity period expired"),
        (0x47, "Deleted by the sender"),
        (0x48, "Deleted by the service centre"),
        (0x49, "Does not exist"),
        (0x4A, "Status 74"),
        (0x60, "Congestion"),
        (0x61, "Phone busy"),
        (0x62, "No response from the phone"),
        (0x63, "Service rejected"),
        (0x64, "Quality of service not available"),
        (0x65, "Error in the phone"),
    ],
)
def test_why_an_sms_was_not_delivered(status: int, cause: str) -> None:
    """The words of 3GPP TS 23.040, 9.2.3.15."""
    now = datetime.now(UTC)
    assert StatusReport(1, NUMBER, 5, False, status, None, now).cause == cause
