"""Runs the benchmarks, each in a process of its own, and prints one table."""

import argparse
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

_NAMES = (
    "stream", "round_trip", "delay", "poll", "sending", "memory", "startup",
)  # fmt: skip
_LONGEST = 200.0  # seconds for one of them


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="script/bench", description="Measures what the integration costs."
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME",
        help=f"what to measure (default: all of {', '.join(_NAMES)})",
    )  # fmt: skip
    names = parser.parse_args(arguments).names or _NAMES
    if unknown := set(names) - set(_NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}: {', '.join(_NAMES)}")
    print(_machine())
    rows: list[Row] = []
    for name in names:
        begun = perf_counter()
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            rows += pool.submit(measure, name).result(_LONGEST)
        print(f"{name}: {perf_counter() - begun:.0f} s", file=sys.stderr)
    print(f"\n{table(rows)}")
    return 0


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
    sys.exit(main())
