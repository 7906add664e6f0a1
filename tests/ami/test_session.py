"""One session with a manager: login, actions, events, keepalive and its end.

What a gateway does when all is well comes from the simulator; what it does when
something is wrong comes from `Manager`, which does only what a test tells it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
import hashlib
import logging
import socket
from typing import Any

import pytest

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    AuthenticationError,
    CannotConnectError,
    ChallengeMissingError,
    ConnectionLostError,
    Credentials,
    HostNotFoundError,
    InvalidHeaderError,
    NoGreetingError,
    OtherServiceError,
    Packet,
    PermissionDeniedError,
    PortClosedError,
    ProtocolError,
    Service,
    Session,
    packet as packet_module,
    session as session_module,
    subscriptions,
    subscriptions as subscriptions_module,
)
from simulator import Dialect, Simulator, User

from tests.common import named

PASSWORD = "hunter2-\u00e9"
CREDENTIALS = Credentials("admin", PASSWORD)
USER = User("admin", PASSWORD)
GREETING = b"Asterisk Call Manager/1.1\r\n"
NEVER = 0.05  # seconds that a test waits for an answer that does not come

dialects = pytest.mark.parametrize("dialect", list(Dialect))


class Manager:
    """The far end of one connection, in the hands of a test."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take over a connection."""
        self._reader = reader
        self._writer = writer
        self.received = b""

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def next(self) -> Packet:
        """Wait for an action of the client."""
        data = await self._reader.readuntil(b"\r\n\r\n")
        self.received += data
        return Packet(data.removesuffix(b"\r\n\r\n"))

    async def expect(self, name: str) -> Packet:
        """Wait for an action that must be this one."""
        action = await self.next()
        assert action.get("Action") == name
        return action

    async def answer(self, action: Packet, *lines: str) -> None:
        """Answer an action; the first line is the kind of response."""
        kind, *others = lines
        head = [f"Response: {kind}", f"ActionID: {action.get('ActionID')}"]
        await self.send("\r\n".join([*head, *others, "", ""]).encode())

    async def log_in(self, *, events: str = "off") -> None:
        """Greet and let the client in."""
        await self.send(GREETING)
        await self.answer(
            await self.expect("Challenge"), "Success", "Challenge: 133042568"
        )
        login = await self.expect("Login")
        assert login.get("Events") == events
        await self.answer(login, "Success", "Message: Authentication accepted")

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection, in order or with a reset."""
        if reset:
            self._writer.transport.abort()
        else:
            self._writer.close()

    async def gone(self) -> None:
        """Wait until the client has closed its socket."""
        with suppress(ConnectionError):
            while data := await self._reader.read(65536):
                self.received += data


type Script = Callable[[Manager], Awaitable[None]]


@asynccontextmanager
async def manager(script: Script) -> AsyncIterator[tuple[str, int]]:
    """Serve one client after a script; a mistake in it fails the test."""
    writers: list[asyncio.StreamWriter] = []
    async with asyncio.timeout(20), asyncio.TaskGroup() as scripts:

        def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            scripts.create_task(script(Manager(reader, writer)))  # type: ignore[arg-type]

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()
        finally:
            server.close()
    for writer in writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def connect(server: Simulator | tuple[str, int], **options: Any) -> Session:
    """Open a session."""
    if isinstance(server, Simulator):
        server = (server.host, server.port)
    return await Session.connect(*server, **{"credentials": CREDENTIALS} | options)


@asynccontextmanager
async def session_with(
    server: Simulator | tuple[str, int], **options: Any
) -> AsyncIterator[Session]:
    """Open a session and close it in the end."""
    session = await connect(server, **options)
    try:
        yield session
    finally:
        await session.close()


@asynccontextmanager
async def scripted(script: Script, **options: Any) -> AsyncIterator[Session]:
    """Open a session with a manager that goes by a script once it is logged in."""

    async def after_login(peer: Manager) -> None:
        await peer.log_in(events=options.get("events", "off"))
        await script(peer)
        await peer.gone()

    async with manager(after_login) as address:
        session = await connect(address, **options)
        try:
            yield session
        finally:
            session.abort()


async def until(condition: Callable[[], object]) -> None:
    """Wait for what must come."""
    async with asyncio.timeout(2):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def no_errors_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let nothing be left to the event loop's own error handler."""
    yield
    errors = [
        record
        for record in caplog.get_records("call")
        if record.levelno >= logging.ERROR
        and record.name != subscriptions_module.__name__
    ]
    assert not errors


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """A gateway."""
    async with Simulator(spans=2, users=[USER]) as simulator:
        simulator.login_penalty = 0
        yield simulator


@pytest.fixture
async def session(sim: Simulator) -> AsyncIterator[Session]:
    """A session with that gateway, which sees all events."""
    async with session_with(sim, events="on") as session:
        yield session


def varset(value: str) -> bytes:
    """Give the bytes of an event."""
    return (
        f"Event: VarSet\r\nPrivilege: dialplan,all\r\nValue: {value}\r\n\r\n".encode()
    )


# ---- connecting ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "version"),
    [(Dialect.ASTERISK_1_8, "1.1"), (Dialect.ASTERISK_14, "11.0.0")],
)
async def test_greeting_tells_the_version(dialect: Dialect, version: str) -> None:
    """Only the number differs between Asterisks."""
    async with (
        Simulator(dialect=dialect, users=[USER]) as sim,
        session_with(sim) as session,
    ):
        assert session.version == version
        assert sim.logged_in_users == ["admin"]


async def test_login_by_challenge_keeps_the_password_off_the_wire() -> None:
    """The answer to the challenge is the MD5 of both."""
    peers: list[Manager] = []

    async def script(peer: Manager) -> None:
        peers.append(peer)
        await peer.log_in(events="system,call")
        await peer.gone()

    async with manager(script) as address:
        session = await connect(address, events="system,call")
        session.abort()
    received = peers[0].received
    assert PASSWORD.encode() not in received
    login = Packet(received.split(b"\r\n\r\n")[1])
    assert login.get("Username") == "admin"
    assert login.get("AuthType") == "MD5"
    assert login.get("Key") == hashlib.md5(f"133042568{PASSWORD}".encode()).hexdigest()
    assert "Secret" not in login


@dialects
@pytest.mark.parametrize("challenge", [True, False])
async def test_login_without_challenge_is_plain(
    dialect: Dialect, challenge: bool
) -> None:
    """A gateway that has no MD5 gets the password as it is."""
    async with (
        Simulator(dialect=dialect, users=[USER], challenge=challenge) as sim,
        session_with(sim),
    ):
        assert sim.actions == ["Challenge", "Login"]
        assert sim.sessions == 1


@pytest.mark.parametrize(
    "refusal", ["Permission denied", "Invalid/unknown command", "Must specify AuthType"]
)
async def test_any_refusal_of_the_challenge_leads_to_plain_login(refusal: str) -> None:
    """How a manager says that it has none is its own affair."""

    async def script(peer: Manager) -> None:
        await peer.send(GREETING)
        await peer.answer(
            await peer.expect("Challenge"), "Error", f"Message: {refusal}"
        )
        login = await peer.expect("Login")
        assert login.get("Secret") == PASSWORD
        assert "AuthType" not in login
        await peer.answer(login, "Success")
        await peer.gone()

    async with manager(script) as address:
        (await connect(address)).abort()


