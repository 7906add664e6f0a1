"""The rooms of the simulator: each knows only those below it."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import simulator

ROOT = Path(simulator.__file__).parent
ROOMS = (
    *("wire", "model", "cli", "faults", "manager", "noise", "listener", "server"),
    "stack",
)
"""From the bottom to the top; what stands above may know all of them."""


def _modules() -> dict[str, ast.Module]:
    """Give every module by its name without the package's, faces left out."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(
            path.read_text("utf-8")
        )
        for path in ROOT.rglob("*.py")
        if path.name != "__init__.py"
    }


def _imports(name: str, tree: ast.Module) -> Iterator[str]:
    """Give the modules of the simulator that a module imports."""
    folder = name.split(".")[:-1]
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        start = folder if node.level else []
        module = [*start, *(node.module or "").removeprefix("simulator").split(".")]
        stem = ".".join(part for part in module if part)
        yield stem
        yield from (f"{stem}.{alias.name}".strip(".") for alias in node.names)


def test_imports_go_down_only() -> None:
    """No room knows one above it, and no two modules know each other."""
    modules = _modules()
    graph = {
        name: {other for other in _imports(name, tree) if other in modules}
        for name, tree in modules.items()
    }
    assert graph["server"] >= {"faults", "model.gateway", "manager.session"}
    assert tuple(TopologicalSorter(graph).static_order())  # raises if there is a circle
    for name, others in graph.items():
        room = name.partition(".")[0]
        if room in ROOMS:
            below = ROOMS[: ROOMS.index(room) + 1]
            assert {other.partition(".")[0] for other in others} <= set(below), name
