"""Calls on the spans: to ring a phone, and to hang up."""

import asyncio

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    CannotConnectError,
    ConnectionLostError,
)
from custom_components.openvox_gsm.gateway import commands
from custom_components.openvox_gsm.gateway.connection import Connection
from custom_components.openvox_gsm.gateway.errors import SpanError
from custom_components.openvox_gsm.gateway.model import (
    NOT_READY,
    RingResult,
    SendFailure,
    Work,
)
from custom_components.openvox_gsm.gateway.spans import Spans

from .dialer import Dialer, nothing_dialled
from .tracker import voice_channel


class Calls:
    """Makes calls on the spans of a gateway, and ends any call there."""

    def __init__(self, connection: Connection, spans: Spans, dialer: Dialer) -> None:
        """Dial with `dialer`, on spans that are ready."""
        self._connection = connection
        self._spans = spans
        self._dialer = dialer

    async def ring(
        self,
        number: str,
        ring_time: int,
        *,
        span: int | None = None,
        order_id: str | None = None,
    ) -> RingResult:
        """Ring a phone for at most `ring_time` (whole) seconds, and hang up.

        `number` is dialled as it is. Without a span a ready one is chosen, and the next
        one where nothing was dialled. A call that has begun always ends, even if this
        is cancelled. What happens to the call carries the `order_id`.

        Raises InvalidNumberError, SpanError where no span or the given one can't call
        now, and AmiError where the gateway refuses the call or the connection is lost:
        only one of NOT_CALLED says that nothing rang.
        """
        commands.check_number(number)
        if span is not None:
            return await self._ring_on(span, number, ring_time, order_id)
        error = SpanError(SendFailure.NO_SPAN_READY, None)
        tried: set[int] = set()
        for spans_may_be_outdated in (True, False):
            while (
                choice := self._spans.choose(frozenset(tried), Work.CALL)
            ) is not None:
                tried.add(choice)
                try:
                    return await self._ring_on(choice, number, ring_time, order_id)
                except SpanError as err:  # nothing rang, so the next one may
                    if err.failure not in NOT_READY:
                        error = err
            if spans_may_be_outdated:
                with nothing_dialled(None):
                    await self._spans.read()
        raise error

    async def _ring_on(
        self, span: int, number: str, ring_time: int, order_id: str | None
    ) -> RingResult:
        async with self._spans.exclusive(span) as lock:
            deadline = asyncio.get_running_loop().time() + ring_time
            with nothing_dialled(span):
                failure = await self._spans.wait_until_ready(lock, deadline, Work.CALL)
            if failure:
                raise SpanError(failure, span)
            return await self._dialer.ring(span, number, ring_time, order_id)

    async def hang_up(self, span: int) -> int:
        """End all calls on a span; return how many there were.

        Raises SpanError where there is no such span, and AmiError; after
        CannotConnectError nothing was done.
        """
        if span not in self._spans:
            raise SpanError(SendFailure.NO_SUCH_SPAN, span)
        _, channels = await self._connection.list_action("CoreShowChannels")
        prefix = f"EXTRA/{voice_channel(span)}-"
        ended = 0
        for channel in channels:
            name = channel.get("Channel")
            if not name.startswith(prefix):
                continue
            try:
                ended += await self._hang_up(name)
            except CannotConnectError as err:
                if not ended:
                    raise
                raise ConnectionLostError(str(err)) from err
        return ended

    async def _hang_up(self, channel: str) -> bool:
        """End a call; return False where it has just ended by itself."""
        try:
            await self._connection.action(
                "Hangup", [("Channel", channel), ("Cause", "16")]
            )
        except ActionFailedError:
            return False
        return True
