"""What reaches Asterisk of a text in a command: exactly that text, or nothing.

`database put` takes the arguments of a command as the ``gsm`` commands of the
gateway do, through the same parser, and `DBGet` tells what arrived.
"""

from collections.abc import Callable
import re

from hypothesis import HealthCheck, example, given, reject, settings, strategies as st
import pytest

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    AuthenticationError,
    InvalidHeaderError,
    Session,
)
from custom_components.openvox_gsm.gateway import InvalidTextError, commands
from custom_components.openvox_gsm.gateway.sending.text import split_text

from .conftest import LogIn
from .relay import relay
from .server import Asterisk

pytestmark = pytest.mark.asterisk

NUMBER = "+4915112345678"

# The characters that mean something to Asterisk, to a shell or to a terminal, and
# those that text handling likes to stumble over.
DELICATE = (
    *"\"\\'`$;:!&|<>(){}[]*?#%~^=,@ \t\v\f\b\a\x1b\x7f\x85",
    *"\u00a0\u00ad\u061c\u200b\u200e\u200f\u202a\u202b\u202e\u2028\u2029\u2066\u2069\ufeff",
    *"\ufffd\uffff\ud800\udbff\udc00\udfff\U0001f600\U0010ffff",
    "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}",
    "\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}\N{ZERO WIDTH JOINER}\N{FIRE}",
    "\\n", "\\\\", '\\"', '" "', '"" ', "${EXTEN}", "$[1+1]", "%s%n", "--END COMMAND--",
)  # fmt: skip
# What no SMS may hold; a line break instead makes longer texts.
UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# What Asterisk prints as another character (the escape), and what is none.
ODD_IN_OUTPUT = re.compile(r"[\x1b\ud800-\udfff]")
# Asterisk reads a line up to there, and a character takes up to six bytes.
LONGEST = 150


def texts(longest: int = LONGEST) -> st.SearchStrategy[str]:
    """Texts of any characters on one line, delicate ones above all."""
    characters = st.characters(codec=None, exclude_characters="\r\n\0")
    pieces = st.one_of(st.sampled_from(DELICATE), characters)
    return st.lists(pieces, max_size=longest).map(
        lambda pieces: "".join(pieces)[:longest]
    )


generated = settings(
    max_examples=300,
    deadline=None,
    # One session serves all examples of a test; that is no matter to a text.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def arguments(command: str, verb: str) -> str:
    """Return what stands behind the words of a command."""
    assert command.startswith(f"{verb} ")
    return command.removeprefix(f"{verb} ")


async def stored(session: Session, family: str, key: str) -> bytes:
    """Return the bytes that Asterisk has stored."""
    _, (entry,) = await session.list_action("DBGet", [("Family", family), ("Key", key)])
    head, _, value = entry.raw.partition(b"\r\nVal: ")
    assert head.endswith(f"\r\nFamily: {family}\r\nKey: {key}".encode())
    return value.rpartition(b"\r\nActionID: ")[0]


@generated
@given(texts())
@example("".join(DELICATE)[:LONGEST])
@example("")
@example(" ")
@example("\\")
@example('"')
async def test_the_text_of_an_sms(session: Session, text: str) -> None:
    """Arrives byte for byte, lone surrogates as three bytes each."""
    command = commands.send_sms(1, NUMBER, text, timeout=30)
    # Span, number, text: the time limit is one argument more than fits.
    command = arguments(command, "gsm send sync sms").removesuffix(" 30")
    assert (
        await session.command(f"database put {command}")
        == "Updated database successfully"
    )
    assert await stored(session, "1", NUMBER) == text.encode("utf-8", "surrogatepass")


@generated
@given(texts(600).map(lambda text: UNSENDABLE.sub("\n", text)))
async def test_a_text_as_it_is_composed(session: Session, text: str) -> None:
    """Each part that is made of a text arrives as it is: none is too long."""
    try:
        composed = split_text(text, line_breaks=True)
    except InvalidTextError:
        reject()  # an empty one, or one of too many parts
    for number, part in enumerate(composed.parts, 1):
        command = commands.send_sms_part(
            1, NUMBER, part, reference=7, count=9, sequence=number, timeout=30
        )
        command = arguments(command, "gsm send sync csms")
        command = command.removesuffix(f" 7 9 {number} 30")
        await session.command(f"database put {command}")
        sent = part.encode("utf-8", "surrogatepass")
        assert await stored(session, "1", NUMBER) == sent


@generated
@given(texts())
async def test_a_ussd_code(session: Session, code: str) -> None:
    """Is one argument, and the time limit the next one."""
    command = arguments(commands.send_ussd(1, code, 30), "gsm send ussd")
    # As span, code, time limit into family, key, value; a key cannot be empty.
    await session.command(f"database put ussd {command}".replace("ussd 1", "ussd", 1))
    _, entries = await session.list_action("DBGetTree", [("Family", "ussd")])
    got = [
        entry.raw.partition(b"\r\nKey: /ussd/")[2].partition(b"\r\nVal: 30")[0]
        for entry in entries
    ]
    await session.command("database deltree ussd")
    assert got == [code.encode("utf-8", "surrogatepass")]


@generated
@given(texts().map(lambda name: ODD_IN_OUTPUT.sub("?", name)))
async def test_the_name_of_a_user(session: Session, name: str) -> None:
    """Is one argument: Asterisk repeats it."""
    output = await session.command(commands.show_user(name))
    assert output == f"There is no manager called {name}"


@pytest.mark.parametrize("forbidden", ["\r", "\n", "\r\n", "\0"])
@pytest.mark.parametrize(
    "build",
    [
        lambda text: commands.send_sms(1, NUMBER, text, timeout=30),
        lambda text: commands.send_sms(1, text, "hello", timeout=30),
        lambda text: commands.send_sms(
            1, NUMBER, "hello", timeout=30, optional=(text,)
        ),
        lambda text: commands.send_ussd(1, text, 30),
        lambda text: commands.show_user(text),
    ],
    ids=["text", "number", "identifier", "USSD code", "user"],
)
async def test_what_would_end_the_command(
    session: Session, build: Callable[[str], str], forbidden: str
) -> None:
    """Is refused before anything is sent, so nothing behind it can be an action."""
    await session.command("database deltree injected")
    command = "Command: database put injected injected injected"
    for behind in (command, f"{command}\r\n\r\n", f"\r\nAction: Command\r\n{command}"):
        with pytest.raises(InvalidHeaderError):
            await session.command(build(f"x{forbidden}{behind}"))
    with pytest.raises(ActionFailedError, match="not found"):
        await session.list_action(
            "DBGet", [("Family", "injected"), ("Key", "injected")]
        )


async def test_user_name_and_password(asterisk: Asterisk, log_in: LogIn) -> None:
    """Never become an action, whatever they hold: an error comes of them."""
    injection = "x\r\n\r\nAction: Ping\r\n\r\n"
    async with relay(asterisk) as middle:
        with pytest.raises(InvalidHeaderError):
            await log_in(injection, port=middle.port)
        with pytest.raises(AuthenticationError):
            # Only its hash goes over the wire.
            await log_in(secret=injection, port=middle.port)
    assert b"Ping" not in middle.sent
