"""Triggers for automations: an SMS came in, a call came in."""

from collections.abc import Callable
import logging
from typing import Any, Final, override

import voluptuous as vol

from homeassistant.const import ATTR_DEVICE_ID, CONF_OPTIONS, CONF_TARGET
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
from homeassistant.helpers.trigger import Trigger, TriggerActionRunner, TriggerConfig
from homeassistant.helpers.typing import ConfigType, VolDictType
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType

from .contacts import country_of
from .devices import find_gateway_device
from .gateway import CallEventType
from .phone_numbers import comparable_sender
from .regular_expression import TIME_LIMIT, RegularExpression
from .signals import SIGNAL_CALL, SIGNAL_SMS_RECEIVED, SpanEvent

_LOGGER = logging.getLogger(__name__)

CONF_SENDERS: Final = "senders"
CONF_CALLERS: Final = "callers"
CONF_KNOWN_CONTACTS: Final = "known_contacts"
CONF_TEXT: Final = "text"
CONF_MATCH: Final = "match"
CONF_IGNORE_CASE: Final = "ignore_case"

MATCH_IS: Final = "is"
MATCH_CONTAINS: Final = "contains"
MATCH_STARTS_WITH: Final = "starts_with"
MATCH_REGEX: Final = "regex"


def _check_regex(options: ConfigType) -> ConfigType:
    """Refuse a comparison without a text, or with an invalid regular expression."""
    if options[CONF_MATCH] != MATCH_IS and CONF_TEXT not in options:
        raise vol.Invalid("needed for this comparison", path=[CONF_TEXT])
    if options[CONF_MATCH] == MATCH_REGEX:
        try:
            RegularExpression(options[CONF_TEXT])
        except ValueError as err:
            raise vol.Invalid(str(err), path=[CONF_TEXT]) from err
    return options


def _schema_of(options: VolDictType, *checks: Callable[..., Any]) -> vol.Schema:
    return vol.Schema(
        {
            vol.Optional(CONF_TARGET): cv.TARGET_FIELDS,
            vol.Optional(CONF_OPTIONS, default={}): vol.All(options, *checks),
        }
    )


# An empty one would look like a withheld number, or as if none was set.
_NUMBERS = vol.All(cv.ensure_list, [vol.All(cv.string, vol.Strip, vol.Length(min=1))])
SMS_OPTIONS: Final[VolDictType] = {
    vol.Optional(CONF_SENDERS, default=[]): _NUMBERS,
    vol.Optional(CONF_KNOWN_CONTACTS, default=False): cv.boolean,
    vol.Optional(CONF_TEXT): cv.string,
    vol.Optional(CONF_MATCH, default=MATCH_IS): vol.In(
        (MATCH_IS, MATCH_CONTAINS, MATCH_STARTS_WITH, MATCH_REGEX)
    ),
    vol.Optional(CONF_IGNORE_CASE, default=True): cv.boolean,
}
CALL_OPTIONS: Final[VolDictType] = {
    vol.Optional(CONF_CALLERS, default=[]): _NUMBERS,
    vol.Optional(CONF_KNOWN_CONTACTS, default=False): cv.boolean,
}


