"""The disk of Home Assistant is full for a while."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from contextlib import suppress
import json
from pathlib import Path
import resource
import subprocess

import aiohttp
import pytest

from custom_components.openvox_gsm.const import DOMAIN
from demo.home import HomeAssistant as HomeAssistantClient, make_config
from demo.processes import choose_ports, until
from simulator import Simulator

from tests.common import OTHER_PHONE, PHONE
from tests.home_assistant_process import running_home_assistant

_SIZE = "8m"
_FILES = ("counters and limits", "messages")
_FULL = ("No space left on device", "File too large")


class SmallDisk:
    """A small file system in memory, which needs rights that not everybody has."""

    def __init__(self, folder: Path) -> None:
        """Mount it at a folder."""
        self._ballast = folder / "ballast"
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", folder]
        subprocess.run(mount, check=True, capture_output=True)

    def fill(self, _home_assistant: Process) -> None:
        """Leave no room on it."""
        with suppress(OSError), self._ballast.open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))

    def make_room(self, _home_assistant: Process) -> None:
        """Let there be room again."""
        self._ballast.unlink()

    def close(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", "-l", self._ballast.parent], check=True)


class SizeLimit:
    """A limit for Home Assistant, beyond which no file of it can grow."""

    def fill(self, home_assistant: Process) -> None:
        """Let no file grow."""
        self._limit(home_assistant, 0)

    def make_room(self, home_assistant: Process) -> None:
        """Let files grow again."""
        self._limit(home_assistant, resource.RLIM_INFINITY)

    def close(self) -> None:
        """Do nothing: the limit ends with the process."""

    @staticmethod
    def _limit(home_assistant: Process, size: int) -> None:
        limits = (size, resource.RLIM_INFINITY)
        resource.prlimit(home_assistant.pid, resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    """Where Home Assistant stores what it remembers; its configuration is above."""
    return tmp_path / "config" / ".storage"


@pytest.fixture
def port(storage: Path) -> int:
    """The port of Home Assistant's page."""
    (port,) = choose_ports(8127)
    make_config(storage.parent, port)
    return port


@pytest.fixture
def disk(storage: Path, port: int) -> Iterator[SmallDisk | SizeLimit]:
    """The disk of that folder, as small as this machine lets us make it."""
    begun = {path.name: path.read_bytes() for path in storage.iterdir()}
    disk: SmallDisk | SizeLimit
    try:
        disk = SmallDisk(storage)
    except FileNotFoundError, subprocess.CalledProcessError:
        disk = SizeLimit()
    for name, content in begun.items():
        (storage / name).write_bytes(content)
    yield disk
    disk.close()


async def test_disk_is_full(
    gateway: Simulator, storage: Path, port: int, disk: SmallDisk | SizeLimit
) -> None:
    """SMS go on, the log says once what can't be saved, and later it's saved."""

    async def exchange_sms(count: int) -> None:
        """Receive and send five SMS each; `count` is how many there are then."""
        for number in range(count - 5, count):
            await gateway.receive_sms(1, OTHER_PHONE, f"Number {number}")
            data = {"message": "Hello", "target": PHONE, "span": 1}
            answer = await home.ask_action("notify.send_sms", **data)
            assert [each["status"] for each in answer["messages"]] == ["sent"]
        for key in ("received", "sent"):
            assert await home.state(f"sensor.gsm_1_sms_{key}") == str(count)

    async def are_saved(count: int) -> bool:
        """Return whether the file counts that many SMS each way."""
        counters = [
            each
            for path in storage.glob(f"{DOMAIN}.{entry_id}")
            for each in json.loads(path.read_bytes())["data"]["counters"]
        ]
        found = {each[1]: each[2] for each in counters if each[0] == 1}
        return (found.get("sms_received"), found.get("sms_sent")) == (count, count)

    log: list[str] = []

    async def read_log(process: Process) -> None:
        assert process.stderr
        while line := await process.stderr.readline():
            log.append(line.decode(errors="replace"))

    async def are_logged(words: str) -> bool:
        """Return whether the log says something of each file."""
        return all(
            any(f"The {what} {words}" in line for line in log) for what in _FILES
        )

    async with (
        aiohttp.ClientSession() as session,
        running_home_assistant(storage.parent, PIPE) as process,
        asyncio.TaskGroup() as group,
    ):
        reading = group.create_task(read_log(process))
        home = HomeAssistantClient(session, port)
        await home.set_up(gateway.port)
        [entry_id] = [
            each["entry_id"]
            for each in await home.get("/api/config/config_entries/entry")
            if each["domain"] == DOMAIN
        ]
        await exchange_sms(5)
        await until("Saving", lambda: are_saved(5), 10)
        disk.fill(process)
        await exchange_sms(10)
        await until("The warnings", lambda: are_logged("can't be saved to"), 30)
        await exchange_sms(15)
        assert await are_saved(5)

        disk.make_room(process)
        await until("Saving again", lambda: are_logged("are saved again"), 60)
        assert await are_saved(15)
        assert process.returncode is None
        reading.cancel()

    ours = [line for line in log if "[custom_components.openvox_gsm" in line]
    for what in _FILES:
        # Another file that's deleted may make room for a moment.
        said = [f"The {what} can't" in line for line in ours if f"The {what} " in line]
        assert said == [True, False] * (len(said) // 2)
    assert any(each in line for line in log for each in _FULL)
    assert not any("custom_components/openvox_gsm" in line for line in log)
