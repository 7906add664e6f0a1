"""Whatever a gateway sends: nothing raises, nothing comes twice, nothing stays.

What packets, PDU and the output of commands alone may hold is tried in
`tests/ami/test_packet.py`, `tests/gateway/receiving/test_pdu.py` and `test_replies.py`; here it
meets those that make messages and calls of it.
"""

import asyncio
from datetime import UTC, datetime, timedelta
import re

from hypothesis import example, given, settings, strategies as st

from custom_components.openvox_gsm.ami import Packet, ProtocolError, Session
from custom_components.openvox_gsm.ami.packet import MAX_PACKET, PacketReader
from custom_components.openvox_gsm.gateway.calls.tracker import CallTracker
from custom_components.openvox_gsm.gateway.model import (
    CallEvent,
    IncomingSms,
    StatusReport,
)
from custom_components.openvox_gsm.gateway.receiving.assembly import (
    PARTS_TIMEOUT,
    Assembler,
)
from custom_components.openvox_gsm.gateway.receiving.inbox import MESSAGE_TIMEOUT, Inbox
from custom_components.openvox_gsm.gateway.receiving.pdu import (
    Coding,
    Concatenation,
    DeliverPdu,
)
from custom_components.openvox_gsm.gateway.receiving.received_part import ReceivedPart
from custom_components.openvox_gsm.gateway.sending.delivery import LateOutcomes

from . import hostile

from tests.gateway.clock import Clock

# A stream that is nearly one of a gateway

_KEYS = (
    *("Channel", "Uniqueid", "Variable", "Value", "Extension", "Priority", "AppData"),
    *("Context", "CallerIDNum", "ChannelState", "ChannelStateDesc", "Cause"),
    *("Cause-txt", "ActionID", "Response", "EventList", "Message", ""),
    *("IMSI", "Sender", "Destination", "ID", "Status", "Time_scts", "Result"),
)
_VALUES = (
    *("EXTRA/1-1", "EXTRA/3-1", "EXTRA-SMS/1-1", "EXTRA-SMS/3-1", "EXTRA-SMSSEND/1-1"),
    *("EXTRA-SMS/9999-1", "1795400000.1", "1795400000.2", "sms", "sms_send_ok", "1"),
    *("SMSSRC", "SMSTXT", "SMSPDU", "SMSTIME", "SMSTZ", "SMS_SEND_ID", "GMT+2"),
    *("SMSORITXT", "SMSC", "SIMIMSI", "DIALSTATUS", "SMSNEW", "SMS In"),
    *("2026/02/30 25:61:61", "2026/03/14 15:09:26", "", "+4915112345678", "16", "²"),
    *("Ring", "Ringing", "Up", "Down", "9" * 5000, "-1", "7", "start", "Complete"),
    '/my_tools/process_sms "1" "10086" "2014/09/11 09:36:47" "hello" > /dev/null',
    '/my_tools/process_sms "1" "10086" "2014/09/11 09:36:47" "hel',
    'lua sms_receive.lua "1" "10086" "2014/09/11" "hello" "+491" > /dev/null',
    'process_slavesms "1" "2" "1" "10086" "2014/09/11 09:36:47" "hello" &',
    "07915121551532F4040B915121551532F400006230415190628002C834",
    "07915121551532F4040B915121551532F400006230415190628002C834\r\n\r\n+CMT: ,28\r\n"
    "07919471060040F006070D91945111325476F8621172418513406211724185134000",
    "0791",
)
_EVENTS = (
    "VarSet",
    "Newexten",
    "Newchannel",
    "Newstate",
    "Hangup",
    "OriginateResponse",
    "SMSStatusReport",
    "SMSSendStatus",
    "SMSRecevied",
    "ExtraReady",
)


