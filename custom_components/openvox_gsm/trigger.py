"""Triggers for automations: an SMS came in, was sent or delivered, a call came in."""

import asyncio
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

from .contacts import comparable_number, country_of
from .devices import find_gateway_device
from .gateway import CallEventType, SendStatus, Warner
from .phone_numbers import comparable_sender
from .regular_expression import TIME_LIMIT, RegularExpression
from .signals import (
    SIGNAL_CALL,
    SIGNAL_SMS_DELIVERED,
    SIGNAL_SMS_FINISHED,
    SIGNAL_SMS_RECEIVED,
    SpanEvent,
)

_LOGGER = logging.getLogger(__name__)

CONF_SENDERS: Final = "senders"
CONF_CALLERS: Final = "callers"
CONF_TARGETS: Final = "targets"
CONF_RESULT: Final = "result"
CONF_KNOWN_CONTACTS: Final = "known_contacts"
CONF_TEXT: Final = "text"
CONF_MATCH: Final = "match"
CONF_IGNORE_CASE: Final = "ignore_case"

RESULT_ANY: Final = "any"
RESULT_DELIVERED: Final = "delivered"
RESULT_NOT_DELIVERED: Final = "not_delivered"

MATCH_IS: Final = "is"
MATCH_CONTAINS: Final = "contains"
MATCH_STARTS_WITH: Final = "starts_with"
MATCH_REGEX: Final = "regex"


def _check_text(options: ConfigType) -> ConfigType:
    """Refuse a comparison that every text passes, or an invalid regular expression."""
    if options[CONF_MATCH] != MATCH_IS and not options.get(CONF_TEXT, "").strip():
        raise vol.Invalid(
            "needed for this comparison; without it, every SMS would match",
            path=[CONF_TEXT],
        )
    if options[CONF_MATCH] == MATCH_REGEX:
        try:
            RegularExpression(options[CONF_TEXT])
        except ValueError as err:
            raise vol.Invalid(str(err), path=[CONF_TEXT]) from err
    return options


def _not_null(value: Any) -> Any:
    """Refuse what a template or an input without a value leaves: it means nobody."""
    if value is None:
        raise vol.Invalid("is empty; to trigger for everyone, leave it out")
    return value


def _check_target(target: ConfigType) -> ConfigType:
    """Refuse a target that names nothing: it would stand for every span."""
    if target and not TargetSelection(target).has_any_target:
        raise vol.Invalid("is empty; to trigger for every span, leave it out")
    return target


def _schema_of(options: VolDictType, *checks: Callable[..., Any]) -> vol.Schema:
    return vol.Schema(
        {
            vol.Optional(CONF_TARGET): vol.All(cv.TARGET_FIELDS, _check_target),
            vol.Optional(CONF_OPTIONS, default={}): vol.All(options, *checks),
        }
    )


# An empty one would look like a withheld number, or as if none was set.
_NUMBERS = vol.All(
    _not_null, cv.ensure_list, [vol.All(cv.string, vol.Strip, vol.Length(min=1))]
)
SMS_OPTIONS: Final[VolDictType] = {
    vol.Optional(CONF_SENDERS, default=[]): _NUMBERS,
    vol.Optional(CONF_KNOWN_CONTACTS, default=False): cv.boolean,
    vol.Optional(CONF_TEXT): cv.string,
    vol.Optional(CONF_MATCH, default=MATCH_IS): vol.In(
        (MATCH_IS, MATCH_CONTAINS, MATCH_STARTS_WITH, MATCH_REGEX)
    ),
    vol.Optional(CONF_IGNORE_CASE, default=True): cv.boolean,
}
SENT_OPTIONS: Final[VolDictType] = {
    vol.Optional(CONF_TARGETS, default=[]): _NUMBERS,
    vol.Optional(CONF_KNOWN_CONTACTS, default=False): cv.boolean,
}
DELIVERY_OPTIONS: Final[VolDictType] = {
    **SENT_OPTIONS,
    vol.Optional(CONF_RESULT, default=RESULT_DELIVERED): vol.In(
        (RESULT_DELIVERED, RESULT_NOT_DELIVERED, RESULT_ANY)
    ),
}
CALL_OPTIONS: Final[VolDictType] = {
    vol.Optional(CONF_CALLERS, default=[]): _NUMBERS,
    vol.Optional(CONF_KNOWN_CONTACTS, default=False): cv.boolean,
}


type _Run = Callable[[SpanEvent, dict[str, Any]], None]


class _SpanTrigger(Trigger):
    """A trigger on something that happens on a span."""

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
        """Run the action whenever something matching happens."""

        @callback
        def run(event: SpanEvent, variables: dict[str, Any]) -> None:
            where = {"span": event.span, ATTR_DEVICE_ID: event.device_id}
            place = "the gateway" if event.span is None else f"span {event.span}"
            run_action(
                where | variables, f"{self._what} on {place}", context=event.context
            )

        @callback
        def came_in(event: SpanEvent) -> None:
            if self._is_target(event):
                self._check(event, run)

        return async_dispatcher_connect(self._hass, self._signal, came_in)

    @callback
    def _check(self, event: SpanEvent, run: _Run) -> None:
        """Run the action if an event matches."""
        variables = self._match(event)
        if variables is not None:
            run(event, variables)

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
        own = comparable_sender(number, country_of(self._hass, event.entry))
        # A withheld number is empty, and never equal to one that can be wanted.
        return bool(own) and any(
            own == comparable_number(self._hass, event.entry, each) for each in wanted
        )

    def _match(self, event: SpanEvent) -> dict[str, Any] | None:
        """Return the trigger's variables, None where the event doesn't match."""
        raise NotImplementedError


