"""Channels and the events they raise, in both dialects.

The order of the keys is that of the samples: Asterisk 1.8 writes a few keys for each event,
14 and later write a snapshot of the channel into every one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from time import monotonic

from simulator.wire import escape_c, packet, replace_invalid

from .box import Dialect

UNKNOWN = "<unknown>"

CAUSE_NONE, CAUSE_NORMAL, CAUSE_BUSY, CAUSE_NO_ANSWER = 0, 16, 17, 19
CAUSE_REJECTED, CAUSE_NO_DIALTONE = 21, 38
"""Why a channel ended (Q.850); NONE where this side ended it without saying why."""

CAUSES = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    16: "Normal Clearing",
    17: "User busy",
    18: "No user responding",
    19: "User alerting, no answer",
    21: "Call Rejected",
    27: "Destination out of order",
    34: "Circuit/channel congestion",
    38: "Network out of order",
}
"""``Cause-txt`` of the hangup causes (Q.850, Asterisk)."""


class ChannelState(IntEnum):
    """``ChannelState`` of Asterisk."""

    DOWN = 0
    RESERVED = 1
    DIALING = 3
    RING = 4
    RINGING = 5
    UP = 6

    @property
    def description(self) -> str:
        """Give ``ChannelStateDesc``."""
        return "Rsrvd" if self is ChannelState.RESERVED else self.name.title()


@dataclass
class Channel:
    """One Asterisk channel."""

    name: str
    context: str
    exten: str
    uniqueid: str
    state: ChannelState = ChannelState.DOWN
    caller: str = ""
    priority: int = 1
    application: str = ""
    data: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    created: float = field(default_factory=monotonic)
    hangup: Callable[[int], None] | None = None
    """Ends the channel with a cause."""

    @property
    def seconds(self) -> int:
        """Give the age in seconds."""
        return int(monotonic() - self.created)


def snapshot(channel: Channel) -> list[str]:
    """Give the keys that Asterisk 14 writes into every event of a channel."""
    return [
        f"Channel: {channel.name}",
        f"ChannelState: {channel.state.value}",
        f"ChannelStateDesc: {channel.state.description}",
        *_parties(channel, UNKNOWN),
        "Language: en",
        "AccountCode: ",
        f"Context: {channel.context}",
        f"Exten: {channel.exten}",
        f"Priority: {channel.priority}",
        f"Uniqueid: {channel.uniqueid}",
        f"Linkedid: {channel.uniqueid}",
    ]


def _caller(channel: Channel, unknown: str) -> list[str]:
    """Give the caller, whose name is the number as well (recorded)."""
    caller = channel.caller or unknown
    return [f"CallerIDNum: {caller}", f"CallerIDName: {caller}"]


def _parties(channel: Channel, unknown: str) -> list[str]:
    return [
        *_caller(channel, unknown),
        f"ConnectedLineNum: {unknown}",
        f"ConnectedLineName: {unknown}",
    ]


def _shown(value: str) -> str:
    """Give the ``Value`` of a ``VarSet``: 13.5 and later escape it, 22 makes it UTF-8 too."""
    return escape_c(replace_invalid(value))


class ChannelEvents:
    """Writes the events of channels as packets, in one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        """Take the dialect."""
        self._old = dialect is Dialect.ASTERISK_1_8

    def new_channel(self, channel: Channel) -> bytes:
        """Write ``Newchannel``."""
        return self._event("Newchannel", "call", channel, [
            f"Channel: {channel.name}",
            *self._state(channel),
            *_caller(channel, ""),
            "AccountCode: ",
            f"Exten: {channel.exten}",
            f"Context: {channel.context}",
            f"Uniqueid: {channel.uniqueid}",
        ])  # fmt: skip

    def new_state(self, channel: Channel) -> bytes:
        """Write ``Newstate``."""
        return self._event("Newstate", "call", channel, [
            f"Channel: {channel.name}",
            *self._state(channel),
            *_parties(channel, ""),
            f"Uniqueid: {channel.uniqueid}",
        ])  # fmt: skip

    def new_account_code(self, channel: Channel) -> bytes:
        """Write ``NewAccountCode`` of a call that the gateway makes (recorded)."""
        return self._event("NewAccountCode", "call", channel, [
            f"Channel: {channel.name}",
            f"Uniqueid: {channel.uniqueid}",
            "AccountCode: ",
            "OldAccountCode: ",
        ], ["OldAccountCode: "])  # fmt: skip

    def new_caller_id(self, channel: Channel) -> bytes:
        """Write ``NewCallerid`` of a call that the gateway makes (recorded)."""
        presentation = "CID-CallingPres: 0 (Presentation Allowed, Not Screened)"
        return self._event("NewCallerid", "call", channel, [
            f"Channel: {channel.name}",
            *_caller(channel, ""),
            f"Uniqueid: {channel.uniqueid}",
            presentation,
        ], [presentation])  # fmt: skip

    def var_set(self, channel: Channel, variable: str, value: str) -> bytes:
        """Write ``VarSet``: 1.8 writes the value as it is, see `_shown` for later ones."""
        return self._event("VarSet", "dialplan", channel, [
            f"Channel: {channel.name}",
            f"Variable: {variable}",
            f"Value: {value}",
            f"Uniqueid: {channel.uniqueid}",
        ], [f"Variable: {variable}", f"Value: {_shown(value)}"])  # fmt: skip

    def global_var_set(self, variable: str, value: str) -> bytes:
        """Write ``VarSet`` of a variable that belongs to no channel."""
        shown = value if self._old else _shown(value)
        keys = [f"Variable: {variable}", f"Value: {shown}"]
        return packet(
            "Event: VarSet",
            "Privilege: dialplan,all",
            "Channel: none",
            *([*keys, "Uniqueid: none"] if self._old else ["Uniqueid: none", *keys]),
        )

    def new_exten(self, channel: Channel) -> bytes:
        """Write ``Newexten`` for the step the channel is at; ``AppData`` is never escaped."""
        step = [f"Application: {channel.application}", f"AppData: {channel.data}"]
        return self._event("Newexten", "dialplan", channel, [
            f"Channel: {channel.name}",
            f"Context: {channel.context}",
            f"Extension: {channel.exten}",
            f"Priority: {channel.priority}",
            *step,
            f"Uniqueid: {channel.uniqueid}",
        ], [f"Extension: {channel.exten}", *step])  # fmt: skip

    def hangup(self, channel: Channel, cause: int) -> bytes:
        """Write ``Hangup``."""
        reason = [f"Cause: {cause}", f"Cause-txt: {CAUSES.get(cause, 'Unknown')}"]
        return self._event("Hangup", "call", channel, [
            f"Channel: {channel.name}",
            f"Uniqueid: {channel.uniqueid}",
            *_parties(channel, UNKNOWN),
            *reason,
        ], reason)  # fmt: skip

    def _event(
        self,
        name: str,
        privilege: str,
        channel: Channel,
        old: list[str],
        extra: Sequence[str] = (),
    ) -> bytes:
        keys = old if self._old else [*snapshot(channel), *extra]
        return packet(f"Event: {name}", f"Privilege: {privilege},all", *keys)

    @staticmethod
    def _state(channel: Channel) -> list[str]:
        state = channel.state
        return [
            f"ChannelState: {state.value}",
            f"ChannelStateDesc: {state.description}",
        ]
