"""The sessions with a gateway: what they are for, and how they come back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
import gc
import logging
import random

import pytest

from custom_components.openvox_gsm.ami import (
    ActionTimeoutError,
    AmiError,
    AuthenticationError,
    CannotConnectError,
    ChallengeMissingError,
    ConnectionLostError,
    Credentials,
    InvalidHeaderError,
    PermissionDeniedError,
    ProtocolError,
    Session,
    session as ami_session,
)
from custom_components.openvox_gsm.gateway import connection as connection_module
from custom_components.openvox_gsm.gateway.connection import (
    FIRST_WAIT,
    LONGEST_WAIT,
    Connection,
)
from simulator import Simulator, User

from .conftest import Heard, expect_nothing_left, gateway_with, until

pytestmark = pytest.mark.usefixtures("hurry")

type MakeConnection = Callable[..., Connection]

SLOW = "gsm send ussd 1 *100# 10"


def password_is_changed(gateway: Simulator) -> None:
    """Let the gateway refuse every login from now on."""
    gateway.users["admin"] = User("admin", "changed")


@pytest.fixture
async def new_connection(
    gateway: Simulator, heard: Heard
) -> AsyncIterator[MakeConnection]:
    """Make connections; afterwards nothing of them may be left."""
    connections: list[Connection] = []

    async def nothing() -> None:
        """Prepare nothing."""

    def make(
        prepare: Callable[[], Awaitable[None]] = nothing,
        on_change: Callable[[AmiError | None], None] = heard.changes.append,
        subscribe: Callable[[Session], None] = lambda _session: None,
    ) -> Connection:
        connections.append(
            Connection(
                gateway.host,
                gateway.port,
                Credentials("admin", "admin"),
                subscribe=subscribe,
                prepare=prepare,
                on_change=on_change,
            )
        )
        return connections[-1]

    yield make
    gateway.faults.thaw()
    for connection in connections:
        await connection.stop()
        assert not connection.is_up
    await expect_nothing_left(gateway)


@pytest.fixture
async def connection(new_connection: MakeConnection) -> Connection:
    """A connection that is up."""
    connection = new_connection()
    await connection.start()
    return connection


# Up


async def test_two_sessions_stay_open(
    gateway: Simulator, connection: Connection, heard: Heard
) -> None:
    """One is for events, one for quick commands; the start itself is no change."""
    assert connection.is_up
    assert gateway.sessions == 2
    assert "libgsmat" in await connection.command("gsm show version")
    assert (await connection.action("Ping")).get("Ping") == "Pong"
    assert gateway.sessions == 2
    assert heard.changes == []


async def test_events_come_while_commands_run(
    gateway: Simulator, new_connection: MakeConnection
) -> None:
    """The session for events never runs a command, which would hold them back."""
    events: list[str] = []
    connection = new_connection(
        subscribe=lambda session: session.subscribe(
            lambda raw: b"EXTRA" in raw, lambda packet: events.append(packet.event)
        )
    )
    await connection.start()
    gateway.spans[1].ussd_duration = 0.2
    slow = asyncio.create_task(connection.slow_command(SLOW, timeout=2))
    await until(lambda: SLOW in gateway.commands)
    await gateway.receive_sms(2, "10086", "Hi")
    await until(lambda: "Hangup" in events)
    assert not slow.done()
    events = [each for each in events if each != "FullyBooted"]  # of the login
    assert set(events) == {"VarSet", "Newexten", "Hangup"}
    await slow


async def test_quick_commands_take_turns(
    gateway: Simulator, connection: Connection
) -> None:
    """One session serves all who ask at the same time."""
    answers = await asyncio.gather(
        *(connection.command(f"gsm show send sms mode {n}") for n in (1, 2, 3))
    )
    assert [answer.strip() for answer in answers] == ["pdu"] * 3
    assert gateway.sessions == 2


async def test_quick_commands_while_the_connection_comes_back(
    gateway: Simulator, connection: Connection
) -> None:
    """They use the session that is being opened; none stays open beside it."""
    gateway.faults.drop_sessions()
    await until(lambda: not connection.is_up)
    gateway.faults.login_delay = 0.05

    async def ask() -> None:
        """Ask again and again until the connection is back."""
        while not connection.is_up:
            with suppress(CannotConnectError, ConnectionLostError):
                await connection.command("gsm show version")
            await asyncio.sleep(0)

    await asyncio.gather(*(ask() for _ in range(3)))
    assert gateway.sessions == 2


async def test_a_quick_command_that_waits_while_the_connection_comes_back(
    gateway: Simulator, opened: list[Session], new_connection: MakeConnection
) -> None:
    """It may be first to need a new session, which then serves all."""
    connection = new_connection()
    await connection.start()
    opened[1].abort()
    gateway.faults.login_delay = 60
    first, second = (
        asyncio.create_task(connection.command("gsm show version")) for _ in range(2)
    )
    await until(lambda: gateway.actions.count("Login") == 3)
    gateway.faults.login_delay = 0
    opened[0].abort()
    await until(lambda: len(opened) == 3)
    first.cancel()

    assert "libgsmat" in await second
    await until(lambda: connection.is_up)
    assert gateway.sessions == 2


async def test_each_quick_command_has_its_own_time(
    gateway: Simulator, connection: Connection
) -> None:
    """One that hangs takes none of the time of those that wait behind it."""
    gateway.faults.silent_commands.add("mode 1")
    first, second = await asyncio.gather(
        *(connection.command(f"gsm show send sms mode {n}") for n in (1, 2)),
        return_exceptions=True,
    )
    assert isinstance(first, ActionTimeoutError)
    assert isinstance(second, str)
    assert second.strip() == "pdu"


async def test_a_command_that_hangs_costs_only_its_session(
    gateway: Simulator, connection: Connection, opened: list[Session], heard: Heard
) -> None:
    """The next quick command gets a new one; events are not missed meanwhile."""
    gateway.faults.silent_commands.add("mode 1")
    with pytest.raises(ActionTimeoutError):
        await connection.command("gsm show send sms mode 1")
    assert connection.is_up
    assert (await connection.command("gsm show send sms mode 2")).strip() == "pdu"
    assert len(opened) == 1
    await until(lambda: gateway.sessions == 2)
    assert heard.changes == []


async def test_a_lost_session_for_commands_is_replaced(
    gateway: Simulator,
    opened: list[Session],
    new_connection: MakeConnection,
    heard: Heard,
) -> None:
    """It is not what the connection stands or falls with."""
    connection = new_connection()
    await connection.start()
    opened[1].abort()
    assert (await connection.action("Ping")).get("Ping") == "Pong"
    assert len(opened) == 3
    assert heard.changes == []


async def test_a_command_given_up_holds_up_no_other(
    gateway: Simulator, connection: Connection
) -> None:
    """Who comes next does not wait behind it."""
    gateway.faults.silent_commands.add("mode 1")
    given_up = asyncio.create_task(connection.command("gsm show send sms mode 1"))
    await until(lambda: "gsm show send sms mode 1" in gateway.commands)
    given_up.cancel()
    assert (await connection.command("gsm show send sms mode 2")).strip() == "pdu"


# Slow commands


async def test_slow_commands_run_side_by_side(
    gateway: Simulator, connection: Connection
) -> None:
    """Each has a session of its own, opened when it is needed."""
    for span in gateway.spans.values():
        span.ussd_duration = 0.05
    slow = asyncio.gather(
        *(
            connection.slow_command(f"gsm send ussd {n} *100# 10", timeout=2)
            for n in (1, 2, 3)
        )
    )
    await until(lambda: gateway.sessions == 5)
    assert len(await slow) == 3


async def test_a_session_for_slow_commands_is_used_again(
    gateway: Simulator, connection: Connection, opened: list[Session]
) -> None:
    """The next command finds it idle."""
    for _ in range(3):
        await connection.slow_command(SLOW, timeout=2)
    assert len(opened) == 1
    assert gateway.sessions == 3


async def test_an_idle_session_is_closed(
    gateway: Simulator, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It logs off, and the next command gets a new one."""
    monkeypatch.setattr(connection_module, "IDLE_TIME", 0.01)
    await connection.slow_command(SLOW, timeout=2)
    await until(lambda: gateway.sessions == 2)
    assert gateway.actions[-1] == "Logoff"
    assert "Recive" in await connection.slow_command(SLOW, timeout=2)


