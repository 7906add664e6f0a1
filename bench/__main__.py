"""Runs the benchmarks, each in a process of its own, and prints one table."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
import os
from pathlib import Path
import platform
import sys
from time import perf_counter

from .group import measure
from .table import Row, table

_LONGEST = 200.0  # seconds for one of them


def main(names: Sequence[str]) -> None:
    """Run those that script/bench names, each a module beside this one."""
    print(_machine())
    rows: list[Row] = []
    for name in names:
        begun = perf_counter()
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            rows += pool.submit(measure, name).result(_LONGEST)
        print(f"{name}: {perf_counter() - begun:.0f} s", file=sys.stderr)
    print(f"\n{table(rows)}")


def _machine() -> str:
    """Say on what this runs."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                processor = line.partition(": ")[2]
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("homeassistant", "panoramisk", "pyheos")
    )
    return (
        f"{processor}, {os.process_cpu_count()} processors, {platform.system()}; "
        f"Python {platform.python_version()}, {packages}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
