"""What can go wrong between a client and an Asterisk manager.

No error of this module contains the password, and none repeats a command: the
commands of a GSM gateway contain phone numbers and message texts.
"""

from enum import StrEnum


class AmiError(Exception):
    """Base of all errors that this package raises."""


class CannotConnectError(AmiError):
    """No connection could be made; nothing was sent."""


class HostNotFoundError(CannotConnectError):
    """No address is known for the host."""


class PortClosedError(CannotConnectError):
    """The host refuses connections to the port."""


class TlsError(AmiError):
    """No encrypted connection could be made; nothing was sent."""


class CertificateError(TlsError):
    """The certificate is not trusted, or not the one that was accepted."""


class ProtocolError(AmiError):
    """The other side doesn't speak AMI, or sent a packet that is too large."""


class Service(StrEnum):
    """What may answer instead of a manager."""

    WEB_SERVER = "web_server"
    TERMINAL = "terminal"
    """SSH or Telnet."""


class OtherServiceError(ProtocolError):
    """Something that isn't a manager answers, and shows what it is."""

    def __init__(self, service: Service) -> None:
        """Keep what it is."""
        super().__init__(f"The other side is a {service.replace('_', ' ')}")
        self.service = service


class AuthenticationError(AmiError):
    """The manager refused the user name or the password."""


class ChallengeMissingError(AmiError):
    """The other side wants the password itself; it was not sent."""


class PermissionDeniedError(AmiError):
    """The user lacks the right for this action."""


class ActionFailedError(AmiError):
    """The manager answered the action with an error; its words are the message."""


class ActionTimeoutError(AmiError):
    """No answer came in time; it isn't known whether the action was carried out."""


class NoGreetingError(ActionTimeoutError):
    """The other side accepted the connection, and said nothing; nothing was sent."""


class ConnectionLostError(AmiError):
    """The connection is lost; the outcome of an action in flight isn't known."""


class HeaderFault(StrEnum):
    """What is wrong with a header."""

    NAME = "name"
    """The name isn't one line without a colon."""
    VALUE = "value"
    """The value isn't one line without NUL characters."""
    TOO_LONG = "too_long"
    """Asterisk would cut the line off."""


class InvalidHeaderError(AmiError, ValueError):
    """A name or value can't be sent in an AMI header; nothing was sent."""

    def __init__(self, fault: HeaderFault, header: str, message: str) -> None:
        """Keep the fault and the header's name; `message` doesn't repeat the value."""
        super().__init__(message)
        self.fault = fault
        self.header = header
