"""Encryption: Asterisk's manager over TLS, as a rule on port 5039."""

import asyncio
from collections.abc import Iterator
import contextlib
from dataclasses import dataclass
import hashlib
import ssl
from typing import Final

from .errors import CannotConnectError, CertificateError, TlsError

_TIMEOUT: Final = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Tls:
    """How a connection is encrypted.

    With a `fingerprint` (SHA-256 of the certificate, hexadecimal) the gateway's
    certificate must be just that one, and the context need not verify it.
    """

    context: ssl.SSLContext
    fingerprint: str | None = None

    def check(self, transport: asyncio.BaseTransport) -> None:
        """Raise CertificateError where the certificate is not the expected one."""
        if self.fingerprint and _fingerprint(transport) != self.fingerprint:
            raise CertificateError(
                "The gateway shows another certificate than the one that was accepted"
            )


def unverified_context() -> ssl.SSLContext:
    """Return a context for certificates that are known by their fingerprint.

    It also takes TLS 1.0 and 1.1 and old ciphers: the gateways' OpenSSL is of
    2013 and earlier, and speaks nothing else. No certificates are read from
    disk, so this may be called anywhere.
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
    """Return the fingerprint of the certificate that is shown at an address.

    Nothing is sent but the handshake. `timeout` is in seconds. Raises
    CannotConnectError, and TlsError where no TLS is spoken there.
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
    """Put what can go wrong while connecting in this package's words."""
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
    except (OSError, ValueError, OverflowError) as err:
        if encrypted and isinstance(err, ConnectionResetError | ConnectionAbortedError):
            # Who likes nothing of what TLS offers may just hang up.
            raise TlsError(
                f"No encrypted connection to {host}:{port}: the other side hung up"
            ) from err
        # ValueError and OverflowError come of what can be no host name and no port.
        raise CannotConnectError(f"No connection to {host}:{port}: {err}") from err


def _fingerprint(transport: asyncio.BaseTransport) -> str:
    certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return hashlib.sha256(certificate).hexdigest()
