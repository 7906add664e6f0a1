"""Add and change the contacts, USSD queries and SIM limits of a gateway."""

from collections.abc import Mapping
import re
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME, UnitOfTime
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .const import (
    CONF_CODE,
    CONF_DAILY_LIMIT,
    CONF_DATE_PATTERN,
    CONF_INTERVAL,
    CONF_MONTH_BEGINS,
    CONF_MONTHLY_LIMIT,
    CONF_NUMBER,
    CONF_PATTERN,
    CONF_REPLIES,
    CONF_SIM,
    CONF_SPAN,
    CONF_UNIT,
    SUBENTRY_CONTACT,
    SUBENTRY_SIM_LIMIT,
    SUBENTRY_USSD_QUERY,
)
from .contacts import country_of
from .devices import find_span_devices
from .errors import number_error
from .gateway import is_ussd_code, is_ussd_text
from .limits.sims import SIMS
from .options_flow import WHOLE_NUMBER, read_whole_numbers
from .phone_numbers import InvalidPhoneNumberError, is_phone_number, parse_destination
from .regular_expression import RegularExpression

AUTOMATIC = "automatic"
DEFAULT_INTERVAL = 24  # hours
MIN_INTERVAL = 0.25
MAX_INTERVAL = 720

# What separates the targets of an SMS, so no name can contain it.
_SEPARATOR = re.compile(r"[,;\n]")


