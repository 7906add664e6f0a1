"""One demo and one browser for all journeys; everything started here is ended here."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import fcntl
from pathlib import Path
import shutil
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page, async_playwright, expect
import pytest

from demo.home import PASSWORD, USER, HomeAssistant, make_config
from demo.processes import PROJECT, Process, choose_ports, unless_dead, until
from simulator.control import ask

FOLDER = PROJECT / ".demo" / "browser"
IMAGES = PROJECT / "docs" / "images"
MAX_IMAGE = 150_000
"""Largest picture in the docs, in bytes."""

_PORTS = (8124, 5138, 5140)
"""Of Home Assistant, the gateway and its control; others where they are taken."""
_PYTHON = PROJECT / ".venv" / "bin" / "python"
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_WAIT_MS = 30_000
"""Longest wait for anything in a page; the first load is slow on a small machine."""


@dataclass
class Demo:
    """The running demo: a Home Assistant and its gateway."""

    home: HomeAssistant
    control_port: int

    async def sms_comes_in(self, span: int, sender: str, text: str) -> None:
        """Let the simulated gateway receive an SMS."""
        await ask(
            self.control_port,
            {"do": "sms", "span": span, "from": sender, "text": text},
        )

    async def sent(self, text: str) -> dict[str, Any]:
        """Wait for an SMS of this text to leave the gateway, and give it."""

        async def probe() -> dict[str, Any] | None:
            answer = await ask(self.control_port, {"do": "sent"})
            return next((sms for sms in answer["sent"] if sms["text"] == text), None)

        return await until("The sending of the SMS", probe, _WAIT_MS / 1000)


def _simulated_gateway(port: int, control_port: int) -> Process:
    """Make the process of the simulated gateway; entering it starts it."""
    command: list[str | Path] = [_PYTHON, "-m", "simulator", "--demo", "--spans", "8"]
    command += ["--port", str(port), "--control-port", str(control_port)]
    return Process("The simulated gateway", command, FOLDER / "gateway.log")


@contextmanager
def _alone() -> Iterator[None]:
    """Keep a second run out of the same folder."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.exit("Another run of the browser tests goes on: end it first.", 1)
        yield


@pytest.fixture(scope="session")
async def demo() -> AsyncIterator[Demo]:
    """Run the demo, set up with its gateway of 8 spans."""
    home_port, ami_port, control_port = choose_ports(*_PORTS)
    config = FOLDER / "config"
    hass = _PYTHON.with_name("hass")
    options = ("--config", config, "--skip-pip", "--log-no-color")
    timeout = aiohttp.ClientTimeout(total=60)
    with _alone():
        make_config(config, home_port)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            _simulated_gateway(ami_port, control_port) as gateway,
            Process(
                "Home Assistant", [hass, *options], FOLDER / "home-assistant.log"
            ) as process,
        ):
            home = HomeAssistant(session, home_port)
            await unless_dead(home.set_up(ami_port), [gateway, process])
            yield Demo(home, control_port)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Run the machine's own Chromium, without a window."""
    chromium = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if chromium is None:
        pytest.exit("There is no Chromium: script/browser says how to get it.", 1)
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=chromium, args=_FLAGS)


@pytest.fixture(scope="session")
async def _logged_in(demo: Demo, browser: Browser) -> AsyncIterator[Page]:
    """Log in once, in a window 1280 px wide."""
    context = await browser.new_context(
        viewport={"width": 1280, "height": 900},
        locale="en-GB",
        timezone_id="Europe/Berlin",
        # Animations show half of something.
        reduced_motion="reduce",
        color_scheme="light",
    )
    context.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    page = await context.new_page()
    await page.goto(demo.home.url)
    await page.get_by_label("Username").fill(USER)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Password", exact=True).press("Enter")
    await page.locator("home-assistant-main").wait_for()
    yield page
    await context.close()


@pytest.fixture
async def page(_logged_in: Page, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Give the page of the logged-in user; a failure leaves a picture of it."""
    failed = request.session.testsfailed
    yield _logged_in
    if request.session.testsfailed > failed:
        await _logged_in.screenshot(path=FOLDER / f"{request.node.name}.png")


async def take_picture(page: Page, name: str) -> None:
    """Take the picture that the docs show."""
    path = IMAGES / f"{name}.png"
    await page.screenshot(path=path, animations="disabled", caret="hide")
    assert path.stat().st_size <= MAX_IMAGE, f"{path.name} is too large for the docs."
