"""Files of ours: saved soon after a change, again where that fails, never overwritten."""

from collections.abc import Callable
import contextlib
from datetime import datetime
from functools import partial
import logging
import os
from pathlib import Path
import re
import secrets
from typing import Any, Final

import voluptuous as vol

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.storage import Store, UnsupportedStorageVersionError
from homeassistant.util import dt as dt_util

_LOGGER = logging.getLogger(__name__)

_VERSION: Final = 1
# A burst of changes is written once a second, and a crash loses no more than that.
SAVE_DELAY: Final = 0.5  # seconds
_CHECK_DELAY: Final = 5.0  # seconds; writing takes less
_END: Final = 200  # bytes; the number of a write takes less
# What ends the file, with any indentation. No text in it looks like that, as the quotes
# in texts are escaped.
_WRITE: Final = re.compile(rb'"write":\s*\[\s*"(\w+)",\s*(\d+)\s*\]\s*}\s*}\s*$')
RETRY_DELAY: Final = 30.0  # seconds


class StoredFile:
    """A file in Home Assistant's storage. What can't be read is never overwritten.

    Home Assistant's store drops what it couldn't write, as on a full disk, and doesn't
    say so to its owner. So the end of the file is read after a write; if that write isn't
    in it, it's written again and again, until there's room.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        key: str,
        contents: Callable[[], dict[str, Any]],
        what: str,
        *,
        in_thread: bool = False,
    ) -> None:
        """Prepare the file of a `key`; nothing is read or written yet.

        `contents` returns what is saved, with `in_thread` outside the event loop.
        `what` says in the log what that is, for example "counters".
        """
        self._hass = hass
        self._contents = contents
        self._what = what
        self._store: Store[dict[str, Any]] = Store(
            hass,
            _VERSION,
            key,
            private=True,
            atomic_writes=True,
            serialize_in_event_loop=not in_thread,
        )
        self._run = secrets.token_hex(4)
        self._writes = 0
        self._save_is_due = False
        self._cancel_check: CALLBACK_TYPE | None = None
        self._has_failed = False
        self.is_removed = False

    async def async_load[T](self, read: Callable[[Any], T], lost: str) -> T:
        """Return what `read` makes of what was saved, of None if nothing was.

        It's called outside the event loop. Where it raises vol.Invalid, TypeError or
        ValueError, the file is set aside; `lost` says what that means, without a full
        stop.
        """
        try:
            stored = await self._read()
            return await self._hass.async_add_executor_job(read, stored)
        except (vol.Invalid, TypeError, ValueError) as err:
            aside = f"{self._store.path}.corrupt.{dt_util.utcnow().isoformat()}"
            _LOGGER.warning("%s. The file is kept as %s: %s", lost, aside, err)
            await self._hass.async_add_executor_job(_rename, self._store.path, aside)
            return read(None)

    async def _read(self) -> Any:
        """Return what was saved.

        Raises ValueError where that isn't of this version, or nothing that a store saved,
        though JSON; Home Assistant itself sets aside what isn't even that.
        """
        try:
            return await self._store.async_load()
        except UnsupportedStorageVersionError as err:
            raise ValueError("it's of a newer version") from err
        except (KeyError, TypeError, NotImplementedError) as err:
            raise ValueError("it has another form") from err

    async def async_remove(self) -> None:
        """Delete the file, and what was set aside; no change writes it again."""
        self.is_removed = True
        if self._cancel_check:
            self._cancel_check()
        # Waits for a save that is under way, which would bring the file back.
        await self._store.async_save({})
        await self._store.async_remove()
        await self._hass.async_add_executor_job(_remove_aside, self._store.path)

    # Saving

    @callback
    def save_soon(self, delay: float = SAVE_DELAY) -> None:
        """Save after some seconds, together with what changes until then.

        While saving fails, it's after half a minute.
        """
        # Asking again would put the save off, in a burst for as long as it lasts.
        if not self._save_is_due and not self.is_removed:
            self._save_is_due = True
            self._store.async_delay_save(
                self._next_write, RETRY_DELAY if self._has_failed else delay
            )

    def _next_write(self) -> dict[str, Any]:
        self._save_is_due = False  # first, so that no change after it is missed
        self._writes += 1
        self._hass.loop.call_soon_threadsafe(self._check_later)
        # The last key, so that `_holds` need not read all.
        return {**self._contents(), "write": [self._run, self._writes]}

    @callback
    def _check_later(self) -> None:
        if self._cancel_check or self.is_removed or self._hass.is_stopping:
            return
        check = partial(self._check, self._writes)
        job = HassJob(check, "OpenVox check of a file", cancel_on_shutdown=True)
        self._cancel_check = async_call_later(self._hass, _CHECK_DELAY, job)

    async def _check(self, write: int, _now: datetime) -> None:
        """Look whether a write, or a later one, is in the file."""
        is_saved = await self._holds(write)
        self._cancel_check = None
        if self.is_removed:
            return
        if is_saved == self._has_failed:
            self._has_failed = not is_saved
            self._log_change()
        if not is_saved:
            self.save_soon()
        elif self._writes > write:
            self._check_later()

    async def _holds(self, write: int) -> bool:
        """Return whether a write, or a later one, is in the file."""
        end = await self._hass.async_add_executor_job(_read_end, self._store.path)
        if found := _WRITE.search(end):
            run, number = found.groups()
            return run == self._run.encode() and int(number) >= write
        return await self._holds_somewhere(write)

    async def _holds_somewhere(self, write: int) -> bool:
        """Read the whole file, in case Home Assistant writes it in another form."""
        # The store itself would return what's still to be written.
        reader: Store[dict[str, Any]] = Store(self._hass, _VERSION, self._store.key)
        try:
            saved = await reader.async_load()
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


def _read_end(path: str) -> bytes:
    """Return the end of a file, with the number of its write; nothing without a file."""
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _END))
            return file.read()
    except OSError:
        return b""


def _rename(path: str, aside: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        Path(path).rename(aside)


def _remove_aside(path: str) -> None:
    for aside in Path(path).parent.glob(f"{Path(path).name}.corrupt.*"):
        aside.unlink()
