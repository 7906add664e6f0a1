"""Files of ours: what's saved, and when."""

from collections.abc import Iterator
from pathlib import Path
import threading
from typing import Any

import pytest

from custom_components.openvox_gsm.stored_file import StoredFile
from homeassistant.core import HomeAssistant

from .common import until

KEY = "openvox_gsm.test"


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Let Home Assistant write real files."""
    return {}


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Return a folder of this test for them."""
    return hass_tmp_config_dir


@pytest.fixture
def folder(hass: HomeAssistant) -> Path:
    """Return the folder of the files."""
    folder = Path(hass.config.path(".storage"))
    folder.mkdir(exist_ok=True)
    return folder


class SlowContents:
    """Contents that take until they may end."""

    def __init__(self) -> None:
        """Wait for `may_end`."""
        self.has_begun = threading.Event()
        self.may_end = threading.Event()

    def __call__(self) -> dict[str, Any]:
        """Return the contents at last."""
        self.has_begun.set()
        assert self.may_end.wait(10)
        return {"secret": True}


@pytest.fixture
def slow() -> Iterator[SlowContents]:
    """Return contents, and let them end with the test."""
    contents = SlowContents()
    yield contents
    contents.may_end.set()


async def test_a_file_is_removed_while_it_is_written(
    hass: HomeAssistant, folder: Path, slow: SlowContents
) -> None:
    """It stays removed, with what was set aside of it."""
    aside = folder / f"{KEY}.corrupt.2026-05-04"
    aside.write_text("secret")
    file = StoredFile(hass, KEY, slow, in_thread=True)
    file.save_soon(0)
    await until(slow.has_begun.is_set)

    hass.loop.call_later(0.1, slow.may_end.set)
    await file.async_remove()
    file.save_soon(0)
    await hass.async_block_till_done()

    assert list(folder.glob(f"{KEY}*")) == []


async def test_only_the_owner_can_read_a_file(
    hass: HomeAssistant, folder: Path
) -> None:
    """It may hold numbers and texts."""
    file = StoredFile(hass, KEY, lambda: {"secret": True})
    file.save_soon(0)
    await until((folder / KEY).exists)
    assert (folder / KEY).stat().st_mode & 0o777 == 0o600
    await hass.async_block_till_done()
