"""The simulator beside a real Asterisk: what each answers to the same bytes.

The simulator is ours, so it could share our errors. This compares what does not
depend on GSM, byte for byte but for times, versions and numbers by chance.
"""

import asyncio
from collections.abc import AsyncIterator
import re

import pytest

from custom_components.openvox_gsm.ami import Credentials, Packet, Session
from simulator import Dialect, Simulator, User

from .conftest import LogIn, until
from .driver import CHANNEL, deliveries
from .server import PASSWORD, Asterisk
from .test_inbox import ALICE, Receiver

pytestmark = pytest.mark.asterisk

END = b"Action: Ping\r\nActionID: the-end\r\n\r\n"
END_ANSWER = re.compile(rb"ActionID: the-end\r\n(?:[^\r]+\r\n)*\r\n")
# What differs from one moment, or one machine, to the next.
BY_CHANCE = re.compile(
    rb"(Timestamp|Challenge|Core\w+(?:Date|Time)|Uptime|LastReload|AsteriskVersion): [^\r]+"
    # In "manager show connected": since when, for how long, on which file.
    rb"|(?<=  )\d{10}  (?=\d)[\d ]{10}  (?=\d)[\d ]{8}(?=  )"
)


def login(events: str = "off", *, name: str = "stock", secret: str = PASSWORD) -> str:
    """Write a login; without a mask where `events` is empty."""
    mask = [f"Events: {events}"] if events else []
    return action("Login", f"Username: {name}", f"Secret: {secret}", *mask)


def action(name: str, *headers: str) -> str:
    """Write an action."""
    return "\r\n".join([f"Action: {name}", *headers, "", ""])


def command(line: str) -> str:
    """Write the action that runs a command."""
    return action("Command", f"Command: {line}")


def padded(length: int) -> str:
    """Write a ping with a line of `length` bytes."""
    return action("Ping", "ActionID: 7", "X-Pad: ".ljust(length, "x"))


