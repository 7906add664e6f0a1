"""Buttons that restart a module, and that send a USSD query now."""

from typing import override

from homeassistant.components.button import (
    ButtonDeviceClass,
    ButtonEntity,
    ButtonEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import OpenVoxSpanEntity, async_add_span_entities
from .runtime import OpenVoxConfigEntry
from .ussd_entity import async_add_query_buttons

# Each span has its own lock, so spans don't have to wait for each other.
PARALLEL_UPDATES = 0

RESTART_MODULE = ButtonEntityDescription(
    key="restart_module",
    translation_key="restart_module",
    device_class=ButtonDeviceClass.RESTART,
    entity_category=EntityCategory.CONFIG,
    entity_registry_enabled_default=False,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenVoxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of each span."""
    runtime = entry.runtime_data

    def make(number: int) -> list[ButtonEntity]:
        return [RestartModuleButton(runtime, RESTART_MODULE, number)]

    async_add_span_entities(entry, async_add_entities, make)
    async_add_query_buttons(entry, async_add_entities)


class RestartModuleButton(OpenVoxSpanEntity, ButtonEntity):
    """Switches the module of a span off and on again."""

    @override
    async def async_press(self) -> None:
        """Restart the module, which takes about 13 s; a call on it ends."""
        await self.command_module(self.runtime.gateway.restart_module(self.number))
