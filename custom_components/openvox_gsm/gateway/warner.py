"""Warnings that strangers can cause, and with which they can't fill the log."""

from dataclasses import dataclass
import logging
from time import monotonic
from typing import Any, Final

WARNING_PAUSE: Final = 600.0  # seconds between two warnings of a kind


@dataclass
class _Kind:
    warned_at: float
    values: tuple[Any, ...]  # of the last case
    unsaid: int = 0


class Warner:
    """Logs a warning at once, and those of its kind that follow only as a number."""

    def __init__(self, logger: logging.Logger) -> None:
        """Log to `logger`."""
        self._logger = logger
        self._kinds: dict[str, _Kind] = {}

    def warn(self, message: str, *values: Any) -> None:
        """Log a warning, unless there was one with this `message` a moment ago.

        The next one says how many were left out. The `values` are put into the message,
        which names nothing that's private and doesn't end in a full stop.
        """
        now = monotonic()
        kind = self._kinds.get(message)
        if kind and now < kind.warned_at + WARNING_PAUSE:
            kind.values = values
            kind.unsaid += 1
            return
        self._kinds[message] = _Kind(now, values)
        self._log(message, values, kind.unsaid if kind else 0)

    def flush(self) -> None:
        """Log the last case of each kind of which some were left out, and how many."""
        for message, kind in self._kinds.items():
            if kind.unsaid:
                self._log(message, kind.values, kind.unsaid - 1)
                kind.unsaid = 0

    def _log(self, message: str, values: tuple[Any, ...], unsaid: int) -> None:
        if unsaid:
            message += ". Further cases since the last such warning: %s"
            values = (*values, unsaid)
        self._logger.warning(message, *values)
