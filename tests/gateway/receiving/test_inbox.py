"""Incoming SMS: from the bytes of the wire to one message each.

A text can end the packet it stands in and begin others, so all of this goes
through the reader that cuts the stream into packets, in both ways in which
Asterisk writes events.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from itertools import zip_longest
import json
import logging
from pathlib import Path
import re
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.openvox_gsm.ami import Packet
from custom_components.openvox_gsm.ami.packet import PacketReader
from custom_components.openvox_gsm.gateway.model import IncomingSms
from custom_components.openvox_gsm.gateway.receiving.assembly import (
    PARTS_TIMEOUT,
    Assembler,
)
from custom_components.openvox_gsm.gateway.receiving.events import CHANNEL, EventReader
from custom_components.openvox_gsm.gateway.receiving.inbox import (
    LONGEST_STALL,
    MESSAGE_TIMEOUT,
    SETTLE_TIME,
    Inbox,
)
from custom_components.openvox_gsm.gateway.receiving.message import Message
from custom_components.openvox_gsm.gateway.receiving.messages import Messages
from custom_components.openvox_gsm.gateway.warner import WARNING_PAUSE

from tests.gateway.clock import Clock

DATA = Path(__file__).parents[2] / "data"
SAMPLES: list[dict[str, Any]] = json.loads(
    (DATA / "inbound-sms.json").read_text("utf-8")
)
WITH_PDU = [s for s in SAMPLES if all(part["SMSPDU"] for part in s["parts"])]

SENT_AT = datetime(2026, 3, 14, 15, 9, 26, tzinfo=timezone(timedelta(hours=8)))


# The bytes of the wire


class Dialect(StrEnum):
    """How Asterisk writes events."""

    EARLY = "1.8"  # Uniqueid last, nothing escaped
    LATE = "14 and later"  # Uniqueid first, values of VarSet escaped


BOTH_DIALECTS = pytest.mark.parametrize("dialect", Dialect)
VARSET, NEWEXTEN, HANGUP = "VarSet", "Newexten", "Hangup"
ALL = (VARSET, NEWEXTEN, HANGUP)

C_ESCAPES = {
    byte: b"\\" + letter.encode()
    for byte, letter in zip(b"\a\b\f\n\r\t\v\"'?\\", "abfnrtv\"'?\\", strict=True)
}


def escape_c(value: bytes) -> bytes:
    """Escape as Asterisk 13.5 and later do in the value of a VarSet."""
    return b"".join(C_ESCAPES.get(byte, bytes([byte])) for byte in value)


def escape_as_driver(text: bytes) -> bytes:
    """Put three backslashes before quotes, backslashes and back-quotes."""
    return re.sub(rb'["\\`]', rb"\\\\\\\g<0>", text)


def event(
    dialect: Dialect,
    name: str,
    channel: str,
    uniqueid: str,
    *,
    priority: int = 1,
    head: str = "",
    value: bytes | None = None,
) -> bytes:
    """Write an event; `head` is what stands before the value, with its key."""
    span = (int(re.findall(r"\d+", channel)[0]) + 1) // 2
    privilege = "call,all" if name == HANGUP else "dialplan,all"
    begin = f"Event: {name}\r\nPrivilege: {privilege}\r\nChannel: {channel}\r\n"
    end = b"" if value is None else b" " + value + b"\r\n"
    if dialect is Dialect.LATE:
        begin += (
            "ChannelState: 0\r\nChannelStateDesc: Down\r\nCallerIDNum: <unknown>\r\n"
            "CallerIDName: <unknown>\r\nConnectedLineNum: <unknown>\r\n"
            "ConnectedLineName: <unknown>\r\nLanguage: en\r\nAccountCode: \r\n"
            f"Context: gsm-{span}\r\nExten: sms\r\nPriority: {priority}\r\n"
            f"Uniqueid: {uniqueid}\r\nLinkedid: {uniqueid}\r\n"
        )
        if name == NEWEXTEN:
            head = re.sub(r"Context.*\r\n|Priority.*\r\n", "", head)
        return f"{begin}{head}".encode() + end + b"\r\n"
    if name == HANGUP:
        return f"{begin}Uniqueid: {uniqueid}\r\n{head}\r\n".encode()
    return f"{begin}{head}".encode() + end + f"Uniqueid: {uniqueid}\r\n\r\n".encode()


@dataclass(frozen=True)
class Sms:
    """One SMS as the driver hands it to Asterisk."""

    text: bytes = b"hello"
    sender: bytes = b"+4915112345678"
    pdu: str = ""
    time: str = "2026/03/14 15:09:26"
    zone: str = "GMT+8"
    span: int = 2
    uniqueid: str = "1795400805.1"
    driver_escapes: bool = True
    noop: bool = True

    @property
    def channel(self) -> str:
        """The channel of the SMS; that of a span is always the same."""
        return f"EXTRA-SMS/{2 * self.span - 1}-1"

    def varset(
        self, dialect: Dialect, variable: str, value: bytes, priority: int = 1
    ) -> bytes:
        """Set a variable."""
        if dialect is Dialect.LATE:
            value = escape_c(value)
        head = f"Variable: {variable}\r\nValue:"
        return event(
            dialect,
            VARSET,
            self.channel,
            self.uniqueid,
            priority=priority,
            head=head,
            value=value,
        )

    def step(
        self, dialect: Dialect, priority: int, application: str, data: bytes
    ) -> bytes:
        """Run a step of the extension."""
        head = (
            f"Context: gsm-{self.span}\r\nExtension: sms\r\nPriority: {priority}\r\n"
            f"Application: {application}\r\nAppData:"
        )
        return event(
            dialect,
            NEWEXTEN,
            self.channel,
            self.uniqueid,
            priority=priority,
            head=head,
            value=data,
        )

    def events(self, dialect: Dialect, sources: Iterable[str] = ALL) -> Iterator[bytes]:
        """Yield what a session sees of this SMS."""
        text = escape_as_driver(self.text) if self.driver_escapes else self.text
        if VARSET in sources:
            yield self.varset(dialect, "SMSSRC", self.sender)
            yield self.varset(dialect, "SMSTXT", text)
            yield self.varset(dialect, "SMSPDU", self.pdu.encode())
            yield self.varset(dialect, "SMSTIME", self.time.encode())
            yield self.varset(dialect, "SMSTZ", self.zone.encode())
            yield self.varset(dialect, "DIALSTATUS", b"SMS_END")
        if NEWEXTEN in sources:
            if self.noop:
                yield self.step(dialect, 1, "NoOp", text)
            program = b'/my_tools/process_sms "%d" "%s" "%s" "%s" > /dev/null 2>&1 &'
            yield self.step(
                dialect,
                2,
                "System",
                program % (self.span, self.sender, self.time.encode(), text),
            )
            if VARSET in sources:
                yield self.varset(dialect, "SYSTEMSTATUS", b"SUCCESS", 2)
            yield self.step(dialect, 3, "Hangup", b"")
        if HANGUP in sources:
            head = "Cause: 0\r\nCause-txt: Unknown\r\n"
            if dialect is Dialect.EARLY:
                head = (
                    "CallerIDNum: <unknown>\r\nCallerIDName: <unknown>\r\n"
                    "ConnectedLineNum: <unknown>\r\nConnectedLineName: <unknown>\r\n"
                    + head
                )
            yield event(
                dialect, HANGUP, self.channel, self.uniqueid, priority=3, head=head
            )


ASCII_IN_GSM7 = {
    character: bytes(septets)
    for character, septets in (
        *((chr(code), (code,)) for code in (10, 13, *range(0x20, 0x7F))),
        *(("@", (0,)), ("$", (2,)), ("_", (0x11,)), ("€", (0x1B, 0x65))),
        *(("^", (0x1B, 0x14)), ("{", (0x1B, 0x28)), ("}", (0x1B, 0x29))),
        *(("\\", (0x1B, 0x2F)), ("[", (0x1B, 0x3C)), ("~", (0x1B, 0x3D))),
        *(("]", (0x1B, 0x3E)), ("|", (0x1B, 0x40))),
    )
}
del ASCII_IN_GSM7["`"]


def septets_of(text: str) -> bytes:
    """Return the septets of a text, one in each byte."""
    return b"".join(ASCII_IN_GSM7[character] for character in text)


def pack(septets: bytes) -> str:
    """Pack septets, in hex."""
    bits = sum(septet << 7 * place for place, septet in enumerate(septets))
    return bits.to_bytes((7 * len(septets) + 7) // 8, "little").hex().upper()


def address_of(sender: str) -> str:
    """Write a number (digits after a plus) or a name as a PDU's address, in hex."""
    if sender.startswith("+"):
        digits = sender[1:] + "F" * (len(sender) % 2 == 0)
        swapped = "".join(
            digits[at + 1] + digits[at] for at in range(0, len(digits), 2)
        )
        return f"{len(sender) - 1:02X}91{swapped}"
    septets = septets_of(sender)
    return f"{(7 * len(septets) + 3) // 4:02X}D0{pack(septets)}"


def deliver_pdu(
    sender: str,
    text: str,
    *,
    header: bytes = b"",
    minute: int = 9,
    service_centre: str = "0891683108705505F0",
) -> str:
    """Write an SMS-DELIVER: GSM 7-bit where that is enough, else UCS-2.

    It holds up to 255 septets or 127 units, which is more than any network takes.
    """
    if not header and all(character in ASCII_IN_GSM7 for character in text):
        septets = septets_of(text)
        scheme, length, data = "00", len(septets), pack(septets)
    else:
        octets = header + text.encode("utf-16-be")
        scheme, length, data = "08", len(octets), octets.hex().upper()
    first = "44" if header else "04"
    swapped_minute = f"{minute:02d}"[::-1]
    return (
        f"{service_centre}{first}{sender if sender[:2] == '05' else address_of(sender)}"
        f"00{scheme}62304151{swapped_minute}6223{length:02X}{data}"
    )


def rendered(text: str) -> bytes:
    """Render a text as the driver does, as far as these tests need it."""
    if all(character in ASCII_IN_GSM7 for character in text):
        return text.replace("€", "ÿe").encode("latin-1")
    return b"\xef\xbb\xbf" + re.split("[\0\U00010000-\U0010ffff]", text)[0].encode()


def sms_with_pdu(text: str, sender: str = "+4915112345678", **traits: Any) -> Sms:
    """Make an SMS of which the gateway tells everything."""
    return Sms(
        text=rendered(text),
        sender=sender.encode(),
        pdu=deliver_pdu(sender, text),
        **traits,
    )


