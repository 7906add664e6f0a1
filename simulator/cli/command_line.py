"""The Asterisk command line: splitting, finding and running commands.

The commands themselves are in `asterisk` and `gsm`.
"""

from bisect import insort
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum

from simulator.model.gateway import Gateway


class Status(Enum):
    """How a command ended, for the manager interface."""

    SUCCESS = "success"
    FAILURE = "failure"
    USAGE = "usage"
    """Wrong arguments: the usage was printed instead."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Output:
    """What a command printed, as bytes of the wire, and how it ended."""

    text: str
    status: Status = Status.SUCCESS


def ok(text: str = "") -> Output:
    """Give the output of a command that worked."""
    return Output(text)


def failure(text: str) -> Output:
    """Give the output of a command that failed."""
    return Output(text, Status.FAILURE)


SHOW_USAGE = Output("", Status.USAGE)

type Handler = Callable[[Gateway, list[str]], Awaitable[Output]]
"""Runs a command; the arguments are all its words, the name of the command first."""


@dataclass(frozen=True)
class CliCommand:
    """One command of the command line."""

    name: str
    summary: str
    usage: str
    run: Handler


def split_arguments(line: str) -> list[str]:
    r"""Split a command line as Asterisk does (part 2 of the notes).

    Blanks and tabs divide; ``"`` starts and ends a quoted stretch; ``\`` takes the next
    character as it is, inside quotes too; ``""`` is an empty argument.
    """
    arguments: list[str] = []
    between = True
    quoted = escaped = False
    for char in line:
        if char == '"' and not escaped:
            quoted = not quoted
            if quoted and between:
                arguments.append("")
                between = False
        elif char in " \t" and not (quoted or escaped):
            between = True
        elif char == "\\" and not escaped:
            escaped = True
        else:
            if between:
                arguments.append("")
                between = False
            arguments[-1] += char
            escaped = False
    return arguments


class CommandLine:
    """All commands that Asterisk has, in the order in which it lists them."""

    def __init__(self, gateway: Gateway, commands: Iterable[CliCommand]) -> None:
        """Take the gateway that the commands act on."""
        self._gateway = gateway
        self.recorded: Callable[[str], Output | None] = lambda _line: None
        """Gives the answer to a command that is known from a recording."""
        self.offer(commands)

    def offer(self, commands: Iterable[CliCommand]) -> None:
        """Offer these commands from now on, and the help on them."""
        self._commands = list(commands)
        insort(self._commands, self._help_command(), key=lambda command: command.name)

    def leave_out(self, start: str) -> None:
        """Forget all commands whose names start with some words, as other firmware does."""
        self._commands = [
            command for command in self._commands if not command.name.startswith(start)
        ]

    def change_usage(self, name: str, usage: str) -> None:
        """Let one command print another usage, as other firmware does."""
        self._commands = [
            replace(command, usage=f"Usage: {usage}\n")
            if command.name == name
            else command
            for command in self._commands
        ]

    async def run(self, line: str) -> Output:
        """Run a command line and give its output, with the lines that Asterisk adds to it.

        A command that fails adds a last line that repeats the whole command.
        """
        if recorded := self.recorded(line):
            return recorded
        arguments = split_arguments(line)
        command = self._find(arguments)
        if command is None:
            return Output(
                f"No such command '{line}' (type 'core show help "
                f"{' '.join(self._closest(arguments))}' for other possible commands)\n",
                Status.UNKNOWN,
            )
        output = await command.run(self._gateway, arguments)
        if output.status is Status.USAGE:
            return Output(command.usage, Status.USAGE)
        if output.status is Status.FAILURE:
            return failure(f"{output.text}Command '{line}' failed.\n")
        return output

    def help(self, words: list[str]) -> str:
        """Give the usage of one command, or the list of all that start with some words."""
        wanted = " ".join(words).lower()
        for command in self._commands:
            if wanted == command.name:
                return command.usage
        found = [
            command for command in self._commands if command.name.startswith(wanted)
        ]
        if not found:
            return f"No such command '{' '.join(words)}'.\n"
        return "".join(
            f"{command.name:>30.30} {command.summary}\n" for command in found
        )

    def _help_command(self) -> CliCommand:
        async def core_show_help(gateway: Gateway, args: list[str]) -> Output:
            return ok(self.help(args[3:]))

        return CliCommand(
            "core show help",
            "Display help list, or specific help on a command",
            "Usage: core show help [topic]\n"
            "       When called with a topic as an argument, displays usage\n"
            "       information on the given command. If called without a\n"
            "       topic, it provides a list of commands.\n",
            core_show_help,
        )

    def _closest(self, arguments: list[str]) -> list[str]:
        """Give the words up to the first that leads nowhere (recorded: ``gsm sh``)."""
        words = [argument.lower() for argument in arguments]
        if not any(command.name.split()[0] in words[:1] for command in self._commands):
            return arguments
        for count in range(2, len(words)):
            if not any(
                len(name := command.name.split()) == count
                and name[: count - 1] == words[: count - 1]
                for command in self._commands
            ):
                return arguments[:count]
        return arguments

    def _find(self, arguments: list[str]) -> CliCommand | None:
        """Find the command with the most words; upper or lower case does not matter."""
        words = [argument.lower() for argument in arguments]
        best: tuple[int, CliCommand] | None = None
        for command in self._commands:
            name = command.name.split()
            if words[: len(name)] == name and (best is None or len(name) > best[0]):
                best = len(name), command
        return best[1] if best else None
