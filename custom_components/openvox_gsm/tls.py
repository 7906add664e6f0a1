"""How the connection of a config entry is encrypted."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.util.ssl import client_context

from .ami import Tls, unverified_context
from .const import CONF_FINGERPRINT, CONF_TLS

UNVERIFIED: Final = unverified_context()


def tls_of(data: Mapping[str, Any]) -> Tls | None:
    """Return how to encrypt by the data of an entry, None where it is not."""
    if not data.get(CONF_TLS):
        return None
    if fingerprint := data.get(CONF_FINGERPRINT):
        return Tls(UNVERIFIED, fingerprint)
    return Tls(client_context())
