"""How long the set-up of an entry takes, beside that of heos with as many devices.

Both run in one Home Assistant, in turns, against devices in processes of their own: a
gateway with a number of spans, and as many loudspeakers in one network. A set-up is all
from handing the entry over until Home Assistant has nothing left to do: connecting,
the first poll, devices, entities and their states.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
import gc
from statistics import median
from time import perf_counter, process_time
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant

from .child import running
from .home import gateway_entry, make_entry, running_home
from .loudspeakers import HOST
from .poll import SPANS
from .table import Row, millis, ratios, spread

_FEW = 8
_WARMING_UP = 3  # rounds that load modules and platforms, and do not count
_ROUNDS = 11
_KNOWN_FEW = 1.2  # times the processor time of heos


@dataclass
class _Times:
    """What set-ups of one kind took, in seconds; one of each round."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def drop(self, count: int) -> None:
        """Forget the first ones."""
        del self.wall[:count], self.processor[:count]

    def words(self, entities: int) -> str:
        """Write the medians: all of it, how much was work, how much an entity takes."""
        wall = median(self.wall)
        return (
            f"{millis(wall)}, processor {millis(median(self.processor))}; "
            f"{millis(wall / entities)} for each of {entities} entities"
        )


@dataclass
class _Side:
    """What was measured of one integration with one number of devices.

    A new entry is one that was just added; a known one has its devices and entities in
    the registries already, as at each start of Home Assistant but the first.
    """

    new: _Times = field(default_factory=_Times)
    known: _Times = field(default_factory=_Times)
    entities: int = 0

    async def measure(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Set an entry up as a new one, then as a known one, and remove it."""
        before = len(hass.states.async_all())
        await _time(hass, hass.config_entries.async_add(entry), self.new)
        assert entry.state is ConfigEntryState.LOADED, entry.reason
        self.entities = len(hass.states.async_all()) - before
        assert await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()
        await _time(hass, hass.config_entries.async_setup(entry.entry_id), self.known)
        assert entry.state is ConfigEntryState.LOADED, entry.reason
        await hass.config_entries.async_remove(entry.entry_id)
        await hass.async_block_till_done()


async def _time(
    hass: HomeAssistant, deed: Coroutine[Any, Any, object], times: _Times
) -> None:
    gc.collect()  # what others left behind is not to be cleared up in here
    wall, processor = perf_counter(), process_time()
    await deed
    await hass.async_block_till_done()
    times.wall.append(perf_counter() - wall)
    times.processor.append(process_time() - processor)


def _row(kind: str, spans: int, ours: _Side, peer: _Side) -> Row:
    our_times: _Times = getattr(ours, kind)
    peer_times: _Times = getattr(peer, kind)
    # heos waits for some hundred answers, so whatever else the machine does makes it seem
    # slow; the time of the processor shows that, and has to be met as well.
    wall = ratios(our_times.wall, peer_times.wall)
    processor = ratios(our_times.processor, peer_times.processor)
    each = median(wall) * peer.entities / ours.entities
    if (kind, spans) == ("known", _FEW):
        wanted = f"processor at most {_KNOWN_FEW:g} ×"
        is_met = median(processor) <= _KNOWN_FEW
    else:
        wanted = "not slower"
        is_met = median(wall) <= 1 and median(processor) <= 1
    return Row(
        f"set-up of a {kind} entry, {spans} spans",
        our_times.words(ours.entities),
        f"heos, {spans} loudspeakers: {peer_times.words(peer.entities)}",
        f"{spread(wall)}; processor {spread(processor)}; an entity {each:.2f} ×",
        wanted,
        is_met,
    )


async def _measure() -> list[Row]:
    async with (
        running("box", str(_FEW)) as small,
        running("box", str(SPANS)) as large,
        running("loudspeakers") as loudspeakers,
        running_home() as hass,
    ):
        ports = {
            spans: (await box.ask("port"))["port"]
            for spans, box in ((_FEW, small), (SPANS, large))
        }
        sides = {spans: (_Side(), _Side()) for spans in ports}
        for _ in range(_WARMING_UP + _ROUNDS):
            for spans, (ours, peer) in sides.items():
                # A new entry has to meet devices that were never seen, as ours does:
                # removed ones would only be restored.
                await loudspeakers.ask("renew", count=spans)
                await ours.measure(hass, gateway_entry(ports[spans]))
                await peer.measure(
                    hass, make_entry("heos", {CONF_HOST: HOST}, {}, unique_id="heos")
                )
    rows = []
    for spans, (ours, peer) in sides.items():
        for times in (ours.new, ours.known, peer.new, peer.known):
            times.drop(_WARMING_UP)
        rows += [_row(kind, spans, ours, peer) for kind in ("new", "known")]
    return rows


def run() -> list[Row]:
    """Measure it."""
    return asyncio.run(_measure())
