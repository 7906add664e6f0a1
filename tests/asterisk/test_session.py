"""One session with a real Asterisk: login, rights, events, lists, commands, its end."""

import asyncio

import pytest

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    AmiError,
    AuthenticationError,
    CannotConnectError,
    ConnectionLostError,
    InvalidHeaderError,
    Packet,
    PermissionDeniedError,
    Session,
    packet as packet_module,
    session as session_module,
)
from custom_components.openvox_gsm.ami.packet import MAX_LINE
from custom_components.openvox_gsm.gateway import commands, replies

from .conftest import LogIn, until
from .relay import relay
from .server import PASSWORD, Asterisk

pytestmark = pytest.mark.asterisk

UNANSWERED = [
    ("Channel", "Local/unanswered@calls/n"),
    ("Application", "NoOp"),
]


async def call(session: Session) -> None:
    """Have a call that is answered and hung up, with a variable set on it."""
    await session.action(
        "Originate",
        [
            ("Channel", "Local/answered@calls/n"),
            ("Application", "NoOp"),
            ("Timeout", "5000"),
            ("Variable", "COLOUR=blue"),
        ],
    )


class Listener:
    """Every event that a session gets."""

    def __init__(self) -> None:
        """Start with none."""
        self.events: list[Packet] = []

    def subscribe(self, session: Session) -> None:
        """Ask a session for all that it gets."""
        session.subscribe(lambda raw: True, self.events.append)

    @property
    def names(self) -> set[str]:
        """The names of the events."""
        return {event.event for event in self.events}

    @property
    def classes(self) -> set[str]:
        """What the events are classed as."""
        return {event.get("Privilege") for event in self.events}


# Login


async def test_the_password_does_not_go_over_the_wire(
    asterisk: Asterisk, log_in: LogIn
) -> None:
    """Asterisk has a challenge, so the login proves the password without telling it."""
    async with relay(asterisk) as middle:
        session = await log_in(port=middle.port)
        assert session.version
        assert (await session.action("Ping")).get("Ping") == "Pong"
        await session.close()
    assert b"AuthType: MD5" in middle.sent
    assert PASSWORD.encode() not in middle.sent


async def test_plain_login_where_there_is_no_challenge(
    asterisk: Asterisk, log_in: LogIn
) -> None:
    """An Asterisk that does not know the challenge gets the password itself."""
    change = (b"Action: Challenge\r\n", b"Action: Unheard-of\r\n")
    async with relay(asterisk, change) as middle:
        session = await log_in(port=middle.port)
        assert (await session.action("Ping")).get("Ping") == "Pong"
        await session.close()
    assert b"Secret: " + PASSWORD.encode() in middle.sent


@pytest.mark.parametrize(
    ("how", "username", "secret"),
    [("MD5", "admin", "hunter3"), ("plain", "admin", ""), ("MD5", "eve", PASSWORD)],
)
async def test_a_wrong_login(
    asterisk: Asterisk, log_in: LogIn, how: str, username: str, secret: str
) -> None:
    """Asterisk does not tell which of the two was wrong; the error shows neither."""
    change = (b"", b"")
    if how == "plain":
        change = (b"Action: Challenge\r\n", b"Action: Unheard-of\r\n")
    async with relay(asterisk, change) as middle:
        with pytest.raises(AuthenticationError) as caught:
            await log_in(username, secret=secret, port=middle.port)
    assert username not in str(caught.value)
    assert not secret or secret not in str(caught.value)


async def test_a_second_session_of_a_user_who_may_have_one(log_in: LogIn) -> None:
    """That is not a wrong password: nobody has looked at it."""
    await log_in("single")
    with pytest.raises(ActionFailedError, match="^Login Already In Use$"):
        await log_in("single")


# Rights


async def test_a_user_without_rights(log_in: LogIn) -> None:
    """May log in and stay, and nothing else."""
    session = await log_in("powerless", events="on")
    with pytest.raises(PermissionDeniedError):
        await session.command("core show version")
    with pytest.raises(PermissionDeniedError):
        await session.action("Originate", UNANSWERED)
    with pytest.raises(PermissionDeniedError):
        await session.list_action("CoreShowChannels")
    await session.action("Ping")


@pytest.mark.parametrize(
    ("username", "may_read", "may_write"),
    [
        ("stock", {"dialplan", "call"}, {"command", "originate"}),
        ("blind", {"call"}, {"command", "originate"}),
        ('o"d\\d  user', {"call"}, {"command"}),
        ("powerless", set(), set()),
    ],
)
async def test_the_rights_of_a_user_can_be_read(
    session: Session, username: str, may_read: set[str], may_write: set[str]
) -> None:
    """Of those that matter here; whatever the user's name holds."""
    output = await session.command(commands.show_user(username))
    assert f"username: {username}\n" in output
    read, write = (replies.read_rights(output, kind) for kind in ("read", "write"))
    assert read is not None
    assert write is not None
    assert read & {"dialplan", "call"} == may_read
    assert write & {"command", "originate"} == may_write


