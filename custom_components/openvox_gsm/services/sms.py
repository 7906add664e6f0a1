"""notify.send_sms."""

import asyncio
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

import voluptuous as vol

from custom_components.openvox_gsm.errors import invalid, sms_not_sent
from custom_components.openvox_gsm.gateway import SMS_TIMEOUT, SendResult
from custom_components.openvox_gsm.sending import (
    SmsOrder,
    SmsOutcome,
    async_send,
    prepare,
)
from homeassistant.components.notify import (
    ATTR_DATA,
    ATTR_MESSAGE,
    ATTR_TARGET,
    ATTR_TITLE,
)
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv

from .ascii_text import to_ascii
from .permissions import Caller
from .recipients import read_recipients
from .routes import ROUTE_FIELDS, find_routes, whole_number

ATTR_ENCODING: Final = "encoding"
ATTR_FLASH: Final = "flash"
ATTR_TIMEOUT: Final = "timeout"


class Encoding(StrEnum):
    """How the characters of a text are written."""

    AUTO = "auto"
    ASCII = "ascii"


# A field that a script leaves out may come as None or as an empty text.
_OPTIONS = {
    **ROUTE_FIELDS,
    # `read_recipients` checks it, and has clearer errors.
    vol.Optional(ATTR_TARGET): object,
    vol.Optional(ATTR_TITLE): vol.Any(None, cv.string),
    vol.Optional(ATTR_ENCODING): vol.Any(None, "", vol.Coerce(Encoding)),
    vol.Optional(ATTR_FLASH): vol.Any(None, "", cv.boolean),
    vol.Optional(ATTR_TIMEOUT): whole_number(1, 300),
}
SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_MESSAGE): cv.string,
        # Checked in the action, as an alert stops working if the schema refuses it.
        vol.Optional(ATTR_DATA): vol.Any(None, dict),
        **_OPTIONS,
    }
)
# Alert, notify groups and older scripts can pass all but the message only inside
# `data`, which may hold options of other services as well.
_DATA_SCHEMA = vol.Schema(_OPTIONS, extra=vol.ALLOW_EXTRA)


async def send_sms(call: ServiceCall) -> ServiceResponse:
    """Send one text to all targets, in parallel over the ready spans."""
    caller = await Caller.of(call)
    data = _options(call)
    routes = caller.usable(find_routes(call.hass, data))
    text = _text(call.hass, call.data[ATTR_MESSAGE], data)
    orders = [
        prepare(
            call.hass,
            SmsOrder(
                replace(recipient, routes=caller.controlled(*recipient.routes)),
                text,
                timeout=data.get(ATTR_TIMEOUT) or SMS_TIMEOUT,
                flash=bool(data.get(ATTR_FLASH)),
                context=call.context,
            ),
        )
        for recipient in read_recipients(caller, routes, data.get(ATTR_TARGET))
    ]
    outcomes = await asyncio.gather(*(async_send(call.hass, each) for each in orders))
    if call.return_response:
        return {"messages": list(map(_as_response, outcomes))}
    if failed := [each for each in outcomes if not each.is_sent]:
        raise sms_not_sent(call.hass, map(_who_and_why, failed))
    return None


def _options(call: ServiceCall) -> dict[str, Any]:
    """Return the options of a call, from inside and outside of its `data`."""
    try:
        data: dict[str, Any] = _DATA_SCHEMA(call.data.get(ATTR_DATA) or {})
    except vol.Invalid as err:
        field = ".".join(map(str, err.path))
        raise invalid("invalid_data", field=field) from err
    # Fields outside of `data` win, unless they are empty.
    return data | {
        key: value for key, value in call.data.items() if value or value is False
    }


def _text(hass: HomeAssistant, message: str, data: dict[str, Any]) -> str:
    if title := data.get(ATTR_TITLE):
        message = f"{title}: {message}"
    if data.get(ATTR_ENCODING) is Encoding.ASCII:
        return to_ascii(message, hass.config.language)
    return message


def _as_response(outcome: SmsOutcome) -> dict[str, Any]:
    """Return a message of the action's response."""
    result = outcome.result
    return {
        "target": result.number,
        "contact": outcome.order.recipient.contact,
        "status": result.status.value,
        "config_entry_id": outcome.entry.entry_id,
        "span": result.span,
        "parts": result.parts,
        "error": outcome.reason,
    }


def _who_and_why(outcome: SmsOutcome) -> tuple[str, SendResult, str | None]:
    """Return who did not get a message, and why."""
    recipient = outcome.order.recipient
    return recipient.contact or recipient.number, outcome.result, outcome.reason