def mixed(*streams: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the first of each, then the second of each, and so on."""
    for events in zip_longest(*streams):
        yield from (each for each in events if each)


@dataclass
class Bench:
    """An inbox behind a reader, and what it delivers."""

    clock: Clock = field(default_factory=Clock)
    messages: list[IncomingSms] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Connect the parts."""
        self.assembler = Assembler(self.messages.append, self.clock.call_later)
        self.inbox = Inbox(self.assembler.add, self.clock.call_later)
        self.reader = PacketReader()

    def feed(self, *streams: Iterable[bytes]) -> None:
        """Let events come in, those of several streams mixed."""
        for raw in self.reader.feed(b"".join(mixed(*streams))):
            if self.inbox.wants(raw):
                self.inbox.receive(Packet(raw))

    def settle(self) -> None:
        """Let the time pass in which messages are judged."""
        self.clock.let_pass(2 * MESSAGE_TIMEOUT + 1)

    def reconnect(self) -> None:
        """Lose the connection, and get another one."""
        self.inbox.connection_lost()
        self.reader = PacketReader()

    @property
    def told(self) -> list[tuple[int, str, str]]:
        """Span, sender and text of what was delivered, in order."""
        return [(sms.span, sms.sender, sms.text) for sms in self.messages]


@pytest.fixture
def bench() -> Bench:
    """An inbox behind a reader, and what it delivers."""
    return Bench()


# The samples


def wire_sample(dialect: Dialect) -> list[bytes]:
    """Return everything that came over the wire, in pieces."""
    name = "1.8" if dialect is Dialect.EARLY else "14-and-later"
    exchanges = json.loads((DATA / f"wire-asterisk-{name}.json").read_text("utf-8"))
    return [exchange["received_latin1"].encode("latin-1") for exchange in exchanges]


@BOTH_DIALECTS
def test_the_wire_samples(bench: Bench, dialect: Dialect) -> None:
    """Among all that a session sees there is one SMS."""
    bench.feed(wire_sample(dialect))
    bench.settle()

    assert bench.told == [(3, "+4915112345678", 'say "hi"')]
    assert bench.messages[0].sent_at == SENT_AT
    assert not bench.clock.running


@BOTH_DIALECTS
def test_the_events_of_these_tests_are_those_of_the_wire_samples(
    dialect: Dialect,
) -> None:
    """Byte by byte."""
    sms = Sms(
        text=b'say "hi"',
        pdu="0891683108705505F0040D91945111325476F800006230415190622308F3701E2442A745",
        span=3,
        uniqueid="1795400805.1" if dialect is Dialect.EARLY else "1795400814.1",
    )

    assert b"".join(sms.events(dialect)) in b"".join(wire_sample(dialect))


# What can be known of the samples without a PDU: each part is a message of its own.
WITHOUT_PDU: dict[str, list[str]] = {
    # The driver stops at the first emoji.
    "emoji": ["Door open "],
    # It takes the fill bits of the last septet for an "@".
    "two parts gsm": [
        "The quick brown fox jumps over the lazy dog. " * 3 + "The quick brown fo",
        "x jumps over the lazy dog. The quick brown fox jumps over the lazy dog. @",
    ],
    # It loses the first character of each part.
    "three parts gsm, wide reference": [
        ("0123456789" * 40)[1:152],
        ("0123456789" * 40)[153:304],
        ("0123456789" * 40)[305:400],
    ],
    "two parts ucs-2": [
        "Съешь ещё этих мягких французских булок, да выпей чаю. Съешь ещё эт",
        "их мягких французских булок, да выпей чаю. ",
    ],
    "parts with emoji on the edge": ["ж" * 66, ""],
}
# The driver tells no zone west of Greenwich, and cuts half hours.
UNCERTAIN_TIME = ["zone west", "half hour zone"]


def sms_of(part: dict[str, Any], **traits: Any) -> Sms:
    """Make an SMS of a part of a sample."""
    return Sms(
        text=part["SMSTXT_bytes_latin1"].encode("latin-1"),
        sender=part["SMSSRC_bytes_latin1"].encode("latin-1"),
        time=part["SMSTIME"],
        zone=part["SMSTZ"],
        uniqueid=f"1795400805.{part['sequence']}",
        **{"pdu": part["SMSPDU"]} | traits,
    )


def zone_of(sample: dict[str, Any]) -> timezone:
    """Return the zone in which a sample was sent."""
    return timezone(timedelta(hours=sample["zone_hours"]))


@BOTH_DIALECTS
@pytest.mark.parametrize("sources", [(VARSET,), ALL], ids=str)
@pytest.mark.parametrize("sample", WITH_PDU, ids=lambda sample: sample["name"])
def test_samples_with_pdu(
    bench: Bench, sample: dict[str, Any], sources: tuple[str, ...], dialect: Dialect
) -> None:
    """Everything is what was sent, and nothing comes twice."""
    for part in sample["parts"]:
        bench.feed(sms_of(part).events(dialect, sources))
    bench.settle()

    assert bench.told == [(sample["span"], sample["sender"], sample["text"])]
    sms = bench.messages[0]
    sent_at = datetime.fromisoformat(sample["local_time"])
    assert sms.sent_at == sent_at.replace(tzinfo=zone_of(sample))
    assert sms.sent_at.utcoffset() == zone_of(sample).utcoffset(None)
    assert sms.parts == len(sample["parts"])
    assert sms.complete
    assert not bench.clock.running


@BOTH_DIALECTS
@pytest.mark.parametrize("sources", [(VARSET,), (NEWEXTEN,), ALL], ids=str)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])
def test_samples_without_pdu(
    bench: Bench, sample: dict[str, Any], sources: tuple[str, ...], dialect: Dialect
) -> None:
    """Everything is as well as can be, and nothing comes twice."""
    for part in sample["parts"]:
        bench.feed(sms_of(part, pdu="").events(dialect, sources))
    bench.settle()

    texts = WITHOUT_PDU.get(sample["name"], [sample["text"]])
    assert bench.told == [(sample["span"], sample["sender"], text) for text in texts]
    for sms in bench.messages:
        if VARSET in sources and sample["name"] not in UNCERTAIN_TIME:
            sent_at = datetime.fromisoformat(sample["local_time"])
            assert sms.sent_at == sent_at.replace(tzinfo=zone_of(sample))
            assert sms.sent_at.utcoffset() == zone_of(sample).utcoffset(None)
        else:
            assert sms.sent_at is None
        assert sms.parts == 1
        assert sms.complete


@BOTH_DIALECTS
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])
def test_firmware_that_escapes_nothing(
    bench: Bench, sample: dict[str, Any], dialect: Dialect
) -> None:
    """Quotes and backslashes stay what they are."""
    for part in sample["parts"]:
        bench.feed(sms_of(part, pdu="", driver_escapes=False).events(dialect))
    bench.settle()

    texts = WITHOUT_PDU.get(sample["name"], [sample["text"]])
    assert [sms.text for sms in bench.messages] == texts


# Messages


@BOTH_DIALECTS
def test_a_message_that_comes_alone_is_delivered_at_once(
    bench: Bench, dialect: Dialect
) -> None:
    """With its PDU all is known, and nothing else can have forged it."""
    *first, pdu = list(sms_with_pdu("hello").events(dialect, (VARSET,)))[:3]
    bench.feed(first)
    assert bench.messages == []
    bench.feed([pdu])

    assert bench.told == [(2, "+4915112345678", "hello")]
    assert not bench.clock.running


@BOTH_DIALECTS
def test_messages_that_come_together_are_delivered_as_soon_as_all_texts_are_known(
    bench: Bench, dialect: Dialect
) -> None:
    """None of them waits for more than the PDU of the last one."""
    *first, first_pdu = list(sms_with_pdu("first").events(dialect, (VARSET,)))[:3]
    second = list(
        sms_with_pdu("second", span=3, uniqueid=VICTIM.uniqueid).events(dialect)
    )
    bench.feed(first)
    bench.feed(second)
    assert bench.messages == []
    bench.feed([first_pdu])

    assert [text for _, _, text in bench.told] == ["first", "second"]
    assert not bench.clock.running


@BOTH_DIALECTS
def test_a_message_rests_while_another_text_is_not_known(
    bench: Bench, dialect: Dialect
) -> None:
    """It might be that text's work."""
    bench.feed(list(ME.events(dialect, (VARSET,)))[:1])
    bench.feed(NEIGHBOURS[0].events(dialect))
    bench.clock.let_pass(SETTLE_TIME - 0.01)
    assert bench.messages == []
    bench.clock.let_pass(0.01)

    assert bench.told == [NEIGHBOURS_TOLD[0]]


@BOTH_DIALECTS
@pytest.mark.parametrize(
    "text",
    ["see EXTRA-SMS/3-1", "x\r\nUniqueid: 1.1", "x\r\nEvent: VarSet"],
)
@pytest.mark.parametrize(
    ("with_pdu", "rest"), [(True, SETTLE_TIME), (False, MESSAGE_TIMEOUT)]
)
def test_a_message_rests_after_a_text_that_may_forge(
    bench: Bench, text: str, with_pdu: bool, rest: float, dialect: Dialect
) -> None:
    """That text rests, too; events that tell it may come a little later."""
    bench.feed(hostile_sms(text, with_pdu=with_pdu).events(dialect))
    assert bench.messages == []
    bench.clock.let_pass(rest)
    assert bench.told == [(2, ATTACKER, text)]

    bench.clock.let_pass(MESSAGE_TIMEOUT - SETTLE_TIME)
    bench.feed(NEIGHBOURS[0].events(dialect))
    assert len(bench.messages) == 1
    bench.clock.let_pass(SETTLE_TIME)
    assert len(bench.messages) == 2

    bench.clock.let_pass(MESSAGE_TIMEOUT)
    bench.feed(NEIGHBOURS[1].events(dialect))
    assert len(bench.messages) == 3
    assert not bench.clock.running


def in_scheme(pdu: str, scheme: int) -> str:
    """Say that a PDU's text is in another coding."""
    head, when, rest = pdu.partition("6230415190")
    return f"{head[:-2]}{scheme:02X}{when}{rest}"


PLAIN = deliver_pdu("+4915112345678", "hello")
PART = bytes((5, 0, 3, 7, 1, 1))  # the header of a message's only part
NOT_PLAIN: dict[str, dict[str, Any]] = {
    "another sender": {"sender": b"+4915112345670"},
    "several": {"pdu": f"{PLAIN}\r\n\r\n+CMT: ,28\r\n{PLAIN}"},
    "a status report": {
        "sender": b"",
        "pdu": "0006050B915111325476F86230415190622362304151906223" + "00",
        "text": b"",
    },
    "cut short": {"pdu": PLAIN[:-2]},
    "a coding that is reserved": {"pdu": in_scheme(PLAIN, 0x84)},
    "a locking language": {
        "pdu": deliver_pdu("+4915112345678", "hello", header=bytes((3, 0x25, 1, 1)))
    },
    "a single language": {
        "pdu": deliver_pdu("+4915112345678", "hello", header=bytes((3, 0x24, 1, 1)))
    },
    "a header of something else": {
        "pdu": deliver_pdu("+4915112345678", "hello", header=bytes((3, 0x01, 1, 1)))
    },
    "more than the header of a part": {
        "pdu": deliver_pdu(
            "+4915112345678",
            "hello",
            header=bytes((8, *PART[1:], 0x01, 1, 1)),
        )
    },
    "another text": {"text": b"hallo"},
    "a longer text": {"text": b"hello!"},
    "an imitation": {
        "text": b"EXTRA-SMS/",
        "pdu": deliver_pdu("+4915112345678", "EXTRA-SMS/"),
    },
}


@BOTH_DIALECTS
@pytest.mark.parametrize(
    "traits",
    [
        pytest.param(
            {"pdu": deliver_pdu("+4915112345678", "hello", header=PART)}, id="a part"
        ),
        pytest.param(
            {
                "pdu": deliver_pdu(
                    "+4915112345678", "hello", header=bytes((6, 8, 4, 0, 7, 1, 1))
                )
            },
            id="a part with a wide reference",
        ),
        pytest.param({"pdu": PLAIN}, id="no header"),
        pytest.param(
            {
                "pdu": deliver_pdu("+4915112345678", "héllo"),
                "text": rendered("héllo"),
            },
            id="UCS-2",
        ),
    ],
)
def test_a_plain_pdu_is_believed_at_once(
    bench: Bench, traits: dict[str, Any], dialect: Dialect
) -> None:
    """Every reader gets the same text from it, and that forges nothing."""
    bench.feed(Sms(**traits).events(dialect))
    assert len(bench.messages) == 1
    assert not bench.clock.running


