"""docs/development/reliability.md lists the tests of this folder, no more and no less."""

import ast
from pathlib import Path

from .table import read_rows

HERE = Path(__file__).parent


def test_every_row_has_a_test_and_every_test_a_row() -> None:
    """In the same order, and nothing twice."""
    tests = [
        node.name
        for path in sorted(HERE.glob("test_*.py"))
        if path.name != Path(__file__).name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
        and node.name.startswith("test_")
    ]
    assert sorted(row.test for row in read_rows()) == sorted(tests)
