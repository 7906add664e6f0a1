"""The actions notify.send_sms and openvox.send_ussd.

Their domains are not this integration's own, so Home Assistant does not find
their descriptions by itself: the fields come from services.yaml, the texts from
the translations, and `async_set_service_schema` is given both.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any, Final

import voluptuous as vol

from homeassistant.components.notify import (
    ATTR_DATA,
    ATTR_MESSAGE,
    ATTR_TARGET,
    ATTR_TITLE,
    DOMAIN as NOTIFY_DOMAIN,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    ATTR_CONFIG_ENTRY_ID,
    ATTR_DEVICE_ID,
    EVENT_CORE_CONFIG_UPDATE,
)
from homeassistant.core import (
    Event,
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.service import async_set_service_schema
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.yaml import load_yaml_dict

from .ami import AmiError
from .const import DOMAIN
from .coordinator import OpenVoxConfigEntry, OpenVoxCoordinator
from .gateway import (
    InvalidNumberError,
    InvalidTextError,
    SendFailure,
    SendResult,
    SendStatus,
    UssdError,
    normalise_number,
)
from .gateway.gateway import USSD_TIMEOUT

USSD_DOMAIN: Final = "openvox"
SEND_SMS: Final = "send_sms"
SEND_USSD: Final = "send_ussd"
ATTR_SPAN: Final = "span"
ATTR_CODE: Final = "code"
ATTR_TIMEOUT: Final = "timeout"


def _only_one(value: Any) -> Any:
    """Take the device out of the list that the `target` of an action makes of it."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


# What a script leaves out may come as None or as an empty text.
_WAY = {
    vol.Optional(ATTR_DEVICE_ID): vol.Any(None, vol.All(_only_one, cv.string)),
    vol.Optional(ATTR_CONFIG_ENTRY_ID): vol.Any(None, cv.string),
    vol.Optional(ATTR_SPAN): vol.Any(
        None, "", vol.All(vol.Coerce(int), vol.Range(min=1))
    ),
}
_SMS_OPTIONS = {
    **_WAY,
    # Whatever is wrong with it is said in our own words.
    vol.Optional(ATTR_TARGET): object,
    vol.Optional(ATTR_TITLE): vol.Any(None, cv.string),
}
SEND_SMS_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_MESSAGE): cv.string,
        # Not looked into here: an alert does not get over data that are refused
        # before the action begins.
        vol.Optional(ATTR_DATA): vol.Any(None, dict),
        **_SMS_OPTIONS,
    }
)
# Alert, notify groups and older scripts can pass all but the message only inside
# `data`, where options of other services may stand, too.
_SMS_DATA_SCHEMA = vol.Schema(_SMS_OPTIONS, extra=vol.ALLOW_EXTRA)
SEND_USSD_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_CODE): cv.string,
        vol.Optional(ATTR_TIMEOUT, default=USSD_TIMEOUT): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=300)
        ),
        **_WAY,
    }
)

# A number that YAML or a template took for an integer may have lost its plus.
# Short codes have none.
_MAX_SHORT_CODE: Final = 999999

_BETWEEN_NUMBERS: Final = re.compile(r"[,;\n]")


@dataclass(frozen=True, slots=True)
class _Way:
    """Which way an SMS or USSD goes: through these gateways, on this span."""

    coordinators: list[OpenVoxCoordinator]
    span: int | None


async def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions and describe them in the language of the server."""
    fields = await hass.async_add_executor_job(
        load_yaml_dict, str(Path(__file__).with_name("services.yaml"))
    )
    descriptions = await _descriptions(hass, fields)
    # From here on all at once: without a description Home Assistant would look for
    # one in an integration of the domain's name.
    hass.services.async_register(
        NOTIFY_DOMAIN,
        SEND_SMS,
        _send_sms,
        SEND_SMS_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        USSD_DOMAIN,
        SEND_USSD,
        _send_ussd,
        SEND_USSD_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
    for (domain, service), description in descriptions.items():
        async_set_service_schema(hass, domain, service, description)

    async def describe_again(event: Event) -> None:
        if "language" not in event.data:
            return
        descriptions = await _descriptions(hass, fields)
        for (domain, service), description in descriptions.items():
            async_set_service_schema(hass, domain, service, description)

    hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, describe_again)


async def _descriptions(
    hass: HomeAssistant, services: dict[str, Any]
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return names, descriptions and selectors of the actions."""
    texts = await async_get_translations(
        hass, hass.config.language, "services", {DOMAIN}
    )

    def text(service: str, key: str) -> str:
        return texts.get(f"component.{DOMAIN}.services.{service}.{key}", "")

    return {
        (domain, service): {
            "name": text(service, "name"),
            "description": text(service, "description"),
            "fields": {
                name: {
                    **field,
                    "name": text(service, f"fields.{name}.name"),
                    "description": text(service, f"fields.{name}.description"),
                }
                for name, field in services[service]["fields"].items()
            },
        }
        for domain, service in ((NOTIFY_DOMAIN, SEND_SMS), (USSD_DOMAIN, SEND_USSD))
    }


