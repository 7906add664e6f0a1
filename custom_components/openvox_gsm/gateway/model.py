"""What a gateway consists of, and what passes through it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, Self


class SpanStatus(StrEnum):
    """What a span is doing, in the one word that matters to a user."""

    READY = "ready"
    BUSY = "busy"
    IN_CALL = "in_call"
    NO_SIM = "no_sim"
    NO_SIGNAL = "no_signal"
    PIN_ERROR = "pin_error"
    DOWN = "down"
    POWER_OFF = "power_off"
    ALARM = "alarm"
    STUCK = "stuck"
    LOCKED = "locked"
    SMS_LIMIT = "sms_limit"
    CALL_LIMIT = "call_limit"
    UNKNOWN = "unknown"


class Work(StrEnum):
    """What a span can be asked to do. The gateway may limit each."""

    SMS = "sms"
    CALL = "call"
    USSD = "ussd"


class NetworkStatus(StrEnum):
    """Whether the SIM is registered in a network (3GPP TS 27.007, +CREG)."""

    NOT_REGISTERED = "not_registered"
    HOME = "home"
    SEARCHING = "searching"
    DENIED = "denied"
    UNKNOWN = "unknown"
    ROAMING = "roaming"
    REGISTERED = "registered"


_REGISTERED = (NetworkStatus.HOME, NetworkStatus.ROAMING, NetworkStatus.REGISTERED)
# Every module must still work at -102 dBm (3GPP TS 45.005, 6.2); 5 is -103 dBm.
# Guess: the same for WCDMA and LTE.
_WEAK_CSQ: Final = 5
_NOT_REGISTERED = (
    NetworkStatus.NOT_REGISTERED,
    NetworkStatus.SEARCHING,
    NetworkStatus.DENIED,
)
_READY = (SpanStatus.READY, SpanStatus.SMS_LIMIT, SpanStatus.CALL_LIMIT)
# The driver goes on printing operator and signal as they were before (recorded).
_WITHOUT_SIM = (SpanStatus.POWER_OFF, SpanStatus.NO_SIM, SpanStatus.PIN_ERROR)
_WITHOUT_NETWORK = (*_WITHOUT_SIM, SpanStatus.DOWN, SpanStatus.NO_SIGNAL)


@dataclass(frozen=True)
class Span:
    """One GSM port: a radio module and its SIM, as last read.

    None and empty texts stand for what the firmware doesn't print. The raw words
    behind the enums are kept, except for a PIN. `lines` has every line of the
    gateway's answer, including those that nothing here reads.
    """

    number: int
    status: SpanStatus = SpanStatus.UNKNOWN
    status_text: str = ""
    state_text: str = ""
    network_status: NetworkStatus = NetworkStatus.UNKNOWN
    network_text: str = ""
    operator: str = ""
    csq: int | None = None
    bit_error_rate: int | None = None  # 0 to 7, 3GPP TS 45.008
    # Guess: the driver gives no unit for the post-dial delay; seconds are usual.
    post_dial_delay: int | None = None  # PDD, seconds
    answer_seizure_ratio: int | None = None  # ASR, percent of the calls
    average_call_duration: int | None = None  # ACD, seconds
    own_number: str = field(default="", repr=False)
    sms_center: str = field(default="", repr=False)
    manufacturer: str = ""
    model: str = ""
    revision: str = ""
    imei: str = ""
    imsi: str = field(default="", repr=False)
    #: What the gateway doesn't let the span do, in its own words in lower case.
    limits: frozenset[str] = frozenset()
    lines: Mapping[str, str] = field(default=MappingProxyType({}), repr=False)

    def with_status(self, status: SpanStatus) -> Self:
        """Return the span with another status, and without what's outdated then."""
        if status not in _WITHOUT_NETWORK:
            return replace(self, status=status)
        network = self.network_status
        if status in _WITHOUT_SIM or network in _REGISTERED:
            network = NetworkStatus.UNKNOWN
        return replace(
            self,
            status=status,
            network_status=network,
            operator="",
            csq=None,
            bit_error_rate=None,
        )

    def can_do(self, work: Work) -> bool:
        """Whether the span does its work at once if it gets any now."""
        return self.status in _READY and work not in self.limits

    @property
    def can_send(self) -> bool:
        """Whether an SMS given to the span now goes out at once."""
        return self.can_do(Work.SMS)

    def reason_against(self, work: Work) -> SendFailure:
        """Why the span doesn't do its work now."""
        if self.status in _READY and work in self.limits:
            return SendFailure.SPAN_LIMIT
        if self.status is SpanStatus.DOWN and self.network_status in _NOT_REGISTERED:
            return SendFailure.NO_NETWORK
        return _REASONS.get(self.status, SendFailure.SPAN_NOT_READY)

    @property
    def state(self) -> str:
        """The protocol's state in the driver's words, without the other side's number.

        In a call it reads ``CALL ACTIVE Called from 13632919026 00:01:12``.
        """
        words = []
        for word in self.state_text.split():
            if word.lower() == "called" or any("0" <= letter <= "9" for letter in word):
                break
            words.append(word)
        return " ".join(words)

    @property
    def registered(self) -> bool | None:
        """Whether the SIM is registered in a network; None where that isn't known.

        A module without power or SIM is not, whatever the gateway still prints.
        """
        if self.status in _WITHOUT_NETWORK:
            return False
        if self.network_status is NetworkStatus.UNKNOWN:
            return None
        return self.network_status in _REGISTERED

    @property
    def roaming(self) -> bool | None:
        """Whether the network is a foreign one; None where that isn't known."""
        if not self.registered:
            return self.registered
        if self.network_status is NetworkStatus.REGISTERED:
            return None
        return self.network_status is NetworkStatus.ROAMING

    @property
    def has_hardly_any_signal(self) -> bool:
        """Whether the signal may be too weak to send; False where it isn't known."""
        return self.csq is not None and self.csq <= _WEAK_CSQ

    @property
    def signal_dbm(self) -> int | None:
        """Signal strength in dBm, -113 to -51 (3GPP TS 27.007, +CSQ)."""
        return None if self.csq is None else -113 + 2 * self.csq

    @property
    def signal_percent(self) -> int | None:
        """Signal quality in percent of the CSQ scale, 0 to 100."""
        return None if self.csq is None else round(self.csq * 100 / 31)


