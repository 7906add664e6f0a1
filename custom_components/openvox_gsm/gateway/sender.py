"""Sending SMS: which span sends, in how many parts, and what became of them.

Nothing is sent twice: only what certainly was not sent is tried again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
import random
from typing import Any, Final

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    CannotConnectError,
    InvalidHeaderError,
    PermissionDeniedError,
    Session,
)

from . import cli
from .connection import COMMAND_SLACK, Connection
from .model import SendFailure, SendResult, SendStatus
from .outbox import Outbox
from .spans import BUSY_WAIT, NOT_READY, REST, Line, Spans
from .text import (
    Alphabet,
    InvalidTextError,
    OutgoingText,
    TextFault,
    compose,
    normalise_number,
)

SMS_TIMEOUT: Final = 30  # seconds that the network has for each part of a message

# What another span would say, too.
_HOPELESS: Final = (SendFailure.NOT_CONNECTED, SendFailure.REFUSED)
# A number that two SIMs' networks refuse will be refused by all; trying on would
# only get them blocked.
_MAX_RETRIES: Final = 1


@dataclass(frozen=True, slots=True)
class SmsUsage:
    """How the firmware's two commands that send are used: their arguments."""

    sms: Sequence[str] = ()
    part: Sequence[str] = ()
    has_parts: bool = True  # whether there is a command for parts at all


