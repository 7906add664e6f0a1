"""What can go wrong at a gateway, beyond what can at any Asterisk manager."""

from enum import StrEnum
from typing import Final

from custom_components.openvox_gsm.ami import AmiError

from .model import SendFailure, UssdFailure

# The gateway looks at the span before anything goes out to the network.
_NOT_ASKED: Final = (
    UssdFailure.BUSY,
    UssdFailure.SPAN_NOT_READY,
    UssdFailure.POWER_OFF,
    UssdFailure.SPAN_LOCKED,
    UssdFailure.NO_SUCH_SPAN,
    UssdFailure.NOT_CONNECTED,
)


class NotAnOpenVoxGatewayError(AmiError):
    """An Asterisk answers there, but it has no ``gsm`` commands."""


class UssdError(Exception):
    """A USSD request brought no answer.

    `was_asked` is True where anything may have gone out to the network.
    """

    def __init__(self, failure: UssdFailure, span: int) -> None:
        """Keep the reason and the span."""
        super().__init__(f"USSD on span {span}: {failure}")
        self.failure = failure
        self.span = span
        self.was_asked = failure not in _NOT_ASKED


class SpanError(Exception):
    """A span could not do what it was asked to do."""

    def __init__(self, failure: SendFailure, span: int | None) -> None:
        """Keep the reason and the span; None where no span could do it."""
        super().__init__(f"Span {span}: {failure}")
        self.failure = failure
        self.span = span


class InvalidNumberError(ValueError):
    """A destination that can't stand in a command; the message doesn't repeat it."""


class ForbiddenReason(StrEnum):
    """Why a command or an action is never sent."""

    HANGS_SPAN = "hangs_span"
    """`gsm power stat`: the span hangs until the gateway is restarted."""
    SESSION_ACTION = "session_action"
    """It would end the session, or change it for the next action."""
    SESSION_HEADER = "session_header"
    """The session sets this header itself, to tell answers apart."""


class ForbiddenActionError(ValueError):
    """A command or an action that is never sent."""

    def __init__(self, reason: ForbiddenReason, name: str) -> None:
        """Keep the reason, and the name of the command, action or header."""
        super().__init__(f"{name}: {reason}")
        self.reason = reason
        self.name = name
