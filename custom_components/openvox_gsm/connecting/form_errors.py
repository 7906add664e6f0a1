"""Says at which field of a form what is wrong, after a gateway was tried."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    AuthenticationError,
    CannotConnectError,
    ChallengeMissingError,
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
from custom_components.openvox_gsm.const import CONF_TLS
from custom_components.openvox_gsm.gateway import (
    NotAnOpenVoxGatewayError,
    TooManySpansError,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME

from .attempt import ANSWER_TIME, UNVERIFIED

# The field to blame, "base" for none, and the text. The first that matches counts.
FORM_ERRORS: Final[tuple[tuple[type[AmiError], str, str], ...]] = (
    (AuthenticationError, CONF_PASSWORD, "invalid_auth"),
    (ChallengeMissingError, "base", "no_challenge"),
    (PermissionDeniedError, CONF_USERNAME, "no_command_right"),
    (NotAnOpenVoxGatewayError, CONF_HOST, "not_openvox"),
    (TooManySpansError, CONF_HOST, "too_many_spans"),
    (ProtocolError, CONF_PORT, "not_asterisk"),
    (ActionTimeoutError, "base", "timeout_connect"),
    (InvalidHeaderError, CONF_PASSWORD, "invalid_auth"),
    (TlsError, CONF_TLS, "no_tls"),
    (HostNotFoundError, CONF_HOST, "host_not_found"),
    (PortClosedError, CONF_PORT, "port_closed"),
    (CannotConnectError, CONF_HOST, "cannot_connect"),
    (ActionFailedError, "base", "refused"),
    (AmiError, "base", "connection_lost"),
)


async def form_error(error: AmiError, data: Mapping[str, Any]) -> tuple[str, str]:
    """Return at which field of a form an error stands, and the key of its text.

    `data` is what was tried. The field is "base" where none is to blame.
    """
    if isinstance(error, NoGreetingError) and await _is_web_server(data):
        error = OtherServiceError(Service.WEB_SERVER)
    if isinstance(error, OtherServiceError):
        return CONF_PORT, str(error.service)
    return next(
        (field, key) for kind, field, key in FORM_ERRORS if isinstance(error, kind)
    )


async def _is_web_server(data: Mapping[str, Any]) -> bool:
    """Return whether something answers in HTTP, which never speaks first."""
    context = UNVERIFIED if data[CONF_TLS] else None
    try:
        async with asyncio.timeout(ANSWER_TIME):
            reader, writer = await asyncio.open_connection(
                data[CONF_HOST], data[CONF_PORT], ssl=context
            )
            try:
                writer.write(b"HEAD / HTTP/1.0\r\n\r\n")
                return await reader.readexactly(5) == b"HTTP/"
            finally:
                writer.transport.abort()
    except OSError, EOFError:  # a TimeoutError is an OSError
        return False
