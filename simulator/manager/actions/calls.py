"""Actions on calls: originate, hang up, limit."""

import asyncio

from simulator.manager.framing import Action
from simulator.manager.session import Session
from simulator.model.calls import Call
from simulator.model.channels import CAUSE_NONE, UNKNOWN, Channel
from simulator.model.journal import Originated
from simulator.model.phone import Reason
from simulator.model.span import SimSpan
from simulator.wire import atoi, from_wire, packet

from .kind import ActionKind


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
    _hang_up(channel, atoi(cause) if cause else CAUSE_NONE)


def _hang_up(channel: Channel, cause: int = CAUSE_NONE) -> None:
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
    if _is_asynchronous(action):
        session.success(action, "Originate successfully queued")
        session.gateway.spawn(_call_out(session, action))
        return
    worked = await _place_call(session, action)
    if worked:
        session.success(action, "Originate successfully queued")
    else:
        session.error(action, "Originate failed")


def _is_asynchronous(action: Action) -> bool:
    return action.get("Async").lower() in ("true", "yes", "1", "on")


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
    call, reason = None, Reason.NO_CHANNEL
    if span is not None:
        gateway.originated.append(_originated(span, number, action, timeout_ms))
        call, reason = await span.phone.dial(number, timeout_ms / 1000)
    _originate_response(session, action, call, reason)
    if call is None or reason is not Reason.ANSWERED:
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
    gateway.spawn(call.run(channel.application, channel.data))
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
        asynchronous=_is_asynchronous(action),
        caller_id=from_wire(action.get("CallerID")),
        variables=tuple(from_wire(value) for value in action.get_all("Variable")),
    )


def _originate_response(
    session: Session, action: Action, call: Call | None, reason: Reason
) -> None:
    """Raise ``OriginateResponse`` (Asterisk 1.8, recorded; later ones write the same keys)."""
    answered = call if reason is Reason.ANSWERED else None
    session.gateway.emit(
        packet(
            "Event: OriginateResponse",
            "Privilege: call,all",
            *session.action_id(action),
            f"Response: {'Success' if answered else 'Failure'}",
            f"Channel: {answered.channel.name if answered else action.get('Channel')}",
            f"Context: {action.get('Context')}",
            f"Exten: {action.get('Exten')}",
            f"Reason: {reason.value}",
            f"Uniqueid: {answered.channel.uniqueid if answered else '<null>'}",
            f"CallerIDNum: {UNKNOWN}",
            f"CallerIDName: {UNKNOWN}",
        )
    )


ACTIONS = (
    ActionKind.of("AbsoluteTimeout", "system call", "Set absolute timeout.", _absolute_timeout),
    ActionKind.of("Originate", "originate", "Originate a call.", _originate),
    ActionKind.of("Hangup", "system call", "Hangup channel.", _hangup),
)  # fmt: skip
