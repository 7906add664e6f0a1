"""Timers as an event loop makes them, so that tests can bring a clock of their own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol


class Timer(Protocol):
    """What `CallLater` returns."""

    def cancel(self) -> None:
        """Never call the function."""


type CallLater = Callable[[float, Callable[[], None]], Timer]


class TimerAfterReading:
    """Calls a function after a time, and not before everything has been read.

    A connection may stall for longer than a time limit, in the middle of a packet.
    """

    def __init__(
        self,
        delay: float,
        function: Callable[[], None],
        read_all: Callable[[], Awaitable[None]],
    ) -> None:
        """Start; `read_all` waits until what the gateway has written has been read."""
        self._function = function
        self._read_all = read_all
        self._reading: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def cancel(self) -> None:
        """Never call the function."""
        self._timer.cancel()
        if self._reading:
            self._reading.cancel()

    def _due(self) -> None:
        self._reading = asyncio.create_task(
            self._call(), name="OpenVox timer after reading"
        )

    async def _call(self) -> None:
        await self._read_all()
        self._function()
