"""Asterisk's core: channels, variables, the dialplan's steps, and who sees the events."""

import asyncio
from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from time import monotonic, time
from typing import Protocol

from simulator.wire import to_wire

from .box import Dialect
from .channels import CAUSE_NORMAL, Channel, ChannelEvents, ChannelState
from .dialplan import Step
from .users import User


class Client(Protocol):
    """A session of the manager interface, as Asterisk's core sees it."""

    number: int
    """Which connection it is; no two have the same."""
    user: User | None
    logged_in_at: float
    connected: bool

    @property
    def logged_in(self) -> bool:
        """Whether a user is logged in whose client is still there."""

    @property
    def descriptor(self) -> int:
        """The number of the file that the connection is to the system."""

    @property
    def hears_sms(self) -> bool:
        """Whether a client is there that sees incoming SMS."""

    @property
    def has_unsent(self) -> bool:
        """Whether anything waits that the client has not got yet."""

    def deliver(self, event: bytes) -> None:
        """Deliver an event, if this client may see it."""

    def send(self, data: bytes) -> None:
        """Send raw bytes."""

    def drop(self, abort: bool) -> None:
        """Lose the connection."""


class Asterisk:
    """Channels and events of one Asterisk, and the clients that see them."""

    def __init__(self, dialect: Dialect, users: Sequence[User]) -> None:
        """Start without channels and clients."""
        self.dialect = dialect
        self.users = {user.name: user for user in users}
        self.challenge = True
        """Whether it knows the login by MD5 challenge."""
        self.login_penalty = 1.0
        """Seconds before a wrong password is answered (Asterisk 1.8)."""
        self.events = ChannelEvents(dialect)
        self.channels: dict[str, Channel] = {}
        self.database: dict[tuple[str, str], str] = {}
        self.globals: dict[str, str] = {}
        self.clients: set[Client] = set()
        self.events_sent = 0
        """How many events went to all clients together."""
        self.processed_calls = 0
        """How many calls the dialplan has run for since the start, SMS included."""
        self._next_uniqueid = 1
        self._started = monotonic()
        self.started_at = datetime.now()

    @property
    def asterisk_version(self) -> str:
        """Give the version of Asterisk (app note; a real Asterisk 22)."""
        return "1.8.20.0" if self.dialect is Dialect.ASTERISK_1_8 else "22.10.1"

    @property
    def uptime(self) -> int:
        """Give the seconds since the start."""
        return int(monotonic() - self._started)

    def restarted(self) -> None:
        """Count time and calls from now on."""
        self._started = monotonic()
        self.started_at = datetime.now()
        self.processed_calls = 0

    # ---- users and clients ---------------------------------------------------------------

    def find_user(self, name: str) -> User | None:
        """Find a user by name; later dialects ignore the case of ASCII letters."""
        if self.dialect is Dialect.ASTERISK_1_8:
            return self.users.get(name)
        wanted = to_wire(name).encode("latin-1").lower()
        return next(
            (
                user
                for user in self.users.values()
                if to_wire(user.name).encode("latin-1").lower() == wanted
            ),
            None,
        )

    @property
    def logged_in_clients(self) -> list[Client]:
        """Give the clients that are logged in and still there."""
        return [client for client in self.clients if client.logged_in]

    @property
    def logged_in_users(self) -> list[str]:
        """Give the name of the user of every session."""
        return [client.user.name for client in self.logged_in_clients if client.user]

    @property
    def sessions(self) -> int:
        """Give the number of logged-in sessions whose client is still there."""
        return len(self.logged_in_clients)

    @property
    def connections(self) -> int:
        """Give the number of connections, logged in or not."""
        return sum(client.connected for client in self.clients)

    def emit(self, event: bytes) -> None:
        """Send the raw bytes of an event to every client that may see it, in one order."""
        for client in self.clients:
            client.deliver(event)

    def listeners(self) -> set[Client]:
        """Give the clients that see incoming SMS."""
        return {client for client in self.clients if client.hears_sms}

    async def all_sent(self, clients: set[Client]) -> None:
        """Wait until some clients were sent all that waits for them."""
        while any(each.logged_in and each.has_unsent for each in clients):
            await asyncio.sleep(0.01)

    def one_stays(self, numbers: Container[int]) -> bool:
        """Say whether one of the clients with these numbers is still logged in."""
        return any(each.number in numbers for each in self.logged_in_clients)

    # ---- channels ------------------------------------------------------------------------

    def new_channel(
        self,
        name: str,
        context: str,
        exten: str,
        state: ChannelState = ChannelState.DOWN,
        caller: str = "",
    ) -> Channel:
        """Make a channel with an identifier of its own."""
        uniqueid = f"{int(time())}.{self._next_uniqueid}"
        self._next_uniqueid += 1
        channel = Channel(name, context, exten, uniqueid, state, caller)
        self.channels[name] = channel
        return channel

    def set_variable(
        self, channel: Channel, name: str, value: str, tell: bool = True
    ) -> None:
        """Set a channel variable."""
        channel.variables[name] = value
        if tell:
            self.emit(self.events.var_set(channel, name, value))

    def step(
        self, channel: Channel, application: str, data: str, tell: bool = True
    ) -> None:
        """Go to the application of the channel's current priority."""
        channel.application, channel.data = application, data
        if tell:
            self.emit(self.events.new_exten(channel))

    def destroy_channel(self, channel: Channel, cause: int, tell: bool = True) -> None:
        """Hang a channel up with a cause."""
        self.channels.pop(channel.name, None)
        if tell:
            self.emit(self.events.hangup(channel, cause))

    def run_dialplan(
        self,
        channel: Channel,
        variables: Mapping[str, str],
        steps: Sequence[Step],
        *,
        varset: bool = True,
        newexten: bool = True,
        hangup: bool = True,
    ) -> None:
        """Set variables on a channel of the driver, run an extension on it and hang it up.

        Asterisk 1.8 raises no ``Newchannel`` for such a channel, 14 and later do.
        """
        self.processed_calls += 1
        if self.dialect is Dialect.ASTERISK_14:
            self.emit(self.events.new_channel(channel))
        for name, value in variables.items():
            self.set_variable(channel, name, value, varset)
        for channel.priority, step in enumerate(steps, 1):
            data = step.filled(channel.variables)
            self.step(channel, step.application, data, newexten)
            if step.application == "System":
                self.set_variable(channel, "SYSTEMSTATUS", "SUCCESS", varset)
            elif step.application == "Set":
                name, _, value = data.partition("=")
                self.set_variable(channel, name, value, varset)
        self.destroy_channel(channel, CAUSE_NORMAL, hangup)
