"""A person's regular expression on a stranger's text, with a time limit.

Some expressions take forever on a text made for it, such as (a|a)+$ on many a's.
Python's own `re` can't be stopped then, and blocks all of Home Assistant even from
another thread. The module `regex` can be stopped, and lets other threads run meanwhile.

Compiling can't be stopped, and any user may have Home Assistant check a trigger. The
module writes out what has to be repeated: `a{100000000}` takes all memory, and so do
groups in groups: `(((a)+)+)+`, some levels deeper.
"""

from bisect import insort
from math import prod
import re
from typing import Any, Final

import regex  # type: ignore[import-untyped]

# A usual expression takes some microseconds on the longest SMS.
TIME_LIMIT: Final = 0.1  # seconds

_LONGEST: Final = 2000  # characters; no SMS is longer
# Written out: 3 MB, and some milliseconds. Usual expressions take less than a hundred.
_MOST_STEPS: Final = 10_000
# How often something has to be there at least, behind the end of what is repeated.
_COUNT: Final = re.compile(r"(.?)(?:\{(\d+)(\}?)|\+)", re.DOTALL)
# With the flag x, a count may have spaces and comments in it.
_MAY_BE_SPACED: Final = re.compile(r"\(\?\w*x")
_SPACED_COUNT: Final = re.compile(r"\{\d*[\s#]")


class RegularExpression:
    """A regular expression that is searched for with a time limit."""

    def __init__(self, expression: str, *, ignore_case: bool = False) -> None:
        """Compile the expression; raises ValueError where it isn't one."""
        if len(expression) > _LONGEST or _most_steps(expression) > _MOST_STEPS:
            raise ValueError("not a regular expression: too long, or repeats too much")
        if _MAY_BE_SPACED.search(expression) and _SPACED_COUNT.search(expression):
            raise ValueError("not a regular expression: a number with spaces in it")
        flags = regex.IGNORECASE if ignore_case else 0
        try:
            # The module would keep the last 500 of them.
            self._compiled = regex.compile(expression, flags, cache_pattern=False)
        except (regex.error, RecursionError, OverflowError) as err:
            raise ValueError(f"not a regular expression: {err}") from err

    @property
    def groups(self) -> int:
        """How many groups it has."""
        return int(self._compiled.groups)

    def search(self, text: str) -> dict[int | str, str | None] | None:
        """Return the groups of the first match, None where there is none.

        Call it in an executor: it may take as long as `TIME_LIMIT`.

        Each is there by its number, 0 being the whole match, and a named one by its
        name as well. Raises TimeoutError after `TIME_LIMIT`.
        """
        match: Any = self._compiled.search(text, timeout=TIME_LIMIT, concurrent=True)
        if match is None:
            return None
        groups: dict[int | str, str | None] = {
            number: match[number] for number in range(self.groups + 1)
        }
        groups.update(match.groupdict())
        return groups


def _most_steps(expression: str) -> int:
    """Return how long an expression is at most, with its repetitions written out.

    The module writes out the least number of repetitions, and one more if there may be
    more. What is repeated is one character or set, unless it ends as a group does. Then
    it may be everything, and be in another group that is repeated.
    """
    is_spaced = _MAY_BE_SPACED.search(expression) is not None
    steps, times, of_sets = 0, 1, 1
    groups: list[tuple[int, int]] = []  # copies, and where it ends
    for found in _COUNT.finditer(expression):
        end, count, is_exact = found.groups()
        copies = int(count or 1) + (not is_exact)
        if end == ")":
            groups.append((max(1, copies), found.start()))
        elif (is_spaced and end.isspace()) or (count and end in ("", "}")):
            times *= max(1, copies)
        elif end == "]":
            of_sets = max(of_sets, copies)
        elif count:
            steps += copies
    # All sets together are no longer than the expression.
    return (
        (steps + of_sets * len(expression)) * times * _most_copies(expression, groups)
    )


def _most_copies(expression: str, groups: list[tuple[int, int]]) -> int:
    """Return how many copies groups make of what's in the innermost of them, at most.

    `groups` are copies and ends of what may be a group that is repeated. Those around
    one end behind it, and begin before its end: there are no more of them than
    brackets, even if some of these are no groups. So many groups in a row aren't taken
    for as many in each other.
    """
    most = 1
    copies: list[int] = []  # of this group and those that end behind it, the most last
    for here, end in reversed(groups):
        insort(copies, here)
        around = min(len(copies), expression.count("(", 0, end))
        most = max(most, prod(copies[len(copies) - around :]))
        if most > _MOST_STEPS:
            break  # enough of large numbers
    return most
