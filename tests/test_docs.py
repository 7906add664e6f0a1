"""The docs: examples work, links lead somewhere, and quoted texts exist."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from enum import StrEnum
import json
from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.openvox_gsm.const import DEFAULT_MESSAGES_KEPT, UPDATE_INTERVAL
from custom_components.openvox_gsm.gateway import (
    SMS_TIMEOUT,
    USSD_TIMEOUT,
    CallDirection,
    CallEventType,
    RingOutcome,
    SendFailure,
    UssdStatus,
)
from custom_components.openvox_gsm.limits.budget import (
    DEFAULT_DAILY_LIMIT,
    DEFAULT_HOURLY_LIMIT,
)
from custom_components.openvox_gsm.publisher import NEWS_TIME
from custom_components.openvox_gsm.regular_expression import TIME_LIMIT
from custom_components.openvox_gsm.self_test import ARRIVAL_TIME
from custom_components.openvox_gsm.services.calls import RING_TIME
from custom_components.openvox_gsm.services.observing import DURATION, MAX_RECORDING
from custom_components.openvox_gsm.stored_file import SAVE_DELAY
from custom_components.openvox_gsm.subentry_flow import MAX_INTERVAL, MIN_INTERVAL
from homeassistant.components.alert import CONFIG_SCHEMA as ALERT_SCHEMA
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.script import async_validate_actions_config
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
from simulator import Simulator

from .common import PHONE, settle, until

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


def example(page: str, heading: str, number: int = 1) -> str:
    """Return a YAML block below a heading."""
    text = (ROOT / "docs" / page).read_text()
    _, _, section = text.partition(f"# {heading}\n")
    section, *_ = re.split(r"^#+ ", section, flags=re.MULTILINE)
    blocks = re.findall(r"^```yaml\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return str(blocks[number - 1])


@pytest.mark.parametrize("block", examples())
async def test_an_example_is_valid(
    hass: HomeAssistant, loaded: MockConfigEntry, block: str
) -> None:
    """As an automation, a sequence of actions, an alert, a dashboard, or the card."""
    config = parse_yaml(block)
    if "views" in config:
        assert list(cards(config))
    elif isinstance(config, list):
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


def cards(dashboard: Any) -> Iterator[Any]:
    """Yield the cards of a dashboard of sections."""
    for view in dashboard["views"]:
        for section in view["sections"]:
            yield from section["cards"]


def test_the_dashboard_is_that_of_the_demo() -> None:
    """So its entities exist, which the demo's check makes sure of."""
    in_demo = list(cards(parse_yaml((ROOT / "demo/dashboard.yaml").read_text())))
    in_docs = list(cards(parse_yaml(example("dashboard.md", "A dashboard"))))

    assert len(in_docs) > 5
    assert [card for card in in_docs if card not in in_demo] == []


WATER = "Ask a question by SMS and wait for the answer"
STRANGER = "+15550100"


@pytest.fixture
def switched(hass: HomeAssistant) -> list[ServiceCall]:
    """What was switched off."""
    switched: list[ServiceCall] = async_mock_service(hass, "switch", "turn_off")
    return switched


@pytest.fixture
async def waiting(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    switched: list[ServiceCall],
) -> Callable[[Any], Awaitable[str]]:
    """Returns what starts an automation up to where it waits, and gives its question."""
    hass.states.async_set("binary_sensor.cellar_water", STATE_OFF)
    waits = []
    hass.bus.async_listen("openvox_gsm_sms_sent", waits.append)

    async def waiting(automation: Any) -> str:
        assert await async_setup_component(
            hass, "automation", {"automation": automation}
        )
        hass.states.async_set("binary_sensor.cellar_water", STATE_ON)
        await until(lambda: waits)
        await go_on()
        return gateway.sent[0].text

    return waiting


