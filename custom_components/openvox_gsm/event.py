"""What comes in on a span, as event entities."""

from typing import override

from homeassistant.components.event import (
    DOMAIN as EVENT_DOMAIN,
    EventEntity,
    EventEntityDescription,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import OpenVoxSpanEntity, async_add_span_entities
from .gateway import CallEventType
from .publisher import publishes_calls
from .runtime import OpenVoxConfigEntry
from .signals import SIGNAL_SPAN_CALL, SIGNAL_SPAN_SMS_RECEIVED, SpanEvent

PARALLEL_UPDATES = 0

RECEIVED = "received"

SMS = EventEntityDescription(key="sms", translation_key="sms", event_types=[RECEIVED])
CALL = EventEntityDescription(
    key="call",
    translation_key="call",
    event_types=[kind.value for kind in CallEventType],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenVoxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event entities of each span."""
    runtime = entry.runtime_data
    with_calls = publishes_calls(entry)
    if not with_calls:
        _remove_call_events(hass, entry)

    def make(number: int) -> list[EventEntity]:
        entities: list[EventEntity] = [SmsEventEntity(runtime, SMS, number)]
        if with_calls:
            entities.append(CallEventEntity(runtime, CALL, number))
        return entities

    async_add_span_entities(entry, async_add_entities, make)


def _remove_call_events(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> None:
    """Remove the entities of calls, since call events have been switched off."""
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if (entity.domain, entity.translation_key) == (EVENT_DOMAIN, CALL.key):
            registry.async_remove(entity.entity_id)


class _SpanEventEntity(OpenVoxSpanEntity, EventEntity):
    """Something that happened on a span.

    It stays available while the gateway is away. Otherwise its return would look like a
    new event to automations.
    """

    @property
    @override
    def available(self) -> bool:
        """Always, since the last event stays true."""
        return True

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write nothing: no poll changes what happened."""


class SmsEventEntity(_SpanEventEntity):
    """An SMS came in."""

    # The bus event holds the text as well; the database needs it once.
    _unrecorded_attributes = frozenset({"message"})

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for SMS."""
        await super().async_added_to_hass()
        self.listen(SIGNAL_SPAN_SMS_RECEIVED, self._received)

    @callback
    def _received(self, event: SpanEvent) -> None:
        self._trigger_event(RECEIVED, dict(event.data))
        self.async_write_ha_state()


class CallEventEntity(_SpanEventEntity):
    """Something happened to a call."""

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for calls."""
        await super().async_added_to_hass()
        self.listen(SIGNAL_SPAN_CALL, self._happened)

    @callback
    def _happened(self, event: SpanEvent) -> None:
        data = dict(event.data)
        self._trigger_event(data.pop("type"), data)
        self.async_write_ha_state()
