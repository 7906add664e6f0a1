"""The parts of long SMS, and what the network delivers twice."""

from datetime import UTC, datetime, timedelta
import logging

import pytest

from custom_components.openvox_gsm.gateway.model import IncomingSms
from custom_components.openvox_gsm.gateway.receiving.assembly import (
    MAX_REMEMBERED,
    PARTS_TIMEOUT,
    Assembler,
    ReceivedPart,
)
from custom_components.openvox_gsm.gateway.receiving.pdu import (
    Coding,
    Concatenation,
    DeliverPdu,
)

from tests.gateway.clock import Clock

SENT_AT = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
ARRIVED_AT = datetime(2026, 3, 14, 15, 9, 30, tzinfo=UTC)


class Bench:
    """An assembler, and what it delivers."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing."""
        self.clock = clock
        self.messages: list[IncomingSms] = []
        self.assembler = Assembler(self.messages.append, clock.call_later)

    @property
    def texts(self) -> list[str]:
        """What was delivered, in order."""
        return [message.text for message in self.messages]


@pytest.fixture
def bench() -> Bench:
    """An assembler, and what it delivers."""
    return Bench(Clock())


def single(
    text: str = "hello",
    *,
    span: int = 1,
    sender: str = "+491",
    time_stamp: str = "2026/03/14 15:09:26",
    after: timedelta = timedelta(),
) -> ReceivedPart:
    """An SMS of which no PDU came."""
    return ReceivedPart(span, sender, text, None, time_stamp, ARRIVED_AT + after)


def part(
    sequence: int,
    count: int,
    text: str,
    *,
    reference: int = 7,
    wide: bool = False,
    span: int = 1,
    sender: str = "+491",
    sent_at: datetime | None = SENT_AT,
    after: timedelta = timedelta(),
) -> ReceivedPart:
    """A part of a long SMS."""
    pdu = DeliverPdu(
        sender,
        sent_at,
        Coding.UCS2,
        text.encode("utf-16-be", "surrogatepass"),
        Concatenation(reference, wide, count, sequence),
    )
    return ReceivedPart(
        span,
        sender,
        pdu.text,
        sent_at,
        str(sent_at or ""),
        ARRIVED_AT + after,
        pdu,
    )


def test_a_single_sms_is_delivered_at_once(bench: Bench) -> None:
    """With all that is known of it, and without a timer."""
    bench.assembler.add(single())

    assert bench.messages == [
        IncomingSms(
            span=1,
            sender="+491",
            text="hello",
            sent_at=None,
            arrived_at=ARRIVED_AT,
            parts=1,
            complete=True,
        )
    ]
    assert not bench.clock.running


def test_a_long_sms_is_delivered_when_its_last_part_is_there(bench: Bench) -> None:
    """It counts its parts, and arrived when the last of them did."""
    later = timedelta(seconds=4)
    bench.assembler.add(part(1, 2, "Hello "))
    assert bench.messages == []
    bench.assembler.add(part(2, 2, "world", after=later))

    assert bench.messages == [
        IncomingSms(
            span=1,
            sender="+491",
            text="Hello world",
            sent_at=SENT_AT,
            arrived_at=ARRIVED_AT + later,
            parts=2,
            complete=True,
        )
    ]
    assert not bench.clock.running


def test_parts_may_come_in_any_order_and_more_than_once(bench: Bench) -> None:
    """Each counts once, and all stand where they belong."""
    for sequence in (3, 1, 1, 3, 2):
        bench.assembler.add(part(sequence, 3, f"<{sequence}>"))

    assert bench.texts == ["<1><2><3>"]


def test_a_repeated_part_without_a_time_stamp(bench: Bench) -> None:
    """It is known by all that it holds."""
    bench.assembler.add(part(1, 2, "<1>", sent_at=None))
    bench.assembler.add(part(1, 2, "<1>", sent_at=None))
    bench.assembler.add(part(2, 2, "<2>", sent_at=None))

    assert bench.texts == ["<1><2>"]


