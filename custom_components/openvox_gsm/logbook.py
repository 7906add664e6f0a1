"""Describes SMS and calls as sentences in the logbook."""

from collections.abc import Callable, Mapping
from textwrap import shorten
from typing import Any, Final

from homeassistant.components.logbook import (
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_DEVICE_ID
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import (
    DOMAIN,
    EVENT_CALL,
    EVENT_SMS_DELIVERED,
    EVENT_SMS_RECEIVED,
    EVENT_SMS_SENT,
)
from .gateway import CallDirection, CallEventType, SendFailure, SendStatus

type Describe = Callable[[Event[Any]], dict[str, str]]

_LONGEST_TEXT: Final = 160

_CALLS: Final[Mapping[Any, str]] = {
    (CallEventType.RINGING, CallDirection.INCOMING): "has an incoming call from {who}",
    (CallEventType.ANSWERED, CallDirection.INCOMING): "answered a call from {who}",
    (CallEventType.ANSWERED, CallDirection.OUTGOING): "called {who}, who answered",
    (CallEventType.MISSED, CallDirection.INCOMING): "missed a call from {who}",
    (CallEventType.ENDED, CallDirection.INCOMING): "ended a call from {who} after "
    "{duration} s",
    (CallEventType.ENDED, CallDirection.OUTGOING): "ended a call to {who} after "
    "{duration} s",
}
_NOT_ANSWERED: Final = "called {who}, who didn't answer"
_SENT: Final[Mapping[Any, str]] = {
    SendStatus.SENT: "sent an SMS to {who}",
    SendStatus.FAILED: "couldn't send an SMS to {who}: {why}",
    SendStatus.UNKNOWN: "may have sent an SMS to {who}: {why}",
}
_FAILURES: Final[Mapping[Any, str]] = {
    SendFailure.NO_SPAN_READY: "no span was ready to send",
    SendFailure.SPAN_NOT_READY: "the span wasn't ready to send",
    SendFailure.SPAN_SILENT: "the span didn't respond",
    SendFailure.POWER_OFF: "the module was turned off",
    SendFailure.NO_SIM: "the span has no SIM",
    SendFailure.PIN_ERROR: "the SIM needs its PIN",
    SendFailure.NO_NETWORK: "the span wasn't registered with a network",
    SendFailure.IN_CALL: "the span was in a call",
    SendFailure.DOWN: "the span was down",
    SendFailure.ALARM: "the span reported an alarm",
    SendFailure.STUCK: "the span was stuck",
    SendFailure.SPAN_LOCKED: "the gateway has locked the span",
    SendFailure.SPAN_LIMIT: "the gateway's own limit for the span is reached",
    SendFailure.NO_SUCH_SPAN: "the gateway has no such span",
    SendFailure.NOT_CONNECTED: "the gateway wasn't connected",
    SendFailure.NOT_RESPONDING: "the gateway didn't respond in time",
    SendFailure.BUSY: "the span stayed busy",
    SendFailure.REJECTED: "the network rejected it",
    SendFailure.REFUSED: "the gateway refused it",
    SendFailure.TEXT_MODE: "the span is in SMS text mode",
    SendFailure.WRONG_CODING: "the span's SMS coding would garble the text",
    SendFailure.TIMED_OUT: "the network didn't respond in time",
    SendFailure.CONNECTION_LOST: "the connection to the gateway was lost",
    SendFailure.GIVEN_UP: "the script that sent it was stopped",
    "not_allowed": "the options don't allow the number",  # by version 0.1.0
    SendFailure.LIMIT_REACHED: "the SMS limit is reached",
    SendFailure.SIM_LIMIT_REACHED: "the SMS limit of the SIM is reached",
}


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Describe], None],
) -> None:
    """Describe the events of this integration.

    The recorder may hold events of an earlier version, and anyone can fire one, so no
    field has to be in them.
    """
    describers = {
        EVENT_SMS_RECEIVED: (_received, "mdi:message-arrow-left"),
        EVENT_SMS_SENT: (_sent, "mdi:message-arrow-right"),
        EVENT_SMS_DELIVERED: (_delivered, "mdi:message-check"),
        EVENT_CALL: (_called, "mdi:phone"),
    }

    @callback
    def describe(event: Event[Any]) -> dict[str, str]:
        describer, icon = describers[str(event.event_type)]
        return {
            LOGBOOK_ENTRY_NAME: _name(hass, event.data),
            LOGBOOK_ENTRY_MESSAGE: describer(event.data),
            LOGBOOK_ENTRY_ICON: icon,
        }

    for name in describers:
        async_describe_event(DOMAIN, name, describe)


def _name(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    """Return the name of the span's device, or of the gateway where no span did it."""
    device = dr.async_get(hass).async_get(str(data.get(ATTR_DEVICE_ID)))
    if name := device and (device.name_by_user or device.name):
        return name
    entry = hass.config_entries.async_get_entry(str(data.get(ATTR_CONFIG_ENTRY_ID)))
    return entry.title if entry else "OpenVox GSM gateway"


def _who(data: Mapping[str, Any], key: str) -> str:
    return data.get("contact") or data.get(key) or "an unknown number"


def _received(data: Mapping[str, Any]) -> str:
    text = shorten(str(data.get("message")), _LONGEST_TEXT, placeholder=" …")
    return f"received an SMS from {_who(data, 'sender')}: {text}"


def _sent(data: Mapping[str, Any]) -> str:
    sentence = _SENT.get(str(data.get("status")), _SENT[SendStatus.UNKNOWN])
    why = _FAILURES.get(str(data.get("error")), "the reason isn't known")
    return sentence.format(who=_who(data, "target"), why=why)


def _delivered(data: Mapping[str, Any]) -> str:
    who = _who(data, "target")
    if data.get("delivered"):
        return f"learned that an SMS reached {who}"
    why = f": {data['cause']}" if data.get("cause") else ""
    return f"learned that an SMS didn't reach {who}{why}"


def _called(data: Mapping[str, Any]) -> str:
    what, direction = str(data.get("type")), str(data.get("direction"))
    duration = data.get("duration")
    if (what, direction) == ("ended", "outgoing") and duration is None:
        sentence = _NOT_ANSWERED
    else:
        sentence = _CALLS.get((what, direction), "had a call with {who}")
    return sentence.format(who=_who(data, "caller"), duration=duration)
