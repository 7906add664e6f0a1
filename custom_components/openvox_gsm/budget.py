"""How many SMS a gateway may still send: SMS cost money, and automations run away."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
import math
from typing import Any, Final, NamedTuple

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from .const import CONF_DAILY_LIMIT, CONF_HOURLY_LIMIT

DEFAULT_HOURLY_LIMIT: Final = 60  # SMS
DEFAULT_DAILY_LIMIT: Final = 500

_HOUR: Final = 60  # minutes
_DAY: Final = 24 * 60  # minutes


class Reservation(NamedTuple):
    """A number of SMS that count as sent in a minute."""

    minute: int
    parts: int


class SmsBudget:
    """Counts the SMS of the last hour and day.

    A long message counts as many SMS as it has parts. They are counted by the minute, so
    there is little to keep however many are sent. None is forgotten too early.

    Setting the clock must neither lift a limit nor prolong it, so a run goes by the
    time that has passed. Only what is kept for the next run is in clock time.
    """

    def __init__(
        self,
        options: Callable[[], Mapping[str, Any]],
        loop: asyncio.AbstractEventLoop,
        on_change: Callable[[], None],
    ) -> None:
        """Count nothing yet.

        `options` returns the entry's options. `on_change` is called when there's
        something new to save.
        """
        self._options = options
        self._loop = loop
        self._on_change = on_change
        self._started_at = _clock() - loop.time()
        self._sent: dict[int, int] = {}  # SMS by the minute
        self._refused = 0

    @callback
    def load(self, sent: list[tuple[int, int]]) -> None:
        """Add what was counted before, in the form of `as_list`."""
        for minute, parts in sent:
            self._count(minute, parts)

    @callback
    def as_list(self) -> list[tuple[int, int]]:
        """Return what is kept for the next run: minutes of clock time, and SMS."""
        set_by = round((_clock() - self._now) / 60)  # minutes
        return [(minute + set_by, parts) for minute, parts in self._sent.items()]

    @callback
    def reserve(self, parts: int) -> Reservation | None:
        """Count that many SMS; None, and nothing counted, where the limit forbids it."""
        if not self._has_room(parts):
            # A message that is longer than the limit never has room.
            self._refused = min(parts, *filter(None, self.limits))
            return None
        self._refused = 0
        reservation = Reservation(self._minute, parts)
        self._count(reservation.minute, parts)
        self._on_change()
        return reservation

    @callback
    def cancel(self, reservation: Reservation) -> None:
        """Stop counting a reservation, since nothing was sent after all."""
        self._count(reservation.minute, -reservation.parts)
        self._on_change()

    def room_from(self, parts: int) -> datetime | None:
        """Return from when there's room for that many SMS; None if there never is.

        It's local time and a whole minute, provided that no more is sent until then.
        """
        now = room = self._minute
        for limit, window in self._windows:
            if parts > limit:
                return None
            counted = self._counted(now - window)
            for minute in sorted(each for each in self._sent if each >= now - window):
                if counted <= limit - parts:
                    break
                counted -= self._sent[minute]
                room = max(room, minute + window + 1)
        time = round(room * 60 + _clock() - self._now, 3)
        return dt_util.as_local(dt_util.utc_from_timestamp(math.ceil(time / 60) * 60))

    @property
    def is_used_up(self) -> bool:
        """Whether a message was refused, and would be refused again."""
        return bool(self._refused) and not self._has_room(self._refused)

    @property
    def limits(self) -> tuple[int, int]:
        """How many SMS may be sent in an hour and in a day; 0 means no limit."""
        options = self._options()
        return (
            int(options.get(CONF_HOURLY_LIMIT, DEFAULT_HOURLY_LIMIT)),
            int(options.get(CONF_DAILY_LIMIT, DEFAULT_DAILY_LIMIT)),
        )

    def _count(self, minute: int, parts: int) -> None:
        self._sent[minute] = self._sent.get(minute, 0) + parts

    def _has_room(self, parts: int) -> bool:
        now = self._minute
        counted, self._sent = self._sent, {}
        for minute, sent in counted.items():
            if minute >= now - _DAY:
                # A clock that was wrong at the end of the last run must not stop
                # everything for years.
                self._count(min(minute, now), sent)
        return all(
            self._counted(now - window) <= limit - parts
            for limit, window in self._windows
        )

    @property
    def _now(self) -> float:
        """What the clock would show if nobody had set it since this run began."""
        return self._started_at + self._loop.time()

    @property
    def _minute(self) -> int:
        return int(self._now // 60)

    @property
    def _windows(self) -> list[tuple[int, int]]:
        """The limits that are set, each with its time in minutes."""
        return [
            (limit, window)
            for limit, window in zip(self.limits, (_HOUR, _DAY), strict=True)
            if limit
        ]

    def _counted(self, since: int) -> int:
        """Return how many SMS were counted since a minute."""
        return sum(parts for minute, parts in self._sent.items() if minute >= since)


def _clock() -> float:
    return dt_util.utcnow().timestamp()
