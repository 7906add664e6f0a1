"""notify.send_sms."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from text_unidecode import unidecode  # type: ignore[import-untyped]
import voluptuous as vol

from custom_components.openvox_gsm.const import CONF_FLASH, DOMAIN
from custom_components.openvox_gsm.coordinator import OpenVoxCoordinator
from custom_components.openvox_gsm.gateway import (
    InvalidTextError,
    SendFailure,
    SendResult,
    SendStatus,
)
from custom_components.openvox_gsm.gateway.gateway import SMS_TIMEOUT
from custom_components.openvox_gsm.outcome import failure_reason
from homeassistant.components.notify import (
    ATTR_DATA,
    ATTR_MESSAGE,
    ATTR_TARGET,
    ATTR_TITLE,
)
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .recipients import Recipient, read_recipients
from .way import WAY_FIELDS, find_way

ATTR_ENCODING: Final = "encoding"
ATTR_FLASH: Final = "flash"
ATTR_TIMEOUT: Final = "timeout"


class Encoding(StrEnum):
    """How the characters of a text are written."""

    AUTO = "auto"
    ASCII = "ascii"


# What a script leaves out may come as None or as an empty text.
_OPTIONS = {
    **WAY_FIELDS,
    # Whatever is wrong with it is said in our own words.
    vol.Optional(ATTR_TARGET): object,
    vol.Optional(ATTR_TITLE): vol.Any(None, cv.string),
    vol.Optional(ATTR_ENCODING): vol.Any(None, "", vol.Coerce(Encoding)),
    vol.Optional(ATTR_FLASH): vol.Any(None, "", cv.boolean),
    vol.Optional(ATTR_TIMEOUT): vol.Any(
        None, "", vol.All(vol.Coerce(int), vol.Range(min=1, max=300))
    ),
}
SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_MESSAGE): cv.string,
        # Not looked into here: an alert does not get over data that are refused
        # before the action begins.
        vol.Optional(ATTR_DATA): vol.Any(None, dict),
        **_OPTIONS,
    }
)
# Alert, notify groups and older scripts can pass all but the message only inside
# `data`, where options of other services may stand, too.
_DATA_SCHEMA = vol.Schema(_OPTIONS, extra=vol.ALLOW_EXTRA)


async def send_sms(call: ServiceCall) -> ServiceResponse:
    """Send one text to all targets, in parallel over the ready spans."""
    data = _options(call)
    way = find_way(call.hass, data)
    recipients = read_recipients(call.hass, way, data.get(ATTR_TARGET))
    message = _Message(
        text=_text(call.data[ATTR_MESSAGE], data),
        timeout=data.get(ATTR_TIMEOUT) or SMS_TIMEOUT,
        flash=bool(data.get(ATTR_FLASH)),
    )
    if message.flash:
        for recipient in recipients:
            _require_flash(recipient)
    for recipient in recipients:
        _require_sendable(recipient, message.text)
    outcomes = await asyncio.gather(
        *(_send_one(recipient, message) for recipient in recipients)
    )
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


def _options(call: ServiceCall) -> dict[str, Any]:
    """Return the options of a call, from inside and outside of its `data`."""
    try:
        data: dict[str, Any] = _DATA_SCHEMA(call.data.get(ATTR_DATA) or {})
    except vol.Invalid as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="invalid_data",
            translation_placeholders={"error": str(err)},
        ) from err
    # What stands outside of `data` counts, unless it is empty.
    return data | {
        key: value for key, value in call.data.items() if value or value is False
    }


def _text(message: str, data: dict[str, Any]) -> str:
    if title := data.get(ATTR_TITLE):
        message = f"{title}: {message}"
    return _plain(message) if data.get(ATTR_ENCODING) is Encoding.ASCII else message


# What the library writes in a way that would be misread: two commas for a quotation
# mark, "PS5" for £5, "20-25" for 20→25, "[?]" for currencies that it does not know.
_OWN_SIGNS: Final = str.maketrans(
    {
        "\u201e": '"',
        "\u201a": "'",
        "→": "->",
        "←": "<-",
        "£": "GBP",
        "¥": "JPY",
        "₹": "INR",
        "₺": "TRY",
        "₽": "RUB",
    }
)


def _plain(text: str) -> str:
    """Write a text with the letters and signs of ASCII alone.

    Accents go (ä becomes a, ß ss), typographic signs become those of a typewriter
    (… three dots, € EUR), other scripts are transcribed, emoji are left out.
    """
    return str(unidecode(text.translate(_OWN_SIGNS)))


@dataclass(frozen=True, slots=True)
class _Message:
    """What every recipient of a call gets."""

    text: str
    timeout: int  # seconds for each part
    flash: bool


def _require_sendable(recipient: Recipient, text: str) -> None:
    """Raise before anything is sent where a text is too long or not sendable.

    How long it is differs from gateway to gateway, with their options.
    """
    try:
        for coordinator in recipient.way.coordinators:
            coordinator.gateway.check_text(text)
    except InvalidTextError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="invalid_text",
            translation_placeholders={"reason": str(err)},
        ) from err


def _require_flash(recipient: Recipient) -> None:
    """Raise where no gateway of the way is allowed, and able, to send flash SMS."""
    coordinators = recipient.way.coordinators
    if any(map(_may_flash, coordinators)):
        return
    allowed = [
        each for each in coordinators if each.config_entry.options.get(CONF_FLASH)
    ]
    gateway = (allowed or coordinators)[0].config_entry.title
    if allowed:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_flash",
            translation_placeholders={"gateway": gateway},
        )
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="flash_is_off",
        translation_placeholders={"gateway": gateway},
    )


def _may_flash(coordinator: OpenVoxCoordinator) -> bool:
    return (
        bool(coordinator.config_entry.options.get(CONF_FLASH))
        and coordinator.gateway.features.flash
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of the message to one number, and by which gateway."""

    result: SendResult
    coordinator: OpenVoxCoordinator

    def as_response(self) -> dict[str, Any]:
        """The shape that scripts see."""
        return {
            "target": self.result.number,
            "contact": self.coordinator.contact_name(self.result.number),
            "status": self.result.status.value,
            "config_entry_id": self.coordinator.config_entry.entry_id,
            "span": self.result.span,
            "parts": self.result.parts,
            "error": failure_reason(self.coordinator, self.result),
        }

    def as_sentence(self) -> str:
        """The form in which a person reads it in an error."""
        return f"{self.result.number}: {failure_reason(self.coordinator, self.result)}"


async def _send_one(recipient: Recipient, message: _Message) -> _Outcome:
    """Send to one number, by the next gateway where it certainly was not sent."""
    untried = [
        each
        for each in recipient.way.coordinators
        if not message.flash or _may_flash(each)
    ]
    outcomes: list[_Outcome] = []
    while untried:
        coordinator = min(untried, key=lambda each: each.load)
        untried.remove(coordinator)
        result = await coordinator.async_send_sms(
            recipient.number,
            message.text,
            recipient.way.span,
            timeout=message.timeout,
            flash=message.flash,
            tried_elsewhere=bool(untried),
        )
        outcomes.append(_Outcome(result, coordinator))
        if not result.certainly_not_sent:
            return outcomes[-1]
    # A gateway that tried says more than one that could not.
    return min(outcomes, key=lambda each: each.result.failure in _NOT_TRIED)


_NOT_TRIED: Final = (SendFailure.NO_SPAN_READY, SendFailure.NOT_CONNECTED)
