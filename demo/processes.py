"""The processes of the demo: started, watched and ended here."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
import os
from pathlib import Path
import socket
import sys
from typing import Any, Self

LOOPBACK = "127.0.0.1"
PROJECT = Path(__file__).resolve().parent.parent

_STOP_SECONDS = 30.0
"""Time to end by itself; Home Assistant writes its data then."""
_LAST_LINES = 30


class DemoError(Exception):
    """The demo cannot go on; the message is a sentence for people."""


def say(text: str = "") -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Process:
    """One process with its own log file; leaving the context ends it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        restarts_with: int | None = None,
    ) -> None:
        """Prepare; `name` is what people call it.

        With the exit status `restarts_with` the process asks to be started again.
        """
        self.name = name
        self.log = log
        self._command = command
        self._restarts_with = restarts_with
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Start it."""
        self.log.unlink(missing_ok=True)
        await self._start()
        return self

    async def _start(self) -> None:
        environment = os.environ.copy()
        # It would compile all of Home Assistant again at every start.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=PROJECT,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                # Ctrl-C reaches the demo alone, which then ends them in order.
                start_new_session=True,
            )

    async def __aexit__(self, *_error: object) -> None:
        """End it, by force if it takes too long."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            say(f"{self.name} does not end by itself, so it is killed.")
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def death(self) -> None:
        """Raise DemoError when it ends; it is meant to run as long as the demo."""
        while self._process is not None:
            status = await self._process.wait()
            if status != self._restarts_with:
                raise DemoError(
                    f"{self.name} ended by itself with status {status}; "
                    f"{self.log.relative_to(PROJECT)} says more."
                )
            await self._start()

    def last_lines(self) -> str:
        """Give the end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:])


async def unless_dead[T](
    work: Coroutine[Any, Any, T], processes: Sequence[Process]
) -> T:
    """Do some work, but stop with DemoError as soon as a process dies."""
    task = asyncio.create_task(work)
    deaths = [asyncio.create_task(process.death()) for process in processes]
    try:
        await asyncio.wait([task, *deaths], return_when=asyncio.FIRST_COMPLETED)
        if task.done() and task.exception():
            # A death explains it better; it shows a moment after its connections.
            await asyncio.wait(deaths, timeout=0.5)
        for death in deaths:
            if death.done():
                death.result()
        return await task
    finally:
        for each in (task, *deaths):
            each.cancel()
        await asyncio.gather(task, *deaths, return_exceptions=True)


async def until[T](
    what: str, probe: Callable[[], Awaitable[T | None]], seconds: float
) -> T:
    """Probe until there is a result; DemoError says `what` did not happen."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                result = await probe()
                if result is not None and result is not False:
                    return result
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise DemoError(f"{what} did not happen within {seconds:g} s.") from None


def choose_ports(*wanted: int) -> list[int]:
    """Give these ports where they are free, any free ones otherwise."""
    chosen: list[int] = []
    for port in wanted:
        chosen.append(port if _is_free(port) else _any_free(chosen))
    return chosen


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Connections that ended a moment ago do not hinder a server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _any_free(but: Sequence[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
        if port not in but:
            return port
