"""The spans of a gateway: how they are read, and who may use which one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
import math
from types import MappingProxyType
from typing import Final, NamedTuple

from custom_components.openvox_gsm.ami import ActionTimeoutError, AmiError

from . import commands, replies
from .bounds import MAX_SPANS
from .connection import Connection
from .errors import TooManySpansError
from .model import SendFailure, Span, SpanStatus, Work
from .power import Power

BUSY_INTERVAL: Final = 1.0  # seconds between two looks at a busy span
# After a time-out the driver may take a late answer for the answer to what comes
# next, so nothing comes next for this long.
LATE_ANSWER_TIME: Final = 5.0  # seconds
# Each command that a span doesn't answer costs a session of the gateway until it
# restarts, so a span that didn't answer is left alone for this long.
_IGNORE_TIME: Final = 300.0  # seconds
# No SMS may take longer: that's the longest time limit of an action, and some more. A
# module that gives no prompt or no answer stays in these states forever (recorded).
STUCK_AFTER: Final = 330.0  # seconds
_SENDING: Final = ("SMS SENDING", "SMS SENT")


class Turn(NamedTuple):
    """When it's the turn of a span: the lowest is next, of all gateways."""

    has_hardly_any_signal: bool
    users: int  # of the span, and one more where it has to rest
    last_used: float  # loop's clock


class SpanLock:
    """Lets a span do one slow command at a time, and none too early.

    All times are those of the loop's clock.
    """

    def __init__(self, number: int, rests: dict[int, float] | None = None) -> None:
        """Create the lock of a span that nobody uses.

        `rests` keeps until when spans get no slow command.
        """
        self.number = number
        self._rests = {} if rests is None else rests
        self.lock = asyncio.Lock()
        self.users = 0  # the one that holds the lock, and those that wait for it
        self.last_used = 0.0
        self.is_silent = False  # it didn't answer the last look
        self.ignored_until = 0.0  # isn't even looked at before
        # The state in which the span sends an SMS, and since when it has been in it.
        self.sending: tuple[str, float] | None = None

    @property
    def blocked_until(self) -> float:
        """When the span gets a slow command again."""
        return self._rests.get(self.number, 0.0)

    def block(self, seconds: float) -> None:
        """Keep slow commands from the span for some time from now."""
        self._rests[self.number] = asyncio.get_running_loop().time() + seconds

    def unblock(self) -> None:
        """Allow the next slow command at once, as the last one was answered."""
        self._rests.pop(self.number, None)
        self.sending = None

    def is_stuck(self, span: Span, now: float) -> bool:
        """Return whether the span has been sending the same SMS for too long."""
        state = span.state_text.upper()
        if span.status is not SpanStatus.BUSY or state not in _SENDING:
            self.sending = None
            return False
        if self.sending is None or self.sending[0] != state:
            self.sending = (state, now)
        return now - self.sending[1] > STUCK_AFTER


