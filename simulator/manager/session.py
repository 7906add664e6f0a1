"""A session of the manager interface (AMI): order of actions, delivery of events, answers."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from itertools import count
from time import time

from simulator.cli.command_line import Output, Status
from simulator.faults import Faults
from simulator.model.box import Dialect
from simulator.model.gateway import Gateway
from simulator.model.outcomes import ConnectionDropped
from simulator.model.users import User, grants
from simulator.wire import packet, privilege_classes

from .framing import Action, ActionParser

_NUMBERS = count(1)


class Session:
    """One connection of a client. It does one action at a time.

    While an action runs, events wait: Asterisk has one thread a session (part 1 of the
    notes). The action runs to its end even if the client goes away meanwhile.
    """

    def __init__(
        self,
        gateway: Gateway,
        faults: Faults,
        perform: Callable[[Session, Action], Awaitable[None]],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Take over a connection; ``perform`` performs its actions."""
        self.number = next(_NUMBERS)
        self.gateway = gateway
        self.faults = faults
        self._perform_action = perform
        self._reader = reader
        self._writer = writer
        self._actions: asyncio.Queue[Action | None] = asyncio.Queue()
        self._output = bytearray()
        self._has_output = asyncio.Event()
        self._sent = asyncio.Event()
        self._held_events: deque[bytes] = deque()
        self._busy = False
        self.connected = True
        """Whether bytes still get through to the client."""
        self.client_left = False
        """Whether the client has sent its last byte; its actions are done all the same."""
        self.ending = False
        """Set by an action that ends the session (Logoff, a wrong password)."""
        self.user: User | None = None
        self.logged_in_at = 0.0
        self.challenge = ""
        self.event_mask = frozenset({"all"})

    @property
    def old(self) -> bool:
        """Say whether answers are framed as in Asterisk 1.8."""
        return self.gateway.dialect is Dialect.ASTERISK_1_8

    @property
    def logged_in(self) -> bool:
        """Say whether a user is logged in whose client is still there."""
        return self.user is not None and self.connected and not self.client_left

    @property
    def descriptor(self) -> int:
        """Give the number of the file that the connection is to the system."""
        return int(self._writer.get_extra_info("socket").fileno())

    @property
    def port(self) -> int:
        """Give the port of the gateway that the client is connected to."""
        return int(self._writer.get_extra_info("sockname")[1])

    def log_in(self, user: User) -> None:
        """Let a user in."""
        self.user = user
        self.logged_in_at = time()

    def may_use(self, rights: Collection[str]) -> bool:
        """Say whether its user has one of some rights; none needed: everybody."""
        return not rights or (self.user is not None and grants(self.user.write, rights))

    # ---- life ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve the client until it goes, logs off or is thrown out."""
        helpers = [
            asyncio.ensure_future(helper)
            for helper in (self._read_actions(), self._send_output())
        ]
        try:
            await self._greet()
            while not self.ending and (action := await self._actions.get()) is not None:
                await self._perform(action)
            if self.connected:
                await self._all_sent()
        finally:
            self.connected = False
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()

    def drop(self, abort: bool) -> None:
        """Lose the connection, with a reset or in order."""
        self.connected = False
        if abort:
            self._writer.transport.abort()
        else:
            self._writer.close()

    async def _greet(self) -> None:
        await self.faults.thawed()
        await asyncio.sleep(self.faults.greeting_delay)
        if self.faults.greeting is not None:
            self.send(self.faults.greeting)

    async def _perform(self, action: Action) -> None:
        self._busy = True
        try:
            if action.too_long:
                self.error(action, "Failed to parse message: line too long")
            else:
                await self._perform_action(self, action)
        except ConnectionDropped:
            self.drop(abort=True)
        finally:
            self._busy = False
        self._deliver_held_events()

    # ---- bytes ---------------------------------------------------------------------------

    async def _read_actions(self) -> None:
        """Read until the client goes; actions wait in a queue for their turn."""
        parser = ActionParser()
        with suppress(ConnectionError):
            while data := await self._reader.read(65536):
                await self.faults.thawed()
                for action in parser.feed(data):
                    self._actions.put_nowait(action)
        self.client_left = True
        self._actions.put_nowait(None)

    def send(self, data: bytes) -> None:
        """Send some bytes, in order with all others."""
        if self.connected and data:
            self._output += data
            self._has_output.set()
            self._sent.clear()

    async def _send_output(self) -> None:
        with suppress(ConnectionError):
            while True:
                await self._has_output.wait()
                await self.faults.thawed()
                count = self.faults.may_send(self._output)
                piece = bytes(self._output[:count])
                del self._output[:count]
                self._writer.write(piece)
                await self._writer.drain()
                if self._output:
                    await asyncio.sleep(0)
                else:
                    self._has_output.clear()
                    self._sent.set()
        self.connected = False
        self._sent.set()

    async def _all_sent(self) -> None:
        if self._output:
            await self._sent.wait()

    # ---- events --------------------------------------------------------------------------

    def deliver(self, event: bytes) -> None:
        """Deliver an event, now or after the action that runs."""
        if not self.logged_in:
            return
        if self._busy:
            self._held_events.append(event)
        elif self._may_see(event):
            self._send_event(event)

    def _send_event(self, event: bytes) -> None:
        self.gateway.events_sent += 1
        self.send(event)

    @property
    def hears_sms(self) -> bool:
        """Say whether a client is there that sees incoming SMS."""
        return self.logged_in and self._may_see(b"Privilege: dialplan,all\r\n")

    @property
    def has_unsent(self) -> bool:
        """Say whether anything waits that the client has not got yet."""
        waiting = self._writer.transport.get_write_buffer_size()
        return bool(self._output or self._held_events or waiting)

    def _deliver_held_events(self) -> None:
        while self._held_events:
            event = self._held_events.popleft()
            if self._may_see(event):
                self._send_event(event)

    def _may_see(self, event: bytes) -> bool:
        """Say whether rights and mask let an event through; without a class all may see it."""
        if self.user is None or not self.event_mask:
            return False
        classes = privilege_classes(event)
        if not classes:
            return True
        return grants(self.user.read, classes) and grants(self.event_mask, classes)

    # ---- answers -------------------------------------------------------------------------

    def reply(self, action: Action, response: str, *lines: str) -> None:
        """Answer an action: response, its ActionID if it has one, then other lines."""
        self.send(packet(f"Response: {response}", *self.action_id(action), *lines))

    def success(self, action: Action, message: str) -> None:
        """Answer that it worked."""
        self.reply(action, "Success", f"Message: {message}")

    def error(self, action: Action, message: str) -> None:
        """Answer that it did not work."""
        self.reply(action, "Error", f"Message: {message}")

    @staticmethod
    def action_id(action: Action) -> list[str]:
        """Give the ActionID line of an action, if it has one."""
        identifier = action.get("ActionID")
        return [f"ActionID: {identifier}"] if identifier else []

    def reply_list(
        self,
        action: Action,
        message: str,
        events: Iterable[list[str]],
        complete: str,
        *totals: str,
    ) -> None:
        """Answer with a list: a head, an event for each item, and an event that ends it.

        ``totals`` are the keys of the number of items, ``ListItems`` if none is given.
        """
        self.begin_list(action, message)
        count = 0
        for name, *lines in events:
            self.send(packet(name, *self.action_id(action), *lines))
            count += 1
        counts = [f"{total}: {count}" for total in totals or ("ListItems",)]
        self.end_list(action, complete, *counts)

    def begin_list(self, action: Action, message: str) -> None:
        """Answer with the head of a list."""
        self.reply(action, "Success", "EventList: start", f"Message: {message}")

    def end_list(self, action: Action, complete: str, *counts: str) -> None:
        """Send the event that ends a list, with the number of its items."""
        end = ["EventList: Complete", *counts]
        identifier = self.action_id(action)
        # 1.8 writes the ActionID last, later ones first (samples).
        keys = [*end, *identifier] if self.old else [*identifier, *end]
        self.send(packet(f"Event: {complete}", *keys))

    async def reply_output(self, action: Action, command: Awaitable[Output]) -> None:
        """Answer with the output of a CLI command, in the dialect's framing.

        1.8 to 13 send the head at once, then the raw output up to the first NUL; 14 and
        later one header a line.
        """
        identifier = self.action_id(action)
        if self.old:
            head = ["Response: Follows", "Privilege: Command", *identifier]
            self.send(packet(*head).removesuffix(b"\r\n"))
            text = (await command).text.partition("\0")[0]
            self.send(text.encode("latin-1") + b"--END COMMAND--\r\n\r\n")
            return
        output = await command
        lines = output.text.partition("\0")[0].removesuffix("\n").split("\n")
        response = "Success" if output.status is Status.SUCCESS else "Error"
        self.send(
            packet(
                f"Response: {response}",
                *identifier,
                "Message: Command output follows",
                *(f"Output: {line}" for line in lines if lines != [""]),
            )
        )
