"""How long an SMS takes from the wire to the bus of Home Assistant.

From before the gateway writes the first byte of the SMS to the event on the bus, so that
the gateway's own writing, the kernel and all of Home Assistant's core are in it.
"""

import asyncio
from statistics import median
from time import monotonic

from custom_components.openvox_gsm.const import EVENT_SMS_RECEIVED
from homeassistant.core import Event, callback

from .child import running
from .home import add_gateway, running_home
from .table import Row, millis, percentile

_SMS = 500
_SECONDS = 20.0
_SETTLE = 3.0  # seconds for the last ones


async def _measure() -> list[Row]:
    rows = []
    async with running("box", "8") as box, running_home() as hass:
        await add_gateway(hass, (await box.ask("port"))["port"])
        told: dict[str, float] = {}

        @callback
        def tell(event: Event) -> None:
            told.setdefault(event.data["sender"], monotonic())

        hass.bus.async_listen(EVENT_SMS_RECEIVED, tell)
        for rate, limit in ((0, 0.002), (5_000, 0.010)):
            answer = await box.ask("sms", count=_SMS, seconds=_SECONDS, rate=rate)
            await asyncio.sleep(_SETTLE)
            written = answer["written"]
            delays = [told[sender] - moment for sender, moment in written.items()]
            how = f"{answer['foreign'] / _SECONDS:,.0f} foreign events a second"
            rows.append(
                Row(
                    f"SMS on the wire to bus event, {how if rate else 'quiet'}, "
                    "99th percentile",
                    millis(percentile(delays, 99)),
                    f"median {millis(median(delays))}, worst {millis(max(delays))}",
                    wanted=f"below {limit * 1e3:g} ms",
                    met=percentile(delays, 99) < limit,
                )
            )
    return rows


def run() -> list[Row]:
    """Measure all of it."""
    return asyncio.run(_measure())