async def test_a_password_that_must_not_be_sent() -> None:
    """If there was a challenge before and now there's none, nothing is sent."""
    careful = Credentials("admin", PASSWORD, may_be_plain=False)
    async with Simulator(users=[USER]) as sim:
        async with session_with(sim, credentials=careful) as session:
            assert session.was_challenged
        sim.challenge = False
        sim.actions.clear()

        with pytest.raises(ChallengeMissingError) as error:
            await connect(sim, credentials=careful)

        assert sim.actions == ["Challenge"]
        assert PASSWORD not in str(error.value)
        await until(lambda: not sim.connections)
        async with session_with(sim) as session:
            assert not session.was_challenged


async def test_first_event_finds_its_handler(sim: Simulator) -> None:
    """It comes right behind the login's answer."""
    booted: list[Packet] = []
    async with session_with(
        sim,
        events="system",
        subscribe=lambda session: session.subscribe(
            named("FullyBooted"), booted.append
        ),
    ):
        await until(lambda: booted)
    assert booted[0].get("Status") == "Fully Booted"


async def test_event_mask_is_that_of_the_login(sim: Simulator) -> None:
    """Sessions for commands need no events, and have none unless asked."""
    seen: list[Packet] = []
    unseen: list[Packet] = []
    async with (
        session_with(sim, events="call,dialplan") as listener,
        session_with(sim) as other,
    ):
        listener.subscribe(named("VarSet"), seen.append)
        other.subscribe(named("VarSet"), unseen.append)
        sim.emit(varset("x"))
        await other.action("Ping")
        await until(lambda: seen)
    assert not unseen


@pytest.mark.parametrize("challenge", [True, False])
async def test_wrong_password(challenge: bool) -> None:
    """It has an error of its own, since only a human can help."""
    async with Simulator(users=[User("admin", "other")], challenge=challenge) as sim:
        sim.login_penalty = 0
        with pytest.raises(AuthenticationError):
            await connect(sim)
        await until(lambda: sim.connections == 0)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("Authentication failed", AuthenticationError),
        ("Permission denied", AuthenticationError),
        ("Login Already In Use", ActionFailedError),
    ],
)
async def test_refused_login(message: str, error: type[AmiError]) -> None:
    """A second session may be forbidden; then the password is not to blame."""

    async def script(peer: Manager) -> None:
        await peer.send(GREETING)
        await peer.answer(
            await peer.expect("Challenge"), "Success", "Challenge: 133042568"
        )
        await peer.answer(await peer.expect("Login"), "Error", f"Message: {message}")
        await peer.gone()

    async with manager(script) as address:
        with pytest.raises(error):
            await connect(address)


@pytest.mark.parametrize("step", ["Challenge", "Login"])
async def test_an_answer_to_the_login_without_actionid(step: str) -> None:
    """It's its answer: a refused password isn't one that gets no answer."""

    async def script(peer: Manager) -> None:
        await peer.send(GREETING)
        challenge = await peer.expect("Challenge")
        if step == "Challenge":
            await peer.send(b"Response: Success\r\nChallenge: 133042568\r\n\r\n")
        else:
            await peer.answer(challenge, "Success", "Challenge: 133042568")
        await peer.expect("Login")
        await peer.send(b"Response: Error\r\nMessage: Authentication failed\r\n\r\n")
        await peer.gone()

    async with manager(script) as address:
        with pytest.raises(AuthenticationError):
            await connect(address)


async def test_an_sms_right_behind_the_answer_to_the_login() -> None:
    """Its text may look like an answer without ActionID, and is still for the handler."""
    text = b"Response: Success\r\nUniqueid: 1795400000.1"

    async def script(peer: Manager) -> None:
        await peer.send(GREETING)
        challenge = await peer.expect("Challenge")
        await peer.answer(challenge, "Success", "Challenge: 133042568")
        login = await peer.expect("Login")
        action_id = login.get("ActionID").encode()
        answer = b"Response: Success\r\nActionID: " + action_id + b"\r\n\r\n"
        await peer.send(answer + text + b"\r\n\r\n")
        await peer.gone()

    seen: list[bytes] = []

    def subscribe(session: Session) -> None:
        session.subscribe(lambda _raw: True, lambda packet: seen.append(packet.raw))

    async with manager(script) as address:
        session = await connect(address, subscribe=subscribe)
        session.abort()
    assert seen == [text]


@pytest.mark.parametrize("step", ["Challenge", "Login"])
async def test_an_answer_to_another_action_during_the_login(step: str) -> None:
    """It's no step's answer, as it says whose it is."""

    async def script(peer: Manager) -> None:
        foreign = b"Response: Error\r\nActionID: 99\r\nMessage: Not yours\r\n\r\n"
        await peer.send(GREETING)
        challenge = await peer.expect("Challenge")
        if step == "Challenge":
            await peer.send(foreign)
        await peer.answer(challenge, "Success", "Challenge: 133042568")
        login = await peer.expect("Login")
        if step == "Login":
            await peer.send(foreign)
        await peer.answer(login, "Success")
        await peer.gone()

    async with manager(script) as address:
        session = await connect(address)
        assert session.was_challenged
        session.abort()


async def test_an_answer_without_actionid_after_the_login() -> None:
    """It answers nothing: the text of an SMS could be it."""

    async def script(peer: Manager) -> None:
        await peer.log_in()
        ping = await peer.expect("Ping")
        await peer.send(b"Response: Error\r\nMessage: forged\r\n\r\n")
        await peer.answer(ping, "Success")
        await peer.gone()

    async with manager(script) as address:
        session = await connect(address)
        assert (await session.action("Ping")).get("Message") == ""
        session.abort()


async def test_nobody_listens() -> None:
    """The manager is off, or the port is wrong."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(PortClosedError, match=f"127.0.0.1:{port}"):
        await connect(("127.0.0.1", port))


async def test_nobody_answers() -> None:
    """The address exists but drops what comes; here the queue of a listener is full."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as listener,
        socket.create_connection(listener.getsockname()),
        pytest.raises(CannotConnectError, match=r"within 0\.05 seconds"),
    ):
        await connect(listener.getsockname(), timeout=NEVER)


@pytest.mark.parametrize("port", [70000, -1])
async def test_no_port_at_all(port: int) -> None:
    """Nonsense that somebody typed is as good as nobody there."""
    with pytest.raises(CannotConnectError):
        await connect(("127.0.0.1", port))