@dataclass(frozen=True, slots=True)
class _Order:
    """A message to be sent, on whichever span."""

    number: str = field(repr=False)
    message: OutgoingText = field(repr=False)
    timeout: int  # seconds
    flash: bool
    given_up: asyncio.Event

    def not_sent(self, failure: SendFailure) -> SendResult:
        """Return the result where there was no span to try it on."""
        return SendResult(
            number=self.number,
            status=SendStatus.FAILED,
            span=None,
            parts=len(self.message.parts),
            failure=failure,
        )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one SMS."""

    status: SendStatus
    failure: SendFailure | None = None
    detail: str = ""


_SENT: Final = _Outcome(SendStatus.SENT)
_GIVEN_UP: Final = _Outcome(SendStatus.FAILED, SendFailure.GIVEN_UP)
_FAILED: Final = _Outcome(SendStatus.FAILED, SendFailure.REJECTED)


class Sender:
    """Sends SMS through the spans."""

    def __init__(
        self,
        connection: Connection,
        spans: Spans,
        on_attempt: Callable[[SendResult], None],
        *,
        line_breaks: bool,
    ) -> None:
        r"""Send through `connection`, in turn on each of the `spans`.

        `on_attempt` is told what became of each message on each span on which it
        was tried. `line_breaks` says that the firmware makes a line break of
        ``\n`` in a text; it may be changed at any time.
        """
        self._connection = connection
        self._spans = spans
        self._on_attempt = on_attempt
        self.line_breaks = line_breaks
        #: Of this firmware; read after each login.
        self.usage = SmsUsage()
        #: Hears what the gateway says of a message later.
        self.outbox = Outbox()
        # A phone joins parts by this number, so it must differ between messages.
        self._reference = random.randrange(256)
        self._under_way: set[asyncio.Task[SendResult]] = set()

    def count_parts(self, text: str, *, flash: bool = False) -> int:
        """Return how many SMS a text takes.

        Raises InvalidTextError where it cannot be sent through this gateway.
        """
        return len(self._compose(text, flash).parts)

    def _compose(self, text: str, flash: bool) -> OutgoingText:
        message = compose(text, line_breaks=self.line_breaks)
        if flash and len(message.parts) > 1 and "flash" not in self.usage.part:
            raise InvalidTextError(
                TextFault.TOO_LONG_FOR_FLASH,
                "This gateway can show at once only what fits into one SMS",
                str(len(message.parts)),
            )
        return message

    async def send(
        self,
        number: str,
        text: str,
        *,
        span: int | None = None,
        timeout: int = SMS_TIMEOUT,
        flash: bool = False,
        given_up: asyncio.Event | None = None,
    ) -> SendResult:
        """Send a message and return what became of it.

        Without a span a ready one is chosen, and the next one where it was
        certainly not sent. `timeout` (whole seconds) is what the network has for
        each part, and how long a busy span is waited for. A message whose fate
        is unknown is never sent again. With `flash` the phone shows the text at
        once and does not keep it, where the firmware can. Once `given_up` is set
        nothing more is begun; the part under way ends.

        Raises InvalidNumberError and InvalidTextError; nothing was sent then.
        """
        order = _Order(
            normalise_number(number),
            self._compose(text, flash),
            timeout,
            flash,
            given_up or asyncio.Event(),
        )
        if span is not None:
            return await self._send_on(span, order)
        return await self._send_on_any(order)

    async def stop(self) -> None:
        """Wait for the end of what is being sent; the connection ends it."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    # Which span

    async def _send_on_any(self, order: _Order) -> SendResult:
        result = order.not_sent(SendFailure.NO_SPAN_READY)
        tried: set[int] = set()
        rejections = 0
        for spans_may_be_outdated in (True, False):
            while (choice := self._spans.choose(frozenset(tried))) is not None:
                tried.add(choice)
                outcome = await self._send_on(choice, order)
                if outcome.failure is SendFailure.REJECTED:
                    rejections += 1
                if (
                    not outcome.certainly_not_sent
                    or outcome.failure in _HOPELESS
                    or order.given_up.is_set()
                    or rejections > _MAX_RETRIES
                ):
                    return outcome
                if outcome.failure not in NOT_READY:
                    result = outcome
            if spans_may_be_outdated:
                try:
                    await self._spans.read()
                except AmiError:
                    return order.not_sent(SendFailure.NOT_CONNECTED)
        return result

    async def _send_on(self, span: int, order: _Order) -> SendResult:
        """Send a message on one span.

        Whoever gives this up ends the message, but not the part under way: that
        cannot be taken back, and the span is not free before its answer is here.
        """
        # Eager, so that the span counts as used before another one is chosen.
        sending = asyncio.Task(self._send_parts(span, order), eager_start=True)
        self._under_way.add(sending)
        sending.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            order.given_up.set()
            raise

    # Its parts

    async def _send_parts(self, span: int, order: _Order) -> SendResult:
        async with self._spans.turn(span) as line:
            self._reference = reference = (self._reference + 1) % 256
            sent = 0
            outcome = _GIVEN_UP
            for index in range(len(order.message.parts)):
                command = partial(self._command, order, span, index, reference)
                outcome = await self._send_part(order, line, command)
                if outcome.status is not SendStatus.SENT:
                    break
                sent += 1
            result = SendResult(
                number=order.number,
                status=outcome.status,
                span=span,
                parts=len(order.message.parts),
                parts_sent=sent,
                failure=outcome.failure,
                detail=outcome.detail,
            )
        self._on_attempt(result)
        return result

    def _command(
        self, order: _Order, span: int, index: int, reference: int, message_id: str
    ) -> str:
        """Return the command that sends one part of a message."""
        parts = order.message.parts
        if len(parts) == 1 or not self.usage.has_parts:
            # Guess: firmware that cannot join parts still sends each of them.
            return cli.send_sms(
                span,
                order.number,
                parts[index],
                order.timeout,
                _last_arguments(self.usage.sms, order.flash, message_id),
            )
        return cli.send_sms_part(
            span,
            order.number,
            parts[index],
            reference=reference,
            count=len(parts),
            sequence=index + 1,
            timeout=order.timeout,
            message_id=_last_arguments(self.usage.part, order.flash, message_id),
        )

    async def _send_part(
        self, order: _Order, line: Line, build_command: Callable[[str], str]
    ) -> _Outcome:
        """Send one SMS; only what certainly was not sent is tried again."""
        try:
            # Before the look at the span: a login takes time in which it may change.
            async with self._connection.slow_session() as session:
                with self.outbox.expect() as (message_id, verdict):
                    command = build_command(message_id)
                    outcome = await self._send_when_ready(order, line, session, command)
                    if outcome.status is SendStatus.UNKNOWN and message_id in command:
                        return await self._late_verdict(line, verdict) or outcome
                    return outcome
        except CannotConnectError:
            return _Outcome(SendStatus.FAILED, SendFailure.NOT_CONNECTED)

    async def _send_when_ready(
        self, order: _Order, line: Line, session: Session, command: str
    ) -> _Outcome:
        """Send one SMS as soon as the span is ready for it, within the time limit."""
        deadline = asyncio.get_running_loop().time() + order.timeout
        while True:
            try:
                failure = await self._spans.why_not_ready(
                    line, deadline
                ) or await self._why_unfit(line, order.message.alphabet)
            except ActionTimeoutError:
                failure = SendFailure.SPAN_NOT_READY
            except AmiError:
                failure = SendFailure.NOT_CONNECTED
            if failure:
                return _Outcome(SendStatus.FAILED, failure)
            if order.given_up.is_set():
                return _GIVEN_UP
            # Until the network has answered, the driver takes its answer for the
            # answer to whatever is sent next, even if nobody waits for it here.
            line.rest(order.timeout)
            outcome = await _send_once(session, command, order.timeout)
            if outcome.failure is SendFailure.BUSY:
                line.rest(BUSY_WAIT)
                continue
            if outcome.failure is SendFailure.TIMED_OUT:
                line.rest(REST)
            elif outcome.status is not SendStatus.UNKNOWN:
                line.rest(0)
            return outcome

    async def _late_verdict(
        self, line: Line, verdict: asyncio.Future[bool]
    ) -> _Outcome | None:
        """Wait a moment for the gateway's late word on a message, None without it."""
        ends: list[asyncio.Future[Any]] = [verdict, self._connection.stopped]
        await asyncio.wait(ends, timeout=REST, return_when=asyncio.FIRST_COMPLETED)
        if not verdict.done():
            return None
        line.rest(0)  # that was the late answer
        return _SENT if verdict.result() else _FAILED

    async def _why_unfit(self, line: Line, alphabet: Alphabet) -> SendFailure | None:
        """Check once what the span makes of texts; the driver spoils them else."""
        command = self._connection.command
        if not line.sms_mode_checked:
            mode = await command(cli.show_sms_mode(line.number))
            if mode.strip().lower() == "text":
                return SendFailure.TEXT_MODE
            line.sms_mode_checked = True
        if alphabet is Alphabet.UCS2 and not line.sms_coding_checked:
            coding = await command(cli.show_sms_coding(line.number))
            if coding.strip().lower() == "ascii":
                return SendFailure.WRONG_CODING
            line.sms_coding_checked = True
        return None


