"""The actions of the manager interface (the app note's list; answers of Asterisk 1.8 and 22)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import hashlib
import secrets
from time import time
from typing import TYPE_CHECKING

from . import calls
from .channels import UNKNOWN, Channel, snapshot
from .cli import Output, Status
from .model import RIGHTS, Originated, grants
from .wire import atoi, from_wire, packet

if TYPE_CHECKING:
    from .manager import Action, Session
    from .span import SimSpan

type _Handler = Callable[[Session, Action], Awaitable[None]]


@dataclass(frozen=True)
class ActionKind:
    """One action: its name, the rights of which one is needed (none: everybody), its handler."""

    name: str
    privileges: tuple[str, ...]
    synopsis: str
    run: _Handler


async def perform(session: Session, action: Action) -> None:
    """Perform one action of a session, if it may.

    Before the login only Login, Challenge and Logoff are there (Asterisk 1.8).
    """
    name = action.get("Action")
    if not name:
        session.error(action, "Missing action in request")
        return
    session.gateway.actions.append(name)
    kind = _KINDS.get(name.lower())
    if session.user is None and name.lower() not in ("login", "challenge", "logoff"):
        session.error(action, "Permission denied")
    elif kind is None or (kind.run is _challenge and not session.gateway.challenge):
        session.error(
            action,
            f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands.",
        )
    elif not _may(session, kind):
        session.error(action, "Permission denied")
    else:
        await kind.run(session, action)


def _may(session: Session, kind: ActionKind) -> bool:
    if not kind.privileges:
        return True
    return session.user is not None and grants(session.user.write, kind.privileges)


# ---- login -------------------------------------------------------------------------------


async def _challenge(session: Session, action: Action) -> None:
    if action.get("AuthType").upper() != "MD5":
        session.error(action, "Must specify AuthType")
        return
    session.challenge = str(secrets.randbelow(10**9))
    session.reply(action, "Success", f"Challenge: {session.challenge}")


async def _login(session: Session, action: Action) -> None:
    gateway = session.gateway
    await asyncio.sleep(gateway.faults.login_delay)
    if session.user is not None and not session.old:
        session.success(action, "Already authenticated")
        return
    user = gateway.find_user(from_wire(action.get("Username")))
    if action.get("AuthType").upper() == "MD5":
        secret = session.challenge + (user.secret if user else "")
        wire = secret.encode("utf-8", "surrogatepass")
        expected = hashlib.md5(wire, usedforsecurity=False).hexdigest()
        right = bool(session.challenge) and action.get("Key") == expected
    else:
        right = user is not None and from_wire(action.get("Secret")) == user.secret
    if user is None or not right or gateway.faults.reject_login:
        await asyncio.sleep(gateway.login_penalty)
        session.error(action, "Authentication failed")
        session.ending = True
        return
    session.log_in(user)
    mask = _mask(session, action.get("Events"))
    session.event_mask = frozenset({"all"}) if mask is None else mask
    session.success(action, "Authentication accepted")
    # Only the mask counts here, not the right to read "system" (Asterisk 1.8).
    if grants(session.event_mask, ("system",)):
        uptime = (
            []
            if session.old
            else [f"Uptime: {gateway.uptime}", f"LastReload: {gateway.uptime}"]
        )
        session.send(
            packet(
                "Event: FullyBooted",
                "Privilege: system,all",
                *uptime,
                "Status: Fully Booted",
            )
        )


async def _logoff(session: Session, action: Action) -> None:
    session.reply(action, "Goodbye", "Message: Thanks for all the fish.")
    session.ending = True


def _mask(session: Session, text: str) -> frozenset[str] | None:
    """Read an event mask: on, off, or a list of classes; None if it is nothing at all.

    Asterisk 22 passes over classes that it does not know, and over those in capitals.
    """
    word = text.strip().lower()
    if not word:
        return None
    if word in ("on", "yes", "true", "1"):
        return frozenset({"all"})
    if word in ("off", "no", "false", "0"):
        return frozenset()
    if session.old:
        return frozenset(name.strip() for name in word.split(","))
    return frozenset(name.strip() for name in text.split(",")) & {*RIGHTS, "all"}


async def _events(session: Session, action: Action) -> None:
    mask = _mask(session, action.get("EventMask"))
    if mask is None:
        session.error(action, "Invalid event mask")
        return
    session.event_mask = mask
    session.reply(action, "Success", f"Events: {'On' if mask else 'Off'}")


async def _wait_event(session: Session, action: Action) -> None:
    session.success(action, "Waiting for Event completed.")
    session.send(packet("Event: WaitEventComplete", *session.action_id(action)))


# ---- the core ----------------------------------------------------------------------------


async def _ping(session: Session, action: Action) -> None:
    session.reply(action, "Success", "Ping: Pong", f"Timestamp: {time():.6f}")


async def _command(session: Session, action: Action) -> None:
    line = action.get("Command")
    session.note_command(line)
    if not line and not session.old:
        session.error(action, "No command provided")
        return
    await session.reply_output(action, _run_command(session, line))


async def _run_command(session: Session, line: str) -> Output:
    if session.gateway.faults.silences(from_wire(line)):
        await session.gateway.forever()
    if not line:
        return Output("", Status.FAILURE)
    return await session.gateway.cli.run(line)


async def _core_settings(session: Session, action: Action) -> None:
    session.reply(
        action,
        "Success",
        f"AMIversion: {'1.1' if session.old else '11.0.0'}",
        f"AsteriskVersion: {session.gateway.asterisk_version}",
        "SystemName: ",
        "CoreMaxCalls: 0",
        "CoreMaxLoadAvg: 0.000000",
        "CoreRunUser: ",
        "CoreRunGroup: ",
        "CoreMaxFilehandles: 0",
        "CoreRealTimeEnabled: No",
        "CoreCDRenabled: Yes",
        "CoreHTTPenabled: No",
    )


async def _core_status(session: Session, action: Action) -> None:
    started = session.gateway.started_at
    date, clock = f"{started:%Y-%m-%d}", f"{started:%H:%M:%S}"
    session.reply(
        action,
        "Success",
        f"CoreStartupDate: {date}",
        f"CoreStartupTime: {clock}",
        f"CoreReloadDate: {date}",
        f"CoreReloadTime: {clock}",
        f"CoreCurrentCalls: {session.gateway.call_count}",
    )


async def _core_show_channels(session: Session, action: Action) -> None:
    channels = list(session.gateway.channels.values())
    session.reply_list(
        action,
        "Channels will follow",
        (
            ["Event: CoreShowChannel", *_shown_channel(session, channel)]
            for channel in channels
        ),
        "CoreShowChannelsComplete",
    )


def _shown_channel(session: Session, channel: Channel) -> list[str]:
    running = [
        f"Application: {channel.application}",
        f"ApplicationData: {channel.data}",
    ]
    minutes, seconds = divmod(channel.seconds, 60)
    duration = f"Duration: {minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    if not session.old:
        return [*snapshot(channel), *running, duration, "BridgeId: "]
    return [
        f"Channel: {channel.name}",
        f"UniqueID: {channel.uniqueid}",
        f"Context: {channel.context}",
        f"Extension: {channel.exten}",
        f"Priority: {channel.priority}",
        f"ChannelState: {channel.state.value}",
        f"ChannelStateDesc: {channel.state.description}",
        *running,
        f"CallerIDnum: {channel.caller}",
        "CallerIDname: ",
        "ConnectedLineNum: ",
        "ConnectedLineName: ",
        duration,
        "AccountCode: ",
        "BridgedChannel: ",
        "BridgedUniqueID: ",
    ]


async def _status(session: Session, action: Action) -> None:
    wanted = action.get("Channel")
    channels = [
        channel
        for channel in session.gateway.channels.values()
        if wanted in ("", channel.name)
    ]
    if wanted and not channels:
        session.error(action, "No such channel")
        return
    session.reply_list(
        action,
        "Channel status will follow",
        (
            [
                "Event: Status",
                "Privilege: Call",
                *snapshot(channel),
                f"Extension: {channel.exten}",
                f"Seconds: {channel.seconds}",
            ]
            for channel in channels
        ),
        "StatusComplete",
        *(["Items"] if session.old else ["ListItems", "Items"]),
    )


async def _sip_peers(session: Session, action: Action) -> None:
    session.reply_list(action, "Peer status list will follow", [], "PeerlistComplete")


async def _parked_calls(session: Session, action: Action) -> None:
    session.reply_list(
        action, "Parked calls will follow", [], "ParkedCallsComplete", "Total"
    )


async def _sip_registry(session: Session, action: Action) -> None:
    session.reply_list(action, "Registrations will follow", [], "RegistrationsComplete")


async def _show_dialplan(session: Session, action: Action) -> None:
    contexts = [span.context for span in session.gateway.spans.values()]
    session.reply_list(
        action,
        "DialPlan list will follow",
        (
            [
                "Event: ListDialplan",
                f"Context: {context}",
                "Extension: sms",
                f"Priority: {priority}",
                f"Application: {application}",
                "AppData: ",
                "Registrar: pbx_config",
            ]
            for context in contexts
            for priority, application in enumerate(("NoOp", "System", "Hangup"), 1)
        ),
        "ShowDialPlanComplete",
    )


async def _list_commands(session: Session, action: Action) -> None:
    lines = (
        f"{kind.name}: {kind.synopsis}  (Priv: {_privileges(kind)})"
        for kind in _KINDS.values()
        if _may(session, kind)
    )
    session.reply(action, "Success", *lines)


def _privileges(kind: ActionKind) -> str:
    return ",".join([*kind.privileges, "all"]) if kind.privileges else "<none>"


async def _user_event(session: Session, action: Action) -> None:
    own = [
        f"{name.title()}: {value}"
        for name, value in action.fields
        if name not in ("action", "actionid", "userevent")
    ]
    event = packet(
        "Event: UserEvent",
        "Privilege: user,all",
        f"UserEvent: {action.get('UserEvent')}",
        *own,
    )
    session.success(action, "Event Sent")
    session.gateway.emit(event)


# ---- database, variables, files ----------------------------------------------------------


async def _db_put(session: Session, action: Action) -> None:
    family, key = action.get("Family"), action.get("Key")
    if not _has_key(session, action):
        return
    session.gateway.database[family, key] = action.get("Val")
    session.success(action, "Updated database successfully")


async def _db_get(session: Session, action: Action) -> None:
    family, key = action.get("Family"), action.get("Key")
    if not _has_key(session, action):
        return
    value = session.gateway.database.get((family, key))
    if value is None:
        session.error(action, "Database entry not found")
        return
    answer = [
        "Event: DBGetResponse",
        f"Family: {family}",
        f"Key: {key}",
        f"Val: {value}",
    ]
    if session.old:
        session.success(action, "Result will follow")
        session.send(packet(*answer, *session.action_id(action)))
        return
    session.begin_list(action, "Result will follow")
    session.send(packet(*answer, *session.action_id(action)))
    session.end_list(action, "DBGetComplete", "ListItems: 1")


async def _db_del(session: Session, action: Action) -> None:
    if not _has_key(session, action):
        return
    key = action.get("Family"), action.get("Key")
    if session.gateway.database.pop(key, None) is None:
        end = "not found" if session.old else "could not be deleted"
        session.error(action, f"Database entry {end}")
    else:
        session.success(action, "Key deleted successfully")


async def _db_del_tree(session: Session, action: Action) -> None:
    database = session.gateway.database
    keys = [key for key in database if key[0] == action.get("Family")]
    for key in keys:
        del database[key]
    if keys:
        session.success(action, "Key tree deleted successfully")
    else:
        session.error(action, "Database entry not found")


def _has_key(session: Session, action: Action) -> bool:
    for key in ("Family", "Key"):
        if not action.get(key):
            session.error(action, f"No {key.lower()} specified.")
            return False
    return True


async def _get_var(session: Session, action: Action) -> None:
    name = action.get("Variable")
    found, channel = _optional_channel(session, action)
    if not name:
        session.error(action, "No variable specified")
    elif not found:
        session.error(action, "No such channel")
    else:
        values = channel.variables if channel else session.gateway.globals
        session.reply(
            action, "Success", f"Variable: {name}", f"Value: {values.get(name, '')}"
        )


async def _set_var(session: Session, action: Action) -> None:
    name, value = action.get("Variable"), action.get("Value")
    found, channel = _optional_channel(session, action)
    if not name:
        session.error(action, "No variable specified")
    elif not found:
        session.error(action, "No such channel")
    elif channel:
        session.gateway.set_variable(channel, name, value)
        session.success(action, "Variable Set")
    else:
        session.gateway.globals[name] = value
        session.gateway.emit(session.gateway.events.global_var_set(name, value))
        session.success(action, "Variable Set")


def _optional_channel(session: Session, action: Action) -> tuple[bool, Channel | None]:
    """Find the channel an action names; none named is fine as well."""
    name = action.get("Channel")
    channel = session.gateway.channels.get(name)
    return not name or channel is not None, channel


async def _get_config(session: Session, action: Action) -> None:
    if not action.get("Filename"):
        session.error(action, "Filename not specified")
    elif action.get("Filename") != "manager.conf":
        session.error(action, "Config file not found")
    elif action.get("Action").lower() == "getconfigjson":
        session.reply(
            action, "Success", 'JSON: {"general":["enabled=yes","port=5038"]}'
        )
    elif action.get("Action").lower() == "listcategories":
        session.reply(action, "Success", "Category-000000: general")
    else:
        session.reply(
            action,
            "Success",
            "Category-000000: general",
            "Line-000000-000000: enabled=yes",
            f"Line-000000-000001: port={session.gateway.port}",
        )


async def _module_check(session: Session, action: Action) -> None:
    """Only the driver is sure to be loaded; 1.8 is not known to have said of what it is not."""
    if session.old:
        session.success(action, "Module loaded")
    elif action.get("Module").removesuffix(".so") == "chan_extra":
        session.reply(action, "Success", "Version: ")
    else:
        session.error(action, "Module not loaded")


async def _mailbox(session: Session, action: Action) -> None:
    if not action.get("Mailbox"):
        session.error(action, "Mailbox not specified")
        return
    if action.get("Action").lower() == "mailboxstatus":
        counts = [
            "Message: Mailbox Status",
            f"Mailbox: {action.get('Mailbox')}",
            "Waiting: 0",
        ]
    else:
        counts = [
            "Message: Mailbox Message Count",
            f"Mailbox: {action.get('Mailbox')}",
            "UrgMessages: 0",
            "NewMessages: 0",
            "OldMessages: 0",
        ]
    session.reply(action, "Success", *counts)


async def _extension_state(session: Session, action: Action) -> None:
    if not action.get("Exten"):
        session.error(action, "Extension not specified")
        return
    session.reply(
        action,
        "Success",
        "Message: Extension Status",
        f"Exten: {action.get('Exten')}",
        f"Context: {action.get('Context') or 'default'}",
        "Hint: ",
        "Status: -1",
    )


def _always(message: str) -> _Handler:
    """Make a handler that does nothing and says that it worked."""

    async def handler(session: Session, action: Action) -> None:
        session.success(action, message)

    return handler


def _never(message: str) -> _Handler:
    """Make a handler that does nothing and says why it did not work."""

    async def handler(session: Session, action: Action) -> None:
        session.error(action, message)

    return handler


# ---- calls -------------------------------------------------------------------------------


def _live_channel(session: Session, action: Action) -> Channel | None:
    """Find the channel an action needs, or answer that it is not there."""
    if not action.get("Channel"):
        session.error(action, "No channel specified")
        return None
    channel = session.gateway.channels.get(action.get("Channel"))
    if channel is None:
        session.error(action, "No such channel")
    return channel


async def _hangup(session: Session, action: Action) -> None:
    channel = _live_channel(session, action)
    if channel is None:
        return
    session.success(action, "Channel Hungup")
    cause = action.get("Cause")
    _hang_up(channel, atoi(cause) if cause else calls.CAUSE_NORMAL)


def _hang_up(channel: Channel, cause: int = calls.CAUSE_NORMAL) -> None:
    if channel.hangup is not None:
        channel.hangup(cause)


async def _absolute_timeout(session: Session, action: Action) -> None:
    channel = _live_channel(session, action)
    if channel is None:
        return
    if not action.get("Timeout"):
        session.error(action, "No timeout specified")
        return
    session.gateway.spawn(_hang_up_later(channel, atoi(action.get("Timeout"))))
    session.success(action, "Timeout Set")


async def _hang_up_later(channel: Channel, seconds: int) -> None:
    await asyncio.sleep(seconds)
    _hang_up(channel)


async def _originate(session: Session, action: Action) -> None:
    """Call out: ``EXTRA/<voice channel>/<number>`` to an application or an extension.

    Other technologies fail, for the simulator has none.
    """
    name = action.get("Channel")
    if not name:
        session.error(action, "Channel not specified")
        return
    technology, _, rest = name.partition("/")
    if not technology or not rest:
        session.error(action, "Invalid channel")
        return
    if missing := _missing_destination(session, action):
        session.error(action, missing)
        return
    asynchronous = action.get("Async").lower() in ("true", "yes", "1", "on")
    if asynchronous:
        session.success(action, "Originate successfully queued")
        session.gateway.spawn(_call_out(session, action))
        return
    worked = await _place_call(session, action)
    if worked:
        session.success(action, "Originate successfully queued")
    else:
        session.error(action, "Originate failed")


def _missing_destination(session: Session, action: Action) -> str | None:
    """Say what a call lacks that would tell where it is to go."""
    if action.get("Application"):
        return None
    if session.old:
        return (
            None
            if action.get("Exten")
            else "Originate with no application or extension"
        )
    if (
        action.get("Exten")
        and action.get("Context")
        and atoi(action.get("Priority")) > 0
    ):
        return None
    return "Originate with 'Exten' requires 'Context' and 'Priority'"


async def _call_out(session: Session, action: Action) -> None:
    """Call without anybody waiting; the outcome comes as an event."""
    await _place_call(session, action)


async def _place_call(session: Session, action: Action) -> bool:
    """Place a call and say whether it was answered; what it is for runs on by itself."""
    gateway = session.gateway
    technology, voice_channel, number = [*action.get("Channel").split("/", 2), "", ""][
        :3
    ]
    timeout_ms = atoi(action.get("Timeout") or "30000")
    span = _span_of(session, technology, voice_channel)
    if span is not None:
        gateway.originated.append(_originated(span, number, action, timeout_ms))
    if span is None or not span.ready:
        _originate_response(session, action, None, calls.REASON_FAILED)
        return False
    call, reason = await calls.dial(gateway, span, number, timeout_ms / 1000)
    _originate_response(session, action, call.channel, reason)
    if reason != calls.REASON_ANSWERED:
        return False
    channel = call.channel
    if action.get("Application"):
        channel.application, channel.data = (
            action.get("Application"),
            action.get("Data"),
        )
    else:
        channel.context, channel.exten = (
            action.get("Context") or "default",
            action.get("Exten"),
        )
        channel.priority = atoi(action.get("Priority") or "1")
        gateway.processed_calls += 1
        gateway.step(channel, "NoOp", "")
    gateway.spawn(calls.run_application(call, channel.application, channel.data))
    return True


def _span_of(session: Session, technology: str, voice_channel: str) -> SimSpan | None:
    number = atoi(voice_channel)
    if technology.upper() != "EXTRA" or number % 2 == 0:
        return None
    return session.gateway.spans.get((number + 1) // 2)


def _originated(
    span: SimSpan, number: str, action: Action, timeout_ms: int
) -> Originated:
    return Originated(
        span=span.number,
        number=number,
        channel=action.get("Channel"),
        application=action.get("Application"),
        data=from_wire(action.get("Data")),
        context=action.get("Context"),
        exten=action.get("Exten"),
        priority=action.get("Priority"),
        timeout_ms=timeout_ms,
        asynchronous=bool(action.get("Async")),
        caller_id=from_wire(action.get("CallerID")),
        variables=tuple(from_wire(value) for value in action.get_all("Variable")),
    )


def _originate_response(
    session: Session, action: Action, channel: Channel | None, reason: int
) -> None:
    """Raise ``OriginateResponse`` (Asterisk 1.8; later ones write the same keys)."""
    answered = reason == calls.REASON_ANSWERED
    session.gateway.emit(
        packet(
            "Event: OriginateResponse",
            "Privilege: call,all",
            *session.action_id(action),
            f"Response: {'Success' if answered else 'Failure'}",
            f"Channel: {channel.name if channel else action.get('Channel')}",
            f"Context: {action.get('Context')}",
            f"Exten: {action.get('Exten')}",
            f"Reason: {reason}",
            f"Uniqueid: {channel.uniqueid if channel else '<null>'}",
            f"CallerIDNum: {channel.caller if channel else UNKNOWN}",
            f"CallerIDName: {UNKNOWN}",
        )
    )


def _kind(name: str, privileges: str, synopsis: str, run: _Handler) -> ActionKind:
    return ActionKind(name, tuple(privileges.split()), synopsis, run)


_KINDS = {
    kind.name.lower(): kind
    for kind in (
        _kind("WaitEvent", "", "Wait for an event to occur.", _wait_event),
        _kind("SIPnotify", "system", "Send a SIP notify.", _never("Could not create address")),
        _kind("SIPshowregistry", "system reporting", "Show SIP registrations.", _sip_registry),
        _kind("SIPqualifypeer", "system reporting", "Qualify SIP peers.", _never("Peer not found")),
        _kind("SIPshowpeer", "system reporting", "Show SIP peer.", _never("Peer not found.")),
        _kind("SIPpeers", "system reporting", "List SIP peers.", _sip_peers),
        _kind("AGI", "agi", "Add an AGI command to execute by Async AGI.", _never("No such channel")),
        _kind("DBDelTree", "system", "Delete DB Tree.", _db_del_tree),
        _kind("DBDel", "system", "Delete DB entry.", _db_del),
        _kind("DBPut", "system", "Put DB entry.", _db_put),
        _kind("DBGet", "system reporting", "Get DB Entry.", _db_get),
        _kind("Bridge", "call", "Bridge two channels.", _never("No such channel")),
        _kind("Park", "call", "Park a channel.", _never("No such channel")),
        _kind("ParkedCalls", "", "List parked calls.", _parked_calls),
        _kind("ShowDialPlan", "config reporting", "Show dialplan.", _show_dialplan),
        _kind("AOCMessage", "aoc", "Generate an Advice of Charge message.", _never("No such channel")),
        _kind("ModuleCheck", "system", "Check if module is loaded.", _module_check),
        _kind("ModuleLoad", "system", "Module management.", _always("Module loaded.")),
        _kind("CoreShowChannels", "system reporting", "List active channels.", _core_show_channels),
        _kind("Reload", "system config", "Send a reload event.", _always("Module Reloaded")),
        _kind("CoreStatus", "system reporting", "Show core status variables.", _core_status),
        _kind("CoreSettings", "system reporting", "Show core settings.", _core_settings),
        _kind("UserEvent", "user", "Send an arbitrary event.", _user_event),
        _kind("UpdateConfig", "config", "Update basic configuration.", _never("Config file not found")),
        _kind("SendText", "call", "Send text message to channel.", _never("No such channel")),
        _kind("ListCommands", "", "List available manager commands.", _list_commands),
        _kind("MailboxCount", "call reporting", "Check Mailbox Message Count.", _mailbox),
        _kind("MailboxStatus", "call reporting", "Check mailbox.", _mailbox),
        _kind("AbsoluteTimeout", "system call", "Set absolute timeout.", _absolute_timeout),
        _kind("ExtensionState", "call reporting", "Check Extension Status.", _extension_state),
        _kind("Command", "command", "Execute Asterisk CLI Command.", _command),
        _kind("Originate", "originate", "Originate a call.", _originate),
        _kind("Atxfer", "call", "Attended transfer.", _never("Channel specified does not exist")),
        _kind("Redirect", "call", "Redirect (transfer) a call.", _never("Channel does not exist")),
        _kind("ListCategories", "config", "List categories in configuration file.", _get_config),
        _kind("CreateConfig", "config", "Creates an empty file.", _always("New configuration file created successfully")),
        _kind("Status", "system call reporting", "List channel status.", _status),
        _kind("GetConfigJSON", "system config", "Retrieve configuration (JSON).", _get_config),
        _kind("GetConfig", "system config", "Retrieve configuration.", _get_config),
        _kind("Getvar", "call reporting", "Gets a channel variable.", _get_var),
        _kind("Setvar", "call", "Set a channel variable.", _set_var),
        _kind("Ping", "", "Keepalive command.", _ping),
        _kind("Hangup", "system call", "Hangup channel.", _hangup),
        _kind("Challenge", "", "Generate Challenge for MD5 Auth.", _challenge),
        _kind("Login", "", "Login Manager.", _login),
        _kind("Logoff", "", "Logoff Manager.", _logoff),
        _kind("Events", "", "Control Event Flow.", _events),
        _kind("DataGet", "", "Retrieve the data api tree.", _never("No such data path")),
    )
}  # fmt: skip
