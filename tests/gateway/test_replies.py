"""What the commands of the gateway's command line print, and how it is read."""

from collections.abc import Callable
import json
from pathlib import Path
import time
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.openvox_gsm.ami import Packet
from custom_components.openvox_gsm.gateway import bounds, commands, replies
from custom_components.openvox_gsm.gateway.model import (
    NetworkStatus,
    SendFailure,
    Span,
    SpanStatus,
    UssdFailure,
    UssdReply,
    UssdStatus,
    Work,
)
from custom_components.openvox_gsm.gateway.receiving.steps import Steps

DATA = Path(__file__).parents[1] / "data"
RECORDINGS = DATA / "recorded-2.0.8"
DIALECTS = ["1.8", "14-and-later"]


def outputs(dialect: str) -> dict[str, str]:
    """Return what the commands of a wire sample print; of equal ones the first."""
    exchanges = json.loads((DATA / f"wire-asterisk-{dialect}.json").read_text("utf-8"))
    found: dict[str, str] = {}
    for exchange in exchanges:
        command = Packet(exchange["sent"].encode()).get("Command")
        if command:
            raw = exchange["received_latin1"].encode("latin-1")
            found.setdefault(command, Packet(raw.removesuffix(b"\r\n\r\n")).output)
    return found


@pytest.fixture(params=DIALECTS)
def printed(request: pytest.FixtureRequest) -> dict[str, str]:
    """What the commands of a wire sample print."""
    return outputs(request.param)


# Spans


def test_the_list_of_spans(printed: dict[str, str]) -> None:
    """It tells numbers and statuses."""
    spans = replies.read_span_list(printed[commands.SHOW_SPANS])

    assert {number: span.status for number, span in spans.items()} == {
        1: SpanStatus.READY,
        2: SpanStatus.NO_SIM,
        3: SpanStatus.READY,
    }
    assert spans[1].number == 1
    assert spans[1].status_text == "Power on, Provisioned, Up, Active, Standard"
    assert spans[1].csq is None


def test_lines_that_are_not_a_span() -> None:
    """They are passed over."""
    output = "\nNo GSM spans\nGSM span x: Up\n  GSM span 4: Up\r\nGSM span 5:\n"
    spans = replies.read_span_list(output)

    assert {number: span.status for number, span in spans.items()} == {
        4: SpanStatus.READY,
        5: SpanStatus.UNKNOWN,
    }


def test_a_span(printed: dict[str, str]) -> None:
    """Everything that the gateway prints about it."""
    span = replies.read_span(1, printed[commands.show_span(1)])

    assert span
    lines = span.lines
    assert span == Span(
        number=1,
        status=SpanStatus.READY,
        status_text="Power on, Provisioned, Up, Active, Standard",
        state_text="READY",
        network_status=NetworkStatus.HOME,
        network_text="Registered (Home network)",
        operator="CHINA MOBILE",
        csq=20,
        bit_error_rate=0,
        post_dial_delay=7,
        answer_seizure_ratio=20,
        average_call_duration=12,
        sms_center="+8613800755500",
        manufacturer="SIMCOM_Ltd",
        model="SIMCOM_SIM840W",
        revision="1224B02SIM840W16",
        imei="860041020985601",
        imsi="460021180590501",
        lines=lines,
    )
    assert span.can_send
    assert span.signal_dbm == -73
    assert span.signal_percent == 65
    assert lines["SIM SMS Center Number"] == "+8613800755500"
    assert lines["Last event"] == "D-Channel Up"


def test_a_span_without_sim(printed: dict[str, str]) -> None:
    """The status comes before the state."""
    span = replies.read_span(2, printed[commands.show_span(2)])

    assert span
    assert span.status is SpanStatus.NO_SIM
    assert span.state_text == "SIM READY REQ"
    assert not span.can_send


@pytest.mark.parametrize("number", [9, 99])
def test_a_span_that_does_not_exist(printed: dict[str, str], number: int) -> None:
    """There are two ways in which the gateway says so."""
    assert replies.read_span(number, printed[commands.show_span(number)]) is None


def test_all_spans_of_the_open_driver(printed: dict[str, str]) -> None:
    """The answer is cut at the first NUL, and so is worth nothing."""
    assert replies.split_all_spans(printed[commands.SHOW_ALL_SPANS]) is None


def read_all_spans(output: str) -> dict[int, Span]:
    """Read each of the spans that were printed together."""
    return {
        number: span
        for number, block in (replies.split_all_spans(output) or {}).items()
        if (span := replies.read_span(number, block))
    }


SPAN_1 = "Status: Power on, Provisioned, Up, Active,Standard\nState: READY\n"
SPAN_2 = "Status: Power off, Down\n"


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_all_spans_of_later_firmware(line_end: str) -> None:
    """It is whole there."""
    output = (
        f"hello\n---Start Span 1---\n{SPAN_1}---End Span 1---\n\n"
        f"---Start Span 12---\n{SPAN_2}---End Span 12---\n"
    ).replace("\n", line_end)
    spans = read_all_spans(output)

    assert {number: span.status for number, span in spans.items()} == {
        1: SpanStatus.READY,
        12: SpanStatus.POWER_OFF,
    }
    assert spans[12].number == 12
    assert spans[1].state_text == "READY"
    assert spans[12].state_text == ""


