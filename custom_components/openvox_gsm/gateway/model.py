"""What a gateway consists of and what passes through it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
import re
from types import MappingProxyType


class SpanStatus(StrEnum):
    """What a span is doing, in the one word that matters to its user."""

    READY = "ready"
    BUSY = "busy"
    IN_CALL = "in_call"
    NO_SIM = "no_sim"
    NO_SIGNAL = "no_signal"
    PIN_ERROR = "pin_error"
    DOWN = "down"
    POWER_OFF = "power_off"
    ALARM = "alarm"
    UNKNOWN = "unknown"


class NetworkStatus(StrEnum):
    """How the SIM stands with its network (3GPP TS 27.007, +CREG)."""

    NOT_REGISTERED = "not_registered"
    HOME = "home"
    SEARCHING = "searching"
    DENIED = "denied"
    UNKNOWN = "unknown"
    ROAMING = "roaming"
    REGISTERED = "registered"


_IN_A_NETWORK = (NetworkStatus.HOME, NetworkStatus.ROAMING, NetworkStatus.REGISTERED)
_DIGIT = re.compile(r"[0-9]")


@dataclass(frozen=True, slots=True)
class Span:
    """One GSM port: a radio module and its SIM, as the gateway last told it.

    None and empty texts stand for what the firmware does not tell. The raw
    words behind the enums are kept; a PIN among them is not. `lines` holds
    every line of the gateway's answer, those that nothing here reads too.
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
    # Guess: the notes on the driver give no unit for the post dial delay; the
    # usual one is the second.
    post_dial_delay: int | None = None  # PDD, seconds
    answer_seizure_ratio: int | None = None  # ASR, per cent of the calls
    average_call_duration: int | None = None  # ACD, seconds
    own_number: str = field(default="", repr=False)
    sms_center: str = field(default="", repr=False)
    manufacturer: str = ""
    model: str = ""
    revision: str = ""
    imei: str = ""
    lines: Mapping[str, str] = field(default=MappingProxyType({}), repr=False)

    @property
    def can_send(self) -> bool:
        """Whether an SMS or USSD handed to the span now goes out at once."""
        return self.status is SpanStatus.READY

    @property
    def state(self) -> str:
        """The protocol's state in the driver's words, without the other side.

        In a call ``CALL ACTIVE Called from 13632919026 00:01:12`` is told.
        """
        return " ".join(
            takewhile(
                lambda word: word.lower() != "called" and not _DIGIT.search(word),
                self.state_text.split(),
            )
        )

    @property
    def registered(self) -> bool | None:
        """Whether the SIM is in a network; None where that is not told.

        What was last told of a module without power says nothing any more.
        """
        if self.status in (SpanStatus.DOWN, SpanStatus.POWER_OFF):
            return False
        if self.network_status is NetworkStatus.UNKNOWN:
            return None
        return self.network_status in _IN_A_NETWORK

    @property
    def roaming(self) -> bool | None:
        """Whether the network is a foreign one; None where that is not told."""
        if not self.registered:
            return self.registered
        if self.network_status is NetworkStatus.REGISTERED:
            return None
        return self.network_status is NetworkStatus.ROAMING

    @property
    def signal_dbm(self) -> int | None:
        """Signal strength in dBm, -113 to -51 (3GPP TS 27.007, +CSQ)."""
        return None if self.csq is None else -113 + 2 * self.csq

    @property
    def signal_percent(self) -> int | None:
        """Signal quality in per cent of the CSQ scale, 0 to 100."""
        return None if self.csq is None else round(self.csq * 100 / 31)


@dataclass(frozen=True, slots=True)
class IncomingSms:
    """One SMS as its sender wrote it, all its parts joined.

    `sent_at` is the time stamp of the service centre with its zone, None where
    the gateway does not tell it. `arrived_at` is the moment, in UTC, at which
    its last part came in here. `complete` is False where parts are missing.
    """

    span: int
    sender: str = field(repr=False)
    text: str = field(repr=False)
    sent_at: datetime | None
    arrived_at: datetime
    parts: int = 1
    complete: bool = True


