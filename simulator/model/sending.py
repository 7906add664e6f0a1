"""SMS on their way out of a span.

They run in tasks of the gateway, so that a message the module keeps can leave it later than
the command that brought it was answered.
"""

import asyncio
from dataclasses import dataclass
from enum import Enum

from .box import Box
from .dialplan import SEND_OUTCOME
from .journal import Overrun, SentPart
from .outcomes import ConnectionDropped, NeverAnswered, SmsOutcome
from .span_state import SpanState
from .submit import OutgoingText, Part, submit_length

WAKE_SECONDS = 27.0
"""After this time the driver of 2013 switches on a module that does not answer (recorded)."""


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
    pdu: str
    flash: bool
    id: str | None
    part: Part | None = None


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
        """Give an SMS to the driver, which sends it when it can and reports to nobody."""
        if sms.text.overruns:
            self._core.overruns.append(
                Overrun(self._span.number, sms.text.alphabet, sms.text.units)
            )
        self._core.spawn(self._transmit(sms))

    async def _transmit(self, sms: OutgoingSms) -> None:
        span = self._span
        queued = self._module.locked()
        async with self._module:
            # Tried again every 2 s, forever. A USSD request is in the way as well.
            while queued or span.doing or not span.seems_ready:
                await asyncio.sleep(self._core.retry_interval)
                queued = False
            try:
                if span.module_on:
                    await self._give_to_module(sms, self._next_outcome(sms))
                else:
                    await self._wake_module(sms)
            finally:
                span.doing = None

    def _next_outcome(self, sms: OutgoingSms) -> SmsOutcome:
        outcomes = self._span.sms_outcomes
        outcome = outcomes.popleft() if outcomes else SmsOutcome.SUCCESS
        if self._span.is_limited("Sms"):
            return SmsOutcome.FAILED
        if not sms.text.fits(part=sms.part is not None):
            # Guess: the network refuses what is too long for one SMS, before the prompt.
            return SmsOutcome.TIMEOUT
        return outcome

    def _announce(self, sms: OutgoingSms) -> None:
        """Ask the module for its prompt."""
        self._span.doing = "SMS SENDING"
        self._span.last_send_at = f"AT+CMGS={submit_length(sms.pdu)}\r\n"

    async def _wake_module(self, sms: OutgoingSms) -> None:
        """Send to a module without power: in the end the driver switches it on.

        The SMS is lost, even if a command switches the module on (recorded).
        """
        self._announce(sms)
        try:
            async with asyncio.timeout(WAKE_SECONDS * self._core.power_speed):
                await self._span.freed()
        except TimeoutError:
            self._span.module_goes_on()

    async def _give_to_module(self, sms: OutgoingSms, outcome: SmsOutcome) -> None:
        """Send as the module and the network answer.

        Guess: the module prompts after half the time that a send takes.
        """
        span = self._span
        self._announce(sms)
        await asyncio.sleep(span.send_duration / 2)
        if outcome not in (SmsOutcome.TIMEOUT, SmsOutcome.NO_PROMPT):
            span.doing = "SMS SENT"
            span.last_send_at = f"{sms.pdu}\x1a\r\n"
        await asyncio.sleep(span.send_duration / 2)
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
                # The driver takes it for the answer to a USSD request (recorded).
                span.last_event = "USSD send failed"
                self._raise_send_status("FAILED", sms)
                self._answer(SendAnswer.TIMEOUT)
            case SmsOutcome.NO_PROMPT | SmsOutcome.NO_ANSWER:
                self._answer(SendAnswer.TIMEOUT)
                await span.freed()
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
        part = sms.part or Part(0, 1, 1)
        self._core.record_sent(
            SentPart(
                self._span.number,
                sms.number,
                sms.text.shown,
                sms.text.alphabet,
                sms.flash,
                sms.id,
                sms.part.flag if sms.part else None,
                part.count,
                part.sequence,
            )
        )
        self._raise_send_event("sms_send_ok", sms)
        self._raise_send_status("SUCCESS", sms)

    def _refused(self, sms: OutgoingSms) -> None:
        self._span.last_event = "SMS send failed"
        self._raise_send_event("sms_send_failed", sms)
        self._raise_send_status("FAILED", sms)

    def _raise_send_status(self, status: str, sms: OutgoingSms) -> None:
        """Raise the outcome as boxes of today do. Guess: the word for a failure."""
        self._core.driver_event(
            "SMSSendStatus",
            self._span.number,
            f"Destination: {sms.number}",
            f"ID: {sms.id or ''}",
            f"IMSI: {self._span.imsi}",
            f"Status: {status}",
        )

    def _raise_send_event(self, exten: str, sms: OutgoingSms) -> None:
        """Raise the outcome as the driver of 2013 does, where the dialplan has the extension.

        Names, order and values of the variables are recorded.
        """
        span = self._span
        if not span.send_events or self._core.box is not Box.OF_2013:
            return
        channel = self._core.new_channel(
            f"EXTRA-SMSSEND/{span.voice_channel}-1", span.context, exten
        )
        self._core.run_dialplan(
            channel,
            {
                "SMS_SEND_TYPE": span.sms_mode,
                "SMS_SEND_SENDER": sms.number.removeprefix("+"),
                "SMS_SEND_TXT": sms.raw,
                "SMS_SEND_PDU": sms.pdu,
                "SMS_SEND_ID": sms.id or "",
                "DIALSTATUS": "SMS_SEND_END",
            },
            SEND_OUTCOME,
        )