class SmsReceivedTrigger(_SpanTrigger):
    """An SMS came in."""

    _schema = _schema_of(SMS_OPTIONS, _check_text)
    _signal = SIGNAL_SMS_RECEIVED
    _what = "SMS"
    _expression: RegularExpression | None = None

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Compile the regular expression, if there is one."""
        super().__init__(hass, config)
        # One search after the other, so that the messages keep their order.
        self._one_at_a_time = asyncio.Lock()
        self._warner = Warner(_LOGGER)
        self._searches: set[asyncio.Task[None]] = set()
        if self._options[CONF_MATCH] == MATCH_REGEX and CONF_TEXT in self._options:
            self._expression = RegularExpression(
                self._options[CONF_TEXT], ignore_case=self._options[CONF_IGNORE_CASE]
            )

    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, *reporters: Any
    ) -> CALLBACK_TYPE:
        """Run the action whenever a matching SMS comes in."""
        stop_listening = await super().async_attach_runner(run_action, *reporters)

        @callback
        def detach() -> None:
            stop_listening()
            for search in self._searches:
                search.cancel()
            self._warner.flush()

        return detach

    @callback
    @override
    def _check(self, event: SpanEvent, run: _Run) -> None:
        """Search for an expression in another thread, as it may take its time."""
        if self._expression is None:
            super()._check(event, run)
        elif self._is_sender_wanted(event):
            search = self._hass.async_create_task(
                self._search(self._expression, event, run), "OpenVox SMS trigger"
            )
            self._searches.add(search)
            search.add_done_callback(self._searches.discard)

    async def _search(
        self, expression: RegularExpression, event: SpanEvent, run: _Run
    ) -> None:
        """Run the action if the expression matches the text."""
        async with self._one_at_a_time:
            try:
                groups = await self._hass.async_add_executor_job(
                    expression.search, event.data["message"]
                )
            except TimeoutError:
                self._warner.warn(
                    "The regular expression of an SMS trigger took more than %g "
                    "seconds, so the SMS doesn't count as a match. Simplify the "
                    "expression: one that can match a text in many ways takes this "
                    "long",
                    TIME_LIMIT,
                )
                return
            if groups is not None:
                run(event, {**event.data, "groups": groups})

    def _is_sender_wanted(self, event: SpanEvent) -> bool:
        return self._is_wanted(event, event.data["sender"], self._options[CONF_SENDERS])

    @override
    def _match(self, event: SpanEvent) -> dict[str, Any] | None:
        if self._is_sender_wanted(event) and self._is_text_wanted(
            event.data["message"]
        ):
            return {**event.data, "groups": {}}
        return None

    def _is_text_wanted(self, text: str) -> bool:
        """Return whether a text matches the one it's compared with."""
        wanted = self._options.get(CONF_TEXT)
        if wanted is None:
            return True
        text, wanted = text.strip(), wanted.strip()
        if self._options[CONF_IGNORE_CASE]:
            text, wanted = text.casefold(), wanted.casefold()
        matches: bool = {
            MATCH_IS: text == wanted,
            MATCH_CONTAINS: wanted in text,
            MATCH_STARTS_WITH: text.startswith(wanted),
        }[self._options[CONF_MATCH]]
        return matches


class SmsSentTrigger(_SpanTrigger):
    """An SMS was sent: the network accepted all of it."""

    _schema = _schema_of(SENT_OPTIONS)
    _signal = SIGNAL_SMS_FINISHED
    _what = "SMS sent"
    _status = SendStatus.SENT

    @override
    def _match(self, event: SpanEvent) -> dict[str, Any] | None:
        data = event.data
        if data["status"] != self._status or not self._is_wanted(
            event, data["target"], self._options[CONF_TARGETS]
        ):
            return None
        return dict(data)


class SmsFailedTrigger(SmsSentTrigger):
    """An SMS certainly was not sent, or not all of it."""

    _what = "SMS failed"
    _status = SendStatus.FAILED


class SmsDeliveredTrigger(_SpanTrigger):
    """The network reported whether an SMS reached its phone."""

    _schema = _schema_of(DELIVERY_OPTIONS)
    _signal = SIGNAL_SMS_DELIVERED
    _what = "delivery report"

    @override
    def _match(self, event: SpanEvent) -> dict[str, Any] | None:
        data, wanted = event.data, self._options[CONF_RESULT]
        if wanted != RESULT_ANY and data["delivered"] != (wanted == RESULT_DELIVERED):
            return None
        if not self._is_wanted(event, data["target"], self._options[CONF_TARGETS]):
            return None
        return dict(data)


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
    return {
        "sms_received": SmsReceivedTrigger,
        "sms_sent": SmsSentTrigger,
        "sms_failed": SmsFailedTrigger,
        "sms_delivered": SmsDeliveredTrigger,
        "call_received": CallReceivedTrigger,
    }
