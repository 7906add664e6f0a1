"""Contacts: names for numbers."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.contacts import (
    comparable_number,
    contact_name,
    contacts_of,
    country_of,
    find_by_name,
)
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import CONF_COUNTRY
from homeassistant.core import HomeAssistant

from .common import add_contact


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    """A gateway with two contacts, in Germany."""
    entry = MockConfigEntry(domain=DOMAIN, options={CONF_COUNTRY: "DE"})
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
    """By the number as the gateway tells it, or by the name."""
    assert contact_name(hass, entry, "+4915112345678") == "Anna"
    assert contact_name(hass, entry, "4915112345678") == "Anna"
    assert contact_name(hass, entry, "00436601234567") == "Bert"
    assert contact_name(hass, entry, "+4915112345679") is None
    assert contact_name(hass, entry, "Anna") is None

    anna = find_by_name(entry, " anna ")
    assert anna
    assert anna.name == "Anna"
    assert find_by_name(entry, "Carl") is None


def test_a_renamed_contact(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Home Assistant's own Rename changes the title; that's the name."""
    [anna, _] = entry.subentries.values()
    hass.config_entries.async_update_subentry(entry, anna, title="Anne")

    assert contact_name(hass, entry, "+4915112345678") == "Anne"
    assert find_by_name(entry, "Anne")
    assert find_by_name(entry, "Anna") is None


def test_a_withheld_number_is_no_contact(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Even if a contact has none that could be dialled."""
    add_contact(hass, entry, "Nobody", "00")

    assert contact_name(hass, entry, "") is None


def test_the_country(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The option, or else Home Assistant's own."""
    assert country_of(hass, entry) == "DE"
    assert country_of(hass, MockConfigEntry()) is None
    hass.config.country = "AT"
    assert country_of(hass, entry) == "DE"
    assert country_of(hass, MockConfigEntry()) == "AT"


def test_the_contacts_of_other_gateways(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """They come after its own, each number as its own gateway reads it."""
    austria = MockConfigEntry(domain=DOMAIN, options={CONF_COUNTRY: "AT"})
    disabled = MockConfigEntry(domain=DOMAIN, disabled_by=ConfigEntryDisabler.USER)
    stranger = MockConfigEntry(domain="another")
    for other in (austria, disabled, stranger):
        other.add_to_hass(hass)
    add_contact(hass, austria, "Anna at work", "+49 151 12345678")
    add_contact(hass, austria, "Carl", "0660 7654321")
    add_contact(hass, disabled, "Dora", "+43 1234567")
    add_contact(hass, stranger, "Emil", "+43 2345678")

    assert contact_name(hass, entry, "0151 12345678") == "Anna"
    assert contact_name(hass, austria, "+4915112345678") == "Anna at work"
    assert contact_name(hass, entry, "+436607654321") == "Carl"
    assert contact_name(hass, entry, "+431234567") is None
    assert contact_name(hass, entry, "+432345678") is None


def test_a_name_stands_for_a_number(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The own contacts come first, then those of others, even of a disabled gateway."""
    assert comparable_number(hass, entry, "anna ") == "+4915112345678"
    assert comparable_number(hass, entry, "0151 12345678") == "+4915112345678"
    assert comparable_number(hass, entry, "MyBank") == "mybank"

    other = MockConfigEntry(
        domain=DOMAIN,
        options={CONF_COUNTRY: "AT"},
        disabled_by=ConfigEntryDisabler.USER,
    )
    other.add_to_hass(hass)
    add_contact(hass, other, "Anna", "0660 7654321")
    add_contact(hass, other, "Dora", "0660 7654322")
    assert comparable_number(hass, entry, "Anna") == "+4915112345678"
    assert comparable_number(hass, other, "Anna") == "+436607654321"
    assert comparable_number(hass, entry, "Dora") == "+436607654322"


def test_a_number_stands_for_itself(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Even if a contact was renamed to it."""
    [anna, _] = entry.subentries.values()
    hass.config_entries.async_update_subentry(entry, anna, title="+43 660 1111111")

    assert comparable_number(hass, entry, "+43 660 1111111") == "+436601111111"
