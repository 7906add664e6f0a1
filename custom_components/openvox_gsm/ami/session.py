"""One logged-in session with an Asterisk manager.

Asterisk serves a session with one thread: it does one action at a time and meanwhile
delivers no events to that session. Several actions may wait here all the same; they
are answered in order.
"""

import asyncio
from collections.abc import Callable, Iterable
import contextlib
from dataclasses import dataclass, field
import hashlib
import itertools
import logging
import re
import secrets
from typing import Any, Final, Self, cast

from .errors import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    AuthenticationError,
    CannotConnectError,
    CertificateError,
    ChallengeMissingError,
    ConnectionLostError,
    PermissionDeniedError,
    ProtocolError,
)
from .packet import Packet, PacketReader, build
from .tls import Tls, connecting

_LOGGER = logging.getLogger(__name__)

CONNECT_TIMEOUT: Final = 10.0  # seconds, for each step of connecting and logging in
ACTION_TIMEOUT: Final = 10.0  # seconds
# A broken idle connection is noticed after the sum of the two.
PING_INTERVAL: Final = 30.0  # seconds without a byte from the gateway
PING_TIMEOUT: Final = 10.0  # seconds
LOGOFF_TIMEOUT: Final = 1.0  # seconds

_GREETING = b"Asterisk Call Manager/"
_MAX_GREETING = 256  # bytes
_NOTHING = re.compile(b"(?!)")
# Such an error does not end the session.
_HANDLER_FAILED: Final = "A handler of events failed"

type Headers = Iterable[tuple[str, str]]
type PacketTest = Callable[[bytes], bool]
type PacketHandler = Callable[[Packet], None]


@dataclass(frozen=True)
class Credentials:
    """A manager user; the representation leaves out the secret.

    `may_be_plain` is False where the manager is known to offer MD5 challenges: one
    that doesn't is an impostor then, and isn't sent the secret.
    """

    username: str
    secret: str = field(repr=False)
    may_be_plain: bool = True


class _PendingAction:
    """An action that waits for its answer."""

    def __init__(
        self,
        name: str,
        timeout: float,  # seconds
        deadline: float,  # loop's clock
        *,
        is_list: bool,
    ) -> None:
        self.name = name
        self.timeout = timeout
        self.deadline = deadline
        self.is_list = is_list
        self.future: asyncio.Future[tuple[Packet, list[Packet]]] = (
            asyncio.get_running_loop().create_future()
        )
        self.response: Packet | None = None
        self.events: list[Packet] = []


