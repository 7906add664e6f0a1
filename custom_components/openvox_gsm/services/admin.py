"""openvox.cli_command and openvox.ami_action, for administrators only."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import voluptuous as vol

from custom_components.openvox_gsm.ami import AmiError, Packet
from custom_components.openvox_gsm.errors import raw_error
from custom_components.openvox_gsm.gateway import ForbiddenActionError
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType, JsonValueType

from .routes import GATEWAY_FIELDS, find_routes, only_route

ATTR_COMMAND: Final = "command"
ATTR_ACTION: Final = "action"
ATTR_HEADERS: Final = "headers"

_not_empty: Final[Callable[[Any], str]] = vol.All(
    cv.string, vol.Strip, vol.Length(min=1)
)


def _text(value: Any) -> str:
    """Write a value as in a header; Asterisk reads a boolean as yes or no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return cv.string(value)


COMMAND_SCHEMA = vol.Schema({vol.Required(ATTR_COMMAND): _not_empty, **GATEWAY_FIELDS})
ACTION_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_ACTION): _not_empty,
        vol.Optional(ATTR_HEADERS): vol.Any(
            None, "", {cv.string: vol.All(cv.ensure_list, [_text])}
        ),
        **GATEWAY_FIELDS,
    }
)


async def cli_command(call: ServiceCall) -> ServiceResponse:
    """Run a command of the gateway's command line; return what it prints."""
    route = only_route(find_routes(call.hass, call.data))
    gateway = route.runtime.gateway
    try:
        output = await gateway.run_command(call.data[ATTR_COMMAND])
    except (ForbiddenActionError, AmiError) as err:
        raise raw_error(route.entry, err, is_connected=gateway.is_connected) from err
    return {"output": list[JsonValueType](output)}


async def ami_action(call: ServiceCall) -> ServiceResponse:
    """Run an action of the gateway's manager; return its answer and its list."""
    route = only_route(find_routes(call.hass, call.data))
    gateway = route.runtime.gateway
    headers = [
        (key, value)
        for key, values in (call.data.get(ATTR_HEADERS) or {}).items()
        for value in values
    ]
    try:
        response, events = await gateway.run_action(call.data[ATTR_ACTION], headers)
    except (ForbiddenActionError, AmiError) as err:
        raise raw_error(route.entry, err, is_connected=gateway.is_connected) from err
    return {
        "response": _as_mapping(response),
        "events": [_as_mapping(event) for event in events],
    }


def _as_mapping(packet: Packet) -> JsonObjectType:
    """Return the headers of a packet; one that is repeated becomes a list.

    The output of a command is a list of lines under `Output`, in every version of
    Asterisk. The ActionID is left out, as only the session uses it.
    """
    headers = packet.headers
    # In one pass: a hostile gateway may send tens of thousands of keys.
    values: dict[str, list[str]] = {}
    for key, value in headers:
        values.setdefault(key.lower(), []).append(value)
    shown = {key: _as_value(each) for key, each in values.items()}
    mapping: JsonObjectType = {
        key: shown[key.lower()] for key, _ in headers if key.lower() != "actionid"
    }
    if packet.output or "Output" in packet:
        mapping["Output"] = list[JsonValueType](packet.output.split("\n"))
    return mapping


def _as_value(values: Iterable[str]) -> JsonValueType:
    first, *more = values
    return [first, *more] if more else first
