"""The parts of long SMS, and what the network delivers twice."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import permutations
import logging
import re

import pytest

from custom_components.openvox_gsm.gateway.model import IncomingSms
from custom_components.openvox_gsm.gateway.receiving.assembly import (
    DOUBT_TIME,
    PARTS_TIMEOUT,
    Assembler,
)
from custom_components.openvox_gsm.gateway.receiving.pdu import (
    Coding,
    Concatenation,
    DeliverPdu,
)
from custom_components.openvox_gsm.gateway.receiving.received_part import ReceivedPart
from custom_components.openvox_gsm.gateway.receiving.repetitions import MAX_REMEMBERED

from tests.gateway.clock import Clock

SENT_AT = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
ARRIVED_AT = datetime(2026, 3, 14, 15, 9, 30, tzinfo=UTC)


class Bench:
    """An assembler, and what it delivers."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing."""
        self.clock = clock
        self.messages: list[IncomingSms] = []
        self.remembered: Mapping[str, int] = {}
        self.restart()

    def restart(self) -> None:
        """Start over with what was remembered."""
        self.assembler = Assembler(
            self.messages.append,
            self.clock.call_later,
            remembered=dict(self.remembered),
            on_remembered=self.remember,
        )

    def remember(self, received: Mapping[str, int]) -> None:
        """Keep what is remembered."""
        self.remembered = received

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
    assert not bench.clock.running


def test_a_repeated_part_without_a_time_stamp(bench: Bench) -> None:
    """It is known by all that it holds, and doesn't wait for others either."""
    bench.assembler.add(part(1, 2, "<1>", sent_at=None))
    bench.assembler.add(part(1, 2, "<1>", sent_at=None))
    bench.assembler.add(part(2, 2, "<2>", sent_at=None))

    assert bench.texts == ["<1><2>"]
    assert not bench.clock.running


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
    """What is there is delivered after five minutes, marked as incomplete."""
    bench.assembler.add(part(3, 3, "<3>", after=timedelta(seconds=1)))
    bench.assembler.add(part(1, 3, "<1>"))
    bench.clock.let_pass(299)
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
    later = SENT_AT + timedelta(minutes=1)
    bench.assembler.add(part(1, 2, "<old>"))
    bench.assembler.add(part(1, 2, "<new 1>", sent_at=later))
    assert bench.texts == []
    bench.assembler.add(part(2, 2, "<new 2>", sent_at=later))
    assert bench.texts == ["<new 1><new 2>"]
    assert bench.messages[0].complete
    bench.clock.let_pass(PARTS_TIMEOUT)

    assert bench.texts == ["<new 1><new 2>", "<old>"]
    assert not bench.messages[1].complete
    assert not bench.clock.running


def sent(sequence: int, count: int, text: str, seconds: float) -> ReceivedPart:
    """A part that was sent at a time."""
    return part(sequence, count, text, sent_at=SENT_AT + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "times",
    [
        {"<a1>": 10, "<a2>": 11, "<b1>": 40, "<b2>": 44},
        {"<b1>": 10, "<b2>": 11, "<a1>": 300, "<a2>": 310},
        {"<a2>": 0, "<a1>": 1, "<b2>": 3600, "<b1>": 3600},
        {"<a1>": 0, "<a2>": 5, "<a3>": 9, "<b1>": 30, "<b2>": 32, "<b3>": 40},
    ],
    ids=str,
)
def test_two_long_sms_under_one_reference(times: dict[str, float]) -> None:
    """In whatever order their parts come, each goes where its time fits best."""
    count = len(times) // 2
    for order in permutations(times):
        bench = Bench(Clock())
        for text in order:
            bench.assembler.add(sent(int(text[2]), count, text, times[text]))
            bench.clock.let_pass(1)
        bench.clock.let_pass(DOUBT_TIME)

        whole = ["".join(f"<{name}{n + 1}>" for n in range(count)) for name in "ab"]
        assert sorted(bench.texts) == whole
        assert all(message.complete for message in bench.messages)
        assert not bench.clock.running


def test_a_part_behind_one_whose_message_was_never_whole(bench: Bench) -> None:
    """It goes with the part that was sent nearest to it, not with the first that fits."""
    bench.assembler.add(sent(1, 2, "<lost>", 0))
    bench.assembler.add(sent(2, 2, "<2>", 100))
    bench.assembler.add(sent(1, 2, "<1>", 101))

    assert bench.texts == ["<1><2>"]
    assert bench.messages[0].complete


