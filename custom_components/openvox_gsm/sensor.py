"""What the spans and the gateway report, and how many SMS went through the spans."""

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
    UnitOfTime,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from .coordinator import OpenVoxCoordinator
from .entity import OpenVoxEntity, OpenVoxSpanEntity, async_add_span_entities
from .gateway import NetworkStatus, Span, SpanStatus
from .limits.sensors import async_add_sms_left_sensors
from .runtime import OpenVoxConfigEntry
from .signals import SIGNAL_SPAN_COUNTED
from .store import Counter, CounterKey
from .ussd.entity import async_add_query_sensors

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SpanSensorDescription(SensorEntityDescription):
    """A sensor of a span, and how its value is read from it."""

    value: Callable[[Span], StateType]


@dataclass(frozen=True, kw_only=True)
class GatewaySensorDescription(SensorEntityDescription):
    """A sensor of a gateway, and how its value is read."""

    value: Callable[[OpenVoxCoordinator], StateType | datetime]


SPAN_SENSORS = (
    SpanSensorDescription(
        key="signal_strength",
        translation_key="signal_strength",
        device_class=SensorDeviceClass.SIGNAL_STRENGTH,
        native_unit_of_measurement=SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda span: span.signal_dbm,
    ),
    SpanSensorDescription(
        # The same as the signal strength, on another scale.
        key="signal_quality",
        translation_key="signal_quality",
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
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
    SpanSensorDescription(
        key="bit_error_rate",
        translation_key="bit_error_rate",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda span: span.bit_error_rate,
    ),
    SpanSensorDescription(
        key="module_state",
        translation_key="module_state",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda span: span.state or None,
    ),
    SpanSensorDescription(
        key="answer_seizure_ratio",
        translation_key="answer_seizure_ratio",
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda span: span.answer_seizure_ratio,
    ),
    SpanSensorDescription(
        key="average_call_duration",
        translation_key="average_call_duration",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=0,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda span: span.average_call_duration,
    ),
    SpanSensorDescription(
        key="post_dial_delay",
        translation_key="post_dial_delay",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=0,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda span: span.post_dial_delay,
    ),
    SpanSensorDescription(
        key="own_number",
        translation_key="own_number",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda span: span.own_number or None,
    ),
    SpanSensorDescription(
        key="sms_center",
        translation_key="sms_center",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda span: span.sms_center or None,
    ),
)

# They count SMS as the network does: a long message counts as often as it has parts.
# "Total" and not "total increasing": a crash may lose the last second, which would
# otherwise look like a counter that started over, and be counted twice.
COUNTERS = tuple(
    SensorEntityDescription(
        key=key, translation_key=key, state_class=SensorStateClass.TOTAL
    )
    for key in CounterKey
)

GATEWAY_SENSORS = (
    GatewaySensorDescription(
        key="active_calls",
        translation_key="active_calls",
        state_class=SensorStateClass.MEASUREMENT,
        value=lambda coordinator: coordinator.data.active_calls,
    ),
    GatewaySensorDescription(
        key="start_time",
        translation_key="start_time",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda coordinator: coordinator.data.started_at,
    ),
    # The gateway's device shows these two as well.
    GatewaySensorDescription(
        key="driver_version",
        translation_key="driver_version",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda coordinator: coordinator.gateway.features.driver_version or None,
    ),
    GatewaySensorDescription(
        key="asterisk_version",
        translation_key="asterisk_version",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda coordinator: coordinator.gateway.features.asterisk_version or None,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenVoxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the gateway and of each span."""
    runtime = entry.runtime_data
    async_add_entities(GatewaySensor(runtime, each) for each in GATEWAY_SENSORS)

    def make(number: int) -> list[SensorEntity]:
        return [
            *(SpanSensor(runtime, each, number) for each in SPAN_SENSORS),
            *(SmsCounter(runtime, each, number) for each in COUNTERS),
        ]

    async_add_span_entities(entry, async_add_entities, make)
    async_add_query_sensors(entry, async_add_entities)
    async_add_sms_left_sensors(entry, async_add_entities)


class GatewaySensor(OpenVoxEntity, SensorEntity):
    """A value of the gateway."""

    entity_description: GatewaySensorDescription

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """The value as it was last read."""
        return self.entity_description.value(self.coordinator)


class SpanSensor(OpenVoxSpanEntity, SensorEntity):
    """A value of a span."""

    entity_description: SpanSensorDescription

    @property
    @override
    def native_value(self) -> StateType:
        """The value as it was last read."""
        return self.entity_description.value(self.span)


class SmsCounter(OpenVoxSpanEntity, RestoreSensor):
    """How many SMS went through a span since it was set up; kept over restarts."""

    _counter: Counter

    @override
    async def async_added_to_hass(self) -> None:
        """Continue from the stored value, and listen for what is counted."""
        await super().async_added_to_hass()
        store, key = self.runtime.store, CounterKey(self.entity_description.key)
        counter = store.counter(self.number, key)
        if counter is None:
            # Version 0.1.0 left it to Home Assistant to restore the value.
            last = await self.async_get_last_sensor_data()
            value = last.native_value if last else None
            counter = store.start_counter(
                self.number, key, value if isinstance(value, int) else None
            )
        self._counter = counter
        self._attr_last_reset = counter.since
        self.listen(SIGNAL_SPAN_COUNTED, self._counted)

    @property
    @override
    def native_value(self) -> int:
        """How many SMS."""
        return self._counter.value

    @callback
    def _counted(self, key: CounterKey) -> None:
        if key == self.entity_description.key:
            self.async_write_ha_state()
