"""The table of docs/development/reliability.md: each row is a test of this folder."""

from dataclasses import dataclass
from pathlib import Path
import re

PAGE = Path(__file__).parents[2] / "docs" / "development" / "reliability.md"

_TIME = re.compile(r"(?P<count>\d+) (?P<unit>s|min)|(?P<now>at once)|(?P<none>–)")


@dataclass(frozen=True, slots=True)
class Row:
    """A row: how long it takes until the fault is noticed, and until all is normal again.

    In seconds at most; None where there is nothing to wait for.
    """

    test: str
    noticed: float | None
    normal: float | None


def read_rows() -> list[Row]:
    """Read all rows that name a test."""
    return [
        Row(test[1], _seconds(cells[-3]), _seconds(cells[-2]))
        for line in PAGE.read_text().splitlines()
        if line.startswith("|")
        for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
        if (test := re.fullmatch(r"`(test_\w+)`", cells[-1]))
    ]


def _seconds(cell: str) -> float | None:
    """Read a cell that begins with a time: "40 s", "5 min", "at once", or a dash."""
    time = _TIME.match(cell)
    if not time:
        raise ValueError(f"No time in the table: {cell}")
    if time["count"]:
        return int(time["count"]) * (60 if time["unit"] == "min" else 1)
    return 0 if time["now"] else None
