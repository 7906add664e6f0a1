"""Tries whether a gateway works with the data of an entry, and whether it's the same one."""

import asyncio
from collections.abc import Callable, Mapping
import contextlib
from typing import Any, Final

from custom_components.openvox_gsm.ami import (
    AmiError,
    AuthenticationError,
    CertificateError,
    ChallengeMissingError,
    ProtocolError,
    Tls,
    TlsError,
    read_fingerprint,
    unverified_context,
)
from custom_components.openvox_gsm.const import (
    CONF_CHALLENGE,
    CONF_FINGERPRINT,
    CONF_TLS,
)
from custom_components.openvox_gsm.devices import imeis_of
from custom_components.openvox_gsm.gateway import Gateway
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.util.ssl import client_context

UNVERIFIED: Final = unverified_context()
ANSWER_TIME: Final = 5.0  # seconds
# A gateway that starts has its address long before its manager and modules work.
_START_TIME: Final = 180.0  # seconds
_RETRY_TIME: Final = 15.0  # seconds
# After these errors, another attempt would only give an impostor another chance.
_FINAL_ERRORS: Final = (
    AuthenticationError,
    CertificateError,
    ChallengeMissingError,
    ProtocolError,
)


def tls_of(data: Mapping[str, Any]) -> Tls | None:
    """Return how an entry's data say to encrypt, None where they don't."""
    if not data.get(CONF_TLS):
        return None
    if fingerprint := data.get(CONF_FINGERPRINT):
        return Tls(UNVERIFIED, fingerprint)
    return Tls(client_context())


async def try_gateway(data: Mapping[str, Any]) -> Gateway:
    """Log in, read what the user may do and the spans, and log off.

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
        await gateway.spans.read()
    finally:
        await gateway.stop()
    return gateway


async def is_same_gateway(data: Mapping[str, Any], imeis: frozenset[str]) -> bool:
    """Return whether the gateway of an entry's data is the one with these modules.

    It proves that by its certificate, or by a login without the password being sent
    and modules that are all known. Takes up to `_START_TIME` while it's starting.
    """
    try:
        if data.get(CONF_TLS):
            return await _try_until(data, lambda _gateway: True) is not None
        if not imeis:
            return False
        gateway = await _try_until({**data, CONF_CHALLENGE: True}, _shows_modules)
    except _FINAL_ERRORS:
        return False
    return gateway is not None and imeis_of(gateway.spans) <= imeis


async def is_other_gateway(data: Mapping[str, Any], imeis: frozenset[str]) -> bool:
    """Return whether the gateway of an entry's data isn't the one with these modules.

    It shows that by refusing the user, or by modules of which none is known. The
    password isn't sent. Takes up to `_START_TIME` while it's starting.
    """
    try:
        gateway = await _try_until({**data, CONF_CHALLENGE: True}, _shows_modules)
    except AuthenticationError:
        return True
    except _FINAL_ERRORS:
        return False
    return gateway is not None and imeis.isdisjoint(imeis_of(gateway.spans))


def _shows_modules(gateway: Gateway) -> bool:
    return bool(imeis_of(gateway.spans))


async def lacks_certificate(data: Mapping[str, Any]) -> bool:
    """Return whether what answers at an entry's address lacks its certificate.

    What has it is the gateway, even if it refuses the login.
    """
    try:
        await try_gateway(data)
    except TlsError:
        return True
    except AmiError:
        pass
    return False


async def _try_until(
    data: Mapping[str, Any], is_enough: Callable[[Gateway], bool]
) -> Gateway | None:
    """Return the gateway once it can be tried and shows enough; None if it doesn't.

    Raises one of `_FINAL_ERRORS`.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_START_TIME):
            while True:
                try:
                    gateway = await try_gateway(data)
                except _FINAL_ERRORS:
                    raise
                except AmiError:
                    pass
                else:
                    if is_enough(gateway):
                        return gateway
                await asyncio.sleep(_RETRY_TIME)
    return None


async def fetch_fingerprint(data: Mapping[str, Any]) -> str:
    """Return the fingerprint of the certificate at an address; raises AmiError."""
    return await read_fingerprint(data[CONF_HOST], data[CONF_PORT], UNVERIFIED)


async def accepts_connections(host: str, port: int) -> bool:
    """Return whether something accepts connections at an address."""
    try:
        async with asyncio.timeout(ANSWER_TIME):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # of which a TimeoutError is one
        return False
    writer.transport.abort()
    return True
