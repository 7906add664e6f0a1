"""What the spans and the gateway report, and what went through the spans."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

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
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from .const import SIGNAL_SENT, SIGNAL_SMS
from .coordinator import OpenVoxConfigEntry, OpenVoxCoordinator
from .entity import OpenVoxEntity, OpenVoxSpanEntity, async_add_span_entities
from .gateway import (
    IncomingSms,
    NetworkStatus,
    SendResult,
    SendStatus,
    Span,
    SpanStatus,
)
from .ussd_entity import async_add_query_sensors

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SpanSensorDescription(SensorEntityDescription):
    """A sensor of a span, and how its value is read from it."""

    value: Callable[[Span], StateType]


@dataclass(frozen=True, kw_only=True)
class GatewaySensorDescription(SensorEntityDescription):
    """A sensor of a gateway, and how its value is read."""

    value: Callable[[OpenVoxCoordinator], StateType | datetime]


@dataclass(frozen=True, kw_only=True)
class CounterDescription(SensorEntityDescription):
    """A counter of a span, and what the news of a signal adds to it."""

    signal: str
    adds: Callable[[Any], int]


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

LAST_SMS = SensorEntityDescription(
    key="last_sms",
    translation_key="last_sms",
    device_class=SensorDeviceClass.TIMESTAMP,
)


def _received_parts(sms: IncomingSms) -> int:
    """Return how many SMS a message came in; those that are missing count, too."""
    return sms.parts


def _sent_parts(result: SendResult) -> int:
    """Return how many SMS the network took for certain."""
    return result.parts_sent


def _failed_parts(result: SendResult) -> int:
    """Return how many SMS were not sent: those that failed, and those behind them.

    Where the fate of a part is unknown, it counts as neither sent nor failed.
    """
    failed = result.status is SendStatus.FAILED
    return result.parts - result.parts_sent if failed else 0


# They count SMS as the network does: a long message is as many as it has parts.
COUNTERS = (
    CounterDescription(
        key="sms_received",
        translation_key="sms_received",
        state_class=SensorStateClass.TOTAL_INCREASING,
        signal=SIGNAL_SMS,
        adds=_received_parts,
    ),
    CounterDescription(
        key="sms_sent",
        translation_key="sms_sent",
        state_class=SensorStateClass.TOTAL_INCREASING,
        signal=SIGNAL_SENT,
        adds=_sent_parts,
    ),
    CounterDescription(
        key="sms_failed",
        translation_key="sms_failed",
        state_class=SensorStateClass.TOTAL_INCREASING,
        signal=SIGNAL_SENT,
        adds=_failed_parts,
    ),
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
    # The gateway's device tells these two as well.
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
    coordinator = entry.runtime_data
    async_add_entities(GatewaySensor(coordinator, each) for each in GATEWAY_SENSORS)

    def make(number: int) -> list[SensorEntity]:
        return [
            *(SpanSensor(coordinator, each, number) for each in SPAN_SENSORS),
            LastSmsSensor(coordinator, LAST_SMS, number),
            *(SmsCounter(coordinator, each, number) for each in COUNTERS),
        ]

    async_add_span_entities(entry, async_add_entities, make)
    async_add_query_sensors(entry, async_add_entities)


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


class LastSmsSensor(OpenVoxSpanEntity, RestoreSensor):
    """When the last SMS came in on a span; kept over restarts.

    It stays available while the gateway is away: it is as true then, and its
    return would look like a new SMS to automations.
    """

    @property
    @override
    def available(self) -> bool:
        """Whether there is anything to tell: always."""
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Take the last value up again and listen for the next SMS."""
        await super().async_added_to_hass()
        last = await self.async_get_last_sensor_data()
        if last and isinstance(last.native_value, datetime):
            self._attr_native_value = last.native_value
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_SMS, self._sms_received)
        )

    @callback
    def _sms_received(self, coordinator: OpenVoxCoordinator, sms: IncomingSms) -> None:
        if coordinator is self.coordinator and sms.span == self.number:
            self._attr_native_value = sms.arrived_at
            self.async_write_ha_state()


class SmsCounter(OpenVoxSpanEntity, RestoreSensor):
    """How many SMS went through a span since it was set up; kept over restarts."""

    entity_description: CounterDescription
    _attr_native_value: int = 0

    @override
    async def async_added_to_hass(self) -> None:
        """Go on where it stood, and listen for what is to be counted."""
        await super().async_added_to_hass()
        last = await self.async_get_last_sensor_data()
        if last and isinstance(last.native_value, int):
            self._attr_native_value = last.native_value
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass, self.entity_description.signal, self._count
            )
        )

    @callback
    def _count(
        self, coordinator: OpenVoxCoordinator, news: IncomingSms | SendResult
    ) -> None:
        if coordinator is not self.coordinator or news.span != self.number:
            return
        if count := self.entity_description.adds(news):
            self._attr_native_value += count
            self.async_write_ha_state()
