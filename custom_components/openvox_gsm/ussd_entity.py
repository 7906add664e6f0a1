"""The sensor and the button of each USSD query."""

from collections.abc import Callable
from typing import override

from homeassistant.components.button import ButtonEntity
from homeassistant.components.sensor import SensorEntity, SensorStateClass
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import MAX_LENGTH_STATE_STATE
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoredExtraData, RestoreEntity

from .const import CONF_SPAN, SUBENTRY_USSD_QUERY
from .entity import async_add_subentry_entities
from .errors import error, ussd_error
from .gateway import UssdError
from .runtime import OpenVoxConfigEntry, OpenVoxRuntime
from .ussd_query import NoValueError, UssdQuery, read_number

ATTR_REPLY = "reply"
ATTR_ANSWERED_AT = "answered_at"


@callback
def async_add_query_sensors(
    entry: OpenVoxConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of a gateway's USSD queries."""
    _add(entry, async_add_entities, UssdQuerySensor)


@callback
def async_add_query_buttons(
    entry: OpenVoxConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the buttons of a gateway's USSD queries."""
    _add(entry, async_add_entities, UssdQueryButton)


def _add(
    entry: OpenVoxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    kind: Callable[[OpenVoxRuntime, UssdQuery], Entity],
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
            raise error("no_value_in_answer", name=self.query.name) from err