@pytest.mark.parametrize(
    "times",
    [
        {"<a1>": 0, "<b1>": 0, "<a2>": 0, "<b2>": 0},
        {"<a1>": None, "<b1>": None, "<a2>": None, "<b2>": None},
        {"<a1>": None, "<b1>": 10, "<a2>": None, "<b2>": 11},
        {"<a1>": 0, "<b1>": 5, "<a2>": 10, "<b2>": 15},
        {"<a1>": 0, "<b1>": 8, "<a2>": 4, "<b2>": 12},
    ],
    ids=str,
)
def test_long_sms_that_nothing_tells_apart(
    times: dict[str, float | None], caplog: pytest.LogCaptureFixture
) -> None:
    """What may be parts of either is never called complete."""
    for order in permutations(times):
        if order[0][2] != order[1][2]:
            continue  # these two are a message as far as anything can tell
        bench = Bench(Clock())
        for text in order:
            seconds = times[text]
            bench.assembler.add(
                part(int(text[2]), 2, text, sent_at=None)
                if seconds is None
                else sent(int(text[2]), 2, text, seconds)
            )
        bench.clock.let_pass(PARTS_TIMEOUT + DOUBT_TIME)

        told = "".join(bench.texts)
        assert sorted(re.findall("<..>", told)) == ["<a1>", "<a2>", "<b1>", "<b2>"]
        whole = [message.text for message in bench.messages if message.complete]
        assert set(whole) <= {"<a1><a2>", "<b1><b2>"}
        assert not bench.clock.running
    assert "Span 1: the parts of several long SMS can't be told apart" in caplog.text
    assert "+491" not in caplog.text


def test_a_mix_up_is_over_when_its_parts_are_gone(bench: Bench) -> None:
    """The next message under the reference is complete again."""
    for text in ("<a1>", "<b1>", "<a2>", "<b2>"):
        bench.assembler.add(part(int(text[2]), 2, text))
    assert [message.complete for message in bench.messages] == [False, False]
    bench.assembler.add(sent(1, 2, "<c1>", 9))
    bench.assembler.add(sent(2, 2, "<c2>", 9))

    assert bench.texts[2:] == ["<c1><c2>"]
    assert bench.messages[2].complete


@pytest.mark.parametrize(("twice", "is_certain"), [(20, False), (21, True)])
def test_how_clearly_a_part_has_to_fit(
    bench: Bench, twice: int, is_certain: bool
) -> None:
    """Another one has to be more than twice as far off."""
    bench.assembler.add(sent(1, 2, "<other>", 0))
    bench.assembler.add(sent(1, 2, "<1>", twice - 10))
    bench.assembler.add(sent(2, 2, "<2>", twice))

    assert bench.texts == ["<1><2>"]
    assert bench.messages[0].complete is is_certain


@pytest.mark.parametrize(("gap", "waits"), [(15, False), (-15, False), (16, True)])
def test_parts_that_were_sent_far_apart(bench: Bench, gap: int, waits: bool) -> None:
    """They may be those of two messages, so the others are waited for."""
    bench.assembler.add(sent(1, 3, "<1>", 0))
    bench.assembler.add(sent(2, 3, "<2>", gap))
    bench.assembler.add(sent(3, 3, "<3>", 2 * gap))
    assert bench.texts == ([] if waits else ["<1><2><3>"])
    bench.clock.let_pass(DOUBT_TIME - 0.1)
    assert bench.texts == ([] if waits else ["<1><2><3>"])
    bench.clock.let_pass(0.1)

    assert bench.texts == ["<1><2><3>"]
    assert bench.messages[0].complete
    assert not bench.clock.running


@pytest.mark.parametrize(("gap", "is_one"), [(300, True), (301, False)])
def test_parts_that_were_sent_too_far_apart(
    bench: Bench, gap: int, is_one: bool
) -> None:
    """They are those of two messages."""
    bench.assembler.add(sent(1, 2, "<1>", 0))
    bench.assembler.add(sent(2, 2, "<2>", gap))
    bench.clock.let_pass(PARTS_TIMEOUT)

    assert bench.texts == (["<1><2>"] if is_one else ["<1>", "<2>"])
    assert all(message.complete is is_one for message in bench.messages)


def test_the_time_limit_counts_from_the_last_part(bench: Bench) -> None:
    """A phone that's out of reach now and then gets them minutes apart."""
    for number in (1, 2, 3):
        bench.assembler.add(part(number, 4, f"<{number}>"))
        bench.clock.let_pass(PARTS_TIMEOUT - 0.1)
    assert bench.messages == []
    bench.assembler.add(part(1, 4, "<1>"))  # a repetition is no part
    bench.clock.let_pass(0.1)

    assert bench.texts == ["<1><2><3>"]
    assert not bench.clock.running


def test_parts_that_never_end(bench: Bench) -> None:
    """What waits under one reference is limited."""
    for number in range(600):
        bench.assembler.add(part(1, 255, f"<{number}>"))
        bench.clock.let_pass(PARTS_TIMEOUT - 1)
    assert len(bench.messages) == 511
    bench.clock.let_pass(PARTS_TIMEOUT)
    assert len(bench.messages) == 600


def test_parts_of_endless_messages(bench: Bench) -> None:
    """What waits under all references is limited: the oldest waits no more."""
    for reference in range(2002):
        bench.assembler.add(part(1, 2, f"<{reference}>", reference=reference))

    assert bench.texts == ["<0>", "<1>"]


