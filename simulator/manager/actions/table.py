"""The table of all actions (the app note's list), and who may perform which."""

from simulator.cli.command_line import SHOW_USAGE, CliCommand, CommandLine, Output, ok
from simulator.manager.framing import Action
from simulator.manager.session import Session
from simulator.model.gateway import Gateway
from simulator.wire import from_wire

from . import calls, core, login, stores
from .kind import ActionKind, always, never

_BEFORE_LOGIN = ("login", "challenge", "logoff")
"""All there is for a client that is not logged in (Asterisk 1.8)."""


_EMPTY = (
    ActionKind.of("SIPnotify", "system", "Send a SIP notify.", never("Could not create address")),
    ActionKind.of("SIPqualifypeer", "system reporting", "Qualify SIP peers.", never("Peer not found")),
    ActionKind.of("SIPshowpeer", "system reporting", "Show SIP peer.", never("Peer not found.")),
    ActionKind.of("AGI", "agi", "Add an AGI command to execute by Async AGI.", never("No such channel")),
    ActionKind.of("Bridge", "call", "Bridge two channels.", never("No such channel")),
    ActionKind.of("Park", "call", "Park a channel.", never("No such channel")),
    ActionKind.of("AOCMessage", "aoc", "Generate an Advice of Charge message.", never("No such channel")),
    ActionKind.of("ModuleLoad", "system", "Module management.", always("Module loaded.")),
    ActionKind.of("Reload", "system config", "Send a reload event.", always("Module Reloaded")),
    ActionKind.of("UpdateConfig", "config", "Update basic configuration.", never("Config file not found")),
    ActionKind.of("SendText", "call", "Send text message to channel.", never("No such channel")),
    ActionKind.of("Atxfer", "call", "Attended transfer.", never("Channel specified does not exist")),
    ActionKind.of("Redirect", "call", "Redirect (transfer) a call.", never("Channel does not exist")),
    ActionKind.of("CreateConfig", "config", "Creates an empty file.", always("New configuration file created successfully")),
    ActionKind.of("DataGet", "", "Retrieve the data api tree.", never("No such data path")),
)  # fmt: skip
"""Actions that do nothing here."""


class ActionTable:
    """The actions that one gateway knows."""

    def __init__(self, cli: CommandLine) -> None:
        """Take the command line that the action ``Command`` runs commands on."""
        self._cli = cli
        kinds = (
            *(*login.ACTIONS, *core.ACTIONS, *stores.ACTIONS, *calls.ACTIONS, *_EMPTY),
            ActionKind.of("ListCommands", "", "List available manager commands.", self._list_commands),
            ActionKind.of("Command", "command", "Execute Asterisk CLI Command.", self._command),
        )  # fmt: skip
        self.kinds = {kind.name.lower(): kind for kind in kinds}
        """By their names in lower case."""

    @property
    def show_command(self) -> CliCommand:
        """Give the CLI command that describes an action (recorded, of an Asterisk without docs)."""

        async def run(gateway: Gateway, args: list[str]) -> Output:
            if len(args) < 4:
                return SHOW_USAGE
            kinds = [
                self.kinds[name.lower()]
                for name in args[3:]
                if name.lower() in self.kinds
            ]
            return ok(
                "".join(
                    f"Action: {kind.name}\nSynopsis: \nPrivilege: {_privileges(kind)}\n\n"
                    for kind in kinds
                )
            )

        return CliCommand(
            "manager show command",
            "Show a manager interface command",
            "Usage: manager show command <actionname>\n"
            "\tShows the detailed description for a specific Asterisk manager interface command.\n",
            run,
        )

    async def perform(self, session: Session, action: Action) -> None:
        """Perform one action of a session, if it may."""
        name = action.get("Action")
        if not name:
            session.error(action, "Missing action in request")
            return
        session.gateway.actions.append(name)
        kind = self.kinds.get(name.lower())
        if session.user is None and name.lower() not in _BEFORE_LOGIN:
            session.error(action, "Permission denied")
        elif kind is None or not _knows(session, kind):
            session.error(
                action,
                f"Invalid/unknown command: {name}. "
                "Use Action: ListCommands to show available commands.",
            )
        elif not session.may_use(kind.rights):
            session.error(action, "Permission denied")
        else:
            await kind.run(session, action)

    async def _command(self, session: Session, action: Action) -> None:
        line = action.get("Command")
        session.gateway.commands.append(from_wire(line))
        if not line:
            session.error(action, "No command provided")
            return
        await session.reply_output(action, self._run_command(session, line))

    async def _run_command(self, session: Session, line: str) -> Output:
        if session.faults.silences(from_wire(line)):
            await session.gateway.forever()
        return await self._cli.run(line)

    async def _list_commands(self, session: Session, action: Action) -> None:
        lines = (
            f"{kind.name}: {kind.synopsis}  (Priv: {_privileges(kind)})"
            for kind in self.kinds.values()
            if session.may_use(kind.rights)
        )
        session.reply(action, "Success", *lines)


def _knows(session: Session, kind: ActionKind) -> bool:
    return session.gateway.challenge or kind.name != "Challenge"


def _privileges(kind: ActionKind) -> str:
    return ",".join([*kind.rights, "all"]) if kind.rights else "<none>"