@pytest.mark.parametrize(
    "output",
    [
        "",
        "No such command",
        f"---Start Span 1---\n{SPAN_1}",
        f"---Start Span 1---\n{SPAN_1}---End Span 2---\n",
        f"{SPAN_1}---End Span 1---\n",
        f"---Start Span 1---\n{SPAN_1}---Start Span 2---\n{SPAN_2}---End Span 2---\n",
        f"---Start Span 1---\n{SPAN_1}---End Span 1---\n---Start Span 2---\n",
        "---Start Span 1---\n---End Span 1---\n",
        f"---Start Span 1---\n{SPAN_1}---End Span 1---\n"
        "---Start Span 2---\nNo GSM running on span 2\n---End Span 2---\n",
    ],
)
def test_all_spans_that_are_not_whole(output: str) -> None:
    """They then have to be read one by one."""
    assert replies.split_all_spans(output) is None


@pytest.mark.parametrize(
    ("status", "state", "expected"),
    [
        ("Power on, Provisioned, Up, Active, Standard", "READY", SpanStatus.READY),
        ("Power on, Provisioned, Up, Active,Standard", "READY", SpanStatus.READY),
        ("power on,up,active", "ready", SpanStatus.READY),
        ("Provisioned, Up, Active", "READY", SpanStatus.READY),  # older drivers
        ("Power on, Provisioned, Up, Active, Standard", "", SpanStatus.READY),
        ("Power on, Up, Active", "SMS SENDING", SpanStatus.BUSY),
        ("Power on, Up, Active", "SMS SENT", SpanStatus.BUSY),
        ("Power on, Up, Active", "USSD SENDING", SpanStatus.BUSY),
        ("Power on, Up, Active", "WAIT READY", SpanStatus.BUSY),
        ("Power on, Up, Active", "INIT 3", SpanStatus.BUSY),
        ("Power on, Up, Active", "INITIAL 3", SpanStatus.BUSY),
        ("Power on, Up, Active", "NET SEARCHING", SpanStatus.BUSY),
        ("Power on, Up, Active", "SIM CHECKING", SpanStatus.BUSY),
        ("Power on, Up, Active", "UIM CHECKING", SpanStatus.BUSY),
        ("Power on, Up, Active", "SIM PIN REQ", SpanStatus.PIN_ERROR),
        ("Power on, Up, Active", "SIM PUK REQ", SpanStatus.PIN_ERROR),
        ("Power on, Up, Active", "SIM READY REQ", SpanStatus.BUSY),
        ("Power on, Up, Active", "NET REQ", SpanStatus.BUSY),
        ("Power on, Up, Active", "IMSI REQ", SpanStatus.BUSY),
        ("Power on, Up, Active", "SOMETHING NEW REQ", SpanStatus.BUSY),
        ("Power on, Up, Active", "UP", SpanStatus.BUSY),
        ("Power on, Up, Active", "UIM READY REQ", SpanStatus.BUSY),
        ("Power on, Up, Active", "UIM PIN REQ", SpanStatus.PIN_ERROR),
        ("Power on, Up, Active", "UIM PUK REQ", SpanStatus.PIN_ERROR),
        ("Power on, Up, Active", "DOWN", SpanStatus.DOWN),
        ("Power on, Up, Active", "SOMETHING NEW", SpanStatus.UNKNOWN),
        (
            "Power on, Up, Active",
            "CALL ACTIVE Called from 13632919026 00:01:12",
            SpanStatus.IN_CALL,
        ),
        (
            "Power on, Up, Active",
            "RING Called from 13632919026",
            SpanStatus.IN_CALL,
        ),
        ("Power on, Up, Active", "RINGING Called from 10086", SpanStatus.IN_CALL),
        ("Power on, Up, Active", "RING", SpanStatus.IN_CALL),
        ("Power on, Up, Active", "PRE ANSWER Called from 1", SpanStatus.IN_CALL),
        ("Power on, Up, Active", "CALL PROGRESS Called to 1", SpanStatus.IN_CALL),
        ("Power on, Up, Active", "HANGUP REQ", SpanStatus.IN_CALL),
        ("Power on, Up, Active", "HANGUP ", SpanStatus.IN_CALL),
        ("Power on, Up, Standby", "READY", SpanStatus.DOWN),
        ("Power on, Provisioned, Down, Active", "DOWN", SpanStatus.DOWN),
        ("Power on, Provisioned, No Signal, Active", "READY", SpanStatus.NO_SIGNAL),
        ("Power on, Undetected SIM Card, Active", "READY", SpanStatus.NO_SIM),
        ("Power on, Provisioned, In Alarm, Up, Active", "READY", SpanStatus.READY),
        ("Power on, Provisioned, In Alarm, Up, Active", "SMS SENT", SpanStatus.BUSY),
        ("Power on, Provisioned, In Alarm, Down, Active", "DOWN", SpanStatus.ALARM),
        ("Power on, Provisioned, Block, Active, Standard", "READY", SpanStatus.LOCKED),
        ("Power on, Provisioned, Block", "READY", SpanStatus.LOCKED),
        ("Power on, Pin (1234) Error, Active", "READY", SpanStatus.PIN_ERROR),
        ("Power off, Provisioned, In Alarm, Down", "READY", SpanStatus.POWER_OFF),
        ("Power on, Provisioned, Active", "READY", SpanStatus.UNKNOWN),
        ("Something new", "READY", SpanStatus.UNKNOWN),
        ("", "", SpanStatus.UNKNOWN),
    ],
)
def test_statuses(status: str, state: str, expected: SpanStatus) -> None:
    """One word is made of two lists of words."""
    span = replies.read_span(1, f"Status: {status}\nState: {state}")

    assert span
    assert span.status is expected
    assert span.can_send is (expected is SpanStatus.READY)
    assert span.state_text == state.strip()


