"""The rows of the table, and how figures are put together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from statistics import median, quantiles

_HEAD = ("what", "measured", "beside it", "ratio", "wanted", "met")


@dataclass(frozen=True)
class Row:
    """One line of the table, in words; `met` is None where nothing was wanted."""

    what: str
    measured: str
    peer: str = "–"
    ratio: str = "–"
    wanted: str = "–"
    met: bool | None = None

    @property
    def cells(self) -> list[str]:
        """The words of each column."""
        words = [str(getattr(self, field.name)) for field in fields(self)[:-1]]
        return [*words, {True: "yes", False: "**no**", None: "–"}[self.met]]


def table(rows: Iterable[Row]) -> str:
    """Write rows as a table in Markdown."""
    lines = [_HEAD, ("---",) * len(_HEAD), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def ratios(figures: Sequence[float], peers: Sequence[float]) -> list[float]:
    """Divide each figure by its peer's of the same round; the smallest comes first."""
    return sorted(figure / peer for figure, peer in zip(figures, peers, strict=True))


def spread(factors: Sequence[float]) -> str:
    """Write the median of some ratios, and how far they lie apart."""
    return f"{median(factors):.2f} × ({min(factors):.2f} to {max(factors):.2f})"


def percentile(figures: Sequence[float], percent: int) -> float:
    """Return a percentile, interpolated between the figures themselves."""
    return quantiles(figures, n=100, method="inclusive")[percent - 1]


def micros(seconds: float) -> str:
    """Write a short time."""
    return f"{seconds * 1e6:.1f} µs"


def millis(seconds: float) -> str:
    """Write a time."""
    return f"{seconds * 1e3:.2f} ms"
