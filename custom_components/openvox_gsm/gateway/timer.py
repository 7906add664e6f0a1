"""Timers as an event loop makes them, so that tests can bring a clock of their own."""

from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """What `CallLater` returns."""

    def cancel(self) -> None:
        """Never call the function."""


type CallLater = Callable[[float, Callable[[], None]], Timer]
