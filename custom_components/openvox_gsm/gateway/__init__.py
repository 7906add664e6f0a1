"""What OpenVox adds to AMI: spans, SMS, USSD, calls. No Home Assistant in here."""

from .errors import (
    ForbiddenActionError,
    InvalidNumberError,
    NotAnOpenVoxGatewayError,
    SpanError,
    UssdError,
)
from .firmware import Features
from .gateway import Gateway
from .model import (
    CallDirection,
    CallEvent,
    CallEventType,
    CoreStatus,
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
from .receiving.assembly import Assembler, ReceivedPart
from .sending.sender import SMS_TIMEOUT
from .sending.text import InvalidTextError, TextFault
from .ussd import USSD_TIMEOUT, is_ussd_code

__all__ = [
    "SMS_TIMEOUT",
    "USSD_TIMEOUT",
    "Assembler",
    "CallDirection",
    "CallEvent",
    "CallEventType",
    "CoreStatus",
    "Features",
    "ForbiddenActionError",
    "Gateway",
    "IncomingSms",
    "InvalidNumberError",
    "InvalidTextError",
    "NetworkStatus",
    "NotAnOpenVoxGatewayError",
    "ReceivedPart",
    "RingOutcome",
    "RingResult",
    "SendFailure",
    "SendResult",
    "SendStatus",
    "Span",
    "SpanError",
    "SpanStatus",
    "TextFault",
    "UssdError",
    "UssdFailure",
    "UssdReply",
    "UssdStatus",
    "is_ussd_code",
]
