"""Files of ours: saved soon after a change, set aside where they can't be read."""

from collections.abc import Callable
import contextlib
import logging
from pathlib import Path
from typing import Any, Final

import voluptuous as vol

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

_LOGGER = logging.getLogger(__name__)

_VERSION: Final = 1
# A burst of changes is written once a second, and a crash loses no more than that.
SAVE_DELAY: Final = 0.5  # seconds


class StoredFile:
    """A file in Home Assistant's storage. What can't be read is never overwritten."""

    def __init__(
        self,
        hass: HomeAssistant,
        key: str,
        contents: Callable[[], dict[str, Any]],
        *,
        in_thread: bool = False,
    ) -> None:
        """Prepare the file of a `key`; `contents` returns what is saved.

        With `in_thread` it's called outside the event loop.
        """
        self._hass = hass
        self._contents = contents
        self._store: Store[dict[str, Any]] = Store(
            hass,
            _VERSION,
            key,
            private=True,
            atomic_writes=True,
            serialize_in_event_loop=not in_thread,
        )
        self._save_is_due = False
        self.is_removed = False

    async def async_load[T](self, read: Callable[[Any], T], lost: str) -> T:
        """Return what `read` makes of what was saved, of None if nothing was.

        It's called outside the event loop. Where it raises vol.Invalid, TypeError or
        ValueError, the file is set aside; `lost` says what that means, without a full
        stop.
        """
        stored = await self._store.async_load()
        try:
            return await self._hass.async_add_executor_job(read, stored)
        except (vol.Invalid, TypeError, ValueError) as err:
            aside = f"{self._store.path}.corrupt.{dt_util.utcnow().isoformat()}"
            _LOGGER.warning("%s. The file is kept as %s: %s", lost, aside, err)
            await self._hass.async_add_executor_job(_rename, self._store.path, aside)
            return read(None)

    @callback
    def save_soon(self, delay: float = SAVE_DELAY) -> None:
        """Save after some seconds, together with what changes until then."""
        # Asking again would put the save off, in a burst for as long as it lasts.
        if not self._save_is_due and not self.is_removed:
            self._save_is_due = True
            self._store.async_delay_save(self._saved_now, delay)

    def _saved_now(self) -> dict[str, Any]:
        self._save_is_due = False  # first, so that no change after it is missed
        return self._contents()

    async def async_remove(self) -> None:
        """Delete the file, and what was set aside; no change writes it again."""
        self.is_removed = True
        # Waits for a save that is under way, which would bring the file back.
        await self._store.async_save({})
        await self._store.async_remove()
        await self._hass.async_add_executor_job(_remove_aside, self._store.path)


def _remove_aside(path: str) -> None:
    for aside in Path(path).parent.glob(f"{Path(path).name}.corrupt.*"):
        aside.unlink()


def _rename(path: str, aside: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        Path(path).rename(aside)
