"""The spans of a gateway: what each said of itself last, and whose turn it is on it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
import math
from types import MappingProxyType
from typing import Final

from custom_components.openvox_gsm.ami import ActionTimeoutError

from . import cli
from .connection import Connection
from .model import SendFailure, Span, SpanStatus

BUSY_WAIT: Final = 1.0  # seconds between two looks at a busy span
# After a time-out the span rests: the driver may take a late answer for the
# answer to what comes next.
REST: Final = 5.0  # seconds
# A span that answers nothing is left alone: each command that it does not answer
# takes a session from the gateway until that restarts.
_SILENCE: Final = 300.0  # seconds

# Says nothing of what was to be done: any other failure tells more.
NOT_READY: Final = (SendFailure.SPAN_NOT_READY, SendFailure.NO_SUCH_SPAN)


@dataclass(slots=True)
class Line:
    """A span as the sender of commands sees it: one slow command at a time.

    The times are of the loop's clock.
    """

    number: int
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0  # who holds the lock, and who waits for it
    last_used: float = 0.0
    rests_until: float = 0.0  # gets no slow command before
    silent_until: float = 0.0  # is not even looked at before
    menu_until: float = 0.0  # a USSD code would be taken for a reply before
    sms_mode_checked: bool = False
    sms_coding_checked: bool = False

    def rest(self, seconds: float) -> None:
        """Let the span get no slow command for so long; 0 ends the rest."""
        self.rests_until = asyncio.get_running_loop().time() + seconds


class Spans(Mapping[int, Span]):
    """The spans as they were last read, by number, and the turns on them."""

    def __init__(self, connection: Connection) -> None:
        """Read through `connection`; nothing is known before `read`."""
        self._connection = connection
        self._now = asyncio.get_running_loop().time
        self._spans: dict[int, Span] = {}
        self._lines: dict[int, Line] = {}
        # Until when they are read one by one, by the loop's clock.
        self._one_by_one_until = 0.0
        self._reading: asyncio.Task[dict[int, Span]] | None = None

    def __getitem__(self, number: int) -> Span:
        """Return a span as it was last read."""
        return self._spans[number]

    def __iter__(self) -> Iterator[int]:
        """Iterate over the numbers of the spans."""
        return iter(self._spans)

    def __len__(self) -> int:
        """Return how many spans there are."""
        return len(self._spans)

    # What they say

    async def read(self) -> Mapping[int, Span]:
        """Read all spans with as few commands as the firmware allows.

        Returns them as they are now. Raises AmiError where the gateway does not
        answer.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            # Whoever waits gets the error; nobody may be waiting any more.
            self._reading.add_done_callback(
                lambda reading: reading.cancelled() or reading.exception()
            )
        self._spans = dict(await asyncio.shield(self._reading))
        return MappingProxyType(self._spans)

    async def _read(self) -> dict[int, Span]:
        command = self._connection.command
        if self._now() >= self._one_by_one_until:
            try:
                outputs = cli.split_all_spans(await command(cli.SHOW_ALL_SPANS))
            except ActionTimeoutError:
                # One span that hangs holds up all.
                self._one_by_one_until = self._now() + _SILENCE
            else:
                if outputs is not None:
                    return await _read_outputs(outputs)
                self._one_by_one_until = math.inf
        listed = cli.read_span_list(await command(cli.SHOW_SPANS))
        for number, span in listed.items():
            try:
                listed[number] = await self._show(number) or span
            except ActionTimeoutError:
                listed[number] = replace(span, status=SpanStatus.UNKNOWN)
        return listed

    async def _show(self, number: int) -> Span | None:
        """Read one span; None where there is no such span.

        Raises ActionTimeoutError where the span does not answer, at once if it did
        not lately.
        """
        line = self._line(number)
        if self._now() < line.silent_until:
            raise ActionTimeoutError(f"Span {number} does not answer")
        try:
            output = await self._connection.command(cli.show_span(number))
        except ActionTimeoutError:
            line.silent_until = self._now() + _SILENCE
            raise
        return cli.read_span(number, output)

    async def _look_at(self, number: int) -> Span | None:
        """Read one span as it is right now; None where there is no such span."""
        try:
            span = await self._show(number)
        except ActionTimeoutError:
            span = replace(self.get(number, Span(number)), status=SpanStatus.UNKNOWN)
        self._spans = dict(self._spans)  # whoever has read the others keeps them
        if span:
            self._spans[number] = span
        else:
            self._spans.pop(number, None)
        return span

    # Whose turn it is: one slow command at a time per span

    def _line(self, number: int) -> Line:
        if number not in self._lines:
            self._lines[number] = Line(number)
        return self._lines[number]

    def choose(self, excluding: frozenset[int] = frozenset()) -> int | None:
        """Return a span that can send: free before busy, longest unused first.

        None where no span is ready. A span whose only work is ours counts as
        busy, not as unable to send.
        """
        now = self._now()

        def order(number: int) -> tuple[int, float]:
            line = self._line(number)
            return line.users + (line.rests_until > now), line.last_used

        able = [
            number
            for number, span in self.items()
            if number not in excluding
            and (
                span.can_send
                or (span.status is SpanStatus.BUSY and self._line(number).users)
            )
        ]
        return min(able, key=order, default=None)

    @asynccontextmanager
    async def turn(self, number: int) -> AsyncIterator[Line]:
        """Have a span for oneself, when all who asked before are done."""
        line = self._line(number)
        line.users += 1
        try:
            async with line.lock:
                yield line
        finally:
            line.users -= 1
            line.last_used = self._now()

    async def why_not_ready(self, line: Line, deadline: float) -> SendFailure | None:
        """Look at a span right before it gets work; wait while it is only busy.

        A span that is not ready would keep what it is given and send it when
        nobody expects it any more. `deadline` is of the loop's clock.

        Raises AmiError where the gateway does not answer.
        """
        while True:
            wait = line.rests_until - self._now()
            if wait <= 0:
                span = await self._look_at(line.number)
                if span is None:
                    return SendFailure.NO_SUCH_SPAN
                if span.can_send:
                    return None
                if span.status is not SpanStatus.BUSY:
                    return SendFailure.SPAN_NOT_READY
                wait = BUSY_WAIT
            if self._now() + wait > deadline:
                return SendFailure.BUSY
            await self._connection.pause(wait)

    # Its life

    def forget_firmware(self) -> None:
        """Learn anew what the firmware can: it may be another after a new login."""
        self._one_by_one_until = 0.0
        for line in self._lines.values():
            line.sms_mode_checked = line.sms_coding_checked = False
            line.silent_until = 0.0

    async def stop(self) -> None:
        """Wait for the end of what is being read; the connection ends it."""
        if self._reading:
            await asyncio.wait([self._reading])


async def _read_outputs(outputs: Mapping[int, str]) -> dict[int, Span]:
    """Read what was printed of each span; not at once, which would hold the loop."""
    spans = {}
    for number, output in outputs.items():
        if span := cli.read_span(number, output):
            spans[number] = span
        await asyncio.sleep(0)
    return spans
