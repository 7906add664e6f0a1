"""Contacts, and which numbers are the same."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import CONF_COUNTRY_PREFIX, DOMAIN
from custom_components.openvox_gsm.contacts import (
    Contact,
    comparable,
    contacts_of,
    country_prefix,
    find_by_name,
    find_by_number,
)
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant

from .common import add_contact


@pytest.mark.parametrize(
    "written",
    [
        "+4915112345678",
        "004915112345678",
        "4915112345678",
        "+49 151 123 456-78",
        "+49 (151) 12345678",
        "+49/151.12345678",
        "+49\u00a0151\u201112345678",
        " +4915112345678 ",
        "015112345678",
        "0151 / 12345678",
    ],
)
def test_one_number_written_in_many_ways(written: str) -> None:
    """They are compared by their digits, national ones with the country's prefix."""
    assert comparable(written, "49") == "4915112345678"


def test_a_national_number_without_prefix() -> None:
    """Nobody knows of which country it is, so it is only itself."""
    assert comparable("0151 12345678") == "015112345678"
    assert comparable("0151 12345678") != comparable("+49 151 12345678")


@pytest.mark.parametrize("number", ["10086", "*100#", "22333"])
def test_a_short_number(number: str) -> None:
    """It belongs to no country."""
    assert comparable(number, "49") == number


def test_a_sender_that_is_a_name() -> None:
    """It is compared by its letters, whatever their case; it is no number."""
    assert comparable(" MyBank ") == comparable("mybank")
    assert comparable("Bank 24") != comparable("24")
    assert comparable("Taxi 0151", "49") == "taxi 0151"


@pytest.mark.parametrize("prefix", ["49", "+49", "0049"])
def test_the_country_prefix(hass: HomeAssistant, prefix: str) -> None:
    """However it is written in the options."""
    entry = MockConfigEntry(options={CONF_COUNTRY_PREFIX: prefix})

    assert country_prefix(entry) == "49"
    assert country_prefix(MockConfigEntry()) == ""


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    """A gateway with two contacts, in Germany."""
    entry = MockConfigEntry(domain=DOMAIN, options={CONF_COUNTRY_PREFIX: "49"})
    entry.add_to_hass(hass)
    add_contact(hass, entry, "Anna", "0151 12345678")
    add_contact(hass, entry, "Bert", "+43 660 1234567")
    return entry


def test_the_contacts_of_a_gateway(entry: MockConfigEntry) -> None:
    """As they were entered; their numbers show nowhere by chance."""
    contacts = contacts_of(entry)

    assert [(each.name, each.number, each.span) for each in contacts] == [
        ("Anna", "0151 12345678", None),
        ("Bert", "+43 660 1234567", None),
    ]
    assert "1234567" not in repr(contacts)


def test_find_a_contact(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """By the number, however it is written, or by the name."""

    def name(contact: Contact | None) -> str | None:
        return contact and contact.name

    assert name(find_by_number(hass, entry, "+4915112345678")) == "Anna"
    assert name(find_by_number(hass, entry, "00436601234567")) == "Bert"
    assert name(find_by_name(entry, " anna ")) == "Anna"
    assert find_by_number(hass, entry, "+4915112345679") is None
    assert find_by_number(hass, entry, "Anna") is None
    assert find_by_name(entry, "Carl") is None


def test_a_withheld_number_is_nobody(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Even if a contact has none that could be dialled."""
    add_contact(hass, entry, "Nobody", "00")

    assert find_by_number(hass, entry, "") is None


def test_the_contacts_of_other_gateways(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """They come after its own, each number as its own gateway reads it."""
    austria = MockConfigEntry(domain=DOMAIN, options={CONF_COUNTRY_PREFIX: "43"})
    disabled = MockConfigEntry(domain=DOMAIN, disabled_by=ConfigEntryDisabler.USER)
    stranger = MockConfigEntry(domain="another")
    for other in (austria, disabled, stranger):
        other.add_to_hass(hass)
    add_contact(hass, austria, "Anna at work", "+49 151 12345678")
    add_contact(hass, austria, "Carl", "0660 7654321")
    add_contact(hass, disabled, "Dora", "+43 1")
    add_contact(hass, stranger, "Emil", "+43 2")

    def name_at(gateway: MockConfigEntry, number: str) -> str | None:
        contact = find_by_number(hass, gateway, number)
        return contact and contact.name

    assert name_at(entry, "0151 12345678") == "Anna"
    assert name_at(austria, "+4915112345678") == "Anna at work"
    assert name_at(entry, "+436607654321") == "Carl"
    assert name_at(entry, "06607654321") is None
    assert name_at(entry, "+431") is None
    assert name_at(entry, "+432") is None