def _wire(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


_headers = st.tuples(
    st.sampled_from(_KEYS), st.sampled_from(_VALUES) | hostile.texts
).map(lambda header: _wire(f"{header[0]}: {header[1]}\r\n"))


@st.composite
def _packets(draw: st.DrawFn) -> bytes:
    """Write an event of which any header may be missing, or there twice."""
    name = draw(st.sampled_from(_EVENTS))
    headers = draw(st.lists(_headers, max_size=8))
    # Without a channel it concerns nobody, so most of them have one.
    channel = draw(st.sampled_from([*_VALUES[:6], ""]))
    uniqueid = draw(st.sampled_from(["1795400000.1", "1795400000.2", "x", ""]))
    whole = b"".join(
        [
            _wire(f"Event: {name}\r\nChannel: {channel}\r\n"),
            *headers,
            _wire(f"Uniqueid: {uniqueid}\r\n\r\n"),
        ]
    )
    return whole[: draw(st.just(len(whole)) | st.integers(0, len(whole)))]


streams = st.lists(_packets() | st.binary(max_size=30), max_size=12)


@settings(deadline=None)
@given(streams)
@example(
    [
        b"Event: Newchannel\r\nChannel: EXTRA/1-1\r\nUniqueid: 1.1\r\n\r\n"
        b"Event: Hangup\r\nChannel: EXTRA/1-1\r\nUniqueid: 1.1\r\nCause: "
        + b"9" * 5000
        + b"\r\n\r\n"
    ]
)
def test_messages_and_calls_of_any_bytes(stream: list[bytes]) -> None:
    """Nothing raises, what comes in can be stored, and no timer stays behind."""
    clock = Clock()
    news: list[IncomingSms | CallEvent] = []
    assembler = Assembler(news.append, clock.call_later)
    reports: list[StatusReport] = []
    inbox = Inbox(assembler.add, clock.call_later, on_report=reports.append)
    calls = CallTracker(news.append, inbox, clock.call_later)
    outbox = LateOutcomes()
    reader = PacketReader()
    for chunk in stream:
        for raw in reader.feed(chunk):
            for user in (inbox, outbox, calls):
                if user.wants(raw):
                    user.receive(Packet(raw))
        clock.let_pass(0.1)
    clock.let_pass(2 * MESSAGE_TIMEOUT)
    calls.connection_lost()
    inbox.connection_lost()
    inbox.stop()
    assembler.flush()

    assert not clock.running
    "".join(report.recipient for report in reports).encode()
    for each in news:
        texts = (
            [each.sender, each.text]
            if isinstance(each, IncomingSms)
            else [each.number, each.cause_text]
        )
        "".join(texts).encode()  # raises where it could not be stored
        assert 1 <= each.span <= 5000


@settings(deadline=None)
@given(
    stream=streams,
    greeting=st.just(b"Asterisk Call Manager/1.1\r\n") | st.binary(max_size=30),
)
@example(stream=[b"x" * (MAX_PACKET + 4)], greeting=b"Asterisk Call Manager/1.1\r\n")
def test_a_session_of_any_bytes(stream: list[bytes], greeting: bytes) -> None:
    """It stays, or it ends because this is no manager."""

    async def receive() -> None:
        session = Session()
        session.subscribe(lambda _raw: True, lambda packet: None)
        for chunk in (greeting, *stream):
            session.receive(chunk)
        if session.lost.done():
            assert isinstance(session.lost.result(), ProtocolError)

    asyncio.run(receive())


# The parts of long SMS


@st.composite
def _parts(draw: st.DrawFn) -> list[ReceivedPart]:
    """Write parts that fit together, more or less, each with a text of its own."""
    parts = []
    now = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
    for index in range(draw(st.integers(0, 12))):
        count = draw(st.integers(1, 4))
        place = Concatenation(
            draw(st.integers(0, 1)),
            draw(st.booleans()),
            count,
            draw(st.integers(1, count)),
        )
        text = f"<{index}>"
        now += timedelta(seconds=draw(st.sampled_from([0, 1, 100, 400])))
        parts.append(
            ReceivedPart(
                span=draw(st.integers(1, 2)),
                sender=draw(st.sampled_from(["+491", "Bank", ""])),
                text=text,
                sent_at=draw(st.sampled_from([now, None])),
                time_stamp=draw(st.sampled_from([str(now), ""])),
                arrived_at=now,
                pdu=DeliverPdu(
                    "+491",
                    now,
                    Coding.OCTETS,
                    text.encode(),
                    draw(st.sampled_from([place, None])),
                )
                if draw(st.integers(0, 4))
                else None,
            )
        )
    return parts


@given(_parts())
def test_any_parts(parts: list[ReceivedPart]) -> None:
    """Each part is in one message, and in no other."""
    clock = Clock()
    messages: list[IncomingSms] = []
    assembler = Assembler(messages.append, clock.call_later)
    started = parts[0].arrived_at if parts else None
    for part in parts:
        assert started
        clock.let_pass((part.arrived_at - started).total_seconds() - clock.now)
        assembler.add(part)
    clock.let_pass(PARTS_TIMEOUT)

    assert not clock.running
    told = re.findall("<[0-9]+>", "".join(message.text for message in messages))
    assert sorted(told) == sorted(part.text for part in parts)
    for message in messages:
        # Of several that can't be told apart, none is called complete.
        assert message.complete <= (message.text.count("<") == message.parts)
