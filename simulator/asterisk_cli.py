"""Commands of Asterisk itself that a client of the gateway may use (Asterisk 1.8 and 22)."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from .cli import SHOW_USAGE, CliCommand, Output, failure, ok
from .model import RIGHTS, Dialect, grants
from .wire import from_wire, to_wire

if TYPE_CHECKING:
    from .gateway import Simulator


async def _core_show_help(gateway: Simulator, args: list[str]) -> Output:
    return ok(gateway.cli.help(args[3:]))


async def _core_show_version(gateway: Simulator, args: list[str]) -> Output:
    return ok(f"Asterisk {gateway.asterisk_version} built by root @ localhost\n")


async def _core_show_channels(gateway: Simulator, args: list[str]) -> Output:
    lines = [
        "Channel              Location             State   Application(Data)             \n"
    ]
    for channel in gateway.channels.values():
        place = f"{channel.exten}@{channel.context}:{channel.priority}"
        running = f"{channel.application}({channel.data})"
        state = channel.state.description
        lines.append(
            f"{channel.name:<20.20} {place:<20.20} {state:<7.7} {running:<30.30}\n"
        )
    count, calls = len(gateway.channels), gateway.call_count
    lines.append(f"{count} active channel{'' if count == 1 else 's'}\n")
    lines.append(f"{calls} active call{'' if calls == 1 else 's'}\n")
    return ok("".join(lines))


async def _database_put(gateway: Simulator, args: list[str]) -> Output:
    if len(args) != 5:
        return SHOW_USAGE
    gateway.database[args[2], args[3]] = args[4]
    return ok("Updated database successfully\n")


async def _database_get(gateway: Simulator, args: list[str]) -> Output:
    if len(args) != 4:
        return SHOW_USAGE
    value = gateway.database.get((args[2], args[3]))
    return ok("Database entry not found.\n" if value is None else f"Value: {value}\n")


async def _database_del(gateway: Simulator, args: list[str]) -> Output:
    if len(args) != 4:
        return SHOW_USAGE
    known = gateway.database.pop((args[2], args[3]), None) is not None
    return ok(f"Database entry {'removed' if known else 'does not exist'}.\n")


async def _manager_show_user(gateway: Simulator, args: list[str]) -> Output:
    if len(args) != 4:
        return SHOW_USAGE
    user = gateway.users.get(from_wire(args[3]))
    if user is None:
        return failure(f"There is no manager called {args[3]}\n")
    old = gateway.dialect is Dialect.ASTERISK_1_8
    read, write = _list_of_rights(user.read, old), _list_of_rights(user.write, old)
    if old:
        return ok(
            f"\n       username: {to_wire(user.name)}\n         secret: <Set>\n            acl: no\n"
            f"      read perm: {read}\n     write perm: {write}\ndisplayconnects: yes\n"
        )
    return ok(
        f"\n          username: {to_wire(user.name)}\n            secret: <Set>\n               ACL: no\n"
        f"         read perm: {read}\n        write perm: {write}\n"
        "   displayconnects: yes\nallowmultiplelogin: yes\n         Variables: \n"
    )


def _list_of_rights(rights: Collection[str], old: bool) -> str:
    """List rights in Asterisk's order; 1.8 ends the list with ``all`` for everyone."""
    names = [name for name in RIGHTS if grants(rights, (name,))]
    if not names:
        return "<none>"
    return ",".join([*names, "all"] if old else names)


async def _manager_show_connected(gateway: Simulator, args: list[str]) -> Output:
    names = gateway.logged_in_users
    lines = [f"  {name:<15.15}  127.0.0.1\n" for name in names]
    return ok(
        "".join(
            [
                "  Username         IP Address\n",
                *lines,
                f"{len(names)} users connected.\n",
            ]
        )
    )


async def _core_show_uptime(gateway: Simulator, args: list[str]) -> Output:
    return ok(
        f"System uptime: {gateway.uptime} seconds\nLast reload: {gateway.uptime} seconds\n"
    )


COMMANDS = [
    CliCommand(
        "core show channels",
        "Display information on channels",
        "Usage: core show channels [concise|verbose|count]\n"
        "       Lists currently defined channels and some information about them.\n",
        _core_show_channels,
    ),
    CliCommand(
        "core show help",
        "Display help list, or specific help on a command",
        "Usage: core show help [topic]\n"
        "       When called with a topic as an argument, displays usage\n"
        "       information on the given command. If called without a\n"
        "       topic, it provides a list of commands.\n",
        _core_show_help,
    ),
    CliCommand(
        "core show uptime",
        "Show uptime information",
        "Usage: core show uptime [seconds]\n       Shows Asterisk uptime information.\n",
        _core_show_uptime,
    ),
    CliCommand(
        "core show version",
        "Display version info",
        "Usage: core show version\n       Shows Asterisk version information.\n",
        _core_show_version,
    ),
    CliCommand(
        "database del",
        "Removes database key/value",
        "Usage: database del <family> <key>\n"
        "       Deletes an entry in the Asterisk database for a given\n"
        "       family and key.\n",
        _database_del,
    ),
    CliCommand(
        "database get",
        "Gets database value",
        "Usage: database get <family> <key>\n"
        "       Retrieves an entry in the Asterisk database for a given\n"
        "       family and key.\n",
        _database_get,
    ),
    CliCommand(
        "database put",
        "Adds/updates database value",
        "Usage: database put <family> <key> <value>\n"
        "       Adds or updates an entry in the Asterisk database for\n"
        "       a given family, key, and value.\n",
        _database_put,
    ),
    CliCommand(
        "manager show connected",
        "List connected manager interface users",
        "Usage: manager show connected\n"
        "       Prints a listing of the users that are currently connected to the\n"
        "Asterisk manager interface.\n",
        _manager_show_connected,
    ),
    CliCommand(
        "manager show user",
        "Display information on a specific manager user",
        "Usage: manager show user <user>\n"
        "       Display all information related to the manager user specified.\n",
        _manager_show_user,
    ),
]
