"""Sending SMS: which span sends, in how many parts, and what the outcome is.

Nothing is sent twice: only what certainly was not sent is tried again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
import random
from typing import Final

from custom_components.openvox_gsm.ami import AmiError
from custom_components.openvox_gsm.gateway.commands import (
    check_number,
    send_sms,
    send_sms_part,
)
from custom_components.openvox_gsm.gateway.connection import Connection
from custom_components.openvox_gsm.gateway.errors import why_not_asked
from custom_components.openvox_gsm.gateway.firmware import Features
from custom_components.openvox_gsm.gateway.model import (
    NOT_READY,
    SendFailure,
    SendResult,
    SendStatus,
)
from custom_components.openvox_gsm.gateway.spans import Spans

from .part import GIVEN_UP, Conditions, PartSender
from .quota import Quota
from .reports import DeliveryReports, ReportedMessage
from .text import InvalidTextError, OutgoingText, TextFault, split_text

SMS_TIMEOUT: Final = 30  # seconds that the network has for each part of a message

# Another span would fail in the same way.
_SAME_ON_ALL_SPANS: Final = (
    SendFailure.NOT_CONNECTED,
    SendFailure.NOT_RESPONDING,
    SendFailure.REFUSED,
    SendFailure.LIMIT_REACHED,
)
# The span has nothing to do with it: it was given nothing.
_NOT_TRIED: Final = (SendFailure.NOT_CONNECTED, SendFailure.GIVEN_UP)
# A number that the networks of two SIMs reject will be rejected by all, and trying
# more of them could get those SIMs blocked.
_MAX_REJECTIONS: Final = 2


@dataclass(eq=False)
class _Order:
    """A message to be sent, on any span."""

    number: str = field(repr=False)
    message: str = field(repr=False)  # as it was given
    text: OutgoingText = field(repr=False)
    timeout: int  # seconds
    flash: bool
    given_up: asyncio.Event
    quota: Quota
    order_id: str | None

    def not_sent(self, failure: SendFailure, span: int | None = None) -> SendResult:
        """Return the result where nothing was tried, on any span or on one."""
        return SendResult(
            number=self.number,
            status=SendStatus.FAILED,
            span=span,
            parts=len(self.text.parts),
            failure=failure,
        )


class Sender:
    """Sends SMS through the spans."""

    def __init__(
        self,
        connection: Connection,
        spans: Spans,
        reports: DeliveryReports,
        on_attempt: Callable[[SendResult], None],
        *,
        line_breaks: bool,
    ) -> None:
        r"""Send through `connection`, one message at a time on each of the `spans`.

        `reports` gets what goes out. `on_attempt` is called once with the result of
        each message on each span where it was tried, when it's final. With
        `line_breaks` the firmware turns ``\n`` in a text into a line break; this may be
        changed at any time.
        """
        self._spans = spans
        self._part_sender = PartSender(connection, spans)
        self._reports = reports
        self._on_attempt = on_attempt
        self.line_breaks = line_breaks
        #: Subscribes to what the gateway says about a message later.
        self.late_outcomes = self._part_sender.late_outcomes
        self._features = Features()
        # Phones join parts by this number, so it must differ between messages.
        self._reference = random.randrange(256)
        self._under_way: set[asyncio.Task[SendResult]] = set()

    def adapt_to(self, features: Features) -> None:
        """Use what the firmware can do; it may be another one after each login."""
        self._features = features
        self._part_sender.adapt_to(features)

    def count_parts(self, text: str, *, flash: bool = False) -> int:
        """Return how many SMS a text takes.

        Raises InvalidTextError where it can't be sent through this gateway.
        """
        return len(self._split(text, flash).parts)

    def _split(self, text: str, flash: bool) -> OutgoingText:
        outgoing = split_text(text, line_breaks=self.line_breaks)
        count = len(outgoing.parts)
        if flash and count > 1 and not self._features.flash_parts:
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
        quota: Quota | None = None,
        order_id: str | None = None,
    ) -> SendResult:
        """Send a message and return the result.

        `number` goes out as it is. Without a span a ready one is chosen, and the
        next one if the message was certainly not sent; a message with an unknown
        outcome is never sent again. `timeout` (whole seconds) is the time that the
        network has for each part, and how long to wait for a busy span. With `flash`
        the phone shows the text at once and doesn't keep it, if the firmware can do
        that. Once `given_up` is set nothing more is started; the part under way ends.
        `quota` says on each span whether the message may be sent there.
        An unknown outcome may be learned for some minutes: see `SendResult.settled`.
        A delivery report of the message carries the `order_id`.

        Raises InvalidNumberError and InvalidTextError; nothing was sent then.
        """
        check_number(number)
        order = _Order(
            number,
            text,
            self._split(text, flash),
            timeout,
            flash,
            given_up or asyncio.Event(),
            quota or Quota(),
            order_id,
        )
        if span is not None:
            return await self._send_on(span, order)
        return await self._send_on_any(order)

    async def stop(self) -> None:
        """Wait for sends under way to end; stopping the connection ends them."""
        if self._under_way:
            await asyncio.wait(self._under_way)
        self.late_outcomes.stop()

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
                    return _where_tried(outcome)
                if _says_more(outcome, result):
                    result = outcome
            if spans_may_be_outdated:
                try:
                    await self._spans.read()
                except AmiError as err:
                    return order.not_sent(why_not_asked(err))
        return result

    async def _send_on(self, span: int, order: _Order) -> SendResult:
        """Send a message on one span.

        Cancelling this ends the message, but not the part under way: that can't be
        taken back, and the span isn't free before its answer has come.
        """
        if refusal := order.quota.reserve(span, len(order.text.parts)):
            is_of_span = refusal is SendFailure.SIM_LIMIT_REACHED
            return order.not_sent(refusal, span if is_of_span else None)
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
            outcome = GIVEN_UP
            count = len(order.text.parts)
            report = self._reports.expect(
                span, order.number, order.message, count, order.order_id
            )
            conditions = Conditions(order.timeout, order.text.alphabet, order.given_up)
            for index in range(count):
                build_command = partial(self._command, order, span, index, reference)
                outcome = await self._part_sender.send(
                    lock, build_command, conditions, report
                )
                if outcome.status is not SendStatus.SENT:
                    break
                sent += 1
            result = SendResult(
                number=order.number,
                status=outcome.status,
                span=span,
                parts=count,
                parts_sent=sent,
                failure=outcome.failure,
                detail=outcome.detail,
            )
        if outcome.was_sent:
            settled = self._settle(span, order, result, outcome.was_sent, report)
            return replace(result, settled=settled)
        self._finish(span, order, result)
        return result

    def _finish(self, span: int, order: _Order, result: SendResult) -> None:
        """Take the final result of a message on a span."""
        if result.certainly_not_sent:
            order.quota.cancel(span)
        self._on_attempt(result)

    def _settle(
        self,
        span: int,
        order: _Order,
        result: SendResult,
        was_sent: asyncio.Future[bool | None],
        report: ReportedMessage,
    ) -> asyncio.Future[SendResult]:
        """Return a future for the final result of a message with an unknown outcome."""
        settled: asyncio.Future[SendResult] = asyncio.get_running_loop().create_future()

        def settle(outcome: asyncio.Future[bool | None]) -> None:
            if outcome.result() is False:
                report.handed_over -= 1
            final = _final(result, outcome.result())
            settled.set_result(final)
            self._finish(span, order, final)

        was_sent.add_done_callback(settle)
        return settled

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


def _where_tried(outcome: SendResult) -> SendResult:
    """Return an outcome without the span that was chosen, but not tried."""
    if outcome.certainly_not_sent and outcome.failure in _NOT_TRIED:
        return replace(outcome, span=None)
    return outcome


def _says_more(outcome: SendResult, result: SendResult) -> bool:
    """Return whether an outcome says more about a message than the result so far."""
    if outcome.failure is SendFailure.SIM_LIMIT_REACHED:
        return result.failure is SendFailure.NO_SPAN_READY
    return outcome.failure not in NOT_READY


def _final(result: SendResult, was_sent: bool | None) -> SendResult:
    """Return the final result of a message, once it's known of its unknown part.

    The rest of a long message isn't sent after it: that may have taken minutes.
    """
    if was_sent is None:
        return result
    if not was_sent:
        return replace(result, status=SendStatus.FAILED, failure=SendFailure.REJECTED)
    result = replace(result, parts_sent=result.parts_sent + 1)
    if result.parts_sent < result.parts:
        return replace(result, status=SendStatus.FAILED)
    return replace(result, status=SendStatus.SENT, failure=None)


def _optional_arguments(
    usage: tuple[str, ...], flash: bool, message_id: str
) -> tuple[str, ...]:
    """Return what comes after the timeout of a command that sends, as its usage says.

    An ID in the place of the flash flag would be lost, and make flash messages of all.
    So a flag always has its place where the firmware has one.
    """
    arguments = []
    for argument in usage:
        if argument.startswith("flash"):
            arguments.append(str(int(flash)))
        elif argument == "id":
            arguments.append(message_id)
    return tuple(arguments)
