"""Files of ours: saved soon after a change, again where that fails, never overwritten."""

from collections.abc import Callable
import contextlib
from datetime import datetime
from functools import partial
import logging
from pathlib import Path
import secrets
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

_LOGGER = logging.getLogger(__name__)

_VERSION: Final = 1
# A burst of SMS is written once a second, and a crash loses no more than that.
SAVE_DELAY: Final = 0.5  # seconds
_CHECK_DELAY: Final = 5.0  # seconds; writing takes less
RETRY_DELAY: Final = 30.0  # seconds


class StoredFile:
    """A file that holds what one object must remember over a restart.

    Home Assistant's store drops what it couldn't write, as on a full disk, and doesn't
    say so to its owner. So the file is read after a write; if that write isn't in it,
    it's written again and again, until there's room.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        key: str,
        data: Callable[[], dict[str, Any]],
        what: str,
        *,
        delay: Callable[[], float] = lambda: SAVE_DELAY,
        is_private: bool = False,
        in_thread: bool = False,
    ) -> None:
        """Prepare; nothing is read or written yet.

        `data` returns what is to be saved, `in_thread` beside the event loop. `what`
        says in the log what that is, and `delay` how many seconds after a change it's
        saved. If it `is_private`, nobody else on the machine can read it.
        """
        self._hass = hass
        self._data = data
        self._what = what
        self._delay = delay
        self._is_private = is_private
        self._store: Store[dict[str, Any]] = Store(
            hass,
            _VERSION,
            key,
            private=is_private,
            atomic_writes=True,
            serialize_in_event_loop=not in_thread,
        )
        # The store itself returns what's still to be written; this one reads the file.
        self._reader: Store[dict[str, Any]] = Store(hass, _VERSION, key)
        self._run = secrets.token_hex(4)
        self._writes = 0
        self._is_due = False
        self._cancel_check: CALLBACK_TYPE | None = None
        self._has_failed = False
        self._is_removed = False

    async def async_load(self) -> Any:
        """Return what was saved, None where nothing was; anything can be in the file."""
        return await self._store.async_load()

    async def async_set_aside(self, consequence: str, err: Exception) -> None:
        """Rename a file that can't be used, and warn."""
        aside = f"{self._store.path}.corrupt.{dt_util.utcnow().isoformat()}"
        _LOGGER.warning(
            "The stored %s can't be read%s. The file is kept as %s: %s",
            self._what,
            consequence,
            aside,
            err,
        )
        await self._hass.async_add_executor_job(_rename, self._store.path, aside)

    async def async_remove(self) -> None:
        """Delete the file; what's still under way must not write it again.

        What was set aside is deleted as well where it's private.
        """
        self._is_removed = True
        if self._cancel_check:
            self._cancel_check()
        await self._store.async_remove()
        if self._is_private:
            await self._hass.async_add_executor_job(_remove_aside, self._store.path)

    # Saving

    @callback
    def async_save_soon(self) -> None:
        """Save after the delay; within half a minute while saving fails."""
        # Asking again would put the save off, in a burst for as long as it lasts.
        if not self._is_due and not self._is_removed:
            self._is_due = True
            delay = RETRY_DELAY if self._has_failed else self._delay()
            self._store.async_delay_save(self._next_write, delay)

    def _next_write(self) -> dict[str, Any]:
        self._is_due = False  # first, so that no change after it is missed
        self._writes += 1
        self._hass.loop.call_soon_threadsafe(self._check_later)
        return {**self._data(), "write": [self._run, self._writes]}

    @callback
    def _check_later(self) -> None:
        if self._cancel_check or self._is_removed or self._hass.is_stopping:
            return
        check = partial(self._check, self._writes)
        job = HassJob(check, "OpenVox check of a file", cancel_on_shutdown=True)
        self._cancel_check = async_call_later(self._hass, _CHECK_DELAY, job)

    async def _check(self, write: int, _now: datetime) -> None:
        """Look whether a write, or a later one, is in the file."""
        is_saved = await self._holds(write)
        self._cancel_check = None
        if self._is_removed:
            return
        if is_saved == self._has_failed:
            self._has_failed = not is_saved
            self._log_change()
        if not is_saved:
            self.async_save_soon()
        elif self._writes > write:
            self._check_later()

    async def _holds(self, write: int) -> bool:
        try:
            saved = await self._reader.async_load()
        except HomeAssistantError, OSError:
            return False
        match saved:
            case {"write": [self._run, int(number)]}:
                return number >= write
        return False

    def _log_change(self) -> None:
        if self._has_failed:
            _LOGGER.warning(
                "The %s can't be saved to %s. SMS and calls go on. Saving is tried "
                "again every half a minute; what isn't saved is lost if Home Assistant "
                "ends before",
                self._what,
                self._store.path,
            )
        else:
            _LOGGER.warning("The %s are saved again", self._what)


def _rename(path: str, aside: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        Path(path).rename(aside)


def _remove_aside(path: str) -> None:
    for aside in Path(path).parent.glob(f"{Path(path).name}.corrupt.*"):
        aside.unlink()
