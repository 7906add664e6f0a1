"""Commands of Asterisk itself that a client of the gateway may use (Asterisk 1.8 and 22)."""

from collections.abc import Collection
from time import time

from simulator.model.box import Dialect
from simulator.model.channels import Channel
from simulator.model.gateway import Gateway
from simulator.model.users import RIGHTS, RIGHTS_1_8, grants
from simulator.wire import from_wire, to_wire

from .command_line import SHOW_USAGE, CliCommand, Output, failure, ok


async def _core_show_version(gateway: Gateway, args: list[str]) -> Output:
    return ok(f"Asterisk {gateway.asterisk_version} built by root @ localhost\n")


async def _core_show_channels(gateway: Gateway, args: list[str]) -> Output:
    if args[3:] == ["concise"]:
        return ok(
            "".join(f"{_concise(channel)}\n" for channel in gateway.channels.values())
        )
    old = gateway.dialect is Dialect.ASTERISK_1_8
    name_width, place_width = (20, 20) if old else (64, 32)

    def row(name: str, place: str, state: str, running: str) -> str:
        name, place = name[:name_width], place[:place_width]
        left = f"{name:<{name_width}} {place:<{place_width}}"
        return f"{left} {state:<7.7} {running:<30.30}\n"

    lines = [row("Channel", "Location", "State", "Application(Data)")]
    for channel in gateway.channels.values():
        place = f"{channel.exten}@{channel.context}:{channel.priority}"
        running = f"{channel.application}({channel.data})"
        state = channel.state.description
        lines.append(row(channel.name, place, state, running))
    count, calls = len(gateway.channels), gateway.call_count
    lines.append(f"{count} active channel{'' if count == 1 else 's'}\n")
    lines.append(f"{calls} active call{'' if calls == 1 else 's'}\n")
    done = gateway.processed_calls
    lines.append(f"{done} call{'' if done == 1 else 's'} processed\n")
    return ok("".join(lines))


def _concise(channel: Channel) -> str:
    """Give the fields of a channel for programs to read (Asterisk 1.8)."""
    return "!".join(
        [
            channel.name,
            channel.context,
            channel.exten,
            f"{channel.priority}",
            channel.state.description,
            channel.application or "(None)",
            channel.data,
            channel.caller,
            *("", "", "3"),
            f"{channel.seconds}",
            "(None)",
            channel.uniqueid,
        ]
    )


async def _dialplan_show(gateway: Gateway, args: list[str]) -> Output:
    """Print the steps of one extension, or of all in a context (Asterisk 1.8)."""
    if len(args) != 3:
        return SHOW_USAGE
    exten, _, context = args[2].rpartition("@")
    span = next(
        (each for each in gateway.spans.values() if each.context == context), None
    )
    if span is None:
        return failure(f"There is no existence of '{context}' context\n")
    extensions = gateway.dialplan.extensions(span.number, span.send_events)
    shown = {name: extensions[name] for name in extensions if exten in ("", name)}
    if not shown:
        return failure(f"There is no existence of {exten}@{context} extension\n")
    text = f"[ Context '{context}' created by 'pbx_config' ]\n"
    for name, steps in shown.items():
        for priority, step in enumerate(steps, 1):
            start = f"'{name}' =>" if priority == 1 else ""
            what = f"{priority}. {step.application}({step.data})"
            text += f"  {start:<17} {what:<45} [pbx_config]\n"
    count = sum(map(len, shown.values()))
    return ok(
        f"{text}\n-= {len(shown)} extension{'' if len(shown) == 1 else 's'} "
        f"({count} priorit{'y' if count == 1 else 'ies'}) in 1 context. =-\n"
    )


async def _database_put(gateway: Gateway, args: list[str]) -> Output:
    if len(args) != 5:
        return SHOW_USAGE
    gateway.database[args[2], args[3]] = args[4]
    return ok("Updated database successfully\n")


