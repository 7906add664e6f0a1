"""The count that `script/fuzz` gives of what it has tried."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[2]
# Each property lets the time be over or not.
TESTS = """
from hypothesis import given, strategies as st
from tests.fuzz import profile

@given(st.none())
def test_one(_):
    profile.END = {end}

@given(st.none())
def test_another(_):
    profile.END = {end}

def test_of_no_property():
    raise AssertionError
"""


@pytest.mark.parametrize(
    ("end", "counts"), [("float('inf')", "2 2\n"), ("0", "1 2\n")], ids=["all", "one"]
)
def test_counts_what_was_tried(tmp_path: Path, end: str, counts: str) -> None:
    """Not what had not begun when the time was over, nor what states no property."""
    (tmp_path / "test_some.py").write_text(TESTS.format(end=end))
    (tmp_path / "pytest.ini").touch()
    told = tmp_path / "counts"

    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.fuzz.profile", tmp_path],
        cwd=tmp_path,
        env={
            **os.environ,
            "FUZZ_COUNTS": str(told),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (result.returncode, told.read_text()) == (0, counts), result.stdout
