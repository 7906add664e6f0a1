"""Files of ours: what's saved, and when; also where the disk is full for a while."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import nullcontext
import json
import logging
from pathlib import Path
import re
import threading
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_test_home_assistant,
)

from custom_components.openvox_gsm import stored_file
from custom_components.openvox_gsm.messages.history import MessageHistory
from custom_components.openvox_gsm.messages.record import (
    Direction,
    Kind,
    MessageRecord,
    Status,
)
from custom_components.openvox_gsm.stored_file import RETRY_DELAY, StoredFile
from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError

from .common import pass_time, said, settle, until

KEY = "counters"

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
    return tmp_path / ".storage" / KEY


class Counters:
    """Something that's saved: how often it changed."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Count nothing yet."""
        self.count = 0
        self.file = StoredFile(hass, KEY, lambda: {"count": self.count}, "counters")

    def change(self) -> None:
        """Count one more."""
        self.count += 1
        self.file.save_soon()


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


def full_disk() -> Any:
    """Let every file that's written end too early; what is there stays."""
    error = WriteError("No space left on device")
    return patch(
        "homeassistant.helpers.storage.write_utf8_file_atomic", side_effect=error
    )


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
    read = await Counters(hass).file.async_load(lambda stored: stored, "It's lost")
    assert read["count"] == 19


async def test_a_burst_of_changes(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, counters: Counters, path: Path
) -> None:
    """It's written once."""
    for _ in range(4):
        counters.change()
        await settle(hass)
    await pass_time(hass, freezer, 1)
    assert saved(path) == 4
    assert json.loads(path.read_text())["data"]["write"][1] == 1


@pytest.mark.logs_exceptions
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


@pytest.mark.logs_exceptions
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


@pytest.mark.logs_exceptions
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


@pytest.mark.parametrize(
    "contents",
    [
        "[]",
        "5",
        '"counters"',
        "null",
        '{"data": {}}',
        '{"version": 1}',
        '{"version": 0, "data": {}}',
        '{"version": 2, "data": {}}',
        '{"version": "1", "data": {}}',
    ],
)
async def test_a_file_of_something_else(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    counters: Counters,
    path: Path,
    warnings: Callable[[], list[str]],
    contents: str,
) -> None:
    """It's set aside, even one of a newer version, so that SMS go on."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(contents)

    read = await counters.file.async_load(lambda stored: stored, "They start at zero")

    assert read is None
    [warning] = warnings()
    assert warning.startswith("They start at zero. The file is kept as ")
    [aside] = path.parent.glob(f"{KEY}.corrupt.*")
    assert aside.read_text() == contents
    counters.change()
    await pass_time(hass, freezer, 1)
    assert saved(path) == 1


@pytest.mark.parametrize("can_be_written", [True, False])
async def test_a_large_file_is_not_read_again(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    path: Path,
    warnings: Callable[[], list[str]],
    can_be_written: bool,
) -> None:
    """Its end says which write it holds; a text can't pretend to be that."""
    texts = ["x" * 1000, '", "write": ["0000", 99]}}', "write"]
    file = StoredFile(hass, KEY, lambda: {"texts": texts}, "counters")
    file.save_soon()
    await pass_time(hass, freezer, 1)
    with patch.object(Store, "async_load") as load:
        await pass_time(hass, freezer, 6)
        before = path.read_text()
        file.save_soon()
        with nullcontext() if can_be_written else full_disk():
            await pass_time(hass, freezer, 1)
            await pass_time(hass, freezer, 6)

    load.assert_not_called()
    assert (path.read_text() != before) is can_be_written
    assert warnings() == ([] if can_be_written else [CANNOT_BE_SAVED])


# Files that are removed, or that others must not read


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
    hass: HomeAssistant, path: Path, slow: SlowContents
) -> None:
    """It stays removed, with what was set aside of it."""
    path.parent.mkdir(exist_ok=True)
    aside = path.with_name(f"{KEY}.corrupt.2026-05-04")
    aside.write_text("secret")
    file = StoredFile(hass, KEY, slow, "counters", in_thread=True)
    file.save_soon(0)
    await until(slow.has_begun.is_set)

    hass.loop.call_later(0.1, slow.may_end.set)
    await file.async_remove()
    file.save_soon(0)
    await hass.async_block_till_done()

    assert list(path.parent.glob(f"{KEY}*")) == []


async def test_only_the_owner_can_read_a_file(hass: HomeAssistant, path: Path) -> None:
    """It may hold numbers and texts."""
    file = StoredFile(hass, KEY, lambda: {"secret": True}, "counters")
    file.save_soon(0)
    await until(path.exists)
    assert path.stat().st_mode & 0o777 == 0o600
    await hass.async_block_till_done()


async def test_a_file_is_removed_while_it_is_checked(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    counters: Counters,
    warnings: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That it isn't there is no failure then."""
    is_looking, may_look = threading.Event(), threading.Event()

    def look(_path: str) -> bytes:
        is_looking.set()
        assert may_look.wait(10)
        return b""

    monkeypatch.setattr(stored_file, "_read_end", look)
    counters.change()
    await pass_time(hass, freezer, 1)
    freezer.tick(6)
    async_fire_time_changed(hass)
    await until(is_looking.is_set)

    await counters.file.async_remove()
    may_look.set()
    await hass.async_block_till_done(wait_background_tasks=True)

    assert warnings() == []


async def test_messages_are_written_in_another_thread(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There may be ten thousand, and everything else would wait meanwhile."""
    threads: list[threading.Thread] = []

    def as_dict(_record: MessageRecord) -> dict[str, Any]:
        threads.append(threading.current_thread())
        return {}

    monkeypatch.setattr(MessageRecord, "as_dict", as_dict)
    history = MessageHistory(hass, entry)
    history.add(
        MessageRecord(
            id=history.new_id(dt_util.utcnow()),
            kind=Kind.SMS,
            direction=Direction.IN,
            number="+4915112345678",
            text="Hello",
            time=dt_util.utcnow(),
            span=1,
            parts=1,
            status=Status.RECEIVED,
        )
    )
    await pass_time(hass, freezer, 60)
    await until(lambda: threads)
    assert threading.main_thread() not in threads
