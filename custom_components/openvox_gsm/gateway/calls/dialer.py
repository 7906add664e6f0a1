"""Rings a phone and hangs up: a call that doesn't have to be answered."""

import asyncio
from collections.abc import Iterator
import contextlib
from time import monotonic
from typing import Any, Final

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    AmiError,
    CannotConnectError,
    ConnectionLostError,
    InvalidHeaderError,
    Packet,
    PermissionDeniedError,
)
from custom_components.openvox_gsm.gateway.bounds import MAX_CALL_EVENT
from custom_components.openvox_gsm.gateway.connection import Connection
from custom_components.openvox_gsm.gateway.errors import SpanError, why_not_asked
from custom_components.openvox_gsm.gateway.model import (
    RingOutcome,
    RingResult,
    SendFailure,
)

from .tracker import CallTracker, DialledCall, voice_channel

# The outcome comes right after the time that the gateway has for ringing.
_RING_SLACK: Final = 10.0  # seconds
# The end of a call is read before its outcome, or this much later at most: an SMS
# that comes in just then holds it up.
_CAUSE_TIMEOUT: Final = 2.0  # seconds
# The channel of a call that has begun appears within this time, or never.
_CHANNEL_TIMEOUT: Final = 3.0  # seconds
# How long to try again while the gateway doesn't hang up.
_HANG_UP_TIMEOUT: Final = 30.0  # seconds
_HANG_UP_INTERVAL: Final = 0.1  # seconds
# How long `stop` waits for calls to be hung up; their time limit ends the others.
_STOP_TIMEOUT: Final = 5.0  # seconds
_MAX_EARLY_OUTCOMES: Final = 50

# Refusals after which there is certainly no call.
NOT_CALLED: Final = (
    ActionFailedError,
    CannotConnectError,
    InvalidHeaderError,
    PermissionDeniedError,
    SpanError,
)

# ``Reason`` of an OriginateResponse: Asterisk's control frames (frame.h). As recorded,
# the driver says 1 for every call that ended before it was answered.
_ENDED: Final = "1"
_TIME_LIMIT: Final = "3"
_SPAN_IN_CALL: Final = "5"
# Why a call ended before it was answered (Q.850). As recorded, the others are an error
# or a rejection (21), no dial tone (38), and no carrier or hung up by the network (16).
_CAUSES: Final = {
    17: RingOutcome.BUSY,
    18: RingOutcome.NO_ANSWER,
    19: RingOutcome.NO_ANSWER,
}


@contextlib.contextmanager
def nothing_dialled(span: int | None) -> Iterator[None]:
    """Raise SpanError for an error that leaves it open whether something was done.

    What looks at spans does nothing to them.
    """
    try:
        yield
    except CannotConnectError, PermissionDeniedError:
        raise
    except AmiError as err:
        raise SpanError(why_not_asked(err, span), span) from err


