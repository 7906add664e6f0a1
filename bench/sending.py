"""A hundred SMS through eight spans, against the time that the network alone takes."""

import asyncio
from math import ceil
from statistics import median
from time import perf_counter

from custom_components.openvox_gsm.const import DOMAIN

from .child import running
from .home import add_gateway, running_home
from .table import Row

_SMS = 100
_SPANS = 8
_SPAN_SECONDS = 0.2
_ROUNDS = 3


async def _measure() -> list[Row]:
    times = []
    async with running("box", str(_SPANS)) as box, running_home() as hass:
        await add_gateway(hass, (await box.ask("port"))["port"])
        await box.ask("send_duration", seconds=_SPAN_SECONDS)
        for number in range(_ROUNDS):
            targets = [f"+4915{number}{each:07}" for each in range(_SMS)]
            begun = perf_counter()
            answer = await hass.services.async_call(
                "notify",
                "send_sms",
                {"message": "Water in the cellar", "target": targets},
                blocking=True,
                return_response=True,
            )
            times.append(perf_counter() - begun)
            assert answer
            messages = answer["messages"]
            assert isinstance(messages, list)
            assert len(messages) == _SMS, DOMAIN
            assert (await box.ask("sent"))["sent"] == _SMS * (number + 1)
    ideal = ceil(_SMS / _SPANS) * _SPAN_SECONDS
    ratio = median(times) / ideal
    return [
        Row(
            f"{_SMS} SMS to {_SMS} numbers over {_SPANS} spans, {_SPAN_SECONDS * 1e3:g} ms each",
            f"{median(times):.2f} s",
            f"ideal: {ideal:.2f} s",
            f"{ratio:.2f} ×",
            "at most 1.15 ×",
            ratio <= 1.15,
        )
    ]


def run() -> list[Row]:
    """Measure it."""
    return asyncio.run(_measure())
