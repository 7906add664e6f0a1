"""Calls: from the bytes of the wire to news of each call.

The text of an SMS can hold the events of a call that there never was, so all of
this stands behind the inbox, in both ways in which Asterisk writes events.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
import json
from pathlib import Path

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.openvox_gsm.ami import Packet
from custom_components.openvox_gsm.ami.packet import PacketReader
from custom_components.openvox_gsm.gateway.calls import tracker as tracker_module
from custom_components.openvox_gsm.gateway.calls.tracker import (
    CallTracker,
    voice_channel,
)
from custom_components.openvox_gsm.gateway.gateway import Gateway
from custom_components.openvox_gsm.gateway.model import (
    CallDirection,
    CallEvent,
    CallEventType,
    IncomingSms,
)
from custom_components.openvox_gsm.gateway.receiving import inbox as inbox_module
from custom_components.openvox_gsm.gateway.receiving.assembly import Assembler
from custom_components.openvox_gsm.gateway.receiving.inbox import (
    LONGEST_STALL,
    MESSAGE_TIMEOUT,
    SETTLE_TIME,
    Inbox,
)
from simulator import Box, Dialect, Simulator
from simulator.model.channels import Channel, ChannelEvents, ChannelState

from tests.gateway.clock import Clock
from tests.gateway.conftest import Heard, kinds_of_gateway, until
from tests.gateway.receiving.test_inbox import (
    ALL,
    NEWEXTEN,
    VARSET,
    Dialect as Writing,
    Sms,
    sms_with_pdu,
)

RECORDINGS = Path(__file__).parents[2] / "data" / "recorded-2.0.8"
CALLER = "+4915112345678"
FORGED = "+491"

INCOMING, OUTGOING = CallDirection.INCOMING, CallDirection.OUTGOING
RINGING, ANSWERED = CallEventType.RINGING, CallEventType.ANSWERED
MISSED, ENDED = CallEventType.MISSED, CallEventType.ENDED

BOTH_DIALECTS = pytest.mark.parametrize("dialect", Dialect)


@dataclass
class Phone:
    """Writes the events of one call."""

    dialect: Dialect
    span: int = 1
    number: str = CALLER
    uniqueid: str = "1795400900.7"

    def __post_init__(self) -> None:
        """Take a channel of the span."""
        self._events = ChannelEvents(self.dialect)
        self.channel = Channel(
            f"EXTRA/{voice_channel(self.span)}-1",
            f"gsm-{self.span}",
            "s",
            self.uniqueid,
            caller=self.number,
        )

    def begins(self, state: ChannelState) -> bytes:
        """Write the beginning of the call."""
        self.channel.state = state
        return self._events.new_channel(self.channel)

    def becomes(self, state: ChannelState) -> bytes:
        """Write a new state of the call."""
        self.channel.state = state
        return self._events.new_state(self.channel)

    def ends(self, cause: int = 16) -> bytes:
        """Write the end of the call."""
        return self._events.hangup(self.channel, cause)


@dataclass
class Bench:
    """A tracker behind an inbox and a reader, and what it tells."""

    clock: Clock = field(default_factory=Clock)
    news: list[CallEvent] = field(default_factory=list)
    messages: list[IncomingSms] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Connect the parts as a gateway does."""
        self.assembler = Assembler(self.messages.append, self.clock.call_later)
        self.inbox = Inbox(self.assembler.add, self.clock.call_later)
        self.calls = CallTracker(self.news.append, self.inbox, self.clock.call_later)
        self.reader = PacketReader()

    def feed(self, *raw: bytes | Iterable[bytes]) -> None:
        """Let events come in."""
        data = b"".join(
            chain.from_iterable(
                [each] if isinstance(each, bytes) else each for each in raw
            )
        )
        for packet in self.reader.feed(data):
            for receiver in (self.inbox, self.calls):
                if receiver.wants(packet):
                    receiver.receive(Packet(packet))

    def settle(self) -> None:
        """Let the time pass in which SMS are judged."""
        self.clock.let_pass(2 * MESSAGE_TIMEOUT + 1)

    @property
    def told(self) -> list[tuple[int, CallEventType, CallDirection, str]]:
        """Span, type, direction and number of the news, in order."""
        return [
            (each.span, each.type, each.direction, each.number) for each in self.news
        ]


@pytest.fixture
def bench() -> Bench:
    """A tracker and what it tells."""
    return Bench()


def ring(phone: Phone) -> bytes:
    """Let a call come in."""
    return phone.begins(ChannelState.RING)


def outgoing(
    dialect: Dialect,
    *,
    span: int = 1,
    number: str = "",
    exten: str = "",
    uniqueid: str = "1795400900.7",
) -> Phone:
    """Return a phone that somebody calls through a span."""
    phone = Phone(dialect, span, number, uniqueid)
    phone.channel.exten = exten
    return phone


def wire(name: str) -> bytes:
    """Return what the driver was recorded to write, after the login."""
    path = RECORDINGS / f"{name}.json"
    written = json.loads(path.read_text("utf-8"))["wire"]
    raw = "".join(text for _, side, text in written if side == "gateway")
    return raw.partition("\r\n")[2].encode("latin-1")


# One call


@BOTH_DIALECTS
def test_words_that_are_too_long(bench: Bench, dialect: Dialect) -> None:
    """The rest of them is left out."""
    phone = Phone(dialect, number="1" * 1000)
    bench.feed(ring(phone), phone.ends().replace(b"Normal Clearing", b"x" * 5000))
    assert [each.number for each in bench.news] == ["1" * 255] * 2
    assert bench.news[1].cause_text == "x" * 255