@pytest.mark.parametrize("host", ["", "127.0.0.1\0"])
async def test_no_host_at_all(host: str) -> None:
    """Nor does an empty one mean this machine."""
    with pytest.raises(HostNotFoundError):
        await connect((host, 5038))


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        pytest.param(b"220 mail", ProtocolError, id="unfinished line of another"),
        pytest.param(b"\r\n", ProtocolError, id="empty line"),
        pytest.param(b"Asterisk\r\n", ProtocolError, id="half of it"),
        pytest.param(GREETING[:-2] + b"1" * 300, ProtocolError, id="endless"),
        pytest.param(b"", NoGreetingError, id="silence"),
        pytest.param(GREETING[:10], NoGreetingError, id="then silence"),
        pytest.param(GREETING, ActionTimeoutError, id="silence after it"),
    ],
)
async def test_no_manager_there(greeting: bytes, error: type[AmiError]) -> None:
    """Something else listens, or something that never answers."""

    async def script(peer: Manager) -> None:
        await peer.send(greeting)
        await peer.gone()

    is_silent = issubclass(error, ActionTimeoutError)
    async with manager(script) as address:
        with pytest.raises(error) as raised:
            await connect(address, timeout=0.5 if is_silent else 5)
    assert raised.type is error


@pytest.mark.parametrize(
    ("greeting", "service"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Service.WEB_SERVER),
        (b"SSH-2.0-dropbear_2012.55\r\n", Service.TERMINAL),
        (b"\xff\xfd\x01\xff\xfd\x1f", Service.TERMINAL),
    ],
    ids=["HTTP", "SSH", "Telnet"],
)
async def test_a_service_that_says_what_it_is(
    greeting: bytes, service: Service
) -> None:
    """It's no manager, and known by how it begins."""

    async def script(peer: Manager) -> None:
        await peer.send(greeting)
        await peer.gone()

    async with manager(script) as address:
        with pytest.raises(OtherServiceError) as raised:
            await connect(address)
    assert raised.value.service is service


async def test_greeting_in_pieces_and_with_more_behind_it() -> None:
    """The network may cut it anywhere."""

    async def script(peer: Manager) -> None:
        for byte in GREETING[:-1]:
            await peer.send(bytes([byte]))
            await asyncio.sleep(0)
        await peer.send(b"\nEvent: Early\r\n\r\n")
        challenge = await peer.expect("Challenge")
        await peer.answer(challenge, "Success", "Challenge: 133042568")
        await peer.answer(await peer.expect("Login"), "Success")
        await peer.gone()

    early: list[Packet] = []
    async with manager(script) as address:
        session = await connect(
            address,
            subscribe=lambda session: session.subscribe(named("Early"), early.append),
        )
        session.abort()
    assert session.version == "1.1"
    assert len(early) == 1


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_connection_lost_while_logging_in(steps: int, reset: bool) -> None:
    """At no step it waits for the time limit."""

    async def script(peer: Manager) -> None:
        if steps > 0:
            await peer.send(GREETING)
            challenge = await peer.expect("Challenge")
            if steps > 1:
                await peer.answer(challenge, "Success", "Challenge: 133042568")
                await peer.expect("Login")
        peer.hang_up(reset=reset)

    async with manager(script) as address:
        with pytest.raises(ConnectionLostError):
            await connect(address)


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_cancelled_while_logging_in(steps: int) -> None:
    """Nothing is left of it: no task here, no socket there."""
    reached = asyncio.Event()

    async def script(peer: Manager) -> None:
        if steps > 0:
            await peer.send(GREETING)
            challenge = await peer.expect("Challenge")
            if steps > 1:
                await peer.answer(challenge, "Success", "Challenge: 133042568")
                await peer.expect("Login")
        reached.set()
        await peer.gone()

    async with manager(script) as address:
        attempt = asyncio.create_task(connect(address))
        await reached.wait()
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt


async def test_user_name_that_cannot_be_sent(sim: Simulator) -> None:
    """It could have become an action of its own."""
    with pytest.raises(InvalidHeaderError):
        await Session.connect(
            sim.host, sim.port, Credentials("admin\r\nAction: Reload", PASSWORD)
        )
    assert "Login" not in sim.actions


# ---- the password stays here ---------------------------------------------------------


async def test_password_is_not_shown(
    caplog: pytest.LogCaptureFixture, sim: Simulator
) -> None:
    """Neither by what is logged, nor by objects, nor by errors with their causes."""
    caplog.set_level("DEBUG")
    shown = [repr(CREDENTIALS), str(CREDENTIALS)]
    for challenge in (True, False):
        sim.challenge = challenge
        for secret in ("hush-wrong", "hush\r\n", "hush\ud800", "hush" * 300):
            credentials = Credentials("admin", secret)
            shown.append(repr(credentials))
            with pytest.raises(AmiError) as info:
                await Session.connect(sim.host, sim.port, credentials)
            error: BaseException | None = info.value
            while error:
                shown.append(f"{error!r} {error} {error.__dict__}")
                error = error.__cause__ or error.__context__
    async with session_with(sim) as session:
        shown.append(f"{session!r} {session}")
    shown.append(caplog.text)
    assert not [text for text in shown if "hush" in text or "hunter2" in text]


# ---- actions -------------------------------------------------------------------------


async def test_action_returns_its_answer(session: Session) -> None:
    """The whole packet, whatever its headers are."""
    answer = await session.action("CoreSettings")
    assert answer.get("Response") == "Success"
    assert answer.get("asteriskversion") == "1.8.20.0"


async def test_action_sends_its_headers_in_order() -> None:
    """Repeated ones too."""
    headers = [("Channel", "EXTRA/1/123"), ("Variable", "a=1"), ("Variable", "b=2")]

    async def script(peer: Manager) -> None:
        action = await peer.expect("Originate")
        assert [*action.headers[2:]] == headers
        await peer.answer(action, "Success")

    async with scripted(script) as session:
        await session.action("Originate", headers)


async def test_waiting_actions_get_each_its_own_answer() -> None:
    """Even where the answers come in another order, and all at once."""

    async def script(peer: Manager) -> None:
        actions = [await peer.next() for _ in range(20)]
        assert len({action.get("ActionID") for action in actions}) == 20
        for action in reversed(actions):
            await peer.answer(action, "Success", f"Value: {action.get('Key')}")

    async with scripted(script) as session:
        answers = await asyncio.gather(
            *(session.action("DBGet", [("Key", f"k{n}")]) for n in range(20))
        )
    assert [answer.get("Value") for answer in answers] == [f"k{n}" for n in range(20)]


async def test_action_ids_cannot_be_guessed() -> None:
    """The text of an SMS could forge the answer to an action otherwise."""
    ids: list[str] = []

    async def script(peer: Manager) -> None:
        ids.append((await peer.next()).get("ActionID"))

    for _ in range(2):
        async with scripted(script) as session:
            with pytest.raises(ActionTimeoutError):
                await session.action("Ping", timeout=NEVER)
    assert ids[0] != ids[1]
    assert all(len(action_id) > 12 for action_id in ids)


async def test_failed_action_tells_the_gateways_words(session: Session) -> None:
    """They are the best explanation there is."""
    with pytest.raises(ActionFailedError, match=r"^Invalid/unknown command: NoSuch"):
        await session.action("NoSuchThing")
    with pytest.raises(ActionFailedError, match="Invalid/unknown command"):
        await session.list_action("NoSuchThing")


