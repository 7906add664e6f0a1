"""How `script/fuzz` tries properties: many examples, however long one takes.

It loads this as a plugin of pytest.
"""

import inspect
import os
from pathlib import Path
import random
import time

from hypothesis import settings
import pytest

#: In seconds of the epoch; nothing is begun after it.
END = float(os.environ.get("FUZZ_END", "inf"))

#: Where to write how many properties were tried, and of how many.
COUNTS = os.environ.get("FUZZ_COUNTS")

# A round must come to its end now and then, so that each property gets its turn.
settings.register_profile("fuzz", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile("fuzz")

_tried = 0


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Keep the tests of properties, also those that hold one inside of them."""
    kept = [item for item in items if _tries_examples(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    # The time may be too short for all of them, and then not always for the same.
    random.shuffle(kept)
    items[:] = kept


def _tries_examples(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and (
        item.get_closest_marker("hypothesis") is not None
        or "@given(" in inspect.getsource(item.function)
    )


def pytest_runtest_logstart() -> None:
    """Begin no other test when the time is over."""
    if time.time() > END:
        pytest.exit("The time is over", returncode=0)


def pytest_runtest_logfinish() -> None:
    """Count a property that was tried to its end."""
    global _tried
    _tried += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the script, which may start another round."""
    if COUNTS:
        Path(COUNTS).write_text(f"{_tried} {len(session.items)}\n")