async def test_an_idle_session_that_is_closed_is_forgotten(
    gateway: Simulator, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many come and go, none of them takes memory afterwards."""

    def kept() -> int:
        """Count the sessions and the tasks that are over."""
        gc.collect()
        return sum(
            each.done() if isinstance(each, asyncio.Task) else isinstance(each, Session)
            for each in gc.get_objects()
        )

    before = kept()
    monkeypatch.setattr(connection_module, "IDLE_TIME", 0)
    await connection.slow_command(SLOW, timeout=2)
    await until(lambda: gateway.sessions == 2)

    await until(lambda: kept() <= before)


async def test_an_idle_session_that_is_gone_is_not_used(
    gateway: Simulator, connection: Connection, opened: list[Session]
) -> None:
    """A command handed to it would have an unknown fate."""
    await connection.slow_command(SLOW, timeout=2)
    opened[0].abort()
    assert "Recive" in await connection.slow_command(SLOW, timeout=2)
    assert len(opened) == 2


async def test_a_slow_command_that_hangs_costs_only_its_session(
    gateway: Simulator, connection: Connection, heard: Heard
) -> None:
    """It is closed, and the connection is as before."""
    gateway.faults.silent_commands.add("ussd 1")
    with pytest.raises(ActionTimeoutError):
        await connection.slow_command(SLOW, timeout=0.05)
    await until(lambda: gateway.sessions == 2)
    assert connection.is_up
    assert heard.changes == []


async def test_a_slow_command_given_up_leaves_no_session(
    gateway: Simulator, connection: Connection
) -> None:
    """What runs in it would hold back the next command."""
    gateway.spans[1].ussd_duration = 0.1
    slow = asyncio.create_task(connection.slow_command(SLOW, timeout=2))
    await until(lambda: SLOW in gateway.commands)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    await until(lambda: gateway.sessions == 2)


async def test_a_slow_command_that_cannot_be_written_is_not_sent(
    gateway: Simulator, connection: Connection
) -> None:
    """A line break would begin another header."""
    with pytest.raises(InvalidHeaderError):
        await connection.slow_command("gsm show version\r\nAction: Logoff", timeout=1)
    assert gateway.commands == []
    assert connection.is_up


@pytest.mark.parametrize("greeting", [None, b"SSH-2.0-OpenSSH\r\n"])
async def test_a_slow_command_that_gets_no_session_is_certainly_not_sent(
    gateway: Simulator, connection: Connection, heard: Heard, greeting: bytes | None
) -> None:
    """Whatever the reason; the two lasting sessions are left alone."""
    gateway.faults.greeting = greeting
    with pytest.raises(CannotConnectError):
        await connection.slow_command(SLOW, timeout=1)
    assert gateway.commands == []
    assert connection.is_up
    assert heard.changes == []


async def test_a_login_that_outlives_the_connection_is_not_used(
    gateway: Simulator, connection: Connection, opened: list[Session]
) -> None:
    """The command is certainly not sent, and its session closed."""
    gateway.faults.greeting_delay = 0.05
    slow = asyncio.create_task(connection.slow_command(SLOW, timeout=1))
    await until(lambda: gateway.connections == 3)
    gateway.faults.refuse = True
    connection._events.abort()  # type: ignore[union-attr] # noqa: SLF001
    with pytest.raises(CannotConnectError):
        await slow
    assert opened[0].lost.done()
    assert gateway.commands == []


async def test_a_quick_login_that_outlives_the_connection_is_not_used(
    gateway: Simulator, opened: list[Session], new_connection: MakeConnection
) -> None:
    """The command is certainly not sent, and its session closed."""
    connection = new_connection()
    await connection.start()
    opened[1].abort()
    gateway.faults.login_delay = 0.05
    quick = asyncio.create_task(connection.command("gsm show version"))
    await until(lambda: gateway.actions.count("Login") == 3)
    gateway.faults.refuse = True
    opened[0].abort()
    with pytest.raises(CannotConnectError):
        await quick
    assert opened[2].lost.done()
    assert gateway.commands == []


# Down and up again


async def test_it_comes_back_by_itself(
    gateway: Simulator, connection: Connection, heard: Heard
) -> None:
    """Both changes are reported, once."""
    gateway.faults.drop_sessions()
    await until(lambda: len(heard.changes) == 2)
    lost, back = heard.changes
    assert isinstance(lost, ConnectionLostError)
    assert back is None
    assert connection.is_up
    assert "libgsmat" in await connection.command("gsm show version")


async def test_nothing_is_asked_while_it_is_down(
    gateway: Simulator, connection: Connection, heard: Heard
) -> None:
    """Neither quickly nor slowly."""
    gateway.faults.refuse = True
    gateway.faults.drop_sessions()
    await until(lambda: heard.changes)
    assert not connection.is_up
    with pytest.raises(CannotConnectError):
        await connection.command("gsm show version")
    with pytest.raises(CannotConnectError):
        await connection.slow_command(SLOW, timeout=1)
    gateway.faults.refuse = False
    await until(lambda: connection.is_up)


async def test_the_waits_grow(
    gateway: Simulator,
    new_connection: MakeConnection,
    monkeypatch: pytest.MonkeyPatch,
    heard: Heard,
) -> None:
    """They double up to the longest one; after a good while they start over."""
    waits: list[tuple[float, float]] = []

    def no_wait(shortest: float, longest: float) -> float:
        waits.append((shortest, longest))
        return 0.0

    monkeypatch.setattr(random, "uniform", no_wait)
    monkeypatch.setattr(connection_module, "FIRST_WAIT", FIRST_WAIT)
    monkeypatch.setattr(connection_module, "LONGEST_WAIT", LONGEST_WAIT)
    connection = new_connection()
    await connection.start()
    gateway.faults.refuse = True
    gateway.faults.drop_sessions()
    await until(lambda: len(waits) >= 8)
    assert waits[:8] == [
        (0.5, 1), (1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (30, 60), (30, 60),
    ]  # fmt: skip

    gateway.faults.refuse = False
    await until(lambda: connection.is_up)
    waits.clear()
    gateway.faults.drop_sessions()
    await until(lambda: heard.changes.count(None) == 2)
    assert waits == [(30, 60)]  # a gateway that comes and goes is left in peace

    waits.clear()
    monkeypatch.setattr(connection_module, "LONGEST_WAIT", 0.0)
    gateway.faults.drop_sessions()
    await until(lambda: heard.changes.count(None) == 3)
    assert waits == [(0.5, 1)]


async def test_a_wrong_password_is_told_at_once(
    gateway: Simulator, new_connection: MakeConnection, heard: Heard
) -> None:
    """The first attempt is the caller's business, and nothing stays open."""
    password_is_changed(gateway)
    with pytest.raises(AuthenticationError):
        await new_connection().start()
    await until(lambda: not gateway.connections)
    assert heard.changes == []


async def test_a_gateway_that_is_not_there_is_told_at_once(
    gateway: Simulator, new_connection: MakeConnection
) -> None:
    """There is nothing to come back to."""
    await gateway.stop()
    with pytest.raises(CannotConnectError):
        await new_connection().start()


async def test_something_else_is_told_at_once(
    gateway: Simulator, new_connection: MakeConnection
) -> None:
    """Somebody mistook the port."""
    gateway.faults.greeting = b"220 FTP server ready\r\n"
    with pytest.raises(ProtocolError):
        await new_connection().start()


async def test_a_challenge_that_is_missing_now(
    gateway: Simulator, connection: Connection
) -> None:
    """What answers now gets no password, until it sends challenges again."""
    assert connection.was_challenged
    gateway.challenge = False
    gateway.actions.clear()
    gateway.faults.drop_sessions()
    await until(lambda: isinstance(connection.error, ChallengeMissingError))
    assert "Login" not in gateway.actions

    gateway.challenge = True
    await until(lambda: connection.is_up)


@gateway_with(challenge=False)
async def test_there_never_was_a_challenge(
    gateway: Simulator, connection: Connection
) -> None:
    """Then the password is sent at each login."""
    assert not connection.was_challenged

    gateway.faults.drop_sessions()
    await until(lambda: not connection.is_up)
    await until(lambda: connection.is_up)


async def test_a_refused_login_ends_the_attempts(
    gateway: Simulator, connection: Connection, heard: Heard
) -> None:
    """A password that was changed meanwhile does not become right again."""
    password_is_changed(gateway)
    gateway.faults.drop_sessions()
    await until(lambda: len(heard.changes) == 2)
    logins = gateway.actions.count("Login")
    lost, refused = heard.changes
    assert isinstance(lost, ConnectionLostError)
    assert isinstance(refused, AuthenticationError)
    assert connection.error is refused
    await asyncio.sleep(0.1)
    assert gateway.actions.count("Login") == logins
    assert len(heard.changes) == 2
    assert not connection.is_up


@pytest.mark.parametrize("kind", ["quick", "slow"])
async def test_a_refused_further_login_ends_the_connection(
    gateway: Simulator,
    opened: list[Session],
    new_connection: MakeConnection,
    heard: Heard,
    kind: str,
) -> None:
    """Without a password that is right nothing can be asked for any more."""
    connection = new_connection()
    await connection.start()
    password_is_changed(gateway)
    if kind == "quick":
        opened[1].abort()
        asked = connection.command("gsm show version")
    else:
        asked = connection.slow_command(SLOW, timeout=1)
    with pytest.raises(CannotConnectError):
        await asked
    await until(lambda: heard.changes)
    await until(lambda: not gateway.connections)
    await asyncio.sleep(0.05)  # several waits long
    assert [type(change) for change in heard.changes] == [AuthenticationError]
    assert connection.error is heard.changes[0]
    assert not connection.is_up


async def test_a_gateway_that_says_nothing_is_down(
    gateway: Simulator, connection: Connection, heard: Heard
) -> None:
    """A half-open connection is noticed by the first who ask, at the latest."""
    gateway.faults.freeze()
    with pytest.raises(ActionTimeoutError):
        await connection.command("gsm show version")
    with pytest.raises(CannotConnectError):
        await connection.command("gsm show version")
    await until(lambda: heard.changes)
    assert not connection.is_up
    gateway.faults.thaw()
    await until(lambda: connection.is_up)
    assert heard.changes[-1] is None
    assert heard.changes.count(None) == 1


async def test_a_gateway_that_goes_silent_is_noticed_without_asking(
    gateway: Simulator,
    new_connection: MakeConnection,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pings do that."""
    monkeypatch.setattr(ami_session, "PING_INTERVAL", 0.02)
    monkeypatch.setattr(ami_session, "PING_TIMEOUT", 0.02)
    connection = new_connection()
    await connection.start()
    gateway.faults.freeze()
    await until(lambda: heard.changes)
    assert isinstance(heard.changes[0], ConnectionLostError)


async def test_it_is_up_only_once_it_is_prepared(
    gateway: Simulator, new_connection: MakeConnection
) -> None:
    """What is learnt after the login is there before anybody can use it."""
    ups: list[bool] = []

    async def prepare() -> None:
        ups.append(connection.is_up)
        await connection.command("gsm show version")

    connection = new_connection(prepare)
    await connection.start()
    gateway.faults.drop_sessions()
    await until(lambda: len(ups) == 2 and connection.is_up)
    assert ups == [False, False]


@gateway_with(users=[User("admin", "admin", write=["system"])])
async def test_a_failed_preparation_leaves_nothing_open(
    gateway: Simulator, new_connection: MakeConnection
) -> None:
    """The first start fails with its error."""

    async def prepare() -> None:
        await connection.command("gsm show version")

    connection = new_connection(prepare)
    with pytest.raises(PermissionDeniedError):
        await connection.start()
    await until(lambda: not gateway.connections)


@pytest.mark.parametrize("error", [ConnectionLostError("Gone"), KeyError("Oh")])
async def test_a_failed_preparation_is_tried_again(
    gateway: Simulator,
    new_connection: MakeConnection,
    heard: Heard,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    """Nothing but a refused login ends the attempts, not even a mistake here."""
    failures = [error, error]
    prepared = False

    async def prepare() -> None:
        if prepared and failures:
            raise failures.pop()

    connection = new_connection(prepare)
    await connection.start()
    prepared = True
    gateway.faults.drop_sessions()
    await until(lambda: len(heard.changes) == 2)
    assert heard.changes[-1] is None
    assert failures == []
    await until(lambda: gateway.connections == 2)
    errors = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert len(errors) == (2 if isinstance(error, KeyError) else 0)


async def test_an_error_in_the_listener_ends_nothing(
    gateway: Simulator, new_connection: MakeConnection, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the connection comes back."""

    def fail(change: AmiError | None) -> None:
        raise KeyError(change)

    connection = new_connection(on_change=fail)
    await connection.start()
    gateway.faults.drop_sessions()
    await until(lambda: not connection.is_up)
    await until(lambda: connection.is_up)
    assert "A handler of the connection's changes failed" in caplog.text


async def test_a_slow_command_survives_the_others(
    gateway: Simulator,
    opened: list[Session],
    new_connection: MakeConnection,
    heard: Heard,
) -> None:
    """Its session is its own, and its answer worth having."""
    connection = new_connection()
    await connection.start()
    gateway.spans[1].ussd_duration = 0.1
    slow = asyncio.create_task(connection.slow_command(SLOW, timeout=2))
    await until(lambda: SLOW in gateway.commands)
    gateway.faults.refuse = True
    opened[0].abort()
    await until(lambda: heard.changes)
    assert "Recive" in await slow
    await until(lambda: gateway.connections == 0)
    gateway.faults.refuse = False
    await until(lambda: connection.is_up)


# Stop


async def test_stop_logs_off(gateway: Simulator, connection: Connection) -> None:
    """All sessions log off, the idle ones too; a second stop does nothing."""
    await connection.slow_command(SLOW, timeout=2)
    await connection.stop()
    assert gateway.actions.count("Logoff") == 3
    await connection.stop()
    assert gateway.actions.count("Logoff") == 3
    logins = gateway.actions.count("Login")
    with pytest.raises(CannotConnectError):
        await connection.start()
    assert gateway.actions.count("Login") == logins


@pytest.mark.parametrize("kind", ["quick", "slow"])
async def test_stop_during_a_command(
    gateway: Simulator, connection: Connection, kind: str
) -> None:
    """Whether it was carried out is not known, and told at once."""
    gateway.faults.silent_commands.add("ussd")
    if kind == "quick":
        running = asyncio.create_task(connection.command(SLOW))
    else:
        running = asyncio.create_task(connection.slow_command(SLOW, timeout=9))
    await until(lambda: SLOW in gateway.commands)
    await connection.stop()
    with pytest.raises(ConnectionLostError):
        async with asyncio.timeout(0.05):
            await running
    await until(lambda: not gateway.sessions)


async def test_stop_during_a_further_login(
    gateway: Simulator, connection: Connection
) -> None:
    """The command is certainly not sent."""
    gateway.faults.greeting = None
    slow = asyncio.create_task(connection.slow_command(SLOW, timeout=9))
    await until(lambda: gateway.connections == 3)
    stopping = [asyncio.create_task(connection.stop()) for _ in range(2)]
    await asyncio.wait(stopping)
    with pytest.raises(CannotConnectError):
        async with asyncio.timeout(0.05):
            await slow
    await until(lambda: not gateway.connections)


@pytest.mark.parametrize("phase", ["greeting", "second session", "preparation"])
async def test_stop_during_the_start(
    gateway: Simulator, new_connection: MakeConnection, phase: str
) -> None:
    """The start fails, whatever it was at."""
    going_on = asyncio.Event()

    async def prepare() -> None:
        going_on.set()
        if phase == "preparation":
            await connection.stopped

    connection = new_connection(prepare)
    if phase == "greeting":
        gateway.faults.greeting = None
    starting = asyncio.create_task(connection.start())
    if phase == "greeting":
        await until(lambda: gateway.connections == 1)
    elif phase == "second session":
        await until(lambda: gateway.sessions == 1)
        gateway.faults.greeting = None
    else:
        await going_on.wait()
    await connection.stop()
    with pytest.raises(CannotConnectError):
        await starting
    assert not connection.is_up


@pytest.mark.parametrize("phase", ["wait", "greeting"])
async def test_stop_while_it_is_down(
    gateway: Simulator,
    new_connection: MakeConnection,
    monkeypatch: pytest.MonkeyPatch,
    heard: Heard,
    phase: str,
) -> None:
    """No attempt follows."""
    if phase == "wait":
        monkeypatch.setattr(connection_module, "FIRST_WAIT", 9)
        monkeypatch.setattr(connection_module, "LONGEST_WAIT", 9)
    connection = new_connection()
    await connection.start()
    gateway.faults.greeting = None
    gateway.faults.drop_sessions()
    await until(lambda: heard.changes)
    if phase == "greeting":
        await until(lambda: gateway.connections == 1)
    async with asyncio.timeout(0.05):
        await connection.stop()
    assert len(heard.changes) == 1


async def test_stop_while_an_idle_session_ends(
    gateway: Simulator, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its logoff is waited for."""
    monkeypatch.setattr(connection_module, "IDLE_TIME", 0)
    await connection.slow_command(SLOW, timeout=2)
    gateway.faults.freeze()
    await asyncio.sleep(0.01)
    await connection.stop()


async def test_a_start_that_is_given_up_leaves_nothing_open(
    gateway: Simulator, new_connection: MakeConnection
) -> None:
    """Home Assistant may cancel it."""
    gateway.faults.login_delay = 1
    starting = asyncio.create_task(new_connection().start())
    await until(lambda: gateway.connections == 1)
    starting.cancel()
    await asyncio.wait([starting])
    await until(lambda: not gateway.connections)


async def test_a_pause_ends_with_the_connection(connection: Connection) -> None:
    """Who waits for something else is not left waiting."""
    await connection.pause(0.001)
    pausing = asyncio.create_task(connection.pause(9))
    await asyncio.sleep(0)
    await connection.stop()
    with pytest.raises(CannotConnectError):
        async with asyncio.timeout(0.1):
            await pausing


# Timers that wait for what is still on its way


async def test_a_timer_waits_while_the_gateway_is_silent(
    gateway: Simulator, new_connection: MakeConnection
) -> None:
    """What it has written by then is read first."""
    connection = new_connection()
    await connection.start()
    called = asyncio.Event()
    gateway.faults.freeze()
    connection.call_later(0.01, called.set)
    await asyncio.sleep(0.05)
    assert not called.is_set()
    gateway.faults.thaw()
    async with asyncio.timeout(1):
        await called.wait()


@pytest.mark.parametrize("wait", [0, 0.05], ids=["at once", "while it's reading"])
async def test_a_timer_is_cancelled(
    gateway: Simulator, new_connection: MakeConnection, wait: float
) -> None:
    """Its function is never called, and no task is left."""
    connection = new_connection()
    await connection.start()
    called = asyncio.Event()
    gateway.faults.freeze()
    timer = connection.call_later(0.01, called.set)
    await asyncio.sleep(wait)
    timer.cancel()
    gateway.faults.thaw()
    await asyncio.sleep(0.05)
    assert not called.is_set()


async def test_a_timer_of_a_connection_that_is_lost(
    gateway: Simulator,
    new_connection: MakeConnection,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A gateway that stays silent is lost, and then there is nothing left to read."""
    monkeypatch.setattr(connection_module, "PING_INTERVAL", 0.05)
    connection = new_connection()
    await connection.start()
    called = asyncio.Event()
    gateway.faults.freeze()
    connection.call_later(0.01, called.set)
    async with asyncio.timeout(1):
        await called.wait()
    await until(lambda: heard.changes)
    [error] = heard.changes
    assert isinstance(error, ConnectionLostError)
    gateway.faults.thaw()


async def test_a_timer_of_a_connection_that_is_stopped(
    gateway: Simulator, new_connection: MakeConnection
) -> None:
    """There is nothing to wait for."""
    connection = new_connection()
    await connection.start()
    await connection.stop()
    called = asyncio.Event()
    connection.call_later(0.01, called.set)
    async with asyncio.timeout(1):
        await called.wait()