async def _database_get(gateway: Gateway, args: list[str]) -> Output:
    if len(args) != 4:
        return SHOW_USAGE
    value = gateway.database.get((args[2], args[3]))
    return ok("Database entry not found.\n" if value is None else f"Value: {value}\n")


async def _database_del(gateway: Gateway, args: list[str]) -> Output:
    if len(args) != 4:
        return SHOW_USAGE
    known = gateway.database.pop((args[2], args[3]), None) is not None
    old = gateway.dialect is Dialect.ASTERISK_1_8
    not_there = "does not exist" if old else "could not be removed"
    return ok(f"Database entry {'removed' if known else not_there}.\n")


async def _manager_show_user(gateway: Gateway, args: list[str]) -> Output:
    if len(args) != 4:
        return SHOW_USAGE
    user = gateway.find_user(from_wire(args[3]))
    old = gateway.dialect is Dialect.ASTERISK_1_8
    if user is None:
        return ok(f"There is no manager called {args[3]}\n")
    read, write = _list_of_rights(user.read, old), _list_of_rights(user.write, old)
    acl = "yes" if user.acl else "no"
    if old:
        return ok(
            f"\n       username: {to_wire(user.name)}\n         secret: <Set>\n            acl: {acl}\n"
            f"      read perm: {read}\n     write perm: {write}\ndisplayconnects: yes\n"
        )
    return ok(
        f"\n          username: {to_wire(user.name)}\n            secret: <Set>\n               ACL: {acl}\n"
        f"         read perm: {read}\n        write perm: {write}\n"
        "   displayconnects: yes\nallowmultiplelogin: yes\n         Variables: \n"
    )


def _list_of_rights(rights: Collection[str], old: bool) -> str:
    """List rights in Asterisk's order; 1.8 ends the list with ``all`` for everyone."""
    known = RIGHTS_1_8 if old else RIGHTS
    names = [name for name in known if grants(rights, (name,))]
    if not names:
        return "<none>"
    return ",".join([*names, "all"] if old or "all" in rights else names)


def _bits_of_rights(rights: Collection[str]) -> int:
    """Give rights as the number that Asterisk keeps: a bit for each."""
    if "all" in rights:
        return 2**31 - 1
    return sum(1 << bit for bit, name in enumerate(RIGHTS) if name in rights)


async def _manager_show_connected(gateway: Gateway, args: list[str]) -> Output:
    if gateway.dialect is Dialect.ASTERISK_1_8:
        head = "  Username         IP Address\n"
        lines = [f"  {name:<15.15}  127.0.0.1\n" for name in gateway.logged_in_users]
    else:
        head = _connected(
            *("Username", "IP Address", "Start", "Elapsed", "FileDes", "HttpCnt"),
            *("ReadPerms", "WritePerms"),
        )
        lines = [
            _connected(
                to_wire(client.user.name),
                "127.0.0.1",
                f"{int(client.logged_in_at)}",
                f"{int(time() - client.logged_in_at)}",
                f"{client.descriptor}",
                "0",
                f"{_bits_of_rights(client.user.read):010d}",
                f"{_bits_of_rights(client.user.write):010d}",
            )
            for client in gateway.logged_in_clients
            if client.user
        ]
    return ok(f"{head}{''.join(lines)}{len(lines)} users connected.\n")


def _connected(
    name: str,
    address: str,
    start: str,
    elapsed: str,
    descriptor: str,
    requests: str,
    read: str,
    write: str,
) -> str:
    """Write a row of ``manager show connected`` (Asterisk 22)."""
    return (
        f"  {name:<15.15}  {address:<55.55}  {start:<10.10}  {elapsed:<10.10}"
        f"  {descriptor:<8.8}  {requests:<8.8}  {read:<10.10}  {write:<10.10}\n"
    )


async def _core_show_uptime(gateway: Gateway, args: list[str]) -> Output:
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
        "dialplan show",
        "Show dialplan",
        "Usage: dialplan show [[exten@]context]\n       Show dialplan\n",
        _dialplan_show,
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
