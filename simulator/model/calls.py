"""One call on a span (gateway-protocol, part 7; as recorded)."""

import asyncio
from collections.abc import Callable
from time import monotonic

from simulator.wire import atoi

from .asterisk import Asterisk
from .channels import CAUSE_NONE, CAUSE_NORMAL, Channel, ChannelState


class Call:
    """One call. It ends by `hangup` of the other side, or by `end_here`."""

    def __init__(
        self,
        asterisk: Asterisk,
        channel: Channel,
        number: str,
        *,
        incoming: bool,
        on_change: Callable[[Call], None],
    ) -> None:
        """Take a channel for a call with a number.

        ``on_change`` hears of the answer and of the end.
        """
        self._asterisk = asterisk
        self._on_change = on_change
        self._answered_at: float | None = None
        self.number = number
        self.channel = channel
        self.incoming = incoming
        self.cause: int | None = None
        """Why it ended (Q.850); None while it lasts."""
        self.ended_here = False
        """Whether the gateway ended it, and not the other side."""
        self.ended = asyncio.Event()
        channel.hangup = self.end_here

    @property
    def state(self) -> str:
        """Give the span's ``State`` line; the time stands there after a second of talk."""
        words = [self._progress]
        if self.number:
            words += ["Called", "from" if self.incoming else "to", self.number]
        if self.seconds:
            minutes, seconds = divmod(self.seconds, 60)
            words.append(f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}")
        return " ".join(words)

    @property
    def _progress(self) -> str:
        if self.answered:
            return "CALL ACTIVE"
        if not self.incoming:
            return "CALL PROGRESS"
        return "RINGING" if self.channel.state is ChannelState.RING else "RING"

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
        self._on_change(self)
        self._answered_at = monotonic()
        self.change_state(ChannelState.UP)
        await asyncio.sleep(0)

    def change_state(self, state: ChannelState) -> None:
        """Change the state of the channel; an event says so."""
        self.channel.state = state
        self._asterisk.emit(self._asterisk.events.new_state(self.channel))

    async def hangup(self, cause: int = CAUSE_NORMAL) -> None:
        """Let the other side, or the network, end the call."""
        self.end(cause)
        await asyncio.sleep(0)

    def end_here(self, cause: int = CAUSE_NONE) -> None:
        """End the call from this side, as a client or the dialplan does."""
        self.ended_here = self.cause is None
        self.end(cause)

    def end(self, cause: int = CAUSE_NORMAL) -> None:
        """End the call with a cause (Q.850); one that has ended stays as it is."""
        if self.cause is not None:
            return
        self.cause = cause
        self._asterisk.destroy_channel(self.channel, cause)
        self._on_change(self)
        self.ended.set()

    async def run(self, application: str, data: str) -> None:
        """Run what the answered call is for: Wait lasts its seconds, others until the hangup."""
        if application.lower() == "wait":
            try:
                async with asyncio.timeout(atoi(data)):
                    await self.ended.wait()
            except TimeoutError:
                self.end_here()
        elif application.lower() == "hangup":
            self.end_here(CAUSE_NORMAL)
        else:
            await self.ended.wait()
