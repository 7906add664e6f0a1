"""Triggers for automations: an SMS came in, a call came in."""

from collections.abc import Callable
import logging
from typing import Any, Final, override

import voluptuous as vol

from homeassistant.const import ATTR_DEVICE_ID, CONF_OPTIONS, CONF_TARGET
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerAction,
    TriggerActionRunner,
    TriggerConfig,
)
from homeassistant.helpers.typing import ConfigType, VolDictType
from homeassistant.util import dt as dt_util

from .const import SIGNAL_CALL, SIGNAL_SMS
from .contacts import comparable, country_prefix, find_by_number
from .coordinator import OpenVoxCoordinator
from .gateway import CallEvent, CallEventType, IncomingSms
from .pattern import TIME_LIMIT, Pattern

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
    """Refuse a comparison with nothing, or with what is no regular expression."""
    if options[CONF_MATCH] != MATCH_IS and CONF_TEXT not in options:
        raise vol.Invalid("needed for this comparison", path=[CONF_TEXT])
    if options[CONF_MATCH] == MATCH_REGEX:
        try:
            Pattern(options[CONF_TEXT])
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


# An empty one would look like a withheld number, or like no wish at all.
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
    _signal: str

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
        self._owner = "a script or a template"

    @override
    async def async_attach_action(
        self, action: TriggerAction, *builder: Any, **reporters: Any
    ) -> CALLBACK_TYPE:
        """Learn whose trigger this is, which is said nowhere else; attach it."""
        # An automation's action is a method of its entity.
        owner = getattr(action, "__self__", None)
        if isinstance(owner, Entity):
            self._owner = owner.entity_id
        return await super().async_attach_action(action, *builder, **reporters)

    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, *_reporters: Any
    ) -> CALLBACK_TYPE:
        """Run the action whenever something comes in that fits."""

        @callback
        def came_in(coordinator: OpenVoxCoordinator, news: Any) -> None:
            if not self._is_target(coordinator, news.span):
                return
            variables = self._match(coordinator, news)
            if variables is not None:
                where = {
                    "span": news.span,
                    ATTR_DEVICE_ID: coordinator.device_id(news.span),
                }
                run_action(where | variables, self._describe(news))

        return async_dispatcher_connect(self._hass, self._signal, came_in)

    def _is_target(self, coordinator: OpenVoxCoordinator, span: int) -> bool:
        """Tell whether the span, its gateway, or an entity of them is a target."""
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
        return not devices.isdisjoint(
            (coordinator.device_id(span), coordinator.gateway_device_id)
        )

    def _is_wanted(
        self, coordinator: OpenVoxCoordinator, number: str, wanted: list[str]
    ) -> bool:
        """Tell whether a number is one of those wanted, and a contact's if need be."""
        entry = coordinator.config_entry
        if self._options[CONF_KNOWN_CONTACTS] and not find_by_number(
            self._hass, entry, number
        ):
            return False
        if not wanted:
            return True
        prefix = country_prefix(entry)
        own = comparable(number, prefix)
        # A withheld number is empty, and like none that can be wished for.
        return bool(own) and own in {comparable(each, prefix) for each in wanted}

    def _match(
        self, coordinator: OpenVoxCoordinator, news: Any
    ) -> dict[str, Any] | None:
        """Return the trigger's variables, None where the news does not fit."""
        raise NotImplementedError

    def _describe(self, news: Any) -> str:
        raise NotImplementedError


class SmsReceivedTrigger(_SpanTrigger):
    """An SMS came in."""

    _schema = _schema_of(SMS_OPTIONS, _check_regex)
    _signal = SIGNAL_SMS
    _pattern: Pattern | None = None

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Read the regular expression, where there is one."""
        super().__init__(hass, config)
        if self._options[CONF_MATCH] == MATCH_REGEX and CONF_TEXT in self._options:
            self._pattern = Pattern(
                self._options[CONF_TEXT], ignore_case=self._options[CONF_IGNORE_CASE]
            )

    @override
    def _match(
        self, coordinator: OpenVoxCoordinator, news: IncomingSms
    ) -> dict[str, Any] | None:
        if not self._is_wanted(coordinator, news.sender, self._options[CONF_SENDERS]):
            return None
        try:
            groups = self._match_text(news.text)
        except TimeoutError:
            _LOGGER.warning(
                "The regular expression in the trigger of %s needed more than %g "
                "seconds for the text of an SMS, which then counts as one that does "
                "not match. Make it simpler: what can fit in many ways takes that long",
                self._owner,
                TIME_LIMIT,
            )
            return None
        if groups is None:
            return None
        return {**coordinator.sms_data(news), "groups": groups}

    def _match_text(self, text: str) -> dict[int | str, str | None] | None:
        """Return the groups of the expression; None where the text does not fit.

        Raises TimeoutError where that takes too long to find out.
        """
        wanted = self._options.get(CONF_TEXT)
        if wanted is None:
            return {}
        if self._pattern:
            return self._pattern.search(text)
        text, wanted = text.strip(), wanted.strip()
        if self._options[CONF_IGNORE_CASE]:
            text, wanted = text.casefold(), wanted.casefold()
        fits = {
            MATCH_IS: text == wanted,
            MATCH_CONTAINS: wanted in text,
            MATCH_STARTS_WITH: text.startswith(wanted),
        }
        return {} if fits[self._options[CONF_MATCH]] else None

    @override
    def _describe(self, news: IncomingSms) -> str:
        return f"SMS on span {news.span}"


class CallReceivedTrigger(_SpanTrigger):
    """A call came in; it rings and need not be answered."""

    _schema = _schema_of(CALL_OPTIONS)
    _signal = SIGNAL_CALL

    @override
    def _match(
        self, coordinator: OpenVoxCoordinator, news: CallEvent
    ) -> dict[str, Any] | None:
        if news.type is not CallEventType.RINGING or not self._is_wanted(
            coordinator, news.number, self._options[CONF_CALLERS]
        ):
            return None
        return {
            "caller": news.number,
            "contact": coordinator.contact_name(news.number),
            "received_at": dt_util.now().isoformat(),
        }

    @override
    def _describe(self, news: CallEvent) -> str:
        return f"call on span {news.span}"


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers of this integration."""
    return {"sms_received": SmsReceivedTrigger, "call_received": CallReceivedTrigger}
