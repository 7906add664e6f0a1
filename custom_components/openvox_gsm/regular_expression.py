"""A person's regular expression on a stranger's text, with a time limit.

Some expressions take forever on a text made for it, such as (a|a)+$ on many a's.
Python's own `re` can't be stopped then, and blocks all of Home Assistant even from
another thread. The module `regex` can be stopped, and lets other threads run meanwhile.
"""

from typing import Any, Final

import regex  # type: ignore[import-untyped]

# A usual expression takes some microseconds on the longest SMS.
TIME_LIMIT: Final = 0.1  # seconds


class RegularExpression:
    """A regular expression that is searched for with a time limit."""

    def __init__(self, expression: str, *, ignore_case: bool = False) -> None:
        """Compile the expression; raises ValueError where it isn't one."""
        flags = regex.IGNORECASE if ignore_case else 0
        try:
            self._compiled = regex.compile(expression, flags)
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
