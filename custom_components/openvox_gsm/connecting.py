"""Tries a gateway with the data of a form, and says at which field what is wrong."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.util.ssl import client_context

from .ami import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    AuthenticationError,
    CannotConnectError,
    ChallengeMissingError,
    InvalidHeaderError,
    PermissionDeniedError,
    ProtocolError,
    Tls,
    TlsError,
    read_fingerprint,
    unverified_context,
)
from .const import CONF_CHALLENGE, CONF_FINGERPRINT, CONF_TLS
from .gateway import Gateway, NotAnOpenVoxGatewayError

_UNVERIFIED: Final = unverified_context()
_ANSWER_TIME: Final = 5.0  # seconds

# The first that matches counts.
FORM_ERRORS: Final[tuple[tuple[type[AmiError], str], ...]] = (
    (AuthenticationError, "invalid_auth"),
    (ChallengeMissingError, "no_challenge"),
    (PermissionDeniedError, "no_command_right"),
    (NotAnOpenVoxGatewayError, "not_openvox"),
    (ProtocolError, "not_asterisk"),
    (ActionTimeoutError, "timeout_connect"),
    (InvalidHeaderError, "invalid_auth"),
    (TlsError, "no_tls"),
    (CannotConnectError, "cannot_connect"),
    (ActionFailedError, "refused"),
    (AmiError, "connection_lost"),
)


def tls_of(data: Mapping[str, Any]) -> Tls | None:
    """Return how an entry's data say to encrypt, None where they don't."""
    if not data.get(CONF_TLS):
        return None
    if fingerprint := data.get(CONF_FINGERPRINT):
        return Tls(_UNVERIFIED, fingerprint)
    return Tls(client_context())


async def try_gateway(data: Mapping[str, Any]) -> Gateway:
    """Log in, read what the user may do, and log off.

    Returns the gateway, which keeps what it has learnt. Raises AmiError.
    """
    gateway = Gateway(
        data[CONF_HOST],
        data[CONF_PORT],
        data[CONF_USERNAME],
        data[CONF_PASSWORD],
        tls=tls_of(data),
        plain_login=not data.get(CONF_CHALLENGE),
        on_part=lambda _part: None,
        on_connection=lambda _error: None,
    )
    try:
        await gateway.start()
    finally:
        await gateway.stop()
    return gateway


async def fetch_fingerprint(data: Mapping[str, Any]) -> str:
    """Return the fingerprint of the certificate at an address; raises AmiError."""
    return await read_fingerprint(data[CONF_HOST], data[CONF_PORT], _UNVERIFIED)


async def accepts_connections(host: str, port: int) -> bool:
    """Return whether something accepts connections at an address."""
    try:
        async with asyncio.timeout(_ANSWER_TIME):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # of which a TimeoutError is one
        return False
    writer.transport.abort()
    return True


def form_error(error: AmiError) -> str:
    """Return the key of the text that a form shows for an error."""
    return next(key for kind, key in FORM_ERRORS if isinstance(error, kind))
