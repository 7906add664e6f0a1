"""How many SMS may still be sent: SMS cost money, and automations run away."""

import asyncio
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
import math
from typing import Any, Final, NamedTuple

from custom_components.openvox_gsm.const import CONF_DAILY_LIMIT, CONF_HOURLY_LIMIT
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

DEFAULT_HOURLY_LIMIT: Final = 60  # SMS
DEFAULT_DAILY_LIMIT: Final = 500

_HOUR: Final = 60  # minutes
_DAY: Final = 24 * 60  # minutes
_LONGEST_MONTH: Final = 32 * _DAY  # it may have an hour more than 31 days


class Window(StrEnum):
    """The time in which SMS count: 60 minutes, 24 hours, or a month of the calendar."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Limits(NamedTuple):
    """How many SMS may be sent in each window; 0 means no limit.

    The month begins at midnight in Home Assistant's time zone, on the day
    `month_begins` (1 to 31), or on the last one of a month that is too short.
    """

    hour: int = 0
    day: int = 0
    month: int = 0
    month_begins: int = 1

    @classmethod
    def of_gateway(cls, options: Mapping[str, Any]) -> Limits:
        """Return the limits in the options of a gateway."""
        return cls(
            int(options.get(CONF_HOURLY_LIMIT, DEFAULT_HOURLY_LIMIT)),
            int(options.get(CONF_DAILY_LIMIT, DEFAULT_DAILY_LIMIT)),
        )

    @property
    def of_windows(self) -> dict[Window, int]:
        """The limits that are set."""
        limits = zip(Window, self, strict=False)
        return {window: limit for window, limit in limits if limit}


class Room(NamedTuple):
    """When a message has room again, and the window that it has to wait for.

    `since` is local time, None where it never has room.
    """

    window: Window
    since: datetime | None


class _Period(NamedTuple):
    """A window right now, in minutes."""

    since: int  # the first minute that counts
    end: Callable[[int], int]  # the minute from which an earlier one doesn't count


class Reservation(NamedTuple):
    """A number of SMS that count as sent in a minute."""

    minute: int
    parts: int


class SmsBudget:
    """Counts the SMS of a gateway, or of a SIM, as long as they count for its limits.

    A long message counts as many SMS as it has parts. They are counted by the minute, so
    there is little to keep however many are sent. None is forgotten too early.

    Setting the clock must neither lift a limit nor prolong it, so a run goes by the
    time that has passed. Only what is kept for the next run is in clock time.
    """

    def __init__(
        self,
        limits: Callable[[], Limits],
        loop: asyncio.AbstractEventLoop,
        on_change: Callable[[], None],
    ) -> None:
        """Count nothing yet.

        `limits` returns the limits, which may change. `on_change` is called when
        there's something new to save.
        """
        self._limits = limits
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
        if not self.has_room(parts):
            # A message that is longer than the limit never has room.
            self._refused = min(parts, *self.limits.of_windows.values())
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

    def has_room(self, parts: int) -> bool:
        """Return whether that many SMS may be sent now."""
        now, limits = self._minute, self.limits
        kept = _LONGEST_MONTH if limits.month else _DAY
        counted, self._sent = self._sent, {}
        for minute, sent in counted.items():
            if minute >= now - kept:
                # A clock that was wrong at the end of the last run must not stop
                # everything for years.
                self._count(min(minute, now), sent)
        return all(
            self._counted(self._period(window).since) <= limit - parts
            for window, limit in limits.of_windows.items()
        )

    def left(self, window: Window) -> int:
        """Return how many SMS may still be sent in a window that has a limit."""
        counted = self._counted(self._period(window).since)
        return max(0, self.limits.of_windows[window] - counted)

    def room(self, parts: int) -> Room:
        """Return from when there's room for that many SMS, and what that depends on.

        It's a whole minute, provided that no more is sent until then.
        """
        limits = self.limits.of_windows
        room, waits_for = self._minute, next(iter(limits), Window.HOUR)
        for window, limit in limits.items():
            if parts > limit:
                return Room(window, None)
            period = self._period(window)
            counted = self._counted(period.since)
            for minute in sorted(each for each in self._sent if each >= period.since):
                if counted <= limit - parts:
                    break
                counted -= self._sent[minute]
                if period.end(minute) > room:
                    room, waits_for = period.end(minute), window
        time = math.ceil(round(room * 60 + _clock() - self._now, 3) / 60) * 60
        return Room(waits_for, dt_util.as_local(dt_util.utc_from_timestamp(time)))

    @property
    def is_used_up(self) -> bool:
        """Whether a message was refused, and would be refused again."""
        return bool(self._refused) and not self.has_room(self._refused)

    @property
    def limits(self) -> Limits:
        """The limits as they are now."""
        return self._limits()

    def _count(self, minute: int, parts: int) -> None:
        self._sent[minute] = self._sent.get(minute, 0) + parts

    @property
    def _now(self) -> float:
        """What the clock would show if nobody had set it since this run began."""
        return self._started_at + self._loop.time()

    @property
    def _minute(self) -> int:
        return int(self._now // 60)

    def _period(self, window: Window) -> _Period:
        match window:
            case Window.MONTH:
                begun, end = self._month
                return _Period(begun, lambda _minute: end)
            case Window.HOUR:
                length = _HOUR
            case Window.DAY:
                length = _DAY
        return _Period(self._minute - length, lambda minute: minute + length + 1)

    @property
    def _month(self) -> tuple[int, int]:
        """The minutes in which this month has begun and the next one will."""
        today = dt_util.as_local(dt_util.utc_from_timestamp(self._now)).date()
        month = 12 * today.year + today.month - 1
        begins = self.limits.month_begins
        if today < _first_day(month, begins):
            month -= 1
        begun, end = (
            int(dt_util.start_of_local_day(_first_day(each, begins)).timestamp() // 60)
            for each in (month, month + 1)
        )
        return begun, end

    def _counted(self, since: int) -> int:
        """Return how many SMS were counted since a minute."""
        return sum(parts for minute, parts in self._sent.items() if minute >= since)


def _first_day(month: int, begins: int) -> date:
    """Return the day on which a month begins; months are counted from the year 0."""
    year, month = divmod(month, 12)
    _, length = monthrange(year, month + 1)
    return date(year, month + 1, min(begins, length))


def _clock() -> float:
    return dt_util.utcnow().timestamp()