async def test_a_user_without_the_right_for_the_dialplan_sees_no_variable(
    log_in: LogIn,
) -> None:
    """Whatever the event mask asks for."""
    seeing, blind = Listener(), Listener()
    await log_in("stock", events="on", subscribe=seeing.subscribe)
    await log_in("blind", events="on", subscribe=blind.subscribe)
    await call(await log_in())
    await until(lambda: all("Hangup" in each.names for each in (seeing, blind)))
    assert {"VarSet", "Newexten", "Newchannel"} <= seeing.names
    assert "Newchannel" in blind.names
    assert not {"VarSet", "Newexten"} & blind.names


# Events


@pytest.mark.parametrize(
    ("mask", "classes"),
    [
        ("call", {"call,all"}),
        ("dialplan", {"dialplan,all"}),
        ("call,dialplan", {"call,all", "dialplan,all"}),
        ("off", set()),
    ],
)
async def test_the_event_mask(log_in: LogIn, mask: str, classes: set[str]) -> None:
    """A session gets the classes of events that its login asks for, no others."""
    every, some = Listener(), Listener()
    await log_in(events="on", subscribe=every.subscribe)
    session = await log_in(events=mask, subscribe=some.subscribe)
    await call(session)
    await until(lambda: "Hangup" in every.names)
    await session.action("Ping")  # what was on its way is there before the answer
    assert some.classes == classes


async def test_the_event_of_the_login_comes_with_its_class(log_in: LogIn) -> None:
    """So nobody may wait for it with another mask."""
    listener = Listener()
    await log_in(events="system", subscribe=listener.subscribe)
    await until(lambda: "FullyBooted" in listener.names)
    others = Listener()
    session = await log_in(events="call,dialplan", subscribe=others.subscribe)
    await session.action("Ping")
    assert not others.names


async def test_a_session_does_one_action_at_a_time(log_in: LogIn) -> None:
    """While it does, it gets neither answers nor events; other sessions do."""
    busy, free = Listener(), Listener()
    session = await log_in(events="call", subscribe=busy.subscribe)
    other = await log_in(events="call", subscribe=free.subscribe)
    originate = asyncio.create_task(
        session.action("Originate", [*UNANSWERED, ("Timeout", "1000")])
    )
    await until(lambda: "Newchannel" in free.names)
    ping = asyncio.create_task(session.action("Ping"))
    await other.action("Ping")
    await asyncio.sleep(0.1)
    assert not ping.done()
    assert not originate.done()
    assert not busy.events
    with pytest.raises(ActionFailedError):
        await originate
    await ping
    await until(lambda: "Newchannel" in busy.names)


# Lists


async def test_a_list_of_nothing(session: Session) -> None:
    """Is answered by its head and its end."""
    response, channels = await session.list_action("CoreShowChannels")
    assert response.get("EventList") == "start"
    assert channels == []


async def test_a_list_of_channels(session: Session) -> None:
    """Each channel is an event; the one that ends the list is none of them."""
    await session.action("Originate", [*UNANSWERED, ("Async", "true")])

    async def channels(name: str) -> set[str]:
        _, events = await session.list_action(name)
        return {event.get("Channel") for event in events}

    async with asyncio.timeout(5):
        while len(listed := await channels("CoreShowChannels")) < 2:
            await asyncio.sleep(0.01)
    assert listed == await channels("Status")
    assert {name.rpartition(";")[2] for name in listed} == {"1", "2"}
    await session.action("Hangup", [("Channel", max(listed))])
    async with asyncio.timeout(5):
        while await channels("CoreShowChannels"):
            await asyncio.sleep(0.01)


async def test_lists_with_events_between_them(log_in: LogIn) -> None:
    """What happens meanwhile goes to its own listeners and into no list."""
    listener = Listener()
    session = await log_in(events="on", subscribe=listener.subscribe)
    calling = asyncio.create_task(call(await log_in()))
    lists = []
    while not calling.done():
        lists.append(await session.list_action("ShowDialPlan"))
    await calling
    await until(lambda: "Hangup" in listener.names)
    assert "ListDialplan" not in listener.names
    for response, events in lists:
        assert response.get("Message") == "DialPlan list will follow"
        assert {event.event for event in events} == {"ListDialplan"}
        assert len(events) == len(lists[0][1])


async def test_actions_that_do_not_exist(session: Session) -> None:
    """Tell so, as list and as action, and the session goes on."""
    with pytest.raises(ActionFailedError, match="Unheard-of"):
        await session.action("Unheard-of")
    with pytest.raises(ActionFailedError, match="Unheard-of"):
        await session.list_action("Unheard-of")
    await session.action("Ping")


# Commands


async def test_the_output_of_a_command(asterisk: Asterisk, session: Session) -> None:
    """Is what Asterisk's own console prints, blank lines and indents too."""
    for command in ("manager show user admin", "core show help", "database show"):
        output = await session.command(command)
        assert output.strip() == asterisk.cli(command)
    assert (await session.command("core show help")).count("\n") > 50


async def test_an_unknown_command(session: Session) -> None:
    """Is known by its words, and nothing is raised."""
    for command in (
        commands.SHOW_SPANS,
        commands.HELP,
        commands.SHOW_VERSION,
        commands.show_span(1),
    ):
        assert replies.is_unknown_command(await session.command(command))