async def test_words_that_fill_the_log() -> None:
    """Only the beginning is told, on one line."""

    async def script(peer: Manager) -> None:
        await peer.answer(
            await peer.expect("Ping"),
            "Error",
            "Message: no\nERROR forged " + 9999 * "x",
        )

    async with scripted(script) as session:
        with pytest.raises(ActionFailedError, match="^no ERROR forged x+$") as info:
            await session.action("Ping")
    assert len(str(info.value)) == 200


async def test_failed_action_without_words() -> None:
    """Something must be said."""

    async def script(peer: Manager) -> None:
        await peer.answer(await peer.next(), "ERROR")

    async with scripted(script) as session:
        with pytest.raises(ActionFailedError, match="refused Ping"):
            await session.action("Ping")


@dialects
async def test_permission_denied(dialect: Dialect) -> None:
    """The user exists but may not do this."""
    user = User("admin", PASSWORD, write=["call"])
    async with (
        Simulator(dialect=dialect, users=[user]) as sim,
        session_with(sim) as session,
    ):
        with pytest.raises(PermissionDeniedError, match="Command"):
            await session.command("gsm show spans")
        with pytest.raises(PermissionDeniedError, match="Originate"):
            await session.action("Originate")
        assert session.is_free


@pytest.mark.parametrize("bad", ["x\r\nAction: Reload", "x\n", "x\0", "x" * 1100])
async def test_what_would_be_an_injection_is_not_sent(
    sim: Simulator, session: Session, bad: str
) -> None:
    """It is refused as a whole, and the session goes on."""
    before = len(sim.actions)
    with pytest.raises(InvalidHeaderError):
        await session.action("UserEvent", [("UserEvent", "x"), ("Text", bad)])
    with pytest.raises(InvalidHeaderError):
        await session.action("UserEvent", [(bad + ":", "x")])
    with pytest.raises(InvalidHeaderError):
        await session.list_action(bad)
    with pytest.raises(InvalidHeaderError):
        await session.command(bad)
    assert session.is_free
    await session.action("Ping")
    assert sim.actions[before:] == ["Ping"]


@pytest.mark.parametrize("how", ["time-out", "cancelled"])
async def test_late_answer_goes_to_no_other_action(how: str) -> None:
    """Who gives an action up leaves a session that others can use."""

    async def script(peer: Manager) -> None:
        first, second = await peer.next(), await peer.next()
        await peer.answer(first, "Error", "Message: late")
        await peer.answer(second, "Success", "Value: right")

    async with scripted(script) as session:
        first = asyncio.create_task(
            session.action("DBGet", timeout=NEVER if how == "time-out" else 5)
        )
        await asyncio.sleep(0)
        if how == "time-out":
            with pytest.raises(ActionTimeoutError, match=r"DBGet within 0\.05 seconds"):
                await first
        else:
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
        assert (await session.action("DBGet")).get("Value") == "right"
        assert not session.lost.done()


async def test_second_answer_to_one_action_changes_nothing() -> None:
    """The first one counts."""

    async def script(peer: Manager) -> None:
        action = await peer.next()
        await peer.answer(action, "Success", "Value: first")
        await peer.answer(action, "Error", "Message: second")
        await peer.answer(await peer.next(), "Success", "Value: next")

    async with scripted(script) as session:
        assert (await session.action("DBGet")).get("Value") == "first"
        assert (await session.action("DBGet")).get("Value") == "next"


async def test_answer_in_the_moment_of_giving_up() -> None:
    """It comes before the one who waited has learnt of it."""
    action_ids: asyncio.Queue[str] = asyncio.Queue()

    async def script(peer: Manager) -> None:
        action_ids.put_nowait((await peer.next()).get("ActionID"))
        await peer.answer(await peer.next(), "Success")

    async with scripted(script) as session:
        action = asyncio.create_task(session.action("Ping"))
        action_id = await action_ids.get()
        action.cancel()
        session.receive(f"Response: X\r\nActionID: {action_id}\r\n\r\n".encode())
        with pytest.raises(asyncio.CancelledError):
            await action
        await session.action("Ping")


async def test_two_answers_in_one_piece() -> None:
    """The second finds the action answered, though nobody has fetched it yet."""

    async def script(peer: Manager) -> None:
        head = f"Response: Success\r\nActionID: {(await peer.next()).get('ActionID')}"
        await peer.send(
            f"{head}\r\nValue: 1\r\n\r\n{head}\r\nValue: 2\r\n\r\n".encode()
        )

    async with scripted(script) as session:
        assert (await session.action("DBGet")).get("Value") == "1"


