"""A poll of the largest gateway in Home Assistant: what it writes, how long it holds on.

A hold is all that the event loop does between two waits for something to come, so no
callback is left out. It is taken by the wall clock: what else the machine does is in it.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
import gc
from statistics import median
from typing import Any

from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED
from homeassistant.core import Event, HomeAssistant, callback

from .child import running
from .hold import WatchedLoop
from .home import add_gateway, coordinator_of, running_home
from .table import Row, millis

SPANS = 44
_POLLS = 30
_QUIET = 0.1  # seconds in which the entities have heard everything
_UNCHANGED = 0.002  # seconds that the loop may be held
_CHANGED = 0.020


@dataclass
class Writes:
    """Counts the states that are written, changed or not."""

    hass: HomeAssistant
    count: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Begin to count."""
        for kind in (EVENT_STATE_CHANGED, EVENT_STATE_REPORTED):
            self.hass.bus.async_listen(kind, self._one, event_filter=self._any)

    @property
    def all(self) -> int:
        """How many were written."""
        return self.count.total()

    @property
    def changed(self) -> int:
        """How many of them differ from the state before."""
        return self.count[str(EVENT_STATE_CHANGED)]

    @callback
    def _one(self, event: Event[Any]) -> None:
        self.count[str(event.event_type)] += 1

    @callback
    def _any(self, _data: object) -> bool:
        return True


async def _measure(loop: WatchedLoop) -> list[Row]:
    async with running("box", str(SPANS)) as box, running_home() as hass:
        entry = await add_gateway(
            hass, (await box.ask("port"))["port"], all_entities=True
        )
        coordinator = coordinator_of(entry)
        writes = Writes(hass)
        rows = []
        for change, limit in ((False, _UNCHANGED), (True, _CHANGED)):
            holds, counts = [], []
            for _ in range(_POLLS):
                if change:
                    await box.ask("change")
                gc.collect()
                await asyncio.sleep(_QUIET)
                writes.count.clear()
                loop.take_longest()
                await coordinator.async_refresh()
                await asyncio.sleep(_QUIET)
                holds.append(loop.take_longest())
                counts.append(writes.all)
            assert coordinator.last_update_success
            states = len(hass.states.async_all())
            what = "everything changed" if change else "nothing changed"
            poll = f"a poll of {SPANS} spans, {states} entities, {what}"
            if not change:
                rows.append(
                    Row(f"{poll}: states written", str(max(counts)), wanted="none",
                        met=max(counts) == 0)
                )  # fmt: skip
            elif min(counts) == 0:
                raise RuntimeError("The gateway changed, and no state did")
            rows.append(
                Row(
                    f"{poll}"
                    + (f" ({round(median(counts))} states written)" if change else "")
                    + ": longest hold of the loop",
                    f"{millis(median(holds))}, at worst {millis(max(holds))}",
                    wanted=f"below {limit * 1e3:g} ms",
                    met=max(holds) < limit,
                )
            )
    return rows


def run() -> list[Row]:
    """Measure all of it, in a loop that is watched."""
    loop = WatchedLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(_measure(loop))
