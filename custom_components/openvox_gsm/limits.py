"""What a gateway may send, and how much: SMS cost money, and automations run away."""

from collections import deque
from datetime import UTC, datetime, timedelta
import re
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .const import CONF_ALLOWED, CONF_DAILY_LIMIT, CONF_HOURLY_LIMIT, DOMAIN
from .contacts import country_prefix, international

if TYPE_CHECKING:
    from .coordinator import OpenVoxConfigEntry

DEFAULT_HOURLY_LIMIT: Final = 60  # SMS
DEFAULT_DAILY_LIMIT: Final = 500

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_STORE_VERSION: Final = 1
_SAVE_DELAY: Final = 1.0  # seconds

_DESTINATION: Final = re.compile(r"\+?[0-9*#]+")

type _Taken = tuple[datetime, int]  # when, and how many SMS


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

    A long message is as many SMS as it has parts.
    """

    def __init__(self, hass: HomeAssistant, entry: OpenVoxConfigEntry) -> None:
        """Count nothing yet; `async_load` takes up what was counted before."""
        self._entry = entry
        self._store = _store(hass, entry)
        self._sent: deque[_Taken] = deque()
        self._refused = 0

    async def async_load(self) -> None:
        """Take up the count of the last run."""
        now = datetime.now(UTC)
        for timestamp, parts in (await self._store.async_load() or {}).get("sent", []):
            # A clock that was wrong must not stop everything for years.
            self._sent.append((min(datetime.fromtimestamp(timestamp, UTC), now), parts))

    @callback
    def take(self, parts: int) -> _Taken | None:
        """Count so many SMS; None, and nothing counted, where that is too many."""
        if not self._has_room(parts):
            self._refused = parts
            return None
        self._refused = 0
        taken = (datetime.now(UTC), parts)
        self._sent.append(taken)
        self._save()
        return taken

    @callback
    def give_back(self, taken: _Taken) -> None:
        """Count no longer what was taken, since it was not sent after all."""
        self._sent.remove(taken)
        self._save()

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

    def _has_room(self, parts: int) -> bool:
        now = datetime.now(UTC)
        while self._sent and self._sent[0][0] <= now - _DAY:
            self._sent.popleft()
        return all(
            not limit
            or sum(n for when, n in self._sent if when > now - window) + parts <= limit
            for limit, window in zip(self.limits, (_HOUR, _DAY), strict=True)
        )

    def _save(self) -> None:
        self._store.async_delay_save(self._as_dict, _SAVE_DELAY)

    def _as_dict(self) -> dict[str, Any]:
        return {"sent": [(when.timestamp(), parts) for when, parts in self._sent]}


async def async_forget_budget(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> None:
    """Remove what is kept of a gateway that is removed."""
    await _store(hass, entry).async_remove()


def _store(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> Store[dict[str, Any]]:
    return Store(hass, _STORE_VERSION, f"{DOMAIN}.{entry.entry_id}")
