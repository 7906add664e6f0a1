"""What goes wrong with a gateway, over and over."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
import random

from custom_components.openvox_gsm.const import CONF_TLS, DOMAIN
from custom_components.openvox_gsm.gateway.model import SpanStatus
from homeassistant.config_entries import SOURCE_DHCP
from homeassistant.const import CONF_HOST, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo

from .gateway import Gateway
from .home import POWER, RELOAD_MODULE, STUCK_SECONDS, mac_of
from .load import Load
from .rogue import HOST as ROGUE_HOST, running_rogue

_SENDING = ("SMS SENDING", "SMS SENT")
_LOOK_SECONDS = 1.0


@dataclass
class Faults:
    """All that hits one gateway; drawn from dice of its own.

    `mistakes` gets a sentence for each thing that a fault changed and should not.
    """

    hass: HomeAssistant
    entry_id: str
    gateway: Gateway
    load: Load
    dice: random.Random
    seconds_between: float
    done: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    async def run(self, seconds: float) -> None:
        """Let something go wrong again and again, for some seconds."""
        now = asyncio.get_running_loop().time
        end = now() + seconds
        kinds: list[Callable[[], Awaitable[None]]] = [
            *(self._reset, self._close, self._restart, self._freeze, self._junk),
            *(self._half_packet, self._endless_packet, self._byte_by_byte),
            *(self._no_sim, self._no_power, self._switched_off, self._stuck),
            *(self._reload, self._rogue),
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

    # The connection

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

    # What it sends

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

    # Its spans

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

    async def _switched_off(self) -> None:
        """Let Home Assistant switch a module off, and on again."""
        power = POWER.format(self.entry_id, self._any_span())
        await self._act("switch", "turn_off", power)
        await asyncio.sleep(2)
        while not self.hass.states.is_state(power, STATE_ON):
            await self._act("switch", "turn_on", power)
            await asyncio.sleep(1)

    async def _stuck(self) -> None:
        """Let a module never answer a send, until Home Assistant starts it again."""
        span = self._any_span()
        outcome = self.dice.choice(["no_prompt", "no_answer"])
        await self.gateway.do("outcome", span=span, outcome=outcome)
        await self.load.send_through(span)
        if await self._stays_unnoticed(span):
            self.mistakes.append(f"Span {span} was not shown as stuck")
        while await self._is_sending(span):
            await self._act(
                "button", "press", RELOAD_MODULE.format(self.entry_id, span)
            )
            await asyncio.sleep(1)

    async def _is_sending(self, span: int) -> bool:
        return await self._state(span) in _SENDING

    async def _state(self, span: int) -> str:
        told = await self.gateway.do("state")
        [state] = [each["state"] for each in told["spans"] if each["span"] == span]
        return str(state)

    async def _stays_unnoticed(self, span: int) -> bool:
        """Say whether Home Assistant doesn't notice that a module never answers.

        A call on the span restarts the time.
        """
        entry = self.hass.config_entries.async_get_entry(self.entry_id)
        assert entry
        coordinator = entry.runtime_data.coordinator
        looks = 0  # in a row, at a module that is sending
        while (state := await self._state(span)) != "READY":
            looks = looks + 1 if state in _SENDING else 0
            if looks * _LOOK_SECONDS > 2 * STUCK_SECONDS:
                return True
            await coordinator.async_refresh()
            status = coordinator.data.spans[span].status
            # After a long silence it may not look at a span for minutes.
            if status in (SpanStatus.STUCK, SpanStatus.UNKNOWN):
                break
            await asyncio.sleep(_LOOK_SECONDS)
        return False

    async def _act(self, domain: str, action: str, entity_id: str) -> None:
        """Perform an action, which may fail as other faults hit it."""
        data = {"entity_id": entity_id}
        try:
            await self.hass.services.async_call(domain, action, data, blocking=True)
        except HomeAssistantError:
            await asyncio.sleep(1)

    def _any_span(self) -> int:
        return self.dice.randrange(1, self.load.spans + 1)

    # Its entry

    async def _reload(self) -> None:
        await self.hass.config_entries.async_reload(self.entry_id)

    async def _rogue(self) -> None:
        """Let another device pretend to be the gateway while it's away."""
        entry = self.hass.config_entries.async_get_entry(self.entry_id)
        assert entry
        before = dict(entry.data)
        encrypts = bool(before.get(CONF_TLS))
        port = self.gateway.port
        async with running_rogue(port, self.dice, encrypts=encrypts) as rogue:
            away = asyncio.create_task(self.be_away(6))
            while await self.gateway.accepts_connections():
                await asyncio.sleep(0.1)
            await self.hass.config_entries.flow.async_init(
                DOMAIN,
                context={"source": SOURCE_DHCP},
                data=DhcpServiceInfo(ROGUE_HOST, "gsm", mac_of(self.entry_id)),
            )
            await away
        if not rogue.connections:
            self.mistakes.append(f"Nobody asked what is at {ROGUE_HOST}")
        if rogue.has_password:
            self.mistakes.append(f"The password went to {ROGUE_HOST}")
        if entry.data != before:
            self.mistakes.append(f"The entry is now at {entry.data[CONF_HOST]}")
