"""The sessions with one gateway, and connecting again when they are lost.

A manager session does one action at a time and delivers no events meanwhile. So one
session is for events and never runs a command, and one is for commands that answer at
once. For those that take seconds (sending SMS and USSD) more sessions are opened when
needed and closed when idle.

The connection depends on the session for events: what comes in while that is down is
lost. The others are replaced without affecting it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
import logging
import random
from typing import Final

from custom_components.openvox_gsm.ami import (
    ActionTimeoutError,
    AmiError,
    AuthenticationError,
    CannotConnectError,
    Credentials,
    Packet,
    Session,
    Tls,
)
from custom_components.openvox_gsm.ami.session import (
    CONNECT_TIMEOUT,
    PING_INTERVAL,
    Headers,
)
from custom_components.openvox_gsm.ami.subscriptions import AnswerHandler

from .timer import Timer, TimerAfterReading

_LOGGER = logging.getLogger(__name__)

FIRST_WAIT: Final = 1.0  # seconds before the first attempt to connect again
LONGEST_WAIT: Final = 60.0  # seconds
QUICK_TIMEOUT: Final = 10.0  # seconds for what answers at once
# How much longer than its own time limit a slow command may take.
COMMAND_SLACK: Final = 10.0  # seconds
IDLE_TIME: Final = 30.0  # seconds after which an idle session for slow commands ends

# "dialplan" carries incoming SMS, "call" the calls and the end of a channel, "system"
# the driver's own events.
_EVENTS = "system,call,dialplan"


class Connection:
    """Connects, and connects again whenever the connection is lost."""

    def __init__(
        self,
        host: str,
        port: int,
        credentials: Credentials,
        *,
        subscribe: Callable[[Session], None],
        prepare: Callable[[], Awaitable[None]],
        on_change: Callable[[AmiError | None], None],
        on_answer: AnswerHandler | None = None,
        tls: Tls | None = None,
    ) -> None:
        """Prepare; nothing is opened before `start`.

        `subscribe` subscribes to the events of a new session. `prepare` runs after
        each login, before the connection counts as up; it may use `command` and
        `action`. `on_change` gets the reason when the connection is lost, and None
        when it is back, but not after the first start. No attempt follows an
        AuthenticationError. `on_answer` sees every action with its answer, see
        `Session.connect`. `tls` encrypts.
        """
        self._host = host
        self._port = port
        self._credentials = credentials
        self._tls = tls
        self._subscribe = subscribe
        self._prepare = prepare
        self._on_change = on_change
        self._on_answer = on_answer
        #: Done as soon as `stop` is called.
        self.stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._events: Session | None = None
        self._quick: Session | None = None
        self._quick_lock = asyncio.Lock()
        self._slow: set[Session] = set()  # in use
        self._idle: dict[Session, asyncio.TimerHandle] = {}
        # Logins under way: how to interrupt each, and whether it has ended.
        self._connecting: dict[asyncio.Timeout, asyncio.Future[None]] = {}
        self._supervisor: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._up = False
        #: Why the last attempt to connect again failed, None while it is up.
        self.error: AmiError | None = None

    @property
    def was_challenged(self) -> bool:
        """Whether the gateway has MD5 challenges; if so, no login is plain any more."""
        return not self._credentials.may_be_plain

    @property
    def is_up(self) -> bool:
        """Whether the gateway can be used now."""
        return self._up

    async def start(self) -> None:
        """Connect and stay connected until `stop`; can't be started again.

        Raises AmiError, and leaves nothing open, if the first attempt fails.
        """
        await self._open()
        self._supervisor = asyncio.create_task(
            self._supervise(), name=f"OpenVox gateway {self._host}:{self._port}"
        )

    async def stop(self) -> None:
        """Close all sessions and end all tasks.

        What is under way raises ConnectionLostError, or CannotConnectError if it has
        not begun.
        """
        if not self.stopped.done():
            self.stopped.set_result(None)
            for limit in self._connecting:
                limit.reschedule(0)
        for session in self._slow:
            session.abort()
        ending = [*self._connecting.values(), *self._closing]
        if self._supervisor:
            self._supervisor.cancel()
            ending.append(self._supervisor)
        await self._close()
        if ending:
            await asyncio.wait(ending)

    async def pause(self, seconds: float) -> None:
        """Wait; raises CannotConnectError as soon as the connection is stopped."""
        await asyncio.wait([self.stopped], timeout=seconds)
        self._require_not_stopped()

    def call_later(self, delay: float, function: Callable[[], None]) -> Timer:
        """Call a function after a time, when all events of that time have been read."""
        return TimerAfterReading(delay, function, self.read_events)

    async def read_events(self) -> None:
        """Wait until all events that the gateway has written by now have been read.

        Without a connection, or when that is lost, it returns as well.
        """
        if self._events:
            await self._events.ping(PING_INTERVAL)

    # Actions and commands

    async def action(self, name: str, headers: Headers = ()) -> Packet:
        """Run an action that answers at once; raises as Session.action does."""
        return await self._use_quick(
            lambda quick: quick.action(name, headers, timeout=QUICK_TIMEOUT)
        )

    async def command(self, command: str) -> str:
        """Run a command that answers at once; raises as Session.command does."""
        return await self._use_quick(
            lambda quick: quick.command(command, timeout=QUICK_TIMEOUT)
        )

    async def list_action(
        self, name: str, headers: Headers = ()
    ) -> tuple[Packet, list[Packet]]:
        """Run an action that lists something; raises as Session.list_action does."""
        return await self._use_quick(
            lambda quick: quick.list_action(name, headers, timeout=QUICK_TIMEOUT)
        )

    async def _use_quick[Answer](
        self, use: Callable[[Session], Awaitable[Answer]]
    ) -> Answer:
        # One after the other, so that one that hangs doesn't use up the others' time.
        async with self._quick_lock:
            quick = await self._free_quick()
            try:
                return await use(quick)
            except ActionTimeoutError, asyncio.CancelledError:
                quick.abort()  # the abandoned command would delay the next ones
                raise

    async def _free_quick(self) -> Session:
        """Return the session for quick commands, a new one if it hangs or has ended."""
        events = self._events
        if events is None or events.lost.done():
            raise _not_connected()
        if self._quick and self._quick.is_free:
            return self._quick
        try:
            quick = await self._connect()
        except AmiError as err:
            # The gateway is out of reach, or of no use.
            events.abort(err)
            raise CannotConnectError(str(err)) from err
        if self._events is not events:
            quick.abort()
            raise _not_connected()
        self._quick = quick
        return quick

    async def slow_command(self, command: str, *, timeout: float) -> str:
        """Run a command that may take long, in a session of its own.

        Raises CannotConnectError and InvalidHeaderError where the command was
        certainly not sent, else as Session.command does.
        """
        async with self.slow_session() as session:
            return await session.command(command, timeout=timeout)

    async def slow_list_action(
        self, name: str, headers: Headers, *, timeout: float
    ) -> tuple[Packet, list[Packet]]:
        """Run any action in a session of its own; raises as `slow_command` does."""
        async with self.slow_session() as session:
            return await session.list_action(name, headers, timeout=timeout)

    @asynccontextmanager
    async def slow_session(self) -> AsyncIterator[Session]:
        """Hold a session for commands that may take long.

        Raises CannotConnectError where none can be opened.
        """
        session = await self._free_slow()
        self._slow.add(session)
        try:
            yield session
        finally:
            self._slow.discard(session)
            if session.is_free and self._up:
                self._idle[session] = asyncio.get_running_loop().call_later(
                    IDLE_TIME, self._end_idle, session
                )
            else:
                session.abort()

    async def _free_slow(self) -> Session:
        self._require_up()
        while self._idle:
            session, timer = self._idle.popitem()
            timer.cancel()
            if session.is_free:
                return session
        try:
            session = await self._connect()
        except AmiError as err:
            if self._events and isinstance(err, AuthenticationError):
                self._events.abort(err)  # the password has been changed meanwhile
            raise CannotConnectError(str(err)) from err
        try:
            self._require_up()
        except CannotConnectError:
            session.abort()
            raise
        return session

    def _end_idle(self, session: Session) -> None:
        del self._idle[session]
        task = asyncio.create_task(session.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    # Up and down

    async def _connect(
        self,
        *,
        events: str = "off",
        subscribe: Callable[[Session], None] | None = None,
    ) -> Session:
        """Open a session; raises as Session.connect does."""
        self._require_not_stopped()
        ended = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(None) as limit:
                self._connecting[limit] = ended
                try:
                    session = await Session.connect(
                        self._host,
                        self._port,
                        self._credentials,
                        events=events,
                        subscribe=subscribe,
                        timeout=CONNECT_TIMEOUT,
                        tls=self._tls,
                        on_answer=self._on_answer,
                    )
                    if session.was_challenged:
                        self._credentials = replace(
                            self._credentials, may_be_plain=False
                        )
                    return session
                finally:
                    del self._connecting[limit]
                    ended.set_result(None)
        except TimeoutError as err:
            raise _not_connected() from err

    async def _open(self) -> None:
        try:
            # First, as an SMS that comes in before this session exists is lost.
            self._events = await self._connect(
                events=_EVENTS, subscribe=self._subscribe
            )
            async with self._quick_lock:
                # Others may use it from now on, and one of them may have been first.
                self._quick = self._quick or await self._connect()
            await self._prepare()
            self._require_not_stopped()
        except BaseException:
            await self._close()
            raise
        self._up = True
        self.error = None

    async def _close(self) -> None:
        self._up = False
        sessions = [*self._idle, self._quick, self._events]
        for timer in self._idle.values():
            timer.cancel()
        self._idle.clear()
        self._quick = self._events = None
        async with asyncio.TaskGroup() as closing:
            for session in sessions:
                if session:
                    closing.create_task(session.close())

    async def _supervise(self) -> None:
        """Connect again whenever the connection is lost, until cancelled."""
        loop = asyncio.get_running_loop()
        wait = FIRST_WAIT
        while True:
            assert self._events
            up_since = loop.time()
            error = await asyncio.shield(self._events.lost)
            await self._close()
            self._report(error or _not_connected())
            if isinstance(error, AuthenticationError):
                self.error = error  # and stays it: nothing more is tried
                return
            if loop.time() - up_since > LONGEST_WAIT:
                wait = FIRST_WAIT
            while not self._up:
                # At random, so that many clients don't all come back at once.
                await asyncio.sleep(random.uniform(wait / 2, wait))
                wait = min(2 * wait, LONGEST_WAIT)
                try:
                    await self._open()
                except AuthenticationError as err:
                    self.error = err
                    self._report(err)
                    return
                except AmiError as err:
                    self.error = err
                    _LOGGER.debug("Still no connection to the gateway: %s", err)
                except Exception:
                    _LOGGER.exception("Unexpected error while connecting")
            self._report(None)

    def _require_up(self) -> None:
        if not self._up:
            raise _not_connected()

    def _require_not_stopped(self) -> None:
        if self.stopped.done():
            raise _not_connected()

    def _report(self, error: AmiError | None) -> None:
        """Report a change; an error in the callback must not end the supervision."""
        try:
            self._on_change(error)
        except Exception:
            _LOGGER.exception("A handler of the connection's changes failed")


def _not_connected() -> CannotConnectError:
    return CannotConnectError("The gateway is not connected")