def test_a_pair_of_surrogates_that_was_split(bench: Bench) -> None:
    """Payloads are joined before they are read."""
    bench.assembler.add(part(1, 2, "a\ud83d"))
    bench.assembler.add(part(2, 2, "\ude00b"))

    assert bench.texts == ["a😀b"]


def test_a_header_of_one_part_only(bench: Bench) -> None:
    """Some networks write one; there is nothing to wait for."""
    bench.assembler.add(part(1, 1, "short"))

    assert bench.texts == ["short"]
    assert bench.messages[0].parts == 1
    assert not bench.clock.running


@pytest.mark.parametrize(
    "other",
    [
        {"reference": 8},
        {"wide": True},
        {"span": 2},
        {"sender": "+492"},
        {"count": 3},
    ],
    ids=str,
)
def test_parts_of_different_messages_are_not_joined(
    bench: Bench, other: dict[str, int]
) -> None:
    """Reference, its width, span, sender and count all have to be the same."""
    bench.assembler.add(part(1, 2, "<1>"))
    bench.assembler.add(part(**{"sequence": 2, "count": 2, "text": "<x>"} | other))  # type: ignore[arg-type]
    assert bench.messages == []
    bench.assembler.add(part(2, 2, "<2>"))

    assert bench.texts == ["<1><2>"]


def test_two_long_sms_at_once(bench: Bench) -> None:
    """Their parts may come mixed."""
    bench.assembler.add(part(1, 2, "<a1>", reference=1))
    bench.assembler.add(part(1, 2, "<b1>", reference=2))
    bench.assembler.add(part(2, 2, "<b2>", reference=2))
    bench.assembler.add(part(2, 2, "<a2>", reference=1))

    assert bench.texts == ["<b1><b2>", "<a1><a2>"]