class Session(asyncio.Protocol):
    """A session: actions with a time limit each, events, keepalive.

    Create it with `connect` and end it with `close`. It ends by itself when the
    connection is lost; the future `lost` then has the error.
    """

    def __init__(self, tls: Tls | None = None) -> None:
        """Create a session that isn't connected; use `connect`."""
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._reader = PacketReader(self._wanted)
        self._transport: asyncio.Transport | None = None
        self._greeting: asyncio.Future[str] = self._loop.create_future()
        self._greeting_buffer = b""
        #: Done when the session has ended: None after `close`, else the error.
        self.lost: asyncio.Future[AmiError | None] = self._loop.create_future()
        self._pending: dict[str, _PendingAction] = {}
        # Every unanswered command, abandoned or not: its answer may be raw output.
        self._unanswered_commands = self._reader.commands
        # Nobody can guess these, so the text of an SMS can't forge them.
        self._action_ids = (f"{secrets.token_hex(6)}-{n}" for n in itertools.count(1))
        self._subscriptions: list[tuple[PacketTest, PacketHandler]] = []
        # Every packet that is wanted contains one of these; None: any may be wanted.
        self._markers: set[bytes] | None = set()
        self._pattern: re.Pattern[bytes] | None = _NOTHING
        self._expiry: asyncio.TimerHandle | None = None  # of the pending actions
        self._keepalive: asyncio.Task[None] | None = None
        self._last_received = self._loop.time()
        self._closing = False
        #: The greeting's version, such as "1.1".
        self.version = ""
        #: Whether the login was by MD5 challenge.
        self.was_challenged = False

    @classmethod
    async def connect(
        cls,
        host: str,
        port: int,
        credentials: Credentials,
        *,
        events: str = "off",
        subscribe: Callable[[Self], None] | None = None,
        timeout: float = CONNECT_TIMEOUT,
        tls: Tls | None = None,
    ) -> Self:
        """Connect, log in and return the session.

        `events` is the event mask of the login: "on", "off", or classes such as
        "system,call,dialplan". `subscribe` is called before the login, so that the
        first event already has its handler. `timeout` (seconds) limits each of the
        steps: connecting, the greeting, each answer of the login. `tls` encrypts;
        nothing is sent before the certificate has been checked.

        The password is sent only if the gateway offers no MD5 challenge and the
        credentials allow it (app note; Asterisk's own login code for the rest).

        Raises CannotConnectError, TlsError, CertificateError, ProtocolError (no
        AMI there), ActionTimeoutError, ChallengeMissingError, AuthenticationError,
        ConnectionLostError, and ActionFailedError if the manager allows a user only
        one session.
        """
        session = cls(tls)
        if subscribe:
            subscribe(session)
        with connecting(host, port, timeout, encrypted=tls is not None):
            async with asyncio.timeout(timeout):
                await session._loop.create_connection(
                    lambda: session, host, port, ssl=tls.context if tls else None
                )
        try:
            await session._greet(timeout)
            await session._log_in(credentials, events, timeout)
        except BaseException:
            session._end(None)
            raise
        session._keepalive = session._loop.create_task(
            session._keep_alive(), name=f"AMI keepalive {host}:{port}"
        )
        return session

    async def _greet(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                self.version = await self._greeting
        except TimeoutError as err:
            raise ActionTimeoutError(
                f"The other side did not greet within {timeout:g} seconds"
            ) from err

    async def _log_in(
        self, credentials: Credentials, events: str, timeout: float
    ) -> None:
        try:
            challenge = await self.action(
                "Challenge", [("AuthType", "MD5")], timeout=timeout
            )
        except (ActionFailedError, PermissionDeniedError) as err:
            if not credentials.may_be_plain:
                raise ChallengeMissingError(
                    "The gateway no longer offers a login without sending the password"
                ) from err
            proof = [("Secret", credentials.secret)]
        else:
            self.was_challenged = True
            digest = hashlib.md5(
                # A UnicodeEncodeError would contain the password.
                (challenge.get("Challenge") + credentials.secret).encode(
                    "utf-8", "surrogatepass"
                ),
                usedforsecurity=False,
            )
            proof = [("AuthType", "MD5"), ("Key", digest.hexdigest())]
        try:
            await self.action(
                "Login",
                [("Username", credentials.username), *proof, ("Events", events)],
                timeout=timeout,
            )
        except (ActionFailedError, PermissionDeniedError) as err:
            if str(err).lower() == "login already in use":
                raise  # allowmultiplelogin=no; the password has not been checked
            raise AuthenticationError(
                "The gateway refused the user name or the password"
            ) from err

    # Out: actions

    async def action(
        self, name: str, headers: Headers = (), *, timeout: float = ACTION_TIMEOUT
    ) -> Packet:
        """Send an action and return its answer.

        `timeout` (seconds) includes the wait for earlier actions of the session.

        Raises InvalidHeaderError and CannotConnectError (the session has ended) if
        nothing was sent, PermissionDeniedError and ActionFailedError for the gateway's
        own refusals, ActionTimeoutError and ConnectionLostError if the outcome is
        unknown.
        """
        response, _ = await self._act(name, headers, timeout, is_list=False)
        _raise_for_error(name, response)
        return response

    async def list_action(
        self, name: str, headers: Headers = (), *, timeout: float = ACTION_TIMEOUT
    ) -> tuple[Packet, list[Packet]]:
        """Send an action that answers with a list of events.

        Returns the answer and the events of the list, without the one that only says
        that the list is complete (if its beginning says that it is a list). There are
        no events if the answer announces no list. Raises as `action` does.
        """
        response, events = await self._act(name, headers, timeout, is_list=True)
        _raise_for_error(name, response)
        return response, events

    async def command(self, command: str, *, timeout: float = ACTION_TIMEOUT) -> str:
        r"""Run a command of Asterisk's command line and return what it prints.

        The lines are separated by ``\n``. A command that fails says so in its output,
        in words of its own, and doesn't raise: up to Asterisk 13 it can't be told from
        one that works. Raises as `action` does.
        """
        response, _ = await self._act(
            "Command", [("Command", command)], timeout, is_list=False
        )
        _raise_for_error("Command", response)
        return response.output

    async def _act(
        self, name: str, headers: Headers, timeout: float, *, is_list: bool
    ) -> tuple[Packet, list[Packet]]:
        action_id = next(self._action_ids)
        data = build([("Action", name), ("ActionID", action_id), *headers])
        if self._transport is None or self._transport.is_closing():
            raise CannotConnectError("The session has ended")
        pending = _PendingAction(
            name, timeout, self._loop.time() + timeout, is_list=is_list
        )
        self._pending[action_id] = pending
        self._expire_at(pending.deadline)
        if name.lower() == "command":
            self._unanswered_commands.add(action_id)
        self._transport.write(data)
        try:
            return await pending.future
        finally:
            # A later answer is ignored, and never taken for that of another action.
            del self._pending[action_id]

    def _expire_at(self, deadline: float) -> None:
        """Time out at `deadline` (loop's clock) what isn't answered by then.

        One timer serves all actions and mostly outlives them: one timer per action
        would cost more than the rest of it, and the loop would stop now and then to
        sort out the cancelled ones.
        """
        if self._expiry and self._expiry.when() <= deadline:
            return
        if self._expiry:
            self._expiry.cancel()
        self._expiry = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._expiry = None
        now = self._loop.time()
        for pending in self._pending.values():
            if pending.deadline > now:
                self._expire_at(pending.deadline)
            else:
                _fail(
                    pending.future,
                    ActionTimeoutError(
                        f"The gateway did not answer {pending.name} within "
                        f"{pending.timeout:g} seconds"
                    ),
                )

    @property
    def is_free(self) -> bool:
        """Whether the session is alive and no command runs in it.

        An abandoned command still runs in the gateway, and delays what comes after it.
        """
        return not self.lost.done() and not self._unanswered_commands

    # In: answers and events

    def subscribe(
        self, test: PacketTest, handler: PacketHandler, *, marker: bytes = b""
    ) -> None:
        """Call `handler` with every packet whose bytes pass `test`.

        This lasts as long as the session. The test sees every packet that isn't the
        answer to an action, so it has to be fast: only what passes it is parsed. If
        all subscriptions have a `marker`, packets that contain none of the markers
        aren't even looked at, unless a test passes ``b""``: then it wants every packet
        for the moment.
        """
        self._subscriptions.append((test, handler))
        if not marker:
            self._markers = self._pattern = None
        elif self._markers is not None:
            self._markers.add(marker)
            pattern = b"|".join(map(re.escape, sorted(self._markers)))
            self._pattern = re.compile(pattern)

    def _wanted(self) -> re.Pattern[bytes] | None:
        """Return what a packet must match to be useful now; None: any packet may be."""
        if self._pending or self._unanswered_commands or self._pattern is None:
            return None  # any may be the answer
        for test, _ in self._subscriptions:
            if test(b""):
                return None
        return self._pattern

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport and check the certificate; asyncio calls this."""
        self._transport = cast(asyncio.Transport, transport)
        if self._tls:
            try:
                self._tls.check(transport)
            except CertificateError as err:
                # Here, so that nothing of an impostor is taken for the gateway's.
                self._end(err)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the session; asyncio calls this."""
        reason = f": {exc}" if exc else " by the gateway"
        lost = ConnectionLostError(f"The connection was closed{reason}")
        self._end(None if self._closing else lost)

    def data_received(self, data: bytes) -> None:
        """Cut what came into packets; asyncio calls this."""
        self._last_received = self._loop.time()
        if not self._greeting.done():
            data = self._receive_greeting(data)
        try:
            for raw in self._reader.feed(data):
                if self.lost.done():
                    return
                self._dispatch(raw)
        except ProtocolError as err:
            self._end(err)

    def _receive_greeting(self, data: bytes) -> bytes:
        """Read the greeting, which is a line and not a packet; return the rest."""
        self._greeting_buffer += data
        line, line_end, rest = self._greeting_buffer.partition(b"\r\n")
        expected = _GREETING if line_end else _GREETING[: len(line)]
        if not line.startswith(expected) or len(line) > _MAX_GREETING:
            self._end(ProtocolError("The other side is not an Asterisk manager"))
        elif line_end:
            self._greeting.set_result(line.removeprefix(_GREETING).decode("latin-1"))
            return rest
        return b""

    def _dispatch(self, raw: bytes) -> None:
        packet: Packet | None = None
        if raw.startswith(b"Response:"):
            packet = Packet(raw)
            action_id = packet.get("ActionID")
            self._unanswered_commands.discard(action_id)
            if pending := self._pending.get(action_id):
                self._answer(pending, packet)
                return
        elif self._pending and b"ActionID: " in raw:
            # An event has the ActionID of the list that it belongs to.
            packet = Packet(raw)
            pending = self._pending.get(packet.get("ActionID"))
            if pending and self._answer_list(pending, packet):
                return
        self._deliver(raw, packet)

    def _answer(self, pending: _PendingAction, packet: Packet) -> None:
        if pending.response or pending.future.done():
            return  # a second answer, or nothing waits any more
        pending.response = packet
        if pending.is_list and packet.get("EventList").lower() == "start":
            return
        if pending.is_list and packet.get("Message").lower().endswith("will follow"):
            self._find_end_of_list(pending, packet)
        else:
            pending.future.set_result((packet, []))

    def _find_end_of_list(self, pending: _PendingAction, response: Packet) -> None:
        """Take everything up to the answer of a ping for the list.

        Asterisk 1.8 ends some lists with an event of any name, and the single value of
        DBGet without one (main/db.c); but it does one action after the other.
        """

        def end(ping: asyncio.Task[Any]) -> None:
            if ping.cancelled() or ping.exception() or pending.future.done():
                return  # the list has its own time limit
            pending.future.set_result((response, pending.events))

        ping = self._loop.create_task(
            self._act("Ping", (), pending.deadline - self._loop.time(), is_list=False)
        )
        ping.add_done_callback(end)

    def _answer_list(self, pending: _PendingAction, packet: Packet) -> bool:
        """Add an event to a list; return whether it belongs to the list."""
        if not pending.response or pending.future.done():
            return False
        # Only the last one has this header ("Complete", or "cancelled").
        if "EventList" in packet:
            pending.future.set_result((pending.response, pending.events))
        else:
            pending.events.append(packet)
        return True

    def _deliver(self, raw: bytes, packet: Packet | None) -> None:
        """Call the handlers that want a packet; parse it once, and only for them."""
        handlers = []
        for test, handler in self._subscriptions:
            try:
                if test(raw):
                    handlers.append(handler)
            except Exception:
                _LOGGER.exception(_HANDLER_FAILED)
        if not handlers:
            return
        packet = packet or Packet(raw)
        for handler in handlers:
            try:
                handler(packet)
            except Exception:
                _LOGGER.exception(_HANDLER_FAILED)

    # Life and end

    async def _keep_alive(self) -> None:
        """Ping when nothing has come for a while; end the session if no answer comes.

        A waiting action makes this unnecessary: it has its own time limit, and
        Asterisk would not answer before it is done.
        """
        while True:
            idle = self._loop.time() - self._last_received
            if idle < PING_INTERVAL:
                await asyncio.sleep(PING_INTERVAL - idle)
            elif self._pending:
                await asyncio.sleep(PING_INTERVAL)
            else:
                try:
                    await self.action("Ping", timeout=PING_TIMEOUT)
                except ActionFailedError, PermissionDeniedError:
                    pass  # refused, so it is alive
                except ActionTimeoutError as err:
                    self._end(ConnectionLostError(str(err)))
                    return
                except AmiError:
                    return  # the connection has ended in the meantime

    def _end(self, error: AmiError | None) -> None:
        """End the session and fail every waiting action, once."""
        if self.lost.done():
            return
        if error:
            # It would keep the session alive, and its encryption.
            error.__traceback__ = None
        self.lost.set_result(error)
        if self._expiry:
            self._expiry.cancel()
        if self._keepalive and self._keepalive is not asyncio.current_task(self._loop):
            self._keepalive.cancel()
        if self._transport:
            self._transport.abort()
        gone = error or ConnectionLostError("The session was closed")
        _fail(self._greeting, gone)
        if not isinstance(gone, ConnectionLostError):
            # Whatever ended the session, the outcome of an action isn't known.
            gone = ConnectionLostError(str(gone))
        for pending in self._pending.values():
            _fail(pending.future, gone)

    def abort(self, error: AmiError | None = None) -> None:
        """End the session at once, `error` being the reason.

        Actions in flight raise ConnectionLostError.
        """
        self._end(error)

    async def close(self) -> None:
        """Log off if that is possible at once, and end the session."""
        self._closing = True
        try:
            if self.is_free:
                with contextlib.suppress(AmiError):
                    await self.action("Logoff", timeout=LOGOFF_TIMEOUT)
        finally:
            self._end(None)
        if self._keepalive:
            await asyncio.wait([self._keepalive])


def _fail(future: asyncio.Future[Any], error: AmiError) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # perhaps nothing waits for it any more


def _raise_for_error(name: str, response: Packet) -> None:
    if response.get("Response").lower() != "error":
        return
    message = response.get("Message")
    if message == "Command output follows":
        return  # Asterisk 14 and later answer a failed command like this
    if message.lower() == "permission denied":
        raise PermissionDeniedError(f"The user has no right for the action {name}")
    raise ActionFailedError(message or f"The gateway refused {name}")
