"""The power of the modules."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

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


class PowerSwitch(OpenVoxSpanEntity, SwitchEntity):
    """The power of a span's module.

    It's off where the gateway says so, and where we switched it off and it has shown
    no life since. A module that is down for any other reason counts as on.
    """

    @property
    @override
    def is_on(self) -> bool:
        """Whether the module has power, by all that is known."""
        return self.span.status is not SpanStatus.POWER_OFF

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch the module on, which takes about 9 s.

        The command is sent in any case: the gateway may know less than its owner.
        """
        await self.command_module(
            self.runtime.gateway.modules.set_power(self.number, True)
        )

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch the module off, which takes about 4 s; a call on it ends."""
        if self.is_on:
            await self.command_module(
                self.runtime.gateway.modules.set_power(self.number, False)
            )
