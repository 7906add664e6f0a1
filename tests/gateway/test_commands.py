"""The commands of the gateway's command line, as they are built."""

import re

from hypothesis import given, strategies as st
import pytest

from custom_components.openvox_gsm.gateway import InvalidNumberError, commands

from tests.gateway.test_replies import outputs


def split_arguments(command: str) -> list[str]:
    """Split a command line as the notes on the protocol say that Asterisk does."""
    arguments: list[str] = []
    current: str | None = None
    is_quoted = is_escaped = False
    for character in command:
        if is_escaped:
            current = (current or "") + character
            is_escaped = False
        elif character == "\\":
            is_escaped = True
        elif character == '"':
            is_quoted = not is_quoted
            current = current or ""
        elif character in " \t" and not is_quoted:
            if current is not None:
                arguments.append(current)
            current = None
        else:
            current = (current or "") + character
    return arguments if current is None else [*arguments, current]


def test_the_splitting_of_these_tests() -> None:
    """It is no mirror of the code that it tests."""
    assert split_arguments(r'a  b"c d"e \"f "" "g\\h"') == [
        "a",
        "bc de",
        '"f',
        "",
        "g\\h",
    ]


@given(st.text())
def test_quoting(argument: str) -> None:
    """Asterisk's splitting gives any argument back, as one."""
    assert split_arguments(f"a {commands.quote(argument)} b") == ["a", argument, "b"]


@given(
    text=st.text(),
    span=st.integers(1, 44),
    message_id=st.none() | st.just("ha1f"),
)
def test_commands_that_send(text: str, span: int, message_id: str | None) -> None:
    """Every argument is in its place."""
    last = () if message_id is None else (message_id,)

    command = commands.send_sms(span, "+491", text, timeout=30, optional=last)
    assert split_arguments(command) == [
        *(["gsm", "send", "sync", "sms"]),
        *(str(span), "+491", text, "30"),
        *last,
    ]
    assert split_arguments(
        commands.send_sms_part(
            span,
            "+491",
            text,
            reference=7,
            count=3,
            sequence=2,
            timeout=30,
            optional=last,
        )
    ) == [
        *(["gsm", "send", "sync", "csms"]),
        *(str(span), "+491", text, "7", "3", "2", "30"),
        *last,
    ]
    assert split_arguments(commands.send_ussd(span, text, 10)) == [
        *(["gsm", "send", "ussd"]),
        *(str(span), text, "10"),
    ]


def test_commands_as_they_stand_in_the_samples() -> None:
    """Byte by byte."""
    samples = set(outputs("1.8"))

    assert commands.SHOW_SPANS in samples
    assert commands.SHOW_ALL_SPANS in samples
    assert commands.SHOW_VERSION in samples
    assert commands.HELP_SEND_SMS in samples
    assert commands.HELP_SEND_SMS.startswith(commands.HELP)
    assert commands.show_span(9) in samples
    assert commands.show_sms_coding(1) in samples
    assert commands.show_sms_mode(1) in samples
    assert commands.send_sms(1, "+4915112345678", 'hello "you"', timeout=20) in samples
    part = commands.send_sms_part(
        1,
        "+4915112345678",
        "part one",
        reference=7,
        count=2,
        sequence=1,
        timeout=20,
        optional=("msg-7",),
    )
    assert part in samples


def test_a_user_name_is_one_argument() -> None:
    """Whatever it holds."""
    assert split_arguments(commands.show_user('my "user"')) == [
        *(["manager", "show", "user"]),
        'my "user"',
    ]


@pytest.mark.parametrize("action", ["on", "off", "reset"])
def test_power(action: str) -> None:
    """None of them is the one that hangs the span."""
    assert commands.power(action, 4) == f"gsm power {action} 4"
    assert not commands.is_dangerous(commands.power(action, 4))


@pytest.mark.parametrize(
    "command",
    [
        "gsm power stat 1",
        "gsm power stat",
        "  GSM  Power\tSTAT 1",
        'gsm "power" s"ta"t 1',
        "g\\sm power \\stat 1",
        "gsm power st 1",
        "gsm power status 1",
    ],
)
def test_commands_that_hang_a_span(command: str) -> None:
    """Asterisk takes them in many forms."""
    assert commands.is_dangerous(command)


@pytest.mark.parametrize(
    "command",
    ["", "gsm", "gsm power", "gsm power reset 1", "gsm show stat", "core power stat"],
)
def test_commands_that_hang_none(command: str) -> None:
    """They only look a little like it."""
    assert not commands.is_dangerous(command)


@pytest.mark.parametrize(
    "number", ["+4915112345678", "10086", "*100#", "1", "1" * 64, "+" + "1" * 63]
)
def test_a_number_can_stand_in_a_command(number: str) -> None:
    """In its one form it goes out as it is."""
    commands.check_number(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "  ",
        "+",
        "++49",
        "49+",
        "+49151x",
        "MyBank",
        "+49\u0661",
        "0151 123",
        " 0151",
        "0151\n",
        "0151,0152",
        "0151\r\nAction: Logoff",
        '0151" 5',
        "0151\0",
        "4915112345678.0",
        "1" * 65,
        "+" + "1" * 64,
    ],
)
def test_anything_else_cannot(number: str) -> None:
    """The error says what a number is, and doesn't repeat this one."""
    with pytest.raises(InvalidNumberError) as caught:
        commands.check_number(number)
    assert str(caught.value) == (
        "A number has 1 to 64 characters: digits, * and #, with or without a +"
    )


@given(st.text())
def test_a_number_is_safe_in_a_command(number: str) -> None:
    """No space, quote or line break ever gets through."""
    try:
        commands.check_number(number)
    except InvalidNumberError:
        return
    assert re.fullmatch(r"\+?[0-9*#]{1,64}", number)
