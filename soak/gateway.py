"""The simulated gateway in a process of its own, and how to steer it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
import re
import sys
from typing import Any

from simulator import Box
from simulator.control import ask

SECRET = "soak-and-secret"
"""The password of all gateways."""

_PROJECT = Path(__file__).parents[1]
_STARTED = re.compile(r"port (?P<port>\d+),.* on port (?P<control>\d+)\.")
_STOP_SECONDS = 10.0


class GatewayError(Exception):
    """The simulator did not start, or refused what it was asked for."""


@dataclass(frozen=True)
class Gateway:
    """A simulator that runs: its port for clients and the one for steering."""

    port: int
    control_port: int

    async def do(self, deed: str, **details: Any) -> dict[str, Any]:
        """Ask for something; raises GatewayError where that is refused."""
        answer = await ask(self.control_port, {"do": deed, **details})
        if "error" in answer:
            raise GatewayError(f"{deed}: {answer['error']}")
        return answer

    async def accepts_connections(self) -> bool:
        """Say whether it's there for its clients."""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def running_gateway(
    spans: int, box: Box, dialect: str, certificate: Path | None
) -> AsyncIterator[Gateway]:
    """Run a simulator on free ports; it ends with the context.

    It hands over incoming SMS, whichever box it is. It encrypts where it has a certificate: a file that holds the key as well.
    """
    tls = ["--tls", str(certificate)] if certificate else []
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--spans", str(spans)),
        *("--port", "0", "--control-port", "0", "--secret", SECRET),
        *("--box", box, "--dialect", dialect, "--sms-received"),
        *tls,
        cwd=_PROJECT,
        stdout=asyncio.subprocess.PIPE,
        # Ctrl-C reaches the soak alone, which then ends this in order.
        start_new_session=True,
    )
    assert process.stdout
    try:
        line = (await process.stdout.readline()).decode()
        ports = _STARTED.search(line)
        if not ports:
            raise GatewayError(f"The simulator did not start: {line.strip()}")
        reading = asyncio.create_task(_throw_away(process.stdout))
        yield Gateway(int(ports["port"]), int(ports["control"]))
        reading.cancel()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _throw_away(stream: asyncio.StreamReader) -> None:
    """Keep the pipe empty: the simulator prints each message that goes out."""
    while await stream.read(65536):
        pass
