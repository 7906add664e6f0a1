"""What goes through the gateway meanwhile, and what goes wrong with it.

Everything is drawn from one seed: the same seed gives the same messages and the same
faults in the same order. Their moments differ by what the machine does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from itertools import count
import random
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .books import Books, Incoming
from .gateway import Gateway

SPANS: Final = 16
_WATCH: Final = 1.0  # seconds that a connection must outlast an SMS
_WARM_UP: Final = 600  # SMS; the integration remembers at most 500 senders
_WARM_UP_RATE: Final = 100.0  # SMS a second
_ODD_SHARE: Final = 0.1
_BURST: Final = 0.25  # seconds of foreign events at once
_FORGED: Final = (
    "Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: EXTRA-SMS/1-1\r\n"
    "Variable: SMSSRC\r\nValue: +666\r\nUniqueid: 1795400000.9"
)
_TEXTS: Final = (
    "Heating is on, 21.5 C.",
    'A "quote", a \\ and a \\" of both; $HOME `id` | & <>',
    "Grüße aus Köln: 5 € für 3 Äpfel",
    "👩‍👩‍👧 ist zu Hause 🏠",
    "A text of several parts, which the phone joins again. " * 6,
    "Ein langer Text mit Umlauten: ä, ö, ü und ß, Teil für Teil. " * 4,
)
_ODD_TEXTS: Final = (
    "two\r\nlines",
    f"pay\r\n\r\n{_FORGED}",
    "half a packet\r\n\r\nEvent: VarSet\r\nChannel: EXTRA-SMS/3-1",
    "--END COMMAND--\r\n\r\nResponse: Success",
)
# What becomes of some of the messages: how often, in a thousand.
_OUTCOMES: Final = {
    "failed": 20,
    "busy": 20,
    "timeout": 4,
    "late_success": 4,
    "late_failure": 4,
    "drop_before": 3,
    "drop_after": 3,
}


@dataclass
class Load:
    """Everything that goes on between one Home Assistant and one gateway."""

    hass: HomeAssistant
    entry_id: str
    gateway: Gateway
    books: Books
    seed: int
    sms_per_second: float  # each way
    packets_per_second: float
    seconds_between_faults: float
    faults: list[str] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(10_000_000))

    async def run(self, seconds: float) -> None:
        """Run all of it for some seconds, then let what is under way end."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        async with asyncio.TaskGroup() as group:
            for activity in (
                self._receive,
                self._send,
                self._foreign_events,
                self._break,
            ):
                group.create_task(activity(end))

    async def warm_up(self) -> None:
        """Let so many SMS come in that all that has a limit has reached it."""
        dice = self._dice("warm up")
        async with asyncio.TaskGroup() as group:
            for _ in range(_WARM_UP):
                group.create_task(self._receive_any(dice))
                await asyncio.sleep(1 / _WARM_UP_RATE)

    def _dice(self, name: str) -> random.Random:
        """Give an activity a seed of its own, so that none disturbs another."""
        return random.Random(f"{self.seed} {name}")

    # Foreign events

    async def _foreign_events(self, end: float) -> None:
        now = asyncio.get_running_loop().time
        packets = round(self.packets_per_second * _BURST)
        while (begun := now()) < end:
            await self.gateway.do("noise", packets=packets)
            await asyncio.sleep(begun + _BURST - now())

    # SMS in

    async def _receive(self, end: float) -> None:
        dice = self._dice("receive")
        async with asyncio.TaskGroup() as group:
            while asyncio.get_running_loop().time() < end:
                group.create_task(self._receive_any(dice))
                await asyncio.sleep(dice.expovariate(self.sms_per_second))

    def _receive_any(self, dice: random.Random) -> Coroutine[Any, Any, None]:
        sender = f"+4917{next(self._numbers)}"
        text = f"{sender}: {dice.choice(_TEXTS)}"
        if dice.random() < _ODD_SHARE:
            text = f"{sender[-4:]}: {dice.choice(_ODD_TEXTS)}"
        return self.receive_one(dice.randrange(1, SPANS + 1), sender, text)

    async def receive_one(self, span: int, sender: str, text: str) -> None:
        """Let one SMS come in, and note whether it was delivered."""
        details = {"span": span, "from": sender, "text": text, "watch": _WATCH}
        answer = await self.gateway.do("sms", **details)
        self.books.incoming.append(Incoming(sender, text, answer["delivered"]))

    # SMS out

    async def _send(self, end: float) -> None:
        dice = self._dice("send")
        async with asyncio.TaskGroup() as group:
            while asyncio.get_running_loop().time() < end:
                await asyncio.sleep(dice.expovariate(self.sms_per_second))
                (outcome,) = dice.choices(
                    ["success", *_OUTCOMES],
                    [1000 - sum(_OUTCOMES.values()), *_OUTCOMES.values()],
                )
                span = dice.randrange(1, SPANS + 1)
                if outcome != "success":
                    await self.gateway.do("outcome", span=span, outcome=outcome)
                target = f"+4916{next(self._numbers)}"
                text = f"{target}: {dice.choice(_TEXTS)}"
                group.create_task(self.send_one(target, text))

    async def send_one(self, target: str, text: str) -> None:
        """Send one SMS and note what the action says."""
        self.books.outgoing[target] = text
        try:
            response: Any = await self.hass.services.async_call(
                "notify",
                "send_sms",
                {"target": target, "message": text, "timeout": 5},
                blocking=True,
                return_response=True,
            )
        except HomeAssistantError:
            self.books.answers[target] = "refused"  # the entry is not loaded
        else:
            (message,) = response["messages"]
            self.books.answers[target] = message["status"]

    # Faults

    async def _break(self, end: float) -> None:
        dice = self._dice("faults")
        now = asyncio.get_running_loop().time
        kinds: list[Callable[[random.Random], Awaitable[None]]] = [
            *(self._reset, self._close, self._restart, self._freeze, self._junk),
            *(self._half_packet, self._endless_packet, self._byte_by_byte),
            *(self._no_sim, self._no_power, self._call, self._reload),
        ]
        while True:
            # Each kind once before any comes again, so that a short run has most.
            for kind in dice.sample(kinds, len(kinds)):
                pause = dice.uniform(0.5, 1.5) * self.seconds_between_faults
                if now() + pause > end:
                    return
                await asyncio.sleep(pause)
                self.faults.append(kind.__name__.strip("_").replace("_", " "))
                await kind(dice)

    async def _reset(self, dice: random.Random) -> None:
        await self.gateway.do("drop")

    async def _close(self, dice: random.Random) -> None:
        await self.gateway.do("drop", in_order=True)

    async def _restart(self, dice: random.Random) -> None:
        await self.gateway.do("restart", downtime=dice.uniform(0, 2))

    async def _freeze(self, dice: random.Random) -> None:
        await self.gateway.do("freeze")
        await asyncio.sleep(dice.choice([0.5, 2, 12]))
        await self.gateway.do("thaw")

    async def _junk(self, dice: random.Random) -> None:
        # A packet of its own: what it would be glued to is lost, and nobody's fault.
        junk = dice.randbytes(dice.randrange(1, 2000)) + b"\r\n\r\n"
        await self.gateway.do("garbage", hex=junk.hex(), repeat=1)

    async def _half_packet(self, dice: random.Random) -> None:
        half = b"Event: VarSet\r\nChannel: EXTRA-SMS/1-1\r\nVariable: SMSTXT\r\nVal"
        await self.gateway.do("garbage", hex=half.hex(), repeat=1)
        await self.gateway.do("drop")

    async def _endless_packet(self, dice: random.Random) -> None:
        await self.gateway.do("garbage", hex=b"x: y\r\n".hex(), repeat=350_000)

    async def _byte_by_byte(self, dice: random.Random) -> None:
        await self.gateway.do("slow", on=True)
        await asyncio.sleep(0.5)
        await self.gateway.do("slow", on=False)

    async def _no_sim(self, dice: random.Random) -> None:
        span = dice.randrange(1, SPANS + 1)
        await self.gateway.do("sim-out", span=span)
        await asyncio.sleep(2)
        await self.gateway.do("sim-in", span=span)

    async def _no_power(self, dice: random.Random) -> None:
        span = dice.randrange(1, SPANS + 1)
        await self.gateway.do("power", span=span, on=False)
        await asyncio.sleep(2)
        await self.gateway.do("power", span=span, on=True)

    async def _call(self, dice: random.Random) -> None:
        details: dict[str, Any] = {"from": "+491511", "answer": dice.random() < 0.5}
        span = dice.randrange(1, SPANS + 1)
        await self.gateway.do("call", span=span, hangup_after=1, **details)
        await asyncio.sleep(1.5)

    async def _reload(self, dice: random.Random) -> None:
        await self.hass.config_entries.async_reload(self.entry_id)
