"""openvox.send_ussd."""

from typing import Final

import voluptuous as vol

from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.gateway import USSD_TIMEOUT, UssdError
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .way import WAY_FIELDS, find_way, only_ready_span

ATTR_CODE: Final = "code"
ATTR_TIMEOUT: Final = "timeout"

SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_CODE): cv.string,
        vol.Optional(ATTR_TIMEOUT, default=USSD_TIMEOUT): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=300)
        ),
        **WAY_FIELDS,
    }
)


async def send_ussd(call: ServiceCall) -> ServiceResponse:
    """Send a USSD code, or a reply in a menu, and return the network's answer."""
    way = find_way(call.hass, call.data)
    coordinator, span = await only_ready_span(way)
    try:
        reply = await coordinator.gateway.ussd.send(
            span, call.data[ATTR_CODE].strip(), timeout=call.data[ATTR_TIMEOUT]
        )
    except ValueError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="invalid_ussd_code"
        ) from err
    except UssdError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=f"ussd_{err.failure}",
            translation_placeholders={
                "span": str(span),
                "gateway": coordinator.config_entry.title,
            },
        ) from err
    if not call.return_response:
        return None
    return {
        "config_entry_id": coordinator.config_entry.entry_id,
        "span": reply.span,
        "response_type": reply.response_type,
        "status": reply.status.value,
        "coding": reply.coding,
        "message": reply.text,
    }
