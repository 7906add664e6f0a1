"""What goes wrong with a gateway, over and over."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
import random
from typing import Any

from homeassistant.core import HomeAssistant

from .gateway import Gateway


@dataclass
class Faults:
    """All that hits one gateway; drawn from dice of its own."""

    hass: HomeAssistant
    entry_id: str
    gateway: Gateway
    spans: int
    dice: random.Random
    seconds_between: float
    done: list[str] = field(default_factory=list)

    async def run(self, seconds: float) -> None:
        """Let something go wrong again and again, for some seconds."""
        now = asyncio.get_running_loop().time
        end = now() + seconds
        kinds: list[Callable[[], Awaitable[None]]] = [
            *(self._reset, self._close, self._restart, self._freeze, self._junk),
            *(self._half_packet, self._endless_packet, self._byte_by_byte),
            *(self._no_sim, self._no_power, self._call, self._reload),
        ]
        while True:
            # Each kind once before any comes again, so that a short run has most.
            for kind in self.dice.sample(kinds, len(kinds)):
                pause = self.dice.uniform(0.5, 1.5) * self.seconds_between
                if now() + pause > end:
                    return
                await asyncio.sleep(pause)
                self.done.append(kind.__name__.strip("_").replace("_", " "))
                await kind()

    async def be_silent(self, seconds: float) -> None:
        """Neither read nor answer for a time."""
        await self.gateway.do("freeze")
        await asyncio.sleep(seconds)
        await self.gateway.do("thaw")

    async def be_away(self, seconds: float) -> None:
        """End all connections, and refuse new ones for a time."""
        await self.gateway.do("restart", downtime=seconds)

    async def _reset(self) -> None:
        await self.gateway.do("drop")

    async def _close(self) -> None:
        await self.gateway.do("drop", in_order=True)

    async def _restart(self) -> None:
        await self.be_away(self.dice.uniform(0, 2))

    async def _freeze(self) -> None:
        await self.be_silent(self.dice.choice([0.5, 2, 12]))

    async def _junk(self) -> None:
        # A packet of its own: what it would be glued to is lost, and nobody's fault.
        junk = self.dice.randbytes(self.dice.randrange(1, 2000)) + b"\r\n\r\n"
        await self.gateway.do("garbage", hex=junk.hex(), repeat=1)

    async def _half_packet(self) -> None:
        half = b"Event: VarSet\r\nChannel: EXTRA-SMS/1-1\r\nVariable: SMSTXT\r\nVal"
        await self.gateway.do("garbage", hex=half.hex(), repeat=1)
        await self.gateway.do("drop")

    async def _endless_packet(self) -> None:
        await self.gateway.do("garbage", hex=b"x: y\r\n".hex(), repeat=350_000)

    async def _byte_by_byte(self) -> None:
        await self.gateway.do("slow", on=True)
        await asyncio.sleep(0.5)
        await self.gateway.do("slow", on=False)

    async def _no_sim(self) -> None:
        span = self._any_span()
        await self.gateway.do("sim-out", span=span)
        await asyncio.sleep(2)
        await self.gateway.do("sim-in", span=span)

    async def _no_power(self) -> None:
        span = self._any_span()
        await self.gateway.do("power", span=span, on=False)
        await asyncio.sleep(2)
        await self.gateway.do("power", span=span, on=True)

    async def _call(self) -> None:
        answer = self.dice.random() < 0.5
        call: dict[str, Any] = {"from": "+491511", "answer": answer, "hangup_after": 1}
        await self.gateway.do("call", span=self._any_span(), **call)
        await asyncio.sleep(1.5)

    async def _reload(self) -> None:
        await self.hass.config_entries.async_reload(self.entry_id)

    def _any_span(self) -> int:
        return self.dice.randrange(1, self.spans + 1)