async def answers(host: str, port: int, sent: str) -> bytes:
    """Send bytes on a new connection; return all that comes back."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        async with asyncio.timeout(10):
            got = await reader.readuntil(b"\r\n")
            writer.write(sent.encode("utf-8", "surrogateescape") + END)
            while not END_ANSWER.search(got) and (data := await reader.read(65536)):
                got += data
    finally:
        writer.close()
    return BY_CHANCE.sub(rb"\1: (by chance)", got)


@pytest.fixture
async def simulator(socket_enabled: None) -> AsyncIterator[Simulator]:
    """A simulator that writes as later Asterisks do, with the users of the tests."""
    async with Simulator(spans=1, dialect=Dialect.ASTERISK_14) as simulator:
        simulator.login_penalty = 0
        simulator.users.clear()
        for user in (
            User("admin", PASSWORD, {"all"}, {"all"}),
            User("stock", PASSWORD),
            User("powerless", PASSWORD, set(), set()),
        ):
            simulator.users[user.name] = user
        yield simulator


EXCHANGES = {
    "login": login(""),
    "login without events": login(),
    "login with the events of the system": login("system,call"),
    "login with others": login("call,dialplan"),
    "wrong password": login(secret="hunter3"),
    "unknown user": login(name="eve"),
    "wrong key": action("Login", "AuthType: MD5", "Username: stock", "Key: 00"),
    "second login": login() + login(),
    "second login with a wrong password": login() + login(secret="hunter3"),
    "second login of another": login() + login(name="admin") + command("manager show connected"),
    "login with an ActionID": action("Login", "ActionID: 8", "Username: stock", f"Secret: {PASSWORD}"),
    "user in capitals": login(name="STOCK"),
    "challenge": action("Challenge", "AuthType: MD5"),
    "challenge in small letters": action("Challenge", "AuthType: md5"),
    "challenge of another kind": action("Challenge", "AuthType: SHA"),
    "challenge without a kind": action("Challenge"),
    "ping before the login": action("Ping"),
    "unknown action before the login": action("Unheard-of"),
    "command before the login": command("core show version"),
    "logoff": login() + action("Logoff"),
    "logoff before the login": action("Logoff"),
    "no action": login() + "ActionID: 9\r\n\r\n",
    "empty action": login() + action(""),
    "unknown action": login() + action("Unheard-of", "ActionID: 3"),
    "capitals do not matter": login() + "ACTION: ping\r\naCTIONid: x\r\n\r\n",
    "no blank after the colon": login() + "Action:Ping\r\nActionID:x\r\n\r\n",
    "blanks after the colon": login() + "Action:   Ping\r\nActionID:   x  \r\n\r\n",
    "line feeds alone": login() + "Action: Ping\nActionID: x\n\n",
    "empty lines before": login() + "\r\n\r\n" + action("Ping"),
    "ping": login() + action("Ping", "ActionID: a b"),
    "mask on": login() + action("Events", "EventMask: on"),
    "mask off": login() + action("Events", "EventMask: off"),
    "mask of classes": login() + action("Events", "EventMask: call,dialplan"),
    "mask of unknown classes": login() + action("Events", "EventMask: nonsense"),
    "mask of classes in capitals": login() + action("Events", "EventMask: CALL"),
    "mask with an unknown class": login() + action("Events", "EventMask: call,nonsense"),
    "no mask": login() + action("Events"),
    "core settings": login() + action("CoreSettings"),
    "core status": login() + action("CoreStatus"),
    "no channels": login() + action("CoreShowChannels", "ActionID: 4"),
    "status of none": login() + action("Status", "ActionID: 4"),
    "status of an unknown one": login() + action("Status", "Channel: X/1"),
    "hangup of an unknown one": login() + action("Hangup", "Channel: X/1"),
    "hangup of none": login() + action("Hangup"),
    "timeout of an unknown one": login() + action("AbsoluteTimeout", "Channel: X/1", "Timeout: 5"),
    "timeout of none": login() + action("AbsoluteTimeout"),
    "getvar of an unknown one": login() + action("Getvar", "Channel: X/1", "Variable: A"),
    "getvar": login() + action("Getvar", "Variable: UNHEARD"),
    "getvar of nothing": login() + action("Getvar"),
    "setvar of nothing": login() + action("Setvar"),
    "originate of nothing": login() + action("Originate"),
    "originate nowhere": login() + action("Originate", "Channel: X/1"),
    "originate without a priority": login() + action("Originate", "Channel: X/1", "Exten: 5", "Context: c"),
    "user event": login() + action("UserEvent", "UserEvent: x"),
    "user event heard": login("user") + action("UserEvent", "UserEvent: x", "A: b"),
    "no database entry": login() + action("DBGet", "Family: no", "Key: no"),
    "no family": login() + action("DBGet"),
    "no key": login() + action("DBGet", "Family: no"),
    "database put": login() + action("DBPut", "Family: f", "Key: k", "Val: v") + action("DBGet", "ActionID: 5", "Family: f", "Key: k"),
    "database del": login() + action("DBPut", "Family: f", "Key: k", "Val: v") + action("DBDel", "Family: f", "Key: k") + action("DBDel", "Family: f", "Key: k"),
    "database deltree": login() + action("DBDelTree", "Family: unheard"),
    "module": login() + action("ModuleCheck", "Module: unheard"),
    "wait": login() + action("WaitEvent", "Timeout: 1"),
    "no right": login(name="powerless") + command("core show version"),
    "no right for a list": login(name="powerless") + action("CoreShowChannels"),
    "no right for settings": login(name="powerless") + action("CoreSettings"),
    "no right but for a ping": login(name="powerless") + action("Ping"),
    "no right but for a mask": login(name="powerless") + action("Events", "EventMask: on"),
    "unknown command": login() + command("unheard of"),
    "unknown help": login() + command("core show help unheard"),
    "half a command": login() + command("core show"),
    "no command": login() + command(""),
    "no command header": login() + action("Command"),
    "help": login() + command("core show help database put"),
    "usage": login() + command("database put too-few"),
    "usage of an unclosed quote": login() + command('database put a "b c'),
    "blanks for a command": login() + command("   "),
    "put": login() + command('database put fa "k e" "v \\" \\\\ a"') + command('database get fa "k e"'),
    "get nothing": login() + command("database get no no"),
    "del nothing": login() + command("database del no no"),
    "unknown user's rights": login() + command('manager show user "e v"'),
    "all rights": login() + command("manager show user admin"),
    "rights of a user in capitals": login() + command("manager show user STOCK"),
    "stock rights": login() + command("manager show user stock"),
    "no rights": login() + command("manager show user powerless"),
    "connected": login() + command("manager show connected"),
    "channels": login() + command("core show channels"),
    **{f"a line of {n} bytes": login() + padded(n) for n in (1022, 1023, 1024, 1025, 1026, 2045, 2046, 2047, 2048, 2100, 3069, 3500)},
    "a header after a line of 1023 bytes": login() + action("Ping", "X-Pad: ".ljust(1023, "x"), "ActionID: 7"),
    "a header after a line of 1024 bytes": login() + action("Ping", "X-Pad: ".ljust(1024, "x"), "ActionID: 7"),
}  # fmt: skip


# Where the simulator is known to say something else: it keeps to the samples in
# tests/data, which lack the last line of either.
DIFFERENT = frozenset(("core settings", "core status"))


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(
            sent,
            id=name,
            marks=[pytest.mark.xfail(strict=True)] if name in DIFFERENT else [],
        )
        for name, sent in EXCHANGES.items()
    ],
)
async def test_the_same_answer(
    asterisk: Asterisk, simulator: Simulator, sent: str
) -> None:
    """To the byte."""
    assert await answers(simulator.host, simulator.port, sent) == await answers(
        asterisk.host, asterisk.port, sent
    )


async def variable_event(host: str, port: int, value: bytes) -> bytes:
    """Set a variable; return its event, which comes in its own time."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        async with asyncio.timeout(10):
            writer.write(login("dialplan").encode())
            writer.write(b"Action: Setvar\r\nVariable: A\r\nValue: %b\r\n\r\n" % value)
            await reader.readuntil(b"Event: VarSet\r\n")
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("plain, é, €, 😀".encode(), id="UTF-8"),
        pytest.param(b"\" ' ? \\ \t \a \x01 \x7f", id="what is escaped"),
        pytest.param(b"caf\xdf \xff\xff \x80", id="Latin-1"),
        pytest.param(b'\xe2\x82 \xe2\x82" \xf0\x9f\x98\xe2\x82\xac \xf0\xff', id="cut"),
        pytest.param(b"ends in \xf0\x9f\x98", id="cut at its end"),
        pytest.param(b"\xc0\x80 \xe0\x80\x80", id="longer than need be"),
        pytest.param(b"\xed\xa0\xbd\xed\xb8\x80", id="CESU-8"),
        pytest.param(b"\xf4\x90\x80\x80 \xef\xbf\xbf", id="beyond Unicode"),
    ],
)
async def test_the_same_value_of_a_variable(
    asterisk: Asterisk, simulator: Simulator, value: bytes
) -> None:
    """Escaped, and with all that is not UTF-8 replaced."""
    assert await variable_event(
        simulator.host, simulator.port, value
    ) == await variable_event(asterisk.host, asterisk.port, value)


