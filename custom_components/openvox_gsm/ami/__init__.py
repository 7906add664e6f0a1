"""The Asterisk Manager Interface (AMI): no GSM and no Home Assistant in here."""

from .errors import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    AuthenticationError,
    CannotConnectError,
    ConnectionLostError,
    InvalidHeaderError,
    PermissionDeniedError,
    ProtocolError,
)
from .packet import Packet
from .session import Credentials, Session

__all__ = [
    "ActionFailedError",
    "ActionTimeoutError",
    "AmiError",
    "AuthenticationError",
    "CannotConnectError",
    "ConnectionLostError",
    "Credentials",
    "InvalidHeaderError",
    "Packet",
    "PermissionDeniedError",
    "ProtocolError",
    "Session",
]