class SendStatus(StrEnum):
    """What became of a message."""

    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class SendFailure(StrEnum):
    """Why a message was not sent, or why its fate is not known."""

    NO_SPAN_READY = "no_span_ready"
    SPAN_NOT_READY = "span_not_ready"
    NO_SUCH_SPAN = "no_such_span"
    NOT_CONNECTED = "not_connected"
    BUSY = "busy"
    REJECTED = "rejected"
    REFUSED = "refused"
    TEXT_MODE = "text_mode"
    WRONG_CODING = "wrong_coding"
    TIMED_OUT = "timed_out"
    CONNECTION_LOST = "connection_lost"
    GIVEN_UP = "given_up"
    NOT_ALLOWED = "not_allowed"
    LIMIT_REACHED = "limit_reached"


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of one message to one number.

    `parts` is the number of SMS that the text takes, `parts_sent` how many of
    them the network took for certain. `certainly_not_sent` tells that no part
    can have reached the phone. `detail` is the gateway's own words where they
    say more than the failure does, without number and text.
    """

    number: str = field(repr=False)
    status: SendStatus
    span: int | None
    parts: int
    parts_sent: int = 0
    failure: SendFailure | None = None
    detail: str = ""

    @property
    def certainly_not_sent(self) -> bool:
        """Whether the message may be tried again without being sent twice."""
        return self.status is SendStatus.FAILED and self.parts_sent == 0


class UssdStatus(StrEnum):
    """What the network says after a USSD request (3GPP TS 27.007, +CUSD)."""

    DONE = "done"
    REPLY_EXPECTED = "reply_expected"
    ENDED_BY_NETWORK = "ended_by_network"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    NOT_SUPPORTED = "not_supported"
    NETWORK_TIMEOUT = "network_timeout"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
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
    """Why a USSD request brought no answer."""

    FAILED = "failed"
    TIMED_OUT = "timed_out"
    BUSY = "busy"
    SPAN_NOT_READY = "span_not_ready"
    NO_SUCH_SPAN = "no_such_span"
    NOT_CONNECTED = "not_connected"
    CONNECTION_LOST = "connection_lost"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Features:
    """What a gateway's firmware and the rights of the user allow.

    Learnt after each login from the gateway's own help texts. None stands for
    a right that could not be read.
    """

    asterisk_version: str = ""
    driver_version: str = ""
    concatenated_sms: bool = True
    message_id: bool = True
    flash: bool = False
    may_see_sms: bool | None = None
    may_see_calls: bool | None = None
    may_dial: bool | None = None


@dataclass(frozen=True, slots=True)
class CoreStatus:
    """What the gateway's Asterisk tells of itself, None for what it does not.

    `started_at` is the gateway's local time; its zone is not told.
    """

    active_calls: int | None = None
    started_at: datetime | None = None


class CallDirection(StrEnum):
    """Who began a call."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


class CallNewsType(StrEnum):
    """What happened to a call."""

    RINGING = "ringing"
    ANSWERED = "answered"
    MISSED = "missed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CallNews:
    """Something that happened to a call on a span.

    `number` is the other side's, empty where it is withheld or not told. The
    times are in seconds; `talk_time` is None until the call has ended. `cause`
    is that of Q.850 (16: normal, 17: busy, 19: no answer), with Asterisk's word.
    """

    type: CallNewsType
    span: int
    direction: CallDirection
    number: str = field(repr=False)
    ring_time: int = 0
    talk_time: int | None = None
    cause: int | None = None
    cause_text: str = ""


class RingOutcome(StrEnum):
    """What became of a call that was only to ring."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RingResult:
    """The outcome of a call that was only to ring, and its length in seconds."""

    span: int
    outcome: RingOutcome
    ring_time: int
