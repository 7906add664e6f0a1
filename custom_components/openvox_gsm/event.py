"""What comes in on a span, as event entities."""

from typing import override

from homeassistant.components.event import (
    DOMAIN as EVENT_DOMAIN,
    EventEntity,
    EventEntityDescription,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import SIGNAL_CALL, SIGNAL_SMS
from .coordinator import OpenVoxConfigEntry, OpenVoxCoordinator
from .entity import OpenVoxSpanEntity, async_add_span_entities
from .gateway import CallEvent, CallEventType, IncomingSms

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
    coordinator = entry.runtime_data
    if not coordinator.call_events:
        _remove_call_events(hass, entry)

    def make(number: int) -> list[EventEntity]:
        entities: list[EventEntity] = [SmsEvent(coordinator, SMS, number)]
        if coordinator.call_events:
            entities.append(CallEventEntity(coordinator, CALL, number))
        return entities

    async_add_span_entities(entry, async_add_entities, make)


def _remove_call_events(hass: HomeAssistant, entry: OpenVoxConfigEntry) -> None:
    """Remove the entities of calls that are from before calls were switched off."""
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if (entity.domain, entity.translation_key) == (EVENT_DOMAIN, CALL.key):
            registry.async_remove(entity.entity_id)


class _SpanEvent(OpenVoxSpanEntity, EventEntity):
    """Something that happened on a span.

    It stays available while the gateway is away: what happened has happened,
    and the entity's return would look like a new event to automations.
    """

    @property
    @override
    def available(self) -> bool:
        """Whether there is anything to tell: always."""
        return True


class SmsEvent(_SpanEvent):
    """An SMS came in."""

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for SMS."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_SMS, self._received)
        )

    @callback
    def _received(self, coordinator: OpenVoxCoordinator, sms: IncomingSms) -> None:
        if coordinator is self.coordinator and sms.span == self.number:
            self._trigger_event(RECEIVED, coordinator.sms_data(sms))
            self.async_write_ha_state()


class CallEventEntity(_SpanEvent):
    """Something happened to a call."""

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for calls."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_CALL, self._happened)
        )

    @callback
    def _happened(self, coordinator: OpenVoxCoordinator, news: CallEvent) -> None:
        if coordinator is self.coordinator and news.span == self.number:
            self._trigger_event(news.type, coordinator.call_data(news))
            self.async_write_ha_state()