async def go_on() -> None:
    """Let all run that need not wait."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_an_answer_by_sms(
    hass: HomeAssistant,
    gateway: Simulator,
    waiting: Any,
    switched: list[ServiceCall],
) -> None:
    """The right word of the right person continues the script."""
    question = await waiting(parse_yaml(example("examples.md", WATER)))
    assert question == "Water in the cellar! Reply STOP to switch the pump off."

    for sender, text in ((STRANGER, "stop"), (PHONE, "Don't stop"), (PHONE, "")):
        await gateway.receive_sms(1, sender, text)
    await go_on()
    assert switched == []

    await gateway.receive_sms(1, PHONE, "Stop ")
    await until(lambda: len(gateway.sent) == 2)
    await settle(hass)

    assert [call.data["entity_id"] for call in switched] == [["switch.cellar_pump"]]
    assert gateway.sent[1].text == "The pump is off."
    assert gateway.originated == []


async def test_no_answer_by_sms(
    hass: HomeAssistant,
    gateway: Simulator,
    waiting: Any,
    switched: list[ServiceCall],
) -> None:
    """After a while, something else is done."""
    await waiting(parse_yaml(example("examples.md", WATER)))

    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=15, seconds=1))
    await until(lambda: gateway.originated)
    await settle(hass)

    assert [call.number for call in gateway.originated] == [PHONE]
    assert switched == []


@pytest.mark.parametrize(("answer", "is_right"), [("{}", True), ("1{}", False)])
async def test_an_answer_with_a_code(
    hass: HomeAssistant,
    gateway: Simulator,
    waiting: Any,
    switched: list[ServiceCall],
    answer: str,
    is_right: bool,
) -> None:
    """Only the code of this question is right."""
    automation = parse_yaml(example("examples.md", WATER))
    automation["actions"] = parse_yaml(example("examples.md", WATER, 2))
    question = await waiting(automation)
    (code,) = re.findall(r"\d+", question)

    await gateway.receive_sms(1, PHONE, f"STOP {answer.format(code)}")
    await until(
        lambda: (
            not hass.states.get("automation.water_in_the_cellar").attributes["current"]
        )
    )

    assert bool(switched) is is_right


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


@pytest.mark.parametrize(
    "words", [UssdStatus, SendFailure, CallEventType, CallDirection, RingOutcome]
)
def test_the_words_that_an_automation_compares_are_documented(
    words: type[StrEnum],
) -> None:
    """Each of them may be in an answer or an event."""
    pages = (ROOT / "docs/actions.md", ROOT / "docs/events.md")
    documented = re.findall(r"\w+", " ".join(page.read_text() for page in pages))
    assert {*map(str, words)} <= set(documented)


WORDS = {0.5: "half a", 2: "two", 10: "ten"}


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("actions", f"accept each SMS, from 1 to 300 | {SMS_TIMEOUT} |"),
        ("actions", f"wait for the network, from 1 to 300 | {USSD_TIMEOUT} |"),
        ("actions", f"before the phone starts to ring | {RING_TIME} |"),
        ("actions", f"doesn't arrive within {WORDS[ARRIVAL_TIME / 60]} minutes"),
        ("actions", f"`duration` seconds ({DURATION} by default)"),
        ("actions", f"when it reaches {MAX_RECORDING // 1_000_000} MB"),
        (
            "configuration",
            f"means no limit | {DEFAULT_HOURLY_LIMIT}, {DEFAULT_DAILY_LIMIT}",
        ),
        ("configuration", f"(messages.md) | {DEFAULT_MESSAGES_KEPT} |"),
        ("configuration", f"every {MIN_INTERVAL} to {MAX_INTERVAL} hours"),
        ("entities", f"polled every {UPDATE_INTERVAL.seconds} seconds"),
        ("events", f"takes longer than {TIME_LIMIT} seconds"),
        ("messages", f"came in more than {WORDS[NEWS_TIME / 60]} minutes before"),
        ("messages", f"at most every {WORDS[SAVE_DELAY]} second with up to 500"),
    ],
)
def test_times_and_limits_are_as_documented(page: str, said: str) -> None:
    """A number that changes in the code changes in the docs."""
    text = (ROOT / "docs" / f"{page}.md").read_text()
    assert said in " ".join(text.split())


def test_every_test_that_is_named_exists() -> None:
    """A page says which test shows something."""
    named = [
        (page, path, test)
        for page in PAGES
        for path, test in re.findall(
            r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", page.read_text()
        )
    ]
    assert named
    for page, path, test in named:
        text = (ROOT / path).read_text()
        assert not test or f"def {test}(" in text, (page.name, path, test)


def test_the_forms_and_info_name_the_permissions_of_the_readme() -> None:
    """And the switch in the gateway, without which no SMS come in."""
    rows = re.findall(r"^\| (`.+?) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert "command" in named
    for language in TEXTS.parent.glob("*.json"):
        steps = json.loads(language.read_text("utf-8"))["config"]["step"]
        for step in ("user", "discovery_confirm"):
            text = steps[step]["description"]
            assert set(re.findall(r"\*\*([a-z]+)\*\*", text)) == named
            assert "**SMS Received**" in text
    info = (ROOT / "info.md").read_text().partition("**Before you add it**")[2]
    assert set(re.findall(r"`(\w+)`", info)) == named
    assert "**SMS Received**" in info


def test_troubleshooting_quotes_real_texts() -> None:
    """People search for what they read, so the headings use exactly these words."""
    page = (ROOT / "docs/troubleshooting.md").read_text()
    headings = "\n".join(re.findall(r"^### (.+)$", page, re.MULTILINE))
    texts = json.loads(TEXTS.read_text("utf-8"))
    shown = json.dumps([texts["config"]["error"], texts["exceptions"]])

    quoted = re.findall(r'"([^"]+)"', headings)
    assert quoted
    assert [text for text in quoted if text not in shown] == []
