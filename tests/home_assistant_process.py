"""A real Home Assistant in a process of its own."""

import asyncio
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import os
from pathlib import Path
import sys

import aiohttp

from demo.home import HomeAssistant
from demo.processes import PROJECT, DemoError


@asynccontextmanager
async def running_home_assistant(
    config: Path, stderr: int = DEVNULL
) -> AsyncIterator[Process]:
    """Run Home Assistant, which logs to `config`/log; in the end it's killed.

    The log goes to `stderr` as well.
    """
    environment = os.environ.copy()
    # It would compile all of Home Assistant again at each start.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("hass"),
        *("--config", config, "--skip-pip", "--log-file", config / "log"),
        cwd=PROJECT,
        env=environment,
        stdout=DEVNULL,
        stderr=stderr,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def is_running(home: HomeAssistant) -> bool:
    """Return whether Home Assistant has started."""
    try:
        return bool((await home.get("/api/config"))["state"] == "RUNNING")
    except aiohttp.ClientError, DemoError:
        return False
