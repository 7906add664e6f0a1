"""What OpenVox adds to AMI: spans, SMS, USSD. No Home Assistant in here."""

from .assembly import Assembler, ReceivedPart
from .errors import ForbiddenActionError, NotAnOpenVoxGatewayError, SpanError, UssdError
from .gateway import Gateway
from .model import (
    CallDirection,
    CallNews as CallEvent,
    CallNewsType as CallEventType,
    CoreStatus,
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
from .sender import SMS_TIMEOUT
from .text import InvalidNumberError, InvalidTextError, TextFault, normalise_number
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
    "normalise_number",
]
