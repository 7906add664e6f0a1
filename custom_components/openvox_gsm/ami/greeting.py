"""The line with which a manager begins, and those of others."""

from typing import Final

from .errors import OtherServiceError, ProtocolError, Service

_GREETING: Final = b"Asterisk Call Manager/"
_MAX_GREETING: Final = 256  # bytes
# HTTP, SSH (RFC 4253, 4.2), and a Telnet command (RFC 854)
_OTHERS: Final = {
    b"HTTP/": Service.WEB_SERVER,
    b"SSH-": Service.TERMINAL,
    b"\xff": Service.TERMINAL,
}


def read_greeting(received: bytes) -> tuple[str, bytes] | None:
    """Read the greeting in what has been received from the beginning on.

    Returns its version, such as "1.1", and what comes after it, or None while it isn't
    whole. Raises ProtocolError as soon as it can't be a manager's, OtherServiceError if
    it shows whose it is.
    """
    line, line_end, rest = received.partition(b"\r\n")
    expected = _GREETING if line_end else _GREETING[: len(line)]
    if not line.startswith(expected) or len(line) > _MAX_GREETING:
        for beginning, service in _OTHERS.items():
            if line.startswith(beginning):
                raise OtherServiceError(service)
        raise ProtocolError("The other side is not an Asterisk manager")
    if not line_end:
        return None
    return line.removeprefix(_GREETING).decode("latin-1"), rest
