"""The power of a span's module."""

import asyncio

from .span_state import SpanState

POWER_ON_SECONDS, POWER_OFF_SECONDS, POWER_RESET_SECONDS = 9.0, 4.0, 13.0
"""How long the power commands take (chan_extra 2.0.8)."""


class PowerSwitch:
    """Switches the module of one span on and off."""

    def __init__(self, span: SpanState) -> None:
        """Take the span."""
        self._span = span
        self._core = span.core
        self._driver = asyncio.Lock()

    async def on(self) -> bool:
        """Switch the module on; takes 9 s. Says whether it worked."""
        async with self._driver:
            await self._core.power_pause(POWER_ON_SECONDS)
            return self._switch_on()

    async def off(self) -> bool | None:
        """Switch the module off; takes 4 s. None if it was off, False if it did not work."""
        async with self._driver:
            if not self._is_on:
                return None
            await self._core.power_pause(POWER_OFF_SECONDS)
            return self._switch_off()

    async def reset(self) -> bool:
        """Switch the module off and on; takes 13 s. Says whether it worked."""
        async with self._driver:
            await self._core.power_pause(POWER_OFF_SECONDS)
            if self._is_on and not self._switch_off():
                return False
            await self._core.power_pause(POWER_RESET_SECONDS - POWER_OFF_SECONDS)
            return self._switch_on()

    @property
    def _is_on(self) -> bool:
        return self._span.power and self._span.module_on

    def _switch_on(self) -> bool:
        if self._span.power_fails:
            return False
        self._span.module_goes_on()
        return True

    def _switch_off(self) -> bool:
        if self._span.power_fails:
            return False
        self._span.module_goes_off()
        return True
