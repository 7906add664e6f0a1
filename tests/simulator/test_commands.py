"""The command line: splitting, help, and commands of Asterisk itself."""

from time import time

from hypothesis import given, strategies as st
import pytest

from simulator import Box, Simulator, User
from simulator.cli.command_line import split_arguments

from .client import Client, connected


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("gsm show spans", ["gsm", "show", "spans"]),
        ("  a \t b  ", ["a", "b"]),
        ('say "two words" here', ["say", "two words", "here"]),
        ('empty "" one', ["empty", "", "one"]),
        (r'"a \"quoted\" word"', ['a "quoted" word']),
        (r"a\ b", ["a b"]),
        (r'"back\\slash"', ["back\\slash"]),
        ('glued"to gether"', ["gluedto gether"]),
        ('"never ended', ["never ended"]),
        ("", []),
    ],
)
def test_splitting(line: str, arguments: list[str]) -> None:
    """Blanks divide, quotes hold together, a backslash takes the next one as it is."""
    assert split_arguments(line) == arguments


@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n")))
def test_quoting(text: str) -> None:
    """In quotes, with quotes and backslashes escaped, any text is one argument."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    assert split_arguments(f'x "{escaped}" y') == ["x", text, "y"]


async def test_a_quoted_text_can_be_proved(client: Client) -> None:
    """What a command puts into the database, an action reads back."""
    text = 'say "hi" \\ and \t blanks  ü'
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    answer = await client.command(f'database put family key "{escaped}"')
    assert answer == "Updated database successfully"
    assert (await client.action("DBGet", Family="family", Key="key"))[
        "Response"
    ] == "Success"
    value = (await client.packet())["Val"]
    assert (await client.packet())["Event"] == "DBGetComplete"
    assert value.encode("latin-1").decode() == text
    got = await client.command("database get family key")
    assert got.encode("latin-1").decode() == f"Value: {text}"
    assert await client.command("database del family key") == "Database entry removed."
    assert (
        await client.command("database del family key")
        == "Database entry does not exist."
    )
    assert (
        await client.command("database get family key") == "Database entry not found."
    )


@pytest.mark.parametrize("command", ["put a b", "get a", "del a b c"])
async def test_database_usage(client: Client, command: str) -> None:
    """A wrong number of arguments prints the usage."""
    assert (await client.command(f"database {command}")).startswith("Usage: database")


async def test_commands_are_kept(sim: Simulator, client: Client) -> None:
    """Tests can see every command, as text."""
    await client.command('gsm send sms 1 10086 "Grüße 🚪"')
    await client.command(b'gsm send sms 1 10086 "\xed\xa0\xbd\xed\xba\xaa"')
    await client.command(b'gsm send sms 1 10086 "\xff"')
    assert sim.commands == [
        'gsm send sms 1 10086 "Grüße 🚪"',
        'gsm send sms 1 10086 "🚪"',
        'gsm send sms 1 10086 "ÿ"',
    ]


async def test_upper_case_works(client: Client) -> None:
    """The app note writes ``GSM send sms``."""
    assert await client.command("GSM show Version") == "libgsmat version: 2.0.8"


async def test_help_lists_the_commands_of_the_firmware(client: Client) -> None:
    """Right-aligned names, as a real gateway prints them."""
    lines = (await client.command("core show help gsm")).split("\n")
    assert "                gsm show spans Displays GSM Information" in lines
    assert (
        "            gsm send sync csms Send Concatenated SMS and wait finish on a given GSM span"
        in (lines)
    )
    assert all(line[:30].strip().startswith("gsm ") for line in lines)


async def test_help_on_one_command_does_not_run_it(
    sim: Simulator, client: Client
) -> None:
    """The safe way to learn what a firmware can do."""
    for line in (await client.command("core show help gsm")).split("\n"):
        name = line[:30].strip()
        usage = await client.command(f"core show help {name}")
        assert usage.startswith(f"Usage: {name}"), name
    assert sim.sent == []


async def test_help_of_nothing(client: Client) -> None:
    """An unknown name, and no name at all."""
    assert (
        await client.command("core show help no such") == "No such command 'no such'."
    )
    assert "core show help" in await client.command("core show help")


@pytest.mark.parametrize(
    ("box", "has_flash"),
    [(Box.OF_2013, False), (Box.TODAY, True)],
)
async def test_usage_names_the_flash_argument(box: Box, has_flash: bool) -> None:
    """The usage text tells what stands behind the timeout."""
    async with Simulator(spans=1, box=box) as sim, connected(sim) as client:
        for name in ("sms", "csms"):
            usage = await client.command(f"core show help gsm send sync {name}")
            assert ("<timeout> [flash sms] [id]" in usage) is has_flash
            assert ("<timeout> [id]" in usage) is not has_flash


async def test_help_that_an_unknown_command_names(client: Client) -> None:
    """All its words, or those up to where they lead nowhere (recorded)."""
    for command, words in (
        ("gsm", "gsm"),
        ("gsm foo", "gsm foo"),
        ("gsm sh spans", "gsm sh"),
        ("no such command", "no such command"),
    ):
        answer = await client.command(command)
        assert f"'{command}' (type 'core show help {words}' for" in answer


async def test_commands_of_today(today: Simulator) -> None:
    """There are more of them, in the order of their names."""
    async with connected(today) as client:
        lines = (await client.command("core show help gsm")).split("\n")
        names = [line[:30].strip() for line in lines]
        assert {"gsm show cells", "gsm set smslimit", "gsm start"} <= set(names)
        assert names == sorted(names)
        assert await client.command("gsm show cells 1") == ""


async def test_concise_channels(sim: Simulator, client: Client) -> None:
    """For programs: no heading, the fields divided by exclamation marks."""
    assert await client.command("core show channels concise") == ""
    await sim.incoming_call(1, "10086")
    row = await client.command("core show channels concise")
    assert row.startswith("EXTRA/1-1!gsm-1!s!1!Rsrvd!Dial!SIP/1001,60,r!10086!")


async def test_description_of_an_action(client: Client) -> None:
    """As recorded on an Asterisk without its documentation."""
    answer = await client.command("manager show command Originate")
    assert answer == "Action: Originate\nSynopsis: \nPrivilege: originate,all\n"
    assert await client.command("manager show command Nonsense") == ""
    assert "Usage:" in await client.command("manager show command")


async def test_other_commands(client: Client) -> None:
    """A few that people type."""
    assert "Asterisk 1.8.20.0" in await client.command("core show version")
    assert "System uptime: 0" in await client.command("core show uptime")
    assert "0 active channels" in await client.command("core show channels")
    assert "No such command 'x'" in await client.command("x")


async def test_no_command_at_all(client: Client, sim_14: Simulator) -> None:
    """It is refused."""
    async with connected(sim_14) as later:
        for each in (client, later):
            for fields in ({}, {"Command": ""}, {"Command": "   "}):
                answer = await each.action("Command", **fields)
                assert answer == {"Response": "Error", "Message": "No command provided"}


async def test_database_of_nothing(client: Client, sim_14: Simulator) -> None:
    """Only the words differ."""
    command = "database del no no"
    assert await client.command(command) == "Database entry does not exist."
    async with connected(sim_14) as later:
        assert await later.command(command) == "Database entry could not be removed."


async def test_channels_of_14(sim_14: Simulator) -> None:
    """The columns are wide, and calls that are over are counted; so are SMS."""
    async with connected(sim_14) as client:
        assert (await client.command("core show channels")).endswith(
            "\n0 calls processed"
        )
        await sim_14.receive_sms(2, "10086", "hello")
        await (await sim_14.incoming_call(1, "10086")).answer()
        head, row, *counts = (await client.command("core show channels")).split("\n")
    assert head.index("Location") == row.index("s@gsm-1:1") == 65
    assert head.index("State") == row.index("Up ") == 98
    assert counts == ["1 active channel", "1 active call", "2 calls processed"]


async def test_connected_users_of_14(sim_14: Simulator) -> None:
    """Since when, for how long, and with which rights, a bit for each."""
    sim_14.users["root"] = User("root", "root", ["all"], ["command", "message"])
    async with connected(sim_14, "root") as client:
        _, row, count = (await client.command("manager show connected")).split("\n")
    name, address, start, elapsed, descriptor, requests, read, write = row.split()
    assert (name, address, requests) == ("root", "127.0.0.1", "0")
    assert 0 <= time() - int(start) < 60
    assert int(elapsed) < 60
    assert int(descriptor) > 2
    assert (int(read), int(write)) == (2**31 - 1, 2**4 + 2**18)
    assert count == "1 users connected."
