"""The Asterisk Manager Interface (AMI): no GSM and no Home Assistant in here."""

from .errors import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    AuthenticationError,
    CannotConnectError,
    CertificateError,
    ChallengeMissingError,
    ConnectionLostError,
    HeaderFault,
    HostNotFoundError,
    InvalidHeaderError,
    NoGreetingError,
    OtherServiceError,
    PermissionDeniedError,
    PortClosedError,
    ProtocolError,
    Service,
    TlsError,
)
from .login import Credentials
from .packet import MAX_LINE, Packet
from .session import Session
from .tls import Tls, read_fingerprint, unverified_context

__all__ = [
    "MAX_LINE",
    "ActionFailedError",
    "ActionTimeoutError",
    "AmiError",
    "AuthenticationError",
    "CannotConnectError",
    "CertificateError",
    "ChallengeMissingError",
    "ConnectionLostError",
    "Credentials",
    "HeaderFault",
    "HostNotFoundError",
    "InvalidHeaderError",
    "NoGreetingError",
    "OtherServiceError",
    "Packet",
    "PermissionDeniedError",
    "PortClosedError",
    "ProtocolError",
    "Service",
    "Session",
    "Tls",
    "TlsError",
    "read_fingerprint",
    "unverified_context",
]
