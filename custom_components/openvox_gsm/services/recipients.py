"""The recipients of an action: numbers and contacts, in any form people write them."""

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
    is_phone_number,
    parse_destination,
)
from custom_components.openvox_gsm.runtime import loaded_gateways
from custom_components.openvox_gsm.sending import Recipient, Route
from homeassistant.config_entries import ConfigEntry

from .permissions import Caller

_BETWEEN: Final = re.compile(r"[,;\n]")

type Routes = tuple[Route, ...]


def read_recipients(
    caller: Caller, routes: Routes, target: object, *, allow_codes: bool = False
) -> list[Recipient]:
    """Return the recipients that a target names, each number once.

    `routes` are some that the caller may use. A contact of a gateway that the caller
    may not use is no contact, so that nobody learns its number or name. With
    `allow_codes` a service code such as `*100#` counts as a number.

    Raises ServiceValidationError where there is none, or a number is invalid.
    """
    reader = _Reader(caller, routes, allow_codes)
    recipients: dict[str, Recipient] = {}
    try:
        for recipient in reader.read(target):
            recipients.setdefault(recipient.number, recipient)
    except RecursionError:  # a list in a list in a list …
        raise invalid("invalid_target") from None
    if not recipients:
        raise invalid("no_target")
    return list(recipients.values())


class _Reader:
    """Reads the recipients that a target names."""

    def __init__(self, caller: Caller, routes: Routes, allow_codes: bool) -> None:
        self._caller = caller
        self._hass = caller.hass
        self._routes = routes
        self._allow_codes = allow_codes

    def read(self, target: object) -> Iterator[Recipient]:
        """Yield the recipients that a target names.

        A template turns one number into an integer, and several into a tuple.
        """
        if isinstance(target, list | tuple | set):
            for item in target:
                yield from self.read(item)
        elif isinstance(target, str):
            yield from self._read_text(target)
        elif isinstance(target, int) and not isinstance(target, bool):
            yield self._read_number(str(target), is_integer=True)
        elif target is not None:
            raise invalid("invalid_target")

    def _read_text(self, text: str) -> Iterator[Recipient]:
        if contact := self._find_contact(text):  # a name may contain a comma
            yield contact
            return
        for item in map(str.strip, _BETWEEN.split(text)):
            if item:
                yield self._find_contact(item) or self._read_number(item)

    def _find_contact(self, name: str) -> Recipient | None:
        """Return the contact of a name, those of the call's own gateways first.

        It's reached through its own gateway and the span it prefers, unless the call
        names others. A number is no name, even if a contact was renamed to it.
        """
        if is_phone_number(name):
            return None
        given = {route.runtime: route for route in self._routes}
        others = [
            each
            for each in loaded_gateways(self._hass)
            if self._caller.may_use(each.entry)
        ]
        for runtime in (*given, *others):
            if (contact := find_by_name(runtime.entry, name)) is None:
                continue
            number = self._parse(runtime.entry, contact.number)
            if (route := given.get(runtime)) is None:
                return Recipient(number, contact.name, self._routes)
            span = contact.span if route.span is None else route.span
            return Recipient(number, contact.name, (Route(runtime, span),))
        return None

    def _read_number(self, text: str, *, is_integer: bool = False) -> Recipient:
        numbers = {
            self._parse(route.entry, text, is_integer=is_integer)
            for route in self._routes
        }
        if len(numbers) > 1:
            # The gateways are in several countries, where it's not the same phone.
            raise invalid("number_in_several_countries", number=text)
        number = numbers.pop()
        contact = contact_name(
            self._hass, self._routes[0].entry, number, self._caller.may_use
        )
        return Recipient(number, contact, self._routes)

    def _parse(
        self, entry: ConfigEntry[Any], text: str, *, is_integer: bool = False
    ) -> str:
        country = country_of(self._hass, entry)
        try:
            return parse_destination(text, country, allow_codes=self._allow_codes)
        except InvalidPhoneNumberError as err:
            # A template turns a number into an integer, and drops its plus.
            key = "number_without_quotes" if is_integer else number_error(err)
            raise invalid(key, entry, number=text, example="{{ [number] }}") from err
