"""What a gateway may send, and how much: SMS cost money, and automations run away."""

from dataclasses import dataclass
from datetime import datetime
import math
import re
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import CONF_ALLOWED, CONF_DAILY_LIMIT, CONF_HOURLY_LIMIT, DOMAIN
from .contacts import country_prefix, international

if TYPE_CHECKING:
    from .coordinator import OpenVoxConfigEntry

DEFAULT_HOURLY_LIMIT: Final = 60  # SMS
DEFAULT_DAILY_LIMIT: Final = 500

_HOUR: Final = 60  # minutes
_DAY: Final = 24 * 60  # minutes
_STORE_VERSION: Final = 1
_SAVE_DELAY: Final = 1.0  # seconds

_DESTINATION: Final = re.compile(r"\+?[0-9*#]+")


@dataclass(frozen=True, slots=True)
class Taken:
    """So many SMS that were counted in a minute."""

    minute: int
    parts: int


def read_destination(text: str) -> str:
    """Read a number, or the beginning of one, as a person writes it.

    Raises ValueError for what can be neither.
    """
    bare = international(text)
    if not _DESTINATION.fullmatch(bare):
        raise ValueError("Neither a number nor the beginning of one")
    return bare


def is_allowed(entry: OpenVoxConfigEntry, number: str) -> bool:
    """Tell whether the options allow to send to a number; all where none is named.

    A destination is a number, or what numbers begin with.
    """
    prefix = country_prefix(entry)
    wanted = international(number, prefix)
    allowed = entry.options.get(CONF_ALLOWED) or [""]
    return any(wanted.startswith(international(each, prefix)) for each in allowed)


class SmsBudget:
    """Counts the SMS of the last hour and day; keeps the count over restarts.

    A long message is as many SMS as it has parts. Counted by the minute, so that
    there is little to keep however many are sent; none counts too short.

    A clock that is set must neither lift a limit nor prolong it, so a run goes by the
    time that it has lasted. Only what is kept for the next one is in clock time.
    """

    def __init__(self, hass: HomeAssistant, entry: OpenVoxConfigEntry) -> None:
        """Count nothing yet; `async_load` takes up what was counted before."""
        self._entry = entry
        self._store: Store[dict[str, Any]] = Store(
            hass, _STORE_VERSION, f"{DOMAIN}.{entry.entry_id}"
        )
        self._loop = hass.loop
        self._begun = _clock() - self._loop.time()
        self._is_loaded = False
        self._sent: dict[int, int] = {}  # how many SMS, by the minute
        self._refused = 0

    async def async_load(self) -> None:
        """Take up the count of the last run, once."""
        if self._is_loaded:
            return
        self._is_loaded = True
        for minute, parts in (await self._store.async_load() or {}).get("sent", []):
            self._count(minute, parts)

    @callback
    def take(self, parts: int) -> Taken | None:
        """Count so many SMS; None, and nothing counted, where that is too many."""
        if not self._has_room(parts):
            # A message that is longer than the limit has no room ever.
            self._refused = min(parts, *filter(None, self.limits))
            return None
        self._refused = 0
        taken = Taken(self._minute, parts)
        self._count(taken.minute, parts)
        self._save()
        return taken

    @callback
    def give_back(self, taken: Taken) -> None:
        """Count no longer what was taken, since it was not sent after all."""
        self._count(taken.minute, -taken.parts)
        self._save()

    def room_from(self, parts: int) -> datetime | None:
        """Return from when on there is room for so many SMS; None if there never is.

        It is local time and a whole minute, and holds if no more is sent meanwhile.
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

    async def async_remove(self) -> None:
        """Remove what is kept."""
        await self._store.async_remove()

    @property
    def is_used_up(self) -> bool:
        """Whether a message was refused, and would be again."""
        return bool(self._refused) and not self._has_room(self._refused)

    @property
    def limits(self) -> tuple[int, int]:
        """How many SMS an hour and a day may be sent; 0 where there is no limit."""
        options = self._entry.options
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
        """What the clock would show had nobody set it since this run began."""
        return self._begun + self._loop.time()

    @property
    def _minute(self) -> int:
        return int(self._now // 60)

    @property
    def _windows(self) -> list[tuple[int, int]]:
        """The limits that there are, each with its time in minutes."""
        return [
            (limit, window)
            for limit, window in zip(self.limits, (_HOUR, _DAY), strict=True)
            if limit
        ]

    def _counted(self, since: int) -> int:
        """Return how many SMS were counted since a minute."""
        return sum(parts for minute, parts in self._sent.items() if minute >= since)

    def _save(self) -> None:
        self._store.async_delay_save(self._as_dict, _SAVE_DELAY)

    def _as_dict(self) -> dict[str, Any]:
        set_by = round((_clock() - self._now) / 60)  # minutes
        return {"sent": [(at + set_by, n) for at, n in self._sent.items()]}


def _clock() -> float:
    return dt_util.utcnow().timestamp()
