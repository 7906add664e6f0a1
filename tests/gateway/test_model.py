"""What can be said of a span by what the gateway tells."""

from datetime import UTC, datetime
from enum import StrEnum

import pytest

from custom_components.openvox_gsm.gateway import (
    CallDirection,
    CallEvent,
    CallEventType,
    IncomingSms,
    NetworkStatus,
    SendFailure,
    Span,
    SpanStatus,
    StatusReport,
    UssdReply,
    UssdStatus,
    model,
)
from custom_components.openvox_gsm.gateway.model import NOT_READY, Work
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
    ("status", "reason"),
    [
        (SpanStatus.BUSY, SendFailure.BUSY),
        (SpanStatus.IN_CALL, SendFailure.IN_CALL),
        (SpanStatus.NO_SIM, SendFailure.NO_SIM),
        (SpanStatus.NO_SIGNAL, SendFailure.NO_NETWORK),
        (SpanStatus.PIN_ERROR, SendFailure.PIN_ERROR),
        (SpanStatus.DOWN, SendFailure.DOWN),
        (SpanStatus.POWER_OFF, SendFailure.POWER_OFF),
        (SpanStatus.ALARM, SendFailure.ALARM),
        (SpanStatus.STUCK, SendFailure.STUCK),
        (SpanStatus.LOCKED, SendFailure.SPAN_LOCKED),
        (SpanStatus.UNKNOWN, SendFailure.SPAN_NOT_READY),
    ],
)
def test_why_a_span_does_nothing(status: SpanStatus, reason: SendFailure) -> None:
    """Each status has a reason; while a span is busy, the order itself may be at fault."""
    for work in Work:
        span = Span(1, status=status)
        assert not span.can_do(work)
        assert span.reason_against(work) is reason
    assert (reason in NOT_READY) is (status is not SpanStatus.BUSY)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (NetworkStatus.NOT_REGISTERED, SendFailure.NO_NETWORK),
        (NetworkStatus.SEARCHING, SendFailure.NO_NETWORK),
        (NetworkStatus.DENIED, SendFailure.NO_NETWORK),
        (NetworkStatus.UNKNOWN, SendFailure.DOWN),
    ],
)
def test_why_a_span_is_down(network: NetworkStatus, reason: SendFailure) -> None:
    """It may be without a network."""
    span = Span(1, status=SpanStatus.DOWN, network_status=network)
    assert span.reason_against(Work.SMS) is reason


@pytest.mark.parametrize(
    "status", [SpanStatus.READY, SpanStatus.SMS_LIMIT, SpanStatus.CALL_LIMIT]
)
@pytest.mark.parametrize("work", Work)
def test_a_limit_is_for_one_kind_of_work(status: SpanStatus, work: Work) -> None:
    """The span does all others."""
    span = Span(1, status=status, limits=frozenset({work}))
    assert [each for each in Work if not span.can_do(each)] == [work]
    assert span.reason_against(work) is SendFailure.SPAN_LIMIT


def test_failures_that_say_nothing_about_the_order() -> None:
    """Another span's failure then tells more."""
    assert {
        SendFailure.SPAN_NOT_READY,
        SendFailure.SPAN_SILENT,
        SendFailure.SPAN_LIMIT,
        SendFailure.NO_SUCH_SPAN,
    } < NOT_READY
    assert SendFailure.REJECTED not in NOT_READY


@pytest.mark.parametrize(
    ("csq", "hardly_any"), [(None, False), (0, True), (5, True), (6, False)]
)
def test_hardly_any_signal(csq: int | None, hardly_any: bool) -> None:
    """Below what every module must work with; unknown is not weak."""
    assert Span(1, csq=csq).has_hardly_any_signal is hardly_any


@pytest.mark.parametrize(
    "words",
    [
        each
        for each in vars(model).values()
        if isinstance(each, type) and issubclass(each, StrEnum) and each is not StrEnum
    ],
    ids=lambda words: str(words.__name__),
)
def test_words_that_automations_and_translations_use(words: type[StrEnum]) -> None:
    """They are the members' names; another word would break what users have."""
    assert [str(word) for word in words] == [word.name.lower() for word in words]


@pytest.mark.parametrize(
    ("response_type", "status"),
    [
        (-1, UssdStatus.UNKNOWN),
        (0, UssdStatus.DONE),
        (1, UssdStatus.REPLY_EXPECTED),
        (2, UssdStatus.ENDED_BY_NETWORK),
        (3, UssdStatus.ANSWERED_ELSEWHERE),
        (4, UssdStatus.NOT_SUPPORTED),
        (5, UssdStatus.NETWORK_TIMEOUT),
        (6, UssdStatus.UNKNOWN),
        (7, UssdStatus.UNKNOWN),
    ],
)
def test_what_the_network_answers_to_ussd(
    response_type: int, status: UssdStatus
) -> None:
    """The numbers are those of 3GPP TS 27.007, +CUSD."""
    assert UssdReply(1, response_type, 15, "").status is status


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


def test_a_span_that_was_not_read() -> None:
    """It's unknown, and all the rest of it None or empty."""
    known = {name: value for name, value in vars(Span(3)).items() if value}

    assert known == {
        "number": 3,
        "status": SpanStatus.UNKNOWN,
        "network_status": NetworkStatus.UNKNOWN,
    }


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
