"""notify.send_sms."""

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

from text_unidecode import unidecode  # type: ignore[import-untyped]
import voluptuous as vol

from custom_components.openvox_gsm.const import CONF_FLASH, DOMAIN
from custom_components.openvox_gsm.coordinator import OpenVoxCoordinator
from custom_components.openvox_gsm.gateway import (
    SMS_TIMEOUT,
    InvalidTextError,
    SendStatus,
)
from custom_components.openvox_gsm.limits import is_allowed
from custom_components.openvox_gsm.sending import (
    Outcome,
    OutgoingSms,
    async_send,
    text_error,
)
from homeassistant.components.notify import (
    ATTR_DATA,
    ATTR_MESSAGE,
    ATTR_TARGET,
    ATTR_TITLE,
)
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .recipients import Recipient, read_recipients, require_allowed
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
# Only its looks tell a misspelt option of ours ("spam") from one of another service
# ("sound"); some of the latter look much like ours.
_OPTION_NAMES: Final = frozenset(map(str, _OPTIONS))
_OTHERS_OPTIONS: Final = frozenset(
    {
        ATTR_MESSAGE,
        "config_entry",
        "device_ids",
        "devices",
        "file_encoding",
        "subtitle",
        "ttl",
        "urltitle",
    }
)
_LIKENESS: Final = 0.75


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
        _require_sendable(recipient, message)
    outcomes = await asyncio.gather(
        *(_send_to(recipient, message) for recipient in recipients)
    )
    if call.return_response:
        return {"messages": list(map(_as_response, outcomes))}
    if failed := [
        each for each in outcomes if each.result.status is not SendStatus.SENT
    ]:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="sms_not_sent",
            translation_placeholders={"messages": "; ".join(map(_as_sentence, failed))},
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
    for key in data.keys() - _OPTION_NAMES - _OTHERS_OPTIONS:
        if meant := get_close_matches(str(key).lower(), _OPTION_NAMES, 1, _LIKENESS):
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="misspelt_option",
                translation_placeholders={"key": str(key), "option": meant[0]},
            )
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
        "\u00a0": " ",
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
    (… three dots, € EUR), other scripts are transcribed, emoji are left out, each
    with a blank beside it.
    """
    lines = text.translate(_OWN_SIGNS).split("\n")
    return "\n".join(" ".join(_plain_words(line)) for line in lines)


def _plain_words(line: str) -> Iterator[str]:
    """Yield what stands between the blanks of a line, unless nothing is left of it."""
    for word in line.split(" "):
        plain = str(unidecode(word))
        if plain or not word:
            yield plain


@dataclass(frozen=True, slots=True)
class _Message:
    """What every recipient of a call gets."""

    text: str
    timeout: int  # seconds for each part
    flash: bool


def _send_to(recipient: Recipient, message: _Message) -> Awaitable[Outcome]:
    return async_send(
        OutgoingSms(
            recipient.number,
            message.text,
            recipient.way.span,
            message.timeout,
            message.flash,
        ),
        [
            each
            for each in recipient.way.coordinators
            if is_allowed(each.config_entry, recipient.number)
            and (not message.flash or _may_flash(each))
        ],
    )


# What is checked before anything is sent


def _require_sendable(recipient: Recipient, message: _Message) -> None:
    """Raise where the text is too long or not sendable, or the number not allowed.

    How long it is differs from gateway to gateway, with their options.
    """
    require_allowed(recipient)
    try:
        for coordinator in recipient.way.coordinators:
            if not message.flash or _may_flash(coordinator):
                coordinator.gateway.sms.count_parts(message.text, flash=message.flash)
    except InvalidTextError as err:
        raise text_error(err) from err


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


def _as_response(outcome: Outcome) -> dict[str, Any]:
    """Return the shape that scripts see."""
    result = outcome.result
    return {
        "target": result.number,
        "contact": outcome.coordinator.contact_name(result.number),
        "status": result.status.value,
        "config_entry_id": outcome.coordinator.config_entry.entry_id,
        "span": result.span,
        "parts": result.parts,
        "error": outcome.reason,
    }


def _as_sentence(outcome: Outcome) -> str:
    """Return the form in which a person reads it in an error."""
    number = outcome.result.number
    name = outcome.coordinator.contact_name(number) or number
    return f"{name}: {outcome.reason}"
