"""How the simulated gateway of a soak is steered."""

import asyncio
from typing import Any, override

from custom_components.openvox_gsm.ami.chunks import ChunkedProtocol
from soak.gateway import Gateway


class Steered(Gateway):
    """A gateway that does what it's told, without a process."""

    @override
    async def do(self, deed: str, **details: Any) -> dict[str, Any]:
        """Keep all connections."""
        return {"clients": [], "stays": True}


class Client(ChunkedProtocol):
    """A client that counts what it reads."""

    received = 0

    @override
    def receive(self, data: bytes) -> None:
        """Count it."""
        self.received += len(data)


async def test_what_is_certainly_heard() -> None:
    """By then all is read that a connection held before, if that's no more than 2 MiB."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(
        lambda _, writer: writers.append(writer), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(Client, "127.0.0.1", port)
    transport.pause_reading()
    while not writers:
        await asyncio.sleep(0)
    size = 2 * 1024**2
    writers[0].write(bytes(size))
    held, before = size - writers[0].transport.get_write_buffer_size(), 0
    while held > before:
        await asyncio.sleep(0.05)
        before, held = held, size - writers[0].transport.get_write_buffer_size()
    assert held > 1024**2

    transport.resume_reading()
    await Steered(port=port, control_port=0).deliver("sms")
    assert client.received >= held

    transport.abort()
    writers[0].transport.abort()
    server.close()
