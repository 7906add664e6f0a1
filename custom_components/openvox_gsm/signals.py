"""The typed dispatcher signals within the integration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Context
from homeassistant.util.signal_type import SignalType, SignalTypeFormat

from .const import DOMAIN
from .gateway import SendResult
from .messages.record import MessageRecord
from .store import CounterKey


@dataclass(frozen=True)
class SpanEvent:
    """Something that happened on a span, with the data that automations see.

    `span` is None for a message that no span could send. `context` says who caused it.
    """

    entry: ConfigEntry[Any]
    span: int | None
    device_id: str | None
    data: Mapping[str, Any] = field(repr=False)
    context: Context | None = None


# For triggers, which want the events of all spans of all gateways.
SIGNAL_SMS_RECEIVED: Final = SignalType[SpanEvent](f"{DOMAIN}_sms_received")
SIGNAL_SMS_FINISHED: Final = SignalType[SpanEvent](f"{DOMAIN}_sms_finished")
SIGNAL_SMS_DELIVERED: Final = SignalType[SpanEvent](f"{DOMAIN}_sms_delivered")
SIGNAL_CALL: Final = SignalType[SpanEvent](f"{DOMAIN}_call")
# For contacts, who can get an SMS through any gateway.
SIGNAL_SMS_SENT: Final = SignalType[SendResult](f"{DOMAIN}_sms_sent")

# For who reads the messages that are kept: the entry's id, and a message that is new or
# has changed, or the ids of those that were deleted, None if it was all of them.
SIGNAL_MESSAGE_CHANGED: Final = SignalType[str, MessageRecord](
    f"{DOMAIN}_message_changed"
)
SIGNAL_MESSAGES_DELETED: Final = SignalType[str, tuple[str, ...] | None](
    f"{DOMAIN}_messages_deleted"
)
# Gateways, spans or contacts have changed, or who may see their messages.
SIGNAL_GATEWAYS_CHANGED: Final = SignalType[()](f"{DOMAIN}_gateways_changed")

# For the entities of one span; format them with the entry's id and the span's number.
SIGNAL_SPAN_SMS_RECEIVED: Final = SignalTypeFormat[SpanEvent](
    f"{DOMAIN}_sms_received_{{}}_{{}}"
)
SIGNAL_SPAN_CALL: Final = SignalTypeFormat[SpanEvent](f"{DOMAIN}_call_{{}}_{{}}")
SIGNAL_SPAN_COUNTED: Final = SignalTypeFormat[CounterKey](f"{DOMAIN}_counted_{{}}_{{}}")

# For the sensors of how many SMS are left: a limit has changed, or a SIM has moved.
SIGNAL_SIM_LIMITS: Final = SignalType[()](f"{DOMAIN}_sim_limits")
# An SMS was reserved, or no longer is; format it with the entry's id.
SIGNAL_SMS_RESERVED: Final = SignalTypeFormat[()](f"{DOMAIN}_sms_reserved_{{}}")
