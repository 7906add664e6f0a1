"""Files of ours that can't be written for a while, as on a full disk."""

from collections.abc import AsyncIterator, Callable
import json
import logging
from pathlib import Path
import re

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_test_home_assistant

from custom_components.openvox_gsm.stored_file import RETRY_DELAY, StoredFile
from homeassistant.core import HomeAssistant

from .common import pass_time, said

CANNOT_BE_SAVED = (
    "The counters can't be saved to …. SMS and calls go on. Saving is tried again "
    "every half a minute; what isn't saved is lost if Home Assistant ends before"
)
SAVED_AGAIN = "The counters are saved again"


@pytest.fixture
async def hass(tmp_path: Path) -> AsyncIterator[HomeAssistant]:
    """Home Assistant with a folder of its own, in which it really writes."""
    async with async_test_home_assistant(config_dir=str(tmp_path)) as hass:
        yield hass
        await hass.async_stop(force=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / ".storage" / "counters"


class Counters:
    """Something that's saved: how often it changed."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Count nothing yet."""
        self.count = 0
        self.file = StoredFile(
            hass, "counters", lambda: {"count": self.count}, "counters"
        )

    def change(self) -> None:
        """Count one more."""
        self.count += 1
        self.file.async_save_soon()


@pytest.fixture
def counters(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Counters:
    """Something that's saved, while time stands still."""
    return Counters(hass)


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """A function that returns the warnings, without the path in them."""
    return lambda: [
        re.sub(r"/\S*counters", "…", line) for line in said(caplog, logging.WARNING)
    ]


def block(path: Path) -> None:
    """Let nothing be written any more: there's a folder in the file's place."""
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)


def saved(path: Path) -> int:
    """Return what is in the file."""
    return int(json.loads(path.read_text())["data"]["count"])


async def test_a_file_that_can_be_written(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    counters: Counters,
    path: Path,
    warnings: Callable[[], list[str]],
) -> None:
    """A change is saved within a second, and nothing is said."""
    for count in range(1, 20):
        counters.change()
        await pass_time(hass, freezer, 1)
        assert saved(path) == count
    await pass_time(hass, freezer, 2 * RETRY_DELAY)
    assert warnings() == []
    assert (
        await Counters(hass).file.async_load() == json.loads(path.read_text())["data"]
    )


async def test_a_file_that_cannot_be_written(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    counters: Counters,
    path: Path,
    warnings: Callable[[], list[str]],
) -> None:
    """The log says so once, and all is saved once it can be."""
    block(path)
    for _ in range(5):
        counters.change()
        await pass_time(hass, freezer, RETRY_DELAY)
    assert warnings() == [CANNOT_BE_SAVED]
    assert [each.name for each in path.parent.iterdir()] == [path.name]

    path.rmdir()
    for _ in range(2):
        await pass_time(hass, freezer, RETRY_DELAY)
    assert saved(path) == 5
    await pass_time(hass, freezer, 6)
    assert warnings() == [CANNOT_BE_SAVED, SAVED_AGAIN]

    # From now on it's as before.
    counters.change()
    await pass_time(hass, freezer, 1)
    assert saved(path) == 6


async def test_the_last_write_fails(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    counters: Counters,
    path: Path,
) -> None:
    """It's written again, although no other change follows and one before was saved."""
    counters.change()
    await pass_time(hass, freezer, 1)
    block(path)
    counters.change()
    await pass_time(hass, freezer, 1)
    path.rmdir()
    for _ in range(3):
        await pass_time(hass, freezer, RETRY_DELAY)
    assert saved(path) == 2


async def test_home_assistant_stops(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    counters: Counters,
    path: Path,
) -> None:
    """What couldn't be saved is tried once more."""
    block(path)
    counters.change()
    for _ in range(2):
        await pass_time(hass, freezer, 6)
    path.rmdir()
    await hass.async_stop(force=True)
    assert saved(path) == 1


async def test_the_file_is_removed(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    counters: Counters,
    path: Path,
    warnings: Callable[[], list[str]],
) -> None:
    """Nothing is written any more, and nothing is said."""
    counters.change()
    await pass_time(hass, freezer, 1)
    await counters.file.async_remove()
    counters.change()
    for _ in range(3):
        await pass_time(hass, freezer, RETRY_DELAY)
    assert not path.exists()
    assert warnings() == []
