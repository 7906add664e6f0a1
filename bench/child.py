"""Processes beside this one: requests go in and answers come out as lines of JSON."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import json
from pathlib import Path
import sys
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
_LONGEST = 120.0  # seconds for an answer
_LINE = 2**20  # bytes


class Child:
    """A module of this package that runs by itself."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take the process."""
        self._process = process

    def tell(self, deed: str, **details: Any) -> None:
        """Ask for something without waiting for the answer; `answer` has it."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": deed, **details}).encode() + b"\n")

    async def answer(self) -> dict[str, Any]:
        """Wait for the next answer."""
        assert self._process.stdout
        async with asyncio.timeout(_LONGEST):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("A process of the benchmark ended; see above why")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def ask(self, deed: str, **details: Any) -> dict[str, Any]:
        """Ask for something and wait for the answer."""
        self.tell(deed, **details)
        return await self.answer()


@asynccontextmanager
async def running(module: str, *arguments: str) -> AsyncIterator[Child]:
    """Run a module of this package; it ends with the context."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"bench.{module}", *arguments),
        cwd=PROJECT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE,
    )
    try:
        yield Child(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