def test_events_without_end_while_an_sms_comes_in(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """No more are held than a gateway has, and a warning says so."""
    first, *_ = sms_with_pdu("hello").events(Writing.EARLY)
    bench.feed(
        first,
        *(
            ring(Phone(Dialect.ASTERISK_1_8, uniqueid=f"{number}.7"))
            for number in range(4000)
        ),
    )
    assert len(bench.clock.running) < 2100
    bench.settle()

    assert len(bench.told) == 2000
    assert [record.getMessage() for record in caplog.records[:1]] == [
        "Dropped events of calls, as more came in at once than a gateway has calls"
    ]
    bench.calls.stop()
    assert (
        caplog.records[-1]
        .getMessage()
        .endswith("Further cases since the last such warning: 1998")
    )


def test_an_event_that_is_too_long(bench: Bench) -> None:
    """It's no honest one, and would take memory while it waits."""
    bench.feed(ring(Phone(Dialect.ASTERISK_1_8, number="1" * 9000)))
    assert not bench.told


@BOTH_DIALECTS
def test_a_call_comes_in_and_is_answered(
    bench: Bench, dialect: Dialect, freezer: FrozenDateTimeFactory
) -> None:
    """It rings, is answered and ends; the end tells how long and why."""
    phone = Phone(dialect, span=3)
    bench.feed(ring(phone))
    freezer.tick(5)
    bench.feed(phone.becomes(ChannelState.UP))
    freezer.tick(61)
    bench.feed(phone.ends(16))

    assert bench.told == [
        (3, kind, INCOMING, CALLER) for kind in (RINGING, ANSWERED, ENDED)
    ]
    assert [each.talk_time for each in bench.news] == [None, None, 61]
    assert [each.ring_time for each in bench.news] == [0, 5, 66]
    end = bench.news[-1]
    assert (end.cause, end.cause_text) == (16, "Normal Clearing")


@BOTH_DIALECTS
def test_a_call_is_missed(
    bench: Bench, dialect: Dialect, freezer: FrozenDateTimeFactory
) -> None:
    """It rings, and ends before anybody answers."""
    phone = Phone(dialect)
    bench.feed(ring(phone))
    freezer.tick(20)
    bench.feed(phone.ends(19))

    assert bench.told == [(1, RINGING, INCOMING, CALLER), (1, MISSED, INCOMING, CALLER)]
    assert (bench.news[-1].talk_time, bench.news[-1].ring_time) == (None, 20)


@BOTH_DIALECTS
def test_a_call_rings_at_its_first_sign(bench: Bench, dialect: Dialect) -> None:
    """The driver's events as recorded: Ring follows 3 s later, and is no second call."""
    phone = Phone(dialect)
    bench.feed(phone.begins(ChannelState.RESERVED))
    assert bench.told == [(1, RINGING, INCOMING, CALLER)]

    bench.feed(phone.becomes(ChannelState.RING), phone.becomes(ChannelState.UP))
    bench.feed(phone.ends())
    assert bench.told[1:] == [
        (1, ANSWERED, INCOMING, CALLER),
        (1, ENDED, INCOMING, CALLER),
    ]


@BOTH_DIALECTS
@pytest.mark.parametrize("number", [CALLER, ""])
def test_a_caller_gives_up_before_it_rings(
    bench: Bench, dialect: Dialect, number: str
) -> None:
    """That is a missed call like any other, and what most gate openers see."""
    phone = Phone(dialect, number=number)
    bench.feed(phone.begins(ChannelState.RESERVED), phone.ends())

    assert bench.told == [(1, RINGING, INCOMING, number), (1, MISSED, INCOMING, number)]


def test_nothing_is_told_of_a_call_after_its_end(bench: Bench) -> None:
    """A later Asterisk repeats the state there, which may be one that wasn't seen before."""
    phone = Phone(Dialect.ASTERISK_14)
    bench.feed(ring(phone))
    phone.channel.state = ChannelState.UP
    bench.feed(phone.ends())

    assert [each.type for each in bench.news] == [RINGING, MISSED]


def test_calls_as_recorded(bench: Bench) -> None:
    """Three calls that came in: answered, given up without a number, given up."""
    bench.feed(wire("40-calls-in-b-events"))
    bench.settle()

    assert bench.told == [
        (1, RINGING, INCOMING, CALLER),
        (1, ANSWERED, INCOMING, CALLER),
        (1, ENDED, INCOMING, CALLER),
        (2, RINGING, INCOMING, ""),
        (2, MISSED, INCOMING, ""),
        (2, RINGING, INCOMING, "10086"),
        (2, MISSED, INCOMING, "10086"),
    ]


def test_calls_out_as_recorded(bench: Bench) -> None:
    """Eight calls that went out: two were answered. No number is shown."""
    bench.feed(wire("41-calls-out-b-events"))

    assert {each.direction for each in bench.news} == {OUTGOING}
    assert [(each.type, each.cause) for each in bench.news] == [
        (ANSWERED, None),
        *((ENDED, cause) for cause in (16, 17, 19, 16, 38, 21, 0, 17)),
        (ANSWERED, None),
        (ENDED, 0),
    ]


@BOTH_DIALECTS
def test_a_call_that_begins_to_ring_later(bench: Bench, dialect: Dialect) -> None:
    """The channel may be there before it rings; it rings but once."""
    phone = Phone(dialect)
    bench.feed(phone.begins(ChannelState.DOWN))
    assert bench.news == []

    bench.feed(phone.becomes(ChannelState.RING), phone.becomes(ChannelState.RING))
    assert bench.told == [(1, RINGING, INCOMING, CALLER)]


@BOTH_DIALECTS
def test_a_call_goes_out(
    bench: Bench, dialect: Dialect, freezer: FrozenDateTimeFactory
) -> None:
    """That it rings there is no news here; that it is answered and ends is."""
    phone = outgoing(dialect, span=2, number=CALLER)
    bench.feed(
        phone.begins(ChannelState.RESERVED),
        phone.becomes(ChannelState.DIALING),
        phone.becomes(ChannelState.RINGING),
    )
    assert bench.news == []

    freezer.tick(4)
    bench.feed(phone.becomes(ChannelState.UP), phone.becomes(ChannelState.UP))
    freezer.tick(10)
    bench.feed(phone.ends())
    assert bench.told == [(2, ANSWERED, OUTGOING, CALLER), (2, ENDED, OUTGOING, CALLER)]
    assert (bench.news[-1].talk_time, bench.news[-1].ring_time) == (10, 14)


@BOTH_DIALECTS
async def test_a_call_that_we_make(bench: Bench, dialect: Dialect) -> None:
    """The gateway shows no number, so it's the one that we dialled."""
    ours = bench.calls.expect(2, CALLER)
    coming_in = Phone(dialect, 2, "+492", "1795400900.1")
    ringing = Phone(dialect, 2, "+493", "1795400900.3")
    elsewhere = outgoing(dialect, span=1, uniqueid="1795400900.2")
    bench.feed(
        coming_in.begins(ChannelState.RESERVED),
        ringing.begins(ChannelState.RING),
        elsewhere.begins(ChannelState.RESERVED),
    )
    assert ours.channel is None

    phone = outgoing(dialect, span=2)
    bench.news.clear()
    bench.feed(phone.begins(ChannelState.RESERVED))
    assert ours.channel == "EXTRA/3-1"
    bench.feed(phone.becomes(ChannelState.DIALING), phone.becomes(ChannelState.UP))
    assert not ours.cause.done()
    bench.feed(phone.ends(16))
    assert bench.told == [(2, ANSWERED, OUTGOING, CALLER), (2, ENDED, OUTGOING, CALLER)]
    assert bench.news[-1].talk_time == 0
    assert ours.cause.result() == 16


@BOTH_DIALECTS
async def test_a_call_that_we_do_not_make_any_more(
    bench: Bench, dialect: Dialect
) -> None:
    """It never began, so the next one that goes out is somebody else's."""
    ours = bench.calls.expect(2, CALLER)
    bench.calls.forget(ours)
    phone = outgoing(dialect, span=2)
    bench.feed(phone.begins(ChannelState.RESERVED), phone.ends(17))

    assert bench.told == [(2, ENDED, OUTGOING, "")]
    assert ours.channel is None


@BOTH_DIALECTS
def test_a_call_that_somebody_else_makes(bench: Bench, dialect: Dialect) -> None:
    """The extension may be the number that was dialled."""
    phone = outgoing(dialect, exten=CALLER)
    bench.feed(phone.begins(ChannelState.RESERVED), phone.ends(17))

    assert bench.told == [(1, ENDED, OUTGOING, CALLER)]


@BOTH_DIALECTS
def test_a_call_that_goes_out_is_not_answered(bench: Bench, dialect: Dialect) -> None:
    """It ends, and was no conversation; nobody here missed it."""
    phone = outgoing(dialect, number=CALLER)
    bench.feed(phone.begins(ChannelState.DIALING), phone.ends(17))

    assert bench.told == [(1, ENDED, OUTGOING, CALLER)]
    assert (bench.news[0].talk_time, bench.news[0].cause_text) == (None, "User busy")


def test_a_call_that_is_answered_at_once(bench: Bench) -> None:
    """Nothing says which way it went: only a call that comes in rings here."""
    bench.feed(Phone(Dialect.ASTERISK_1_8).begins(ChannelState.UP))

    assert bench.told == [(1, ANSWERED, OUTGOING, CALLER)]


@BOTH_DIALECTS
def test_what_happens_to_a_call_is_told_apart_from_other_calls(
    bench: Bench, dialect: Dialect
) -> None:
    """Even from one of the same span and number."""
    first, second = (Phone(dialect, uniqueid=f"1795400900.{n}") for n in (7, 8))
    bench.feed(ring(first), ring(second), second.ends(), first.ends())

    one, other, other_end, end = (each.call_id for each in bench.news)
    assert one == end
    assert other == other_end
    assert one != other


@BOTH_DIALECTS
@pytest.mark.parametrize("withheld", ["<unknown>", "", "unknown"])
def test_a_withheld_number(bench: Bench, dialect: Dialect, withheld: str) -> None:
    """It is empty, whatever Asterisk writes for it; it may come to be known later."""
    phone = Phone(dialect, number=withheld)
    bench.feed(ring(phone))
    phone.channel.caller = CALLER
    bench.feed(phone.ends())

    assert [each.number for each in bench.news] == ["", CALLER]


def test_a_cause_that_is_not_told(bench: Bench) -> None:
    """Then there is none."""
    phone = Phone(Dialect.ASTERISK_1_8)
    end = phone.ends().replace(b"Cause: 16\r\nCause-txt: Normal Clearing\r\n", b"")
    bench.feed(ring(phone), end)

    assert (bench.news[-1].cause, bench.news[-1].cause_text) == (None, "")


@BOTH_DIALECTS
def test_calls_on_several_spans(bench: Bench, dialect: Dialect) -> None:
    """Each has events of its own."""
    one = Phone(dialect, 1, "+491", "1795400900.1")
    two = Phone(dialect, 2, "+492", "1795400900.2")
    bench.feed(ring(one), ring(two), two.becomes(ChannelState.UP), one.ends())

    assert bench.told == [
        (1, RINGING, INCOMING, "+491"),
        (2, RINGING, INCOMING, "+492"),
        (2, ANSWERED, INCOMING, "+492"),
        (1, MISSED, INCOMING, "+491"),
    ]


# What is no call on a span


@BOTH_DIALECTS
def test_what_belongs_to_no_call(bench: Bench, dialect: Dialect) -> None:
    """Other channels, and what comes of a call that nobody saw begin."""
    phone = Phone(dialect)
    late = Phone(dialect, uniqueid="1795400900.8")
    bench.feed(
        ring(phone).replace(b"EXTRA/", b"SIP/"),
        ring(phone).replace(b"EXTRA/1-1", b"EXTRA/1-1<ZOMBIE>"),
        ring(phone).replace(b"Uniqueid: 1795400900.7", b"Uniqueid: "),
        ring(phone).replace(b"Uniqueid: 1795400900.7", b"Uniqueid: open"),
        late.becomes(ChannelState.RING),
        late.ends(),
    )
    assert bench.news == []

    # A Uniqueid is that of its channel.
    bench.feed(ring(phone), phone.ends().replace(b"EXTRA/1-1", b"EXTRA/3-1"))
    assert bench.told == [(1, RINGING, INCOMING, CALLER)]


def test_a_packet_that_is_no_event_of_a_call_costs_nothing() -> None:
    """It is not even parsed."""
    phone = Phone(Dialect.ASTERISK_1_8)

    assert CallTracker.wants(ring(phone))
    assert not CallTracker.wants(ring(phone).replace(b"EXTRA/", b"SIP/"))
    assert not CallTracker.wants(ring(phone).replace(b"EXTRA/", b"EXTRA-SMS/"))
    assert not CallTracker.wants(ring(phone).replace(b"Newchannel", b"Newexten"))
    longest = ring(phone).ljust(8 * 1024)
    assert CallTracker.wants(longest)
    assert not CallTracker.wants(longest + b" ")


@BOTH_DIALECTS
def test_a_call_that_goes_out_is_never_one_that_comes_in(
    bench: Bench, dialect: Dialect
) -> None:
    """Once it was dialled, no state that a firmware may show makes a phone ring here."""
    phone = outgoing(dialect)
    bench.feed(
        phone.begins(ChannelState.RESERVED),
        phone.becomes(ChannelState.DIALING),
        phone.becomes(ChannelState.RING),
        phone.ends(19),
    )
    assert bench.told == [(1, ENDED, OUTGOING, "")]


@BOTH_DIALECTS
def test_a_call_that_rings_without_dialling_first(
    bench: Bench, dialect: Dialect, freezer: FrozenDateTimeFactory
) -> None:
    """It goes out, and rings from then on. That's one event, whatever follows."""
    phone = outgoing(dialect, number=CALLER)
    bench.feed(phone.begins(ChannelState.DOWN))
    freezer.tick(3)
    bench.feed(phone.becomes(ChannelState.RINGING))
    freezer.tick(2)
    bench.feed(phone.becomes(ChannelState.RINGING), phone.becomes(ChannelState.RING))
    assert bench.news == []

    freezer.tick(5)
    bench.feed(phone.ends(17))
    assert bench.told == [(1, ENDED, OUTGOING, CALLER)]
    assert (bench.news[0].ring_time, bench.news[0].cause) == (7, 17)


@BOTH_DIALECTS
async def test_nothing_of_a_call_is_kept(bench: Bench, dialect: Dialect) -> None:
    """What ends twice has ended once, and leaves nothing behind."""
    bench.calls.expect(1, CALLER)
    phone = outgoing(dialect)
    bench.feed(phone.begins(ChannelState.RESERVED), phone.ends(17), phone.ends(17))
    waiting = Phone(dialect, uniqueid="1795400900.8")
    bench.feed(Sms().events(Writing.EARLY), ring(waiting), waiting.ends())
    bench.settle()

    assert bench.told == [
        (1, ENDED, OUTGOING, CALLER),
        (1, RINGING, INCOMING, CALLER),
        (1, MISSED, INCOMING, CALLER),
    ]
    calls = bench.calls
    kept = calls._calls, calls._expected, calls._waiting, calls._timers  # noqa: SLF001
    assert not any(kept)


@BOTH_DIALECTS
async def test_a_second_call_that_we_make_on_a_span(
    bench: Bench, dialect: Dialect
) -> None:
    """The end of the first, which comes late, is not the end of the second."""
    first = bench.calls.expect(1, CALLER)
    one = outgoing(dialect)
    bench.feed(one.begins(ChannelState.RESERVED))
    second = bench.calls.expect(1, CALLER)
    bench.calls.forget(first)
    two = outgoing(dialect, uniqueid="1795400900.8")
    bench.feed(two.begins(ChannelState.RESERVED), one.ends(17))

    assert first.cause.result() == 17
    assert second.channel == "EXTRA/1-1"
    assert not second.cause.done()
    bench.feed(two.ends(19))
    assert second.cause.result() == 19


@BOTH_DIALECTS
@pytest.mark.parametrize(
    "cause", [b"Cause: \r\n", b"Cause: 16a\r\n", b"Cause: 1234\r\n"]
)
def test_an_invalid_cause(bench: Bench, dialect: Dialect, cause: bytes) -> None:
    """Of Q.850 there are three digits at most."""
    phone = Phone(dialect)
    bench.feed(ring(phone), phone.ends(16).replace(b"Cause: 16\r\n", cause))

    assert bench.news[-1].cause is None


@BOTH_DIALECTS
@pytest.mark.parametrize(
    ("changed", "to"),
    [
        (b"Exten: s\r\n", b"Exten: t\r\n"),
        (b"Context: gsm-1\r\n", b"Context: gsm-2\r\n"),
        (b"ChannelStateDesc: Rsrvd\r\n", b"ChannelStateDesc: Down\r\n"),
    ],
)
def test_what_is_not_a_first_ring(
    bench: Bench, dialect: Dialect, changed: bytes, to: bytes
) -> None:
    """All three show it together; else the call has to ring first."""
    phone = Phone(dialect)
    begins = phone.begins(ChannelState.RESERVED)
    assert changed in begins
    bench.feed(begins.replace(changed, to))

    assert bench.news == []


@pytest.mark.parametrize("number", ["+49151", "*100#", "0", "1" * 64])
def test_an_extension_that_is_a_number(bench: Bench, number: str) -> None:
    """It is the one that was dialled."""
    phone = outgoing(Dialect.ASTERISK_1_8, exten=number)
    bench.feed(phone.begins(ChannelState.RESERVED), phone.ends(17))

    assert bench.told == [(1, ENDED, OUTGOING, number)]


@pytest.mark.parametrize("exten", ["s", "+", "49+151", "1" * 65, "sms"])
def test_an_extension_that_is_no_number(bench: Bench, exten: str) -> None:
    """Then it isn't known whom the call goes to."""
    phone = outgoing(Dialect.ASTERISK_1_8, exten=exten)
    phone.channel.context = "internal"
    bench.feed(phone.begins(ChannelState.RESERVED), phone.ends(17))

    assert bench.told == [(1, ENDED, OUTGOING, "")]


def test_calls_without_an_end_are_forgotten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest first, so that memory stays bounded."""
    monkeypatch.setattr(tracker_module, "_MAX_CALLS", 2)
    phones = [
        Phone(Dialect.ASTERISK_1_8, uniqueid=f"1795400900.{each}") for each in range(3)
    ]
    bench.feed(map(ring, phones))
    bench.news.clear()
    bench.feed(phone.ends() for phone in phones)

    assert len(bench.news) == 2


def test_the_connection_is_lost(bench: Bench) -> None:
    """Current calls are forgotten: they neither end nor begin again."""
    phone = Phone(Dialect.ASTERISK_1_8)
    later = Phone(Dialect.ASTERISK_1_8, uniqueid="1795400900.8")
    bench.feed(ring(phone))
    bench.feed(Sms().events(Writing.EARLY), ring(later))
    bench.news.clear()

    bench.inbox.connection_lost()
    bench.calls.connection_lost()
    bench.settle()
    bench.feed(phone.ends(), later.ends())
    assert bench.news == []

    bench.feed(ring(Phone(Dialect.ASTERISK_1_8, 3, "+493", "1795400900.9")))
    assert bench.told == [(3, RINGING, INCOMING, "+493")]


async def test_the_connection_is_lost_before_our_call_begins(bench: Bench) -> None:
    """The next one that goes out is somebody else's."""
    ours = bench.calls.expect(1, CALLER)
    bench.inbox.connection_lost()
    bench.calls.connection_lost()
    phone = outgoing(Dialect.ASTERISK_1_8)
    bench.feed(phone.begins(ChannelState.RESERVED), phone.ends(17))

    assert bench.told == [(1, ENDED, OUTGOING, "")]
    assert ours.channel is None


@BOTH_DIALECTS
@pytest.mark.parametrize(
    ("uniqueid", "is_call"),
    [
        ("1795400805.1", True),
        ("gw-1795400805.1", True),
        ("my-gw-1795400805.1", True),
        ("1795400805", False),
        ("1795400805.", False),
        ("gw1795400805.1", False),
        ("-1795400805.1", False),
        ("gw.1795400805.1", False),
        ("gw-1795400805.1x", False),
        ("g w-1795400805.1", False),
    ],
)
def test_the_uniqueid_of_a_call(
    bench: Bench, dialect: Dialect, uniqueid: str, is_call: bool
) -> None:
    """The system's name may stand before it (`systemname` in asterisk.conf)."""
    bench.feed(ring(Phone(dialect, uniqueid=uniqueid)))
    assert bench.told == ([(1, RINGING, INCOMING, CALLER)] if is_call else [])


# Calls while an SMS is being read

SUSPICIOUS = "Look: EXTRA-SMS/1-1"
WRITINGS = {Dialect.ASTERISK_1_8: Writing.EARLY, Dialect.ASTERISK_14: Writing.LATE}


def sms_events(dialect: Dialect, text: str, *sources: str) -> Iterator[bytes]:
    """Write an SMS as a gateway of this dialect does."""
    return sms_with_pdu(text, span=1).events(WRITINGS[dialect], sources or ALL)


@BOTH_DIALECTS
def test_a_call_comes_while_an_sms_is_read(bench: Bench, dialect: Dialect) -> None:
    """It is reported, in order, once it's certain that the text didn't forge it."""
    phone = Phone(dialect, span=2)
    bench.feed(sms_events(dialect, SUSPICIOUS), ring(phone), phone.ends())
    assert bench.news == []

    bench.clock.let_pass(SETTLE_TIME)
    assert bench.told == [(2, RINGING, INCOMING, CALLER), (2, MISSED, INCOMING, CALLER)]
    assert len(bench.messages) == 1


async def test_a_call_is_given_up_while_an_sms_is_read(bench: Bench) -> None:
    """What goes out before that is ours, and what goes out later is not."""
    ours = bench.calls.expect(2, CALLER)
    never_begun = bench.calls.expect(3, CALLER)
    phone = outgoing(Dialect.ASTERISK_1_8, span=2)
    bench.feed(sms_events(Dialect.ASTERISK_1_8, SUSPICIOUS))
    bench.feed(phone.begins(ChannelState.RESERVED), phone.ends(17))
    bench.calls.forget(ours)
    bench.calls.forget(never_begun)
    bench.clock.let_pass(SETTLE_TIME)
    assert bench.told == [(2, ENDED, OUTGOING, CALLER)]
    assert ours.cause.result() == 17

    bench.news.clear()
    stranger = outgoing(Dialect.ASTERISK_1_8, span=3, uniqueid="1795400900.8")
    bench.feed(stranger.begins(ChannelState.RESERVED), stranger.ends(17))
    assert bench.told == [(3, ENDED, OUTGOING, "")]
    assert never_begun.channel is None


def test_every_event_waits_its_full_time(bench: Bench) -> None:
    """One that waits already does not shorten the wait of another."""
    first = Phone(Dialect.ASTERISK_1_8, 1, "+491", "1795400900.1")
    second = Phone(Dialect.ASTERISK_1_8, 2, "+492", "1795400900.2")
    bench.feed(sms_events(Dialect.ASTERISK_1_8, SUSPICIOUS), ring(first))
    bench.clock.let_pass(SETTLE_TIME - 0.01)
    bench.feed(ring(second))
    bench.clock.let_pass(0.01)
    assert [each.number for each in bench.news] == ["+491"]

    bench.clock.let_pass(SETTLE_TIME - 0.01)
    assert [each.number for each in bench.news] == ["+491", "+492"]


@BOTH_DIALECTS
def test_a_call_that_ends_when_the_sms_is_read(bench: Bench, dialect: Dialect) -> None:
    """Its end doesn't overtake its beginning, which still waits."""
    phone = Phone(dialect, span=2)
    bench.feed(sms_events(dialect, SUSPICIOUS))
    bench.clock.let_pass(SETTLE_TIME - 0.01)
    bench.feed(ring(phone))
    bench.clock.let_pass(0.01)
    assert not bench.inbox.is_mid_message

    bench.feed(phone.ends())
    bench.clock.let_pass(SETTLE_TIME)
    assert bench.told == [(2, RINGING, INCOMING, CALLER), (2, MISSED, INCOMING, CALLER)]


# Calls that an SMS forges

#: A text whose packet seems to end early, so that what follows is set aside.
SEEMS_TO_END = "x\r\nUniqueid: 5.5\r\n\r\nEvent: New"


def forged(event: str, state: str = "Ring", uniqueid: str = "9.9") -> str:
    """Write an event of a call as short as it can be."""
    return (
        f"\r\n\r\nEvent: {event}\r\nPrivilege:\r\nChannel: EXTRA/1-1\r\n"
        f"ChannelStateDesc: {state}\r\nCallerIDNum: {FORGED}\r\n"
        f"Uniqueid: {uniqueid}"
    )


OWN_UNIQUEID = Sms().uniqueid
RUNNING = Phone(Dialect.ASTERISK_1_8).uniqueid
FORGERIES = {
    "call": "x" + forged("Newchannel"),
    "call at its first sign": "x"
    + forged("Newchannel", "Rsrvd\r\nExten: s\r\nContext: gsm-1"),
    "call and blank line": f"x{forged('Newchannel')}\r\n\r\n",
    "call and text": f"x{forged('Newchannel')}\r\n\r\nopen",
    "call without its end": "x" + forged("Newchannel").partition("\r\nUniqueid")[0],
    "call without privilege": "x"
    + forged("Newchannel").replace("Privilege:\r\n", "")
    + "\r\n\r\n",
    "behind a guessed end": f"x\r\nUniqueid: {OWN_UNIQUEID}{forged('Newchannel')}",
    "behind any end": f"x\r\nUniqueid: 1.1{forged('Newchannel')}\r\n\r\n",
    "by its own Uniqueid": "x"
    + forged("Newchannel", uniqueid=OWN_UNIQUEID)
    + "\r\n\r\n",
    "behind a guessed end, by its own Uniqueid": f"x\r\nUniqueid: {OWN_UNIQUEID}"
    + forged("Newchannel", uniqueid=OWN_UNIQUEID),
    "no Uniqueid that Asterisk writes": f"x\r\nUniqueid: {OWN_UNIQUEID}"
    + forged("Newchannel", uniqueid="open"),
    "behind an end of process_sms": 'x" > /dev/null\r\n\r\n' + forged("Newchannel"),
    "answer of a running call": "x" + forged("Newstate", "Up", RUNNING) + "\r\n\r\n",
    "end of a running call": "x" + forged("Hangup", "Up", RUNNING) + "\r\n\r\n",
    "end of a running call behind a guessed end": f"x\r\nUniqueid: {OWN_UNIQUEID}"
    + forged("Hangup", "Up", RUNNING),
}


@BOTH_DIALECTS
@pytest.mark.parametrize("sources", [ALL, (VARSET,), (VARSET, NEWEXTEN)])
@pytest.mark.parametrize("text", FORGERIES.values(), ids=FORGERIES.keys())
def test_an_sms_forges_a_call(
    bench: Bench, dialect: Dialect, text: str, sources: tuple[str, ...]
) -> None:
    """It is no call. Calls from before and calls that come later are reported."""
    assert len(text) <= 160  # more does not fit into one SMS
    running = Phone(dialect, span=1)
    bench.feed(ring(running))
    bench.feed(sms_events(dialect, text, *sources))
    bench.settle()
    assert bench.told == [(1, RINGING, INCOMING, CALLER)]
    assert [sms.text for sms in bench.messages] == [text]

    later = Phone(dialect, 2, "+492", "1795400955.1")
    bench.feed(ring(later))
    assert bench.told[1:] == [(2, RINGING, INCOMING, "+492")]


@BOTH_DIALECTS
@pytest.mark.parametrize("name", ["call", "call and text", "call without its end"])
def test_an_sms_forges_a_call_where_only_steps_are_seen(
    bench: Bench, dialect: Dialect, name: str
) -> None:
    """The program's step tells the text, too."""
    bench.feed(sms_events(dialect, FORGERIES[name], NEWEXTEN))
    bench.settle()

    assert bench.news == []


def test_an_sms_forges_a_call_in_the_first_event_that_is_seen(bench: Bench) -> None:
    """No message is known yet, but the call stands within a packet."""
    text = FORGERIES["call and text"]
    _, *events = sms_events(Dialect.ASTERISK_1_8, text, NEWEXTEN)
    bench.feed(events)
    bench.settle()

    assert bench.news == []


@BOTH_DIALECTS
@pytest.mark.parametrize("with_pdu", [True, False])
def test_a_forgery_that_comes_after_its_sms_was_read(
    bench: Bench, dialect: Dialect, with_pdu: bool
) -> None:
    """A step of the dialplan may come late; the text is remembered."""
    text = f"x{forged('Newchannel')}\r\n\r\nopen"
    sms = sms_with_pdu(text, span=1) if with_pdu else Sms(text.encode(), span=1)
    events = list(sms.events(WRITINGS[dialect]))
    bench.feed(events[:6])
    bench.settle()
    assert [sms.text for sms in bench.messages] == [text]

    bench.feed(events[6:])
    bench.settle()
    assert bench.news == []


def test_the_end_of_a_torn_packet_comes_late(bench: Bench) -> None:
    """What comes within the packet is not even taken into account."""
    text = f"x{forged('Newchannel')}\r\n\r\nopen"
    raw = b"".join(sms_events(Dialect.ASTERISK_1_8, text))
    cut = raw.index(b"open")
    bench.feed(raw[:cut])
    bench.clock.let_pass(2 * MESSAGE_TIMEOUT)
    bench.feed(raw[cut:])
    bench.settle()

    assert bench.news == []
    assert [sms.text for sms in bench.messages] == [text]


@pytest.mark.parametrize("cut", [b"Event: Newchannel", b"Uniqueid: 9.9", b"open"])
def test_a_call_that_comes_behind_a_stall_within_a_text(
    bench: Bench, cut: bytes
) -> None:
    """A packet goes on until its end is there, however long that takes."""
    text = f"x{forged('Newchannel')}\r\n\r\nopen"
    raw = b"".join(sms_events(Dialect.ASTERISK_1_8, text))
    at = raw.index(cut)
    bench.feed([raw[:at]])
    bench.clock.let_pass(LONGEST_STALL)
    bench.feed([raw[at:]])
    bench.settle()

    assert bench.news == []
    assert [sms.text for sms in bench.messages] == [text]


@pytest.mark.parametrize("gap", [0.0, 0.1, SETTLE_TIME])
def test_two_sms_forge_a_call_together(bench: Bench, gap: float) -> None:
    """The first one seems to end early, so the other's text is known only later."""
    bench.feed(
        sms_with_pdu(SEEMS_TO_END, span=2).events(Writing.EARLY, (VARSET,)),
    )
    bench.clock.let_pass(gap)
    text = f"x\r\nUniqueid: 6.6{forged('Newchannel', uniqueid='6.6')}"
    bench.feed(
        sms_with_pdu(text, span=1, uniqueid="1795400805.2").events(
            Writing.EARLY, (VARSET,)
        )
    )
    bench.settle()

    assert bench.news == []
    assert [sms.text for sms in bench.messages] == [SEEMS_TO_END, text]


def test_the_connection_is_lost_while_a_call_waits_again(bench: Bench) -> None:
    """Nothing of it stays."""
    bench.feed(sms_events(Dialect.ASTERISK_1_8, SEEMS_TO_END, VARSET))
    bench.clock.let_pass(SETTLE_TIME - 0.01)
    bench.feed(ring(Phone(Dialect.ASTERISK_1_8)))
    bench.feed(
        sms_with_pdu(SEEMS_TO_END, span=3, uniqueid="1795400805.2").events(
            Writing.EARLY, (VARSET,)
        )
    )
    bench.clock.let_pass(SETTLE_TIME)
    bench.calls.connection_lost()
    bench.inbox.connection_lost()
    bench.settle()

    assert bench.news == []
    assert bench.clock.running == []

    bench.feed(ring(Phone(Dialect.ASTERISK_1_8, 3, "+493", "1795400900.9")))
    assert bench.told == [(3, RINGING, INCOMING, "+493")]


def test_a_forgery_without_the_headers_of_a_later_asterisk(bench: Bench) -> None:
    """It is none of this gateway's events, even where nothing tells the text."""
    text = f"x{forged('Newchannel')}\r\n\r\n"
    step, *_ = sms_events(Dialect.ASTERISK_14, text, NEWEXTEN)
    phone = Phone(Dialect.ASTERISK_14)
    bench.feed(step, ring(phone))
    bench.settle()

    assert bench.told == [(1, RINGING, INCOMING, CALLER)]


# Through a gateway


@pytest.fixture
async def told(
    gateway: Simulator,
    new_client: Callable[..., Gateway],
    monkeypatch: pytest.MonkeyPatch,
) -> list[CallEvent]:
    """The call events of a client."""
    monkeypatch.setattr(tracker_module, "SETTLE_TIME", 0.02)
    news: list[CallEvent] = []
    await new_client(on_call=news.append).start()
    return news


@kinds_of_gateway()
async def test_calls_over_the_wire(gateway: Simulator, told: list[CallEvent]) -> None:
    """In, missed and answered, and out."""
    missed = await gateway.incoming_call(2, CALLER)
    await missed.hangup()
    answered = await gateway.incoming_call(3, CALLER)
    await answered.answer()
    await answered.hangup()
    await until(lambda: len(told) == 5)

    assert [(each.span, each.type) for each in told] == [
        (2, RINGING),
        (2, MISSED),
        (3, RINGING),
        (3, ANSWERED),
        (3, ENDED),
    ]
    assert {each.number for each in told} == {CALLER}


@kinds_of_gateway()
async def test_a_forged_call_over_the_wire(
    gateway: Simulator, told: list[CallEvent], heard: Heard
) -> None:
    """The SMS comes in as it is; the call that comes next is the only one."""
    text = f"x{forged('Newchannel')}\r\n\r\nopen"
    await gateway.receive_sms(1, CALLER, text)
    await until(lambda: heard.sms)
    await gateway.incoming_call(2, CALLER)
    await until(lambda: told)

    assert [sms.text for sms in heard.sms] == [text]
    assert [(each.span, each.number) for each in told] == [(2, CALLER)]


async def test_two_sms_forge_a_call_over_the_wire(
    gateway: Simulator, told: list[CallEvent], heard: Heard
) -> None:
    """They come in at the same moment, on two spans."""
    text = f"x\r\nUniqueid: 6.6{forged('Newchannel', uniqueid='6.6')}"
    await asyncio.gather(
        gateway.receive_sms(2, CALLER, SEEMS_TO_END),
        gateway.receive_sms(1, CALLER, text),
    )
    await until(lambda: len(heard.sms) == 2)
    await gateway.incoming_call(2, CALLER)
    await until(lambda: told)

    assert {sms.text for sms in heard.sms} == {SEEMS_TO_END, text}
    assert [(each.span, each.number) for each in told] == [(2, CALLER)]


@pytest.mark.parametrize(
    "gateway",
    [{"box": box, "sms_received": True} for box in Box],
    indirect=True,
    ids=list(Box),
)
@pytest.mark.parametrize(
    "stall",
    [
        b"Variable: SMSTXT",
        b"\r\n\r\nEvent: Newchannel",
        b"Event: Newchannel",
        b"Uniqueid: 9.9",
        b"\r\n\r\nopen",
        b"open",
        b"Variable: SMSPDU",
    ],
    ids=str,
)
async def test_a_forged_call_when_the_connection_stalls(
    gateway: Simulator,
    told: list[CallEvent],
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
    stall: bytes,
) -> None:
    """However late the rest of the text comes, it's a text, and nothing of it is lost."""
    monkeypatch.setattr(inbox_module, "MESSAGE_TIMEOUT", 0.04)
    text = f"x{forged('Newchannel')}\r\n\r\nopen"
    gateway.faults.freeze_before = stall
    await gateway.receive_sms(1, CALLER, text)
    await until(lambda: gateway.faults.frozen)
    await asyncio.sleep(0.15)  # longer than any time limit
    gateway.faults.thaw()
    await until(lambda: heard.sms)
    await gateway.incoming_call(2, CALLER)
    await until(lambda: told)

    assert [sms.text for sms in heard.sms] == [text]
    assert [(each.span, each.number) for each in told] == [(2, CALLER)]


async def test_a_call_that_waits_when_the_gateway_is_stopped(
    gateway: Simulator,
    new_client: Callable[..., Gateway],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody is there any more who could be told."""
    monkeypatch.setattr(tracker_module, "SETTLE_TIME", 0.3)
    news: list[CallEvent] = []
    client = new_client(on_call=news.append)
    await client.start()
    gateway.emit(
        b"Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: EXTRA-SMS/1-1\r\n"
        b"Variable: SMSSRC\r\nValue: +491\r\nUniqueid: 7.7\r\n\r\n"
    )
    await gateway.incoming_call(2, CALLER)
    await until(lambda: "Newchannel" in str(client.observer.trace.wire()))

    await client.stop()
    await asyncio.sleep(0.4)

    assert news == []


async def test_nobody_asks_for_calls(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """Then they come in all the same, but without events."""
    call = await gateway.incoming_call(1, CALLER)
    await call.hangup()
    await gateway.receive_sms(1, CALLER, "Hello")
    await until(lambda: heard.sms)
