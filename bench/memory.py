"""What an entry with 44 spans holds in memory.

One entry is set up first, so that modules, translations and caches that all entries
share are not counted; then what a second one, of another gateway, adds. Python's own
count of its objects is exact; what the process has of the machine comes in pages and
is shown beside it, measured in a run without that count.
"""

import asyncio
import gc
from pathlib import Path
import tracemalloc

from .child import running
from .home import add_gateway, running_home
from .poll import SPANS
from .table import Row

_MIB = 2**20
_LIMIT = 8.0  # MiB
_PAGE = 4096
_SETTLE = 2.0  # seconds in which the registries have been written


def _resident() -> int:
    return _PAGE * int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])


def _traced() -> int:
    return tracemalloc.get_traced_memory()[0]


async def _measure() -> list[Row]:
    async with (
        running("box", str(SPANS)) as first,
        running("box", str(SPANS)) as second,
        running("box", str(SPANS)) as third,
        running_home() as hass,
    ):
        ports = [(await box.ask("port"))["port"] for box in (first, second, third)]
        await add_gateway(hass, ports[0])
        figures = []
        for port, measure in zip(ports[1:], (_resident, _traced), strict=True):
            if measure is _traced:
                tracemalloc.start()
            await asyncio.sleep(_SETTLE)
            gc.collect()
            before, entities = measure(), len(hass.states.async_all())
            await add_gateway(hass, port)
            await asyncio.sleep(_SETTLE)
            gc.collect()
            figures.append((measure() - before) / _MIB)
            entities = len(hass.states.async_all()) - entities
    resident, traced = figures
    return [
        Row(
            f"memory of one entry with {SPANS} spans, {entities} entities",
            f"{traced:.2f} MiB",
            f"pages of the process: {resident:.1f} MiB",
            wanted=f"below {_LIMIT:g} MiB",
            met=max(traced, resident) < _LIMIT,
        )
    ]


def run() -> list[Row]:
    """Measure it."""
    return asyncio.run(_measure())
