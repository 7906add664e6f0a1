"""The telephone of a span: lets calls come in and places calls."""

import asyncio

from simulator.wire import from_wire

from .calls import (
    CAUSE_BUSY,
    CAUSE_FAILED,
    CAUSE_NO_ANSWER,
    REASON_ANSWERED,
    REASON_BUSY,
    REASON_FAILED,
    REASON_NO_ANSWER,
    Call,
)
from .channels import Channel, ChannelState
from .outcomes import CallOutcome
from .span_state import SpanState

_COUNTED_AS = {
    CAUSE_BUSY: "busy",
    CAUSE_NO_ANSWER: "no_answer",
    CAUSE_FAILED: "no_carrier",
}
"""The column of ``gsm show statistics outbound`` for each cause."""


class Phone:
    """Makes the calls of one span."""

    def __init__(self, span: SpanState) -> None:
        """Take the span."""
        self._span = span
        self._core = span.core

    def ring(self, number: str, dial: str) -> Call:
        """Let a call come in: it rings and the dialplan dials ``dial`` (data of Dial).

        Raises ValueError if the span cannot take a call now.
        """
        span, core = self._span, self._core
        if not span.ready:
            raise ValueError(
                f"Span {span.number} cannot take a call now: its state is {span.state}"
            )
        call = self._begin("s", ChannelState.RING, number)
        span.last_event = "Ring"
        core.tell(f"span {span.number}: call from {number}")
        core.emit(core.events.new_channel(call.channel))
        core.processed_calls += 1
        core.step(call.channel, "Dial", dial)
        return call

    async def dial(self, number: str, timeout: float) -> tuple[Call, int]:
        """Call a number and wait for an answer; ``timeout`` in seconds.

        Gives the call (which has ended unless it was answered) and the reason.
        """
        span, core = self._span, self._core
        scripted = (
            span.call_outcomes.popleft() if span.call_outcomes else CallOutcome.ANSWERED
        )
        outcome, after = scripted if isinstance(scripted, tuple) else (scripted, 0.0)
        call = self._begin("", ChannelState.DOWN, number)
        core.tell(f"span {span.number}: calls {from_wire(number)}")
        core.emit(core.events.new_channel(call.channel))
        call.change_state(ChannelState.DIALING)
        if outcome is not CallOutcome.FAILED:
            call.change_state(ChannelState.RINGING)
        if outcome is CallOutcome.NO_ANSWER and after == 0.0:
            after = timeout
        try:
            async with asyncio.timeout(min(after, timeout)):
                await call.ended.wait()
                return call, REASON_FAILED  # somebody hung up while it rang
        except TimeoutError:
            pass
        if outcome is CallOutcome.ANSWERED and after <= timeout:
            await call.answer()
            return call, REASON_ANSWERED
        ends = {
            CallOutcome.BUSY: (CAUSE_BUSY, REASON_BUSY),
            CallOutcome.FAILED: (CAUSE_FAILED, REASON_FAILED),
        }
        cause, reason = ends.get(outcome, (CAUSE_NO_ANSWER, REASON_NO_ANSWER))
        call.end(cause)
        return call, reason

    def _begin(self, exten: str, state: ChannelState, number: str) -> Call:
        span = self._span
        channel: Channel = self._core.new_channel(
            f"EXTRA/{span.voice_channel}-1", span.context, exten, state, number
        )
        span.call = Call(self._core, channel, number, self._ended)
        return span.call

    def _ended(self, call: Call) -> None:
        span = self._span
        span.call = None
        span.last_event = "Hangup"
        if not call.incoming:
            self._count(call)
        self._core.tell(f"span {span.number}: call with {call.number} has ended")

    def _count(self, call: Call) -> None:
        """Keep the statistics of ``gsm show statistics outbound``."""
        numbers = self._span.statistics
        numbers["count"] += 1
        numbers["duration"] += call.seconds
        column = _COUNTED_AS.get(call.cause or 0, "cancel")
        numbers["answered" if call.answered else column] += 1
