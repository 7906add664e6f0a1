"""The gateways and the span that an action may use."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import voluptuous as vol

from custom_components.openvox_gsm.ami import AmiError
from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.devices import read_identifiers
from custom_components.openvox_gsm.errors import all_of, error, invalid, no_span_ready
from custom_components.openvox_gsm.gateway import MAX_SPANS, Work, why_not_asked
from custom_components.openvox_gsm.runtime import (
    OpenVoxConfigEntry,
    OpenVoxRuntime,
    loaded_gateways,
)
from custom_components.openvox_gsm.sending import Route
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, device_registry as dr

ATTR_SPAN: Final = "span"


def _only_one(value: Any) -> Any:
    """Return the only item of a list, as `target` turns a device into a list."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _not_cut_off(value: Any) -> Any:
    """Refuse 1.5 and true, which would become 1."""
    if isinstance(value, bool) or (isinstance(value, float) and value % 1):
        raise vol.Invalid("expected a whole number")
    return value


def whole_number(minimum: int, maximum: int) -> Callable[[Any], Any]:
    """Return a validator of a whole number that a script may leave out.

    None and an empty text become None. A `vol.Any` would hide the range in its error.
    """
    number = vol.All(_not_cut_off, vol.Coerce(int), vol.Range(min=minimum, max=maximum))

    def validate(value: Any) -> Any:
        return None if value in (None, "") else number(value)

    return validate


# A field that a script leaves out may come as None or as an empty text.
GATEWAY_FIELDS: Final = {
    vol.Optional(ATTR_DEVICE_ID): vol.Any(None, vol.All(_only_one, cv.string)),
    vol.Optional(ATTR_CONFIG_ENTRY_ID): vol.Any(None, cv.string),
}
ROUTE_FIELDS: Final = {
    **GATEWAY_FIELDS,
    vol.Optional(ATTR_SPAN): whole_number(1, MAX_SPANS),
}


def find_routes(hass: HomeAssistant, data: Mapping[str, Any]) -> tuple[Route, ...]:
    """Return the routes that a call allows; all gateways where it names none."""
    entry_id, span = data.get(ATTR_CONFIG_ENTRY_ID), data.get(ATTR_SPAN)
    if device_id := data.get(ATTR_DEVICE_ID):
        entry_id, span = _route_of_device(hass, device_id, entry_id, span)
    if entry_id:
        return (Route(_loaded(hass, entry_id), span),)
    gateways = loaded_gateways(hass)
    if not gateways:
        raise invalid("no_gateway")
    if span is not None and len(gateways) > 1:
        raise invalid("which_gateway")
    return tuple(Route(each, span) for each in gateways)


def only_route(routes: Sequence[Route]) -> Route:
    """Return the only route; raises ServiceValidationError if there are more."""
    if len(routes) > 1:
        raise invalid("several_gateways")
    return routes[0]


def _route_of_device(
    hass: HomeAssistant, device_id: str, entry_id: str | None, span: int | None
) -> tuple[str, int | None]:
    """Return the entry and the span of a device."""
    device = dr.async_get(hass).async_get(device_id)
    found = read_identifiers(device.identifiers) if device else None
    if found is None:
        raise invalid("not_our_device")
    device_entry, device_span = found
    if (entry_id or device_entry) != device_entry or (
        span is not None and device_span not in (None, span)
    ):
        raise invalid("contradictory_route")
    return device_entry, device_span or span


def _loaded(hass: HomeAssistant, entry_id: str) -> OpenVoxRuntime:
    entry: OpenVoxConfigEntry | None = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN:
        raise invalid("not_our_entry")
    if entry.state is not ConfigEntryState.LOADED:
        raise invalid("disabled" if entry.disabled_by else "not_loaded", entry)
    return entry.runtime_data


async def only_ready_span(
    hass: HomeAssistant, routes: Sequence[Route]
) -> tuple[OpenVoxRuntime, int]:
    """Return the gateway and span of a call, which may leave it out if one is ready.

    Each SIM has its own balance and menus, so none is chosen at random.
    """
    if (span := routes[0].span) is not None:
        return only_route(routes).runtime, span
    ready: list[tuple[OpenVoxRuntime, int]] = []
    problems: list[HomeAssistantError] = []
    for runtime, entry in ((route.runtime, route.entry) for route in routes):
        try:
            spans = await runtime.gateway.spans.read()
        except AmiError as err:
            problems.append(error(why_not_asked(err), entry))
            continue
        able = [number for number, span in spans.items() if span.can_do(Work.USSD)]
        if not able:
            problems.append(no_span_ready(hass, entry, runtime.gateway, Work.USSD))
        ready += [(runtime, number) for number in able]
    if not ready:
        raise all_of(hass, *problems)
    if len(ready) > 1:
        raise invalid("which_span")
    return ready[0]