@pytest.mark.parametrize(
    ("limit", "status", "able"),
    [
        ("No Limit", SpanStatus.READY, {Work.SMS, Work.CALL, Work.USSD}),
        ("Marked", SpanStatus.READY, {Work.SMS, Work.CALL, Work.USSD}),
        ("", SpanStatus.READY, {Work.SMS, Work.CALL, Work.USSD}),
        ("Sms", SpanStatus.SMS_LIMIT, {Work.CALL, Work.USSD}),
        ("Call, Marked", SpanStatus.CALL_LIMIT, {Work.SMS, Work.USSD}),
        ("Call, Sms", SpanStatus.SMS_LIMIT, {Work.USSD}),
        ("Call,Sms,Locked,Marked", SpanStatus.LOCKED, set()),
    ],
)
def test_limits(limit: str, status: SpanStatus, able: set[Work]) -> None:
    """Each keeps the span from what it limits."""
    span = replies.read_span(1, f"Status: Up\nState: READY\nLimit: {limit}")

    assert span
    assert span.status is status
    assert {work for work in Work if span.can_do(work)} == able


@pytest.mark.parametrize(
    ("status", "state", "imsi", "expected"),
    [
        ("Pin (undefined) Error", "SIM PIN REQ", "", SpanStatus.PIN_ERROR),
        ("Pin (undefined) Error", "NET REQ", "460021180590484", SpanStatus.NO_SIGNAL),
        ("Undetected SIM Card", "SIM READY REQ", "", SpanStatus.NO_SIM),
        ("Undetected SIM Card", "NET REQ", "460021180590484", SpanStatus.NO_SIGNAL),
        ("Undetected SIM Card", "NET REQ", "", SpanStatus.NO_SIM),
    ],
)
def test_a_status_that_is_outdated(
    status: str, state: str, imsi: str, expected: SpanStatus
) -> None:
    """As recorded: the driver never forgets a missing SIM or a wrong PIN."""
    span = replies.read_span(
        4,
        f"Status: Power on, Provisioned, {status}, Active, Standard\n"
        f"State: {state}\nSIM IMSI: {imsi}",
    )

    assert span
    assert span.status is expected


@pytest.mark.parametrize(
    ("status", "network", "expected"),
    [
        ("Undetected SIM Card", "Registered (Home network)", NetworkStatus.UNKNOWN),
        ("Pin (undefined) Error", "Registered (Home network)", NetworkStatus.UNKNOWN),
        ("Down", "Registered (Home network)", NetworkStatus.UNKNOWN),
        ("Down", "Searching", NetworkStatus.SEARCHING),
        ("Down", "Registration denied", NetworkStatus.DENIED),
    ],
)
def test_what_is_outdated_without_sim_or_network(
    status: str, network: str, expected: NetworkStatus
) -> None:
    """The driver goes on showing what it knew before."""
    span = replies.read_span(
        4,
        f"Status: Power on, Provisioned, {status}, Active\nState: DOWN\n"
        "Network Name: CHINA MOBILE\nSignal Quality (0,31): 20\n"
        f"BER value (0,7): 0\nNetwork Status: {network}",
    )

    assert span
    assert (span.operator, span.csq, span.bit_error_rate) == ("", None, None)
    assert span.network_status is expected
    assert span.registered is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Not registered", NetworkStatus.NOT_REGISTERED),
        ("Registered (Home network)", NetworkStatus.HOME),
        ("registered (home network)", NetworkStatus.HOME),
        ("Searching", NetworkStatus.SEARCHING),
        ("Registration denied", NetworkStatus.DENIED),
        ("Unknown", NetworkStatus.UNKNOWN),
        ("Registered (Roaming)", NetworkStatus.ROAMING),
        ("Registered", NetworkStatus.REGISTERED),
        ("Unknown Network Status", NetworkStatus.UNKNOWN),
        ("Something new", NetworkStatus.UNKNOWN),
        ("", NetworkStatus.UNKNOWN),
    ],
)
def test_network_statuses(text: str, expected: NetworkStatus) -> None:
    """The word itself is kept."""
    span = replies.read_span(1, f"Status: Up\nNetwork Status: {text}")

    assert span
    assert span.network_status is expected
    assert span.network_text == text


@pytest.mark.parametrize(
    ("value", "csq", "dbm", "percent"),
    [
        ("0", 0, -113, 0),
        ("1", 1, -111, 3),
        ("16", 16, -81, 52),
        ("31", 31, -51, 100),
        ("32", None, None, None),
        ("99", None, None, None),
        ("-1", None, None, None),
        ("", None, None, None),
        ("good", None, None, None),
        ("9" * 5000, None, None, None),
    ],
)
def test_signal(
    value: str, csq: int | None, dbm: int | None, percent: int | None
) -> None:
    """It's on the scale of +CSQ."""
    span = replies.read_span(1, f"Status: Up\nSignal Quality (0,31): {value}")

    assert span
    assert (span.csq, span.signal_dbm, span.signal_percent) == (csq, dbm, percent)


@pytest.mark.parametrize(
    ("value", "rate"), [("0", 0), ("7", 7), ("8", None), ("-1", None), ("99", None)]
)
def test_bit_error_rate(value: str, rate: int | None) -> None:
    """It's on a scale of its own."""
    span = replies.read_span(1, f"Status: Up\nBER value (0,7): {value}")

    assert span
    assert span.bit_error_rate == rate


