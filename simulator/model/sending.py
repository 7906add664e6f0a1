"""SMS on their way out of a span.

They run in tasks of the gateway, so that a message the module keeps can leave it later than
the command that brought it was answered.
"""

import asyncio
from dataclasses import dataclass
from enum import Enum

from .driver_sms import OutgoingText
from .journal import Overrun, SentPart
from .outcomes import ConnectionDropped, NeverAnswered, SmsOutcome
from .span_state import SpanState


class SendAnswer(Enum):
    """How a synchronous send ends for the one who waits; the value is the driver's wording."""

    SUCCESS = "SUCCESSFULLY"
    FAILED = "WAS FAILED"
    TIMEOUT = "TIMEOUT"
    USING = "WAS USING"


@dataclass(frozen=True)
class OutgoingSms:
    """One SMS on its way out; ``raw`` are the bytes of its text in the command."""

    number: str
    raw: str
    text: OutgoingText
    flash: bool
    id: str | None
    flag: int | None = None
    count: int = 1
    sequence: int = 1


class SmsSender:
    """Sends the SMS of one span, one after the other."""

    def __init__(self, span: SpanState) -> None:
        """Take the span."""
        self._span = span
        self._core = span.core
        self._module = asyncio.Lock()
        self._waiter: asyncio.Future[SendAnswer] | None = None

    async def send_and_wait(self, sms: OutgoingSms, timeout: float) -> SendAnswer:
        """Send an SMS and wait for its outcome, at most ``timeout`` seconds.

        A time-out does not take the message back. Raises ConnectionDropped if a scripted
        fault wants the session to lose its connection.
        """
        if self._waiter is not None or self._scripted_busy():
            return SendAnswer.USING
        self._waiter = asyncio.get_running_loop().create_future()
        self.hand_over(sms)
        try:
            async with asyncio.timeout(timeout):
                return await self._waiter
        except TimeoutError:
            return SendAnswer.TIMEOUT
        except NeverAnswered:
            return await self._core.forever()
        finally:
            self._waiter = None

    def _scripted_busy(self) -> bool:
        outcomes = self._span.sms_outcomes
        if outcomes and outcomes[0] is SmsOutcome.BUSY:
            outcomes.popleft()
            return True
        return False

    def hand_over(self, sms: OutgoingSms) -> None:
        """Give an SMS to the module, which sends it when it can and reports to nobody."""
        if sms.text.overruns:
            self._core.overruns.append(
                Overrun(self._span.number, sms.text.alphabet, sms.text.units)
            )
        self._core.spawn(self._transmit(sms))

    async def _transmit(self, sms: OutgoingSms) -> None:
        span = self._span
        async with self._module:
            while not span.ready:  # chan_extra 2.0.8: tried again every 2 s, for ever
                await asyncio.sleep(self._core.retry_interval)
            outcome = (
                span.sms_outcomes.popleft() if span.sms_outcomes else SmsOutcome.SUCCESS
            )
            if not sms.text.fits(part=sms.flag is not None):
                # Guess: the network refuses what is too long for one SMS, before the prompt.
                outcome = SmsOutcome.TIMEOUT
            span.doing = "SMS SENDING"
            try:
                await asyncio.sleep(span.send_duration)
            finally:
                span.doing = None
        match outcome:
            case SmsOutcome.SUCCESS:
                self._gone_out(sms)
                self._answer(SendAnswer.SUCCESS)
            case SmsOutcome.FAILED:
                self._refused(sms)
                self._answer(SendAnswer.FAILED)
            case SmsOutcome.LATE_SUCCESS | SmsOutcome.LATE_FAILURE:
                self._answer(SendAnswer.TIMEOUT)
                await asyncio.sleep(span.late_after)
                if outcome is SmsOutcome.LATE_SUCCESS:
                    self._gone_out(sms)
                    self._answer(SendAnswer.SUCCESS)
                else:
                    self._refused(sms)
                    self._answer(SendAnswer.FAILED)
            case SmsOutcome.TIMEOUT:
                self._answer(SendAnswer.TIMEOUT)
            case SmsOutcome.DROP_AFTER:
                self._gone_out(sms)
                self._fail(ConnectionDropped())
            case SmsOutcome.DROP_BEFORE:
                self._fail(ConnectionDropped())
            case SmsOutcome.HANG:
                self._fail(NeverAnswered())
            case SmsOutcome.BUSY:
                pass  # only for a message that nobody waits for

    def _answer(self, answer: SendAnswer) -> None:
        """Wake the one who waits: the driver does not ask whose answer it is."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(answer)

    def _fail(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    def _gone_out(self, sms: OutgoingSms) -> None:
        self._span.last_event = "SMS send OK"
        self._core.record_sent(
            SentPart(
                self._span.number,
                sms.number,
                sms.text.shown,
                sms.text.alphabet,
                sms.flash,
                sms.id,
                sms.flag,
                sms.count,
                sms.sequence,
            )
        )
        self._raise_send_event("sms_send_ok", sms)

    def _refused(self, sms: OutgoingSms) -> None:
        self._span.last_event = "SMS send failed"
        self._raise_send_event("sms_send_failed", sms)

    def _raise_send_event(self, exten: str, sms: OutgoingSms) -> None:
        """Raise the outcome as an event, where the dialplan has the extension for it.

        Guess: the PDU is left empty, the type is the mode, and the dialplan's only steps are
        NoOp and Hangup; the names and the order of the variables are the driver's.
        """
        span = self._span
        if not span.send_events:
            return
        channel = self._core.new_channel(
            f"EXTRA-SMSSEND/{span.voice_channel}-1", span.context, exten
        )
        self._core.run_dialplan(
            channel,
            {
                "SMS_SEND_ID": sms.id or "",
                "SMS_SEND_SENDER": sms.number,
                "SMS_SEND_TXT": sms.raw,
                "SMS_SEND_PDU": "",
                "SMS_SEND_TYPE": span.sms_mode,
            },
            [("NoOp", sms.raw)],
        )