def test_parts_that_never_come(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """What is there is delivered after a time, marked as incomplete."""
    bench.assembler.add(part(3, 3, "<3>", after=timedelta(seconds=1)))
    bench.assembler.add(part(1, 3, "<1>"))
    bench.clock.let_pass(PARTS_TIMEOUT - 1)
    assert bench.messages == []
    bench.clock.let_pass(1)

    assert bench.messages == [
        IncomingSms(
            span=1,
            sender="+491",
            text="<1><3>",
            sent_at=SENT_AT,
            arrived_at=ARRIVED_AT + timedelta(seconds=1),
            parts=3,
            complete=False,
        )
    ]
    assert "Span 1: only 2 of 3 parts" in caplog.text
    assert "+491" not in caplog.text
    assert not bench.clock.running


def test_a_part_that_comes_too_late_is_not_lost(bench: Bench) -> None:
    """It is delivered alone, as incomplete as the rest was."""
    bench.assembler.add(part(1, 2, "<1>"))
    bench.clock.let_pass(PARTS_TIMEOUT)
    bench.assembler.add(part(2, 2, "<2>", after=timedelta(seconds=PARTS_TIMEOUT)))
    bench.clock.let_pass(PARTS_TIMEOUT)

    assert bench.texts == ["<1>", "<2>"]
    assert not any(message.complete for message in bench.messages)


def test_a_sender_that_counts_again(bench: Bench) -> None:
    """A second first part begins a new message; of the old one no more may come."""
    bench.assembler.add(part(1, 2, "<old>"))
    bench.assembler.add(part(1, 2, "<new 1>"))
    assert bench.texts == []
    bench.assembler.add(part(2, 2, "<new 2>"))
    assert bench.texts == ["<new 1><new 2>"]
    assert bench.messages[0].complete
    bench.clock.let_pass(PARTS_TIMEOUT)

    assert bench.texts == ["<new 1><new 2>", "<old>"]
    assert not bench.messages[1].complete
    assert not bench.clock.running


def test_two_long_sms_under_one_reference(bench: Bench) -> None:
    """Each part goes to the message that was sent at about the same time."""
    for sequence, text, seconds in (
        (1, "<a1>", 10),
        (1, "<b1>", 40),
        (2, "<a2>", 11),
        (2, "<b2>", 44),
    ):
        bench.assembler.add(
            part(sequence, 2, text, sent_at=SENT_AT + timedelta(seconds=seconds))
        )

    assert bench.texts == ["<a1><a2>", "<b1><b2>"]
    assert not bench.clock.running


def test_flush_delivers_what_is_there(bench: Bench) -> None:
    """Nothing that came in is forgotten, and no timer is left."""
    bench.assembler.add(part(1, 2, "<a>", reference=1))
    bench.assembler.add(part(1, 2, "<b>", reference=2))
    bench.assembler.flush()

    assert bench.texts == ["<a>", "<b>"]
    assert not any(message.complete for message in bench.messages)
    assert not bench.clock.running


def test_a_part_does_not_show_what_it_holds() -> None:
    """It may end up in a traceback."""
    for each in (single(), part(1, 2, "hello")):
        assert "hello" not in repr(each)
        assert "+491" not in repr(each)


# What the network delivers twice


def test_a_repetition_is_dropped(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """It leaves a line in the log, without number and text."""
    caplog.set_level(logging.INFO)
    bench.assembler.add(single())
    bench.assembler.add(single(after=timedelta(hours=3)))

    assert bench.texts == ["hello"]
    assert "Span 1: an SMS came twice" in caplog.text
    assert "+491" not in caplog.text
    assert "hello" not in caplog.text


@pytest.mark.parametrize(
    "other",
    [
        {"text": "bye"},
        {"span": 2},
        {"sender": "+492"},
        {"time_stamp": "2026/03/14 15:09:27"},
    ],
    ids=str,
)
def test_what_is_no_repetition(bench: Bench, other: dict[str, object]) -> None:
    """Text, span, sender and time stamp are the same, or else."""
    bench.assembler.add(single())
    bench.assembler.add(single(**other))  # type: ignore[arg-type]

    assert len(bench.messages) == 2


def test_without_a_time_stamp_nothing_is_a_repetition(bench: Bench) -> None:
    """Two equal alarms must not become one."""
    bench.assembler.add(single(time_stamp=""))
    bench.assembler.add(single(time_stamp=""))

    assert bench.texts == ["hello", "hello"]


def test_a_network_that_does_not_stop_repeating(bench: Bench) -> None:
    """However late it comes, and however often."""
    for times in range(5):
        bench.assembler.add(single(after=times * timedelta(days=1)))

    assert bench.texts == ["hello"]


def test_what_is_remembered_is_limited(bench: Bench) -> None:
    """What came last, or again, is remembered longest."""
    for number in range(MAX_REMEMBERED):
        bench.assembler.add(single(f"text {number}"))
    bench.assembler.add(single("text 0"))
    bench.assembler.add(single("one more"))
    bench.assembler.add(single("text 0"))
    bench.assembler.add(single("text 1"))

    assert bench.texts[MAX_REMEMBERED:] == ["one more", "text 1"]


def test_a_long_sms_that_is_delivered_twice(bench: Bench) -> None:
    """Also where the same reference is in use again meanwhile."""
    parts = [part(1, 2, "<1>"), part(2, 2, "<2>")]
    for each in parts:
        bench.assembler.add(each)
    bench.assembler.add(part(1, 2, "<new 1>"))
    for each in parts:
        bench.assembler.add(each)
    bench.assembler.add(part(2, 2, "<new 2>"))

    assert bench.texts == ["<1><2>", "<new 1><new 2>"]


def test_equal_parts_of_one_message_are_no_repetitions(bench: Bench) -> None:
    """Their places differ."""
    bench.assembler.add(part(1, 2, "again "))
    bench.assembler.add(part(2, 2, "again "))

    assert bench.texts == ["again again "]
