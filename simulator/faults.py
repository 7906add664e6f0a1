"""Everything that may go wrong between a gateway and its clients, on demand."""

import asyncio
import re
import socket
from typing import Protocol

from .model.box import Dialect


class Connections(Protocol):
    """The port of a gateway and the connections to it."""

    host: str
    port: int

    def listen_or_not(self) -> None:
        """Listen, or stop listening, as the faults say."""

    def drop_connections(self, abort: bool) -> None:
        """Drop every connection."""

    def send_raw(self, data: bytes) -> None:
        """Send raw bytes to every connection."""


class Faults:
    """Switches for faults; all may be set at any time."""

    def __init__(self, connections: Connections, dialect: Dialect) -> None:
        """Start without any fault."""
        self._connections = connections
        self._running = asyncio.Event()
        self._running.set()
        self._refuse = False
        self._full_queue: list[socket.socket] = []

        old = dialect is Dialect.ASTERISK_1_8
        self.greeting: bytes | None = (
            b"Asterisk Call Manager/1.1\r\n"
            if old
            else b"Asterisk Call Manager/11.0.0\r\n"
        )
        """What stands first on a connection; None: nothing ever."""
        self.greeting_delay = 0.0
        """Seconds before the greeting."""
        self.login_delay = 0.0
        """Seconds before the answer to a login."""
        self.reject_login = False
        """Answer every login as if the password were wrong."""
        self.silent_commands: set[str] = set()
        """Patterns of CLI commands that are never answered."""
        self.slow_bytes = False
        """Send one byte at a time."""
        self.freeze_before = b""
        """Freeze as soon as these bytes are next to be sent, once."""

    @property
    def refuse(self) -> bool:
        """Refuse new connections, as if nothing listened; those that stand stay."""
        return self._refuse

    @refuse.setter
    def refuse(self, refuse: bool) -> None:
        self._refuse = refuse
        self._connections.listen_or_not()

    @property
    def unreachable(self) -> bool:
        """Answer no attempt to connect, as if a cable was out; connections stay."""
        return bool(self._full_queue)

    @unreachable.setter
    def unreachable(self, unreachable: bool) -> None:
        if unreachable == self.unreachable:
            return
        if unreachable:
            self.refuse = True
            self._full_queue = _fill_queue(
                self._connections.host, self._connections.port
            )
        else:
            for sock in self._full_queue:
                sock.close()
            self._full_queue = []
            self.refuse = False

    def freeze(self) -> None:
        """Neither read nor answer, but keep the connections (half-open)."""
        self._running.clear()

    def may_send(self, output: bytes | bytearray) -> int:
        """Say how many bytes of the output may be sent, and freeze behind them if due."""
        at = output.find(self.freeze_before) if self.freeze_before else -1
        if at >= 0:
            self.freeze_before = b""
            self.freeze()
            return at
        return 1 if self.slow_bytes else len(output)

    def thaw(self) -> None:
        """Go on where `freeze` stopped."""
        self._running.set()

    @property
    def frozen(self) -> bool:
        """Say whether the gateway is frozen."""
        return not self._running.is_set()

    async def thawed(self) -> None:
        """Wait until the gateway is not frozen."""
        await self._running.wait()

    def drop_sessions(self, abort: bool = True) -> None:
        """Drop all connections: with a reset, or with an orderly end. Commands run on."""
        self._connections.drop_connections(abort)

    def garbage(self, data: bytes) -> None:
        """Send raw bytes to all sessions, in the middle of whatever they do."""
        self._connections.send_raw(data)

    def silences(self, command: str) -> bool:
        """Say whether a CLI command is never answered."""
        return any(re.search(pattern, command) for pattern in self.silent_commands)


def _fill_queue(host: str, port: int) -> list[socket.socket]:
    """Listen on a port without ever accepting; Linux drops what the queue has no room for.

    Gives the listening socket and those that fill its queue.
    """
    sockets = [socket.create_server((host, port), backlog=0)]
    for _ in range(2):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((host, port))
        sockets.append(client)
    return sockets
