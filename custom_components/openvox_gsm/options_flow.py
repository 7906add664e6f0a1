"""Set the options of a gateway, which apply at once."""

from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_COUNTRY
from homeassistant.helpers.selector import (
    BooleanSelector,
    CountrySelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
    TextSelectorConfig,
)

from .const import (
    CONF_ALLOWED,
    CONF_CALL_EVENTS,
    CONF_CODES_FOR_ALL,
    CONF_DAILY_LIMIT,
    CONF_FLASH,
    CONF_HOURLY_LIMIT,
    CONF_LINE_BREAKS,
    CONF_MESSAGES_FOR_ALL,
    CONF_MESSAGES_KEPT,
    CONF_MONTH_BEGINS,
    CONF_MONTHLY_LIMIT,
    CONF_ONLY_CONFIRMED,
    DEFAULT_MESSAGES_KEPT,
)
from .limits.budget import DEFAULT_DAILY_LIMIT, DEFAULT_HOURLY_LIMIT
from .phone_numbers import InvalidPhoneNumberError, parse_prefix

# Not with min and max: Home Assistant would give them in English only.
WHOLE_NUMBER = NumberSelector(NumberSelectorConfig(mode=NumberSelectorMode.BOX))
_LIMIT = (0, 100_000, "invalid_limit")
RANGES = {
    CONF_HOURLY_LIMIT: _LIMIT,
    CONF_DAILY_LIMIT: _LIMIT,
    CONF_MONTHLY_LIMIT: _LIMIT,
    CONF_MONTH_BEGINS: (1, 31, "invalid_day"),
    CONF_MESSAGES_KEPT: (0, 10_000, "invalid_messages_kept"),
}


def read_whole_numbers(
    user_input: Mapping[str, Any], errors: dict[str, str]
) -> dict[str, Any]:
    """Return what was entered, with whole numbers in their range.

    Any other number gets an error, which gives the range in words.
    """
    data = {**user_input}
    for key in RANGES.keys() & user_input.keys():
        lowest, highest, error = RANGES[key]
        if lowest <= user_input[key] <= highest and user_input[key].is_integer():
            data[key] = int(user_input[key])
        else:
            errors[key] = error
    return data


OPTIONS_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_COUNTRY): CountrySelector(),
        vol.Optional(CONF_ALLOWED): TextSelector(TextSelectorConfig(multiple=True)),
        vol.Required(CONF_HOURLY_LIMIT, default=DEFAULT_HOURLY_LIMIT): WHOLE_NUMBER,
        vol.Required(CONF_DAILY_LIMIT, default=DEFAULT_DAILY_LIMIT): WHOLE_NUMBER,
        vol.Required(CONF_CALL_EVENTS, default=True): BooleanSelector(),
        vol.Required(CONF_ONLY_CONFIRMED, default=False): BooleanSelector(),
        vol.Required(CONF_LINE_BREAKS, default=False): BooleanSelector(),
        vol.Required(CONF_FLASH, default=False): BooleanSelector(),
        vol.Required(CONF_CODES_FOR_ALL, default=False): BooleanSelector(),
        vol.Required(CONF_MESSAGES_KEPT, default=DEFAULT_MESSAGES_KEPT): WHOLE_NUMBER,
        vol.Required(CONF_MESSAGES_FOR_ALL, default=False): BooleanSelector(),
    }
)


class OpenVoxOptionsFlow(OptionsFlow):
    """Set what can't be learnt from the gateway."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options."""
        errors: dict[str, str] = {}
        if user_input is not None:
            options = read_whole_numbers(user_input, errors)
            try:
                allowed = self._read_allowed(options)
            except InvalidPhoneNumberError:
                errors[CONF_ALLOWED] = "invalid_destination"
            else:
                options.pop(CONF_ALLOWED, None)
                if allowed:
                    options[CONF_ALLOWED] = allowed
            if not errors:
                return self.async_create_entry(data=options)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                OPTIONS_SCHEMA, user_input or self._current()
            ),
            errors=errors,
        )

    def _read_allowed(self, options: dict[str, Any]) -> list[str]:
        """Return the allowed destinations, each once; raises InvalidPhoneNumberError."""
        country = options.get(CONF_COUNTRY) or self.hass.config.country
        written = [each for each in options.get(CONF_ALLOWED, ()) if each.strip()]
        return list(dict.fromkeys(parse_prefix(each, country) for each in written))

    def _current(self) -> dict[str, Any]:
        """Return the options in force, with Home Assistant's own country."""
        country = self.hass.config.country
        return ({CONF_COUNTRY: country} if country else {}) | {
            **self.config_entry.options
        }
