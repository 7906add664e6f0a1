"""Sending SMS: which span sends, in how many parts, and what the outcome is.

Nothing is sent twice: only what certainly was not sent is tried again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
import random
from typing import Any, Final, NamedTuple

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    CannotConnectError,
    InvalidHeaderError,
    PermissionDeniedError,
    Session,
)
from custom_components.openvox_gsm.gateway.commands import (
    check_number,
    send_sms,
    send_sms_part,
    show_sms_coding,
    show_sms_mode,
)
from custom_components.openvox_gsm.gateway.connection import COMMAND_SLACK, Connection
from custom_components.openvox_gsm.gateway.firmware import Features
from custom_components.openvox_gsm.gateway.model import (
    SendFailure,
    SendResult,
    SendStatus,
)
from custom_components.openvox_gsm.gateway.replies import SmsReply, read_sms_reply
from custom_components.openvox_gsm.gateway.spans import (
    BUSY_INTERVAL,
    LATE_ANSWER_TIME,
    NOT_READY,
    SpanLock,
    Spans,
)

from .delivery import LateOutcomes
from .text import Alphabet, InvalidTextError, OutgoingText, TextFault, split_text

SMS_TIMEOUT: Final = 30  # seconds that the network has for each part of a message

# Another span would fail in the same way.
_SAME_ON_ALL_SPANS: Final = (SendFailure.NOT_CONNECTED, SendFailure.REFUSED)
# A number that the networks of two SIMs reject will be rejected by all, and trying
# more of them could get those SIMs blocked.
_MAX_REJECTIONS: Final = 2


@dataclass(eq=False)
class _Order:
    """A message to be sent, on any span."""

    number: str = field(repr=False)
    text: OutgoingText = field(repr=False)
    timeout: int  # seconds
    flash: bool
    given_up: asyncio.Event

    def not_sent(self, failure: SendFailure) -> SendResult:
        """Return the result where there was no span to try."""
        return SendResult(
            number=self.number,
            status=SendStatus.FAILED,
            span=None,
            parts=len(self.text.parts),
            failure=failure,
        )


class _Outcome(NamedTuple):
    """The outcome of one SMS."""

    status: SendStatus
    failure: SendFailure | None = None
    detail: str = ""


_SENT: Final = _Outcome(SendStatus.SENT)
_GIVEN_UP: Final = _Outcome(SendStatus.FAILED, SendFailure.GIVEN_UP)
_REJECTED: Final = _Outcome(SendStatus.FAILED, SendFailure.REJECTED)


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
        r"""Send through `connection`, one message at a time on each of the `spans`.

        `on_attempt` is called with the result of each message on each span where it
        was tried. With `line_breaks` the firmware turns ``\n`` in a text into a line
        break; this may be changed at any time.
        """
        self._connection = connection
        self._spans = spans
        self._on_attempt = on_attempt
        self.line_breaks = line_breaks
        #: Subscribes to what the gateway says about a message later.
        self.late_outcomes = LateOutcomes()
        self._features = Features()
        # Spans whose settings have been found right since the last login.
        self._pdu_mode: set[int] = set()
        self._utf8_coding: set[int] = set()
        # Phones join parts by this number, so it must differ between messages.
        self._reference = random.randrange(256)
        self._under_way: set[asyncio.Task[SendResult]] = set()

    def adapt_to(self, features: Features) -> None:
        """Use what the firmware can do; it may be another one after each login."""
        self._features = features
        self._pdu_mode.clear()
        self._utf8_coding.clear()

    def count_parts(self, text: str, *, flash: bool = False) -> int:
        """Return how many SMS a text takes.

        Raises InvalidTextError where it can't be sent through this gateway.
        """
        return len(self._split(text, flash).parts)

    def _split(self, text: str, flash: bool) -> OutgoingText:
        outgoing = split_text(text, line_breaks=self.line_breaks)
        count = len(outgoing.parts)
        if flash and count > 1 and "flash" not in self._features.part_arguments:
            raise InvalidTextError(
                TextFault.TOO_LONG_FOR_FLASH,
                "This gateway can show at once only what fits into one SMS",
                str(count),
            )
        return outgoing

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
        """Send a message and return the result.

        `number` goes out as it is. Without a span a ready one is chosen, and the
        next one if the message was certainly not sent; a message with an unknown
        outcome is never sent again. `timeout` (whole seconds) is the time that the
        network has for each part, and how long to wait for a busy span. With `flash`
        the phone shows the text at once and doesn't keep it, if the firmware can do
        that. Once `given_up` is set nothing more is started; the part under way ends.

        Raises InvalidNumberError and InvalidTextError; nothing was sent then.
        """
        check_number(number)
        order = _Order(
            number,
            self._split(text, flash),
            timeout,
            flash,
            given_up or asyncio.Event(),
        )
        if span is not None:
            return await self._send_on(span, order)
        return await self._send_on_any(order)

    async def stop(self) -> None:
        """Wait for sends under way to end; stopping the connection ends them."""
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
                    or outcome.failure in _SAME_ON_ALL_SPANS
                    or order.given_up.is_set()
                    or rejections >= _MAX_REJECTIONS
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

        Cancelling this ends the message, but not the part under way: that can't be
        taken back, and the span isn't free before its answer has come.
        """
        # Eager, so that the span counts as used before the next one is chosen.
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
        async with self._spans.exclusive(span) as lock:
            self._reference = reference = (self._reference + 1) % 256
            sent = 0
            outcome = _GIVEN_UP
            for index in range(len(order.text.parts)):
                build_command = partial(self._command, order, span, index, reference)
                outcome = await self._send_part(order, lock, build_command)
                if outcome.status is not SendStatus.SENT:
                    break
                sent += 1
            result = SendResult(
                number=order.number,
                status=outcome.status,
                span=span,
                parts=len(order.text.parts),
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
        parts = order.text.parts
        if len(parts) == 1 or not self._features.concatenated_sms:
            # Guess: firmware that can't join parts still sends each of them.
            return send_sms(
                span,
                order.number,
                parts[index],
                timeout=order.timeout,
                optional=_optional_arguments(
                    self._features.sms_arguments, order.flash, message_id
                ),
            )
        return send_sms_part(
            span,
            order.number,
            parts[index],
            reference=reference,
            count=len(parts),
            sequence=index + 1,
            timeout=order.timeout,
            optional=_optional_arguments(
                self._features.part_arguments, order.flash, message_id
            ),
        )

    async def _send_part(
        self, order: _Order, lock: SpanLock, build_command: Callable[[str], str]
    ) -> _Outcome:
        """Send one SMS; only what certainly was not sent is tried again."""
        try:
            # Before looking at the span, which may change during a login.
            async with self._connection.slow_session() as session:
                with self.late_outcomes.track() as (message_id, was_sent):
                    command = build_command(message_id)
                    outcome = await self._send_when_ready(order, lock, session, command)
                    if outcome.status is SendStatus.UNKNOWN and message_id in command:
                        return await self._late_outcome(lock, was_sent) or outcome
                    return outcome
        except CannotConnectError:
            return _Outcome(SendStatus.FAILED, SendFailure.NOT_CONNECTED)

    async def _send_when_ready(
        self, order: _Order, lock: SpanLock, session: Session, command: str
    ) -> _Outcome:
        """Send one SMS as soon as the span is ready for it, within the time limit."""
        deadline = asyncio.get_running_loop().time() + order.timeout
        while True:
            try:
                failure = await self._spans.wait_until_ready(
                    lock, deadline
                ) or await self._check_settings(lock.number, order.text.alphabet)
            except ActionTimeoutError:
                failure = SendFailure.SPAN_NOT_READY
            except AmiError:
                failure = SendFailure.NOT_CONNECTED
            if failure:
                return _Outcome(SendStatus.FAILED, failure)
            if order.given_up.is_set():
                return _GIVEN_UP
            # Until the network has answered, the driver takes its answer for the
            # answer to whatever is sent next, even if nothing here waits for it.
            lock.block(order.timeout)
            outcome = await _send_once(session, command, order.timeout)
            if outcome.failure is SendFailure.BUSY:
                lock.block(BUSY_INTERVAL)
                continue
            if outcome.failure is SendFailure.TIMED_OUT:
                lock.block(LATE_ANSWER_TIME)
            elif outcome.status is not SendStatus.UNKNOWN:
                lock.unblock()
            return outcome

    async def _late_outcome(
        self, lock: SpanLock, was_sent: asyncio.Future[bool]
    ) -> _Outcome | None:
        """Wait a moment for the late outcome of a message; None if it doesn't come."""
        ends: list[asyncio.Future[Any]] = [was_sent, self._connection.stopped]
        await asyncio.wait(
            ends, timeout=LATE_ANSWER_TIME, return_when=asyncio.FIRST_COMPLETED
        )
        if not was_sent.done():
            return None
        lock.unblock()  # that was the late answer
        return _SENT if was_sent.result() else _REJECTED

    async def _check_settings(
        self, span: int, alphabet: Alphabet
    ) -> SendFailure | None:
        """Check once whether the span would spoil the text."""
        command = self._connection.command
        if span not in self._pdu_mode:
            mode = await command(show_sms_mode(span))
            if mode.strip().lower() == "text":
                return SendFailure.TEXT_MODE
            self._pdu_mode.add(span)
        if alphabet is Alphabet.UCS2 and span not in self._utf8_coding:
            coding = await command(show_sms_coding(span))
            if coding.strip().lower() == "ascii":
                return SendFailure.WRONG_CODING
            self._utf8_coding.add(span)
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
    reply, detail = read_sms_reply(output)
    return {
        SmsReply.SENT: _SENT,
        SmsReply.FAILED: _REJECTED,
        SmsReply.BUSY: _Outcome(SendStatus.FAILED, SendFailure.BUSY),
        SmsReply.TIMED_OUT: _Outcome(SendStatus.UNKNOWN, SendFailure.TIMED_OUT),
        SmsReply.REFUSED: _Outcome(SendStatus.FAILED, SendFailure.REFUSED, detail),
    }[reply]


def _optional_arguments(
    usage: tuple[str, ...], flash: bool, message_id: str
) -> tuple[str, ...]:
    """Return what comes after the timeout of a command that sends.

    Where the firmware has a place for a flash flag, it is before the ID.
    """
    arguments = []
    if "flash" in usage:
        arguments.append(str(int(flash)))
    if "id" in usage:
        arguments.append(message_id)
    return tuple(arguments)
