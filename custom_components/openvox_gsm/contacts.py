"""The contacts of a gateway, and what makes two numbers the same."""

from dataclasses import dataclass, field
import re
from typing import TYPE_CHECKING, Self

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant

from .const import CONF_COUNTRY_PREFIX, CONF_NUMBER, CONF_SPAN, DOMAIN, SUBENTRY_CONTACT

if TYPE_CHECKING:
    from .coordinator import OpenVoxConfigEntry

_DECORATION = re.compile(r"[\s\-\u2010-\u2015()\[\]./]")
_NUMBER = re.compile(r"\+?[0-9*#]+")


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody with a name and a number, and the span to reach them by if any."""

    subentry_id: str
    name: str
    number: str = field(repr=False)
    span: int | None

    @classmethod
    def of(cls, subentry: ConfigSubentry) -> Self:
        """Read a contact from its subentry."""
        data = subentry.data
        return cls(
            subentry_id=subentry.subentry_id,
            name=data[CONF_NAME],
            number=data[CONF_NUMBER],
            span=data.get(CONF_SPAN),
        )


def contacts_of(entry: OpenVoxConfigEntry) -> list[Contact]:
    """Return the contacts of a gateway."""
    return [
        Contact.of(subentry)
        for subentry in entry.get_subentries_of_type(SUBENTRY_CONTACT)
    ]


def find_by_number(
    hass: HomeAssistant, entry: OpenVoxConfigEntry, number: str
) -> Contact | None:
    """Return the contact with a number that a gateway tells, however it is written.

    Those of the gateway itself come first, then those of all others. A withheld
    number, which is empty, is nobody's.
    """
    wanted = comparable(number, country_prefix(entry))
    if not wanted:
        return None
    others = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
    for each in dict.fromkeys((entry, *others)):
        prefix = country_prefix(each)
        for contact in contacts_of(each):
            if comparable(contact.number, prefix) == wanted:
                return contact
    return None


def find_by_name(entry: OpenVoxConfigEntry, name: str) -> Contact | None:
    """Return the contact of this name, whatever the case of its letters."""
    for contact in contacts_of(entry):
        if contact.name.casefold() == name.strip().casefold():
            return contact
    return None


def country_prefix(entry: OpenVoxConfigEntry) -> str:
    """Return the country prefix of a gateway as digits, empty where none is set."""
    return str(entry.options.get(CONF_COUNTRY_PREFIX, "")).lstrip("+0")


def international(number: str, prefix: str = "") -> str:
    """Return a number with the plus sign of its country's code, where it has one.

    `0049 151…` and, where `prefix` is "49", `0151…` become `+49151…`. A number
    without any of these stays as it is: it may be a short code.
    """
    bare = _DECORATION.sub("", number)
    if bare.startswith("00"):
        return f"+{bare[2:]}"
    if prefix and bare.startswith("0"):
        return f"+{prefix}{bare[1:]}"
    return bare


def comparable(sender: str, prefix: str = "") -> str:
    """Return a form of a number in which the same numbers are equal.

    `+49 151…`, `0049 151…`, `49151…` and, where `prefix` is "49", `0151…` are one
    number. A name, which some senders have instead, is compared by its letters.
    """
    bare = _DECORATION.sub("", sender)
    if not _NUMBER.fullmatch(bare):
        return sender.strip().casefold()
    if bare.startswith("+"):
        return bare[1:]
    if bare.startswith("00"):
        return bare[2:]
    if prefix and bare.startswith("0"):
        return prefix + bare[1:]
    return bare