class Dialer:
    """Makes calls, and ends every call that it has made.

    Subscribe `receive` with the test `wants`. The outcome of a call carries its
    ActionID, which nobody can guess, so the text of an SMS can't forge it.
    """

    marker = b"Event: OriginateResponse\r\n"

    def __init__(self, connection: Connection, tracker: CallTracker) -> None:
        """Dial through `connection`; find the channels in `tracker`."""
        self._connection = connection
        self._tracker = tracker
        self._outcomes: dict[str, asyncio.Future[Packet]] = {}
        # An outcome may arrive before the ActionID of its call.
        self._early: dict[str, Packet] = {}
        self._stopping: asyncio.Future[None] = (
            asyncio.get_running_loop().create_future()
        )
        self._under_way: set[asyncio.Future[None]] = set()

    @classmethod
    def wants(cls, raw: bytes) -> bool:
        """Return quickly whether a packet is the outcome of a call."""
        return raw.startswith(cls.marker) and len(raw) <= MAX_CALL_EVENT

    def receive(self, packet: Packet) -> None:
        """Read a packet that passed `wants`."""
        action_id = packet.get("ActionID")
        if outcome := self._outcomes.get(action_id):
            if not outcome.done():
                outcome.set_result(packet)
            return
        self._early[action_id] = packet
        if len(self._early) > _MAX_EARLY_OUTCOMES:
            del self._early[next(iter(self._early))]

    def connection_lost(self) -> None:
        """Give up on the calls, as their outcome will not come."""
        self._early.clear()
        for outcome in self._outcomes.values():
            if not outcome.done():
                outcome.set_exception(ConnectionLostError("The connection was lost"))
                outcome.exception()  # perhaps nobody waits for it any more

    async def ring(
        self, span: int, number: str, ring_time: int, order_id: str | None = None
    ) -> RingResult:
        """Ring a number for at most `ring_time` seconds; hang up if it answers.

        The time in the result runs from dialling to the outcome. What the tracker
        reports about the call carries the `order_id`.

        Raises SpanError where the span is in another call, and AmiError where the
        gateway refuses the call or the connection is lost; the call is hung up then if
        that is still possible. The gateway ends it in any case, as it knows the time
        limit.
        """
        begun = monotonic()
        call = self._tracker.expect(span, number, order_id)
        outcome: asyncio.Future[Packet] = asyncio.get_running_loop().create_future()
        with self._registered():
            try:
                result = await self._call(call, outcome, ring_time)
            except NOT_CALLED:
                self._tracker.forget(call)
                raise
            except BaseException:
                # A cancelled call must not leave a phone ringing, either.
                await self._end(call, outcome)
                raise
            finally:
                self._outcomes = {
                    action_id: other
                    for action_id, other in self._outcomes.items()
                    if other is not outcome
                }
            self._tracker.forget(call)
        return RingResult(span, result, round(monotonic() - begun))

    async def _call(
        self, call: DialledCall, outcome: asyncio.Future[Packet], ring_time: int
    ) -> RingOutcome:
        # Application Hangup: an answered call ends at once.
        response = await self._connection.action(
            "Originate",
            [
                ("Channel", f"EXTRA/{voice_channel(call.span)}/{call.number}"),
                ("Application", "Hangup"),
                ("Timeout", str(ring_time * 1000)),
                ("Async", "true"),
            ],
        )
        action_id = response.get("ActionID")
        self._outcomes[action_id] = outcome
        if early := self._early.pop(action_id, None):
            outcome.set_result(early)
        ends: list[asyncio.Future[Any]] = [outcome, self._stopping]
        await asyncio.wait(
            ends, timeout=ring_time + _RING_SLACK, return_when=asyncio.FIRST_COMPLETED
        )
        if outcome.done():
            return await self._read_outcome(call, outcome.result())
        if self._stopping.done():
            raise ConnectionLostError("The connection was closed")
        await self._end(call, outcome)
        return RingOutcome.FAILED

    async def _read_outcome(self, call: DialledCall, packet: Packet) -> RingOutcome:
        if packet.get("Response") == "Success":
            return RingOutcome.ANSWERED
        reason = packet.get("Reason")
        if reason == _SPAN_IN_CALL:
            raise SpanError(SendFailure.BUSY, call.span)
        if reason == _TIME_LIMIT:
            return RingOutcome.NO_ANSWER
        if reason == _ENDED:
            await asyncio.wait([call.cause], timeout=_CAUSE_TIMEOUT)
        cause = call.cause.result() if call.cause.done() else None
        return _CAUSES.get(cause or 0, RingOutcome.FAILED)

    async def _end(self, call: DialledCall, outcome: asyncio.Future[Packet]) -> None:
        """Hang up a call, even if the caller is cancelled meanwhile."""
        task = asyncio.create_task(self._hang_up(call, outcome))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        task.add_done_callback(lambda _task: self._tracker.forget(call))
        await asyncio.shield(task)

    async def _hang_up(
        self, call: DialledCall, outcome: asyncio.Future[Packet]
    ) -> None:
        """Hang up a call as soon as its channel appears, unless it has ended."""
        now = asyncio.get_running_loop().time
        begun = now()
        while self._connection.is_up and not (outcome.done() or call.cause.done()):
            timeout = _HANG_UP_TIMEOUT if call.channel else _CHANNEL_TIMEOUT
            if now() >= begun + timeout:
                return
            if call.channel:
                # If this fails and the call has not ended, it is still there next time.
                with contextlib.suppress(AmiError):
                    await self._connection.action(
                        "Hangup", [("Channel", call.channel), ("Cause", "16")]
                    )
                    return
            await asyncio.wait([self._connection.stopped], timeout=_HANG_UP_INTERVAL)

    @contextlib.contextmanager
    def _registered(self) -> Iterator[None]:
        """Make `stop` wait for a call for as long as it lasts."""
        over = asyncio.get_running_loop().create_future()
        self._under_way.add(over)
        try:
            yield
        finally:
            self._under_way.discard(over)
            over.set_result(None)

    async def stop(self) -> None:
        """Hang up all calls under way; no more calls can be made."""
        if not self._stopping.done():
            self._stopping.set_result(None)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_STOP_TIMEOUT)
