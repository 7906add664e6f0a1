"""One logged-in session with an Asterisk manager.

Asterisk serves a session with one thread: it does one action at a time and meanwhile
delivers no events to that session. Several actions may wait here all the same; they
are answered in order.
"""

import asyncio
from collections.abc import Callable, Iterable
import contextlib
from functools import partial
import itertools
import logging
import re
import secrets
from typing import Any, Final, Self, cast, override

from .chunks import ChunkedProtocol
from .errors import (
    ActionTimeoutError,
    AmiError,
    CannotConnectError,
    CertificateError,
    ConnectionLostError,
    NoGreetingError,
    ProtocolError,
)
from .greeting import read_greeting
from .login import Credentials, log_in
from .packet import Packet, PacketReader, build
from .pending import PendingAction, fail, raise_for_error
from .subscriptions import AnswerHandler, PacketHandler, PacketTest, Subscriptions
from .tls import Tls, open_connection

_LOGGER = logging.getLogger(__name__)

CONNECT_TIMEOUT: Final = 10.0  # seconds, for each step of connecting and logging in
ACTION_TIMEOUT: Final = 10.0  # seconds
# A broken idle connection is noticed after the sum of the two.
PING_INTERVAL: Final = 30.0  # seconds without a byte from the gateway
PING_TIMEOUT: Final = 10.0  # seconds
LOGOFF_TIMEOUT: Final = 1.0  # seconds

type Headers = Iterable[tuple[str, str]]


