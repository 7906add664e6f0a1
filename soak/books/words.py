"""Words and texts, as the books keep them."""

from collections import Counter
from collections.abc import Iterable


def counts(words: Iterable[str]) -> str:
    """Say how often each word is there."""
    return ", ".join(
        f"{times} {word}" for word, times in sorted(Counter(words).items())
    )


def copied(text: str) -> str:
    """Copy a text, so that the integration's own counts as given back."""
    return text.encode().decode()
