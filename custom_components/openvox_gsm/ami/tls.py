"""Encryption: Asterisk's manager over TLS, as a rule on port 5039."""

import asyncio
from collections.abc import Iterator
import contextlib
from dataclasses import dataclass
import hashlib
import socket
import ssl
from typing import Final

from .errors import (
    CannotConnectError,
    CertificateError,
    HostNotFoundError,
    PortClosedError,
    TlsError,
)

_TIMEOUT: Final = 10.0  # seconds


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
    loop = asyncio.get_running_loop()
    with connecting(host, port, timeout, encrypted=True):
        async with asyncio.timeout(timeout):
            transport, _ = await loop.create_connection(
                asyncio.Protocol, host, port, ssl=context
            )
    try:
        return _fingerprint(transport)
    finally:
        transport.abort()


@contextlib.contextmanager
def connecting(
    host: str, port: int, timeout: float, *, encrypted: bool
) -> Iterator[None]:
    """Turn what can go wrong while connecting into this package's errors."""
    try:
        yield
    except TimeoutError as err:
        raise CannotConnectError(
            f"No connection to {host}:{port} within {timeout:g} seconds"
        ) from err
    except ssl.SSLCertVerificationError as err:
        raise CertificateError(
            f"The gateway's certificate is not trusted: {err.verify_message}"
        ) from err
    except ssl.SSLError as err:
        raise TlsError(
            f"No encrypted connection to {host}:{port}: {err.reason}"
        ) from err
    except (socket.gaierror, ValueError) as err:
        # ValueError: can't be a host name.
        raise HostNotFoundError(f"No address for {host}: {err}") from err
    except ConnectionRefusedError as err:
        # Not where the host has several addresses: asyncio then sums up the errors.
        raise PortClosedError(f"No connection to {host}:{port}: {err}") from err
    except (OSError, OverflowError) as err:
        if encrypted and isinstance(err, ConnectionResetError | ConnectionAbortedError):
            # A server may just hang up if no version or cipher suits it.
            raise TlsError(
                f"No encrypted connection to {host}:{port}: the other side hung up"
            ) from err
        # OverflowError: can't be a port.
        raise CannotConnectError(f"No connection to {host}:{port}: {err}") from err


def _fingerprint(transport: asyncio.BaseTransport) -> str:
    certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return hashlib.sha256(certificate).hexdigest()
