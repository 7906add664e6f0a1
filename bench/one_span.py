"""What a poll costs when one of 44 spans has changed, beside version 0.1.0.

Only the entities' part: from the moment that the coordinator has the data of a poll until
all states are written. The data are those of two real polls, which take turns. All
entities are enabled.
"""

import asyncio
import gc
import json
from statistics import median
from time import process_time
from typing import Any

from homeassistant.core import HomeAssistant

from .child import running
from .earlier import earlier_version, measure_both
from .home import add_gateway, coordinator_of, running_home
from .poll import SPANS, Writes
from .table import Row, millis, ratios, spread

_ROUNDS = 5
_UPDATES = 200
_LIMIT = 0.002  # seconds
# Version 0.1.0 told the entities in portions, each in a turn of the loop of its own.
_TURNS = 12


def run() -> list[Row]:
    """Measure both versions in turn."""
    with earlier_version() as earlier:
        rounds = [measure_both(earlier, "one_span") for _ in range(_ROUNDS)]
    now, before = zip(*rounds, strict=True)
    seconds = [each["seconds"] for each in now]
    factors = ratios(seconds, [each["seconds"] for each in before])
    return [
        Row(
            f"a poll with one of {SPANS} spans changed, {now[0]['entities']} entities: "
            "processor time of the entities",
            _words(now),
            f"version 0.1.0: {_words(before)}",
            spread(factors),
            f"below {_LIMIT * 1e3:g} ms",
            median(seconds) < _LIMIT,
        )
    ]


def _words(rounds: tuple[dict[str, Any], ...]) -> str:
    seconds = median(each["seconds"] for each in rounds)
    return (
        f"{millis(seconds)}, {rounds[0]['written']} states written, "
        f"{rounds[0]['changed']} of them changed"
    )


async def _measure() -> dict[str, Any]:
    async with running("box", str(SPANS)) as box, running_home() as hass:
        entry = await add_gateway(
            hass, (await box.ask("port"))["port"], all_entities=True
        )
        coordinator = coordinator_of(entry)
        before = coordinator.data
        await box.ask("signal", spans=1)
        await coordinator.async_refresh()
        polls = (before, coordinator.data)
        writes = Writes(hass)
        times = []
        gc.collect()
        for number in range(_UPDATES):
            begun = process_time()
            coordinator.async_set_updated_data(polls[number % 2])
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            times.append(process_time() - begun)
        return {
            "seconds": median(times),
            "entities": _entities(hass),
            "written": writes.all // _UPDATES,
            "changed": writes.changed // _UPDATES,
        }


def _entities(hass: HomeAssistant) -> int:
    return len(hass.states.async_all())


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure())))
