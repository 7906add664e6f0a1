"""The sensors and the button of each USSD query."""

from collections.abc import Callable
from datetime import date
from typing import Final, override

from custom_components.openvox_gsm.const import CONF_SPAN, DOMAIN, SUBENTRY_USSD_QUERY
from custom_components.openvox_gsm.entity import async_add_subentry_entities
from custom_components.openvox_gsm.errors import ussd_error
from custom_components.openvox_gsm.gateway import UssdError
from custom_components.openvox_gsm.runtime import OpenVoxConfigEntry, OpenVoxRuntime
from homeassistant.components.button import ButtonEntity
from homeassistant.components.sensor import (
    DOMAIN as SENSOR_DOMAIN,
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import MAX_LENGTH_STATE_STATE
from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoredExtraData, RestoreEntity

from .query import NoValueError, UssdQuery
from .values import read_number

ATTR_REPLY = "reply"
ATTR_ANSWERED_AT = "answered_at"

# How much of an answer an error quotes; the sensor has all of it.
_QUOTED: Final = 100


@callback
def async_add_query_sensors(
    entry: OpenVoxConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of a gateway's USSD queries."""
    _add(entry, async_add_entities, UssdQuerySensor)
    _add(entry, async_add_entities, _make_date_sensor)


@callback
def async_add_query_buttons(
    entry: OpenVoxConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the buttons of a gateway's USSD queries."""
    _add(entry, async_add_entities, UssdQueryButton)


def _add(
    entry: OpenVoxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    kind: Callable[[OpenVoxRuntime, UssdQuery], Entity | None],
) -> None:
    runtime = entry.runtime_data

    def device_of(subentry: ConfigSubentry) -> str | None:
        return runtime.devices.span_ids.get(subentry.data[CONF_SPAN])

    def make(subentry: ConfigSubentry) -> Entity | None:
        """Make the entity once its span is there."""
        if device_of(subentry) is None:
            return None
        return kind(runtime, runtime.ussd_queries[subentry.subentry_id])

    async_add_subentry_entities(
        entry, async_add_entities, SUBENTRY_USSD_QUERY, make, device_of
    )


class _UssdQueryEntity(Entity):
    """An entity of a USSD query."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, runtime: OpenVoxRuntime, query: UssdQuery) -> None:
        """Use the query's name, on the device of its span."""
        self.runtime = runtime
        self.query = query
        self._attr_translation_placeholders = {"name": query.name}
        self._attr_unique_id = f"{runtime.entry.entry_id}_{query.subentry_id}"
        # Not by device_info: that would move the span's device to the subentry.
        if device_id := runtime.devices.span_ids.get(query.span):
            registry = dr.async_get(runtime.coordinator.hass)
            self.device_entry = registry.async_get(device_id)


class UssdQuerySensor(_UssdQueryEntity, SensorEntity, RestoreEntity):
    """The last value of a query; kept over restarts.

    It stays available while the gateway is away. The value has its time with it, and its
    return would look like a change to automations.
    """

    _attr_translation_key = "ussd_query"
    # The network's advertisements don't have to fill the database.
    _unrecorded_attributes = frozenset({ATTR_REPLY})

    def __init__(self, runtime: OpenVoxRuntime, query: UssdQuery) -> None:
        """Set the query's unit before the entity is registered with it."""
        super().__init__(runtime, query)
        self._show()

    @override
    async def async_added_to_hass(self) -> None:
        """Restore the last answer, and start the query."""
        await super().async_added_to_hass()
        last = await self.async_get_last_extra_data()
        self.async_on_remove(
            self.query.start(last.as_dict() if last else {}, self._answered)
        )
        self._show()

    @property
    @override
    def extra_restore_state_data(self) -> RestoredExtraData:
        """The query's memory."""
        return RestoredExtraData(self.query.memory)

    @callback
    def _answered(self) -> None:
        self._show()
        self.async_write_ha_state()

    def _show(self) -> None:
        answer = self.query.answer
        text = answer.value if answer else None
        number = read_number(text) if text else None
        # Home Assistant only accepts numbers for a sensor with a unit.
        unit = self.query.unit if text is None or number is not None else None
        self._attr_native_value = (
            text[:MAX_LENGTH_STATE_STATE] if text and number is None else number
        )
        self._attr_native_unit_of_measurement = unit
        self._attr_state_class = SensorStateClass.MEASUREMENT if unit else None
        self._attr_extra_state_attributes = {
            ATTR_REPLY: answer.reply if answer else None,
            ATTR_ANSWERED_AT: answer.answered_at.isoformat() if answer else None,
        }


def _make_date_sensor(
    runtime: OpenVoxRuntime, query: UssdQuery
) -> UssdQueryDateSensor | None:
    """Make the sensor of the date, or remove it where none is looked for any more."""
    if query.reads_date:
        return UssdQueryDateSensor(runtime, query)
    registry = er.async_get(runtime.coordinator.hass)
    unique_id = _date_unique_id(runtime, query)
    if entity_id := registry.async_get_entity_id(SENSOR_DOMAIN, DOMAIN, unique_id):
        registry.async_remove(entity_id)
    return None


def _date_unique_id(runtime: OpenVoxRuntime, query: UssdQuery) -> str:
    return f"{runtime.entry.entry_id}_{query.subentry_id}_date"


class UssdQueryDateSensor(_UssdQueryEntity, SensorEntity):
    """The last date of a query, such as until when a prepaid SIM is valid.

    What it showed before a restart comes back with the query's memory.
    """

    _attr_translation_key = "ussd_query_date"
    _attr_device_class = SensorDeviceClass.DATE

    def __init__(self, runtime: OpenVoxRuntime, query: UssdQuery) -> None:
        """Differ from the sensor of the value."""
        super().__init__(runtime, query)
        self._attr_unique_id = _date_unique_id(runtime, query)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the answers."""
        await super().async_added_to_hass()
        self.async_on_remove(self.query.listen(self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> date | None:
        """The date."""
        return self.query.answer.date if self.query.answer else None


class UssdQueryButton(_UssdQueryEntity, ButtonEntity):
    """Sends the query now."""

    _attr_translation_key = "ussd_query_now"

    @override
    async def async_press(self) -> None:
        """Send it and wait for the answer; raises HomeAssistantError without one."""
        try:
            await self.query.ask()
        except UssdError as err:
            raise ussd_error(self.runtime.entry, err) from err
        except NoValueError as err:
            raise _no_value(self.query.name, err.reply) from err


def _no_value(name: str, reply: str) -> HomeAssistantError:
    """Return that an answer has no value, quoting it to who asked.

    Home Assistant logs the text itself, and shows the translation of the key.
    """
    shown = " ".join(reply.split())
    if len(shown) > _QUOTED:
        shown = shown[: _QUOTED - 1] + "…"
    return HomeAssistantError(
        f"The regular expression of “{name}” found no value in the network's answer",
        translation_domain=DOMAIN,
        translation_key="no_value_in_answer",
        translation_placeholders={"name": name, "answer": shown},
    )
