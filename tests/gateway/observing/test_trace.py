"""The trace of a conversation: its structure stays, and nothing private does."""

import asyncio
import contextlib
import json
import re
import time

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.openvox_gsm.ami import AmiError
from custom_components.openvox_gsm.gateway import Gateway, UssdError
from custom_components.openvox_gsm.gateway.observing.trace import MAX_LINES, Trace
from custom_components.openvox_gsm.gateway.receiving.pdu import PduError, decode_deliver
from simulator import Box, Dialect, Simulator

from tests.gateway.conftest import kinds_of_gateway, until
from tests.gateway.outcomes import MakeClient

PHONE = "+4915112345678"


def texts(trace: Trace) -> list[str]:
    """Return what a trace has, without its times."""
    return [str(text) for _, _, text in trace.wire()]


@kinds_of_gateway()
async def test_the_trace_shows_how_an_sms_came(
    gateway: Simulator, new_client: MakeClient, heard: object
) -> None:
    """The same number is the same stand-in wherever it stands."""
    client = new_client()
    await client.start()
    await gateway.receive_sms(1, PHONE, "The code is 4711")
    await client.sms.send(PHONE, "Thanks for it", timeout=5)
    trace = "".join(texts(client.observer.trace))
    assert "Variable: SMSTXT" in trace
    assert "Xxx xxxx xx 0000" in trace
    sender = re.search(r"Variable: SMSSRC\r\nValue: (\+[0-9]+)", trace)
    assert sender
    assert sender[1] != PHONE
    assert f'gsm send sync sms 1 {sender[1]} "Xxxxxx xxx xx" 5' in trace
    pdus = re.findall(r"\b[0-9A-F]{30,}\b", trace)
    assert decode_deliver(pdus[0]).sender == sender[1]


