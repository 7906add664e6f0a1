"""What a test can script: the outcome of the next SMS, USSD request or call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


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
    NO_PROMPT = "no_prompt"
    """The module never prompts: answer TIMEOUT, and the span is stuck in SMS SENDING.

    Only a start of the module frees it; this SMS is lost then, others go out.
    """
    NO_ANSWER = "no_answer"
    """The network never answers: the same, in SMS SENT."""
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
    """``timeout`` at once, and ``late_after`` seconds later the failure, for the next waiter."""
    HANG = "hang"


class CallOutcome(Enum):
    """What becomes of the next outgoing call of a span."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    """The module says so after the time given with it; without one it rings to the limit."""
    NO_CARRIER = "no_carrier"
    NO_DIALTONE = "no_dialtone"
    FAILED = "failed"
    """The module rejects the number at once."""


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


class ConnectionDropped(Exception):
    """A scripted fault: the session that runs the command loses its connection."""


class NeverAnswered(Exception):
    """A scripted fault: the command that waits for this is never answered."""
