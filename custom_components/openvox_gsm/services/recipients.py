"""Whom an action is for: numbers and contacts, however they are written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
import re
from typing import Final

from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.contacts import find_by_name
from custom_components.openvox_gsm.gateway import InvalidNumberError, normalise_number
from custom_components.openvox_gsm.limits import is_allowed
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from .way import Way, loaded_gateways

# A number that YAML or a template took for an integer may have lost its plus.
# Short codes have none.
_MAX_SHORT_CODE: Final = 999999

_BETWEEN: Final = re.compile(r"[,;\n]")


@dataclass(frozen=True, slots=True)
class Recipient:
    """A number that can be dialled, and the way to it."""

    number: str = field(repr=False)
    way: Way


def read_recipients(hass: HomeAssistant, way: Way, target: object) -> list[Recipient]:
    """Return whom a target names, each number once.

    Raises ServiceValidationError where there is nobody, or somebody who cannot be
    dialled.
    """
    recipients: dict[str, Recipient] = {}
    for recipient in _read(hass, way, target):
        recipients.setdefault(recipient.number, recipient)
    if not recipients:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_target"
        )
    return list(recipients.values())


def _read(hass: HomeAssistant, way: Way, target: object) -> Iterator[Recipient]:
    """Yield whom a target names.

    A template makes an integer of one number, and a tuple of several.
    """
    if isinstance(target, list | tuple | set):
        for item in target:
            yield from _read(hass, way, item)
    elif isinstance(target, str):
        yield from _read_text(hass, way, target)
    elif isinstance(target, int) and not isinstance(target, bool):
        yield Recipient(_restore_plus(hass, target), way)
    elif target is not None:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="invalid_target"
        )


def _read_text(hass: HomeAssistant, way: Way, text: str) -> Iterator[Recipient]:
    if contact := _contact(hass, way, text):  # a comma may stand in a name
        yield contact
        return
    for item in map(str.strip, _BETWEEN.split(text)):
        if item:
            yield _contact(hass, way, item) or Recipient(_normalised(item), way)


def _contact(hass: HomeAssistant, way: Way, name: str) -> Recipient | None:
    """Return the contact of a name, those of the way's own gateways first.

    A contact is reached by its own gateway, unless the call says by which, and by
    the span that it prefers, unless the call says on which.
    """
    for coordinator in dict.fromkeys((*way.coordinators, *loaded_gateways(hass))):
        contact = find_by_name(coordinator.config_entry, name)
        if contact is None:
            continue
        number = _normalised(contact.number)
        if coordinator not in way.coordinators:
            return Recipient(number, way)
        return Recipient(
            number, Way((coordinator,), contact.span if way.span is None else way.span)
        )
    return None


def _normalised(number: str) -> str:
    try:
        return normalise_number(number)
    except InvalidNumberError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="invalid_number",
            translation_placeholders={"number": number},
        ) from err


def _restore_plus(hass: HomeAssistant, number: int) -> str:
    """Read a number that came as an integer.

    A template that renders a sender's number gives an integer and drops the
    plus; whoever has written to us is known with it. Of any other number nobody
    can tell whether it had one, and a wrong guess would reach a stranger.
    """
    digits = str(number)
    for coordinator in loaded_gateways(hass):
        if known := coordinator.known_number(digits):
            return known
    if 0 <= number <= _MAX_SHORT_CODE:
        return digits
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="number_without_quotes",
        translation_placeholders={"number": digits, "example": "{{ [number] }}"},
    )


def require_allowed(recipient: Recipient) -> None:
    """Raise where the options of no gateway of the way allow the number."""
    coordinators = recipient.way.coordinators
    if not any(
        is_allowed(each.config_entry, recipient.number) for each in coordinators
    ):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="destination_not_allowed",
            translation_placeholders={
                "number": recipient.number,
                "gateway": coordinators[0].config_entry.title,
            },
        )