async def test_a_command_with_wrong_arguments(session: Session) -> None:
    """Prints its usage, which its help prints, too."""
    usage = await session.command("database put too-few")
    assert replies.is_usage(usage)
    assert usage == await session.command("core show help database put")
    assert replies.read_usage(usage) == ("family", "key", "value")
    assert replies.has_command(
        await session.command("core show help database"), usage[7:19]
    )


async def test_commands_at_the_same_time(session: Session) -> None:
    """Are answered each with its own output."""
    outputs = await asyncio.gather(
        *(session.command(f"core show help no-such-thing-{n}") for n in range(50))
    )
    for number, output in enumerate(outputs):
        assert output == f"No such command 'no-such-thing-{number}'."


# The length of a line


def filling(length: int) -> str:
    """Return a command whose line, with its key, has `length` bytes."""
    head = "database put length value "
    return head + "x" * (length - len("Command: ") - len(head))


async def test_the_longest_line(session: Session) -> None:
    """Reaches Asterisk whole; a longer one is refused before anything is sent."""
    longest = filling(MAX_LINE)
    await session.command(longest)
    _, (entry,) = await session.list_action(
        "DBGet", [("Family", "length"), ("Key", "value")]
    )
    assert entry.get("Val") == longest.split()[-1]
    with pytest.raises(InvalidHeaderError):
        await session.command(filling(MAX_LINE + 1))
    await session.action("Ping")


@pytest.mark.parametrize("excess", [1, 2, 3, 100, 2000])
async def test_a_line_that_is_too_long_for_asterisk(
    session: Session, monkeypatch: pytest.MonkeyPatch, excess: int
) -> None:
    """Had it been sent: an error comes back, nothing was done, the session goes on."""
    monkeypatch.setattr(packet_module, "MAX_LINE", 100_000)
    await session.command("database deltree length")
    with pytest.raises(ActionFailedError, match="line too long"):
        await session.command(filling(MAX_LINE + excess))
    assert session.is_free
    monkeypatch.undo()
    assert await session.command("core show help quux") == "No such command 'quux'."
    with pytest.raises(ActionFailedError, match="not found"):
        await session.list_action("DBGet", [("Family", "length"), ("Key", "value")])


# Keepalive and end


@pytest.mark.parametrize("username", ["admin", "powerless"])
async def test_keepalive(
    asterisk: Asterisk,
    log_in: LogIn,
    monkeypatch: pytest.MonkeyPatch,
    username: str,
) -> None:
    """An idle session asks whether Asterisk is there, and stays; that needs no right."""
    monkeypatch.setattr(session_module, "PING_INTERVAL", 0.02)
    async with relay(asterisk) as middle:
        session = await log_in(username, port=middle.port)
        await until(lambda: middle.sent.count(b"Action: Ping") >= 5)
        assert not session.lost.done()
        await session.close()


async def test_an_asterisk_that_hangs(
    asterisk: Asterisk, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is noticed, though its connections stay open."""
    monkeypatch.setattr(session_module, "PING_INTERVAL", 0.02)
    monkeypatch.setattr(session_module, "PING_TIMEOUT", 0.2)
    session = await log_in()
    asterisk.hold()
    try:
        async with asyncio.timeout(5):
            error = await session.lost
    finally:
        asterisk.go_on()
    assert isinstance(error, ConnectionLostError)


@pytest.mark.parametrize(
    ("way", "answer"),
    [
        ("kill", ConnectionLostError),
        # In an orderly end Asterisk hangs all calls up, and answers who waits for one.
        ("stop", ActionFailedError),
        ("restart", ActionFailedError),
    ],
)
async def test_the_end_of_asterisk(
    asterisk: Asterisk, log_in: LogIn, way: str, answer: type[AmiError]
) -> None:
    """Ends the session with an error, and with it what waits for an answer."""
    session = await log_in()
    waiting = asyncio.create_task(session.action("Originate", UNANSWERED, timeout=20))
    other = await log_in()
    async with asyncio.timeout(5):
        while not (await other.list_action("CoreShowChannels"))[1]:
            await asyncio.sleep(0.01)
    try:
        await asyncio.to_thread(getattr(asterisk, way))
        async with asyncio.timeout(5):
            error = await session.lost
        assert isinstance(error, ConnectionLostError)
        with pytest.raises(answer):
            await waiting
        with pytest.raises(CannotConnectError):
            await session.action("Ping")
    finally:
        asterisk.kill()


async def test_logging_off_leaves_no_session_behind(
    asterisk: Asterisk, log_in: LogIn
) -> None:
    """Neither does a login that failed."""
    sessions = [await log_in() for _ in range(5)]
    assert asterisk.cli("manager show connected").endswith("5 users connected.")
    for each in sessions:
        await each.close()
        assert each.lost.result() is None
    async with asyncio.timeout(5):
        while not asterisk.cli("manager show connected").endswith(
            "\n0 users connected."
        ):
            await asyncio.sleep(0.05)
