"""What OpenVox adds to AMI: spans, SMS, USSD. No Home Assistant in here."""

from .gateway import Gateway, NotAnOpenVoxGatewayError, UssdError
from .model import (
    CallDirection,
    CallNews,
    CallNewsType,
    Features,
    IncomingSms,
    NetworkStatus,
    RingOutcome,
    RingResult,
    SendFailure,
    SendResult,
    SendStatus,
    Span,
    SpanStatus,
    UssdFailure,
    UssdReply,
    UssdStatus,
)
from .text import InvalidNumberError, InvalidTextError, normalise_number

__all__ = [
    "CallDirection",
    "CallNews",
    "CallNewsType",
    "Features",
    "Gateway",
    "IncomingSms",
    "InvalidNumberError",
    "InvalidTextError",
    "NetworkStatus",
    "NotAnOpenVoxGatewayError",
    "RingOutcome",
    "RingResult",
    "SendFailure",
    "SendResult",
    "SendStatus",
    "Span",
    "SpanStatus",
    "UssdError",
    "UssdFailure",
    "UssdReply",
    "UssdStatus",
    "normalise_number",
]
