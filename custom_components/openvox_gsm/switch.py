"""The power of the modules."""

from typing import Any, Final, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoredExtraData, RestoreEntity

from .entity import OpenVoxSpanEntity, async_add_span_entities
from .gateway import SpanStatus
from .runtime import OpenVoxConfigEntry

# One after another: the next call must see the outcome of this one, since it does
# nothing if the power is already as it should be.
PARALLEL_UPDATES = 1

POWER = SwitchEntityDescription(
    key="power",
    translation_key="power",
    entity_category=EntityCategory.CONFIG,
    entity_registry_enabled_default=False,
)

# What a span can show while its module has no power.
_LIFELESS: Final = (
    SpanStatus.DOWN,
    SpanStatus.ALARM,
    SpanStatus.POWER_OFF,
    SpanStatus.UNKNOWN,
)
_SWITCHED_OFF: Final = "switched_off"


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenVoxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switch of each span."""
    runtime = entry.runtime_data

    def make(number: int) -> list[SwitchEntity]:
        return [PowerSwitch(runtime, POWER, number)]

    async_add_span_entities(entry, async_add_entities, make)


class PowerSwitch(OpenVoxSpanEntity, SwitchEntity, RestoreEntity):
    """The power of a span's module.

    Firmware with the open driver says "Power on" even if a module is switched off. So a
    module also counts as off if it was switched off here and hasn't worked since; that
    is kept over restarts. A module that is down for any other reason counts as on,
    since nothing shows that it has no power.
    """

    _switched_off = False

    @override
    async def async_added_to_hass(self) -> None:
        """Restore whether the module was switched off here."""
        await super().async_added_to_hass()
        if last := await self.async_get_last_extra_data():
            self._switched_off = bool(last.as_dict().get(_SWITCHED_OFF))
        self._look_for_life()

    @property
    @override
    def extra_restore_state_data(self) -> RestoredExtraData:
        """What outlives a restart."""
        return RestoredExtraData({_SWITCHED_OFF: self._switched_off})

    @override
    def _handle_coordinator_update(self) -> None:
        self._look_for_life()
        super()._handle_coordinator_update()

    def _look_for_life(self) -> None:
        """Forget that the module was switched off once it was switched on elsewhere."""
        if self._is_alive:
            self._switched_off = False

    @property
    def _is_alive(self) -> bool:
        return self.available and self.span.status not in _LIFELESS

    @property
    @override
    def is_on(self) -> bool:
        """Whether the module has power, as far as it's known."""
        return not (self._switched_off or self.span.status is SpanStatus.POWER_OFF)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch the module on, which takes about 9 s."""
        if self._is_alive:
            return
        await self.command_module(self.runtime.gateway.set_power(self.number, True))
        self._remember(switched_off=False)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch the module off, which takes about 4 s; a call on it ends."""
        if not self.is_on:
            return
        await self.command_module(self.runtime.gateway.set_power(self.number, False))
        self._remember(switched_off=True)

    def _remember(self, *, switched_off: bool) -> None:
        """Remember what was done, after the poll that follows it.

        A poll that was under way before may still have seen the module alive.
        """
        self._switched_off = switched_off
        self.async_write_ha_state()
