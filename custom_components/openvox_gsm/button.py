"""Buttons that restart a module, send a USSD query now, and run the self-test."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components import persistent_notification
from homeassistant.components.button import (
    ButtonDeviceClass,
    ButtonEntity,
    ButtonEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import OpenVoxEntity, OpenVoxSpanEntity, async_add_span_entities
from .errors import exception_text
from .gateway import Modules
from .runtime import OpenVoxConfigEntry
from .self_test import SelfTest, plan, run
from .ussd.entity import async_add_query_buttons

# Each span has its own lock, so spans don't have to wait for each other.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class ModuleButtonDescription(ButtonEntityDescription):
    """A button of a span, and what it does to the module."""

    press: Callable[[Modules, int], Awaitable[None]]


# With both, SMS that the driver still keeps for the span may go out.
MODULE_BUTTONS = (
    ModuleButtonDescription(
        key="reload_module",
        translation_key="reload_module",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        press=Modules.reload,
    ),
    ModuleButtonDescription(
        key="restart_module",
        translation_key="restart_module",
        device_class=ButtonDeviceClass.RESTART,
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        press=Modules.restart,
    ),
)

SELF_TEST = ButtonEntityDescription(
    key="self_test",
    translation_key="self_test",
    entity_category=EntityCategory.DIAGNOSTIC,
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
        return [ModuleButton(runtime, each, number) for each in MODULE_BUTTONS]

    async_add_span_entities(entry, async_add_entities, make)
    async_add_query_buttons(entry, async_add_entities)
    async_add_entities([SelfTestButton(runtime, SELF_TEST)])


class ModuleButton(OpenVoxSpanEntity, ButtonEntity):
    """Starts the module of a span again; a call on it ends."""

    entity_description: ModuleButtonDescription

    @override
    async def async_press(self) -> None:
        """Do it, which takes some seconds."""
        press = self.entity_description.press(self.runtime.gateway.modules, self.number)
        await self.command_module(press)


class SelfTestButton(OpenVoxEntity, ButtonEntity):
    """Sends some SMS from one span to another, and reports what became of them.

    As with the action, only administrators and automations may do that.
    """

    _caller_context: Context | None = None

    @callback
    @override
    def async_set_context(self, context: Context) -> None:
        """Keep the context of an action, just before it presses the button."""
        super().async_set_context(context)
        self._caller_context = context

    @override
    async def async_press(self) -> None:
        """Begin a test; its report becomes a notification.

        Raises Unauthorized for people who are no administrators, and
        ServiceValidationError where no spans can be tested.
        """
        context = self._caller_context
        if context and context.user_id:
            user = await self.hass.auth.async_get_user(context.user_id)
            if user is None or not user.is_admin:
                raise Unauthorized(context)
        test = plan(self.hass, self.runtime, context=context)
        self.runtime.entry.async_create_background_task(
            self.hass, self._run(test), "OpenVox self-test"
        )

    async def _run(self, test: SelfTest) -> None:
        report = await run(self.hass, test)
        persistent_notification.async_create(
            self.hass,
            "\n".join(f"- {sentence}" for sentence in report.sentences),
            exception_text(
                self.hass, "self_test_title", gateway=self.runtime.entry.title
            ),
            f"openvox_gsm_self_test_{self.runtime.entry.entry_id}",
        )