@pytest.mark.parametrize(
    ("value", "amount"),
    [("0", 0), ("120", 120), ("-1", None), ("", None), ("x", None), ("9" * 5000, None)],
)
def test_call_statistics(value: str, amount: int | None) -> None:
    """Numbers, where they are any."""
    span = replies.read_span(1, f"Status: Up\nPDD: {value}\nASR: {value}\nACD: {value}")

    assert span
    assert span.post_dial_delay == amount
    assert span.answer_seizure_ratio == amount
    assert span.average_call_duration == amount


@pytest.mark.parametrize(
    ("value", "number"), [("+4915112345678", "+4915112345678"), ("Undefined", "")]
)
def test_numbers(value: str, number: str) -> None:
    """What has no digits is none; and they are not shown by chance."""
    span = replies.read_span(
        1, f"Status: Up\nOwn Number: {value}\nSIM SMS Center Number: {value}"
    )

    assert span
    assert (span.own_number, span.sms_center) == (number, number)
    assert "4915" not in repr(span)


def test_what_is_not_told_is_unknown() -> None:
    """Firmware drops lines."""
    assert replies.read_span(7, "Status: Up") == Span(
        number=7, status=SpanStatus.READY, status_text="Up", lines={"Status": "Up"}
    )


def test_what_nobody_knows_is_kept() -> None:
    """Firmware adds lines, whose values may hold colons; the first of two counts."""
    span = replies.read_span(
        1,
        "Status: Up\r\nOwn Number: +491\r\nRemain Time: 10:20:30\r\n"
        "Remain Time: 0\r\n: nothing\r\nnothing\r\n Model CBAND : 3 \r\n",
    )

    assert span
    assert dict(span.lines) == {
        "Status": "Up",
        "Own Number": "+491",
        "Remain Time": "10:20:30",
        "Model CBAND": "3",
    }
    with pytest.raises(TypeError):
        span.lines["Status"] = "Down"  # type: ignore[index]


READERS: list[Callable[[str], Any]] = [
    lambda output: replies.read_span(1, output),
    lambda output: read_all_spans(output).get(1),
    lambda output: replies.read_span_list(output).get(1),
]


@pytest.mark.parametrize("read", READERS, ids=["span", "all", "list"])
@pytest.mark.parametrize(
    "status",
    [
        "Power on, Pin (1234) Error, Active",
        "Power on, PIN(1234)Error, Active",
        "Power on, Pin (12)34) Error, Active",
        "Power on, Pin (1234, Active) Error",
        "Power on, Pin ( 1234 ), Active",
        "Power on, Pin (1234",
    ],
)
def test_a_pin_is_kept_nowhere(read: Callable[[str], Any], status: str) -> None:
    """The gateway shows it in clear, in a status and perhaps elsewhere."""
    span = read(
        f"GSM span 1: {status}\n---Start Span 1---\nStatus: {status}\n"
        f"State: SIM PIN REQ\nSIM PIN: 1234\nPIN2: 1234\nOther: {status}\n"
        'Last send AT: AT+CPIN="1234"\\r\\n\nLast receive AT: 1234\n---End Span 1---\n'
    )

    assert span
    assert "34" not in repr(span)
    assert "34" not in span.status_text
    assert "34" not in repr(dict(span.lines))
    assert "Pin" in span.status_text or "PIN" in span.status_text


def test_the_pin_in_a_status_leaves_a_word() -> None:
    """It reads as if it had never stood there."""
    span = replies.read_span(1, "Status: Power on, Pin (1234) Error, Active, Standard")

    assert span
    assert span.status_text == "Power on, Pin Error, Active, Standard"
    assert span.lines["Status"] == span.status_text


# Sending SMS


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (
            'gsm send sync sms 1 +4915112345678 "hello \\"you\\"" 20',
            (replies.SmsReply.SENT, ""),
        ),
        (
            'gsm send sync csms 1 +4915112345678 "part one" 7 2 1 20 msg-7',
            (replies.SmsReply.SENT, ""),
        ),
        (
            'gsm send sync sms 1 ++49 "bad number" 20',
            (replies.SmsReply.REFUSED, "The number cannot be encoded"),
        ),
        (
            "gsm send sync sms 1 123",
            (
                replies.SmsReply.REFUSED,
                "The gateway does not know this form of the command",
            ),
        ),
        (
            "gsm show span 9",
            (replies.SmsReply.REFUSED, "No GSM running on span 9"),
        ),
        (
            "no such command",
            (
                replies.SmsReply.REFUSED,
                "The gateway does not know this form of the command",
            ),
        ),
    ],
)
def test_the_samples_of_sending(
    printed: dict[str, str], command: str, reply: tuple[replies.SmsReply, str]
) -> None:
    """In both dialects."""
    assert replies.read_sms_reply(printed[command]) == reply


def recorded_spans(name: str) -> list[str]:
    """Return what ``gsm show span`` printed in a recording, in order."""
    wire = json.loads((RECORDINGS / name).read_text("utf-8"))["wire"]
    return [
        text.partition("Privilege: Command\r\n")[2].partition("--END COMMAND--")[0]
        for _, side, text in wire
        if side == "gateway" and "\nLast event:" in text
    ]