class OpenVoxSubentryFlow(ConfigSubentryFlow):
    """What all kinds of subentries share: one form, to add or to change."""

    def _schema(self) -> vol.Schema:
        """Return the fields of the form."""
        raise NotImplementedError

    def _read(
        self, user_input: Mapping[str, Any], errors: dict[str, str]
    ) -> dict[str, Any]:
        """Return the data of the subentry, without its name.

        Each field that can't be used gets the key of its error's text in `errors`.
        """
        raise NotImplementedError

    def _suggest(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the data as the form shows them."""
        return data

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the form for a new subentry."""
        return self._step("user", user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the form with a subentry's data."""
        return self._step("reconfigure", user_input)

    def _step(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        if user_input is not None:
            name = self._read_name(user_input, errors)
            data = self._read(user_input, errors)
            if not errors:
                return self._save(name, data)
        elif self.source == SOURCE_RECONFIGURE:
            subentry = self._get_reconfigure_subentry()
            user_input = {CONF_NAME: subentry.title, **self._suggest(subentry.data)}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(self._schema(), user_input),
            errors=errors,
        )

    def _save(self, name: str, data: dict[str, Any]) -> SubentryFlowResult:
        """Add or change the subentry; the entry's listener creates its entities.

        The name is only kept as the title, which Home Assistant's Rename changes.
        """
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(),
                self._get_reconfigure_subentry(),
                title=name,
                data=data,
            )
        return self.async_create_entry(title=name, data=data)

    def _read_name(self, user_input: Mapping[str, Any], errors: dict[str, str]) -> str:
        """Return the name; no other beside it may have it, in upper or lower case."""
        name: str = user_input[CONF_NAME].strip()
        if not name:
            errors[CONF_NAME] = "no_name"
        own_id = (
            self._get_reconfigure_subentry().subentry_id
            if self.source == SOURCE_RECONFIGURE
            else None
        )
        for other in self._get_entry().get_subentries_of_type(self._subentry_type):
            if (
                other.subentry_id != own_id
                and self._is_beside(other.data, user_input)
                and other.title.casefold() == name.casefold()
            ):
                errors[CONF_NAME] = "name_taken"
        return name

    def _is_beside(
        self, other: Mapping[str, Any], user_input: Mapping[str, Any]
    ) -> bool:
        """Return whether another one could be mistaken for this if called the same."""
        return True

    def _spans(self) -> dict[str, str]:
        """Return the names of the gateway's spans by their numbers as text."""
        spans = {
            number: device.name_by_user or device.name or str(number)
            for number, device in find_span_devices(
                self.hass, self._get_entry().entry_id
            ).items()
        }
        if self.source == SOURCE_RECONFIGURE:
            # The chosen one may have gone, and may come back.
            chosen = self._get_reconfigure_subentry().data.get(CONF_SPAN)
            if chosen is not None:
                spans.setdefault(chosen, str(chosen))
        return {str(number): spans[number] for number in sorted(spans)}


class ContactFlow(OpenVoxSubentryFlow):
    """A name and a number."""

    @override
    def _schema(self) -> vol.Schema:
        return vol.Schema(
            {
                vol.Required(CONF_NAME): TextSelector(),
                vol.Required(CONF_NUMBER): TextSelector(
                    TextSelectorConfig(type=TextSelectorType.TEL)
                ),
                vol.Required(CONF_SPAN, default=AUTOMATIC): _span_selector(
                    {AUTOMATIC: AUTOMATIC, **self._spans()}
                ),
            }
        )

    @override
    def _suggest(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**data, CONF_SPAN: str(data.get(CONF_SPAN) or AUTOMATIC)}

    @override
    def _read_name(self, user_input: Mapping[str, Any], errors: dict[str, str]) -> str:
        name = super()._read_name(user_input, errors)
        # It can be a target of an SMS, and a line may contain several targets.
        if _SEPARATOR.search(name) or is_phone_number(name):
            errors[CONF_NAME] = "invalid_name"
        return name

    @override
    def _read(
        self, user_input: Mapping[str, Any], errors: dict[str, str]
    ) -> dict[str, Any]:
        country = country_of(self.hass, self._get_entry())
        data: dict[str, Any] = {}
        try:
            data[CONF_NUMBER] = parse_destination(user_input[CONF_NUMBER], country)
        except InvalidPhoneNumberError as err:
            errors[CONF_NUMBER] = number_error(err)
        if (span := user_input[CONF_SPAN]) != AUTOMATIC:
            data[CONF_SPAN] = int(span)
        return data


class UssdQueryFlow(OpenVoxSubentryFlow):
    """A USSD code that is sent at an interval."""

    @override
    def _step(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        if not self._spans():
            return self.async_abort(reason="no_spans")
        return super()._step(step_id, user_input)

    @override
    def _schema(self) -> vol.Schema:
        return vol.Schema(
            {
                vol.Required(CONF_NAME): TextSelector(),
                vol.Required(CONF_SPAN): _span_selector(self._spans()),
                vol.Required(CONF_CODE): TextSelector(),
                vol.Optional(CONF_REPLIES): TextSelector(
                    TextSelectorConfig(multiple=True)
                ),
                # Not with min and max: `_read` gives its limits in words.
                vol.Required(CONF_INTERVAL, default=DEFAULT_INTERVAL): NumberSelector(
                    NumberSelectorConfig(
                        mode=NumberSelectorMode.BOX,
                        step="any",
                        unit_of_measurement=UnitOfTime.HOURS,
                    )
                ),
                vol.Optional(CONF_PATTERN): TextSelector(),
                vol.Optional(CONF_UNIT): TextSelector(),
                vol.Optional(CONF_DATE_PATTERN): TextSelector(),
            }
        )

    @override
    def _suggest(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**data, CONF_SPAN: str(data[CONF_SPAN])}

    @override
    def _is_beside(
        self, other: Mapping[str, Any], user_input: Mapping[str, Any]
    ) -> bool:
        return bool(other[CONF_SPAN] == int(user_input[CONF_SPAN]))

    @override
    def _read(
        self, user_input: Mapping[str, Any], errors: dict[str, str]
    ) -> dict[str, Any]:
        data = {
            CONF_SPAN: int(user_input[CONF_SPAN]),
            CONF_CODE: user_input[CONF_CODE].strip(),
            CONF_INTERVAL: user_input[CONF_INTERVAL],
        }
        if not is_ussd_code(data[CONF_CODE]):
            errors[CONF_CODE] = "invalid_code"
        replies = [reply.strip() for reply in user_input.get(CONF_REPLIES, ())]
        if replies := [reply for reply in replies if reply]:
            if not all(map(is_ussd_text, replies)):
                errors[CONF_REPLIES] = "invalid_reply"
            data[CONF_REPLIES] = replies
        if not MIN_INTERVAL <= data[CONF_INTERVAL] <= MAX_INTERVAL:
            errors[CONF_INTERVAL] = "invalid_interval"
        for key in (CONF_PATTERN, CONF_DATE_PATTERN):
            if pattern := user_input.get(key):
                if error := _pattern_error(pattern):
                    errors[key] = error
                data[key] = pattern
        if unit := user_input.get(CONF_UNIT, "").strip():
            data[CONF_UNIT] = unit
        return data


class SimLimitFlow(OpenVoxSubentryFlow):
    """How many SMS a SIM may send, wherever it is.

    The span is only asked for to know which SIM is meant.
    """

    @override
    def _step(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        if self.source != SOURCE_RECONFIGURE and not self._spans():
            return self.async_abort(reason="no_spans")
        return super()._step(step_id, user_input)

    @override
    def _schema(self) -> vol.Schema:
        fields: dict[vol.Marker, Any] = {vol.Required(CONF_NAME): TextSelector()}
        if self.source != SOURCE_RECONFIGURE:
            fields[vol.Required(CONF_SPAN)] = _span_selector(self._spans())
        fields[vol.Optional(CONF_DAILY_LIMIT)] = WHOLE_NUMBER
        fields[vol.Optional(CONF_MONTHLY_LIMIT)] = WHOLE_NUMBER
        fields[vol.Required(CONF_MONTH_BEGINS, default=1)] = WHOLE_NUMBER
        return vol.Schema(fields)

    @override
    def _read(
        self, user_input: Mapping[str, Any], errors: dict[str, str]
    ) -> dict[str, Any]:
        if self.source == SOURCE_RECONFIGURE:
            sim = self._get_reconfigure_subentry().data[CONF_SIM]
        else:
            sims = self.hass.data[SIMS]
            sim = sims.sim(self._get_entry().entry_id, int(user_input[CONF_SPAN]))
            if sim in sims.limited:
                errors[CONF_SPAN] = "sim_has_limit"
        given = read_whole_numbers(user_input, errors)
        data = {
            CONF_SIM: sim,
            CONF_DAILY_LIMIT: given.get(CONF_DAILY_LIMIT, 0),
            CONF_MONTHLY_LIMIT: given.get(CONF_MONTHLY_LIMIT, 0),
            CONF_MONTH_BEGINS: given[CONF_MONTH_BEGINS],
        }
        if not (data[CONF_DAILY_LIMIT] or data[CONF_MONTHLY_LIMIT]):
            errors[CONF_DAILY_LIMIT] = "no_limit"
        return data


SUBENTRY_FLOWS: dict[str, type[ConfigSubentryFlow]] = {
    SUBENTRY_CONTACT: ContactFlow,
    SUBENTRY_USSD_QUERY: UssdQueryFlow,
    SUBENTRY_SIM_LIMIT: SimLimitFlow,
}


def _pattern_error(pattern: str) -> str | None:
    """Return the key of the text that says why a pattern can't be used."""
    try:
        groups = RegularExpression(pattern).groups
    except ValueError:
        return "invalid_pattern"
    return None if groups == 1 else "not_one_group"


def _span_selector(options: Mapping[str, str]) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(value=value, label=label)
                for value, label in options.items()
            ],
            mode=SelectSelectorMode.DROPDOWN,
            translation_key=CONF_SPAN,
        )
    )
