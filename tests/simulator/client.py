"""A client as plain as can be: asyncio streams and nothing of the integration."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import hashlib
from typing import Self

from simulator import Dialect, Simulator

SECONDS = 2.0
"""How long a test waits for bytes that must come."""
QUIET = 0.05
"""How long a test waits for bytes that must not come, in seconds."""

type Packet = dict[str, str]


class Client:
    """One connection to a simulator."""

    def __init__(
        self, sim: Simulator, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take over a connection."""
        self.sim = sim
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, sim: Simulator) -> Self:
        """Connect without reading the greeting."""
        return cls(sim, *await asyncio.open_connection(sim.host, sim.port, limit=2**22))

    async def greeting(self) -> str:
        """Read the greeting line."""
        async with asyncio.timeout(SECONDS):
            return (await self.reader.readline()).decode()

    async def login(
        self, name: str = "admin", secret: str | None = None, events: str = "off"
    ) -> Packet:
        """Log in (a secret not given is the name) and give the answer.

        A FullyBooted that follows is read as well.
        """
        answer = await self.action(
            "Login", Username=name, Secret=secret or name, Events=events
        )
        if answer["Response"] == "Success" and ("on" in events or "system" in events):
            assert (await self.packet())["Event"] == "FullyBooted"
        return answer

    async def login_md5(self, name: str, secret: str) -> Packet:
        """Log in with a challenge."""
        challenge = (await self.action("Challenge", AuthType="MD5"))["Challenge"]
        key = hashlib.md5((challenge + secret).encode()).hexdigest()
        return await self.action(
            "Login", AuthType="MD5", Username=name, Key=key, Events="off"
        )

    def write(self, data: bytes) -> None:
        """Send raw bytes."""
        self.writer.write(data)

    def start(self, action: str, **fields: str) -> None:
        """Send an action without waiting for the answer."""
        lines = [
            f"Action: {action}",
            *(f"{key}: {value}" for key, value in fields.items()),
        ]
        self.write("\r\n".join([*lines, "", ""]).encode())

    async def action(self, action: str, **fields: str) -> Packet:
        """Send an action and give the packet that comes next."""
        self.start(action, **fields)
        return await self.packet()

    async def raw_packet(self) -> str:
        """Read up to an empty line; a character stands for a byte."""
        async with asyncio.timeout(SECONDS):
            return (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")

    async def packet(self) -> Packet:
        """Read one packet; the values of a key that comes again are joined by line ends."""
        fields: Packet = {}
        for line in (await self.raw_packet())[:-4].split("\r\n"):
            key, _, value = line.partition(": ")
            fields[key] = f"{fields[key]}\n{value}" if key in fields else value
        return fields

    async def events(self, count: int) -> list[Packet]:
        """Read a number of events."""
        return [await self.packet() for _ in range(count)]

    def start_command(self, line: str | bytes) -> None:
        """Send a CLI command without waiting for the answer."""
        raw = line if isinstance(line, bytes) else line.encode()
        self.write(b"Action: Command\r\nCommand: " + raw + b"\r\n\r\n")

    async def raw_packet_head(self) -> str:
        """Read the head of an answer to a command, as 1.8 sends it."""
        async with asyncio.timeout(SECONDS):
            return (await self.reader.readuntil(b"Privilege: Command\r\n")).decode()

    async def output(self) -> str:
        """Read the answer to a CLI command and give what it printed, in either dialect."""
        if self.sim.dialect is Dialect.ASTERISK_14:
            return (await self.packet()).get("Output", "")
        async with asyncio.timeout(SECONDS):
            answer = await self.reader.readuntil(b"--END COMMAND--\r\n\r\n")
        text = answer.decode("latin-1").removesuffix("--END COMMAND--\r\n\r\n")
        return text.removeprefix(
            "Response: Follows\r\nPrivilege: Command\r\n"
        ).removesuffix("\n")

    async def command(self, line: str | bytes) -> str:
        """Run a CLI command and give what it printed."""
        self.start_command(line)
        return await self.output()

    async def silent(self, seconds: float = QUIET) -> bool:
        """Say whether nothing comes for some time."""
        try:
            async with asyncio.timeout(seconds):
                return not await self.reader.read(1)
        except TimeoutError:
            return True

    async def ended(self) -> bool:
        """Say whether the gateway ended the connection; what came before it is thrown away."""
        try:
            async with asyncio.timeout(SECONDS):
                while await self.reader.read(65536):
                    pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Go away."""
        self.writer.close()


@asynccontextmanager
async def connected(
    sim: Simulator, name: str = "admin", events: str = "off"
) -> AsyncIterator[Client]:
    """Give a client that is logged in."""
    client = await Client.connect(sim)
    try:
        await client.greeting()
        assert (await client.login(name, events=events))["Response"] == "Success"
        yield client
    finally:
        client.close()
