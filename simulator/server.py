"""The simulated gateway with its port for clients."""

import asyncio
from collections.abc import Sequence
import socket
import ssl
from typing import Self

from . import noise
from .cli import asterisk, gsm
from .cli.command_line import CommandLine
from .faults import Faults
from .listener import Listener, open_streams
from .manager.actions.table import ActionTable
from .manager.session import Session
from .model.box import Box, Dialect
from .model.gateway import Gateway
from .model.users import User


class Simulator(Gateway):
    """An OpenVox GSM gateway without hardware, in this event loop.

    Use it as ``async with Simulator(spans=2) as sim``, or with `start` and `stop`. Started
    again after a stop it listens on the same port, as a gateway does after a restart.
    """

    def __init__(
        self,
        spans: int = 4,
        dialect: Dialect = Dialect.ASTERISK_1_8,
        box: str = Box.OF_2013,
        users: Sequence[User] | None = None,
        *,
        challenge: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        sms_received: bool = False,
        board: int = 1,
    ) -> None:
        """Make a gateway; port 0 takes any free one.

        ``box`` is a `Box` or its value, ``board`` which board of a stack it is.
        ``sms_received`` is the switch "SMS Received" of a box of today, off as shipped:
        without it clients see nothing of an SMS. ``challenge``: whether it knows MD5.
        ``tls``: encrypt with this context, which holds the certificate.
        """
        super().__init__(
            spans, Box(box), dialect, users or [User("admin", "admin")], board
        )
        self.dialplan.sms_received = sms_received
        self.challenge = challenge
        self.host = host
        self.port = port
        self.tls = tls
        self.faults = Faults(self, dialect)
        self.cli = CommandLine(self, [])
        self.action_table = ActionTable(self.cli)
        self.become(self.box)
        self._listener: Listener | None = None
        self._running = False

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Listen for clients."""
        self._running = True
        self.restarted()
        self.listen_or_not()

    async def stop(self) -> None:
        """Close everything: afterwards there is no task and no socket left."""
        self._running = False
        self.faults.unreachable = False
        self.listen_or_not()
        self.drop_connections(abort=True)
        await self.end_tasks()
        self.reset()

    async def restart(self, downtime: float = 0.0) -> None:
        """Go down, forget sessions and messages under way, and come back on the same port."""
        await self.stop()
        await asyncio.sleep(downtime)
        await self.start()

    def become(self, box: str) -> None:
        """Become another box, with its commands, as an update of the firmware does."""
        self.box = self.dialplan.box = Box(box)
        own = self.action_table.show_command
        self.cli.offer([*asterisk.COMMANDS, own, *gsm.commands(self.box)])

    # ---- connections ---------------------------------------------------------------------

    def listen_or_not(self) -> None:
        """Listen, or stop listening, as the faults say; connections stay as they are."""
        listens = self._running and not self.faults.refuse
        if listens and self._listener is None:
            self._listener = Listener(self.host, self.port, self._accepted)
            self.port = self._listener.port
        elif not listens and self._listener is not None:
            self._listener.close()
            self._listener = None

    def _accepted(self, connection: socket.socket) -> None:
        # As Asterisk does; otherwise the output of a command waits 40 ms behind its head.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.spawn(self._serve(connection), eager_start=True)

    async def _serve(self, connection: socket.socket) -> None:
        try:
            reader, writer = await open_streams(connection, self.tls)
        except OSError:
            return
        session = Session(self, self.faults, self.action_table.perform, reader, writer)
        self.clients.add(session)
        try:
            await session.run()
        finally:
            self.clients.discard(session)

    def drop_connections(self, abort: bool) -> None:
        """Drop every connection."""
        for client in self.clients:
            client.drop(abort)

    def send_raw(self, data: bytes) -> None:
        """Send raw bytes to every connection."""
        for client in self.clients:
            client.send(data)

    async def noise(
        self, packets: int = 5000, sms_like: bool = False, rate: float | None = None
    ) -> None:
        """Send other people's call traffic: packets a second, or as fast as it goes."""
        now = asyncio.get_running_loop().time
        start = now()
        for number, event in enumerate(noise.packets(self.events, packets, sms_like)):
            self.emit(event)
            if number % 100 == 0:
                due = start + number / rate if rate else 0.0
                await asyncio.sleep(max(0.0, due - now()))