async def _send_once(session: Session, command: str, timeout: int) -> _Outcome:
    try:
        output = await session.command(command, timeout=timeout + COMMAND_SLACK)
    except CannotConnectError:
        return _Outcome(SendStatus.FAILED, SendFailure.NOT_CONNECTED)
    except (PermissionDeniedError, ActionFailedError, InvalidHeaderError) as err:
        return _Outcome(SendStatus.FAILED, SendFailure.REFUSED, str(err))
    except ActionTimeoutError:
        return _Outcome(SendStatus.UNKNOWN, SendFailure.TIMED_OUT)
    except AmiError:
        return _Outcome(SendStatus.UNKNOWN, SendFailure.CONNECTION_LOST)
    reply, detail = cli.read_sms_reply(output)
    return {
        cli.SmsReply.SENT: _SENT,
        cli.SmsReply.FAILED: _FAILED,
        cli.SmsReply.BUSY: _Outcome(SendStatus.FAILED, SendFailure.BUSY),
        cli.SmsReply.TIMED_OUT: _Outcome(SendStatus.UNKNOWN, SendFailure.TIMED_OUT),
        cli.SmsReply.REFUSED: _Outcome(SendStatus.FAILED, SendFailure.REFUSED, detail),
    }[reply]


def _last_arguments(
    arguments: Sequence[str], flash: bool, message_id: str
) -> str | None:
    """Return what stands behind the timeout of a command that sends.

    Where the firmware has a place for a flash flag it stands before the ID.
    """
    last = []
    if "flash" in arguments:
        last.append(str(int(flash)))
    if "id" in arguments:
        last.append(message_id)
    return " ".join(last) or None