class Spans(Mapping[int, Span]):
    """The spans as they were last read, by number, and the locks on them."""

    def __init__(
        self,
        connection: Connection,
        power: Power,
        on_change: Callable[[Span], None] = lambda _span: None,
        rests: dict[int, float] | None = None,
    ) -> None:
        """Read through `connection`; there are no spans before `read`.

        `power` knows which spans are off whatever the gateway says. `on_change` gets
        each span that isn't as it was when it was last read. `rests` keeps until when
        (loop's clock) spans get no slow command.
        """
        self._connection = connection
        self._power = power
        self._on_change = on_change
        self._now = asyncio.get_running_loop().time
        self._spans: dict[int, Span] = {}
        self._locks: dict[int, SpanLock] = {}
        self._rests = {} if rests is None else rests
        self._one_by_one_until = 0.0  # loop's clock
        self._reading: asyncio.Task[dict[int, Span]] | None = None

    def __getitem__(self, number: int) -> Span:
        """Return a span as it was last read."""
        return self._spans[number]

    def __iter__(self) -> Iterator[int]:
        """Iterate over the numbers of the spans."""
        return iter(self._spans)

    def __len__(self) -> int:
        """Return the number of spans."""
        return len(self._spans)

    # Reading

    async def read(self) -> Mapping[int, Span]:
        """Read all spans with as few commands as the firmware allows.

        Returns them as they are now. A span that hasn't changed is the very same
        object as after the last read. Raises AmiError where the gateway doesn't
        answer, TooManySpansError among others.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            # Everyone who waits gets the error, but perhaps nobody waits any more.
            self._reading.add_done_callback(
                lambda reading: reading.cancelled() or reading.exception()
            )
        # Not by a shield: that writes an error to the log where the one who waited is
        # cancelled, and reading fails after that.
        reading = self._reading
        await asyncio.wait([reading])
        found = reading.result()
        self._spans = {
            number: self._unless_equal(span) for number, span in found.items()
        }
        return MappingProxyType(self._spans)

    async def _read(self) -> dict[int, Span]:
        command = self._connection.command
        begun = self._now()
        if self._now() >= self._one_by_one_until:
            try:
                output = await command(commands.SHOW_ALL_SPANS)
            except ActionTimeoutError:
                # One span that hangs holds up all.
                self._one_by_one_until = self._now() + _IGNORE_TIME
            else:
                outputs = replies.split_all_spans(output)
                if outputs is not None:
                    _check(outputs)
                    return await self._read_outputs(outputs, begun)
                self._one_by_one_until = math.inf
        listed = replies.read_span_list(await command(commands.SHOW_SPANS))
        _check(listed)
        for number, span in listed.items():
            try:
                listed[number] = await self._read_one(number) or self._judge(
                    span, begun
                )
            except ActionTimeoutError:
                unknown = replace(span, status=SpanStatus.UNKNOWN)
                listed[number] = self._judge(unknown, begun)
        return listed

    async def _read_outputs(
        self, outputs: Mapping[int, str], asked_at: float
    ) -> dict[int, Span]:
        """Parse the spans one after the other, so that other tasks can run between."""
        spans = {}
        for number, output in outputs.items():
            if span := replies.read_span(number, output):
                spans[number] = self._judge(span, asked_at)
            await asyncio.sleep(0)
        return spans

    def _judge(self, span: Span, asked_at: float) -> Span:
        """Return a span as it is, by what one look can't show."""
        if self._lock(span.number).is_stuck(span, asked_at):
            span = span.with_status(SpanStatus.STUCK)
        return self._power.judge(span, asked_at)

    async def _read_one(self, number: int) -> Span | None:
        """Read one span; None where there is no such span. Raises as `_show` does."""
        asked_at = self._now()
        span = replies.read_span(number, await self._show(number))
        return span and self._judge(span, asked_at)

    async def _show(self, number: int) -> str:
        """Return what the gateway prints about a span.

        Raises ActionTimeoutError where the span doesn't answer; at once if it
        hasn't lately, and twice.
        """
        lock = self._lock(number)
        if self._now() < lock.ignored_until:
            raise ActionTimeoutError(f"Span {number} does not answer")
        try:
            output = await self._connection.command(commands.show_span(number))
        except ActionTimeoutError:
            # The first time, all of the gateway may have been silent for a moment.
            if lock.is_silent:
                lock.ignored_until = self._now() + _IGNORE_TIME
            lock.is_silent = True
            raise
        lock.is_silent = False
        return output

    async def _refresh(self, number: int) -> Span | None:
        """Read one span as it is right now; None where there is no such span."""
        try:
            span = await self._read_one(number)
        except ActionTimeoutError:
            unknown = replace(self.get(number, Span(number)), status=SpanStatus.UNKNOWN)
            # No sign of life: all the rest of it is from an earlier look.
            span = self._judge(unknown, -math.inf)
        self._spans = dict(self._spans)  # what `read` has returned stays as it is
        if span:
            self._spans[number] = span = self._unless_equal(span)
        else:
            self._spans.pop(number, None)
        return span

    def _unless_equal(self, span: Span) -> Span:
        """Return the span, or the one that was last read if it is equal."""
        known = self._spans.get(span.number)
        if known == span:
            return known
        self._on_change(span)
        return span

    # Use: one slow command at a time per span

    def _lock(self, number: int) -> SpanLock:
        if number not in self._locks:
            self._locks[number] = SpanLock(number, self._rests)
        return self._locks[number]

    def choose(
        self, excluding: frozenset[int] = frozenset(), work: Work = Work.SMS
    ) -> int | None:
        """Return the span that can work and whose turn it is.

        None where no span is ready. A span that is busy only with our own work can
        still be chosen.
        """
        able = [
            number
            for number, span in self.items()
            if number not in excluding
            and (
                span.can_do(work)
                or (
                    span.status is SpanStatus.BUSY
                    and work not in span.limits
                    and self._lock(number).users
                )
            )
        ]
        return min(able, key=self.turn, default=None)

    def turn(self, number: int) -> Turn:
        """Return when it's the turn of a span: free before busy, longest unused first.

        One with hardly any signal comes after all others.
        """
        lock = self._lock(number)
        return Turn(
            number in self and self[number].has_hardly_any_signal,
            lock.users + (lock.blocked_until > self._now()),
            lock.last_used,
        )

    @asynccontextmanager
    async def exclusive(self, number: int) -> AsyncIterator[SpanLock]:
        """Hold the lock of a span, after everyone who asked for it before."""
        lock = self._lock(number)
        lock.users += 1
        try:
            async with lock.lock:
                yield lock
        finally:
            lock.users -= 1
            lock.last_used = self._now()

    async def wait_until_ready(
        self, lock: SpanLock, deadline: float, work: Work = Work.SMS
    ) -> SendFailure | None:
        """Look at a span right before it gets work; wait while it is only busy.

        Returns None as soon as the span is ready, else why it isn't. A span that
        isn't ready would keep its work and do it when nobody expects it any more.
        `deadline` is a time of the loop's clock.

        Raises AmiError where the gateway doesn't answer.
        """
        while True:
            wait = lock.blocked_until - self._now()
            if wait <= 0:
                span = await self._refresh(lock.number)
                if span is None:
                    return SendFailure.NO_SUCH_SPAN
                if span.can_do(work):
                    return None
                if span.status is not SpanStatus.BUSY:
                    return self._reason_against(span, work)
                wait = BUSY_INTERVAL
            if self._now() + wait > deadline:
                return SendFailure.BUSY
            await self._connection.pause(wait)

    def reasons_against(self, work: Work) -> dict[int, SendFailure]:
        """Return why the spans that can't work now don't, by their number."""
        return {
            number: self._reason_against(span, work)
            for number, span in self.items()
            if not span.can_do(work)
        }

    def _reason_against(self, span: Span, work: Work) -> SendFailure:
        if span.status is SpanStatus.UNKNOWN and self._lock(span.number).is_silent:
            return SendFailure.SPAN_SILENT
        return span.reason_against(work)

    async def refused_the_last_sms(self, number: int) -> bool:
        """Return whether the span's module never took the text of the last SMS.

        Only True is certain. Ask right after a send that timed out.
        """
        try:
            return replies.is_refused_before_prompt(await self._show(number))
        except AmiError:
            return False

    # Life

    def forget_firmware(self) -> None:
        """Forget what was found out about the firmware: it may have changed."""
        self._one_by_one_until = 0.0
        for lock in self._locks.values():
            lock.is_silent = False
            lock.ignored_until = 0.0

    async def stop(self) -> None:
        """Wait for the read under way to end; stopping the connection ends it."""
        if self._reading:
            await asyncio.wait([self._reading])


def _check(numbers: Iterable[int]) -> None:
    """Raise TooManySpansError where no gateway has spans with these numbers.

    Guess: they're counted from 1 on each board. With other numbers in each poll, a
    broken or hostile gateway would get ever more devices.
    """
    for number in numbers:
        if 1 <= number <= MAX_SPANS:
            continue
        raise TooManySpansError(
            f"It says that it has a span {number}, and no gateway has more than "
            f"{MAX_SPANS}"
        )
