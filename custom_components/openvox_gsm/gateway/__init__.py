"""What OpenVox adds to AMI: spans, SMS, USSD, calls. No Home Assistant in here."""

from .bounds import MAX_SPANS
from .calls.dialer import NOT_CALLED
from .errors import (
    ForbiddenActionError,
    ForbiddenReason,
    InvalidNumberError,
    NotAnOpenVoxGatewayError,
    OtherGatewayError,
    SpanError,
    TooManySpansError,
    UssdError,
    why_not_asked,
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
    StatusReport,
    UssdFailure,
    UssdReply,
    UssdStatus,
    Work,
)
from .modules import Modules
from .observing.masking import OPEN_LINES
from .observing.recording import as_file
from .power import LastSign
from .receiving.assembly import Assembler
from .receiving.received_part import ReceivedPart
from .sending.quota import Quota
from .sending.sender import SMS_TIMEOUT
from .sending.text import Alphabet, InvalidTextError, TextFault, split_text
from .ussd import USSD_TIMEOUT, is_ussd_code, is_ussd_text
from .warner import Warner

__all__ = [
    "MAX_SPANS",
    "NOT_CALLED",
    "OPEN_LINES",
    "SMS_TIMEOUT",
    "USSD_TIMEOUT",
    "Alphabet",
    "Assembler",
    "CallDirection",
    "CallEvent",
    "CallEventType",
    "CoreStatus",
    "Features",
    "ForbiddenActionError",
    "ForbiddenReason",
    "Gateway",
    "IncomingSms",
    "InvalidNumberError",
    "InvalidTextError",
    "LastSign",
    "Modules",
    "NetworkStatus",
    "NotAnOpenVoxGatewayError",
    "OtherGatewayError",
    "Quota",
    "ReceivedPart",
    "RingOutcome",
    "RingResult",
    "SendFailure",
    "SendResult",
    "SendStatus",
    "Span",
    "SpanError",
    "SpanStatus",
    "StatusReport",
    "TextFault",
    "TooManySpansError",
    "UssdError",
    "UssdFailure",
    "UssdReply",
    "UssdStatus",
    "Warner",
    "Work",
    "as_file",
    "is_ussd_code",
    "is_ussd_text",
    "split_text",
    "why_not_asked",
]
