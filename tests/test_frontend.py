"""The files of the page: texts stay texts, and every word that they name exists."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.openvox_gsm import messages
from custom_components.openvox_gsm.messages.record import Status

ROOT = Path(messages.__file__).parents[1]
MODULES = {path.name: path.read_text("utf-8") for path in (ROOT / "frontend").iterdir()}
TEXTS: dict[str, Any] = json.loads((ROOT / "translations/en.json").read_text("utf-8"))

# What stands for several keys in the code.
_KEYS = {
    "call.${message.direction}_${message.status}": [
        *(f"call.in_{each}" for each in ("ringing", "answered", "ended", "missed")),
        *(f"call.out_{each}" for each in ("ringing", "answered", "ended")),
        *(f"call.{each}" for each in ("in_failed", "out_failed")),
        *(f"call.out_{each}" for each in ("busy", "no_answer")),
    ],
    "status.${message.status}": [
        f"status.{status}"
        for status in Status
        if status in ("incomplete", "late", "sending", "sent", "failed", "unknown")
        or "delivered" in status
    ],
    "compose.${obstacle}": [
        f"compose.{each}"
        for each in ("withheld", "no_number", "read_only", "no_gateway")
    ],
    "compose.count_${encoding}": ["compose.count_gsm7", "compose.count_unicode"],
    "delete.${kind}_title": ["delete.all_title", "delete.conversation_title"],
    "delete.${kind}_text": ["delete.all_text", "delete.conversation_text"],
    "error.${key}": [
        f"error.{each}"
        for each in ("not_allowed", "not_all_entities", "no_gateway", "unreadable")
    ],
    "list.${key}": ["list.empty", "list.nothing_found"],
    "list.${key}_hint": ["list.empty_hint", "list.nothing_found_hint"],
}


def keys(node: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the paths of all texts."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from keys(value, (*path, key))
        else:
            yield ".".join((*path, key))


@pytest.mark.parametrize("name", MODULES)
def test_no_text_becomes_html_or_code(name: str) -> None:
    """There is nothing in it that could make an element or a script of a text."""
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|document\.write|DOMParser"
        r"|createContextualFragment|srcdoc|\beval\b|new Function|javascript:"
        r'|h\("(?:a|iframe|img|script|object|embed)"',
        MODULES[name],
    )


@pytest.mark.parametrize("name", MODULES)
def test_nothing_is_loaded_from_elsewhere(name: str) -> None:
    """Modules import each other only, by names that exist."""
    imported = re.findall(r'(?:from|import\()\s*"([^"]+)"', MODULES[name])

    assert not re.findall(r"https?://|@import|url\(", MODULES[name])
    assert {each.removeprefix("./") for each in imported} <= MODULES.keys()


@pytest.mark.parametrize("name", MODULES)
def test_right_to_left_needs_no_rules_of_its_own(name: str) -> None:
    """Left and right are never said, but start and end."""
    assert not re.findall(
        r"(?:margin|padding|border)-(?:left|right)|text-align: (?:left|right)"
        r"|\n\s+(?:left|right):",
        MODULES[name],
    )


def test_every_word_exists_and_none_is_left_over() -> None:
    """Of the texts of the page and its card; their forms have labels and helpers."""
    named = [
        key
        for text in MODULES.values()
        for key in re.findall(r'(?:say|words)\(\s*["`]([\w.${}]+)["`]', text)
    ]
    used = {each for key in named for each in _KEYS.get(key, [key])}
    card = {f"card.{key}" for key in used if "." not in key}
    form = set(re.findall(r'\{ name: "(\w+)", selector', MODULES["card.js"]))
    texts = set(keys(TEXTS["config_panel"]))
    helpers = {key for key in texts if key.startswith("card.helpers.")}

    assert {key.removeprefix("card.helpers.") for key in helpers} <= form
    assert texts == (
        {key for key in used if "." in key}
        | card
        | helpers
        | {f"card.labels.{name}" for name in form}
    )
