"""Files of ours that can't be read are set aside, never overwritten."""

import contextlib
import logging
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

_LOGGER = logging.getLogger(__name__)


async def async_set_aside(
    hass: HomeAssistant, store: Store[Any], what: str, err: Exception
) -> None:
    """Rename a store's file, and warn; `what` is a sentence without its full stop."""
    path = store.path
    aside = f"{path}.corrupt.{dt_util.utcnow().isoformat()}"
    _LOGGER.warning("%s. The file is kept as %s: %s", what, aside, err)
    await hass.async_add_executor_job(_rename, path, aside)


async def async_remove_set_aside(hass: HomeAssistant, store: Store[Any]) -> None:
    """Delete what was set aside of a store, where it may hold what's private."""
    await hass.async_add_executor_job(_remove, store.path)


def _remove(path: str) -> None:
    for aside in Path(path).parent.glob(f"{Path(path).name}.corrupt.*"):
        aside.unlink()


def _rename(path: str, aside: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        Path(path).rename(aside)
