"""The docs: examples are valid, links lead somewhere, and quoted texts exist."""

import json
from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.alert import CONFIG_SCHEMA as ALERT_SCHEMA
from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.script import async_validate_actions_config
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OWN = re.compile(r"https://github\.com/[\w-]+/openvox_gsm/blob/main/")
"""Addresses of the project's own files."""
CARD = ROOT / "custom_components/openvox_gsm/frontend/card.js"
TEXTS = ROOT / "custom_components/openvox_gsm/translations/en.json"


def examples() -> list[Any]:
    """Return every YAML block of the documents."""
    return [
        pytest.param(block, id=f"{page.name}-{number}")
        for page in PAGES
        for number, block in enumerate(
            re.findall(
                r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL
            ),
            1,
        )
    ]


@pytest.mark.parametrize("block", examples())
async def test_an_example_is_valid(
    hass: HomeAssistant, loaded: MockConfigEntry, block: str
) -> None:
    """As an automation, a sequence of actions, an alert, or the card."""
    config = parse_yaml(block)
    if isinstance(config, list):
        await async_validate_actions_config(hass, cv.SCRIPT_SCHEMA(config))
    elif "alert" in config:
        ALERT_SCHEMA(config)
    elif config.get("type") == "custom:openvox-gsm-messages":
        assert config.keys() - {"type"} <= set(
            re.findall(r'{ name: "(\w+)", selector', CARD.read_text("utf-8"))
        )
    else:
        assert await async_setup_component(hass, "automation", {"automation": config})
        (automation,) = hass.states.async_all("automation")
        assert automation.state == STATE_ON


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file of the project and a heading in it, unless it's an address."""
    links = re.findall(r"\]\(([^)]+)\)|^\[.+\]: (.+)$", page.read_text(), re.MULTILINE)
    for link in (first or second for first, second in links):
        own = OWN.sub("", link)
        if "://" in own:
            continue
        path, _, anchor = own.partition("#")
        folder = page.parent if own == link else ROOT
        target = folder / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_troubleshooting_quotes_real_texts() -> None:
    """People search for what they read, so the headings use exactly these words."""
    page = (ROOT / "docs/troubleshooting.md").read_text()
    headings = "\n".join(re.findall(r"^### (.+)$", page, re.MULTILINE))
    texts = json.loads(TEXTS.read_text("utf-8"))
    shown = json.dumps([texts["config"]["error"], texts["exceptions"]])

    quoted = re.findall(r'"([^"]+)"', headings)
    assert quoted
    assert [text for text in quoted if text not in shown] == []
