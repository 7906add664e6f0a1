"""What the spans and the gateway report, and when the last SMS came."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    PERCENTAGE,
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from .coordinator import GatewayState, OpenVoxConfigEntry
from .entity import OpenVoxEntity, OpenVoxSpanEntity, async_add_span_entities
from .gateway import IncomingSms, NetworkStatus, Span, SpanStatus

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SpanSensorDescription(SensorEntityDescription):
    """A sensor of a span, and how its value is read from it."""

    value: Callable[[Span], StateType]


@dataclass(frozen=True, kw_only=True)
class GatewaySensorDescription(SensorEntityDescription):
    """A sensor of a gateway, and how its value is read from its state."""

    value: Callable[[GatewayState], StateType]


SPAN_SENSORS = (
    SpanSensorDescription(
        key="signal_strength",
        device_class=SensorDeviceClass.SIGNAL_STRENGTH,
        native_unit_of_measurement=SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda span: span.signal_dbm,
    ),
    SpanSensorDescription(
        key="signal_quality",
        translation_key="signal_quality",
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda span: span.signal_percent,
    ),
    SpanSensorDescription(
        key="status",
        translation_key="status",
        device_class=SensorDeviceClass.ENUM,
        options=[status for status in SpanStatus if status is not SpanStatus.UNKNOWN],
        value=lambda span: None if span.status is SpanStatus.UNKNOWN else span.status,
    ),
    SpanSensorDescription(
        key="network_status",
        translation_key="network_status",
        device_class=SensorDeviceClass.ENUM,
        options=[
            status for status in NetworkStatus if status is not NetworkStatus.UNKNOWN
        ],
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda span: (
            None
            if span.network_status is NetworkStatus.UNKNOWN
            else span.network_status
        ),
    ),
    SpanSensorDescription(
        key="operator",
        translation_key="operator",
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda span: span.operator or None,
    ),
)

LAST_SMS = SensorEntityDescription(
    key="last_sms",
    translation_key="last_sms",
    device_class=SensorDeviceClass.TIMESTAMP,
)

GATEWAY_SENSORS = (
    GatewaySensorDescription(
        key="active_calls",
        translation_key="active_calls",
        state_class=SensorStateClass.MEASUREMENT,
        value=lambda state: state.active_calls,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenVoxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the gateway and of each span."""
    coordinator = entry.runtime_data
    async_add_entities(
        GatewaySensor(coordinator, description) for description in GATEWAY_SENSORS
    )

    def make(number: int) -> list[SensorEntity]:
        return [
            *(SpanSensor(coordinator, each, number) for each in SPAN_SENSORS),
            LastSmsSensor(coordinator, LAST_SMS, number),
        ]

    async_add_span_entities(entry, async_add_entities, make)


class GatewaySensor(OpenVoxEntity, SensorEntity):
    """A value of the gateway."""

    entity_description: GatewaySensorDescription

    @property
    @override
    def native_value(self) -> StateType:
        """The value as it was last read."""
        return self.entity_description.value(self.coordinator.data)


class SpanSensor(OpenVoxSpanEntity, SensorEntity):
    """A value of a span."""

    entity_description: SpanSensorDescription

    @property
    @override
    def native_value(self) -> StateType:
        """The value as it was last read."""
        return self.entity_description.value(self.span)


class LastSmsSensor(OpenVoxSpanEntity, RestoreSensor):
    """When the last SMS came in on a span; kept over restarts."""

    @override
    async def async_added_to_hass(self) -> None:
        """Take the last value up again and listen for the next SMS."""
        await super().async_added_to_hass()
        last = await self.async_get_last_sensor_data()
        if last and isinstance(last.native_value, datetime):
            self._attr_native_value = last.native_value
        self.async_on_remove(self.coordinator.async_listen_sms(self._sms_received))

    @callback
    def _sms_received(self, sms: IncomingSms) -> None:
        if sms.span == self.number:
            self._attr_native_value = sms.arrived_at
            self.async_write_ha_state()