def test_a_refusal_before_the_prompt_as_recorded() -> None:
    """After a failure the last command is the SMS, after a refusal the module rests."""
    seen = recorded_spans("10-sync-sms-a.json")
    lasts = [output.rpartition("Last send AT: ")[2] for output in seen]
    refused = [replies.is_refused_before_prompt(output) for output in seen]
    assert any(refused)
    for output, last, is_refused in zip(seen, lasts, refused, strict=True):
        at_rest = "State: READY" in output
        assert is_refused is (at_rest and last.startswith("AT+CMGS="))


@pytest.mark.parametrize(
    ("state", "last", "refused"),
    [
        ("READY", r"AT+CMGS=33\r\n", True),
        ("READY", "AT+CMGS=33", True),
        ("READY", "AT+CMGS=33\0\0", True),
        ("READY", r"AT+CMGS=33 \r\n", True),
        ("SMS SENDING", r"AT+CMGS=33\r\n", False),
        ("READY", "0031000B813136929120F600000005E6709A3D07\x1a", False),
        ("READY", r"AT+CSQ\r\n", False),
        ("READY", "", False),
    ],
)
def test_a_refusal_before_the_prompt(state: str, last: str, refused: bool) -> None:
    """Only a module at rest that never had the text has certainly refused it."""
    output = f"Status: Up\nState: {state}\nLast send AT: {last}\nLast receive AT: "
    assert replies.is_refused_before_prompt(output) is refused


def test_a_span_does_not_contain_what_was_sent_last() -> None:
    """The line may be the last SMS."""
    for output in recorded_spans("10-sync-sms-a.json"):
        span = replies.read_span(1, output)
        assert span
        assert not any("Last send" in key for key in span.lines)
        assert "CMGS" not in str(dict(span.lines))


@pytest.mark.parametrize("kind", ["SMS", "CONCATENATED SMS"])
@pytest.mark.parametrize("first", ["", "ID:ha12 ", "\n", "\r\n  "])
@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("PHONE:13632919026 SUCCESSFULLY", replies.SmsReply.SENT),
        ("PHONE:13632919026 WAS FAILED", replies.SmsReply.FAILED),
        ("PHONE:13632919026 TIMEOUT", replies.SmsReply.TIMED_OUT),
        ("PHONE 13632919026 WAS USING", replies.SmsReply.BUSY),
        ("PHONE 13632919026 ENCODE PDU FAIL", replies.SmsReply.REFUSED),
    ],
)
def test_replies(first: str, kind: str, words: str, reply: replies.SmsReply) -> None:
    """With and without an ID, a colon, and other line ends."""
    output = f"{first}SPAN:1 SEND {kind} TO {words}\r\n"

    assert replies.read_sms_reply(output)[0] is reply


@pytest.mark.parametrize(
    "reason",
    [
        "SMS message too short.",
        "SMS message too long.",
        "Destination number too short.",
        "Destination number too long.",
        "Only support ASCII on text mode",
        "Send concatenated SMS can't support text mode, please use pdu mode",
        "No GSM running on span 9",
        "No dchannel running on span 9",
        "Invalid span '99'.  Should be a number from 1 to 32",
    ],
)
def test_refusals(reason: str) -> None:
    """The gateway's own words, without the line that repeats the command."""
    command = 'gsm send sync sms 9 +491 "secret" 20'
    output = f"{reason}\nCommand '{command}' failed.\n"

    assert replies.read_sms_reply(output) == (replies.SmsReply.REFUSED, reason)


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("SUCCESSFULLY", replies.SmsReply.SENT),
        ("WAS FAILED", replies.SmsReply.FAILED),
        ("TIMEOUT", replies.SmsReply.TIMED_OUT),
        ("WAS USING", replies.SmsReply.BUSY),
        ("ENCODE PDU FAIL", replies.SmsReply.REFUSED),
    ],
)
@pytest.mark.parametrize("more", ["SUCCESSFULLY", "WAS FAILED"])
def test_the_first_reply_counts(words: str, reply: replies.SmsReply, more: str) -> None:
    """What comes behind it may belong to something else."""
    line = "SPAN:1 SEND SMS TO PHONE:+491"
    assert replies.read_sms_reply(f"{line} {words}\n{line} {more}")[0] is reply


@pytest.mark.parametrize(
    "output",
    [
        "",
        "Something new",
        "SPAN:1 SEND SMS TO PHONE:+491 IS FINE",
        "Command 'gsm send sync sms 1 +491 \"x\" 20' failed.",
    ],
)
def test_words_that_nobody_knows(output: str) -> None:
    """The message may have gone out; and they are not shown."""
    assert replies.read_sms_reply(output) == (replies.SmsReply.TIMED_OUT, "")


@pytest.mark.parametrize(
    "text",
    [
        "SPAN:1 SEND SMS TO PHONE:+491 SUCCESSFULLY",
        "x\u2028SPAN:1 SEND SMS TO PHONE:+491 SUCCESSFULLY",
        "x\x85SPAN:1 SEND SMS TO PHONE:+491 SUCCESSFULLY",
        "Usage: none",
        "SMS message too short.",
    ],
)
@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("SMS message too long.", replies.SmsReply.REFUSED),
        ("SPAN:1 SEND SMS TO PHONE +491 WAS USING", replies.SmsReply.BUSY),
        ("Something new", replies.SmsReply.TIMED_OUT),
    ],
)
def test_a_text_that_reads_as_a_reply(
    text: str, words: str, reply: replies.SmsReply
) -> None:
    """The gateway repeats it when a command fails."""
    command = commands.send_sms(1, "+491", text, timeout=20)
    for output in (
        f"{words}\nCommand '{command}' failed.\n",
        f"Command '{command}' failed.\n{words}\n",
    ):
        assert replies.read_sms_reply(output)[0] is reply