async def test_the_trace_shows_the_rest_of_a_packet_that_a_text_cut_in_two(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """Nothing in it says what it belongs to."""
    client = new_client()
    await client.start()
    await gateway.receive_sms(1, PHONE, "One\r\n\r\nTwo 22")
    await until(
        lambda: any(
            text.startswith("Xxx 00\r\nUniqueid: ")
            for text in texts(client.observer.trace)
        )
    )


@kinds_of_gateway()
async def test_polls_do_not_push_out_the_rest(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """Of a command that only reads, the last answer is enough."""
    client = new_client()
    await client.start()
    await client.spans.read()
    before = len(client.observer.trace.wire())
    for _ in range(3):
        await client.spans.read()
    assert len(client.observer.trace.wire()) == before


def test_what_has_nothing_to_do_with_spans_is_not_kept() -> None:
    """Such as the keepalive."""
    trace = Trace()
    trace.answered(b"Action: Ping\r\nActionID: 1\r\n\r\n", b"Response: Pong", 0.0)
    assert trace.wire() == []


@pytest.mark.parametrize("command", ["gsm show spans", 'gsm send ussd 2 "*100#"'])
def test_who_spoke_first(command: str) -> None:
    """Each line is told as soon as it's there: what was asked, then the answer."""
    told: list[str] = []
    trace = Trace(on_line=lambda _seconds, sender, _text: told.append(sender))
    trace.answered(
        f"Action: Command\r\nActionID: 1\r\nCommand: {command}".encode(),
        b"Response: Follows",
        0.0,
    )
    assert told == ["client", "gateway"]


@pytest.mark.parametrize(
    "sent",
    [
        "Action: Command\r\nActionID: 0123456789ab-1\r\nCommand: gsm power off 2",
        "Action: Originate\r\nActionID: 0123456789ab-1\r\nChannel: EXTRA/2-1",
        "Action: Hangup\r\nActionID: 0123456789ab-1\r\nChannel: EXTRA/2-1",
        "Action: CoreShowChannels\r\nActionID: 0123456789ab-1",
    ],
)
def test_an_action_without_an_answer(sent: str) -> None:
    """The answer is empty, so that it can be seen that there was none."""
    trace = Trace()
    trace.answered(f"{sent}\r\n\r\n".encode(), None, 0)
    assert [line[1:] for line in trace.wire()] == [
        ["client", f"{sent}\r\n\r\n"],
        ["gateway", ""],
    ]


def test_an_answer_ends_as_it_does_on_the_wire() -> None:
    """So a recording can be played."""
    trace = Trace()
    sent = b"Action: CoreShowChannels\r\nActionID: 0123456789ab-1\r\n\r\n"
    trace.answered(sent, b"Response: Success\r\nEventList: start", 0)
    assert texts(trace)[1] == "Response: Success\r\nEventList: start\r\n\r\n"


def test_the_trace_forgets_what_is_old() -> None:
    """It is a few hundred lines, whatever happens."""
    trace = Trace(max_lines=50)
    for number in range(100):
        trace.event(
            b"Event: Newstate\r\nPrivilege: call,all\r\nChannel: EXTRA/1-1\r\n"
            b"ChannelState: %d" % number
        )
    shown = texts(trace)
    assert sum(text.count("\n") for text in shown) == 50
    assert "ChannelState: 99" in shown[-1]


def test_long_lines_count_as_several() -> None:
    """So they can't fill the memory, either."""
    trace = Trace()
    for number in range(100):
        trace.event(
            b"Event: SMSSomething\r\nChannel: %d\r\nX: " % number + b"x" * 60_000
        )
    assert sum(map(len, texts(trace))) < 200_000


def test_an_answer_that_is_too_long_is_cut() -> None:
    """And what is left of it shows nothing private, though it lacks its end."""
    trace = Trace()
    sent = b"Action: Command\r\nActionID: 1\r\nCommand: gsm show span 1\r\n\r\n"
    output = b"Status: Pin (1234) Error\nSIM IMSI: 460021180590487\n" * 2000
    answer = b"Response: Follows\r\nPrivilege: Command\r\nActionID: 1\r\n" + output
    trace.answered(sent, answer + b"--END COMMAND--", 0)
    shown = "".join(texts(trace))
    assert 60_000 < len(shown) < 70_000
    assert "1234" not in shown
    assert "460021180590487" not in shown


@pytest.mark.parametrize(
    "line", ["Status: " + "(" * 60_000, "Status: )" + "(" * 60_000]
)
def test_an_answer_that_takes_long_to_mask(line: str) -> None:
    """None does: whoever sends it would hold up all of Home Assistant."""
    trace = Trace()
    sent = b"Action: Command\r\nActionID: 1\r\nCommand: gsm show span 1\r\n\r\n"
    answer = f"Response: Follows\r\nActionID: 1\r\n{line}--END COMMAND--".encode()
    begun = time.process_time()
    trace.answered(sent, answer, 0)
    trace.wire()
    assert time.process_time() - begun < 1


def test_answers_of_many_spans_that_take_long_to_mask() -> None:
    """The trace has the last ones, so that it's masked in no time."""
    trace = Trace()
    for span in range(1, 65):
        sent = b"Action: Command\r\nActionID: 1\r\nCommand: gsm show span %d\r\n\r\n"
        output = b"State: %d" % span + b"\n" * 60_000
        answer = b"Response: Follows\r\nActionID: 1\r\n" + output
        trace.answered(sent % span, answer + b"--END COMMAND--\r\n\r\n", 0)
    begun = time.process_time()
    shown = "".join(texts(trace))
    assert time.process_time() - begun < 2
    assert "State: 64\n" in shown
    assert "State: 60\n" not in shown


def test_an_answer_that_changed_last_stays_longest() -> None:
    """However long ago the same was asked for the first time."""
    trace = Trace()
    for number, span in enumerate([1, 2, 3, 4, 1, 5]):
        sent = f"Action: Command\r\nActionID: 1\r\nCommand: gsm show span {span}"
        output = f"State: {number}" + "\n" * 60_000
        answer = f"Response: Follows\r\nActionID: 1\r\n{output}--END COMMAND--"
        trace.answered(sent.encode(), answer.encode(), number)
    shown = "".join(texts(trace))
    asked = re.findall("gsm show span ([0-9])", shown)
    assert asked == ["3", "4", "1", "5"]


async def test_lines_are_logged_where_debug_logging_is_on(
    gateway: Simulator, new_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Without anything private, like the trace itself."""
    caplog.set_level("DEBUG", "custom_components.openvox_gsm")
    client = new_client()
    await client.start()
    await gateway.receive_sms(1, PHONE, "Geheimnis")
    await until(lambda: "Variable: SMSTXT" in caplog.text)
    assert "Geheimnis" not in caplog.text
    assert PHONE[1:] not in caplog.text


# Nothing private survives

_WORDS = st.from_regex(r"\A[A-Z][a-z]{6,10}qz\Z")
_NUMBERS = st.from_regex(r"\A[1-9][0-9]{8,13}\Z")
_PATTERNS = (
    *("{w}", "{n}", " {w} {n} ", '"{w}" "{n}"', "\\{w}\\", "`{w}`", "é{w}ß", "😀"),
    *("\r\n", "\n", "\r\n\r\n", "\r", "--END COMMAND--\r\n\r\n"),
    *("Event: {w}\r\n", "Event: VarSet\r\n", "Privilege: {w},all\r\n", "{w}: {w}\r\n"),
    *("Channel: EXTRA-SMS/1-1\r\n", "Channel: {w}\r\n", "Variable: {w}\r\n"),
    *("Value: {w}{n}\r\n", "Uniqueid: {n}.{n}\r\n", "Uniqueid: {w}-1.2\r\n"),
    *("Event: Newexten\r\n", "Application: {w}\r\n", "AppData: {w} {n}\r\n"),
    *("Status: {w}\r\n", "Last event: {w}\r\n", "State: {w} {n}\r\n", "Text:{w}\r\n"),
    *(
        "Response: {w}\r\n",
        "Message: {w} {n}\r\n",
        "Output: {w}\r\n",
        "Pin ({n}) Error",
    ),
    *("SPAN:1 SEND SMS TO PHONE:{n} {w}\r\n", "1:Recive USSD on span 1,responses:{n}"),
    *('process_sms "1" "{n}" "{w}" "{w}"', 'sms_receive.lua "1" "{w}"', "message={w}"),
    *("Command '{w} {n}' failed.\r\n", "Event: Sim{w}\r\n", "Event: SMS{w}\r\n"),
)


@st.composite
def hostile(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draw a text that looks like the gateway's own words, and its secrets."""
    word, number = draw(_WORDS), draw(_NUMBERS)
    pieces = draw(st.lists(st.sampled_from(_PATTERNS), min_size=1, max_size=8))
    text = "".join(pieces).replace("{w}", word).replace("{n}", number)
    return text[:150], [word, number]


def assert_nothing_survives(told: object, secrets: list[str]) -> None:
    """Look for secrets in the text, and in what its PDUs say."""
    text = json.dumps(told, ensure_ascii=False).lower()
    readable = [text]
    for pdu in re.findall(r"[0-9a-f]{20,}", text):
        with contextlib.suppress(PduError):
            decoded = decode_deliver(pdu)
            readable += decoded.text.lower(), decoded.sender
        readable.append(bytes.fromhex(pdu[: len(pdu) // 2 * 2]).decode("latin-1"))
        swapped = "".join(b + a for a, b in zip(pdu[::2], pdu[1::2], strict=False))
        readable.append(swapped)
    for secret in secrets:
        for each in readable:
            assert secret.lower() not in each


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("box", Box)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    received=hostile(),
    sent=hostile(),
    answered=hostile(),
    pin=_NUMBERS,
    slow=st.booleans(),
)
def test_nothing_private_survives(
    socket_enabled: None,
    box: Box,
    dialect: Dialect,
    received: tuple[str, list[str]],
    sent: tuple[str, list[str]],
    answered: tuple[str, list[str]],
    pin: str,
    slow: bool,
) -> None:
    """Texts that imitate packets, in both framings, from both boxes, byte by byte."""

    async def talk() -> None:
        async with Simulator(
            spans=3, box=box, dialect=dialect, sms_received=True
        ) as gateway:
            gateway.timeout_scale, gateway.retry_interval = 0.02, 0.01
            locked = gateway.spans[3]
            locked.status, locked.last_send_at = (
                f"Pin ({pin}) Error",
                f'AT+CPIN="{pin}"',
            )
            locked.imsi, locked.imei = pin[::-1], pin + "1"
            gateway.spans[1].ussd["*100#"] = answered[0] or "-"
            client = Gateway(
                gateway.host,
                gateway.port,
                "admin",
                "admin",
                on_part=lambda _part: None,
                on_connection=lambda _error: None,
            )
            await client.start()
            gateway.faults.slow_bytes = slow
            try:
                await gateway.receive_sms(1, received[1][1], received[0])
                await gateway.receive_sms(2, received[1][0][:11], received[0])
                await client.spans.read()
                await client.sms.send(
                    "+" + sent[1][1], f"({sent[0]})", span=1, timeout=5
                )
                with contextlib.suppress(UssdError):
                    await client.ussd.send(1, "*100#", timeout=3)
                with contextlib.suppress(AmiError):
                    await client.run_command(f"database get {sent[1][0]} {pin}")
                await asyncio.sleep(0.05)
            finally:
                await client.stop()
            told = [client.observer.trace.wire(), client.observer.seen.counts]
            secrets = [*received[1], *sent[1], *answered[1], pin, pin[::-1]]
            assert_nothing_survives(told, secrets)
            assert "Variable: SMSTXT" in json.dumps(told)

    asyncio.run(talk())


@given(hostile(), st.lists(st.integers(0, 400), max_size=3), st.booleans())
def test_nothing_private_survives_of_a_torn_event(
    text: tuple[str, list[str]], cuts: list[int], is_old: bool
) -> None:
    """Wherever the text ends the packet that contains it."""
    head = "Event: {}\r\nPrivilege: dialplan,all\r\nChannel: EXTRA-SMS/1-1\r\n"
    end = "\r\nUniqueid: 1795826789.27" if is_old else ""
    uniqueid = "" if is_old else "Uniqueid: 1795826789.27\r\n"
    packets = [
        head.format("VarSet")
        + uniqueid
        + f"Variable: SMSTXT\r\nValue: {text[0]}"
        + end,
        head.format("Newexten")
        + uniqueid
        + f"Application: NoOp\r\nAppData: {text[0]}"
        + end,
    ]
    stream = "\r\n\r\n".join(packets).encode("utf-8", "surrogatepass")
    trace = Trace()
    for piece in stream.split(b"\r\n\r\n"):
        trace.event(piece, is_torn=b"EXTRA" not in piece)
    assert_nothing_survives(trace.wire(), text[1])


def test_a_recording_has_no_limit() -> None:
    """It keeps more lines than what is kept for later."""
    trace = Trace(max_lines=None)
    for _ in range(MAX_LINES):
        trace.event(b"Event: ExtraReady\r\nChannel: 1")
    assert len(trace.wire()) == MAX_LINES
