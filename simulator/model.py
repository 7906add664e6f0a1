"""What the simulated gateway is made of: its kinds, users, outcomes and records."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum


class Dialect(Enum):
    """How Asterisk frames its answers (gateway-protocol, part 1)."""

    ASTERISK_1_8 = "1.8"
    """1.8 to 13: ``Response: Follows`` … ``--END COMMAND--``; greeting 1.1."""
    ASTERISK_14 = "14"
    """14 and later: one ``Output:`` header a line; greeting 11.0.0 as Asterisk 22."""


class Firmware(Enum):
    """Which driver answers the ``gsm …`` commands."""

    CHAN_EXTRA_2_0_8 = "2.0.8"
    """The vendor's open driver."""
    LATER = "later"
    """Later firmware of the same family: flash argument, no ``Last … AT`` lines."""


STOCK_READ = frozenset(
    [
        "system",
        "call",
        "log",
        "verbose",
        "agent",
        "user",
        "config",
        "dtmf",
        "reporting",
        "cdr",
        "dialplan",
    ]
)
"""The event classes a gateway's stock user may read (later firmware's settings)."""

STOCK_WRITE = frozenset(
    [
        "system",
        "call",
        "log",
        "verbose",
        "command",
        "agent",
        "user",
        "config",
        "reporting",
        "originate",
    ]
)
"""The action classes a gateway's stock user may use (later firmware's settings)."""

RIGHTS_1_8 = (
    "system",
    "call",
    "log",
    "verbose",
    "command",
    "agent",
    "user",
    "config",
    "dtmf",
    "reporting",
    "cdr",
    "dialplan",
    "originate",
    "agi",
    "cc",
    "aoc",
    "test",
)
"""All rights in the order in which ``manager show user`` lists them (Asterisk 1.8)."""

RIGHTS = (*RIGHTS_1_8, "security", "message")
"""The same of Asterisk 22."""


def grants(rights: Collection[str], classes: Collection[str]) -> bool:
    """Say whether a set of rights covers at least one of some privilege classes."""
    return "all" in rights or any(name in rights for name in classes)


@dataclass(frozen=True)
class User:
    """A manager user with its secret and its rights."""

    name: str
    secret: str
    read: Collection[str] = STOCK_READ
    write: Collection[str] = STOCK_WRITE


class SmsOutcome(Enum):
    """What becomes of the next SMS that a span sends."""

    SUCCESS = "success"
    FAILED = "failed"
    """The network says no: answer WAS FAILED, nothing goes out."""
    TIMEOUT = "timeout"
    """Refused before the prompt: no event, so the answer is TIMEOUT, nothing goes out.

    The answer comes after ``send_duration``, not after the timeout of the command, so that
    tests need not wait.
    """
    BUSY = "busy"
    """Another send holds the span: answer WAS USING, nothing goes out."""
    LATE_SUCCESS = "late_success"
    """Answer TIMEOUT; ``late_after`` seconds later the SMS goes out after all."""
    LATE_FAILURE = "late_failure"
    """Answer TIMEOUT; ``late_after`` seconds later the network says no."""
    DROP_BEFORE = "drop_before"
    """The connection drops before the SMS is sent; nothing goes out."""
    DROP_AFTER = "drop_after"
    """The SMS goes out, then the connection drops without an answer."""
    HANG = "hang"
    """The command never answers and keeps the span; nothing goes out."""


class UssdOutcome(Enum):
    """What becomes of the next USSD request of a span."""

    SUCCESS = "success"
    FAILED = "failed"
    TIMEOUT = "timeout"
    """Answered by ``timeout`` after ``ussd_duration``, so that tests need not wait."""
    BUSY = "busy"
    LATE_FAILURE = "late_failure"
    """``timeout`` at once, and ``late_after`` seconds later the failure, for whoever waits."""
    HANG = "hang"


class CallOutcome(Enum):
    """What becomes of the next outgoing call of a span."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"


@dataclass(frozen=True)
class UssdMenu:
    """One USSD text of the network and what it answers to each reply.

    ``text`` is what the driver prints, to the byte (a CR LF stays). ``code`` is the data
    coding scheme and ``response`` the kind of answer (3GPP 27.007 ``+CUSD``: 0 no further
    action, 1 a reply is waited for, 2 ended by the network, …); both are found out when None.
    """

    text: str
    replies: Mapping[str, UssdMenu | str] = field(default_factory=dict)
    code: int | None = None
    response: int | None = None


@dataclass(frozen=True)
class SentSms:
    """One whole message as it arrived on the phone.

    ``parts`` holds the text of each SMS it came in, ``alphabet`` is ``gsm7`` or ``ucs2``,
    ``id`` the identifier given in the (first) command.
    """

    span: int
    number: str
    text: str
    parts: tuple[str, ...]
    alphabet: str
    flash: bool
    id: str | None


@dataclass(frozen=True)
class SentPart:
    """One single SMS as it left a span; ``flag`` is None for one that stands alone."""

    span: int
    number: str
    text: str
    alphabet: str
    flash: bool
    id: str | None
    flag: int | None = None
    count: int = 1
    sequence: int = 1


@dataclass(frozen=True)
class Overrun:
    """A text so long that the driver overruns its own buffer (tried on the vendor's code).

    ``units`` counts septets (``gsm7``, from 289) or UTF-16 units (``ucs2``, from 126).
    """

    span: int
    alphabet: str
    units: int


@dataclass(frozen=True)
class Originated:
    """An outgoing call that a client asked for with ``Originate``."""

    span: int
    number: str
    channel: str
    application: str
    data: str
    context: str
    exten: str
    priority: str
    timeout_ms: int
    asynchronous: bool
    caller_id: str
    variables: tuple[str, ...]


class ConnectionDropped(Exception):
    """A scripted fault: the session that runs the command loses its connection."""


class NeverAnswered(Exception):
    """A scripted fault: the command that waits for this is never answered."""
