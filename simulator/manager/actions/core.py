"""Actions of Asterisk's core: commands, settings, channels, and other things that are there."""

from time import time

from simulator.manager.framing import Action
from simulator.manager.session import Session
from simulator.model.channels import Channel, snapshot
from simulator.wire import packet

from .kind import ActionKind


async def _ping(session: Session, action: Action) -> None:
    session.reply(action, "Success", "Ping: Pong", f"Timestamp: {time():.6f}")


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
    gateway = session.gateway
    session.reply_list(
        action,
        "DialPlan list will follow",
        (
            [
                "Event: ListDialplan",
                f"Context: {span.context}",
                f"Extension: {extension}",
                f"Priority: {priority}",
                f"Application: {step.application}",
                f"AppData: {step.data}",
                "Registrar: pbx_config",
            ]
            for span in gateway.spans.values()
            for extension, steps in gateway.dialplan.extensions(
                span.number, span.send_events
            ).items()
            for priority, step in enumerate(steps, 1)
        ),
        "ShowDialPlanComplete",
    )


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


ACTIONS = (
    ActionKind.of("SIPshowregistry", "system reporting", "Show SIP registrations.", _sip_registry),
    ActionKind.of("SIPpeers", "system reporting", "List SIP peers.", _sip_peers),
    ActionKind.of("ParkedCalls", "", "List parked calls.", _parked_calls),
    ActionKind.of("ShowDialPlan", "config reporting", "Show dialplan.", _show_dialplan),
    ActionKind.of("ModuleCheck", "system", "Check if module is loaded.", _module_check),
    ActionKind.of("CoreShowChannels", "system reporting", "List active channels.", _core_show_channels),
    ActionKind.of("CoreStatus", "system reporting", "Show core status variables.", _core_status),
    ActionKind.of("CoreSettings", "system reporting", "Show core settings.", _core_settings),
    ActionKind.of("UserEvent", "user", "Send an arbitrary event.", _user_event),
    ActionKind.of("MailboxCount", "call reporting", "Check Mailbox Message Count.", _mailbox),
    ActionKind.of("MailboxStatus", "call reporting", "Check mailbox.", _mailbox),
    ActionKind.of("ExtensionState", "call reporting", "Check Extension Status.", _extension_state),
    ActionKind.of("Status", "system call reporting", "List channel status.", _status),
    ActionKind.of("Ping", "", "Keepalive command.", _ping),
)  # fmt: skip