@pytest.mark.parametrize("reset", [False, True])
async def test_lost_connection_leaves_the_outcome_unknown(reset: bool) -> None:
    """Every action in flight fails as unknown. Later ones were certainly not sent."""

    async def script(peer: Manager) -> None:
        for _ in range(3):
            await peer.next()
        peer.hang_up(reset=reset)

    async with scripted(script) as session:
        outcomes = await asyncio.gather(
            session.action("Originate"),
            session.list_action("Status"),
            session.command('gsm send sync sms 1 123 "x" 20'),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [ConnectionLostError] * 3
        assert isinstance(await session.lost, ConnectionLostError)
        assert not session.is_free
        with pytest.raises(CannotConnectError, match="ended"):
            await session.action("Ping")


# ---- lists ---------------------------------------------------------------------------


@dialects
async def test_list_is_collected_up_to_its_end(dialect: Dialect) -> None:
    """The events of the list, and no others, without the one that ends it."""
    async with Simulator(spans=2, dialect=dialect, users=[USER]) as sim:
        sim.new_channel("EXTRA/1-1", "gsm-1", "s")
        sim.new_channel("EXTRA/3-1", "gsm-2", "s")
        async with session_with(sim) as session:
            answer, events = await session.list_action("CoreShowChannels")
            assert answer.get("Message") == "Channels will follow"
            assert [event.get("Channel") for event in events] == [
                "EXTRA/1-1",
                "EXTRA/3-1",
            ]
            sim.channels.clear()
            _, events = await session.list_action("CoreShowChannels")
            assert events == []


def want_all(session: Session) -> None:
    """Subscribe to every event."""
    session.subscribe(lambda _raw: True, lambda packet: None)


HUGE_EVENT = b"Event: S\r\nX: " + 65536 * b"x" + b"\r\n\r\n"


@pytest.mark.parametrize("size", [100_000, 1])
async def test_a_list_without_end(size: int) -> None:
    """It ends the session after a fixed amount, however large its events are."""

    async def script(peer: Manager) -> None:
        await peer.log_in()
        action = await peer.expect("Status")
        action_id = action.get("ActionID")
        await peer.answer(action, "Success", "EventList: start")
        event = f"Event: S\r\nActionID: {action_id}\r\nX: {size * 'x'}\r\n\r\n"
        with suppress(ConnectionError):
            while True:
                await peer.send(event.encode())

    async with manager(script) as address:
        session = await connect(address)
        with pytest.raises(
            ConnectionLostError, match="a list that takes more than 8388608"
        ):
            await session.list_action("Status", timeout=5)
        assert isinstance(await session.lost, ProtocolError)


async def test_a_flood_of_events() -> None:
    """Everything else has its turn in between, however much comes at once."""
    event = b"Event: Flood\r\n\r\n"
    count, received, most = 50_000, 0, 0

    async def script(peer: Manager) -> None:
        await peer.send(count * event)

    def receive(_packet: Packet) -> None:
        nonlocal received
        received += 1

    def subscribe(session: Session) -> None:
        session.subscribe(named("Flood"), receive)

    async with scripted(script, subscribe=subscribe):
        while received < count:
            before = received
            await asyncio.sleep(0)
            most = max(most, received - before)
    assert most * len(event) <= 16 * 1024


async def test_a_huge_event_that_is_wanted() -> None:
    """It ends the session."""

    async def script(peer: Manager) -> None:
        await peer.log_in()
        await peer.answer(await peer.expect("Ping"), "Success")
        await peer.send(HUGE_EVENT)

    async with (
        manager(script) as address,
        session_with(address, subscribe=want_all) as session,
    ):
        await session.action("Ping")
        error = await session.lost
        assert isinstance(error, ProtocolError)
        assert "an event of more than 65536 bytes" in str(error)


async def test_a_session_that_ends_right_behind_its_login(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It never was one, and nothing of it stays."""
    monkeypatch.setattr(subscriptions, "MAX_EVENT", 10)

    async def script(peer: Manager) -> None:
        await peer.send(GREETING)
        await peer.answer(
            await peer.expect("Challenge"), "Success", "Challenge: 133042568"
        )
        login = await peer.expect("Login")
        answer = f"Response: Success\r\nActionID: {login.get('ActionID')}\r\n\r\n"
        await peer.send(answer.encode() + b"Event: Huge\r\n\r\n")

    async with manager(script) as address:
        with pytest.raises(ProtocolError, match="an event of more than 10 bytes"):
            await connect(address, subscribe=want_all)


async def test_a_huge_event_that_nobody_wants() -> None:
    """It's none of ours, and does no harm."""

    async def script(peer: Manager) -> None:
        await peer.log_in()
        await peer.send(HUGE_EVENT)
        await peer.answer(await peer.expect("Ping"), "Success")

    async with manager(script) as address, session_with(address) as session:
        await session.action("Ping")


async def test_answer_without_list(session: Session) -> None:
    """It does not wait for events that never come."""
    answer, events = await session.list_action("Ping")
    assert answer.get("Ping") == "Pong"
    assert events == []


async def test_a_list_whose_end_is_written_oddly() -> None:
    """Asterisk 18.19 and 20.4 on write a bare line feed; nothing need follow."""

    async def script(peer: Manager) -> None:
        action = await peer.expect("CoreShowChannelMap")
        action_id = action.get("ActionID")
        await peer.answer(action, "Success", "EventList: start")
        await peer.send(
            f"Event: CoreShowChannelMap\r\nActionID: {action_id}\r\n\r\n"
            f"Event: CoreShowChannelMapComplete\r\nActionID: {action_id}\r\n"
            "EventList: Complete\r\nListItems: 1\r\n\n".encode()
        )

    async with scripted(script) as session:
        _, events = await session.list_action("CoreShowChannelMap")
        assert [event.event for event in events] == ["CoreShowChannelMap"]


@pytest.mark.parametrize("end", ["Complete", "complete", "cancelled"])
async def test_events_of_others_do_not_get_into_a_list(end: str) -> None:
    """Two lists at once, events between them, and events before the answer."""
    other: list[Packet] = []

    async def script(peer: Manager) -> None:
        one, two = [(await peer.next()).get("ActionID") for _ in range(2)]
        for line in (
            f"Event: Item\r\nActionID: {one}\r\nN: early",
            f"Response: Success\r\nActionID: {one}\r\nEventList: start",
            f"Response: Success\r\nActionID: {two}\r\nEventList: start",
            f"Event: Item\r\nActionID: {two}\r\nN: 2a",
            "Event: Item\r\nN: nobody",
            "Event: Item\r\nActionID: 99\r\nN: another",
            f"Event: Item\r\nActionID: {one}\r\nN: 1a",
            f"Event: End\r\nActionID: {two}\r\nEventList: {end}",
            f"Event: Item\r\nActionID: {one}\r\nN: 1b",
            f"Event: End\r\nEventList: {end}\r\nActionID: {one}",
            f"Event: Item\r\nActionID: {one}\r\nN: late",
        ):
            await peer.send(f"{line}\r\n\r\n".encode())

    async with scripted(script) as session:
        session.subscribe(named("Item"), other.append)
        (_, one), (_, two) = await asyncio.gather(
            session.list_action("List"), session.list_action("List")
        )
        await until(lambda: len(other) == 4)
    assert [event.get("N") for event in one] == ["1a", "1b"]
    assert [event.get("N") for event in two] == ["2a"]
    assert [event.get("N") for event in other] == ["early", "nobody", "another", "late"]


async def test_list_without_a_marker_at_its_end_has_its_whole_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What asks for its end waits as long as the list may take."""
    monkeypatch.setattr(session_module, "PING_TIMEOUT", 0.01)

    async def script(peer: Manager) -> None:
        action = await peer.next()
        await peer.answer(action, "Success", "Message: Items will follow")
        ping = await peer.next()
        await asyncio.sleep(NEVER)
        await peer.send(
            f"Event: Item\r\nActionID: {action.get('ActionID')}\r\n\r\n".encode()
        )
        await peer.answer(ping, "Success")

    async with scripted(script) as session:
        _, events = await session.list_action("List")
        assert len(events) == 1


async def test_list_that_never_ends_runs_into_its_limit() -> None:
    """And its events do not disturb the next one."""

    async def script(peer: Manager) -> None:
        one = await peer.next()
        await peer.answer(one, "Success", "EventList: start")
        two = await peer.next()
        await peer.answer(two, "Success", "EventList: start")
        for action, event in ((one, "Late"), (one, "End"), (two, "Item"), (two, "End")):
            end = "EventList: Complete\r\n" if event == "End" else ""
            await peer.send(
                f"Event: {event}\r\nActionID: {action.get('ActionID')}\r\n"
                f"{end}\r\n".encode()
            )

    async with scripted(script) as session:
        with pytest.raises(ActionTimeoutError, match="List"):
            await session.list_action("List", timeout=NEVER)
        _, events = await session.list_action("List")
        assert [event.event for event in events] == ["Item"]


async def test_what_sees_all_actions_is_told_how_long_they_took(
    skip: Callable[[float], None],
) -> None:
    """From when they were sent, whatever their time limit is; not those of the login."""
    seen: list[tuple[bytes, Packet | None, float]] = []

    async def script(peer: Manager) -> None:
        action = await peer.expect("DBGet")
        skip(3)
        await peer.answer(action, "Success")

    async with scripted(script, on_answer=lambda *each: seen.append(each)) as session:
        answer = await session.action("DBGet", timeout=9)

    [(sent, answered, seconds)] = seen
    assert sent.startswith(b"Action: DBGet\r\n")
    assert answered is answer
    assert 3 <= seconds < 4


async def test_event_with_the_id_of_a_plain_action_is_an_event() -> None:
    """Originate's outcome comes so."""
    outcomes: list[Packet] = []

    async def script(peer: Manager) -> None:
        action = await peer.next()
        await peer.send(
            f"Event: OriginateResponse\r\nActionID: {action.get('ActionID')}\r\n\r\n".encode()
        )
        await peer.answer(action, "Success")

    async with scripted(script) as session:
        session.subscribe(named("OriginateResponse"), outcomes.append)
        await session.action("Originate")
    assert len(outcomes) == 1


# ---- commands ------------------------------------------------------------------------


@dialects
@pytest.mark.parametrize("slow", [False, True])
async def test_command_returns_what_it_prints(dialect: Dialect, slow: bool) -> None:
    """Nobody has to know how the gateway frames it."""
    async with Simulator(spans=2, dialect=dialect, users=[USER]) as sim:
        sim.faults.slow_bytes = slow
        async with session_with(sim) as session:
            assert await session.command("gsm show spans") == (
                "GSM span 1: Power on, Provisioned, Up, Active, Standard\n"
                "GSM span 2: Power on, Provisioned, Up, Active, Standard"
            )
            assert sim.commands == ["gsm show spans"]


@dialects
async def test_failed_command_says_so_in_its_output(dialect: Dialect) -> None:
    """Up to Asterisk 13 there is no other sign of it."""
    async with (
        Simulator(spans=2, dialect=dialect, users=[USER]) as sim,
        session_with(sim) as session,
    ):
        assert await session.command("gsm show span 9") == (
            "No GSM running on span 9\nCommand 'gsm show span 9' failed."
        )
        assert "No such command 'x'" in await session.command("x")


async def test_command_that_is_refused_is_an_error() -> None:
    """It did not run, so it has no output."""

    async def script(peer: Manager) -> None:
        await peer.answer(await peer.next(), "Error", "Message: Command blacklisted")

    async with scripted(script) as session:
        with pytest.raises(ActionFailedError, match="Command blacklisted"):
            await session.command("stop now")
        assert session.is_free


@pytest.mark.parametrize("name", ["Command", "command"])
async def test_output_may_look_like_packets(name: str) -> None:
    """A USSD text is the network's, and holds what the network likes."""
    events: list[Packet] = []
    text = "Text:a\r\n\r\nEvent: Hangup\r\n\r\nResponse: Success\r\nActionID: 1\r\n\r\n"

    async def script(peer: Manager) -> None:
        head = f"ActionID: {(await peer.expect(name)).get('ActionID')}\r\n"
        await peer.send(
            f"Response: Follows\r\nPrivilege: Command\r\n{head}{text}b\n"
            "--END COMMAND--\r\n\r\n".encode()
        )
        await peer.answer(await peer.next(), "Success")

    async with scripted(script) as session:
        session.subscribe(named("Hangup"), events.append)
        answer = await session.action(name, [("Command", "gsm send ussd 1 *100#")])
        assert answer.output == f"{text}b"
        await session.action("Ping")
    assert not events


@pytest.mark.parametrize("how", ["time-out", "cancelled"])
async def test_command_that_was_given_up(how: str) -> None:
    """It runs on in the gateway; its late output is nobody else's, however it looks."""
    events: list[Packet] = []
    go_on = asyncio.Event()

    async def script(peer: Manager) -> None:
        command = await peer.expect("Command")
        head = f"ActionID: {command.get('ActionID')}\r\n"
        await peer.send(f"Response: Follows\r\nPrivilege: Command\r\n{head}".encode())
        await go_on.wait()
        ping = await peer.expect("Ping")
        await peer.send(
            b"a\r\n\r\nEvent: Hangup\r\n\r\n"
            + f"Response: Error\r\nActionID: {ping.get('ActionID')}\r\n\r\n".encode()
            + b"--END COMMAND--\r\n\r\n"
        )
        await peer.answer(ping, "Success", "Ping: Pong")

    async with scripted(script) as session:
        session.subscribe(named("Hangup"), events.append)
        free = [session.is_free]
        command = asyncio.create_task(
            session.command("slow", timeout=NEVER if how == "time-out" else 5)
        )
        await asyncio.sleep(0)
        free.append(session.is_free)
        if how == "cancelled":
            command.cancel()
        with pytest.raises((ActionTimeoutError, asyncio.CancelledError)):
            await command
        free.append(session.is_free)
        go_on.set()
        assert (await session.action("Ping")).get("Ping") == "Pong"
        free.append(session.is_free)
        assert free == [True, False, False, True]
    assert not events


async def test_time_limit_includes_the_wait_for_earlier_actions(
    sim: Simulator, session: Session
) -> None:
    """A gateway does one thing at a time in a session."""
    sim.faults.silent_commands.add("gsm show version")
    stuck = asyncio.create_task(session.command("gsm show version"))
    await asyncio.sleep(0)
    with pytest.raises(ActionTimeoutError, match="Ping"):
        await session.action("Ping", timeout=NEVER)
    session.abort()
    with pytest.raises(ConnectionLostError):
        await stuck


async def test_each_action_has_its_own_time_limit(
    sim: Simulator, session: Session
) -> None:
    """Nothing that comes after it makes it longer."""
    sim.faults.silent_commands.add("gsm show version")
    async with asyncio.timeout(2):
        short, long = (
            asyncio.create_task(session.command("gsm show version", timeout=seconds))
            for seconds in (NEVER, 60)
        )
        with pytest.raises(ActionTimeoutError):
            await short
    assert not long.done()
    session.abort()
    with pytest.raises(ConnectionLostError):
        await long


# ---- events --------------------------------------------------------------------------


async def test_event_goes_to_all_who_asked_for_its_name(
    sim: Simulator, session: Session
) -> None:
    """And to no other; it is parsed once for all of them."""
    one: list[Packet] = []
    two: list[Packet] = []
    raw: list[Packet] = []
    other: list[Packet] = []
    session.subscribe(named("VarSet"), one.append)
    session.subscribe(named("VarSet"), two.append)
    session.subscribe(named("Var"), other.append)
    session.subscribe(lambda data: b"Value: x" in data, raw.append)
    session.subscribe(lambda data: b"Value: y" in data, other.append)
    sim.emit(varset("x"))
    await until(lambda: raw)
    assert [packet.get("Value") for packet in one] == ["x"]
    assert one[0] is two[0] is raw[0]
    assert not other


async def test_packet_that_nobody_wants_is_not_parsed(
    sim: Simulator, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy gateway nearly all of them are other people's calls."""
    seen: list[bytes] = []
    parsed: list[bytes] = []
    wanted: list[Packet] = []

    def look(raw: bytes) -> bool:
        seen.append(raw)
        return False

    class Counted(Packet):
        def __init__(self, raw: bytes) -> None:
            parsed.append(raw)
            super().__init__(raw)

    for module in (session_module, subscriptions_module):
        monkeypatch.setattr(module, "Packet", Counted)
    session.subscribe(look, wanted.append)
    session.subscribe(named("Hangup"), wanted.append)
    for number in range(3):
        sim.emit(varset(str(number)))
    await until(lambda: len(seen) == 3)
    assert seen == [varset(str(n)).removesuffix(b"\r\n\r\n") for n in range(3)]
    assert not parsed
    assert not wanted


async def test_packet_without_a_marker_is_not_looked_at(
    sim: Simulator, session: Session
) -> None:
    """Unless a test wants every packet just then, or an action waits."""
    seen: list[bytes] = []
    wants_all = False

    def look(raw: bytes) -> bool:
        if raw:
            seen.append(raw)
        return wants_all

    session.subscribe(look, lambda packet: None, marker=b"Value: b")
    for value in "abc":
        sim.emit(varset(value))
    await until(lambda: seen)
    await session.action("Ping")  # behind all of them
    assert [b"Value: b" in raw for raw in seen] == [True]
    wants_all = True
    sim.emit(varset("d"))
    await until(lambda: len(seen) == 2)
    assert b"Value: d" in seen[1]


async def test_one_subscription_without_a_marker_sees_all(
    sim: Simulator, session: Session
) -> None:
    """The markers of the others do not hide anything from it."""
    seen: list[Packet] = []
    session.subscribe(lambda raw: True, seen.append)
    session.subscribe(lambda raw: False, seen.append, marker=b"Value: b")
    for value in "ab":
        sim.emit(varset(value))
    await until(lambda: len(seen) == 2)
    assert [packet.get("Value") for packet in seen] == ["a", "b"]


@pytest.mark.parametrize("markers", [(b"Value", b"Value: b"), (b"Value: b", b"Value")])
async def test_marker_that_contains_another_one(
    sim: Simulator, session: Session, markers: tuple[bytes, ...]
) -> None:
    """Both subscriptions get what they want."""
    seen: dict[bytes, list[str]] = {marker: [] for marker in markers}
    for marker in markers:
        session.subscribe(
            lambda raw, marker=marker: marker in raw,
            lambda packet, marker=marker: seen[marker].append(packet.get("Value")),
            marker=marker,
        )
    for value in "abc":
        sim.emit(varset(value))
    await until(lambda: len(seen[b"Value"]) == 3)
    assert seen == {b"Value": ["a", "b", "c"], b"Value: b": ["b"]}


async def test_raw_test_sees_all_but_the_answers() -> None:
    """Pieces of an event that a text has torn, too."""
    seen: list[bytes] = []

    async def script(peer: Manager) -> None:
        ping = await peer.next()
        await peer.send(b"Event: VarSet\r\nValue: torn\r\n\r\nrest of it\r\n\r\n")
        await peer.send(b"Response: Success\r\nActionID: forged\r\n\r\n")
        await peer.answer(ping, "Success")

    async with scripted(script) as session:
        session.subscribe(lambda raw: True, lambda packet: seen.append(packet.raw))
        await session.action("Ping")
    assert seen == [
        b"Event: VarSet\r\nValue: torn",
        b"rest of it",
        b"Response: Success\r\nActionID: forged",
    ]


async def test_an_error_in_a_handler_stays_there(
    sim: Simulator, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and neither others nor the session suffer."""
    seen: list[Packet] = []

    def fail(_: object) -> Any:
        raise RuntimeError("my mistake")

    session.subscribe(fail, seen.append)
    session.subscribe(named("VarSet"), fail)
    session.subscribe(named("VarSet"), seen.append)
    sim.emit(varset("private") + varset("private"))
    await until(lambda: len(seen) == 2)
    await session.action("Ping")
    assert caplog.text.count("A handler of events failed") == 4
    assert caplog.text.count("RuntimeError: my mistake") == 4
    assert "private" not in caplog.text


async def test_handler_may_subscribe(sim: Simulator, session: Session) -> None:
    """What it asks for begins with the next packet."""
    seen: list[Packet] = []

    def more(_: Packet) -> None:
        session.subscribe(named("VarSet"), seen.append)

    session.subscribe(named("VarSet"), more)
    sim.emit(varset("1"))
    sim.emit(varset("2"))
    await session.action("Ping")
    assert [packet.get("Value") for packet in seen] == ["2"]


async def test_nothing_is_delivered_after_the_end(
    sim: Simulator, session: Session
) -> None:
    """Not even what came in one piece with the last event."""
    seen: list[str] = []

    def stop(packet: Packet) -> None:
        seen.append(packet.get("Value"))
        session.abort()

    session.subscribe(named("VarSet"), stop)
    sim.emit(varset("1") + varset("2"))
    await session.lost
    assert seen == ["1"]


async def test_forged_answer_to_a_command_swallows_nothing(
    sim: Simulator, session: Session
) -> None:
    """The text of an SMS may hold one; what follows it must be seen."""
    seen: list[str] = []
    session.subscribe(named("VarSet"), lambda packet: seen.append(packet.get("Value")))
    head = "x\r\n\r\nResponse: Follows\r\nPrivilege: Command\r\nActionID: {}\r\n\r\n"
    sim.emit(varset(head.format(1)))
    sim.emit(varset("next"))
    assert "GSM span 1" in await session.command("gsm show spans")
    assert seen == ["x", "next"]


async def test_forged_answer_while_a_command_waits() -> None:
    """Without the command's ActionID it is an ordinary packet."""
    seen: list[str] = []

    async def script(peer: Manager) -> None:
        command = await peer.next()
        await peer.send(
            b"Response: Follows\r\nPrivilege: Command\r\nActionID: 1\r\n\r\n"
            + varset("next")
        )
        await peer.answer(command, "Success", "Output: one", "Output: two")

    async with scripted(script) as session:
        session.subscribe(
            named("VarSet"), lambda packet: seen.append(packet.get("Value"))
        )
        assert await session.command("x") == "one\ntwo"
    assert seen == ["next"]


# ---- keepalive -----------------------------------------------------------------------


@pytest.fixture
def quick_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the keepalive hurry."""
    monkeypatch.setattr(session_module, "PING_INTERVAL", 0.01)


@pytest.fixture
def impatient_pings(quick_pings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it give up soon, too."""
    monkeypatch.setattr(session_module, "PING_TIMEOUT", NEVER)


@pytest.mark.usefixtures("quick_pings")
async def test_idle_session_pings(sim: Simulator, session: Session) -> None:
    """Again and again, as long as it is answered."""
    await until(lambda: sim.actions.count("Ping") >= 3)
    assert not session.lost.done()


@pytest.mark.usefixtures("impatient_pings")
async def test_gateway_that_vanished_is_noticed(
    sim: Simulator, session: Session
) -> None:
    """No packet tells that a cable was pulled."""
    sim.faults.freeze()
    error = await asyncio.wait_for(session.lost, 2)
    assert isinstance(error, ConnectionLostError)
    assert str(error) == "The gateway did not answer Ping within 0.05 seconds"
    sim.faults.thaw()


@pytest.mark.usefixtures("quick_pings")
async def test_refused_ping_is_a_sign_of_life() -> None:
    """An error is an answer, too."""

    async def script(peer: Manager) -> None:
        for message in ("Permission denied", "Invalid/unknown command"):
            ping = await peer.expect("Ping")
            await peer.answer(ping, "Error", f"Message: {message}")
        await peer.answer(await peer.expect("Ping"), "Pong")
        await peer.answer(await peer.expect("Ping"), "Success")
        peer.hang_up()

    async with scripted(script) as session:
        error = await asyncio.wait_for(session.lost, 2)
        assert str(error) == "The connection was closed by the gateway"


async def test_traffic_makes_pings_needless(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events show as well that the gateway is there."""
    monkeypatch.setattr(session_module, "PING_INTERVAL", 0.2)
    async with session_with(sim, events="on"):
        for _ in range(30):
            sim.emit(varset("x"))
            await asyncio.sleep(0.01)
    assert "Ping" not in sim.actions


async def test_ping_comes_one_interval_after_the_last_byte(
    skip: Callable[[float], None], sim: Simulator, session: Session
) -> None:
    """So a broken connection is noticed as soon as it is promised."""
    heard: list[Packet] = []
    session.subscribe(lambda _raw: True, heard.append)
    skip(20)
    sim.emit(varset("x"))
    await until(lambda: heard)

    skip(29)
    for _ in range(10):
        await asyncio.sleep(0.001)
    assert "Ping" not in sim.actions
    skip(1)
    await until(lambda: "Ping" in sim.actions)


@pytest.mark.usefixtures("impatient_pings")
async def test_waiting_action_is_not_disturbed_by_pings() -> None:
    """Its own limit is what counts: the gateway answers nothing else meanwhile."""

    async def script(peer: Manager) -> None:
        action = await peer.expect("DBGet")
        await asyncio.sleep(3 * NEVER)
        await peer.answer(action, "Success")
        await peer.answer(await peer.expect("Ping"), "Success")
        peer.hang_up()

    async with scripted(script) as session:
        await session.action("DBGet")
        await asyncio.wait_for(session.lost, 2)


@pytest.mark.usefixtures("impatient_pings")
async def test_command_that_was_given_up_does_not_hide_a_dead_gateway() -> None:
    """A session that answers nothing and that nobody waits for is of no use."""

    async def script(peer: Manager) -> None:
        await peer.expect("Command")

    async with scripted(script) as session:
        with pytest.raises(ActionTimeoutError):
            await session.command("hangs", timeout=0.001)
        assert isinstance(await asyncio.wait_for(session.lost, 2), ConnectionLostError)


@pytest.mark.usefixtures("impatient_pings")
async def test_list_that_was_given_up_does_not_hide_a_dead_gateway() -> None:
    """What asked for its end waits no longer than the list did."""

    async def script(peer: Manager) -> None:
        action = await peer.next()
        await peer.answer(action, "Success", "Message: Items will follow")

    async with scripted(script) as session:
        with pytest.raises(ActionTimeoutError):
            await session.list_action("List", timeout=NEVER)
        assert isinstance(await asyncio.wait_for(session.lost, 2), ConnectionLostError)


@pytest.mark.usefixtures("quick_pings")
async def test_connection_that_ends_during_a_ping_keeps_its_reason() -> None:
    """What the keepalive thinks of it comes second."""

    async def script(peer: Manager) -> None:
        await peer.expect("Ping")
        peer.hang_up()

    async with scripted(script) as session:
        error = await asyncio.wait_for(session.lost, 2)
        assert str(error) == "The connection was closed by the gateway"


# ---- the end -------------------------------------------------------------------------


async def test_close_logs_off(sim: Simulator) -> None:
    """An orderly end is no loss, and may be repeated."""
    session = await connect(sim)
    await session.close()
    names = [task.get_name() for task in asyncio.all_tasks()]
    assert not any(name.startswith("AMI keepalive") for name in names)
    assert sim.actions[-1] == "Logoff"
    assert session.lost.result() is None
    assert not session.is_free
    await session.close()
    assert sim.actions.count("Logoff") == 1
    with pytest.raises(CannotConnectError):
        await session.action("Ping")


async def test_close_without_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that no longer answers is left all the same."""
    monkeypatch.setattr(session_module, "LOGOFF_TIMEOUT", NEVER)

    async def script(peer: Manager) -> None:
        await peer.expect("Logoff")

    async with scripted(script) as session:
        await session.close()
        assert session.lost.result() is None


async def test_close_that_is_answered_by_hanging_up() -> None:
    """That is what was asked for, so it is no loss either."""

    async def script(peer: Manager) -> None:
        await peer.expect("Logoff")
        peer.hang_up()

    async with scripted(script) as session:
        await session.close()
        assert session.lost.result() is None


async def test_close_does_not_wait_for_a_command(
    sim: Simulator, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway would not hear the Logoff before its end."""
    monkeypatch.setattr(session_module, "LOGOFF_TIMEOUT", 1000)
    sim.faults.silent_commands.add("slow")
    command = asyncio.create_task(session.command("slow"))
    await until(lambda: sim.commands)
    async with asyncio.timeout(2):
        await session.close()
    with pytest.raises(ConnectionLostError, match="closed"):
        await command
    assert "Logoff" not in sim.actions


async def test_close_that_is_cancelled_leaves_nothing() -> None:
    """Home Assistant may run out of patience while it stops."""

    async def script(peer: Manager) -> None:
        await peer.expect("Logoff")
        closing.cancel()

    async with scripted(script) as session:
        closing = asyncio.create_task(session.close())
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert session.lost.result() is None


async def test_close_after_the_connection_is_lost(
    sim: Simulator, session: Session
) -> None:
    """The reason stays what it was."""
    sim.faults.drop_sessions()
    reason = await session.lost
    assert isinstance(reason, ConnectionLostError)
    await session.close()
    assert session.lost.result() is reason


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (None, "The session was closed"),
        (ConnectionLostError("too slow"), "too slow"),
        (AuthenticationError("no"), "no"),
    ],
)
async def test_abort(reason: AmiError | None, words: str) -> None:
    """At once; to an action in flight the connection is lost, whatever the reason."""

    async def script(peer: Manager) -> None:
        await peer.expect("Originate")
        sent.set()

    sent = asyncio.Event()
    async with scripted(script) as session:
        action = asyncio.create_task(session.action("Originate"))
        await sent.wait()
        session.abort(reason)
        session.abort(ProtocolError("the first reason counts"))
        with pytest.raises(ConnectionLostError) as info:
            await action
        assert str(info.value) == words
        assert session.lost.result() is reason


async def test_packet_beyond_the_limit_ends_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody may fill this machine's memory; the outcome of an action is unknown."""
    monkeypatch.setattr(packet_module, "MAX_PACKET", 2000)

    async def script(peer: Manager) -> None:
        await peer.expect("Originate")
        await peer.send(varset("x" * 4000))

    async with scripted(script) as session:
        with pytest.raises(ConnectionLostError, match="more than 2000 bytes"):
            await session.action("Originate")
        error = session.lost.result()
        assert isinstance(error, ProtocolError)
        assert str(error) == "The gateway sent a packet of more than 2000 bytes"
        # The error may be kept for days. It must not keep the session alive.
        assert error.__traceback__ is None
