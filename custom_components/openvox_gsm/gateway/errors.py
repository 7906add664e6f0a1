"""What can go wrong at a gateway, beyond what can at any Asterisk manager."""

from enum import StrEnum

from custom_components.openvox_gsm.ami import (
    ActionTimeoutError,
    AmiError,
    ProtocolError,
)

from .model import SendFailure, UssdFailure


class NotAnOpenVoxGatewayError(AmiError):
    """An Asterisk answers there, but it has no ``gsm`` commands."""


class TooManySpansError(ProtocolError):
    """The other side reports spans that no gateway has."""


class OtherGatewayError(AmiError):
    """The gateway that answers is known to be another one."""

    def __init__(self, name: str) -> None:
        """Note the name of the gateway that answers."""
        super().__init__(f"The gateway that answers at its address is {name}")
        self.name = name


class UssdError(Exception):
    """A USSD request brought no answer.

    The failure is a SendFailure where the span could not send any. `was_asked` is True
    where anything may have gone out to the network.
    """

    def __init__(self, failure: UssdFailure | SendFailure, span: int) -> None:
        """Keep the reason and the span."""
        super().__init__(f"USSD on span {span}: {failure}")
        self.failure = failure
        self.span = span
        self.was_asked = (
            isinstance(failure, UssdFailure) and failure is not UssdFailure.MENU_OPEN
        )


class SpanError(Exception):
    """A span could not do what it was asked to do."""

    def __init__(self, failure: SendFailure, span: int | None) -> None:
        """Keep the reason and the span; None where no span could do it."""
        super().__init__(f"Span {span}: {failure}")
        self.failure = failure
        self.span = span


def why_not_asked(err: AmiError, span: int | None = None) -> SendFailure:
    """Return why nothing was done: the gateway could not be asked about its spans.

    With a `span` it was asked about that one only.
    """
    if not isinstance(err, ActionTimeoutError):
        return SendFailure.NOT_CONNECTED
    return SendFailure.NOT_RESPONDING if span is None else SendFailure.SPAN_SILENT


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