@dataclass(frozen=True)
class IncomingSms:
    """One SMS as its sender wrote it, with all its parts joined.

    `sent_at` is the time stamp of the service centre with its zone, None where the
    gateway doesn't give it. `arrived_at` is the time, in UTC, at which its last part
    arrived here. `complete` is False where parts are missing, or where some may be those
    of another message.
    """

    span: int
    sender: str = field(repr=False)
    text: str = field(repr=False)
    sent_at: datetime | None
    arrived_at: datetime
    parts: int = 1
    complete: bool = True


class SendStatus(StrEnum):
    """The outcome of a message."""

    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class SendFailure(StrEnum):
    """Why a message was not sent, or why its outcome isn't known.

    The reasons why a span does nothing at all apply to calls and USSD as well.
    """

    NO_SPAN_READY = "no_span_ready"
    SPAN_NOT_READY = "span_not_ready"
    SPAN_SILENT = "span_silent"
    POWER_OFF = "power_off"
    NO_SIM = "no_sim"
    PIN_ERROR = "pin_error"
    NO_NETWORK = "no_network"
    IN_CALL = "in_call"
    DOWN = "down"
    ALARM = "alarm"
    STUCK = "stuck"
    SPAN_LOCKED = "span_locked"
    SPAN_LIMIT = "span_limit"
    NO_SUCH_SPAN = "no_such_span"
    NOT_CONNECTED = "not_connected"
    NOT_RESPONDING = "not_responding"
    BUSY = "busy"
    REJECTED = "rejected"
    REFUSED = "refused"
    TEXT_MODE = "text_mode"
    WRONG_CODING = "wrong_coding"
    TIMED_OUT = "timed_out"
    CONNECTION_LOST = "connection_lost"
    GIVEN_UP = "given_up"
    LIMIT_REACHED = "limit_reached"
    SIM_LIMIT_REACHED = "sim_limit_reached"


_REASONS: Final = {
    SpanStatus.BUSY: SendFailure.BUSY,
    SpanStatus.IN_CALL: SendFailure.IN_CALL,
    SpanStatus.NO_SIM: SendFailure.NO_SIM,
    SpanStatus.NO_SIGNAL: SendFailure.NO_NETWORK,
    SpanStatus.PIN_ERROR: SendFailure.PIN_ERROR,
    SpanStatus.DOWN: SendFailure.DOWN,
    SpanStatus.POWER_OFF: SendFailure.POWER_OFF,
    SpanStatus.ALARM: SendFailure.ALARM,
    SpanStatus.STUCK: SendFailure.STUCK,
    SpanStatus.LOCKED: SendFailure.SPAN_LOCKED,
}
# These say nothing about the order itself: any other failure tells more.
NOT_READY: Final = frozenset(_REASONS.values()) - {SendFailure.BUSY} | {
    SendFailure.SPAN_NOT_READY,
    SendFailure.SPAN_SILENT,
    SendFailure.SPAN_LIMIT,
    SendFailure.NO_SUCH_SPAN,
}


@dataclass(frozen=True)
class SendResult:
    """The outcome of one message to one number.

    `parts` is the number of SMS that the text takes, `parts_sent` how many of them
    the network has certainly accepted. `detail` is the gateway's own words where they
    say more than the failure, without number and text. `settled` gets the final
    result where the outcome is unknown for now, but may still be learned.
    """

    number: str = field(repr=False)
    status: SendStatus
    span: int | None
    parts: int
    parts_sent: int = 0
    failure: SendFailure | None = None
    detail: str = ""
    settled: asyncio.Future[SendResult] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def certainly_not_sent(self) -> bool:
        """Whether no part can have reached the phone, so it may be sent again."""
        return self.status is SendStatus.FAILED and self.parts_sent == 0


