"""What can go wrong between a client and an Asterisk manager.

No error of this module holds the password, and none repeats a command: the
commands of a GSM gateway carry phone numbers and message texts.
"""


class AmiError(Exception):
    """Base of everything that this package raises."""


class CannotConnectError(AmiError):
    """No connection could be made; nothing was sent."""


class TlsError(AmiError):
    """No encrypted connection could be made; nothing was sent."""


class CertificateError(TlsError):
    """The certificate is not trusted, or not the one that was accepted."""


class ProtocolError(AmiError):
    """The other side does not speak AMI, or sent a packet beyond the limit."""


class AuthenticationError(AmiError):
    """The manager refused the user name or the password."""


class ChallengeMissingError(AmiError):
    """The other side wants the password itself; it was not sent."""


class PermissionDeniedError(AmiError):
    """The user lacks the right for this action."""


class ActionFailedError(AmiError):
    """The manager answered the action with an error; its words are the message."""


class ActionTimeoutError(AmiError):
    """No answer came in time; whether the action was carried out is not known."""


class ConnectionLostError(AmiError):
    """The connection is gone; the outcome of an action in flight is not known."""


class InvalidHeaderError(AmiError, ValueError):
    """A key or value cannot travel in an AMI header; nothing was sent."""