def test_a_reason_holds_neither_number_nor_text() -> None:
    """It goes to the user, and to the log."""
    for output in (
        "SPAN:1 SEND SMS TO PHONE ++4912345 ENCODE PDU FAIL\n",
        "SMS message too long.\nCommand 'gsm … ++4912345 \"hello\"' failed.",
        "SPAN:1 SEND SMS TO PHONE:++4912345 WAS FAILED hello\n",
    ):
        _, detail = replies.read_sms_reply(output)
        assert "12345" not in detail
        assert "hello" not in detail


# USSD


def test_the_sample_of_ussd(printed: dict[str, str]) -> None:
    """A menu of several lines, one of which looks like a header."""
    reply = replies.read_ussd_reply(1, printed["gsm send ussd 1 *100# 10"])

    assert reply == UssdReply(
        span=1,
        response_type=1,
        coding=15,
        text="Your balance is 12.50\n\nReply: 1 for more",
    )
    assert reply.status is UssdStatus.REPLY_EXPECTED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one line", "one line"),
        ("first\nsecond\n\nfourth", "first\nsecond\n\nfourth"),
        ("first\r\nsecond\r\n", "first\nsecond"),
        ("\r\n indented \r\n", " indented "),
        ("Text:Text:", "Text:Text:"),
        ("0:Send USSD failed on span 1", "0:Send USSD failed on span 1"),
        ("Usage: dial *100#", "Usage: dial *100#"),
        (
            "1:Recive USSD on span 2,responses:0,code:0",
            "1:Recive USSD on span 2,responses:0,code:0",
        ),
        ("--END COMMAND--", "--END COMMAND--"),
        ("您的余额为12.50元", "您的余额为12.50元"),
        ("", ""),
    ],
)
def test_texts_of_ussd(text: str, expected: str) -> None:
    """They may hold anything, up to the end of the output."""
    output = f"1:Recive USSD on span 1,responses:0,code:72\nText:{text}\n"

    assert replies.read_ussd_reply(1, output) == UssdReply(1, 0, 72, expected)


@given(st.text(st.characters(exclude_characters="\r\n")))
def test_any_line_of_ussd(text: str) -> None:
    """It comes as it is."""
    output = f"1:Recive USSD on span 1,responses:2,code:-1\nText:{text}"

    assert replies.read_ussd_reply(1, output) == UssdReply(1, 2, -1, text)


@pytest.mark.parametrize("spelling", ["sucess", "success"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_form_of_ussd_before_may_2013(spelling: str, line_end: str) -> None:
    """The text goes to the end, whatever it contains."""
    lines = [
        f"1:Recive USSD {spelling} on span 3",
        "\tUSSD Responses:1",
        "\tUSSD Code:15",
        "\tUSSD Message:1 Balance",
        "USSD Message:2 Offers",
        "",
    ]
    reply = replies.read_ussd_reply(3, line_end.join(lines))
    assert reply == UssdReply(3, 1, 15, "1 Balance\nUSSD Message:2 Offers")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("0:Send USSD timeout on span 1(110)\n", True),
        ("0:Send USSD failed on span 1\n", False),
        (
            "1:Recive USSD on span 1,responses:0,code:15\nText:0:Send USSD timeout",
            False,
        ),
        ("", False),
    ],
)
def test_a_time_out_of_ussd(output: str, expected: bool) -> None:
    """Words that nobody knows are none, though they count as one."""
    assert replies.is_ussd_time_out(output) is expected


def test_firmware_that_spells_correctly() -> None:
    """And that writes a blank, or a line end of its own."""
    output = "\r\n1:Receive USSD on span 1, responses: 4, code: 0\r\nText:no"
    reply = replies.read_ussd_reply(1, output)

    assert isinstance(reply, UssdReply)
    assert reply.status is UssdStatus.NOT_SUPPORTED
    assert reply.text == "no"


@pytest.mark.parametrize(
    ("output", "failure"),
    [
        ("0:Send USSD failed on span 1", UssdFailure.FAILED),
        ("0:Send USSD timeout on span 1(110)", UssdFailure.TIMED_OUT),
        (
            "0:Send USSD timeout on span 1(110)\n0:Send USSD failed on span 1",
            UssdFailure.TIMED_OUT,
        ),
        ("0:Sending USSD now on span 1", SendFailure.BUSY),
        ("\r\n 0:Sending USSD now on span 1\r\n", SendFailure.BUSY),
        ("No GSM running on span 9", SendFailure.NO_SUCH_SPAN),
        ("No dchannel running on span 9", SendFailure.NO_SUCH_SPAN),
        ("Invalid span '99'.  Should be a number", SendFailure.NO_SUCH_SPAN),
        ("Usage: gsm send ussd <span> <message>", UssdFailure.REFUSED),
        ("No such command 'gsm send ussd'", UssdFailure.REFUSED),
        ("Something new", UssdFailure.TIMED_OUT),
        ("", UssdFailure.TIMED_OUT),
        (
            "Something new\nCommand 'gsm send ussd 1 \"0:Send USSD failed\" 10' failed.",
            UssdFailure.TIMED_OUT,
        ),
    ],
)
def test_ussd_that_brings_no_answer(
    output: str, failure: UssdFailure | SendFailure
) -> None:
    """Each has its own reason."""
    assert replies.read_ussd_reply(1, output) == failure


