"""How bytes become actions."""

from hypothesis import given, strategies as st
import pytest

from simulator import Simulator
from simulator.manager.framing import Action, ActionParser

from .client import Client


def _parse(*pieces: bytes) -> list[Action]:
    parser = ActionParser()
    return [action for piece in pieces for action in parser.feed(piece)]


def test_a_packet_ends_with_an_empty_line() -> None:
    """Two packets in one piece are two actions, in order."""
    actions = _parse(b"Action: Ping\r\nActionID: 1\r\n\r\nAction: Logoff\r\n\r\n")
    assert [action.get("Action") for action in actions] == ["Ping", "Logoff"]
    assert actions[0].get("ActionID") == "1"


def test_keys_are_case_insensitive_and_the_blank_may_be_missing() -> None:
    """The app note's own program writes ``action:Login``."""
    (action,) = _parse(b"action:Login\r\nUSERNAME:admin\r\n\r\n")
    assert (action.get("Action"), action.get("Username")) == ("Login", "admin")


def test_a_bare_line_feed_ends_a_line_too() -> None:
    """So a line break in a command injects keys: clients have to see to it."""
    (action,) = _parse(b"Action: Command\nCommand: a\nActionID: 9\n\n")
    assert action.get("ActionID") == "9"


def test_keys_may_come_again() -> None:
    """All their values can be had, in order; the first one counts."""
    (action,) = _parse(b"Variable: A=1\r\nVariable: B=2\r\n\r\n")
    assert action.get_all("variable") == ["A=1", "B=2"]
    assert action.get("Variable") == "A=1"


@given(st.lists(st.integers(1, 30), max_size=20))
def test_it_does_not_matter_where_the_bytes_are_cut(sizes: list[int]) -> None:
    """TCP knows no packets."""
    data = b"Action: Ping\r\nActionID: 1\r\n\r\nAction: Command\r\nCommand: gsm show spans\r\n\r\n"
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    assert _parse(*pieces, data[at:]) == _parse(data)


def test_a_line_of_1022_bytes_is_the_longest() -> None:
    """With CRLF it fills Asterisk's buffer of 1,024 bytes."""
    line = b"Command: " + b"x" * (1022 - 9)
    (action,) = _parse(b"Action: Command\r\n" + line + b"\r\n\r\n")
    assert not action.too_long
    assert len(action.get("Command")) == 1013


@pytest.mark.parametrize("length", [1024, 1025, 2045, 2047, 2048, 3500])
def test_the_packet_of_a_longer_line_is_lost_as_a_whole(length: int) -> None:
    """Even what stands behind the line."""
    line = b"X-Pad: ".ljust(length, b"x")
    lost, after = _parse(
        b"Action: Ping\r\n%b\r\nActionID: 5\r\n\r\nAction: Ping\r\n\r\n" % line
    )
    assert (lost.too_long, lost.get("ActionID")) == (True, "5")
    assert (after.too_long, after.get("Action")) == (False, "Ping")


@pytest.mark.parametrize("length", [1023, 2046, 3069])
def test_the_end_of_some_longer_lines_is_taken_for_that_of_the_packet(
    length: int,
) -> None:
    """It throws away 1,023 bytes, and nothing but the CRLF is left of the line."""
    line = b"X-Pad: ".ljust(length, b"x")
    lost, rest = _parse(b"Action: Ping\r\n%b\r\nActionID: 5\r\n\r\n" % line)
    assert (lost.too_long, lost.get("Action"), lost.get("ActionID")) == (
        True,
        "Ping",
        "",
    )
    assert (rest.too_long, rest.get("Action"), rest.get("ActionID")) == (False, "", "5")


async def test_a_long_line_is_answered_by_an_error(client: Client) -> None:
    """It names the reason."""
    client.write(
        b"Action: Command\r\nActionID: 5\r\nCommand: " + b"x" * 1100 + b"\r\n\r\n"
    )
    answer = await client.packet()
    assert answer == {
        "Response": "Error",
        "ActionID": "5",
        "Message": "Failed to parse message: line too long",
    }
    assert client.sim.commands == []
    assert (await client.action("Ping"))["Ping"] == "Pong"


async def test_a_packet_without_action_is_an_error(client: Client) -> None:
    """An empty one as well."""
    client.write(b"\r\n")
    assert (await client.packet())["Message"] == "Missing action in request"


async def test_names_of_actions_are_case_insensitive(client: Client) -> None:
    """The name is noted as the client wrote it."""
    assert (await client.action("pInG"))["Ping"] == "Pong"
    assert client.sim.actions[-1] == "pInG"


async def test_an_action_with_a_line_break_injects_another(
    sim: Simulator, client: Client
) -> None:
    """A client that lets line breaks into a command gives its power away."""
    client.start_command("gsm show version\r\n\r\nAction: Logoff")
    await client.output()
    assert (await client.packet())["Response"] == "Goodbye"