def test_parts_of_a_flood_fill_no_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody can send parts of which the others never come."""
    for reference in range(200):
        bench.assembler.add(part(1, 2, f"<{reference}>", reference=reference))
    bench.clock.let_pass(PARTS_TIMEOUT)

    assert len(bench.messages) == 200
    assert [each.levelname for each in caplog.records] == ["WARNING"]
    bench.assembler.flush()
    assert "Further cases since the last such warning: 198" in caplog.text


def test_flush_delivers_what_is_there(bench: Bench) -> None:
    """Nothing that came in is forgotten, and no timer is left."""
    bench.assembler.add(part(1, 2, "<a>", reference=1))
    bench.assembler.add(part(1, 2, "<b>", reference=2))
    bench.assembler.flush()

    assert bench.texts == ["<a>", "<b>"]
    assert not any(message.complete for message in bench.messages)
    assert not bench.clock.running


def test_flush_delivers_what_is_there_as_a_whole(bench: Bench) -> None:
    """Even where it was in doubt, and parts of other messages were waited for."""
    bench.assembler.add(sent(1, 2, "<1>", 0))
    bench.assembler.add(sent(2, 2, "<2>", 16))
    bench.assembler.add(part(1, 2, "<b>", reference=2))
    assert bench.texts == []
    bench.assembler.flush()

    assert bench.texts == ["<1><2>", "<b>"]
    assert [message.complete for message in bench.messages] == [True, False]
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
def test_what_is_not_a_repetition(bench: Bench, other: dict[str, object]) -> None:
    """Text, span, sender and time stamp are the same, or else."""
    bench.assembler.add(single())
    bench.assembler.add(single(**other))  # type: ignore[arg-type]

    assert len(bench.messages) == 2


def test_without_a_time_stamp_nothing_is_a_repetition(bench: Bench) -> None:
    """Two equal alarms must not become one."""
    bench.assembler.add(single(time_stamp=""))
    bench.assembler.add(single(time_stamp=""))

    assert bench.texts == ["hello", "hello"]


@pytest.mark.parametrize(
    ("after", "is_repetition"),
    [
        (timedelta(minutes=6), True),
        (timedelta(hours=3), True),
        (timedelta(days=1), True),
        (timedelta(days=1, seconds=1), False),
    ],
    ids=str,
)
@pytest.mark.parametrize("restarts", [False, True], ids=["", "after a restart"])
def test_how_long_an_sms_is_remembered(
    bench: Bench, after: timedelta, is_repetition: bool, restarts: bool
) -> None:
    """A day, also over a restart."""
    bench.assembler.add(single())
    if restarts:
        bench.restart()
    bench.assembler.add(single(after=after))

    assert bench.texts == ["hello"] * (1 if is_repetition else 2)


def test_a_part_that_comes_again_after_a_restart(bench: Bench) -> None:
    """What the restart left incomplete stays so, and nothing comes twice."""
    parts = [part(1, 2, "<1>"), part(2, 2, "<2>")]
    bench.assembler.add(parts[0])
    bench.assembler.flush()
    bench.restart()
    for each in parts:
        bench.assembler.add(each)
    bench.assembler.flush()

    assert bench.texts == ["<1>", "<2>"]


def test_what_is_remembered_tells_nothing(bench: Bench) -> None:
    """It's hashes and times, which are the same in every run."""
    bench.assembler.add(single())
    bench.assembler.add(part(1, 2, "\ud83d"))

    assert bench.remembered == {
        "56a64bab3dfd8fca": int(ARRIVED_AT.timestamp()),
        "032dce4b6a99d467": int(ARRIVED_AT.timestamp()),
    }


def test_what_is_remembered_cannot_be_guessed_without_the_secret() -> None:
    """A code is soon found by trying all of them."""
    remembered: list[set[str]] = []
    for secret in (b"", b"one", b"another"):
        assembler = Assembler(
            lambda _sms: None,
            Clock().call_later,
            on_remembered=lambda received: remembered.append(set(received)),
            secret=secret,
        )
        assembler.add(single("Your code is 471147"))

    assert len(set.union(*remembered)) == 3


@pytest.mark.parametrize(
    "other", [{"reference": 8}, {"wide": True}, {"count": 3}, {"sequence": 2}], ids=str
)
def test_parts_that_are_no_repetitions(bench: Bench, other: dict[str, int]) -> None:
    """Their place is another one."""
    bench.assembler.add(part(1, 2, "<x>"))
    bench.assembler.add(part(**{"sequence": 1, "count": 2, "text": "<x>"} | other))  # type: ignore[arg-type]
    bench.assembler.flush()

    assert "".join(bench.texts) == "<x><x>"


def test_the_clock_is_set_back(bench: Bench) -> None:
    """What came in before that is remembered all the same."""
    bench.assembler.add(single())
    bench.assembler.add(single("other", after=timedelta(days=-400)))
    bench.assembler.add(single(after=timedelta(days=-400)))
    bench.assembler.add(single("other", after=timedelta(days=-400)))

    assert bench.texts == ["hello", "other"]


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
    assert not bench.clock.running


def test_equal_parts_of_one_message_are_no_repetitions(bench: Bench) -> None:
    """Their places differ."""
    bench.assembler.add(part(1, 2, "again "))
    bench.assembler.add(part(2, 2, "again "))

    assert bench.texts == ["again again "]