@BOTH_DIALECTS
@pytest.mark.parametrize("traits", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_what_makes_a_pdu_less_than_plain(
    traits: dict[str, Any], dialect: Dialect
) -> None:
    """After each of these, what comes next rests for a moment."""
    bench = Bench()
    bench.feed(Sms(**traits).events(dialect))
    told = len(bench.messages)
    bench.feed(NEIGHBOURS[0].events(dialect))
    assert len(bench.messages) == told == 0
    bench.clock.let_pass(SETTLE_TIME)
    assert NEIGHBOURS_TOLD[0] in bench.told
    bench.settle()
    assert not bench.clock.running


@BOTH_DIALECTS
def test_a_text_in_a_national_language_may_forge(
    bench: Bench, dialect: Dialect
) -> None:
    """The driver knows no such languages: it makes another text of it."""
    pdu = deliver_pdu("+4915112345678", "hello", header=bytes((3, 0x24, 1, 1)))
    sms = Sms(pdu=pdu)
    bench.feed(sms.events(dialect))
    assert bench.messages == []
    bench.clock.let_pass(SETTLE_TIME)
    assert len(bench.messages) == 1


def test_a_message_that_two_texts_forge_together(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """One tells its sender, the other its PDU; both guess their own Uniqueid."""
    accomplice = replace(ME, uniqueid="1795400805.6", span=1)
    texts = [
        "x" + forged_end(sms.uniqueid) + forged_varset(VICTIM, variable, value, FOREIGN)
        for sms, variable, value in (
            (ME, "SMSSRC", "MyBank"),
            (accomplice, "SMSPDU", FORGED_PDU),
        )
    ]
    for sms, text in zip((ME, accomplice), texts, strict=True):
        bench.feed(
            replace(sms, text=rendered(text), pdu=deliver_pdu(ATTACKER, text)).events(
                Dialect.EARLY
            )
        )
    bench.settle()

    assert sorted(bench.told) == [(1, ATTACKER, texts[1]), (2, ATTACKER, texts[0])]
    assert "Span 3: dropped a message" in caplog.text


def test_a_message_under_the_uniqueid_of_another_channel(bench: Bench) -> None:
    """Two texts mention it, and one of them guesses the other's Uniqueid."""
    accomplice = replace(ME, uniqueid="1795400805.6", span=1)
    forged = (
        (ME, forged_varset(VICTIM, "SMSSRC", "MyBank") + "\r\nUniqueid: \r"),
        (
            accomplice,
            forged_varset(VICTIM, "SMSPDU", FORGED_PDU, ME.uniqueid) + "\r\n\r\nEv",
        ),
    )
    bench.feed(
        *(
            replace(
                sms, text=text.encode(), pdu=in_coding(COMPRESSED, ATTACKER, text)
            ).events(Dialect.EARLY)
            for sms, text in forged
        )
    )
    bench.settle()

    assert "MyBank" not in [sender for _, sender, _ in bench.told]


def in_coding(scheme: int, sender: str, text: str) -> str:
    """Write a PDU whose octets are a text, and whose coding says something else."""
    head, when, _ = deliver_pdu(sender, "x").partition("6230415190")
    pdu = f"{head[:-2]}{scheme:02X}{when}6223"
    return f"{pdu}{len(text) * 8 // 7:02X}{text.encode().hex().upper()}"


RESERVED, COMPRESSED = 0x84, 0x20


@pytest.mark.parametrize("requires_pdu", [True, False])
def test_a_text_that_its_pdu_does_not_show(bench: Bench, requires_pdu: bool) -> None:
    """What comes after a message that was delivered begins no other one."""
    pdu = deliver_pdu("MyBank", "pay", service_centre="00")
    text = (
        "\r\nUniqueid: 2\r\n\r\nEvent: VarSet\r\nPrivilege:\r\n"
        f"Channel: {ME.channel}\r\nVariable: SMSPDU\r\nValue: {pdu}\r\n"
        "Uniqueid: 1\r\n\r\n"
    )
    mine = replace(
        ME,
        text=text.encode(),
        pdu=in_coding(RESERVED, ATTACKER, text),
        driver_escapes=False,
    )
    bench.inbox.requires_pdu = requires_pdu
    # Firmware may hold some variables back.
    bench.feed(
        each
        for each in mine.events(Dialect.EARLY)
        if b"Variable: SMSTXT" not in each[:120]
    )
    bench.settle()

    assert [sender for _, sender, _ in bench.told] == [ATTACKER]


@pytest.mark.parametrize("scheme", [RESERVED, COMPRESSED])
def test_two_texts_of_which_one_cannot_be_read(bench: Bench, scheme: int) -> None:
    """Whatever its octets may be for the driver accuses the other one."""
    victim = "+4915187654321"
    accomplice = replace(ME, span=1, uniqueid="1795400805.6", noop=False)
    name = (
        forged_end(accomplice.uniqueid)
        + forged_varset(ME, "SMSSRC", victim, ME.uniqueid)
        + "\r\n\r\n"
    )
    pdu = deliver_pdu(victim, "open", service_centre="00")
    mine = forged_end(ME.uniqueid) + forged_varset(ME, "SMSPDU", pdu)
    bench.inbox.requires_pdu = True
    first = replace(
        accomplice, text=name.encode(), pdu=in_coding(scheme, ATTACKER, name)
    )
    bench.feed(first.events(Dialect.EARLY))
    bench.clock.let_pass(1)
    second = replace(hostile_sms(mine, with_pdu=True), noop=False)
    bench.feed(second.events(Dialect.EARLY))
    bench.settle()

    assert victim not in [sender for _, sender, _ in bench.told]


@BOTH_DIALECTS
def test_no_message_without_its_pdu_where_that_is_required(
    bench: Bench, dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    """It is dropped with a warning, the others come as ever."""
    bench.inbox = Inbox(bench.assembler.add, bench.clock.call_later, requires_pdu=True)
    bench.feed(Sms().events(dialect))
    bench.settle()
    bench.feed(NEIGHBOURS[0].events(dialect))
    bench.settle()

    assert bench.told == [NEIGHBOURS_TOLD[0]]
    assert [record.getMessage() for record in caplog.records] == [
        "Span 2: dropped an SMS that came without its PDU, as the gateway's "
        "options require one"
    ]
    assert bench.inbox.seen["dropped without PDU"] == 1


def test_more_suspects_than_any_gateway_has(bench: Bench) -> None:
    """The oldest are forgotten: they're kept for long where the gateway is silent."""
    texts = [b"hello %d" % number for number in range(2000)]
    for number, text in enumerate(texts):
        sms = Sms(text=text, pdu="", uniqueid=f"1795400805.{number}")
        bench.feed(sms.events(Dialect.EARLY))
    assert len(bench.clock.running) < 2000
    bench.settle()
    assert len(bench.told) == 2000


@pytest.mark.parametrize("name", ["SMSTXT", "SMSPDU"])
def test_packets_that_are_set_aside_again_and_again(
    bench: Bench, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Each is read a few times, not once for each of the others; a warning says so."""
    first, *_ = sms_with_pdu("hello").events(Dialect.EARLY)
    packet = (
        "Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: EXTRA-SMS/3-1\r\n"
        f"Variable: {name}\r\nValue: x\r\n\r\n"
    ).encode()
    with patch.object(
        EventReader, "read", autospec=True, side_effect=EventReader.read
    ) as read:
        bench.feed([*([first] if name == "SMSPDU" else []), packet * 3000])

    assert read.call_count < 10 * 3000
    assert "the gateway gave too little of an incoming SMS to read it" in caplog.text
    bench.reconnect()
    bench.feed(NEIGHBOURS[0].events(Dialect.EARLY))
    assert bench.told == [NEIGHBOURS_TOLD[0]]


def test_pdus_of_one_sms_without_end(bench: Bench) -> None:
    """All but the first ones are ignored: each takes a timer, and is compared with all."""
    sms = Sms()
    pdus = [
        in_scheme(deliver_pdu("+4915112345678", f"{number}"), 0x04)
        for number in range(500)
    ]
    bench.feed([sms.varset(Dialect.EARLY, "SMSSRC", sms.sender)])
    bench.feed(sms.varset(Dialect.EARLY, "SMSPDU", pdu.encode()) for pdu in pdus)

    assert len(bench.clock.running) < 60


@pytest.mark.parametrize(("count", "are_told"), [(50, True), (51, False)])
def test_how_many_sms_one_read_may_hold(
    bench: Bench, caplog: pytest.LogCaptureFixture, count: int, are_told: bool
) -> None:
    """Each takes its time, as it's looked for in all texts."""
    first, *others = (
        deliver_pdu("+4915112345678", f"{number}") for number in range(count)
    )
    read = "".join([first, *(f"\r\n+CMT: ,28\r\n{other}" for other in others)])
    bench.feed(Sms(text=b"0", pdu=read).events(Dialect.EARLY, (VARSET,)))
    bench.settle()

    assert len(bench.told) == (count if are_told else 1)
    assert bench.inbox.seen["without PDU"] == (not are_told)


def test_texts_without_end() -> None:
    """The oldest messages are forgotten, as each text is searched for the next ones."""
    messages = Messages()
    for number in range(100):
        message = Message(("EXTRA-SMS/3-1", f"1.{number}"), 2, SENT_AT, is_certain=True)
        message.texts += ["x"] * 100
        messages.add(message)
        messages.close(message, keep=True)

    assert messages.make_room()
    assert len(messages.recent) == 25
    assert ("EXTRA-SMS/3-1", "1.99") in messages
    assert messages.make_room()
    assert len(messages.recent) == 25


def several_in_one_read(uniqueid: str) -> Iterator[bytes]:
    """Yield the events of three SMS that can be read in several ways."""
    pdus = (
        in_scheme(deliver_pdu("+4915112345678", f"{uniqueid} {number}"), 0x04)
        for number in range(3)
    )
    sms = Sms(text=b"?", pdu="\r\n+CMT: ,28\r\n".join(pdus), uniqueid=uniqueid)
    return sms.events(Dialect.EARLY, (VARSET,))


def test_an_sms_that_comes_in_after_many_that_have_several_texts(bench: Bench) -> None:
    """It's waited for as usual: those that are decided make room."""
    bench.inbox.requires_pdu = True
    for number in range(220):
        bench.feed(several_in_one_read(f"1795400805.{number}"))
        bench.settle()
    told_before = len(bench.told)
    assert told_before == 660

    events = list(
        sms_with_pdu("hello", uniqueid="1795400806.1").events(Dialect.EARLY, (VARSET,))
    )
    bench.feed(events[:2])
    bench.feed(several_in_one_read("1795400806.2"))
    bench.feed(events[2:])
    bench.settle()

    assert (2, "+4915112345678", "hello") in bench.told[told_before:]


def test_texts_without_end_of_sms_that_come_in(bench: Bench) -> None:
    """The oldest are decided at once, as each text is searched for the next ones."""
    for number in range(20):
        sms = Sms(uniqueid=f"1795400805.{number}")
        bench.feed([sms.varset(Dialect.EARLY, "SMSSRC", sms.sender)])
        bench.feed(
            sms.varset(Dialect.EARLY, "SMSPDU", in_scheme(pdu, 0x04).encode())
            for pdu in (deliver_pdu("+4915112345678", f"{n}") for n in range(50))
        )

    assert 0 < len(bench.inbox._messages.open) < 20  # noqa: SLF001


def test_what_is_kept_of_an_sms() -> None:
    """No more than what may have forged another one, and not each of its variables."""
    message = Message(("EXTRA-SMS/3-1", "1.1"), 2, SENT_AT, is_certain=True)
    reader = EventReader(CHANNEL)
    for number in range(100):
        event = reader.read(Sms().varset(Dialect.EARLY, f"V{number}", b"x"))
        assert event
        message.add(event)
    assert len(message.variables) == 50

    messages = Messages()
    messages.add(message)
    messages.close(message, keep=True)
    assert not message.variables


@BOTH_DIALECTS
def test_channels_with_other_names(bench: Bench, dialect: Dialect) -> None:
    """The names of the channels can be told, as for an Asterisk without the driver."""
    bench.inbox = Inbox(
        bench.assembler.add,
        bench.clock.call_later,
        channel=re.compile(r"Local/(?P<voice>[0-9]+)@sms-[0-9a-f]+;2"),
        marker="@sms-",
    )

    @dataclass(frozen=True)
    class LocalSms(Sms):
        channel = "Local/5@sms-0000000a;2"

    bench.feed(LocalSms(pdu=deliver_pdu("+4915112345678", "hello")).events(dialect))
    bench.feed(sms_with_pdu("elsewhere").events(dialect))
    assert bench.told == [(3, "+4915112345678", "hello")]


def test_a_message_without_pdu_waits_for_it(bench: Bench) -> None:
    """It might still come."""
    bench.feed(Sms().events(Dialect.EARLY))
    bench.clock.let_pass(MESSAGE_TIMEOUT - 0.1)
    assert bench.messages == []
    bench.clock.let_pass(0.1)

    assert bench.told == [(2, "+4915112345678", "hello")]
    bench.clock.let_pass(MESSAGE_TIMEOUT)  # its text stays under suspicion
    assert not bench.clock.running


@pytest.mark.parametrize("sms", [sms_with_pdu("hello"), Sms()], ids=["PDU", "no PDU"])
def test_arrival(bench: Bench, sms: Sms, freezer: FrozenDateTimeFactory) -> None:
    """A message has arrived when it came in, not when it was delivered."""
    freezer.move_to("2026-03-14T07:10:00+00:00")
    bench.feed(sms.events(Dialect.EARLY))
    freezer.move_to("2026-03-14T07:10:02+00:00")
    bench.settle()

    assert bench.messages[0].arrived_at == datetime(2026, 3, 14, 7, 10, tzinfo=UTC)
    assert bench.messages[0].arrived_at.tzinfo is UTC


@BOTH_DIALECTS
@pytest.mark.parametrize("with_pdu", [True, False])
@pytest.mark.parametrize("sources", [(VARSET,), (NEWEXTEN,), ALL], ids=str)
def test_many_at_once(
    bench: Bench, sources: tuple[str, ...], with_pdu: bool, dialect: Dialect
) -> None:
    """On different spans and on the same one, their events mixed."""
    all_sms = [
        sms_with_pdu(f"text {n}", f"+49{n}", span=span, uniqueid=f"1795400805.{n}")
        for n, span in enumerate((1, 2, 2, 3, 3, 3, 44))
    ]
    if not with_pdu:
        all_sms = [replace(sms, pdu="") for sms in all_sms]
    bench.feed(*(sms.events(dialect, sources) for sms in all_sms))
    bench.settle()

    assert sorted(bench.told) == [
        (sms.span, f"+49{n}", f"text {n}") for n, sms in enumerate(all_sms)
    ]


def test_messages_without_end(bench: Bench) -> None:
    """What waits is limited: the oldest is taken as it is."""
    for number in range(201):
        sms = Sms(uniqueid=f"1795400805.{number}", text=f"{number}".encode())
        bench.feed(list(sms.events(Dialect.EARLY, (VARSET,)))[:2])
    bench.clock.let_pass(0)

    assert [text for _, _, text in bench.told] == ["0"]


@BOTH_DIALECTS
def test_bytes_that_come_one_by_one(bench: Bench, dialect: Dialect) -> None:
    """The chunks of a stream mean nothing."""
    sms = sms_with_pdu("first\r\n\r\nsecond")
    for byte in b"".join(sms.events(dialect)):
        bench.feed([bytes([byte])])
    bench.settle()

    assert [text for _, _, text in bench.told] == ["first\r\n\r\nsecond"]


def concatenation(reference: int, count: int, sequence: int, *, wide: bool) -> bytes:
    """Write the header of a part."""
    if wide:
        return bytes((6, 8, 4, reference >> 8, reference & 255, count, sequence))
    return bytes((5, 0, 3, reference, count, sequence))


@BOTH_DIALECTS
@pytest.mark.parametrize("wide", [False, True], ids=["8 bits", "16 bits"])
def test_parts_out_of_order_and_repeated(
    bench: Bench, wide: bool, dialect: Dialect
) -> None:
    """Each SMS is a part, and has its own Uniqueid."""
    for number, sequence in enumerate((3, 1, 3, 2)):
        header = concatenation(7, 3, sequence, wide=wide)
        sms = Sms(
            pdu=deliver_pdu("+491", f"<{sequence}>", header=header),
            sender=b"+491",
            uniqueid=f"1795400805.{number}",
        )
        bench.feed(sms.events(dialect))
    bench.settle()

    assert bench.told == [(2, "+491", "<1><2><3>")]
    assert bench.messages[0].parts == 3


def test_parts_that_never_come(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """What is there is delivered, marked as incomplete."""
    header = concatenation(7, 2, 2, wide=False)
    sms = Sms(pdu=deliver_pdu("+491", "<2>", header=header), sender=b"+491")
    bench.feed(sms.events(Dialect.EARLY))
    bench.settle()
    assert bench.messages == []
    bench.clock.let_pass(PARTS_TIMEOUT)

    assert bench.told == [(2, "+491", "<2>")]
    assert not bench.messages[0].complete
    assert "Span 2: only 1 of 2 parts" in caplog.text


@BOTH_DIALECTS
@pytest.mark.parametrize("with_pdu", [True, False])
@pytest.mark.parametrize("sources", [(VARSET,), (NEWEXTEN,), ALL], ids=str)
def test_the_network_repeats_an_sms(
    bench: Bench,
    freezer: FrozenDateTimeFactory,
    sources: tuple[str, ...],
    with_pdu: bool,
    dialect: Dialect,
) -> None:
    """It comes on a channel of its own, within a few minutes, and is dropped."""
    sms = sms_with_pdu("hello")
    if not with_pdu:
        sms = replace(sms, pdu="")
    for number in range(3):
        bench.feed(
            replace(sms, uniqueid=f"1795400805.{number}").events(dialect, sources)
        )
        bench.settle()
        freezer.tick(timedelta(minutes=3))
    assert len(bench.messages) == 1
    other = replace(
        sms,
        uniqueid="1795400999.1",
        time="2026/03/14 15:10:26",
        pdu=(with_pdu and deliver_pdu("+4915112345678", "hello", minute=10)) or "",
    )
    bench.feed(other.events(dialect, sources))
    bench.settle()

    assert len(bench.messages) == 2


NO_TIME = "FFFFFFFFFFFFFF"


@BOTH_DIALECTS
@pytest.mark.parametrize("stamp", [NO_TIME, "00000000000000", "62304151906F23"])
@pytest.mark.parametrize("time", ["", "unknown", "2000/00/00 00:00:00"])
@pytest.mark.parametrize("with_pdu", [True, False])
def test_two_equal_sms_of_an_unknown_time(
    bench: Bench, with_pdu: bool, time: str, stamp: str, dialect: Dialect
) -> None:
    """Two alarms, within five minutes, are two."""
    pdu = deliver_pdu("+4915112345678", "hello")
    pdu = re.sub("62304151..6223", stamp, pdu) if with_pdu else ""
    for number in range(2):
        sms = Sms(time=time, pdu=pdu, uniqueid=f"1795400805.{number}")
        bench.feed(sms.events(dialect))
        bench.settle()

    assert bench.told == 2 * [(2, "+4915112345678", "hello")]
    assert [sms.sent_at for sms in bench.messages] == [None, None]


@pytest.mark.parametrize(("stamp", "count"), [(NO_TIME, 2), ("62304151906223", 1)])
def test_two_equal_sms_in_one_read(bench: Bench, stamp: str, count: int) -> None:
    """They are two as well, unless the time says that they are one."""
    pdu = re.sub("62304151..6223", stamp, deliver_pdu("+4915112345678", "hello"))
    sms = Sms(pdu=f"{pdu}\r\n\r\n+CMT: ,28\r\n{pdu}")
    bench.feed(sms.events(Dialect.EARLY))
    bench.settle()

    assert bench.told == count * [(2, "+4915112345678", "hello")]


@pytest.mark.parametrize(
    ("time", "other"),
    [
        ("2026/03/14 15:09:26", "26/03/14,15:09:26"),
        ("2026/03/14 15:09:26", " 2026/03/14 15:09:26"),
    ],
)
def test_a_repetition_without_pdu(bench: Bench, time: str, other: str) -> None:
    """It's known by its time, in whatever form that is written and in any zone."""
    for number, (each, zone) in enumerate([(time, "GMT+8"), (other, "unknow")]):
        sms = Sms(time=each, zone=zone, uniqueid=f"1795400805.{number}")
        bench.feed(sms.events(Dialect.EARLY))
        bench.settle()

    assert bench.told == [(2, "+4915112345678", "hello")]


def test_a_sender_that_is_too_long(bench: Bench) -> None:
    """The rest is left out. Only a gateway that isn't one gives such a sender."""
    bench.feed(Sms(sender=b"x" * 5000, pdu="").events(Dialect.EARLY))
    bench.settle()

    assert bench.told == [(2, "x" * 255, "hello")]


ASTERISK_100_HASH = "05811A00FB"  # *100#, an address in hex


@pytest.mark.parametrize(
    ("told", "address", "sender"),
    [
        (b"Telekom@", "Telekom", "Telekom"),  # seven letters
        (b"A100B", ASTERISK_100_HASH, "*100#"),  # digits that are none
        (b"4915112345678", "+4915112345678", "+4915112345678"),
        (b"Shop\xffe", "Shop€", "Shop€"),
    ],
)
def test_senders_that_the_driver_spoils(
    bench: Bench, told: bytes, address: str, sender: str
) -> None:
    """The PDU tells them as they are."""
    sms = Sms(sender=told, pdu=deliver_pdu(address, "hello"))
    bench.feed(sms.events(Dialect.EARLY))
    bench.clock.let_pass(SETTLE_TIME)

    assert bench.told == [(2, sender, "hello")]


def test_a_pdu_without_service_centre(bench: Bench) -> None:
    """The driver then tells no sender at all."""
    pdu = deliver_pdu("+491", "hello", service_centre="00")
    bench.feed(Sms(sender=b"", pdu=pdu).events(Dialect.EARLY))
    bench.clock.let_pass(SETTLE_TIME)

    assert bench.told == [(2, "+491", "hello")]


# Without a PDU


@pytest.mark.parametrize(
    ("rendering", "text"),
    [
        (b"5 \xffe", "5 €"),
        (b"\xccl", "Öl"),
        (b"\xff\xff", "\ufffd\ufffd"),
        (b"gr\xfcn", "grün"),
        (b"\xef\xbb\xbfcut \xe6\x88", "cut \ufffd"),
        (b"", ""),
    ],
)
@BOTH_DIALECTS
def test_what_the_driver_makes_of_letters(
    bench: Bench, dialect: Dialect, rendering: bytes, text: str
) -> None:
    """GSM 7-bit comes nearly as Latin-1, UCS-2 as UTF-8."""
    bench.feed(Sms(text=rendering).events(dialect))
    bench.settle()

    assert [sms.text for sms in bench.messages] == [text]


@BOTH_DIALECTS
@pytest.mark.parametrize(
    "text",
    [
        '"',
        "\\",
        "`",
        '\\"',
        "\\\\",
        "C:\\",
        '"quoted"',
        'a\\"b`c\\',
        "\\n",
        "it's?\a\b\f\t\v",
    ],
)
@pytest.mark.parametrize("sources", [(VARSET,), (NEWEXTEN,), ALL], ids=str)
def test_escapes(
    bench: Bench, sources: tuple[str, ...], text: str, dialect: Dialect
) -> None:
    """Those of the driver and those of Asterisk are undone, each once."""
    bench.feed(Sms(text=text.encode()).events(dialect, sources))
    bench.settle()

    assert [sms.text for sms in bench.messages] == [text]


@pytest.mark.parametrize(
    "value", [b"a\\xb", b"ends in \\", b"\\"], ids=["no escape", "half", "lone"]
)
def test_values_that_asterisk_12_does_not_escape(bench: Bench, value: bytes) -> None:
    """They are taken as they are."""
    sms = Sms()
    head = "Variable: SMSTXT\r\nValue:"
    bench.feed(
        [
            sms.varset(Dialect.LATE, "SMSSRC", b"+491"),
            event(
                Dialect.LATE, VARSET, sms.channel, sms.uniqueid, head=head, value=value
            ),
        ]
    )
    bench.settle()

    assert bench.told == [(2, "+491", value.decode())]


@pytest.mark.parametrize(
    ("time", "zone", "sent_at"),
    [
        ("2026/03/14 15:09:26", "GMT+8", "2026-03-14T15:09:26+08:00"),
        ("26/03/14,15:09:26", "GMT+1", "2026-03-14T15:09:26+01:00"),
        (" 2026/03/14 15:09:26 ", " GMT+14 ", "2026-03-14T15:09:26+14:00"),
        ("2026/03/14 15:09:26", "GMT+0", None),  # or anywhere far in the west
        ("2026/03/14 15:09:26", "GMT+5", None),  # or India's half hour more
        ("2026/03/14 15:09:26", "GMT+15", None),
        ("2026/03/14 15:09:26", "GMT+23", None),  # somewhere in the west
        ("2026/03/14 15:09:26", "unknow", None),
        ("2026/03/14 15:09:26", "", None),
        ("2026/13/14 15:09:26", "GMT+8", None),
        ("", "GMT+8", None),
    ],
)
def test_the_time_as_the_driver_tells_it(
    bench: Bench, time: str, zone: str, sent_at: str | None
) -> None:
    """It is taken where it is certain."""
    bench.feed(Sms(time=time, zone=zone).events(Dialect.EARLY))
    bench.settle()

    told = bench.messages[0].sent_at
    assert (told and told.isoformat()) == sent_at


@BOTH_DIALECTS
def test_a_pdu_that_cannot_be_read(bench: Bench, dialect: Dialect) -> None:
    """The rest of what the gateway told is taken, then."""
    bench.feed(Sms(pdu="nonsense").events(dialect))
    bench.settle()

    assert bench.told == [(2, "+4915112345678", "hello")]


@BOTH_DIALECTS
def test_a_pdu_of_another_sender(bench: Bench, dialect: Dialect) -> None:
    """It is not believed: SMSSRC comes before anything that a text can forge."""
    forged = deliver_pdu("MyBank", "your code is 1234")
    bench.feed(Sms(pdu=forged).events(dialect))
    bench.settle()

    assert bench.told == [(2, "+4915112345678", "hello")]


@BOTH_DIALECTS
def test_firmware_that_shows_the_text_alone(bench: Bench, dialect: Dialect) -> None:
    """The first step then holds the text; of the rest nothing is known."""
    sms = Sms(text=b"hello")
    bench.feed(
        [
            sms.step(dialect, 1, "NoOp", b"hello"),
            sms.step(dialect, 2, "AGI", b"read-sms"),
            sms.step(dialect, 3, "Hangup", b""),
        ]
    )
    bench.settle()

    assert bench.told == [(2, "", "hello")]
    assert bench.messages[0].sent_at is None


@BOTH_DIALECTS
def test_a_step_other_than_the_first_one(
    bench: Bench, dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    """It tells nothing of the text."""
    bench.feed([Sms().step(dialect, 2, "AGI", b"read-sms")])
    bench.settle()

    assert bench.messages == []
    assert "Span 2: the gateway gave too little of an incoming SMS" in caplog.text


@BOTH_DIALECTS
def test_steps_that_come_late(
    bench: Bench, dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    """They tell nothing new, also while the next message comes in."""
    sms = sms_with_pdu("first")
    other = sms_with_pdu("second", uniqueid="1795400805.2")
    bench.feed(sms.events(dialect, (VARSET,)))
    bench.clock.let_pass(SETTLE_TIME)
    bench.feed(other.events(dialect, (VARSET,)))
    bench.feed(sms.events(dialect, (NEWEXTEN, HANGUP)))
    bench.feed(other.events(dialect, (NEWEXTEN, HANGUP)))
    bench.settle()

    assert [text for _, _, text in bench.told] == ["first", "second"]
    assert caplog.records == []


@BOTH_DIALECTS
def test_a_pdu_that_comes_after_a_forged_one(bench: Bench, dialect: Dialect) -> None:
    """It is waited for, and counts."""
    sms = sms_with_pdu("hello")
    first, second, third, *others = sms.events(dialect)
    bench.feed([first, second, sms.varset(dialect, "SMSPDU", FORGED_PDU.encode())])
    bench.clock.let_pass(2 * SETTLE_TIME)
    assert bench.messages == []
    bench.feed([third, *others])
    bench.clock.let_pass(SETTLE_TIME)

    assert bench.told == [(2, "+4915112345678", "hello")]


@BOTH_DIALECTS
def test_variables_that_come_without_the_last_ones(
    bench: Bench, dialect: Dialect
) -> None:
    """What is there is taken after a time."""
    bench.feed(list(Sms().events(dialect, (VARSET,)))[:2])
    bench.settle()

    assert bench.told == [(2, "+4915112345678", "hello")]


# What is no message


@BOTH_DIALECTS
def test_what_else_goes_through_a_gateway(bench: Bench, dialect: Dialect) -> None:
    """Calls, sent SMS, and variables of the dialplan."""
    sms = Sms()
    call = event(
        dialect,
        VARSET,
        "EXTRA/3-1",
        "1.1",
        head="Variable: SMSSRC\r\nValue:",
        value=b"x",
    )
    bench.feed(
        [
            call,
            call.replace(b"EXTRA/3-1", b"EXTRA-SMSSEND/3-1"),
            call.replace(b"EXTRA/3-1", b"EXTRA-SMS/x-1"),
            call.replace(b"Value:", b"Worth:").replace(b"EXTRA/3-1", b"EXTRA-SMS/3-1"),
            call.replace(b"VarSet", b"Newstate").replace(b"EXTRA/", b"EXTRA-SMS/"),
            sms.varset(dialect, "SYSTEMSTATUS", b"SUCCESS"),
            sms.step(dialect, 1, "NoOp", b"x").replace(
                b"Extension: sms", b"Extension: h"
            ),
        ]
    )
    bench.settle()

    assert bench.messages == []
    assert not bench.clock.running


def test_a_packet_is_looked_into_only_where_it_may_concern_an_sms(
    bench: Bench,
) -> None:
    """A busy gateway sends hundreds of others a second."""
    assert bench.inbox.wants(b"Event: VarSet\r\nChannel: EXTRA-SMS/3-1")
    assert not bench.inbox.wants(b"Event: VarSet\r\nChannel: EXTRA/3-1")


@BOTH_DIALECTS
def test_a_message_of_which_too_little_is_told(
    bench: Bench, dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    """It cannot be delivered, but it leaves a warning."""
    bench.feed([Sms().varset(dialect, "SMSSRC", b"+4915112345678")])
    bench.clock.let_pass(42)

    assert bench.messages == []
    assert "Span 2: the gateway gave too little of an incoming SMS" in caplog.text
    assert "+49" not in caplog.text


@BOTH_DIALECTS
@pytest.mark.parametrize(("with_pdu", "seconds"), [(True, 0.25), (False, 2)])
def test_how_long_an_sms_is_held_back(
    bench: Bench, with_pdu: bool, seconds: float, dialect: Dialect
) -> None:
    """No longer than its events may take; somebody may wait for the code in it."""
    text = "EXTRA-SMS/"
    bench.feed(hostile_sms(text, with_pdu=with_pdu).events(dialect))
    assert bench.messages == []
    bench.clock.let_pass(seconds)
    assert bench.told == [(2, ATTACKER, text)]


@BOTH_DIALECTS
@pytest.mark.parametrize("requires_pdu", [True, False])
@pytest.mark.parametrize("pause_after", [1, 2])
def test_a_gateway_that_pauses_within_an_sms(
    bench: Bench,
    pause_after: int,
    requires_pdu: bool,
    dialect: Dialect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It may be busy. Where nothing can be delivered yet, that does no harm."""
    bench.inbox.requires_pdu = requires_pdu or pause_after == 2
    events = list(sms_with_pdu("one\r\n\r\ntwo").events(dialect))
    bench.feed(events[:pause_after])
    bench.clock.let_pass(41.9)
    bench.feed(events[pause_after:])
    bench.settle()

    assert bench.told == [(2, "+4915112345678", "one\r\n\r\ntwo")]
    assert caplog.records == []


@BOTH_DIALECTS
def test_the_rest_of_an_sms_that_was_taken_without_its_pdu(
    bench: Bench, dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    """It comes too late, and is no other SMS."""
    events = list(sms_with_pdu("hello").events(dialect))
    bench.feed(events[:2])
    bench.settle()
    assert bench.told == [(2, "+4915112345678", "hello")]

    bench.feed(events[2:])
    bench.settle()
    bench.clock.let_pass(LONGEST_STALL)
    assert bench.told == [(2, "+4915112345678", "hello")]
    assert caplog.records == []


def test_an_sms_that_comes_after_it_was_given_up(bench: Bench) -> None:
    """It's taken then, as nothing has been delivered of it."""
    first, _, *rest = sms_with_pdu("hello").events(Dialect.LATE, (VARSET,))
    bench.feed([first])
    bench.clock.let_pass(MESSAGE_TIMEOUT + LONGEST_STALL)
    assert not bench.inbox.is_mid_message

    bench.feed(rest)
    bench.settle()
    assert bench.told == [(2, "+4915112345678", "hello")]


# The connection


def test_a_connection_that_is_lost_in_the_middle(bench: Bench) -> None:
    """What has come in is delivered; the other half is not waited for."""
    first, second, *_ = Sms(text=b"one\r\n\r\ntwo").events(Dialect.EARLY)
    bench.feed([first, second.partition(b"two")[0]])
    assert bench.inbox.is_mid_packet
    bench.reconnect()
    assert not bench.inbox.is_mid_packet
    bench.feed(sms_with_pdu("next", uniqueid="1795400806.1").events(Dialect.EARLY))
    bench.settle()

    assert bench.told == [(2, "+4915112345678", "next")]
    assert not bench.clock.running


@BOTH_DIALECTS
def test_a_gateway_that_counts_from_the_beginning_again(
    bench: Bench, dialect: Dialect
) -> None:
    """Its clock stood still while it was off; another SMS has the same Uniqueid."""
    bench.feed(sms_with_pdu("first").events(dialect))
    bench.reconnect()
    bench.feed(sms_with_pdu("second").events(dialect))

    assert [text for _, _, text in bench.told] == ["first", "second"]


def test_what_asterisk_spoils_in_a_variable(bench: Bench) -> None:
    """The step shows the bytes as they are."""
    sms = Sms(text="Grüße".encode("latin-1"))
    garbled = replace(sms, text="Gr\ufffd\ufffde".encode())
    bench.feed(garbled.events(Dialect.LATE, (VARSET,)))
    bench.feed(sms.events(Dialect.LATE, (NEWEXTEN, HANGUP)))
    bench.settle()

    assert [text for _, _, text in bench.told] == ["Grüße"]


@BOTH_DIALECTS
@pytest.mark.parametrize("sources", [ALL, (VARSET,), (NEWEXTEN,)], ids=str)
def test_a_gateway_that_comes_back_as_another_version(
    bench: Bench, dialect: Dialect, sources: tuple[str, ...]
) -> None:
    """It may have got new firmware meanwhile, which may show no variables."""
    other = Dialect.LATE if dialect is Dialect.EARLY else Dialect.EARLY
    bench.feed(sms_with_pdu("old").events(dialect))
    bench.settle()
    bench.reconnect()
    bench.feed(sms_with_pdu("new", uniqueid="1795400806.1").events(other, sources))
    bench.settle()

    assert [text for _, _, text in bench.told] == ["old", "new"]


@BOTH_DIALECTS
def test_a_suspicious_text_is_forgotten_with_its_connection(
    bench: Bench, dialect: Dialect
) -> None:
    """The next message is told at once."""
    suspicious = "Look: EXTRA-SMS/1-1"
    bench.feed(sms_with_pdu(suspicious).events(dialect))
    bench.clock.let_pass(SETTLE_TIME)
    bench.reconnect()
    bench.feed(sms_with_pdu("new", uniqueid="1795400806.1").events(dialect))

    assert [text for _, _, text in bench.told] == [suspicious, "new"]


def test_stop_delivers_what_is_there(bench: Bench) -> None:
    """Messages and parts that wait for more, at once; no timer is left."""
    header = concatenation(7, 2, 1, wide=False)
    part = Sms(pdu=deliver_pdu("+491", "<1>", header=header), sender=b"+491")
    bench.feed(part.events(Dialect.EARLY))
    bench.feed(list(Sms(uniqueid="2.2").events(Dialect.EARLY, (VARSET,)))[:2])
    name = Sms(uniqueid="3.3").varset(Dialect.EARLY, "SMSSRC", b"x\r\n\r\n")
    bench.feed([name.partition(b"Uniqueid")[0]])
    assert bench.inbox.is_mid_packet
    bench.inbox.stop()
    bench.assembler.flush()

    assert sorted(bench.told) == [(2, "+491", "<1>"), (2, "+4915112345678", "hello")]
    assert not bench.clock.running


def test_many_messages_leave_nothing_behind(bench: Bench) -> None:
    """What is remembered of them is limited."""
    for number in range(250):
        sms = sms_with_pdu(f"text {number}", uniqueid=f"1795400805.{number}")
        bench.feed(sms.events(Dialect.EARLY))
        bench.clock.let_pass(SETTLE_TIME)

    assert len(bench.messages) == 250
    assert not bench.clock.running
    assert len(bench.inbox._messages.recent) == 200  # noqa: SLF001
    assert len(bench.inbox._messages._certain) == 200  # noqa: SLF001
    bench.reconnect()
    assert not bench.inbox._messages._certain  # noqa: SLF001


# Hostile texts

ATTACKER = "+4915199999999"
ME = Sms(sender=ATTACKER.encode(), span=2, uniqueid="1795400805.7")
VICTIM = Sms(sender=b"MyBank", span=3, uniqueid="1795400805.8")
FOREIGN = "9.9"
FORGED_PDU = deliver_pdu("MyBank", "", service_centre="00")


def forged_varset(
    sms: Sms, variable: str, value: str, uniqueid: str | None = None
) -> str:
    """Write a VarSet as short as it can be, without its last line break."""
    end = "" if uniqueid is None else f"\r\nUniqueid: {uniqueid}"
    return (
        f"\r\n\r\nEvent: VarSet\r\nPrivilege: \r\nChannel: {sms.channel}\r\n"
        f"Variable: {variable}\r\nValue: {value}{end}"
    )


def forged_newexten(sms: Sms, data: str, uniqueid: str | None = None) -> str:
    """Write a Newexten as short as it can be, without its last line break."""
    end = "" if uniqueid is None else f"\r\nUniqueid: {uniqueid}"
    return (
        f"\r\n\r\nEvent: Newexten\r\nPrivilege: \r\nChannel: {sms.channel}\r\n"
        f"AppData: {data}{end}"
    )


def forged_end(uniqueid: str) -> str:
    """Write what would end a packet of Asterisk 1.8."""
    return f"\r\nUniqueid: {uniqueid}"


def forged_late(sms: Sms, variable: str, value: str, uniqueid: str) -> str:
    """Write a VarSet of a later Asterisk without most of its headers."""
    return (
        f"\r\n\r\nEvent: VarSet\r\nPrivilege: \r\nChannel: {sms.channel}\r\n"
        f"Uniqueid: {uniqueid}\r\nVariable: {variable}\r\nValue: {value}"
    )


PROCESS = '/process_sms "3" "MyBank" "" "pay"'

# Nothing in these is a Uniqueid that was guessed right.
HARMLESS: dict[str, str] = {
    "line breaks": "one\r\ntwo\nthree\rfour",
    "blank line": "one\r\n\r\ntwo",
    "blank lines": "one\r\n\r\n\r\n\r\n\r\ntwo",
    "line break at the end": "one\r\n",
    "blank line at the end": "one\r\n\r\n",
    "line break at the beginning": "\r\n\r\n\r\none",
    "nothing but line breaks": "\r\n\r\n\r\n",
    "half a line break": "one\r\n\r",
    "quotes across a blank line": 'say "one\r\n\r\ntwo" > now',
    "quote before a blank line": 'say "one" > /dev/null\r\n\r\ntwo',
}
HOSTILE: dict[str, str] = {
    "end of packet": "x" + forged_end("1.1"),
    "end of packet and blank line": f"x{forged_end('1.1')}\r\n\r\n",
    "VarSet without Uniqueid": "x" + forged_varset(ME, "SMSSRC", "MyBank"),
    "VarSet with a foreign Uniqueid": "x"
    + forged_varset(ME, "SMSSRC", "MyBank", FOREIGN),
    "VarSet on another channel": "x"
    + forged_varset(VICTIM, "SMSSRC", "MyBank", FOREIGN),
    "end and VarSet": "x" + forged_end("1.1") + forged_varset(ME, "SMSSRC", "MyBank"),
    "end and text": "x" + forged_end("1.1") + forged_varset(ME, "SMSTXT", "pay"),
    "PDU": "x" + forged_varset(ME, "SMSPDU", FORGED_PDU),
    "end and PDU": "x" + forged_end("1.1") + forged_varset(ME, "SMSPDU", FORGED_PDU),
    "DIALSTATUS": "x" + forged_end("1.1") + forged_varset(ME, "DIALSTATUS", "SMS_END"),
    "process_sms": "x" + forged_newexten(VICTIM, PROCESS, FOREIGN),
    "own process_sms": "x" + forged_end("1.1") + forged_newexten(ME, PROCESS),
    "end and process_sms": "x"
    + forged_end("1.1")
    + forged_newexten(VICTIM, PROCESS, FOREIGN),
    "Hangup": f"x\r\n\r\nEvent: Hangup\r\nChannel: {ME.channel}\r\nUniqueid: {FOREIGN}",
    "end of command": "x\r\n--END COMMAND--\r\n\r\nResponse: Success",
    "Response: Follows": "x\r\n\r\nResponse: Follows\r\nPrivilege: Command\r\n",
    "half a packet": f"x\r\n\r\nEvent: VarSet\r\nChannel: {VICTIM.channel}\r\nValue:",
    "half a packet behind an end": f"x{forged_end('1.1')}\r\n\r\nEvent: VarSet\r\n"
    f"Privilege: \r\nChannel: {VICTIM.channel}\r\nVariable: SMSTXT\r\nValue: pay",
    "PDU on another channel": "x"
    + forged_end("1.1")
    + forged_varset(VICTIM, "SMSPDU", FORGED_PDU),
    "half a process_sms": "x" + forged_newexten(VICTIM, PROCESS[:-1]),
    "message by its PDU": "x"
    + forged_end("1.1")
    + forged_varset(VICTIM, "SMSPDU", FORGED_PDU, FOREIGN),
    "whole message": "x"
    + forged_end("1.1")
    + forged_varset(VICTIM, "SMSSRC", "MyBank", FOREIGN)
    + forged_varset(VICTIM, "SMSTXT", "pay", FOREIGN)
    + forged_varset(VICTIM, "SMSPDU", FORGED_PDU, FOREIGN)
    + forged_varset(VICTIM, "DIALSTATUS", "SMS_END", FOREIGN),
    "whole message of a later Asterisk": "x"
    + forged_end("1.1")
    + forged_late(VICTIM, "SMSSRC", "MyBank", FOREIGN)
    + forged_late(VICTIM, "SMSTXT", "pay", FOREIGN)
    + forged_late(VICTIM, "SMSTIME", "", FOREIGN),
    "whole message on the own channel": "x"
    + forged_end("1.1")
    + forged_varset(ME, "SMSSRC", "MyBank", FOREIGN)
    + forged_varset(ME, "SMSPDU", FORGED_PDU, FOREIGN),
}
# These hold one: the sender is lucky, or saw it.
GUESSED: dict[str, str] = {
    "end": "x" + forged_end(ME.uniqueid),
    "end and own sender": "x"
    + forged_end(ME.uniqueid)
    + forged_varset(ME, "SMSSRC", "MyBank", ME.uniqueid),
    "end and own PDU": "x"
    + forged_end(ME.uniqueid)
    + forged_varset(ME, "SMSPDU", FORGED_PDU, ME.uniqueid),
    "end and own PDU of oneself": "x"
    + forged_end(ME.uniqueid)
    + forged_varset(ME, "SMSPDU", deliver_pdu(ATTACKER, "y"), ME.uniqueid),
    "end and process_sms": "x"
    + forged_end(ME.uniqueid)
    + forged_newexten(ME, PROCESS, ME.uniqueid),
    "message by its PDU": HOSTILE["message by its PDU"].replace("1.1", ME.uniqueid, 1),
    "sender of another message": "x"
    + forged_end(ME.uniqueid)
    + forged_varset(VICTIM, "SMSSRC", "MyBank", FOREIGN),
    "message by process_sms": "x"
    + forged_end(ME.uniqueid)
    + forged_newexten(VICTIM, PROCESS, FOREIGN),
    "half a packet": "x"
    + forged_end(ME.uniqueid)
    + forged_varset(VICTIM, "SMSTXT", "pay"),
    "foreign event on the victim's channel": "x"
    + forged_end(ME.uniqueid)
    + forged_newexten(VICTIM, "pay", FOREIGN),
    "PDU for the victim's message": "x"
    + forged_end(ME.uniqueid)
    + forged_varset(VICTIM, "SMSPDU", FORGED_PDU, VICTIM.uniqueid),
    "sender for the victim's message": "x"
    + forged_end(ME.uniqueid)
    + forged_varset(VICTIM, "SMSSRC", "+491", VICTIM.uniqueid),
    "text for the victim's message": "x"
    + forged_end(ME.uniqueid)
    + forged_varset(VICTIM, "SMSTXT", "pay", VICTIM.uniqueid),
    "victim's Uniqueid on the own channel": "x"
    + forged_end(ME.uniqueid)
    + forged_varset(ME, "SMSPDU", FORGED_PDU, VICTIM.uniqueid),
    "own Uniqueid on the victim's channel": "x"
    + forged_end(ME.uniqueid)
    + forged_varset(VICTIM, "SMSPDU", FORGED_PDU, ME.uniqueid),
}
NEIGHBOURS = [
    sms_with_pdu("your code is 4711", "MyBank", span=3, uniqueid=VICTIM.uniqueid),
    sms_with_pdu("before", "+492", span=1, uniqueid="1795400805.6"),
    sms_with_pdu("after\r\n\r\nall", "+493", span=4, uniqueid="1795400805.9"),
]
NEIGHBOURS_TOLD = [
    (3, "MyBank", "your code is 4711"),
    (1, "+492", "before"),
    (4, "+493", "after\r\n\r\nall"),
]
# How the events of the hostile message and those of the others may follow each other.
PAUSE = [b"Event: PeerStatus\r\n\r\n"]
ORDERS: dict[str, Callable[[list[bytes], list[list[bytes]]], Iterable[bytes]]] = {
    "alone": lambda mine, others: mine,
    "before the others": lambda mine, others: [*mine, *mixed(*others)],
    "after the others": lambda mine, others: [*mixed(*others), *mine],
    "mixed, first": lambda mine, others: mixed(mine, *others),
    "mixed, last": lambda mine, others: mixed(*others, mine),
    "mixed, one later": lambda mine, others: mixed(*others, PAUSE + mine),
    "mixed, one earlier": lambda mine, others: mixed(
        mine, *(PAUSE + events for events in others)
    ),
    "mixed, two earlier": lambda mine, others: mixed(
        mine, *(2 * PAUSE + events for events in others)
    ),
}


def attack(
    bench: Bench,
    mine: Sms,
    dialect: Dialect,
    sources: tuple[str, ...],
    order: str,
    *,
    with_pdu: bool,
) -> list[tuple[int, str, str]]:
    """Send an SMS among others, which must arrive; return what else is reported."""
    others = NEIGHBOURS
    if not with_pdu:
        others = [replace(sms, pdu="") for sms in others]
    bench.feed(
        ORDERS[order](
            list(mine.events(dialect, sources)),
            [list(sms.events(dialect, sources)) for sms in others],
        )
    )
    bench.settle()
    told = list(bench.told)
    # A message that the text has forged waits for its PDU, and is dropped.
    bench.clock.let_pass(LONGEST_STALL)
    assert bench.told == told
    if order != "alone":
        for each in NEIGHBOURS_TOLD:
            assert each in told
            told.remove(each)
    assert not bench.clock.running
    return told


def hostile_sms(text: str, *, with_pdu: bool) -> Sms:
    """Make an SMS of the attacker."""
    pdu = deliver_pdu(ATTACKER, text) if with_pdu else ""
    return replace(ME, text=rendered(text), pdu=pdu)


def fits_into_pdu(text: str) -> bool:
    """Tell whether the longest PDU that can be written holds a text."""
    return len(septets_of(text)) <= 255


@BOTH_DIALECTS
@pytest.mark.parametrize("sources", [(VARSET,), ALL], ids=str)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name)
        for name, text in (HARMLESS | HOSTILE).items()
        if fits_into_pdu(text)
    ],
)
def test_hostile_texts_with_pdu(
    text: str, sources: tuple[str, ...], dialect: Dialect
) -> None:
    """They are one message with that text, from the one who wrote it."""
    mine = hostile_sms(text, with_pdu=True)

    for order in ORDERS:
        told = attack(Bench(), mine, dialect, sources, order, with_pdu=True)
        assert told == [(2, ATTACKER, text)]


@BOTH_DIALECTS
@pytest.mark.parametrize("sources", [(VARSET,), ALL], ids=str)
@pytest.mark.parametrize(
    "text", [pytest.param(text, id=name) for name, text in GUESSED.items()]
)
def test_a_guessed_uniqueid_with_pdu(
    text: str, sources: tuple[str, ...], dialect: Dialect
) -> None:
    """It is of no use, since the PDU tells what is the text of an SMS."""
    mine = hostile_sms(text, with_pdu=True)

    for order in ORDERS:
        told = attack(Bench(), mine, dialect, sources, order, with_pdu=True)
        assert told == [(2, ATTACKER, text)]


@BOTH_DIALECTS
@pytest.mark.parametrize("sources", [(VARSET,), (NEWEXTEN,), ALL], ids=str)
@pytest.mark.parametrize(
    "text", [pytest.param(text, id=name) for name, text in (HARMLESS | HOSTILE).items()]
)
def test_hostile_texts_without_pdu(
    text: str, sources: tuple[str, ...], dialect: Dialect
) -> None:
    """The same, but that blank lines may be lost."""
    mine = hostile_sms(text, with_pdu=False)

    for order in ORDERS:
        told = attack(Bench(), mine, dialect, sources, order, with_pdu=False)
        assert without_blank_lines(told) == without_blank_lines([(2, ATTACKER, text)])


@BOTH_DIALECTS
@pytest.mark.parametrize("sources", [(VARSET,), ALL], ids=str)
@pytest.mark.parametrize(
    "text", [pytest.param(text, id=name) for name, text in (HARMLESS | HOSTILE).items()]
)
def test_hostile_texts_where_nothing_is_escaped(
    text: str, sources: tuple[str, ...], dialect: Dialect
) -> None:
    """The variables are enough even so."""
    mine = replace(hostile_sms(text, with_pdu=False), driver_escapes=False)

    for order in ORDERS:
        told = attack(Bench(), mine, dialect, sources, order, with_pdu=False)
        assert without_blank_lines(told) == without_blank_lines([(2, ATTACKER, text)])


def test_a_program_in_a_first_step_that_shows_the_text_as_it_was(bench: Bench) -> None:
    """It's part of that text: with its quotes unescaped, a step still comes in one piece."""
    mine = hostile_sms(HOSTILE["process_sms"], with_pdu=False)
    first = mine.step(Dialect.EARLY, 1, "NoOp", mine.text)
    bench.feed([first, *replace(mine, noop=False).events(Dialect.EARLY, (NEWEXTEN,))])
    bench.settle()

    assert bench.told == [(2, ATTACKER, HOSTILE["process_sms"])]


WITHOUT_SENDER = {
    name: text
    for name, text in (HARMLESS | HOSTILE).items()
    if len(text) <= 160 and "\0" not in text
}
SHOWN_WITHOUT_SENDER = [
    ("SMSTXT", "SMSPDU", "SMSTIME", "SMSTZ", "DIALSTATUS"),
    ("SMSPDU", "SMSTIME", "SMSTZ", "DIALSTATUS"),
]


@pytest.mark.parametrize("shown", SHOWN_WITHOUT_SENDER, ids=["text", "no text"])
@pytest.mark.parametrize("sources", [(VARSET,), (VARSET, NEWEXTEN), ALL], ids=str)
@pytest.mark.parametrize("before", ["", '"'])
@pytest.mark.parametrize("text", WITHOUT_SENDER.values(), ids=WITHOUT_SENDER)
def test_hostile_texts_without_pdu_and_sender_where_nothing_is_escaped(
    bench: Bench,
    text: str,
    before: str,
    sources: tuple[str, ...],
    shown: tuple[str, ...],
) -> None:
    """Where the gateway says so little, they come from the one who wrote them, or nobody."""
    mine = replace(
        hostile_sms(before + text, with_pdu=False), driver_escapes=False, noop=False
    )
    bench.feed(
        each
        for each in mine.events(Dialect.EARLY, sources)
        if not each.startswith(b"Event: VarSet")
        or any(f"\r\nVariable: {name}\r\n".encode() in each[:130] for name in shown)
    )
    bench.settle()

    assert {(span, sender) for span, sender, _ in bench.told} <= {
        (2, ATTACKER),
        (2, ""),
    }


def without_blank_lines(
    told: list[tuple[int, str, str]],
) -> list[tuple[int, str, str]]:
    """Make one line break of many, and none at the ends."""
    return [
        (span, sender, re.sub("[\r\n]+", "\n", text).strip())
        for span, sender, text in told
    ]


@BOTH_DIALECTS
@pytest.mark.parametrize("with_pdu", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name)
        for name, text in HOSTILE.items()
        if fits_into_pdu(text)
    ],
)
def test_hostile_texts_leave_a_warning(
    bench: Bench,
    text: str,
    with_pdu: bool,
    dialect: Dialect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One, however much it forges; it names neither number nor text."""
    mine = hostile_sms(text, with_pdu=with_pdu)
    bench.feed(mine.events(dialect))
    bench.settle()

    [warning] = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert "imitates the gateway's own events" in warning.getMessage()
    assert ATTACKER not in caplog.text
    assert "MyBank" not in caplog.text


@BOTH_DIALECTS
@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_harmless_texts_leave_none(
    bench: Bench, text: str, dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    """People write line breaks."""
    bench.feed(hostile_sms(text, with_pdu=True).events(dialect))
    bench.settle()

    assert caplog.records == []


@pytest.mark.parametrize("name", ["\r\n\r\nMyBank", "a\r\n\r\n", "\r\nUniqueid"])
@BOTH_DIALECTS
@pytest.mark.parametrize("with_pdu", [True, False])
def test_a_hostile_name(
    bench: Bench, name: str, with_pdu: bool, dialect: Dialect
) -> None:
    """A sender's name may hold line breaks, too."""
    mine = replace(
        ME, sender=name.encode(), pdu=(with_pdu and deliver_pdu(name, "x")) or ""
    )
    told = attack(bench, mine, dialect, ALL, "mixed, first", with_pdu=with_pdu)

    assert [text for _, _, text in told] == ["x" if with_pdu else "hello"]
    if with_pdu:
        assert told[0][1] == name


@BOTH_DIALECTS
def test_a_message_that_was_forged_before_it_came(
    bench: Bench, dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    """What a text tells under a future Uniqueid does not stand in its way."""
    text = (
        "x"
        + forged_end(ME.uniqueid)
        + forged_varset(VICTIM, "SMSSRC", "+491", VICTIM.uniqueid)
    )
    bench.feed(hostile_sms(text, with_pdu=True).events(dialect))
    bench.clock.let_pass(SETTLE_TIME)
    bench.feed(NEIGHBOURS[0].events(dialect))
    bench.settle()

    assert bench.told == [(2, ATTACKER, text), NEIGHBOURS_TOLD[0]]


def test_a_message_that_is_dropped_as_forged_leaves_a_warning(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is dropped silently."""
    bench.feed(
        hostile_sms(GUESSED["sender of another message"], with_pdu=True).events(
            Dialect.EARLY
        )
    )
    bench.settle()

    assert "Span 3: dropped a message" in caplog.text
    assert bench.inbox.seen["forged"] == 1


def test_an_end_that_never_comes(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """After a time the rest is read without it, and nothing else is lost."""
    first, second, *_ = Sms().events(Dialect.EARLY)
    bench.feed([first, second.replace(b"Uniqueid", b"Otherid")])
    bench.feed(
        sms_with_pdu("other", "+492", span=4, uniqueid="5.5").events(Dialect.EARLY)
    )
    bench.settle()

    assert (4, "+492", "other") in bench.told
    assert "Span 2: the text of an SMS imitates" in caplog.text
    bench.clock.let_pass(LONGEST_STALL)
    assert not bench.clock.running


def test_an_end_that_comes_much_later(bench: Bench) -> None:
    """It isn't that of the text, and what came in between isn't part of it."""
    first, second, *rest = sms_with_pdu("hello").events(Dialect.EARLY)
    other = sms_with_pdu("other", "+492", span=4, uniqueid="5.5")
    bench.feed([first, second[: second.index(b"\r\nUniqueid")] + b"\r\n\r\n"])
    bench.feed(other.events(Dialect.EARLY))
    bench.feed(rest)
    bench.settle()

    assert sorted(bench.told) == [(2, "+4915112345678", "hello"), (4, "+492", "other")]


@pytest.mark.parametrize(("more", "is_held"), [(0, True), (1, False)])
def test_how_long_a_text_may_be(bench: Bench, more: int, is_held: bool) -> None:
    """What comes after its first piece is longer only if it isn't a text."""
    first, second, *_ = sms_with_pdu("hello").events(Dialect.EARLY)
    begin = second[: second.index(b"\r\nUniqueid")] + b"\r\n\r\n"
    bench.feed([first, begin, b"y" * (1024 + more) + b"\r\n\r\n"])
    assert bench.inbox.is_mid_packet is is_held


def test_how_long_a_text_may_stall(bench: Bench) -> None:
    """By then the connection is lost, or the end never comes."""
    first, second, *_ = sms_with_pdu("hello").events(Dialect.EARLY)
    bench.feed([first, second[: second.index(b"\r\nUniqueid")] + b"\r\n\r\n"])
    bench.clock.let_pass(MESSAGE_TIMEOUT + LONGEST_STALL - 0.01)
    assert bench.inbox.is_mid_packet
    bench.clock.let_pass(0.01)
    assert not bench.inbox.is_mid_packet
    bench.clock.let_pass(LONGEST_STALL)
    assert not bench.clock.running


def test_a_text_that_only_seems_torn(bench: Bench) -> None:
    """A later Asterisk writes it whole, so nothing more need come."""
    mine = replace(ME, text=b"C:\\", driver_escapes=False)
    bench.feed(list(mine.events(Dialect.LATE))[:8])  # the program's call is the last
    assert bench.inbox.is_mid_packet
    bench.settle()
    assert bench.told == [(2, ATTACKER, "C:\\")]


@pytest.mark.parametrize("piece", [b"y\r\n\r\n", 1020 * b"y" + b"\r\n\r\n"])
def test_how_much_may_be_held(bench: Bench, piece: bytes) -> None:
    """Several PDUs at once take more than a text, but they don't take long."""
    first, _, third, *_ = sms_with_pdu("hello").events(Dialect.EARLY)
    begin = third[: third.index(b"\r\nUniqueid")] + b"\r\n\r\n"
    bench.feed([first, begin, piece * (16 * 1024 // len(piece))])
    assert bench.inbox.is_mid_packet
    bench.feed([piece, piece])
    assert not bench.inbox.is_mid_packet


@pytest.mark.parametrize(("size", "is_held"), [(1024, True), (1025, False)])
def test_how_long_it_may_be_held(bench: Bench, size: int, is_held: bool) -> None:
    """After that it can only be one text, whatever comes then."""
    first, _, third, *_ = sms_with_pdu("hello").events(Dialect.EARLY)
    begin = third[: third.index(b"\r\nUniqueid")] + b"\r\n\r\n"
    bench.feed([first, begin, b"y" * size + b"\r\n\r\n"])
    assert bench.inbox.is_mid_packet
    bench.clock.let_pass(MESSAGE_TIMEOUT)
    assert bench.inbox.is_mid_packet is is_held
    bench.feed([b"y\r\n\r\n"])
    assert not bench.inbox.is_mid_packet


def test_when_another_warning_is_due(
    bench: Bench, caplog: pytest.LogCaptureFixture, freezer: FrozenDateTimeFactory
) -> None:
    """One stands for all that comes of one text, and the next one for a flood of them."""
    for number in range(4):
        if number == 3:
            freezer.tick(WARNING_PAUSE)
        sms = hostile_sms(HOSTILE["Hangup"], with_pdu=True)
        sms = replace(sms, uniqueid=f"1795400805.{number}")
        bench.feed(sms.events(Dialect.EARLY))
        bench.settle()
    warnings = [each.getMessage() for each in caplog.records if each.levelno > 20]
    assert len(warnings) == 2
    assert warnings[1].endswith("Further cases since the last such warning: 2")


def test_what_is_left_out_is_told_as_the_gateway_stops(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """There may be no other warning that would tell it."""
    for number in range(3):
        sms = hostile_sms(HOSTILE["Hangup"], with_pdu=True)
        bench.feed(replace(sms, uniqueid=f"1795400805.{number}").events(Dialect.EARLY))
        bench.settle()
    caplog.clear()
    bench.inbox.stop()

    [warning] = [each.getMessage() for each in caplog.records if each.levelno > 20]
    assert warning.endswith("Further cases since the last such warning: 1")


def test_an_end_that_does_not_come_for_long(bench: Bench) -> None:
    """What is kept meanwhile is limited."""
    first, second, *_ = Sms().events(Dialect.EARLY)
    other = sms_with_pdu("other", "+492", span=4, uniqueid="5.5")
    noise = replace(other, uniqueid="6.6").step(Dialect.EARLY, 1, "Dial", 600 * b"x")
    bench.feed([first, second.replace(b"Uniqueid", b"Otherid")])
    bench.feed(40 * [noise.replace(b"EXTRA-SMS/", b"EXTRA/")])
    bench.feed(other.events(Dialect.EARLY))
    bench.clock.let_pass(SETTLE_TIME)

    assert (4, "+492", "other") in bench.told


@BOTH_DIALECTS
@pytest.mark.parametrize("rest", [b"", b"\r\n\r\nanother line"], ids=["", "lines"])
def test_a_text_that_makes_process_sms_look_unfinished(
    bench: Bench, rest: bytes, dialect: Dialect
) -> None:
    """Where nothing is escaped, its last backslash escapes the closing quote."""
    mine = replace(ME, text=b"C:" + rest + b"\\", driver_escapes=False)
    others = [replace(sms, pdu="") for sms in NEIGHBOURS]
    bench.feed(mine.events(dialect, (NEWEXTEN,)))
    for other in others:
        bench.feed(other.events(dialect, (NEWEXTEN,)))
    bench.settle()

    assert set(NEIGHBOURS_TOLD) <= set(bench.told)
    if not rest:
        assert (2, ATTACKER, "C:\\") in bench.told


# What others need to know


@BOTH_DIALECTS
def test_whether_an_sms_is_coming_in(bench: Bench, dialect: Dialect) -> None:
    """Until its text is known for certain, events of calls may be its work."""
    first, *others = sms_with_pdu("hello").events(dialect)
    assert not bench.inbox.is_mid_message
    bench.feed([first])
    assert bench.inbox.is_mid_message
    bench.feed(others)
    assert not bench.inbox.is_mid_message
    bench.feed(hostile_sms(HOSTILE["Hangup"], with_pdu=True).events(dialect))
    assert bench.inbox.is_mid_message
    bench.clock.let_pass(SETTLE_TIME)
    assert not bench.inbox.is_mid_message


def test_whether_a_packet_is_torn(bench: Bench) -> None:
    """What comes next then belongs to a text."""
    first, second, *others = Sms(text=b"one\r\n\r\ntwo").events(Dialect.EARLY)
    begin, end = second[: second.index(b"two")], second[second.index(b"two") :]
    bench.feed([first])
    assert not bench.inbox.is_mid_packet
    bench.feed([begin])
    assert bench.inbox.is_mid_packet
    assert bench.inbox.wants(b"Event: Hangup")
    bench.feed([end, *others])
    assert not bench.inbox.is_mid_packet


def test_whether_an_event_is_written_as_usual(bench: Bench) -> None:
    """A later Asterisk writes more headers than a text can hold."""
    usual, forged = (
        Packet(event(dialect, "Hangup", "EXTRA/3-1", FOREIGN).rstrip())
        for dialect in (Dialect.LATE, Dialect.EARLY)
    )
    assert bench.inbox.has_usual_headers(forged)
    bench.feed(ME.events(Dialect.LATE))
    assert bench.inbox.has_usual_headers(usual)
    assert not bench.inbox.has_usual_headers(forged)
    bench.reconnect()
    assert bench.inbox.has_usual_headers(forged)


@BOTH_DIALECTS
def test_which_uniqueids_a_text_may_have_forged(bench: Bench, dialect: Dialect) -> None:
    """Those of SMS, and those that stand in the text of one that imitates events."""
    text = f"x\r\nEvent: {FOREIGN} y"
    bench.feed(hostile_sms(text, with_pdu=True).events(dialect))
    for _ in range(2):
        assert bench.inbox.may_have_forged(ME.uniqueid)
        assert bench.inbox.may_have_forged(FOREIGN)
        assert not bench.inbox.may_have_forged("1795400805.99")
        bench.settle()


@BOTH_DIALECTS
def test_a_harmless_text_is_not_suspected(bench: Bench, dialect: Dialect) -> None:
    """Otherwise a sender who guesses the Uniqueid of a call could hide it."""
    bench.feed(hostile_sms(f"x {FOREIGN} y", with_pdu=True).events(dialect))
    assert bench.inbox.may_have_forged(ME.uniqueid)
    assert not bench.inbox.may_have_forged(FOREIGN)


@BOTH_DIALECTS
def test_an_event_under_the_uniqueid_of_another_channel(
    bench: Bench, dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    """It belongs to one channel only."""
    first, *others = ME.events(dialect)
    forged = replace(VICTIM, uniqueid=ME.uniqueid).step(dialect, 1, "NoOp", b"pay")
    bench.feed([first, forged, *others])
    bench.settle()

    assert bench.told == [(2, ATTACKER, "hello")]
    assert "Span 3: the text of an SMS imitates" in caplog.text


def test_events_of_the_other_dialect_are_forged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """A gateway does not change its mind."""
    bench.feed(ME.events(Dialect.LATE), VICTIM.events(Dialect.EARLY))
    bench.settle()

    assert bench.told == [(2, ATTACKER, "hello")]
    assert "Span 3: the text of an SMS imitates" in caplog.text


# Anything at all


def fragments(uniqueids: list[str]) -> st.SearchStrategy[list[str]]:
    """Draw pieces of text, with a liking for what may tear packets or forge them."""
    return st.lists(
        st.one_of(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
            st.sampled_from(
                ["\r\n", "\r\n\r\n", "\n", "\r", '"', "\\", "`", "😀", "€", PROCESS]
            ),
            st.sampled_from(uniqueids).map(forged_end),
            st.builds(
                forged_varset,
                st.sampled_from([ME, VICTIM]),
                st.sampled_from(
                    ["SMSSRC", "SMSTXT", "SMSPDU", "SMSTIME", "DIALSTATUS"]
                ),
                st.sampled_from(
                    ["", "MyBank", ATTACKER, FORGED_PDU, deliver_pdu(ATTACKER, "y")]
                ),
                st.sampled_from([None, *uniqueids]),
            ),
            st.builds(
                forged_newexten,
                st.sampled_from([ME, VICTIM]),
                st.sampled_from(["pay", PROCESS]),
                st.sampled_from([None, *uniqueids]),
            ),
        ),
        max_size=6,
    )


def as_long_as_fits(fragments: list[str]) -> str:
    """Join fragments and cut them to what a PDU holds."""
    text = "".join(fragments)
    if all(character in ASCII_IN_GSM7 for character in text):
        while not fits_into_pdu(text):
            text = text[:-1]
        return text
    return text.encode("utf-16-be")[:250].decode("utf-16-be", "ignore")


@settings(max_examples=300, deadline=None)
@given(
    text=fragments([ME.uniqueid, VICTIM.uniqueid, FOREIGN]).map(as_long_as_fits),
    order=st.sampled_from(list(ORDERS)),
    sources=st.sampled_from([(VARSET,), ALL]),
    dialect=st.sampled_from(Dialect),
    driver_escapes=st.booleans(),
)
@example(
    text="\r\n",
    order="mixed, first",
    sources=ALL,
    dialect=Dialect.LATE,
    driver_escapes=True,
)
@example(  # a message begins that never has its PDU
    text="\r\nUniqueid: 1795400805.7\r\n\r\nEvent: VarSet\r\nPrivilege:\r\n"
    'Channel:EXTRA-SMS/1-3\r\nVariable:SMSSRC\r\nValue: \r\nUniqueid: "\r\n',
    order="alone",
    sources=(VARSET,),
    dialect=Dialect.EARLY,
    driver_escapes=True,
)
@example(  # it names the genuine sender of another SMS beside a forged one
    text="\r\n\r\nEvent: VarSet\r\nPrivilege: \r\nChannel: EXTRA-SMS/5-1\r\n"
    'Variable: SMSSRC\r\nValue: /process_sms "3" "MyBank" "" "pay"\r\n'
    "Uniqueid: 1795400805.8\r\n",
    order="mixed, first",
    sources=(VARSET,),
    dialect=Dialect.EARLY,
    driver_escapes=True,
)
@example(  # it forges a PDU, and the genuine one is set aside for a moment
    text="\r\n\r\nEvent: VarSet\r\nPrivilege: \r\nChannel: EXTRA-SMS/5-1\r\n"
    "Variable: SMSPDU\r\nValue: 00040BD0CDBC30EC5E0300006230415190622300\r\n"
    "Uniqueid: 1795400805.8\r\n\r\nEvent: VarSet\r\nPrivilege:\r\n"
    "Channel:EXTRA-SMS/1-5\r\nVariable:x\r\nValue: ",
    order="mixed, last",
    sources=(VARSET,),
    dialect=Dialect.EARLY,
    driver_escapes=False,
)
def test_any_text_with_pdu(
    text: str,
    order: str,
    sources: tuple[str, ...],
    dialect: Dialect,
    driver_escapes: bool,
) -> None:
    """One message with that text and sender, and all of the others."""
    mine = replace(hostile_sms(text, with_pdu=True), driver_escapes=driver_escapes)

    told = attack(Bench(), mine, dialect, sources, order, with_pdu=True)
    assert told == [(2, ATTACKER, text)]


@settings(max_examples=300, deadline=None)
@given(
    text=fragments([FOREIGN]).map(as_long_as_fits).map(lambda text: text[:160]),
    order=st.sampled_from(list(ORDERS)),
    sources=st.sampled_from([(VARSET,), (NEWEXTEN,), ALL]),
    dialect=st.sampled_from(Dialect),
)
def test_any_text_without_pdu(
    text: str, order: str, sources: tuple[str, ...], dialect: Dialect
) -> None:
    """The same, but for what the driver cannot render, and blank lines."""
    mine = hostile_sms(text, with_pdu=False)

    told = attack(Bench(), mine, dialect, sources, order, with_pdu=False)
    text = re.split("[\U00010000-\U0010ffff]", text)[0]
    assert without_blank_lines(told) == without_blank_lines([(2, ATTACKER, text)])


@settings(max_examples=200, deadline=None)
@given(
    pieces=st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [each for d in Dialect for each in NEIGHBOURS[0].events(d)]
            ),
            st.sampled_from(
                [each[:-20] for d in Dialect for each in NEIGHBOURS[0].events(d)]
            ),
        )
    )
)
def test_any_bytes(pieces: list[bytes]) -> None:
    """Nothing raises, and nothing is left when the time is over."""
    bench = Bench()
    bench.feed(pieces)
    bench.settle()
    bench.settle()
    bench.inbox.stop()
    bench.assembler.flush()

    assert not bench.clock.running