# Power


@pytest.mark.parametrize(
    ("output", "succeeded"),
    [
        ("Power on span 4 sucessed", True),
        ("Power off span 4 sucessed\n", True),
        ("Reset power on span 4 success", True),
        ("Unable to power on span 4", False),
        ("Power off span 4 failed", False),
        ("", False),
    ],
)
def test_whether_power_was_switched(output: str, succeeded: bool) -> None:
    """The gateway spells it in two ways."""
    assert replies.power_succeeded(output) is succeeded


# What firmware and rights allow


def test_unknown_commands_and_usages(printed: dict[str, str]) -> None:
    """They aren't taken for what a command prints when all is well."""
    assert replies.is_unknown_command(printed["no such command"])
    assert not replies.is_unknown_command(printed[commands.SHOW_VERSION])
    assert replies.is_usage(printed[commands.HELP_SEND_SMS])
    assert replies.is_usage("\n  Usage: gsm show spans")
    assert not replies.is_usage(printed["no such command"])


def test_the_version_of_the_driver(printed: dict[str, str]) -> None:
    """It is empty if the gateway does not print it."""
    assert replies.read_driver_version(printed[commands.SHOW_VERSION]) == "2.0.8"
    assert replies.read_driver_version(printed["no such command"]) == ""
    assert replies.read_driver_version("libgsmat version:") == ""
    assert replies.read_driver_version(f"version: {300 * '2'}") == 255 * "2"


def test_the_list_of_commands() -> None:
    """A command counts by whole words, from the beginning of its line."""
    output = (
        "           gsm send sync csms  Send long SMS\n"
        "            gsm send sync sms  Send SMS on a given GSM span\r\n"
        "see also gsm power on\n"
    )
    assert replies.has_command(output, "gsm send sync csms")
    assert replies.has_command(output, "gsm send sync sms")
    assert not replies.has_command(output, "gsm send sync sm")
    assert not replies.has_command(output, "gsm send ussd")
    assert not replies.has_command(output, "gsm power on")
    assert not replies.has_command("", "gsm")


def test_the_arguments_in_a_usage(printed: dict[str, str]) -> None:
    """In order, without their brackets."""
    assert list(replies.read_usage(printed[commands.HELP_SEND_SMS])) == [
        "span",
        "destination",
        "message",
        "timeout",
        "id",
    ]


@pytest.mark.parametrize(
    ("usage", "arguments"),
    [
        ("Usage: gsm x <a> [ b ]", ["a", "b"]),
        ("\n  Usage: gsm x <a> [<flash> [id]]", ["a", "flash", "id"]),
        ("Usage: gsm x", []),
        ("gsm x <a>", []),
        ("", []),
    ],
)
def test_arguments(usage: str, arguments: list[str]) -> None:
    """Whatever brackets stand around them."""
    assert replies.read_usage(usage) == tuple(arguments)


def test_rights(printed: dict[str, str]) -> None:
    """The word that Asterisk 1.8 adds to every list tells nothing."""
    output = printed["manager show user admin"]
    read = replies.read_rights(output, "read")
    write = replies.read_rights(output, "write")

    assert read
    assert write
    assert "dialplan" in read
    assert "command" not in read
    assert "command" in write
    assert "dialplan" not in write
    assert "all" not in read | write
    assert len(read) == 11
    assert len(write) == 10


@pytest.mark.parametrize(
    ("output", "rights"),
    [
        ("read perm: system, call\r\n", {"system", "call"}),
        ("read perm: \nwrite perm: command\n", set()),
        ("read perm:\n", set()),
        ("read perm: all", set()),
        ("write perm: system", None),
        ("There is no manager called x", None),
        ("", None),
    ],
)
def test_rights_that_are_few_or_not_told(output: str, rights: set[str] | None) -> None:
    """No right is something else than not to know."""
    assert replies.read_rights(output, "read") == rights


# Anything at all

ODD_OUTPUT = st.lists(
    st.one_of(
        st.text(),
        st.sampled_from(
            [
                *("\n", "\r\n", ": ", "Status: Up", "Status:", "State: ", "Pin ("),
                *("GSM span ", "---Start Span 1---", "---End Span 1---", "99999999"),
                *("SPAN:1 SEND SMS TO PHONE:", " SUCCESSFULLY", "Usage: <", "[", "]"),
                *("1:Recive USSD on span 1,responses:1,code:1", "Text:", "²", "٣"),
                *(
                    "ASR: ",
                    "Own Number: ",
                    "read perm: ",
                    "version: ",
                    "Signal Quality (0,31): ",
                    "9" * 5000,
                ),
            ]
        ),
    )
).map("".join)


@given(ODD_OUTPUT)
def test_no_output_raises(output: str) -> None:
    """A gateway may print what it likes."""
    for read in READERS:
        read(output)
    replies.read_sms_reply(output)
    replies.read_ussd_reply(1, output)
    replies.is_usage(output)
    replies.is_unknown_command(output)
    replies.has_command(output, "gsm send sync csms")
    replies.read_usage(output)
    replies.read_driver_version(output)
    replies.read_rights(output, "read")


# The dialplan

_STEPS = """\
[ Context 'gsm-1' created by 'pbx_config' ]
  'sms' =>          1. NoOp(SMS In)                               [pbx_config]
                    2. System(cd /x/ && lua sms_receive.lua "1" "${SMSSRC}") [pbx_config]
     [last]         3. Hangup()                                   [extensions.conf:12]
  '_.' =>           1. NoOp(${EXTEN})                             [pbx_config]

-= 2 extensions (4 priorities) in 1 context. =-
"""