class Session(ChunkedProtocol):
    """A session: actions with a time limit each, events, keepalive.

    Create it with `connect` and end it with `close`. It ends by itself when the
    connection is lost; the future `lost` then has the error.
    """

    def __init__(
        self, tls: Tls | None = None, on_answer: AnswerHandler | None = None
    ) -> None:
        """Create a session that isn't connected; use `connect`."""
        super().__init__()
        self._tls = tls
        self._on_answer = on_answer
        self._loop = asyncio.get_running_loop()
        self._reader = PacketReader(self._wanted)
        self._transport: asyncio.Transport | None = None
        self._greeting: asyncio.Future[str] = self._loop.create_future()
        self._greeting_buffer = b""
        #: Done when the session has ended: None after `close`, else the error.
        self.lost: asyncio.Future[AmiError | None] = self._loop.create_future()
        self._pending: dict[str, PendingAction] = {}
        # Every unanswered command, abandoned or not: its answer may be raw output.
        self._unanswered_commands = self._reader.commands
        # Nobody can guess these, so the text of an SMS can't forge them.
        self._action_ids = (f"{secrets.token_hex(6)}-{n}" for n in itertools.count(1))
        self._subscriptions = Subscriptions()
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
        on_answer: AnswerHandler | None = None,
    ) -> Self:
        """Connect, log in and return the session.

        `events` is the event mask of the login: "on", "off", or classes such as
        "system,call,dialplan". `subscribe` is called before the login, so that the
        first event already has its handler. `timeout` (seconds) limits each of the
        steps: connecting, the greeting, each answer of the login. `tls` encrypts;
        nothing is sent before the certificate has been checked. `on_answer` sees every
        action after the login: its bytes, its answer (None if none came), and the
        seconds in between.

        The password is sent only if the gateway offers no MD5 challenge and the
        credentials allow it (app note; Asterisk's own login code for the rest).

        Raises CannotConnectError, TlsError, CertificateError, ProtocolError (no
        AMI there), NoGreetingError, ActionTimeoutError, ChallengeMissingError,
        AuthenticationError, ConnectionLostError, and ActionFailedError if the manager
        allows a user only one session.
        """
        session = cls(tls, on_answer)
        if subscribe:
            subscribe(session)
        await open_connection(
            lambda: session, host, port, tls.context if tls else None, timeout
        )
        try:
            await session._greet(timeout)
            session.was_challenged = await log_in(
                partial(session.action, timeout=timeout), credentials, events
            )
        except BaseException:
            session._end(None)
            raise
        if session.lost.done():  # by what came right behind the answer
            raise session.lost.result() or ConnectionLostError("It has ended")
        session._keepalive = session._loop.create_task(
            session._keep_alive(), name=f"AMI keepalive {host}:{port}"
        )
        return session

    async def _greet(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                self.version = await self._greeting
        except TimeoutError as err:
            raise NoGreetingError(
                f"The other side did not greet within {timeout:g} seconds"
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
        raise_for_error(name, response)
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
        raise_for_error(name, response)
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
        raise_for_error("Command", response)
        return response.output

    async def _act(
        self, name: str, headers: Headers, timeout: float, *, is_list: bool
    ) -> tuple[Packet, list[Packet]]:
        action_id = next(self._action_ids)
        data = build([("Action", name), ("ActionID", action_id), *headers])
        if self._transport is None or self._transport.is_closing():
            raise CannotConnectError("The session has ended")
        pending = PendingAction(
            name,
            timeout=timeout,
            deadline=self._loop.time() + timeout,
            is_list=is_list,
        )
        self._pending[action_id] = pending
        self._expire_at(pending.deadline)
        if name.lower() == "command":
            self._unanswered_commands.add(action_id)
        self._transport.write(data)
        answer: Packet | None = None
        try:
            answer, events = await pending.result
        finally:
            # A later answer is ignored, and never taken for that of another action.
            del self._pending[action_id]
            if self._on_answer and self._keepalive:
                waited = self._loop.time() - pending.deadline + timeout
                self._report_answer(self._on_answer, data, answer, waited)
        return answer, events

    @staticmethod
    def _report_answer(
        handler: AnswerHandler, data: bytes, answer: Packet | None, waited: float
    ) -> None:
        """Tell the handler; an error in it does no harm to the action."""
        try:
            handler(data, answer, waited)
        except Exception:
            _LOGGER.exception("A handler of answers failed")

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
                pending.fail(
                    ActionTimeoutError(
                        f"The gateway did not answer {pending.name} within "
                        f"{pending.timeout:g} seconds"
                    )
                )

    @property
    def is_free(self) -> bool:
        """Whether the session is alive and no command runs in it.

        An abandoned command still runs in the gateway, and delays what comes after it.
        """
        return not self.lost.done() and not self._unanswered_commands

    # In: answers and events

    def subscribe(
        self,
        test: PacketTest,
        handler: PacketHandler,
        *,
        marker: bytes | tuple[bytes, ...] = b"",
    ) -> None:
        """Call `handler` with every packet whose bytes pass `test`.

        This lasts as long as the session. The test sees every packet that isn't the
        answer to an action, so it has to be fast: only what passes it is parsed. If
        all subscriptions have a `marker`, or several, packets that contain none of them
        aren't even looked at, unless a test passes ``b""``: then it wants every packet
        for the moment.
        """
        markers = marker if isinstance(marker, tuple) else (marker,)
        self._subscriptions.add(test, handler, markers)

    def _wanted(self) -> re.Pattern[bytes] | None:
        """Return what a packet must match to be useful now; None: any packet may be."""
        if self._pending or self._unanswered_commands:
            return None  # any may be the answer
        return self._subscriptions.pattern

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
        # An error that somebody keeps would keep it, and its encryption (256 KiB).
        self._transport = None

    @override
    def receive(self, data: bytes) -> None:
        """Cut what came into packets."""
        self._last_received = self._loop.time()
        try:
            if not self._greeting.done():
                data = self._receive_greeting(data)
            for raw in self._reader.feed(data):
                if self.lost.done():
                    return
                self._dispatch(raw)
        except ProtocolError as err:
            self._end(err)

    def _receive_greeting(self, data: bytes) -> bytes:
        """Read the greeting, which is a line and not a packet; return the rest."""
        self._greeting_buffer += data
        if (greeting := read_greeting(self._greeting_buffer)) is None:
            return b""
        version, rest = greeting
        self._greeting.set_result(version)
        return rest

    def _dispatch(self, raw: bytes) -> None:
        packet: Packet | None = None
        if raw.startswith(b"Response:"):
            packet = Packet(raw)
            action_id = packet.get("ActionID")
            self._unanswered_commands.discard(action_id)
            pending = self._pending.get(action_id) or self._login_step(packet)
            if pending:
                if pending.answer(packet):
                    self._find_end_of_list(pending)
                return
        elif self._pending and b"ActionID: " in raw:
            # An event has the ActionID of the list that it belongs to.
            packet = Packet(raw)
            pending = self._pending.get(packet.get("ActionID"))
            if pending and pending.add_event(packet):
                return
        self._subscriptions.deliver(raw, packet)

    def _login_step(self, packet: Packet) -> PendingAction | None:
        """Return the step of the login that an answer without ActionID answers.

        Before the login, nothing but its answers comes, so there's no doubt. Behind its
        last answer it may be the text of an SMS. Guess: a manager that refuses a login
        early may leave the ActionID out.
        """
        if self._keepalive or "ActionID" in packet:
            return None
        steps = self._pending.values()
        return next((step for step in steps if not step.result.done()), None)

    def _find_end_of_list(self, pending: PendingAction) -> None:
        """Take everything up to the answer of a ping for the list.

        Asterisk does one action after the other.
        """

        def finish(ping: asyncio.Task[Any]) -> None:
            # If the ping fails, the list still has its own time limit.
            if not ping.cancelled() and not ping.exception():
                pending.finish()

        ping = self._loop.create_task(
            self._act("Ping", (), pending.deadline - self._loop.time(), is_list=False)
        )
        ping.add_done_callback(finish)

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
                await self.ping(PING_TIMEOUT)
                if self.lost.done():
                    return

    async def ping(self, timeout: float) -> None:
        """Wait until everything that the gateway has written by now has been read.

        Its answer comes behind that. Without one, or after an error, the session ends.
        """
        try:
            await self._act("Ping", (), timeout, is_list=False)  # a refusal will do
        except ActionTimeoutError as err:
            self._end(ConnectionLostError(str(err)))
        except AmiError:
            pass  # the session has ended meanwhile

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
        fail(self._greeting, gone)
        if not isinstance(gone, ConnectionLostError):
            # Whatever ended the session, the outcome of an action isn't known.
            gone = ConnectionLostError(str(gone))
        for pending in self._pending.values():
            pending.fail(gone)

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
