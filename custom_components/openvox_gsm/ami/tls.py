"""Encryption: Asterisk's manager over TLS, as a rule on port 5039."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import hashlib
import socket
import ssl
from typing import Final, cast

from .errors import (
    AmiError,
    CannotConnectError,
    CertificateError,
    HostNotFoundError,
    PortClosedError,
    TlsError,
)

_TIMEOUT: Final = 10.0  # seconds
# OverflowError: can't be a port.
# ExceptionGroup: one for each address of the host.
_CONNECT_ERRORS: Final = (OSError, ValueError, OverflowError, ExceptionGroup)


@dataclass(frozen=True)
class Tls:
    """How a connection is encrypted.

    With a `fingerprint` (SHA-256 of the certificate, hexadecimal) the gateway must have
    exactly that certificate, and the context doesn't need to verify it.
    """

    context: ssl.SSLContext
    fingerprint: str | None = None

    def check(self, transport: asyncio.BaseTransport) -> None:
        """Raise CertificateError if the certificate isn't the expected one."""
        if self.fingerprint and _fingerprint(transport) != self.fingerprint:
            raise CertificateError(
                "The gateway has another certificate than the one that was accepted"
            )


def unverified_context() -> ssl.SSLContext:
    """Return a context for certificates that are known by their fingerprint.

    It also accepts TLS 1.0 and 1.1 and old ciphers: the gateways have an OpenSSL of
    2013 or earlier, which knows nothing else. No certificates are read from disk, so
    this may be called in the event loop.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:!aNULL:@SECLEVEL=0")
    return context


async def read_fingerprint(
    host: str, port: int, context: ssl.SSLContext, *, timeout: float = _TIMEOUT
) -> str:
    """Return the fingerprint of the certificate at an address.

    Only the handshake is sent. `timeout` is in seconds. Raises CannotConnectError, and
    TlsError if there is no TLS.
    """
    transport = await open_connection(asyncio.Protocol, host, port, context, timeout)
    try:
        return _fingerprint(transport)
    finally:
        transport.abort()


async def open_connection(
    protocol: Callable[[], asyncio.BaseProtocol],
    host: str,
    port: int,
    context: ssl.SSLContext | None,
    timeout: float,
) -> asyncio.Transport:
    """Open a connection, encrypted with a context.

    `timeout` (seconds) includes the handshake. Raises CannotConnectError and TlsError.
    """
    # Only the type of the base class knows `all_errors`.
    loop = cast(asyncio.BaseEventLoop, asyncio.get_running_loop())
    try:
        async with asyncio.timeout(timeout):
            transport, _ = await loop.create_connection(
                protocol, host, port, ssl=context, all_errors=True
            )
    except _CONNECT_ERRORS as err:
        raise _connect_error(
            err, host, port, timeout, encrypted=context is not None
        ) from err
    return transport


def _connect_error(
    err: Exception, host: str, port: int, timeout: float, *, encrypted: bool
) -> AmiError:
    """Return what went wrong while connecting as an error of this package.

    Raise it from `err`, one of _CONNECT_ERRORS. Somebody may keep it for long, so `err`
    loses its frames: those of asyncio hold the connection and its encryption.
    """
    _drop_frames(err)
    if isinstance(err, ExceptionGroup):
        # What refuses is there, whatever the other addresses lead to.
        err = min(
            err.exceptions,
            key=lambda each: not isinstance(each, ConnectionRefusedError),
        )
    match err:
        case TimeoutError():
            return CannotConnectError(
                f"No connection to {host}:{port} within {timeout:g} seconds"
            )
        case ssl.SSLCertVerificationError():
            return CertificateError(
                f"The gateway's certificate is not trusted: {err.verify_message}"
            )
        case ssl.SSLError():
            return TlsError(f"No encrypted connection to {host}:{port}: {err.reason}")
        case socket.gaierror() | ValueError():  # ValueError: can't be a host name
            return HostNotFoundError(f"No address for {host}: {err}")
        case ConnectionRefusedError():
            return PortClosedError(f"No connection to {host}:{port}: {err}")
        case ConnectionResetError() | ConnectionAbortedError() if encrypted:
            # A server may just hang up if no version or cipher suits it.
            return TlsError(
                f"No encrypted connection to {host}:{port}: the other side hung up"
            )
    return CannotConnectError(f"No connection to {host}:{port}: {err}")


def _drop_frames(err: BaseException | None) -> None:
    while err:
        err.__traceback__ = None
        if isinstance(err, BaseExceptionGroup):
            for each in err.exceptions:
                _drop_frames(each)
        err = err.__context__


def _fingerprint(transport: asyncio.BaseTransport) -> str:
    certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return hashlib.sha256(certificate).hexdigest()
