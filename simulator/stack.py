"""A stack: several boards of a box of today behind one address."""

import asyncio
from typing import Any

from .model.box import Box
from .server import Simulator

_ATTEMPTS = 20
"""How often free ports in a row are looked for."""


class Stack:
    """Boards whose ports follow one another: 5038, 5039, 5040.

    Each board is a gateway of its own. Use it as ``async with Stack(2) as boards``.
    """

    def __init__(
        self, boards: int, *, port: int = 0, box: str = Box.TODAY, **options: Any
    ) -> None:
        """Make the boards; port 0 takes free ones. ``options`` are those of `Simulator`."""
        self._any_port = port == 0
        self.boards = [
            Simulator(
                box=box,
                board=number,
                port=0 if self._any_port else port + number - 1,
                **options,
            )
            for number in range(1, boards + 1)
        ]

    async def __aenter__(self) -> list[Simulator]:
        """Start."""
        await self.start()
        return self.boards

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Let every board listen. Raises OSError if a port is taken."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self._listen()
            except OSError:
                await self.stop()
                if not self._any_port or attempt == _ATTEMPTS:
                    raise
            else:
                return

    async def _listen(self) -> None:
        first, *others = self.boards
        if self._any_port:
            first.port = 0
        await first.start()
        for number, board in enumerate(others, 1):
            board.port = first.port + number
            await board.start()

    async def stop(self) -> None:
        """Stop every board."""
        await asyncio.gather(*(board.stop() for board in self.boards))
