"""Brings entries of earlier versions up to date."""

from collections.abc import Callable
from typing import Any

from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.components.switch import DOMAIN as SWITCH_DOMAIN
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_COUNTRY, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, restore_state

from .const import CONF_ALLOWED, CONF_NUMBER, SUBENTRY_CONTACT
from .contacts import country_of
from .gateway import LastSign
from .phone_numbers import (
    InvalidPhoneNumberError,
    main_country,
    parse_destination,
    parse_prefix,
)
from .store import async_get_store


async def async_migrate_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Migrate an entry; if that fails halfway, it can be migrated once more."""
    if entry.version == 1:
        hass.config_entries.async_update_entry(entry, options=_options(hass, entry))
        _migrate_subentries(hass, entry)
        _remove_last_sms(hass, entry)
        await _keep_modules_off(hass, entry)
        hass.config_entries.async_update_entry(entry, version=2, minor_version=1)
    return True


def _options(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, Any]:
    """Replace the country prefix of 0.1.0 by the country; write numbers in one form."""
    options = {**entry.options}
    prefix = options.pop("country_prefix", "")
    if country := main_country(prefix):
        options[CONF_COUNTRY] = country
    if allowed := options.get(CONF_ALLOWED):
        if prefix:  # a zero stood for all numbers of the country
            allowed = [f"+{prefix}" if each == "0" else each for each in allowed]
        country = options.get(CONF_COUNTRY) or hass.config.country
        numbers = [_rewrite(parse_prefix, each, country) for each in allowed]
        options[CONF_ALLOWED] = list(dict.fromkeys(numbers))
    return options


def _migrate_subentries(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Let the title be the name, since people rename the title."""
    country = country_of(hass, entry)
    for subentry in entry.subentries.values():
        data = {key: value for key, value in subentry.data.items() if key != CONF_NAME}
        if subentry.subentry_type == SUBENTRY_CONTACT:
            data[CONF_NUMBER] = _rewrite(parse_destination, data[CONF_NUMBER], country)
        hass.config_entries.async_update_subentry(entry, subentry, data=data)


def _rewrite(
    parse: Callable[[str, str | None], str], number: str, country: str | None
) -> str:
    """Return a number in its one form; one that can't be read stays as it is."""
    try:
        return parse(number, country)
    except InvalidPhoneNumberError:
        return number


@callback
def _remove_last_sms(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove the sensor "Last SMS", which said the same as the event entity."""
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if entity.domain == SENSOR_DOMAIN and entity.unique_id.endswith("_last_sms"):
            registry.async_remove(entity.entity_id)


async def _keep_modules_off(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Take over which modules are off, which the switches of 0.1.0 restored."""
    restored = restore_state.async_get(hass).last_states
    switched_off = {}
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        stored = restored.get(entity.entity_id)
        if entity.domain != SWITCH_DOMAIN or not stored or not stored.extra_data:
            continue
        span = entity.unique_id.removesuffix("_power").rpartition("_")[2]
        if stored.extra_data.as_dict().get("switched_off") and span.isdecimal():
            switched_off[int(span)] = LastSign()
    if switched_off:
        (await async_get_store(hass, entry)).power_changed(switched_off)