# Which way


def _way(hass: HomeAssistant, data: Mapping[str, Any]) -> _Way:
    """Find the gateways and the span that a call names; all where it names none."""
    entry_id, span = data.get(ATTR_CONFIG_ENTRY_ID), data.get(ATTR_SPAN) or None
    if device_id := data.get(ATTR_DEVICE_ID):
        entry_id, span = _way_of_device(hass, device_id, entry_id, span)
    if entry_id:
        return _Way([_loaded(hass, entry_id)], span)
    entries: list[OpenVoxConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    if not entries:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_gateway"
        )
    if span is not None and len(entries) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="which_gateway"
        )
    return _Way([entry.runtime_data for entry in entries], span)


def _way_of_device(
    hass: HomeAssistant, device_id: str, entry_id: str | None, span: int | None
) -> tuple[str, int | None]:
    """Return the entry and the span that a device stands for."""
    device_entry, device_span = _entry_and_span(hass, device_id)
    if (entry_id or device_entry) != device_entry or (
        span is not None and device_span not in (None, span)
    ):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="contradictory_way"
        )
    return device_entry, device_span or span


def _entry_and_span(hass: HomeAssistant, device_id: str) -> tuple[str, int | None]:
    device = dr.async_get(hass).async_get(device_id)
    for domain, *rest in device.identifiers if device else ():
        for entry in hass.config_entries.async_entries(DOMAIN):
            if domain == DOMAIN and rest[0].startswith(entry.entry_id):
                span = rest[0].removeprefix(entry.entry_id).removeprefix("_")
                return entry.entry_id, int(span) if span else None
    raise ServiceValidationError(
        translation_domain=DOMAIN, translation_key="not_our_device"
    )


def _loaded(hass: HomeAssistant, entry_id: str) -> OpenVoxCoordinator:
    entry: OpenVoxConfigEntry | None = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="not_our_entry"
        )
    if entry.state is not ConfigEntryState.LOADED:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_loaded",
            translation_placeholders={"gateway": entry.title},
        )
    return entry.runtime_data


# notify.send_sms