class _SpanTrigger(Trigger):
    """A trigger on something that comes in on a span."""

    _schema: vol.Schema
    _signal: SignalType[SpanEvent]
    _what: str

    @classmethod
    @override
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Check the options; raises vol.Invalid."""
        validated: ConfigType = cls._schema(config)
        return validated

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Keep target and options."""
        super().__init__(hass, config)
        self._target = TargetSelection(config.target or {})
        self._options = config.options or {}

    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, *_reporters: Any
    ) -> CALLBACK_TYPE:
        """Run the action whenever something matching comes in."""

        @callback
        def came_in(event: SpanEvent) -> None:
            if not self._is_target(event):
                return
            variables = self._match(event)
            if variables is not None:
                where = {"span": event.span, ATTR_DEVICE_ID: event.device_id}
                run_action(where | variables, f"{self._what} on span {event.span}")

        return async_dispatcher_connect(self._hass, self._signal, came_in)

    def _is_target(self, event: SpanEvent) -> bool:
        """Return whether the span, its gateway, or an entity of them is a target."""
        if not self._target.has_any_target:
            return True
        selected = async_extract_referenced_entity_ids(self._hass, self._target)
        registry = er.async_get(self._hass)
        entries = map(
            registry.async_get, selected.referenced | selected.indirectly_referenced
        )
        devices = selected.referenced_devices | {
            entry.device_id for entry in entries if entry and entry.device_id
        }
        gateway = find_gateway_device(self._hass, event.entry.entry_id)
        return not devices.isdisjoint((event.device_id, gateway and gateway.id))

    def _is_wanted(self, event: SpanEvent, number: str, wanted: list[str]) -> bool:
        """Return whether a number is wanted, and a contact's if that is required."""
        if self._options[CONF_KNOWN_CONTACTS] and event.data["contact"] is None:
            return False
        if not wanted:
            return True
        country = country_of(self._hass, event.entry)
        own = comparable_sender(number, country)
        # A withheld number is empty, and never equal to one that can be wanted.
        return bool(own) and any(
            own == comparable_sender(each, country) for each in wanted
        )

    def _match(self, event: SpanEvent) -> dict[str, Any] | None:
        """Return the trigger's variables, None where the event doesn't match."""
        raise NotImplementedError


class SmsReceivedTrigger(_SpanTrigger):
    """An SMS came in."""

    _schema = _schema_of(SMS_OPTIONS, _check_regex)
    _signal = SIGNAL_SMS_RECEIVED
    _what = "SMS"
    _expression: RegularExpression | None = None

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Compile the regular expression, if there is one."""
        super().__init__(hass, config)
        if self._options[CONF_MATCH] == MATCH_REGEX and CONF_TEXT in self._options:
            self._expression = RegularExpression(
                self._options[CONF_TEXT], ignore_case=self._options[CONF_IGNORE_CASE]
            )

    @override
    def _match(self, event: SpanEvent) -> dict[str, Any] | None:
        if not self._is_wanted(
            event, event.data["sender"], self._options[CONF_SENDERS]
        ):
            return None
        try:
            groups = self._match_text(event.data["message"])
        except TimeoutError:
            _LOGGER.warning(
                "The regular expression of an SMS trigger took more than %g seconds, "
                "so the SMS doesn't count as a match. Simplify the expression: one "
                "that can match a text in many ways takes this long",
                TIME_LIMIT,
            )
            return None
        return None if groups is None else {**event.data, "groups": groups}

    def _match_text(self, text: str) -> dict[int | str, str | None] | None:
        """Return the groups of the expression; None where the text doesn't match.

        Raises TimeoutError where the comparison takes too long.
        """
        wanted = self._options.get(CONF_TEXT)
        if wanted is None:
            return {}
        if self._expression:
            return self._expression.search(text)
        text, wanted = text.strip(), wanted.strip()
        if self._options[CONF_IGNORE_CASE]:
            text, wanted = text.casefold(), wanted.casefold()
        matches = {
            MATCH_IS: text == wanted,
            MATCH_CONTAINS: wanted in text,
            MATCH_STARTS_WITH: text.startswith(wanted),
        }
        return {} if matches[self._options[CONF_MATCH]] else None


class CallReceivedTrigger(_SpanTrigger):
    """A call came in; it rings and doesn't have to be answered."""

    _schema = _schema_of(CALL_OPTIONS)
    _signal = SIGNAL_CALL
    _what = "call"

    @override
    def _match(self, event: SpanEvent) -> dict[str, Any] | None:
        data = event.data
        if data["type"] != CallEventType.RINGING or not self._is_wanted(
            event, data["caller"], self._options[CONF_CALLERS]
        ):
            return None
        return {
            "caller": data["caller"],
            "contact": data["contact"],
            "received_at": dt_util.now().isoformat(),
        }


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers of this integration."""
    return {"sms_received": SmsReceivedTrigger, "call_received": CallReceivedTrigger}
