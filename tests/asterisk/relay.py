"""A relay on loopback: sees what a client sends to Asterisk, and may change it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from .server import Asterisk


class Relay:
    """Passes on bytes both ways; `sent` is what the client wrote."""

    def __init__(self, asterisk: Asterisk, change: tuple[bytes, bytes]) -> None:
        """Replace the first of `change` by the second on the way to Asterisk."""
        self._asterisk = asterisk
        self._change = change
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.sent = b""

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a client."""
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        answers, actions = await asyncio.open_connection(
            self._asterisk.host, self._asterisk.port
        )

        async def there() -> None:
            while data := await reader.read(65536):
                self.sent += data
                actions.write(data.replace(*self._change))
            actions.close()

        async def back() -> None:
            while data := await answers.read(65536):
                writer.write(data)
            writer.close()

        with suppress(ConnectionError):
            await asyncio.gather(there(), back())

    async def ended(self) -> None:
        """Wait until both sides of all connections have closed them."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)


@asynccontextmanager
async def relay(
    asterisk: Asterisk, change: tuple[bytes, bytes] = (b"", b"")
) -> AsyncIterator[Relay]:
    """Relay between clients and Asterisk on a port of its own."""
    middle = Relay(asterisk, change)
    server = await asyncio.start_server(middle.serve, asterisk.host, 0)
    middle.port = server.sockets[0].getsockname()[1]
    try:
        yield middle
    finally:
        server.close()
        await middle.ended()
