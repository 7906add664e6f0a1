"""openvox.dial and openvox.hangup."""

from typing import Final

import voluptuous as vol

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    AmiError,
    CannotConnectError,
    PermissionDeniedError,
)
from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.coordinator import OpenVoxCoordinator
from custom_components.openvox_gsm.gateway import RingOutcome, RingResult, SpanError
from custom_components.openvox_gsm.limits import is_allowed
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .recipients import Recipient, read_recipients, require_allowed
from .way import WAY_FIELDS, find_way

ATTR_NUMBER: Final = "number"
ATTR_RING_TIME: Final = "ring_time"
RING_TIME: Final = 20  # seconds

DIAL_SCHEMA = vol.Schema(
    {
        # Whatever is wrong with it is said in our own words.
        vol.Required(ATTR_NUMBER): object,
        vol.Optional(ATTR_RING_TIME, default=RING_TIME): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=120)
        ),
        **WAY_FIELDS,
    }
)
HANGUP_SCHEMA = vol.Schema(WAY_FIELDS)


async def dial(call: ServiceCall) -> ServiceResponse:
    """Ring a phone and hang up; return whether anybody answered."""
    way = find_way(call.hass, call.data)
    recipients = read_recipients(call.hass, way, call.data[ATTR_NUMBER])
    if len(recipients) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="one_number"
        )
    require_allowed(recipients[0])
    coordinator, result = await _ring(recipients[0], call.data[ATTR_RING_TIME])
    if call.return_response:
        return {
            "config_entry_id": coordinator.config_entry.entry_id,
            "span": result.span,
            "result": result.outcome.value,
            "ring_time": result.ring_time,
        }
    if result.outcome is RingOutcome.FAILED:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="call_failed",
            translation_placeholders={
                "span": str(result.span),
                "gateway": coordinator.config_entry.title,
            },
        )
    return None


async def _ring(
    recipient: Recipient, ring_time: int
) -> tuple[OpenVoxCoordinator, RingResult]:
    """Ring by the gateway with the least to do, by the next where nothing rang."""
    errors: list[HomeAssistantError] = []
    for coordinator in recipient.way.by_load():
        if not is_allowed(coordinator.config_entry, recipient.number):
            continue
        try:
            _require_rights(coordinator)
            return coordinator, await coordinator.gateway.ring(
                recipient.number, ring_time, span=recipient.way.span
            )
        except HomeAssistantError as err:
            errors.append(err)
        except SpanError as err:
            errors.append(_span_error(coordinator, err))
        except PermissionDeniedError:
            errors.append(_no_right_to_dial(coordinator))
        except CannotConnectError as err:
            errors.append(_not_reached(coordinator, err))
        except AmiError as err:
            raise _call_error(coordinator, err) from err
    raise errors[0]


def _require_rights(coordinator: OpenVoxCoordinator) -> None:
    """Raise where a call could not be made, or its outcome not be seen."""
    features = coordinator.gateway.features
    if features.may_dial is False:
        raise _no_right_to_dial(coordinator)
    if features.may_see_calls is False:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="no_call_right",
            translation_placeholders={"gateway": coordinator.config_entry.title},
        )


async def hangup(call: ServiceCall) -> ServiceResponse:
    """End the calls on a span; return how many there were."""
    way = find_way(call.hass, call.data)
    if way.span is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_span_given"
        )
    coordinator = way.one_gateway()
    try:
        calls = await coordinator.gateway.hang_up(way.span)
    except SpanError as err:
        raise _span_error(coordinator, err) from err
    except PermissionDeniedError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="no_hangup_right",
            translation_placeholders={"gateway": coordinator.config_entry.title},
        ) from err
    except AmiError as err:
        raise _not_reached(coordinator, err) from err
    if not call.return_response:
        return None
    return {
        "config_entry_id": coordinator.config_entry.entry_id,
        "span": way.span,
        "calls": calls,
    }


# What went wrong


def _no_right_to_dial(coordinator: OpenVoxCoordinator) -> HomeAssistantError:
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="no_originate_right",
        translation_placeholders={"gateway": coordinator.config_entry.title},
    )


def _span_error(coordinator: OpenVoxCoordinator, err: SpanError) -> HomeAssistantError:
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=f"call_{err.failure}",
        translation_placeholders={
            "gateway": coordinator.config_entry.title,
            "span": str(err.span),
        },
    )


def _not_reached(coordinator: OpenVoxCoordinator, err: AmiError) -> HomeAssistantError:
    """Say that nothing was done, or that nobody knows whether it was."""
    if not isinstance(err, CannotConnectError):
        failure = "not_answered"
    else:
        connected = coordinator.gateway.is_connected
        failure = "cannot_connect" if connected else "not_connected"
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=failure,
        translation_placeholders={
            "gateway": coordinator.config_entry.title,
            "error": str(err),
        },
    )


def _call_error(coordinator: OpenVoxCoordinator, err: AmiError) -> HomeAssistantError:
    refused = isinstance(err, ActionFailedError)
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="call_refused" if refused else "call_unknown",
        translation_placeholders={
            "gateway": coordinator.config_entry.title,
            "error": str(err),
        },
    )
