"""What a poll costs when one of 44 spans has changed, beside version 0.1.0.

Only the entities' part: from the moment that the coordinator has the data of a poll until
all states are written. The data are those of two real polls, which take turns. With the entities that are enabled by
default, which are more in version 0.1.0, and with all.
"""

import asyncio
import gc
import json
from pathlib import Path
from statistics import median
import sys
from time import process_time
from typing import Any

from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .child import running
from .earlier import earlier_version, measure_both
from .home import add_gateway, coordinator_of, running_home
from .poll import SPANS, Writes
from .table import Row, millis, ratios, spread

_ROUNDS = 3
_UPDATES = 200
_LIMIT = 0.002  # seconds
# Version 0.1.0 told the entities in portions, each in a turn of the loop of its own.
_TURNS = 12


def run() -> list[Row]:
    """Measure both versions in turn."""
    with earlier_version() as earlier:
        return [_row(earlier, which) for which in ("enabled", "all")]


def _row(earlier: Path, which: str) -> Row:
    rounds = [measure_both(earlier, "one_span", which) for _ in range(_ROUNDS)]
    now, before = zip(*rounds, strict=True)
    seconds = [each["seconds"] for each in now]
    return Row(
        f"a poll with one of {SPANS} spans changed, {which} entities: processor time of "
        "the entities",
        _words(now),
        f"version 0.1.0: {_words(before)}",
        spread(ratios(seconds, [each["seconds"] for each in before])),
        f"below {_LIMIT * 1e3:g} ms",
        median(seconds) < _LIMIT,
    )


def _words(rounds: tuple[dict[str, Any], ...]) -> str:
    seconds = median(each["seconds"] for each in rounds)
    return (
        f"{millis(seconds)}; of {rounds[0]['entities']}, "
        f"{rounds[0]['written']} states written, "
        f"{rounds[0]['changed']} of them changed"
    )


async def _measure(*, all_entities: bool) -> dict[str, Any]:
    async with running("box", str(SPANS)) as box, running_home() as hass:
        entry = await add_gateway(
            hass, (await box.ask("port"))["port"], all_entities=all_entities
        )
        coordinator = coordinator_of(entry)
        before = coordinator.data
        await box.ask("signal", spans=1)
        await coordinator.async_refresh()
        polls = (before, coordinator.data)
        times = []
        gc.collect()
        for number in range(_UPDATES):
            begun = process_time()
            await _update(coordinator, polls[number % 2])
            times.append(process_time() - begun)
        writes = Writes(hass)  # only now, since counting takes time
        await _update(coordinator, polls[0])
        return {
            "seconds": median(times),
            "entities": len(hass.states.async_all()),
            "written": writes.all,
            "changed": writes.changed,
        }


async def _update(coordinator: DataUpdateCoordinator[Any], data: object) -> None:
    """Give the entities the data of a poll, and wait until all have written."""
    coordinator.async_set_updated_data(data)
    for _ in range(_TURNS):
        await asyncio.sleep(0)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(all_entities=sys.argv[1] == "all"))))
