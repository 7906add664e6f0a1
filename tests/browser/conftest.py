"""One demo and one browser for all journeys; everything started here is ended here."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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
from demo.messages import add_contacts, exchange_messages
from demo.processes import LOOPBACK, PROJECT, Process, choose_ports, unless_dead, until
from simulator.control import ask

FOLDER = PROJECT / ".demo" / "browser"
IMAGES = PROJECT / "docs" / "images"
MAX_IMAGE = 150_000
"""Largest picture in the docs, in bytes."""

OTHER_HOST = "127.0.0.2"
"""Where a second gateway is: on loopback as well, at the port that the form offers."""
_OTHER_PORT = 5038

_PORTS = (8124, 5138, 5140, 5141)
"""Of Home Assistant, the gateway, its control and the second one's control; others where
they are taken."""
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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Leave the docs' pictures alone unless new ones are wanted."""
    parser.addoption(
        "--pictures", action="store_true", help="make the pictures in docs/images again"
    )


@dataclass
class Demo:
    """The running demo: a Home Assistant and its gateway."""

    home: HomeAssistant
    control_port: int
    other_control_port: int

    async def sms_comes_in(self, span: int, sender: str, text: str) -> None:
        """Let the simulated gateway receive an SMS."""
        await ask(
            self.control_port,
            {"do": "sms", "span": span, "from": sender, "text": text},
        )

    async def next_sms(self, span: int, outcome: str) -> None:
        """Say what becomes of the next SMS that a span sends."""
        await ask(
            self.control_port, {"do": "outcome", "span": span, "outcome": outcome}
        )

    async def network_answers(self, span: int, code: str, text: str) -> None:
        """Say what the network answers to a USSD code from now on."""
        await ask(
            self.control_port, {"do": "ussd", "span": span, "code": code, "text": text}
        )

    async def sent(self, text: str) -> dict[str, Any]:
        """Wait for an SMS of this text to leave the gateway, and give it."""

        async def probe() -> dict[str, Any] | None:
            answer = await ask(self.control_port, {"do": "sent"})
            return next((sms for sms in answer["sent"] if sms["text"] == text), None)

        return await until("The sending of the SMS", probe, _WAIT_MS / 1000)


def _simulated_gateway(spans: int, host: str, port: int, control_port: int) -> Process:
    """Make the process of a simulated gateway; entering it starts it."""
    command: list[str | Path] = [
        _PYTHON,
        "-m",
        "simulator",
        "--demo",
        "--status-reports",
    ]
    command += ["--spans", str(spans), "--host", host, "--port", str(port)]
    command += ["--control-port", str(control_port)]
    log = FOLDER / f"gateway-{host}.log"
    return Process(f"The simulated gateway at {host}", command, log)


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
    home_port, ami_port, control_port, other_control_port = choose_ports(*_PORTS)
    config = FOLDER / "config"
    hass = _PYTHON.with_name("hass")
    options = ("--config", config, "--skip-pip", "--log-no-color")
    timeout = aiohttp.ClientTimeout(total=60)
    with _alone():
        make_config(config, home_port)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            _simulated_gateway(8, LOOPBACK, ami_port, control_port) as gateway,
            Process(
                "Home Assistant", [hass, *options], FOLDER / "home-assistant.log"
            ) as process,
        ):
            home = HomeAssistant(session, home_port)
            await unless_dead(home.set_up(ami_port), [gateway, process])
            await unless_dead(add_contacts(home), [gateway, process])
            await unless_dead(exchange_messages(home, control_port), [gateway, process])
            yield Demo(home, control_port, other_control_port)


@pytest.fixture
async def other_gateway(demo: Demo) -> AsyncIterator[str]:
    """Run a second gateway, of 2 spans, which Home Assistant does not know; its host."""

    async def probe() -> bool:
        try:
            return bool(await ask(demo.other_control_port, {"do": "state"}))
        except OSError:
            return False

    port = demo.other_control_port
    async with _simulated_gateway(2, OTHER_HOST, _OTHER_PORT, port) as gateway:
        start = until("The start of the second gateway", probe, _WAIT_MS / 1000)
        await unless_dead(start, [gateway])
        yield OTHER_HOST


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Run the machine's own Chromium, without a window."""
    chromium = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if chromium is None:
        pytest.exit("There is no Chromium: script/browser says how to get it.", 1)
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=chromium, args=_FLAGS)


async def log_in(page: Page, url: str, user: str, password: str) -> None:
    """Log in, and wait for the first page."""
    await page.goto(url)
    await page.get_by_label("Username").fill(user)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_label("Password", exact=True).press("Enter")
    await page.locator("home-assistant-main").wait_for()


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
    await log_in(page, demo.home.url, USER, PASSWORD)
    yield page
    await context.close()


@pytest.fixture
async def page(_logged_in: Page, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Give the page of the logged-in user; a failure leaves a picture of it."""
    failed = request.session.testsfailed
    yield _logged_in
    if request.session.testsfailed > failed:
        await _logged_in.screenshot(path=FOLDER / f"{request.node.name}.png")


type TakePicture = Callable[[str], Awaitable[None]]


@pytest.fixture
def take_picture(page: Page, pytestconfig: pytest.Config) -> TakePicture:
    """Give what takes a picture of the page; it is kept where the docs' are wanted."""

    async def take(name: str) -> None:
        # What the mouse points at looks different.
        await page.mouse.move(0, 0)
        png = await page.screenshot(animations="disabled", caret="hide")
        assert len(png) <= MAX_IMAGE, f"{name}.png is too large for the docs."
        if pytestconfig.getoption("pictures"):
            (IMAGES / f"{name}.png").write_bytes(png)

    return take
