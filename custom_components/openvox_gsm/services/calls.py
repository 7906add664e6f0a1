"""openvox.dial and openvox.hangup."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import voluptuous as vol

from custom_components.openvox_gsm.ami import AmiError
from custom_components.openvox_gsm.errors import (
    all_of,
    call_error,
    error,
    hangup_error,
    invalid,
    text_of,
)
from custom_components.openvox_gsm.gateway import (
    NOT_CALLED,
    RingOutcome,
    RingResult,
    SpanError,
    Work,
)
from custom_components.openvox_gsm.messages.outgoing import OutgoingMessage
from custom_components.openvox_gsm.messages.record import Kind
from custom_components.openvox_gsm.phone_numbers import is_code
from custom_components.openvox_gsm.sending import (
    Recipient,
    Route,
    in_turn,
    require_allowed,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError

from .permissions import Caller
from .recipients import read_recipients
from .routes import ROUTE_FIELDS, find_routes, only_route, whole_number

ATTR_NUMBER: Final = "number"
ATTR_RING_TIME: Final = "ring_time"
RING_TIME: Final = 20  # seconds

DIAL_SCHEMA = vol.Schema(
    {
        # `read_recipients` checks it, and has clearer errors.
        vol.Required(ATTR_NUMBER): object,
        vol.Optional(ATTR_RING_TIME): whole_number(1, 120),
        **ROUTE_FIELDS,
    }
)
HANGUP_SCHEMA = vol.Schema(ROUTE_FIELDS)


async def dial(call: ServiceCall) -> ServiceResponse:
    """Ring a phone and hang up; return whether someone answered."""
    caller = await Caller.of(call)
    routes = caller.usable(find_routes(call.hass, call.data))
    recipients = read_recipients(
        caller, routes, call.data[ATTR_NUMBER], allow_codes=True
    )
    if len(recipients) > 1:
        raise invalid("one_number")
    permitted = caller.controlled(*recipients[0].routes)
    if is_code(recipients[0].number):
        permitted = caller.with_codes(*permitted)
    recipient = require_allowed(call.hass, replace(recipients[0], routes=permitted))
    ring_time = call.data.get(ATTR_RING_TIME) or RING_TIME
    entry, result = await _ring(call.hass, recipient, ring_time)
    if call.return_response:
        return {
            "config_entry_id": entry.entry_id,
            "span": result.span,
            "result": result.outcome.value,
            "ring_time": result.ring_time,
        }
    if result.outcome is RingOutcome.FAILED:
        raise error("call_failed", entry, span=result.span)
    return None


async def _ring(
    hass: HomeAssistant, recipient: Recipient, ring_time: int
) -> tuple[ConfigEntry[Any], RingResult]:
    """Ring through the gateway whose turn it is, and keep it as a message."""
    routes = in_turn(recipient.routes, Work.CALL)
    first = routes[0].runtime.messages
    message = OutgoingMessage(first, Kind.CALL, recipient.number, span=routes[0].span)
    try:
        entry, result = await _ring_through(
            hass, routes, recipient.number, ring_time, message
        )
    except HomeAssistantError as err:
        message.not_made(text_of(hass, err))
        raise
    reason = None
    if result.outcome is RingOutcome.FAILED:
        reason = text_of(hass, error("call_failed", entry, span=result.span))
    message.rang(result, reason)
    return entry, result


async def _ring_through(
    hass: HomeAssistant,
    routes: Sequence[Route],
    number: str,
    ring_time: int,
    message: OutgoingMessage,
) -> tuple[ConfigEntry[Any], RingResult]:
    """Ring through the first gateway, the next where nothing rang."""
    errors: list[HomeAssistantError] = []
    for route in routes:
        entry, gateway = route.entry, route.runtime.gateway
        message.move(route.runtime.messages)
        try:
            _require_rights(route)
            return entry, await gateway.calls.ring(
                number, ring_time, span=route.span, order_id=message.id
            )
        except HomeAssistantError as err:
            errors.append(err)
        except (SpanError, AmiError) as err:
            problem = call_error(hass, entry, gateway, err)
            if not isinstance(err, NOT_CALLED):
                raise problem from err  # it may have rung
            errors.append(problem)
    message.move(routes[0].runtime.messages)
    raise all_of(hass, *errors)


def _require_rights(route: Route) -> None:
    """Raise where a call could not be made, or its outcome not be seen."""
    features = route.runtime.gateway.features
    if features.may_dial is False:
        raise error("no_originate_right", route.entry)
    if features.may_see_calls is False:
        raise error("no_call_right", route.entry)


async def hangup(call: ServiceCall) -> ServiceResponse:
    """End the calls on a span; return how many there were."""
    caller = await Caller.of(call)
    routes = find_routes(call.hass, call.data)
    if (span := routes[0].span) is None:
        raise invalid("no_span_given")
    [route] = caller.controlled(only_route(routes))
    entry, gateway = route.entry, route.runtime.gateway
    try:
        calls = await gateway.calls.hang_up(span)
    except (SpanError, AmiError) as err:
        raise hangup_error(entry, err, is_connected=gateway.is_connected) from err
    return {"config_entry_id": entry.entry_id, "span": span, "calls": calls}
