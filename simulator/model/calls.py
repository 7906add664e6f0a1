"""Calls on a span, in and out (gateway-protocol, part 7)."""

import asyncio
from collections.abc import Callable
from time import monotonic

from simulator.wire import atoi

from .asterisk import Asterisk
from .channels import Channel, ChannelState

CAUSE_NORMAL, CAUSE_BUSY, CAUSE_NO_ANSWER, CAUSE_FAILED = 16, 17, 19, 38

REASON_FAILED, REASON_NO_ANSWER, REASON_ANSWERED, REASON_BUSY = 0, 3, 4, 5
"""``Reason`` of an ``OriginateResponse`` (Asterisk's control frames)."""


class Call:
    """One call on a span. It ends by `hangup`, which a client can do as well."""

    def __init__(
        self,
        asterisk: Asterisk,
        channel: Channel,
        number: str,
        on_end: Callable[[Call], None],
    ) -> None:
        """Take a channel for a call with a number; ``on_end`` hears once that it is over."""
        self._asterisk = asterisk
        self._on_end = on_end
        self._answered_at: float | None = None
        self.number = number
        self.channel = channel
        self.incoming = channel.state is ChannelState.RING
        self.cause: int | None = None
        """Why it ended (Q.850); None while it lasts."""
        self.ended = asyncio.Event()
        channel.hangup = self.end

    @property
    def state(self) -> str:
        """Give the span's ``State`` line: the time stands there only once it is answered.

        Guess: the names of the states before the answer; the driver has RING and CALL MADE.
        """
        way = "from" if self.incoming else "to"
        if not self.answered:
            return (
                f"{'RING' if self.incoming else 'CALL MADE'} Called {way} {self.number}"
            )
        minutes, seconds = divmod(self.seconds, 60)
        clock = f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
        return f"CALL ACTIVE Called {way} {self.number} {clock}"

    @property
    def answered(self) -> bool:
        """Say whether somebody has answered."""
        return self._answered_at is not None

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
        """Change the state of the channel; an event says so."""
        self.channel.state = state
        self._asterisk.emit(self._asterisk.events.new_state(self.channel))

    async def hangup(self, cause: int = CAUSE_NORMAL) -> None:
        """End the call with a cause (Q.850)."""
        self.end(cause)
        await asyncio.sleep(0)

    def end(self, cause: int = CAUSE_NORMAL) -> None:
        """End the call; one that has ended stays as it is."""
        if self.cause is not None:
            return
        self.cause = cause
        self._asterisk.destroy_channel(self.channel, cause)
        self._on_end(self)
        self.ended.set()

    async def run(self, application: str, data: str) -> None:
        """Run what the answered call is for: Wait lasts its seconds, others until the hangup."""
        if application.lower() == "wait":
            try:
                async with asyncio.timeout(atoi(data)):
                    await self.ended.wait()
            except TimeoutError:
                self.end()
        elif application.lower() == "hangup":
            self.end()
        else:
            await self.ended.wait()
