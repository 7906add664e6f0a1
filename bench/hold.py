"""How long an event loop is held: from waking up to waiting again."""

import asyncio
import selectors
from time import perf_counter
from typing import Any


class _Watch(selectors.DefaultSelector):
    """A selector that notes the time between two waits."""

    woken = 0.0
    longest = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """Wait as always."""
        if self.woken:
            self.longest = max(self.longest, perf_counter() - self.woken)
        ready = super().select(timeout)
        self.woken = perf_counter()
        return ready


class WatchedLoop(asyncio.SelectorEventLoop):
    """A loop that knows how long it was held at most."""

    def __init__(self) -> None:
        """Watch from the beginning."""
        self._watch = _Watch()
        super().__init__(self._watch)

    def take_longest(self) -> float:
        """Return the longest hold in seconds since this was last asked."""
        longest, self._watch.longest = self._watch.longest, 0.0
        return longest
