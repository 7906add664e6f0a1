"""openvox.send_ussd."""

from typing import Final

import voluptuous as vol

from custom_components.openvox_gsm.errors import invalid, ussd_error
from custom_components.openvox_gsm.gateway import USSD_TIMEOUT, UssdError
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv

from .permissions import Caller
from .routes import ROUTE_FIELDS, find_routes, only_ready_span, whole_number

ATTR_CODE: Final = "code"
ATTR_TIMEOUT: Final = "timeout"

SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_CODE): cv.string,
        vol.Optional(ATTR_TIMEOUT): whole_number(1, 300),
        **ROUTE_FIELDS,
    }
)


async def send_ussd(call: ServiceCall) -> ServiceResponse:
    """Send a USSD code, or a reply in a menu, and return the network's answer."""
    caller = await Caller.of(call)
    routes = caller.controlled(*find_routes(call.hass, call.data))
    # Before a span is looked for, which says what each of them lacks.
    routes = caller.with_codes(*routes)
    runtime, span = await only_ready_span(call.hass, routes)
    try:
        reply = await runtime.gateway.ussd.send(
            span,
            call.data[ATTR_CODE].strip(),
            timeout=call.data.get(ATTR_TIMEOUT) or USSD_TIMEOUT,
        )
    except ValueError as err:
        raise invalid("invalid_ussd_code") from err
    except UssdError as err:
        raise ussd_error(runtime.entry, err) from err
    return {
        "config_entry_id": runtime.entry.entry_id,
        "span": reply.span,
        "response_type": reply.response_type,
        "status": reply.status.value,
        "coding": reply.coding,
        "message": reply.text,
    }
