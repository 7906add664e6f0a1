"""A simulated gateway in a process of its own, steered by JSON lines on its input."""

import asyncio
from itertools import islice
import json
import random
import sys
from time import monotonic
from typing import Any

from simulator import Simulator, noise

_TICK = 0.001  # seconds between two handfuls of foreign events


class _Gateway(Simulator):
    """A gateway that can hold its events back until all are ready."""

    held: list[bytes] | None = None

    def emit(self, event: bytes) -> None:
        """Send an event, or hold it."""
        if self.held is None:
            super().emit(event)
        else:
            self.held.append(event)


class Box:
    """A gateway, and what can be asked of it."""

    def __init__(self, gateway: _Gateway) -> None:
        """Take the gateway."""
        self._gateway = gateway
        self._changes = 0

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked for."""
        match request:
            case {"do": "port"}:
                return {"port": self._gateway.port}
            case {"do": "change"}:
                self._change()
                return {}
            case {"do": "signal", "spans": count}:
                self._change_signal(count)
                return {}
            case {"do": "send_duration", "seconds": seconds}:
                for span in self._gateway.spans.values():
                    span.send_duration = seconds
                return {}
            case {"do": "sent"}:
                return {"sent": len(self._gateway.sent)}
            case {"do": "sms", "count": count, "seconds": seconds, "rate": rate}:
                return await self._sms(count, seconds, rate)
        raise ValueError(request)

    def _change(self) -> None:
        """Change all that a poll can read of the spans."""
        self._changes += 1
        odd = self._changes % 2
        for span in self._gateway.spans.values():
            span.insert_sim()
            span.signal = 10 + odd
            span.ber = odd
            span.operator = f"Network {odd}"
            span.network_status = (
                "Registered (Roaming)" if odd else "Registered (Home network)"
            )
            span.status = "No Signal" if odd else "Up"
            span.own_number = f"+49151100{span.number:02}{odd}"
            span.sms_center = f"+49171076000{odd}"
            span.last_event = "No signal" if odd else "D-Channel Up"
            span.asr, span.acd, span.pdd = 10 + odd, 20 + odd, 5 + odd

    def _change_signal(self, count: int) -> None:
        """Change the signal of the first spans, and nothing else."""
        self._changes += 1
        for number in sorted(self._gateway.spans)[:count]:
            self._gateway.spans[number].signal = 10 + self._changes % 2

    async def _sms(self, count: int, seconds: float, rate: float) -> dict[str, Any]:
        """Let SMS come in at odd moments, among `rate` foreign events a second.

        Gives when each one's first byte was written, by its sender.
        """
        gateway = self._gateway
        dice = random.Random(0)
        foreign = noise.call_traffic(gateway.events, sms_like=True)
        moments = sorted(dice.uniform(0, seconds) for _ in range(count))
        begun = monotonic()
        written: dict[str, float] = {}
        emitted = 0
        for number, moment in enumerate(moments):
            while (now := monotonic() - begun) < moment:
                due = int(now * rate) - emitted
                for packet in islice(foreign, due):
                    gateway.emit(packet)
                emitted += due
                await asyncio.sleep(min(_TICK, moment - now) if rate else moment - now)
            sender = f"+49151{int(rate):04}{number:05}"
            packets: list[bytes] = []
            gateway.held = packets
            await gateway.receive_sms(number % 8 + 1, sender, f"Message {number}")
            gateway.held = None
            written[sender] = monotonic()
            for packet in packets:
                gateway.emit(packet)
        return {"written": written, "foreign": emitted}


async def _main(spans: int) -> None:
    loop = asyncio.get_running_loop()
    async with _Gateway(spans=spans, box="today", sms_received=True) as gateway:
        box = Box(gateway)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            answer = await box.answer(json.loads(line))
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
