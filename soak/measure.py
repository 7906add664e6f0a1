"""What a process holds: memory, tasks, sockets, what encrypts them."""

import asyncio
from asyncio.sslproto import SSLProtocol
from dataclasses import dataclass, field
import gc
from pathlib import Path
import tracemalloc

from custom_components.openvox_gsm.phone_numbers import comparable_sender

_INTEGRATION = tracemalloc.Filter(True, "*/custom_components/openvox_gsm/*")
# What the soak itself writes down, and what measuring takes.
_NOT_OF_THE_SOAK = (
    tracemalloc.Filter(False, f"{Path(__file__).parent}/*"),
    tracemalloc.Filter(False, tracemalloc.__file__),
)
_PAGE = 4096  # bytes
_PLACES = 8


@dataclass(frozen=True)
class Holding:
    """What is held at one moment; memory in bytes.

    `integration` is what the integration's own code has allocated and not given
    back, `python` what all of Python's code has but the soak's own. `resident` is
    what the process has of the machine: the soak's books, tracemalloc's and all that
    was needed once are in it, so it says little. `encrypted` counts what encrypts a
    connection: each takes 256 KiB for as long as anybody keeps it, which is all in
    Python's own code.
    """

    integration: int
    python: int
    resident: int
    task_names: list[str] = field(repr=False)
    sockets: int
    encrypted: int
    snapshot: tracemalloc.Snapshot = field(repr=False)

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return len(self.task_names)

    def __str__(self) -> str:
        """Say it in a line."""
        return (
            f"integration {self.integration / 1024:.0f} KiB, all of Python "
            f"{self.python / 1024:.0f} KiB, process {self.resident / 1024**2:.1f} MiB, "
            f"{self.tasks} tasks, {self.sockets} sockets, "
            f"{self.encrypted} of them encrypted"
        )


def places_that_grew(before: Holding, after: Holding) -> list[str]:
    """Say which lines of the integration hold the most that they did not before."""
    differences = after.snapshot.compare_to(before.snapshot, "lineno")
    return [str(each) for each in differences[:_PLACES] if each.size_diff > 0]


def measure() -> Holding:
    """Measure this process; tracemalloc must be on, and a loop running."""
    comparable_sender.cache_clear()  # it's full only after a thousand numbers
    gc.collect()
    everything = tracemalloc.take_snapshot().filter_traces(_NOT_OF_THE_SOAK)
    snapshot = everything.filter_traces([_INTEGRATION])
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return Holding(
        integration=sum(trace.size for trace in snapshot.traces),
        python=sum(trace.size for trace in everything.traces),
        resident=pages * _PAGE,
        task_names=sorted(_in_words(task) for task in asyncio.all_tasks()),
        sockets=_sockets(),
        encrypted=sum(type(each) is SSLProtocol for each in gc.get_objects()),
        snapshot=snapshot,
    )


def _in_words(task: asyncio.Task[object]) -> str:
    return f"{task.get_name()} ({getattr(task.get_coro(), '__qualname__', '')})"


def _sockets() -> int:
    count = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            count += link.readlink().name.startswith("socket:")
        except FileNotFoundError:
            continue  # the one that reads this folder
    return count