def test_the_steps_of_an_extension_are_read() -> None:
    """Later versions of Asterisk name the file and the line."""
    assert replies.read_steps(_STEPS, "sms") == (
        "NoOp(SMS In)",
        'System(cd /x/ && lua sms_receive.lua "1" "${SMSSRC}")',
        "Hangup()",
    )


def test_a_pattern_stands_for_an_extension_that_is_not_there() -> None:
    """Asterisk lists every pattern that matches."""
    output = "  '_.' =>           1. NoOp(${SMSTXT})     [pbx_config]\n"
    assert replies.read_steps(output, "sms") == ("NoOp(${SMSTXT})",)


@pytest.mark.parametrize(
    "output",
    [
        "",
        "No such command 'dialplan show' (type 'core show help' for others)",
        "There is no existence of 'gsm-1' context\n",
        "There is no existence of sms@gsm-1 extension\n",
    ],
)
def test_steps_that_are_not_shown_are_unknown(output: str) -> None:
    """That isn't the same as an extension without steps that receive."""
    assert replies.read_steps(output, "sms") is None


def test_a_step_of_an_unnamed_extension() -> None:
    """It may be one of those for an SMS."""
    output = "                    2. Hangup()                 [pbx_config]\n"
    assert replies.read_steps(output, "sms") == ("Hangup()",)


@pytest.mark.parametrize(
    "step",
    [
        'System(wget -q "http://me:hunter2@192.0.2.7/in?key=s3cret&t=${SMSTXT}" &)',
        "System(curl -u me:hunter2 -d text=${SMSTXT} s3cret.example/in)",
        "Set(CURLOPT(proxy)=http://me:hunter2@s3cret/)",
    ],
)
def test_addresses_in_steps_are_left_out(step: str) -> None:
    """They may contain passwords."""
    output = f"  'sms' =>          1. {step}    [pbx_config]\n"
    (shown,) = replies.read_steps(output, "sms") or ()
    assert "hunter2" not in shown
    assert "s3cret" not in shown
    assert "192.0.2.7" not in shown
    assert ("${SMSTXT}" in shown) is ("${SMSTXT}" in step)


def test_numbers_in_steps_are_left_out() -> None:
    """A box may dial or text someone for each SMS."""
    output = "  'sms' =>          1. Dial(EXTRA/1/+4915112345678)    [pbx_config]\n"
    assert replies.read_steps(output, "sms") == ("Dial(EXTRA/1/…)",)


# As much as there may be


def _read_all(output: str) -> None:
    """Read an output in every way."""
    replies.read_span_list(output)
    replies.split_all_spans(output)
    replies.read_span(1, output)
    replies.read_sms_reply(output)
    replies.is_refused_before_prompt(output)
    replies.read_ussd_reply(1, output)
    replies.read_commands(output)
    Steps(replies.read_steps(output, "sms"))
    replies.read_usage(output)
    replies.read_driver_version(output)
    replies.read_rights(output, "read")


@pytest.mark.parametrize(
    "output",
    [
        " " * 100_000,
        "\n" * 100_000,
        "Status: " + "Pin ()" * 16_000,
        "Usage: <" + " " * 100_000,
        "  'sms' =>" + " " * 100_000,
        f"  'sms' => 1. System({'sms_receive.lua ' * 16_000}) [x]",
        "  'sms' => 1. NoOp(a)" + " [a)" * 25_000,
        "1:Recive USSD sucess on span 1" + "\n" * 100_000,
    ],
    ids=["spaces", "lines", "PINs", "usage", "step", "program", "ends", "USSD"],
)
def test_an_output_that_takes_long_to_read(output: str) -> None:
    """None does: whoever prints it would hold up all of Home Assistant."""
    begun = time.process_time()
    _read_all(output)
    assert time.process_time() - begun < 1


def test_more_spans_than_any_gateway_has() -> None:
    """Only one more is read, which shows that there are too many."""
    output = "\n".join(f"GSM span {number}: Up" for number in range(1, 9999))
    assert len(replies.read_span_list(output)) == bounds.MAX_SPANS + 1


def test_values_that_are_too_long() -> None:
    """The rest is left out, so that a state and the registry of devices can hold them."""
    long = "x" * 1000
    span = replies.read_span(
        1, f"Status: {long}\nState: {long}\nModel IMEI: {long}\n{long}: a"
    )
    assert span
    values = {span.status_text, span.state_text, span.imei, *list(span.lines)[3:]}
    assert values == {"x" * 255}
    [listed] = replies.read_span_list(f"GSM span 1: {long}").values()
    assert listed.status_text == "x" * 255
    assert replies.read_driver_version(f"version: {long}") == "x" * 255


def test_an_answer_of_a_network_that_is_too_long() -> None:
    """No network sends so much; what an honest one sends is whole."""
    reply = replies.read_ussd_reply(
        1, "1:Recive USSD on span 1,responses:0,code:15\nText:" + "x" * 5000
    )
    assert isinstance(reply, UssdReply)
    assert reply.text == "x" * 1024


def test_a_span_of_many_lines() -> None:
    """So many spans with so many lines would take a lot of memory."""
    output = "Status: Up\n" + "".join(f"{number}: 1\n" for number in range(1000))
    span = replies.read_span(1, output)
    assert span
    assert len(span.lines) == 100