async def _send_sms(call: ServiceCall) -> ServiceResponse:
    """Send one text to all targets, in parallel over the ready spans."""
    try:
        data = _SMS_DATA_SCHEMA(call.data.get(ATTR_DATA) or {})
    except vol.Invalid as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="invalid_data",
            translation_placeholders={"error": str(err)},
        ) from err
    # What stands outside of `data` counts, unless it is empty.
    data |= {key: value for key, value in call.data.items() if value}
    way = _way(call.hass, data)
    numbers = _read_targets(call.hass, data.get(ATTR_TARGET))
    title, text = data.get(ATTR_TITLE), call.data[ATTR_MESSAGE]
    if title:
        text = f"{title}: {text}"
    try:
        outcomes = await asyncio.gather(
            *(_send_one(way, number, text) for number in numbers)
        )
    except InvalidTextError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="invalid_text",
            translation_placeholders={"reason": str(err)},
        ) from err
    if call.return_response:
        return {"messages": [outcome.as_response() for outcome in outcomes]}
    if failed := [
        each for each in outcomes if each.result.status is not SendStatus.SENT
    ]:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="sms_not_sent",
            translation_placeholders={
                "messages": "; ".join(each.as_sentence() for each in failed)
            },
        )
    return None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of the message to one number, and by which gateway."""

    result: SendResult
    coordinator: OpenVoxCoordinator

    def as_response(self) -> dict[str, Any]:
        """The shape that scripts see."""
        return {
            "target": self.result.number,
            "status": self.result.status.value,
            "config_entry_id": self.coordinator.config_entry.entry_id,
            "span": self.result.span,
            "parts": self.result.parts,
            "error": self.reason,
        }

    @property
    def reason(self) -> str | None:
        """Why the message was not sent, None where it was."""
        result = self.result
        if result.failure is None:
            return None
        reason = _SEND_FAILURES[result.failure].format(
            gateway=self.coordinator.config_entry.title, span=result.span
        )
        if result.parts_sent:
            reason += f" ({result.parts_sent} of {result.parts} parts were sent)"
        return f"{reason}: {result.detail}" if result.detail else reason

    def as_sentence(self) -> str:
        """The form in which a person reads it in an error."""
        return f"{self.result.number}: {self.reason}"


_SEND_FAILURES: Final = {
    SendFailure.NO_SPAN_READY: "no span of {gateway} is ready to send",
    SendFailure.SPAN_NOT_READY: "span {span} of {gateway} is not ready to send",
    SendFailure.NO_SUCH_SPAN: "{gateway} has no span {span}",
    SendFailure.NOT_CONNECTED: "{gateway} is not connected",
    SendFailure.BUSY: "span {span} of {gateway} was busy the whole time",
    SendFailure.REJECTED: "the network refused it on span {span} of {gateway}",
    SendFailure.REFUSED: "{gateway} refused to send it",
    SendFailure.TEXT_MODE: "span {span} of {gateway} is in SMS text mode, in which "
    "nothing is sent; set it to PDU mode in the gateway's web page",
    SendFailure.WRONG_CODING: "span {span} of {gateway} would spoil the text's special "
    "characters; set its SMS coding to UTF-8 in the gateway's web page",
    SendFailure.TIMED_OUT: "it is not known whether it was sent: the network did not "
    "answer on span {span} of {gateway} in time",
    SendFailure.CONNECTION_LOST: "it is not known whether it was sent: the connection "
    "to {gateway} was lost meanwhile",
}


async def _send_one(way: _Way, number: str, text: str) -> _Outcome:
    """Send to one number, by the next gateway where it certainly was not sent."""
    untried = list(way.coordinators)
    outcomes: list[_Outcome] = []
    while untried:
        coordinator = min(untried, key=lambda each: each.load)
        untried.remove(coordinator)
        result = await coordinator.async_send_sms(number, text, way.span)
        outcomes.append(_Outcome(result, coordinator))
        if not result.certainly_not_sent:
            return outcomes[-1]
    # A gateway that tried says more than one that could not.
    return min(outcomes, key=lambda each: each.result.failure in _NOT_TRIED)


_NOT_TRIED: Final = (SendFailure.NO_SPAN_READY, SendFailure.NOT_CONNECTED)


def _read_targets(hass: HomeAssistant, target: object) -> list[str]:
    """Return the numbers of a target, each once, in a form that can be dialled."""
    numbers = dict.fromkeys(_numbers(hass, target))
    if not numbers:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_target"
        )
    return list(numbers)


def _numbers(hass: HomeAssistant, target: object) -> Iterator[str]:
    """Yield the numbers of a target.

    A template makes an integer of one number, and a tuple of several.
    """
    if isinstance(target, list | tuple | set):
        for item in target:
            yield from _numbers(hass, item)
    elif isinstance(target, str):
        for number in _BETWEEN_NUMBERS.split(target):
            if number.strip():
                yield _normalised(number.strip())
    elif isinstance(target, int) and not isinstance(target, bool):
        yield _restore_plus(hass, target)
    elif target is not None:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="invalid_target"
        )


def _normalised(number: str) -> str:
    try:
        return normalise_number(number)
    except InvalidNumberError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="invalid_number",
            translation_placeholders={"number": number, "reason": str(err)},
        ) from err


def _restore_plus(hass: HomeAssistant, number: int) -> str:
    """Read a number that came as an integer.

    A template that renders a sender's number gives an integer and drops the
    plus; whoever has written to us is known with it. Of any other number nobody
    can tell whether it had one, and a wrong guess would reach a stranger.
    """
    digits = str(number)
    entries: list[OpenVoxConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        if known := entry.runtime_data.known_number(digits):
            return known
    if 0 <= number <= _MAX_SHORT_CODE:
        return digits
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="number_without_quotes",
        translation_placeholders={"number": digits, "example": "{{ [number] }}"},
    )


# openvox.send_ussd


async def _send_ussd(call: ServiceCall) -> ServiceResponse:
    """Send a USSD code, or a reply in a menu, and return the network's answer."""
    way = _way(call.hass, call.data)
    coordinator, span = await _one_span(way)
    try:
        reply = await coordinator.gateway.send_ussd(
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


async def _one_span(way: _Way) -> tuple[OpenVoxCoordinator, int]:
    """Return the span of a call; it may be left out where one alone is ready.

    Each SIM has a balance and menus of its own, so none is chosen by chance.
    """
    if way.span is not None:
        return way.coordinators[0], way.span
    ready: list[tuple[OpenVoxCoordinator, int]] = []
    for coordinator in way.coordinators:
        try:
            spans = await coordinator.gateway.read_spans()
        except AmiError:
            continue  # what is not connected is not ready
        ready += [
            (coordinator, number) for number, span in spans.items() if span.can_send
        ]
    if not ready:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="no_span_ready"
        )
    if len(ready) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="which_span"
        )
    return ready[0]
