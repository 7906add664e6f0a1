"""The contacts of the gateways: names for numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_COUNTRY
from homeassistant.core import HomeAssistant

from .const import CONF_NUMBER, CONF_SPAN, DOMAIN, SUBENTRY_CONTACT
from .phone_numbers import comparable_sender, is_phone_number


@dataclass(frozen=True)
class Contact:
    """A name and a number, and the span that messages to it prefer, if any."""

    subentry_id: str
    name: str
    number: str = field(repr=False)
    span: int | None

    @classmethod
    def from_subentry(cls, subentry: ConfigSubentry) -> Self:
        """Read a contact from its subentry."""
        return cls(
            subentry_id=subentry.subentry_id,
            name=subentry.title,
            number=subentry.data[CONF_NUMBER],
            span=subentry.data.get(CONF_SPAN),
        )


def contacts_of(entry: ConfigEntry[Any]) -> list[Contact]:
    """Return the contacts of a gateway."""
    return [
        Contact.from_subentry(subentry)
        for subentry in entry.get_subentries_of_type(SUBENTRY_CONTACT)
    ]


def country_of(hass: HomeAssistant, entry: ConfigEntry[Any]) -> str | None:
    """Return the country in which a gateway's numbers are read: its ISO code."""
    return entry.options.get(CONF_COUNTRY) or hass.config.country


def contact_name(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    number: str,
    may_name: Callable[[ConfigEntry[Any]], bool] = lambda _entry: True,
) -> str | None:
    """Return the name of the contact with a number that a gateway reported.

    The gateway's own contacts come first, then those of all others that `may_name`
    allows. A withheld number is empty and has no contact.
    """
    wanted = comparable_sender(number, country_of(hass, entry))
    if not wanted:
        return None
    others = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
    for each in filter(may_name, dict.fromkeys((entry, *others))):
        country = country_of(hass, each)
        for contact in contacts_of(each):
            if comparable_sender(contact.number, country) == wanted:
                return contact.name
    return None


def find_by_name(entry: ConfigEntry[Any], name: str) -> Contact | None:
    """Return the contact of this name; the case of its letters doesn't matter."""
    wanted = name.strip().casefold()
    for contact in contacts_of(entry):
        if contact.name.casefold() == wanted:
            return contact
    return None


def comparable_number(
    hass: HomeAssistant, entry: ConfigEntry[Any], number_or_name: str
) -> str:
    """Return what a person wrote in the form in which senders are compared.

    The name of a contact stands for its number and nothing else: anyone can send under
    that name. The contacts of `entry` come first, then those of the other gateways, even
    of disabled ones. Any other name stands for itself. A number is no name.
    """
    wanted = comparable_sender(number_or_name, country_of(hass, entry))
    if is_phone_number(number_or_name):
        return wanted
    for each in dict.fromkeys((entry, *hass.config_entries.async_entries(DOMAIN))):
        country = country_of(hass, each)
        for contact in contacts_of(each):
            if comparable_sender(contact.name, country) == wanted:
                return comparable_sender(contact.number, country)
    return wanted
