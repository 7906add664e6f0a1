"""A person's regular expression on a stranger's text.

Some expressions take for ever on a text that was made for it, such as (a|a)+$ and
many a's. Python's own `re` cannot be stopped then, and holds up all of Home
Assistant even from another thread; so the module `regex` is used, which can.
"""

from typing import Any, Final

import regex  # type: ignore[import-untyped]

# A usual expression takes some microseconds on the longest SMS.
TIME_LIMIT: Final = 0.1  # seconds


class Pattern:
    """A regular expression that is looked for with a time limit."""

    def __init__(self, expression: str, *, ignore_case: bool = False) -> None:
        """Read the expression; raises ValueError where it is none."""
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

        All of them stand under their numbers, 0 being the whole match, and named
        ones under their names, too. Raises TimeoutError after `TIME_LIMIT`.
        """
        match: Any = self._compiled.search(text, timeout=TIME_LIMIT)
        if match is None:
            return None
        groups: dict[int | str, str | None] = {
            number: match[number] for number in range(self.groups + 1)
        }
        groups.update(match.groupdict())
        return groups
