"""Sensors of how many SMS a gateway and a SIM may still send."""

from datetime import datetime, timedelta
from itertools import product
from typing import Final, override

from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.entity import OpenVoxEntity, unique_id_of
from custom_components.openvox_gsm.runtime import OpenVoxConfigEntry, OpenVoxRuntime
from custom_components.openvox_gsm.signals import SIGNAL_SIM_LIMITS, SIGNAL_SMS_RESERVED
from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_time_interval

from .budget import SmsBudget, Window

# SMS are counted by the minute, so there may be more room after each.
_INTERVAL: Final = timedelta(minutes=1)

SMS_LEFT: Final = {
    window: SensorEntityDescription(
        key=f"sms_left_{window}",
        translation_key=f"sms_left_{window}",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
    )
    for window in Window
}


@callback
def async_add_sms_left_sensors(
    entry: OpenVoxConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a sensor for each limit, and follow how limits and SIMs come and go."""
    runtime = entry.runtime_data
    hass = runtime.coordinator.hass
    registry = er.async_get(hass)
    shown: set[tuple[int | None, Window]] = set()

    @callback
    def follow() -> None:
        spans = runtime.devices.span_ids
        budgets = _budgets(runtime, *spans)
        limited = {
            (span, window)
            for span, budget in budgets.items()
            for window in budget.limits.of_windows
        }
        for span, window in set(product((None, *spans), Window)) - limited:
            unique_id = unique_id_of(runtime, SMS_LEFT[window], span)
            if found := registry.async_get_entity_id(SENSOR_DOMAIN, DOMAIN, unique_id):
                registry.async_remove(found)
        new = limited - shown
        shown.intersection_update(limited)
        shown.update(new)
        if new:
            async_add_entities(SmsLeft(runtime, window, span) for span, window in new)

    follow()
    entry.async_on_unload(runtime.coordinator.async_add_listener(follow))
    entry.async_on_unload(async_dispatcher_connect(hass, SIGNAL_SIM_LIMITS, follow))


def _budgets(runtime: OpenVoxRuntime, *spans: int) -> dict[int | None, SmsBudget]:
    """Return the budgets of the gateway (None), and of those spans that have one."""
    budgets: dict[int | None, SmsBudget] = {None: runtime.store.budget}
    return budgets | runtime.sims.budgets(runtime.entry, *spans)


class SmsLeft(OpenVoxEntity, SensorEntity):
    """How many SMS a gateway, or the SIM of a span, may still send."""

    _written: tuple[int | None, bool]

    def __init__(
        self, runtime: OpenVoxRuntime, window: Window, span: int | None
    ) -> None:
        """Count for a window that has a limit; `span` is None for the gateway."""
        super().__init__(runtime, SMS_LEFT[window], span)
        self._window = window
        self._span = span

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what is sent, and the time."""
        await super().async_added_to_hass()
        self._written = self._shown  # right after this
        reserved = SIGNAL_SMS_RESERVED.format(self.runtime.entry.entry_id)
        for signal in (reserved, SIGNAL_SIM_LIMITS):
            self.async_on_remove(
                async_dispatcher_connect(self.hass, signal, self._write_if_changed)
            )
        self.async_on_remove(
            async_track_time_interval(self.hass, self._write_if_changed, _INTERVAL)
        )

    @property
    @override
    def native_value(self) -> int | None:
        """How many SMS."""
        spans = () if self._span is None else (self._span,)
        budget = _budgets(self.runtime, *spans).get(self._span)
        if budget is None or self._window not in budget.limits.of_windows:
            return None  # about to be removed
        return budget.left(self._window)

    @property
    def _shown(self) -> tuple[int | None, bool]:
        return self.native_value, self.available

    @callback
    def _write_if_changed(self, _now: datetime | None = None) -> None:
        if self._shown != self._written:
            self._written = self._shown
            self.async_write_ha_state()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._write_if_changed()
