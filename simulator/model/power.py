"""The power of a span's module."""

import asyncio

from .box import Box
from .span_state import SpanState

POWER_ON_SECONDS, POWER_OFF_SECONDS, POWER_RESET_SECONDS = 9.0, 4.0, 13.0
"""How long the power commands take (chan_extra 2.0.8)."""


class PowerSwitch:
    """Switches the module of one span on and off."""

    def __init__(self, span: SpanState) -> None:
        """Take the span, whose module is on."""
        self._span = span
        self._core = span.core
        self._driver = asyncio.Lock()
        self._status_before_off = "Up"

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
        self._span.power = True
        self.bring_back()
        self._span.last_event = "D-Channel Up"
        return True

    def bring_back(self) -> None:
        """Bring back the status that the module had before it was switched off."""
        span = self._span
        if not span.module_on:
            span.module_on = span.power = True
            span.status = self._status_before_off

    def _switch_off(self) -> bool:
        span = self._span
        if span.power_fails:
            return False
        if span.call:
            span.call.end(cause=0)
        self._status_before_off = span.status
        span.status = "Down"
        span.module_on = False
        # In chan_extra 2.0.8 the status goes on to say "Power on".
        span.power = self._core.box is Box.OF_2013
        span.last_event = "D-Channel Down"
        return True
