"""One group of rows: a module of this package with a function `run`."""

from importlib import import_module
from typing import cast

from .table import Row


def measure(name: str) -> list[Row]:
    """Measure a group by the name of its module."""
    return cast(list[Row], import_module(f"bench.{name}").run())
