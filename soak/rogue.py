"""A device that asks for an address in the gateway's name, and wants its password."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
import hashlib
import random
import socket
import ssl
from typing import Final

from simulator.listener import Listener, open_streams

from .gateway import SECRET

from tests.certificates import certificate

HOST: Final = "127.0.0.2"
_GREETING: Final = b"Asterisk Call Manager/1.1\r\n"
_CHALLENGES: Final = (
    "Response: Error\r\nMessage: No challenges here, send the password",
    "Response: Success\r\nChallenge: ",
)
# What tells the password, as it is or in a form that can be looked up.
_GIVEN_AWAY: Final = (
    SECRET.encode(),
    hashlib.md5(SECRET.encode(), usedforsecurity=False).hexdigest().encode(),
)


@dataclass
class Rogue:
    """Answers each action with the same words, and keeps what it gets."""

    answer: str
    tls: ssl.SSLContext | None
    connections: int = 0
    received: list[bytes] = field(default_factory=list)

    @property
    def has_password(self) -> bool:
        """Whether it was given the password."""
        everything = b"".join(self.received)
        return any(password in everything for password in _GIVEN_AWAY)

    async def serve(self, connection: socket.socket) -> None:
        """Talk to a client that connected."""
        self.connections += 1
        with suppress(OSError):
            reader, writer = await open_streams(connection, self.tls)
            try:
                writer.write(_GREETING)
                while packet := await reader.read(4096):
                    self.received.append(packet)
                    writer.write(f"{self.answer}\r\n{_action_id(packet)}\r\n".encode())
            finally:
                writer.close()


def _action_id(packet: bytes) -> str:
    lines = packet.decode("latin-1").split("\r\n")
    return next((f"{line}\r\n" for line in lines if line.startswith("ActionID:")), "")


@asynccontextmanager
async def running_rogue(
    port: int, dice: random.Random, *, encrypts: bool
) -> AsyncIterator[Rogue]:
    """Run a rogue at the gateway's port of another address of this machine.

    One that encrypts has a certificate of its own.
    """
    tls = certificate(HOST).server if encrypts else None
    rogue = Rogue(dice.choice(_CHALLENGES), tls)
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []

    def accepted(connection: socket.socket) -> None:
        tasks.append(loop.create_task(rogue.serve(connection), eager_start=True))

    listener = Listener(HOST, port, accepted)
    try:
        yield rogue
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