async def test_the_same_headers_in_the_events_of_an_sms(
    session: Session, log_in: LogIn, simulator: Simulator
) -> None:
    """In the same order, for all three kinds of events."""
    kinds = ("VarSet", "Newexten", "Hangup")

    def keys(packets: list[bytes], channel: re.Pattern[str]) -> dict[str, list[str]]:
        return {
            packet.event: [key for key, _ in packet.headers]
            for packet in map(Packet, packets)
            if packet.event in kinds and channel.fullmatch(packet.get("Channel"))
        }

    receiver = Receiver()
    await log_in("stock", events="call,dialplan", subscribe=receiver.subscribe)
    await receiver.told_of(session, deliveries(1, ALICE, "hello"))
    simulated: list[bytes] = []

    def keep(raw: bytes) -> bool:
        simulated.append(raw)
        return False

    beside = await Session.connect(
        simulator.host,
        simulator.port,
        Credentials("stock", PASSWORD),
        events="call,dialplan",
        subscribe=lambda session: session.subscribe(keep, lambda packet: None),
    )
    await simulator.receive_sms(1, ALICE, "hello")
    await until(lambda: any(raw.startswith(b"Event: Hangup") for raw in simulated))
    await beside.close()
    expected = keys(receiver.packets, CHANNEL)
    assert set(expected) == set(kinds)
    assert keys(simulated, re.compile("EXTRA-SMS/.*")) == expected
