"""Rings a phone and hangs up: a call that nobody has to answer."""

import asyncio
from collections.abc import Iterator
import contextlib
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    AmiError,
    CannotConnectError,
    ConnectionLostError,
    InvalidHeaderError,
    Packet,
    PermissionDeniedError,
)

from .calls import CallTracker, voice_channel
from .connection import Connection
from .model import RingOutcome, RingResult

# The outcome comes right after the time that the gateway was given to ring.
_SLACK: Final = 10.0  # seconds
# A call that was begun shows its channel within this time, or not at all.
_APPEARANCE: Final = 3.0  # seconds
# How long a call is hung up again and again while the gateway does not do so.
_PERSISTENCE: Final = 30.0  # seconds
_LOOK_AGAIN: Final = 0.1  # seconds
# How long a goodbye waits for calls to be hung up; their time limit ends the rest.
_GOODBYE: Final = 5.0  # seconds
_MAX_EARLY: Final = 50

# Refusals after which there certainly is no call.
_NOT_CALLED: Final = (
    ActionFailedError,
    CannotConnectError,
    InvalidHeaderError,
    PermissionDeniedError,
)

# ``Reason`` of an OriginateResponse: Asterisk's control frames (frame.h).
_REASONS: Final = {
    "1": RingOutcome.NO_ANSWER,  # hung up by the other side, or by the network
    "3": RingOutcome.NO_ANSWER,  # still ringing when the time was over
    "4": RingOutcome.ANSWERED,
    "5": RingOutcome.BUSY,
}


@dataclass(slots=True, eq=False)
class _OutgoingCall:
    """A call of ours; `others` is how many calls began before it."""

    span: int
    others: int
    action_id: str = ""
    outcome: asyncio.Future[Packet] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Dialer:
    """Makes calls, and ends every call that it made.

    Subscribe `receive` with the test `wants`. The outcome of a call is told by
    its ActionID, which nobody can guess: the text of an SMS cannot forge it.
    """

    def __init__(self, connection: Connection, calls: CallTracker) -> None:
        """Dial through `connection`; `calls` knows the channels."""
        self._connection = connection
        self._calls = calls
        self._outcomes: dict[str, asyncio.Future[Packet]] = {}
        # An outcome may be here before the ActionID of its call is.
        self._early: dict[str, Packet] = {}
        self._stopping: asyncio.Future[None] = (
            asyncio.get_running_loop().create_future()
        )
        self._under_way: set[asyncio.Future[None]] = set()

    mark = b"Event: OriginateResponse\r\n"

    @classmethod
    def wants(cls, raw: bytes) -> bool:
        """Tell cheaply whether a packet is the outcome of a call."""
        return raw.startswith(cls.mark)

    def receive(self, packet: Packet) -> None:
        """Take a packet that passed `wants`."""
        action_id = packet.get("ActionID")
        if outcome := self._outcomes.get(action_id):
            if not outcome.done():
                outcome.set_result(packet)
            return
        self._early[action_id] = packet
        if len(self._early) > _MAX_EARLY:
            del self._early[next(iter(self._early))]

    def connection_lost(self) -> None:
        """Give up the calls whose outcome nobody will tell any more."""
        self._early.clear()
        for outcome in self._outcomes.values():
            if not outcome.done():
                outcome.set_exception(ConnectionLostError("The connection was lost"))
                outcome.exception()  # nobody may be waiting for it any more

    async def ring(self, span: int, number: str, ring_time: int) -> RingResult:
        """Ring a number for at most `ring_time` seconds; hang up if it answers.

        The time in the result is counted from dialling to the outcome.

        Raises AmiError where the gateway does not take the call or the
        connection is lost; the call is then ended as far as that is possible.
        The gateway ends it in any case: it was told the time limit.
        """
        begun = monotonic()
        call = _OutgoingCall(span, self._calls.begun)
        with self._noted():
            try:
                ending = await self._call(call, number, ring_time)
            except _NOT_CALLED:
                raise
            except BaseException:
                # Whoever is being cancelled leaves no phone ringing, either.
                await self._end(call)
                raise
            finally:
                self._outcomes.pop(call.action_id, None)
        return RingResult(span, ending, round(monotonic() - begun))

    async def _call(
        self, call: _OutgoingCall, number: str, ring_time: int
    ) -> RingOutcome:
        # Application Hangup: an answered call has nothing more to do.
        response = await self._connection.action(
            "Originate",
            [
                ("Channel", f"EXTRA/{voice_channel(call.span)}/{number}"),
                ("Application", "Hangup"),
                ("Timeout", str(ring_time * 1000)),
                ("Async", "true"),
            ],
        )
        call.action_id = response.get("ActionID")
        self._outcomes[call.action_id] = call.outcome
        if early := self._early.pop(call.action_id, None):
            call.outcome.set_result(early)
        ends: list[asyncio.Future[Packet] | asyncio.Future[None]] = [
            call.outcome,
            self._stopping,
        ]
        await asyncio.wait(
            ends, timeout=ring_time + _SLACK, return_when=asyncio.FIRST_COMPLETED
        )
        if call.outcome.done():
            return _read(call.outcome.result())
        if self._stopping.done():
            raise ConnectionLostError("The connection was closed")
        await self._end(call)
        return RingOutcome.FAILED

    async def _end(self, call: _OutgoingCall) -> None:
        """Hang up a call, even if whoever waits for that is cancelled."""
        task = asyncio.create_task(self._hang_up(call))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.shield(task)

    async def _hang_up(self, call: _OutgoingCall) -> None:
        """Hang up a call as soon as it is there, unless it has ended."""
        now = asyncio.get_running_loop().time
        begun, seen = now(), False
        while self._connection.is_up and not call.outcome.done():
            channel = self._calls.channel_of_outgoing(call.span, call.others)
            too_late = now() >= begun + (_PERSISTENCE if channel else _APPEARANCE)
            if too_late or (seen and not channel):
                return
            if channel:
                seen = True
                # It may end by itself meanwhile; if not, the next look shows it.
                with contextlib.suppress(AmiError):
                    await self._connection.action(
                        "Hangup", [("Channel", channel), ("Cause", "16")]
                    )
                    return
            await asyncio.wait([self._connection.stopped], timeout=_LOOK_AGAIN)

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        """Let `stop` know of a call for as long as it lasts."""
        over = asyncio.get_running_loop().create_future()
        self._under_way.add(over)
        try:
            yield
        finally:
            self._under_way.discard(over)
            over.set_result(None)

    async def stop(self) -> None:
        """Hang up every call that is under way; no more can be made."""
        if not self._stopping.done():
            self._stopping.set_result(None)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_GOODBYE)


def _read(packet: Packet) -> RingOutcome:
    if packet.get("Response") == "Success":
        return RingOutcome.ANSWERED
    return _REASONS.get(packet.get("Reason"), RingOutcome.FAILED)
