"""Who an action is for: numbers and contacts, however they are written."""

from collections.abc import Iterator
import re
from typing import Any, Final

from custom_components.openvox_gsm.contacts import (
    contact_name,
    country_of,
    find_by_name,
)
from custom_components.openvox_gsm.errors import invalid, number_error
from custom_components.openvox_gsm.phone_numbers import (
    InvalidPhoneNumberError,
    parse_destination,
)
from custom_components.openvox_gsm.runtime import loaded_gateways
from custom_components.openvox_gsm.sending import Recipient, Route
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

_BETWEEN: Final = re.compile(r"[,;\n]")

type Routes = tuple[Route, ...]


def read_recipients(
    hass: HomeAssistant, routes: Routes, target: object
) -> list[Recipient]:
    """Return the recipients that a target names, each number once.

    Raises ServiceValidationError where there is none, or one that cannot be dialled.
    """
    recipients: dict[str, Recipient] = {}
    for recipient in _read(hass, routes, target):
        recipients.setdefault(recipient.number, recipient)
    if not recipients:
        raise invalid("no_target")
    return list(recipients.values())


def _read(hass: HomeAssistant, routes: Routes, target: object) -> Iterator[Recipient]:
    """Yield the recipients that a target names.

    A template makes an integer of one number, and a tuple of several.
    """
    if isinstance(target, list | tuple | set):
        for item in target:
            yield from _read(hass, routes, item)
    elif isinstance(target, str):
        yield from _read_text(hass, routes, target)
    elif isinstance(target, int) and not isinstance(target, bool):
        yield _read_number(hass, routes, str(target), is_integer=True)
    elif target is not None:
        raise invalid("invalid_target")


def _read_text(hass: HomeAssistant, routes: Routes, text: str) -> Iterator[Recipient]:
    if contact := _find_contact(hass, routes, text):  # a comma may be in a name
        yield contact
        return
    for item in map(str.strip, _BETWEEN.split(text)):
        if item:
            yield _find_contact(hass, routes, item) or _read_number(hass, routes, item)


def _find_contact(hass: HomeAssistant, routes: Routes, name: str) -> Recipient | None:
    """Return the contact of a name, those of the call's own gateways first.

    Its own gateway and the span that it prefers are used, unless the call names
    others.
    """
    given = {route.runtime: route for route in routes}
    for runtime in (*given, *loaded_gateways(hass)):
        if (contact := find_by_name(runtime.entry, name)) is None:
            continue
        number = _parse(hass, runtime.entry, contact.number)
        if (route := given.get(runtime)) is None:
            return Recipient(number, contact.name, routes)
        span = contact.span if route.span is None else route.span
        return Recipient(number, contact.name, (Route(runtime, span),))
    return None


def _read_number(
    hass: HomeAssistant, routes: Routes, text: str, *, is_integer: bool = False
) -> Recipient:
    numbers = {
        _parse(hass, route.entry, text, is_integer=is_integer) for route in routes
    }
    if len(numbers) > 1:
        # The gateways are in several countries, in each of which it's another phone.
        raise invalid("number_in_several_countries", number=text)
    number = numbers.pop()
    return Recipient(number, contact_name(hass, routes[0].entry, number), routes)


def _parse(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    text: str,
    *,
    is_integer: bool = False,
) -> str:
    try:
        return parse_destination(text, country_of(hass, entry))
    except InvalidPhoneNumberError as err:
        # A template that renders a number gives an integer, which has lost its plus.
        key = "number_without_quotes" if is_integer else number_error(err)
        raise invalid(key, entry, number=text, example="{{ [number] }}") from err
