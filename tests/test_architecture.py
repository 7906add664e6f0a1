"""The house stays as docs/architecture.md draws it."""

import ast
from collections.abc import Iterator
import dataclasses
import importlib
from pathlib import Path
import re
from typing import get_args

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("custom_components/openvox_gsm", "simulator")


def modules(package: str) -> dict[str, ast.Module]:
    """Return the parsed modules of a package by their dotted names."""
    return {
        _name(path): ast.parse(path.read_text("utf-8"))
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_package(name: str) -> bool:
    return (ROOT / name.replace(".", "/")).is_dir()


def imported(name: str, tree: ast.Module) -> Iterator[str]:
    """Yield all that a module imports, for the type checker as well."""
    parts = name.split(".")
    package = parts if _is_package(name) else parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def arrows(package: str) -> dict[str, set[str]]:
    """Return which module imports which.

    A package whose `__init__` only passes names on is no room of its own.
    """
    trees = modules(package)
    rooms = {
        name
        for name, tree in trees.items()
        if not _is_package(name)
        or any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)
        or any(isinstance(node, ast.AsyncFunctionDef) for node in tree.body)
    }
    return {
        name: {other for other in imported(name, trees[name]) if other in rooms}
        - {name}
        for name in rooms
    }


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return modules that import each other, if there are any."""
    left = dict(graph)
    while free := [name for name, to in left.items() if not to & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_by_way_of_others(package: str) -> None:
    """What stands on the way between two circles would show as well."""
    assert circle(arrows(package)) == []


@pytest.mark.parametrize(
    ("below", "above"),
    [
        ("ami", r"homeassistant|custom_components\.openvox_gsm(?!\.ami\b)"),
        (
            "gateway",
            r"homeassistant|custom_components\.openvox_gsm(?!\.(ami|gateway)\b)",
        ),
    ],
)
def test_nothing_below_knows_what_is_above(below: str, above: str) -> None:
    """AMI knows no GSM, the gateway no Home Assistant."""
    package = f"custom_components/openvox_gsm/{below}"
    assert [
        (name, other)
        for name, tree in modules(package).items()
        for other in imported(name, tree)
        if re.match(above, other) and other != "custom_components.openvox_gsm"
    ] == []


def test_only_one_room_knows_identifiers_and_one_knows_numbers() -> None:
    """The others ask them."""
    trees = modules("custom_components/openvox_gsm")
    users = {
        name.removeprefix("custom_components.openvox_gsm.")
        for name, tree in trees.items()
        if any(other.startswith("phonenumbers") for other in imported(name, tree))
    }
    assert users == {"phone_numbers"}


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_private_of_others_is_used(package: str) -> None:
    """An attribute with an underscore is used only where its own module names it."""
    strangers = []
    for name, tree in modules(package).items():
        own = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in ("self", "cls")
        } | {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        strangers += [
            f"{name}:{node.lineno} .{node.attr}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and re.match(r"_[a-z]|__self__", node.attr)
            and node.attr not in own
        ]
    assert strangers == []


def test_no_object_shows_what_is_private() -> None:
    """Whatever is written to a log or a traceback may be published by its owner."""
    private = re.compile(
        r"(own_)?number|sms_center|imsi|secret|text|message|payload|reply|value"
        r"|(as_)?sender|recipient"
    )
    shown = {
        f"{found.__module__}.{found.__name__}.{field.name}"
        for name in modules("custom_components/openvox_gsm")
        for found in vars(importlib.import_module(name)).values()
        if isinstance(found, type) and dataclasses.is_dataclass(found)
        for field in dataclasses.fields(found)
        if field.repr
        and private.fullmatch(field.name)
        and any(kind in (str, bytes) for kind in (field.type, *get_args(field.type)))
    }
    assert shown == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_is_too_long(package: str) -> None:
    """Files much longer than 400 lines do more than one job."""
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for path in (ROOT / package).rglob("*.py")
    }
    assert {path: count for path, count in lines.items() if count > 450} == {}
