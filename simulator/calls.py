"""Calls on a span, in and out (gateway-protocol, part 7)."""

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from .channels import Channel, ChannelState
from .model import CallOutcome
from .wire import atoi, from_wire

if TYPE_CHECKING:
    from .gateway import Simulator
    from .span import SimSpan

CAUSE_NORMAL, CAUSE_BUSY, CAUSE_NO_ANSWER, CAUSE_FAILED = 16, 17, 19, 38

REASON_FAILED, REASON_NO_ANSWER, REASON_ANSWERED, REASON_BUSY = 0, 3, 4, 5
"""``Reason`` of an ``OriginateResponse`` (Asterisk's control frames)."""


class Call:
    """One call on a span. It ends by `hangup`, which a client can do as well."""

    def __init__(
        self, gateway: Simulator, span: SimSpan, number: str, channel: Channel
    ) -> None:
        """Take the span for a call with a number."""
        self._gateway = gateway
        self._span = span
        self.number = number
        self.channel = channel
        self.cause: int | None = None
        self._incoming = channel.state is ChannelState.RING
        self._answered_at: float | None = None
        self.ended = asyncio.Event()
        channel.hangup = self.end
        span.call = self

    @property
    def state(self) -> str:
        """Give the span's ``State`` line: the time stands there only once it is answered.

        Guess: the names of the states before the answer; the driver has RING and CALL MADE.
        """
        way = "from" if self._incoming else "to"
        if self._answered_at is None:
            return f"{'RING' if self._incoming else 'CALL MADE'} Called {way} {self.number}"
        minutes, seconds = divmod(self.seconds, 60)
        clock = f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
        return f"CALL ACTIVE Called {way} {self.number} {clock}"

    @property
    def seconds(self) -> int:
        """Give the time since the answer in seconds; 0 before it."""
        return 0 if self._answered_at is None else int(monotonic() - self._answered_at)

    async def answer(self) -> None:
        """Answer the call: the channel goes up."""
        self._answered_at = monotonic()
        self.change_state(ChannelState.UP)
        await asyncio.sleep(0)

    def change_state(self, state: ChannelState) -> None:
        """Change the state of the channel and tell everybody."""
        self.channel.state = state
        self._gateway.emit(self._gateway.events.new_state(self.channel))

    async def hangup(self, cause: int = CAUSE_NORMAL) -> None:
        """End the call with a cause (Q.850)."""
        self.end(cause)
        await asyncio.sleep(0)

    def end(self, cause: int = CAUSE_NORMAL) -> None:
        """End the call; one that has ended stays as it is."""
        if self.cause is not None:
            return
        self.cause = cause
        self._span.call = None
        self._span.last_event = "Hangup"
        self._gateway.destroy_channel(self.channel, cause)
        self._count()
        self.ended.set()
        self._gateway.tell(
            f"span {self._span.number}: call with {self.number} has ended"
        )

    def _count(self) -> None:
        """Keep the statistics of ``gsm show statistics outbound``."""
        if self._incoming:
            return
        numbers = self._span.statistics
        numbers["count"] += 1
        numbers["duration"] += self.seconds
        kinds = {
            CAUSE_BUSY: "busy",
            CAUSE_NO_ANSWER: "no_answer",
            CAUSE_FAILED: "no_carrier",
        }
        answered = self._answered_at is not None
        numbers["answered" if answered else kinds.get(self.cause or 0, "cancel")] += 1


def ring(gateway: Simulator, span: SimSpan, number: str, dial: str) -> Call:
    """Let a call come in: it rings and the dialplan dials ``dial`` (data of Dial)."""
    if not span.ready:
        raise ValueError(
            f"Span {span.number} cannot take a call now: its state is {span.state}"
        )
    channel = gateway.new_channel(
        f"EXTRA/{span.voice_channel}-1", span.context, "s", ChannelState.RING, number
    )
    call = Call(gateway, span, number, channel)
    span.last_event = "Ring"
    gateway.tell(f"span {span.number}: call from {number}")
    gateway.emit(gateway.events.new_channel(channel))
    gateway.processed_calls += 1
    gateway.step(channel, "Dial", dial)
    return call


async def dial(
    gateway: Simulator, span: SimSpan, number: str, timeout: float
) -> tuple[Call, int]:
    """Call a number and wait for an answer; ``timeout`` in seconds.

    Gives the call (which has ended unless it was answered) and the reason.
    """
    scripted = (
        span.call_outcomes.popleft() if span.call_outcomes else CallOutcome.ANSWERED
    )
    outcome, after = scripted if isinstance(scripted, tuple) else (scripted, 0.0)
    channel = gateway.new_channel(
        f"EXTRA/{span.voice_channel}-1", span.context, "", caller=number
    )
    call = Call(gateway, span, number, channel)
    gateway.tell(f"span {span.number}: calls {from_wire(number)}")
    gateway.emit(gateway.events.new_channel(channel))
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


async def run_application(call: Call, application: str, data: str) -> None:
    """Run what the answered call is for: Wait lasts its seconds, others until the hangup."""
    if application.lower() == "wait":
        try:
            async with asyncio.timeout(atoi(data)):
                await call.ended.wait()
        except TimeoutError:
            call.end()
    elif application.lower() == "hangup":
        call.end()
    else:
        await call.ended.wait()