# Why the service centre gave up, by TP-Status (3GPP TS 23.040, 9.2.3.15).
_DELIVERY_CAUSES: Final = {
    0x40: "Remote procedure error",
    0x41: "Incompatible destination",
    0x42: "Connection rejected by the phone",
    0x43: "Not obtainable",
    0x44: "Quality of service not available",
    0x45: "No interworking available",
    0x46: "Validity period expired",
    0x47: "Deleted by the sender",
    0x48: "Deleted by the service centre",
    0x49: "Does not exist",
    0x60: "Congestion",
    0x61: "Phone busy",
    0x62: "No response from the phone",
    0x63: "Service rejected",
    0x64: "Quality of service not available",
    0x65: "Error in the phone",
}


@dataclass(frozen=True)
class StatusReport:
    """The network's report about an SMS that was sent: whether it reached the phone.

    `delivered` is None where that isn't final, or isn't known. `reference` is the
    number that the network gave the SMS (0 to 255), `status` its TP-Status of 3GPP
    TS 23.040, 9.2.3.15; None where the gateway doesn't give them. `discharged_at` is
    the time stamp of the service centre, `arrived_at` the time, in UTC, at which the
    report arrived here. `cause_text` is the gateway's own word for what went wrong.
    `message` is the text of the message, where it's certain which one it was.
    `order_ids` are the IDs that the messages were sent with whose outcome is certain
    now: that one, or several to the same number that all had the same outcome.
    """

    span: int
    recipient: str = field(repr=False)
    reference: int | None
    delivered: bool | None
    status: int | None
    discharged_at: datetime | None
    arrived_at: datetime
    cause_text: str = ""
    message: str | None = field(default=None, repr=False)
    order_ids: tuple[str, ...] = ()

    @property
    def cause(self) -> str | None:
        """Why it was not delivered, in words; None where it was or that isn't known."""
        if self.delivered is not False:
            return None
        if self.cause_text or self.status is None:
            return self.cause_text or None
        return _DELIVERY_CAUSES.get(self.status, f"Status {self.status}")


class UssdStatus(StrEnum):
    """What the network answers to a USSD request (3GPP TS 27.007, +CUSD)."""

    DONE = "done"
    REPLY_EXPECTED = "reply_expected"
    ENDED_BY_NETWORK = "ended_by_network"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    NOT_SUPPORTED = "not_supported"
    NETWORK_TIMEOUT = "network_timeout"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class UssdReply:
    """The network's answer to a USSD request."""

    span: int
    response_type: int
    coding: int
    text: str = field(repr=False)

    @property
    def status(self) -> UssdStatus:
        """The response type as a word."""
        words = list(UssdStatus)
        if 0 <= self.response_type < len(words):
            return words[self.response_type]
        return UssdStatus.UNKNOWN


class UssdFailure(StrEnum):
    """Why a USSD request that a span could have sent brought no answer."""

    FAILED = "failed"
    TIMED_OUT = "timed_out"
    MENU_OPEN = "menu_open"
    CONNECTION_LOST = "connection_lost"
    REFUSED = "refused"


class CoreStatus(NamedTuple):
    """The status of the gateway's Asterisk; None for what it doesn't give.

    `started_at` is the gateway's local time, in a zone that isn't known.
    """

    active_calls: int | None = None
    started_at: datetime | None = None


class CallDirection(StrEnum):
    """Which side began a call."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


class CallEventType(StrEnum):
    """What happened to a call."""

    RINGING = "ringing"
    ANSWERED = "answered"
    MISSED = "missed"
    ENDED = "ended"


@dataclass(frozen=True)
class CallEvent:
    """Something that happened to a call on a span.

    `number` is the other side's, empty where it is withheld or not known. The times
    are in seconds; `talk_time` is None until the call has ended, and where nobody
    answered. `cause` is that of Q.850 (16: normal, 17: busy, 19: no answer),
    `cause_text` Asterisk's word for it. `call_id` is the same for all that happens to a
    call, `order_id` the ID that a call of ours was made with.
    """

    type: CallEventType
    span: int
    direction: CallDirection
    number: str = field(repr=False)
    ring_time: int = 0
    talk_time: int | None = None
    cause: int | None = None
    cause_text: str = ""
    call_id: str = ""
    order_id: str | None = None


class RingOutcome(StrEnum):
    """The outcome of a call that only rings."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"


class RingResult(NamedTuple):
    """The outcome of a call that only rings, and its length in seconds."""

    span: int
    outcome: RingOutcome
    ring_time: int
