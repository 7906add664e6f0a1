"""The telephone of a span: lets calls come in and places calls."""

import asyncio
from enum import IntEnum
from math import inf

from simulator.wire import from_wire

from .calls import Call
from .channels import (
    CAUSE_BUSY,
    CAUSE_NO_ANSWER,
    CAUSE_NO_DIALTONE,
    CAUSE_NORMAL,
    CAUSE_REJECTED,
    ChannelState,
)
from .outcomes import CallOutcome
from .span_state import SpanState


class Reason(IntEnum):
    """``Reason`` of an ``OriginateResponse``: Asterisk's control frames."""

    NO_CHANNEL = 0
    HANGUP = 1
    """It ended before it was answered, whatever the cause."""
    TIME_LIMIT = 3
    ANSWERED = 4
    BUSY = 5
    """The span is in a call itself."""


_CAUSES = {
    CallOutcome.BUSY: CAUSE_BUSY,
    CallOutcome.NO_ANSWER: CAUSE_NO_ANSWER,
    CallOutcome.NO_CARRIER: CAUSE_NORMAL,
    CallOutcome.NO_DIALTONE: CAUSE_NO_DIALTONE,
    CallOutcome.FAILED: CAUSE_REJECTED,
}
_COLUMNS = {
    CAUSE_BUSY: "busy",
    CAUSE_NO_ANSWER: "no_answer",
    CAUSE_NO_DIALTONE: "no_dialtone",
    CAUSE_NORMAL: "no_carrier",
}
"""Where ``gsm show statistics outbound`` counts a call that ended with a cause."""


class Phone:
    """Makes the calls of one span."""

    def __init__(self, span: SpanState) -> None:
        """Take the span."""
        self._span = span
        self._core = span.core
        self._calls_out = self._answered = 0

    # ---- in ------------------------------------------------------------------------------

    def ring(self, number: str, dial: str) -> Call:
        """Let a call come in; the dialplan dials ``dial`` (data of Dial).

        The channel rings only some seconds after its first sign, for Asterisk waits whether
        the extension ``s`` goes on to be ``sms`` (recorded).
        Raises ValueError if the span cannot take a call now.
        """
        span, core = self._span, self._core
        if not span.ready:
            raise ValueError(
                f"Span {span.number} cannot take a call now: its state is {span.state}"
            )
        at_once = core.ring_delay == 0
        state = ChannelState.RING if at_once else ChannelState.RESERVED
        call = self._begin("s", state, number, incoming=True)
        call.channel.caller = number
        span.last_event = "Ring"
        core.tell(f"span {span.number}: call from {number}")
        core.emit(core.events.new_channel(call.channel))
        core.driver_event("ExtraDial", span.number)
        call.channel.application, call.channel.data = "Dial", dial
        if at_once:
            self._enter_dialplan(call)
        else:
            core.spawn(self._ring_later(call))
        return call

    async def _ring_later(self, call: Call) -> None:
        try:
            async with asyncio.timeout(self._core.ring_delay):
                await call.ended.wait()
        except TimeoutError:
            self._let_ring(call)

    def _let_ring(self, call: Call) -> None:
        if call.channel.state is ChannelState.RESERVED and call.cause is None:
            call.change_state(ChannelState.RING)
            self._span.last_event = "Ringing"
            self._enter_dialplan(call)

    def _enter_dialplan(self, call: Call) -> None:
        self._core.processed_calls += 1
        channel = call.channel
        self._core.step(channel, channel.application, channel.data)

    # ---- out -----------------------------------------------------------------------------

    async def dial(self, number: str, timeout: float) -> tuple[Call | None, Reason]:
        """Call a number and wait for an answer; ``timeout`` in seconds.

        Gives the call (which has ended unless it was answered) and the reason.
        """
        span = self._span
        if span.call is not None:
            return None, Reason.BUSY
        if not span.ready or span.is_limited("Call"):
            return None, Reason.NO_CHANNEL
        scripted = (
            span.call_outcomes.popleft() if span.call_outcomes else CallOutcome.ANSWERED
        )
        outcome, after = scripted if isinstance(scripted, tuple) else (scripted, 0.0)
        if outcome is CallOutcome.NO_ANSWER and after == 0.0:
            after = inf
        call = self._begin_dialing(number, rejected=outcome is CallOutcome.FAILED)
        try:
            async with asyncio.timeout(min(after, timeout)):
                await call.ended.wait()
                return call, Reason.HANGUP  # somebody hung up meanwhile
        except TimeoutError:
            pass
        if after > timeout:
            call.end_here()
            return call, Reason.TIME_LIMIT
        if outcome is CallOutcome.ANSWERED:
            await call.answer()
            self._core.emit(self._core.events.new_account_code(call.channel))
            return call, Reason.ANSWERED
        call.end(_CAUSES[outcome])
        return call, Reason.HANGUP

    def _begin_dialing(self, number: str, *, rejected: bool) -> Call:
        """Give the number to the module. No event says that it rings there (recorded)."""
        span, core = self._span, self._core
        call = self._begin("", ChannelState.RESERVED, number, incoming=False)
        core.tell(f"span {span.number}: calls {from_wire(number)}")
        core.emit(core.events.new_channel(call.channel))
        core.emit(core.events.new_account_code(call.channel))
        core.emit(core.events.new_caller_id(call.channel))
        call.change_state(ChannelState.DIALING)
        core.driver_event("ExtraOutDial", span.number)
        span.last_send_at = f"ATD{from_wire(number)};\r\n"
        if not rejected:
            span.last_send_at = "AT+MORING=1\r\n"
            span.last_event = "Unknown Event"
            core.driver_event("ExtraRingBack", span.number)
        return call

    # ---- both ----------------------------------------------------------------------------

    def _begin(
        self, exten: str, state: ChannelState, number: str, *, incoming: bool
    ) -> Call:
        span = self._span
        channel = self._core.new_channel(
            f"EXTRA/{span.voice_channel}-1", span.context, exten, state
        )
        span.call = Call(
            self._core, channel, number, incoming=incoming, on_change=self._changed
        )
        return span.call

    def _changed(self, call: Call) -> None:
        if call.cause is None:
            self._let_ring(call)
            self._span.last_event = "Answer"
            if call.incoming:
                self._span.last_send_at = "ATA\r\n"
            self._core.driver_event("ExtraConnect", self._span.number)
        else:
            self._ended(call)

    def _ended(self, call: Call) -> None:
        span, core = self._span, self._core
        span.call = None
        span.last_event = "Hangup"
        if call.ended_here:
            span.last_send_at = "ATH\r\n"
        if not call.incoming:
            self._count(call)
        core.driver_event("ExtraHangup", span.number, f"Result: {call.cause}")
        core.tell(f"span {span.number}: call with {call.number} has ended")

    def _count(self, call: Call) -> None:
        """Keep the statistics of the span.

        A rejected call counts for the ASR only (recorded). Guess: what this side ends counts
        as cancelled; the recordings disagree about a call that is over at its time limit.
        """
        span, numbers = self._span, self._span.statistics
        self._calls_out += 1
        self._answered += call.answered
        if call.cause != CAUSE_REJECTED or call.answered:
            numbers["count"] += 1
            numbers["duration"] += call.seconds
            column = _COLUMNS.get(call.cause or 0, "cancel")
            numbers["answered" if call.answered else column] += 1
        span.asr = 100 * self._answered // self._calls_out
        span.acd = numbers["duration"] // self._answered if self._answered else 0
