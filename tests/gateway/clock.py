"""Time that passes when a test says so."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(eq=False)
class Timer:
    """A call that is due at a time of the clock."""

    due: float
    function: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        """Never call the function."""
        self.is_cancelled = True


class Clock:
    """Stands in for the time of an event loop."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.now = 0.0
        self._timers: list[Timer] = []

    def call_later(self, delay: float, function: Callable[[], None]) -> Timer:
        """Call a function when so much time has passed."""
        timer = Timer(self.now + delay, function)
        self._timers.append(timer)
        return timer

    @property
    def running(self) -> list[Timer]:
        """The timers that are not over yet, the first one first."""
        self._timers = [timer for timer in self._timers if not timer.is_cancelled]
        return sorted(self._timers, key=lambda timer: timer.due)

    def let_pass(self, seconds: float) -> None:
        """Let time pass, and call what becomes due."""
        end = self.now + seconds
        while (timers := self.running) and timers[0].due <= end:
            self._timers.remove(timers[0])
            self.now = timers[0].due
            timers[0].function()
        self.now = end
