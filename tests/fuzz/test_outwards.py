"""Whatever a user writes: the gateway gets exactly that, or the user an error.

Never another command, another action, a second message. The simulator reads as
Asterisk does; what it got is what counts.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
import re

from hypothesis import example, given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.ami import (
    AmiError,
    AuthenticationError,
    Credentials,
    InvalidHeaderError,
    Session,
)
from custom_components.openvox_gsm.ami.packet import build
from custom_components.openvox_gsm.gateway import (
    Gateway,
    InvalidNumberError,
    InvalidTextError,
    SendStatus,
    UssdError,
    commands,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from simulator import Box, Dialect, Simulator, User, UssdMenu
from simulator.cli.command_line import split_arguments
from simulator.manager.framing import ActionParser
from simulator.wire import from_wire, join_surrogates, to_wire

from . import hostile

PHONE = "+4915112345678"


@contextmanager
def running(
    dialect: Dialect = Dialect.ASTERISK_1_8,
    box: Box = Box.OF_2013,
    user: User | None = None,
) -> Iterator[tuple[asyncio.Runner, Simulator]]:
    """Run a gateway for all examples of a property; nothing may be left of it."""
    with asyncio.Runner() as runner:

        async def start() -> Simulator:
            simulator = Simulator(2, dialect, box, [user] if user else None)
            simulator.login_penalty = 0
            await simulator.start()
            return simulator

        simulator = runner.run(start())
        try:
            yield runner, simulator
        finally:
            runner.run(simulator.stop())


@contextmanager
def connected(
    dialect: Dialect, box: Box
) -> Iterator[tuple[asyncio.Runner, Simulator, Gateway]]:
    """Run a gateway with a client that is connected to it."""

    async def connect(simulator: Simulator) -> Gateway:
        client = Gateway(
            simulator.host,
            simulator.port,
            "admin",
            "admin",
            on_part=lambda _part: pytest.fail("no SMS came in"),
            on_connection=lambda _error: pytest.fail("the connection was lost"),
        )
        await client.start()
        await client.spans.read()
        return client

    with running(dialect, box) as (runner, simulator):
        client = runner.run(connect(simulator))
        try:
            yield runner, simulator, client
        finally:
            runner.run(client.stop())


def forget(simulator: Simulator) -> None:
    """Forget what a gateway got up to now."""
    simulator.commands.clear()
    simulator.actions.clear()
    simulator.sent.clear()
    simulator.sent_parts.clear()


kinds_of_gateway = pytest.mark.parametrize(
    ("dialect", "box"),
    [
        pytest.param(Dialect.ASTERISK_1_8, Box.OF_2013, id="old"),
        pytest.param(Dialect.ASTERISK_14, Box.TODAY, id="new"),
    ],
)


# What Asterisk makes of a command


@given(hostile.texts, hostile.texts)
def test_a_command_arrives_as_one_with_its_arguments(one: str, other: str) -> None:
    """Each text is one argument, in its place, and the command the only one."""
    expected = {
        commands.send_sms(1, PHONE, one, timeout=30, optional=("ha1",)): (
            *("send", "sync", "sms", "1", PHONE, one, "30", "ha1"),
        ),
        commands.send_sms_part(
            *(2, PHONE, one), reference=7, count=2, sequence=1, timeout=30
        ): ("send", "sync", "csms", "2", PHONE, one, "7", "2", "1", "30"),
        commands.send_ussd(1, one, 30): ("send", "ussd", "1", one, "30"),
    }
    for command, arguments in expected.items():
        try:
            data = build(
                [("Action", "Command"), ("ActionID", "1"), ("Command", command)]
            )
        except InvalidHeaderError:
            assert re.search("[\r\n\0]", one) or len(to_wire(command)) > 1000
            continue
        (action,) = ActionParser().feed(data)
        assert [key for key, _ in action.fields] == ["action", "actionid", "command"]
        words = split_arguments(action.get("Command"))
        assert words == ["gsm", *map(to_wire, arguments)]

    with suppress(InvalidHeaderError):
        data = build([("Action", "Login"), ("Username", one), ("Secret", other)])
        (action,) = ActionParser().feed(data)
        # Asterisk skips the blanks in front of a value.
        assert action.fields == [
            ("action", "Login"),
            ("username", to_wire(one).lstrip(" \t")),
            ("secret", to_wire(other).lstrip(" \t")),
        ]


_SPELLINGS = st.lists(
    st.sampled_from(
        [
            *("gsm", "power", "stat", "1", "on", "gs", "sm", "pow", "er", "st", "at"),
            *(
                "GSM",
                "sTaT",
                " ",
                "  ",
                "\t",
                '"',
                '""',
                "\\",
                "\\ ",
                "x",
                "ſ",
                "\u2003",
            ),
        ]
    ),
    max_size=14,
).map("".join)


@given(_SPELLINGS | st.tuples(*[_SPELLINGS] * 3).map("gsm power stat ".join))
@example('g"s"m \\power "stat" 1')
@example("gsm\tPOWER  stat 1")
def test_the_command_that_hangs_a_span_is_never_run(command: str) -> None:
    """However it is written."""
    words = [word.lower() for word in split_arguments(to_wire(command))]
    if words[:3] == ["gsm", "power", "stat"]:
        assert commands.is_dangerous(command)


# Through a client


def as_it_may_arrive(text: str) -> str:
    """Leave out what may differ between a text and what a phone shows of it."""
    text = re.sub("\r\n|[\n\v\f\r\x85\u2028\u2029\t\u00a0]", " ", text)
    return text.replace("`", "'").replace("\u2060", "").rstrip()


@kinds_of_gateway
def test_sms(dialect: Dialect, box: Box) -> None:
    """One message with this text to this number, or none and an error."""
    with connected(dialect, box) as (runner, simulator, client):
        numbers = st.just(PHONE) | hostile.texts

        @hostile.part_of_the_examples(2)
        @given(numbers, hostile.texts)
        @example(PHONE, "\\" * 300)
        @example(PHONE, '" 5; gsm power off 1')
        @example(f"{PHONE} 5", "Hello")
        def check(number: str, text: str) -> None:
            forget(simulator)
            # What a later box would make a line break of.
            text = text.replace("\\n", "\\ n")
            try:
                result = runner.run(client.sms.send(number, text, span=1))
            except InvalidNumberError, InvalidTextError:
                assert not simulator.commands
                assert not simulator.sent_parts
                return
            for command in simulator.commands:
                words = command.split()
                assert words[:2] == ["gsm", "show"] or words[:3] == [
                    *("gsm", "send", "sync")
                ]
            assert set(simulator.actions) <= {"Challenge", "Login", "Command"}
            if result.status is not SendStatus.SENT:
                # The simulator's driver takes no "*" and "#" in a number.
                assert result.status is SendStatus.FAILED
                assert set("*#") & set(result.number)
                assert not simulator.sent_parts
                return
            (sms,) = simulator.sent
            assert sms.number == result.number == number
            assert as_it_may_arrive(sms.text) == as_it_may_arrive(text)

        check()
        assert simulator.overruns == []


@kinds_of_gateway
def test_ussd(dialect: Dialect, box: Box) -> None:
    """The code, the reply in its menu, and what the network says to it."""
    with connected(dialect, box) as (runner, simulator, client):

        @hostile.part_of_the_examples(2)
        @given(st.just("*100#") | hostile.texts, hostile.texts, hostile.texts)
        def check(code: str, reply: str, answer: str) -> None:
            forget(simulator)
            # What ends the output of a command in the eyes of Asterisk itself, and
            # what no gateway can write in UTF-8.
            answer = answer.replace("\0", "").replace("--END", "--")
            # The driver takes a text of hex digits alone for UCS-2.
            answer = "> " + answer.encode("utf-8", "ignore").decode()
            wanted = join_surrogates(code), join_surrogates(reply)
            simulator.spans[1].ussd.clear()
            simulator.spans[1].ussd[wanted[0]] = UssdMenu(
                "Menu", {wanted[1]: UssdMenu(answer, code=15)}
            )

            def ask(text: str) -> str | None:
                try:
                    return runner.run(client.ussd.send(1, text)).text
                except ValueError, UssdError:
                    return None

            first = ask(code)
            asked = [code] if first is not None else []
            if first == "Menu":
                second = ask(reply)
                got = [c for c in simulator.commands if c.startswith("gsm send")]
                if len(got) == 2:
                    asked.append(reply)
                if second is not None:
                    # The driver turns a CR of a plain text into a blank (recorded).
                    assert _shown(second) == _shown(answer.replace("\r", " "))
            sends = [c for c in simulator.commands if not c.startswith("gsm show")]
            assert [split_arguments(command)[3:-1] for command in sends] == [
                ["1", join_surrogates(text)] for text in asked
            ]
            assert simulator.sent_parts == []

        check()


def _shown(text: str) -> str:
    return re.sub("[\r\n]+", "\n", text).strip("\n")


@hostile.part_of_the_examples(4)
@given(
    name=hostile.texts,
    secret=hostile.texts,
    challenge=st.booleans(),
    dialect=st.sampled_from(Dialect),
)
@example("admin", "\ud83d", True, Dialect.ASTERISK_1_8)
@example("admin", "x\r\nAction: Logoff", False, Dialect.ASTERISK_1_8)
def test_credentials(name: str, secret: str, challenge: bool, dialect: Dialect) -> None:
    """They log in, or the caller gets an error."""
    user = User(join_surrogates(name), secret)
    with running(dialect, user=user) as (runner, simulator):
        simulator.challenge = challenge

        async def log_in() -> None:
            session = await Session.connect(
                simulator.host, simulator.port, Credentials(name, secret)
            )
            assert simulator.logged_in_users == [user.name]
            await session.close()

        with suppress(InvalidHeaderError, AuthenticationError):
            runner.run(log_in())
        assert set(simulator.actions) <= {"Challenge", "Login", "Logoff"}
        assert len(simulator.actions) <= 3


@kinds_of_gateway
def test_any_command_and_action(dialect: Dialect, box: Box) -> None:
    """An administrator's own: exactly what was written, once, or an error."""
    with connected(dialect, box) as (runner, simulator, client):

        @hostile.part_of_the_examples(2)
        @given(hostile.texts, hostile.texts)
        def check(key: str, value: str) -> None:
            forget(simulator)
            simulator.database.clear()
            with suppress(ValueError, AmiError):
                runner.run(
                    client.run_action(
                        "DBPut", [("Family", "f"), ("Key", "k"), ("Val", value)]
                    )
                )
            assert set(simulator.actions) <= {"Challenge", "Login", "DBPut"}
            assert list(simulator.database.values()) in (
                [],
                [to_wire(value).lstrip(" \t")],
            )
            forget(simulator)
            command = f"database put {commands.quote('f')} {commands.quote(key)} {commands.quote(value)}"
            with suppress(ValueError, AmiError):
                runner.run(client.run_command(command))
            assert simulator.commands in ([], [from_wire(to_wire(command))])

        check()


# Through the actions of Home Assistant


@pytest.mark.parametrize("gateway", [{"spans": 2}], indirect=True, ids=[""])
def test_title_and_message(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """`notify.send_sms`: what stands in title and message is one text."""
    loop = hass.loop

    @hostile.part_of_the_examples(4)
    @given(hostile.texts, hostile.texts, st.just(PHONE) | hostile.texts)
    def check(title: str, message: str, number: str) -> None:
        forget(gateway)
        data = {"title": title, "message": message, "target": number}
        try:
            loop.run_until_complete(
                hass.services.async_call("notify", "send_sms", data, blocking=True)
            )
        except HomeAssistantError:
            # One of several numbers may have got it.
            if "," not in number and ";" not in number:
                assert gateway.sent_parts == []
        for command in gateway.commands:
            assert re.match(r"gsm (?:show|send sync c?sms) ", command)
        text = f"{title}: {message}" if title else message
        for sms in gateway.sent:
            assert as_it_may_arrive(sms.text) == as_it_may_arrive(text)

    check()
