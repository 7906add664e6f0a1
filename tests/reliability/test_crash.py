"""Home Assistant ends from one moment to the next, as when the power fails."""

import asyncio
from copy import deepcopy
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import time
from typing import Any

import aiohttp
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.limits.budget import DEFAULT_HOURLY_LIMIT
from custom_components.openvox_gsm.publisher import PUBLISHERS
from custom_components.openvox_gsm.store import STORES
from demo.home import HomeAssistant as HomeAssistantClient, make_config
from demo.processes import choose_ports, until
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from simulator import Simulator, SmsOutcome

from tests.common import OTHER_PHONE, PHONE, pass_time, settle, until as until_in_loop
from tests.home_assistant_process import is_running, running_home_assistant

COUNTERS = ("sms_received", "sms_sent", "sms_failed")


@pytest.fixture
def config(tmp_path: Path) -> tuple[Path, int]:
    """The configuration folder of a Home Assistant, and the port of its page."""
    (port,) = choose_ports(8125)
    make_config(tmp_path / "config", port)
    return tmp_path / "config", port


async def counts(home: HomeAssistantClient, span: int) -> list[int]:
    """Return the counters of a span: received, sent and failed."""
    return [int(await home.state(f"sensor.gsm_{span}_{key}")) for key in COUNTERS]


async def test_home_assistant_is_killed(
    gateway: Simulator, config: tuple[Path, int]
) -> None:
    """In a burst of SMS; what is older than a second counts and is kept.

    One SMS is half sent and another half received: none is sent again.
    """
    folder, port = config
    half_sent, half_received = "+4915799999999", "A text of two parts. " * 10
    history: list[tuple[float, list[int]]] = []

    async def exchange_sms(home: HomeAssistantClient) -> None:
        """Let SMS come in and go out, and note how many of each there are."""
        done = [0, 0, 0]
        gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
        while True:
            await gateway.receive_sms(1, PHONE, f"In {done[0]}")
            answer = await home.ask_action(
                "notify.send_sms", message=f"Out {done[1]}", target=PHONE, span=1
            )
            (message,) = answer["messages"]
            done = [
                done[0] + 1,
                done[1] + (message["status"] == "sent"),
                done[2] + (message["status"] == "failed"),
            ]
            history.append((time.monotonic(), done))
            await asyncio.sleep(0.08)

    async with aiohttp.ClientSession() as session:
        home = HomeAssistantClient(session, port)
        async with running_home_assistant(folder) as process:
            await home.set_up(gateway.port)
            exchange = asyncio.create_task(exchange_sms(home))
            await asyncio.sleep(2.5)
            gateway.spans[2].send_duration = 2
            sending = asyncio.create_task(
                home.ask_action(
                    "notify.send_sms", message="Hello", target=half_sent, span=2
                )
            )
            await gateway.receive_sms(2, OTHER_PHONE, half_received, order=[1])
            await asyncio.sleep(1)
            killed_at = time.monotonic()
            process.kill()
            await process.wait()
            for unanswered in (exchange, sending):
                with pytest.raises(aiohttp.ClientError):
                    await unanswered
        kept = stored_messages(folder)

        least = [done for at, done in history if at < killed_at - 1][-1]
        sent_before = len(gateway.sent)
        async with running_home_assistant(folder):
            await until("The second start", lambda: is_running(home), 60)
            after = await counts(home, 1)
            gateway.spans[2].send_duration = 0
            await gateway.receive_sms(2, OTHER_PHONE, "Are you there?")
            targets = [f"+4915112{number:06}" for number in range(DEFAULT_HOURLY_LIMIT)]
            await home.ask_action("notify.send_sms", message="Hello", target=targets)
            await asyncio.sleep(1)
        kept_later = stored_messages(folder)

    assert [each.number for each in gateway.sent].count(half_sent) == 1
    most = [len(history) + 1, sent_before, 1]
    for fewest, count, all_of_them in zip(least, after, most, strict=True):
        assert fewest <= count <= all_of_them
    for fewest, status in zip(least, ("received", "sent", "failed"), strict=True):
        assert fewest <= sum(each["status"] == status for each in kept)
    over = [each for each in kept if each["status"] != "sending"]
    assert [each for each in kept_later if each in over] == over
    assert all(each["status"] != "sending" for each in kept_later)
    statuses = {each["number"]: each["status"] for each in kept_later}
    assert (statuses[half_sent], statuses[OTHER_PHONE]) == ("unknown", "received")
    assert least[0] > 5
    assert least[2] == 1
    assert (
        DEFAULT_HOURLY_LIMIT
        <= len(gateway.sent)
        <= DEFAULT_HOURLY_LIMIT + sent_before - least[1]
    )


def stored_messages(config: Path) -> list[dict[str, Any]]:
    """Return the messages in the file of the only gateway."""
    [file] = (config / ".storage").glob(f"{DOMAIN}.messages.*")
    messages: list[dict[str, Any]] = json.loads(file.read_text())["data"]["messages"]
    return messages


# What the statistics make of it

RECEIVED = "sensor.gsm_1_sms_received"


async def test_statistics_after_a_crash(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    enable_custom_integrations: None,
    freezer: FrozenDateTimeFactory,
    gateway: Simulator,
    entry: MockConfigEntry,
) -> None:
    """A counter that lost its last second is not taken for one that started over."""
    begin = datetime(2026, 11, 24, 12, 50, tzinfo=UTC)
    freezer.move_to(begin)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    for number in range(3):
        await receive(hass, gateway, number + 1)
        await pass_time(hass, freezer, 2)
    saved = deepcopy(hass_storage[f"{DOMAIN}.{entry.entry_id}"])
    await receive(hass, gateway, 4)

    await hass.config_entries.async_unload(entry.entry_id)
    del hass.data[STORES], hass.data[PUBLISHERS]  # what a new process doesn't have
    hass_storage[f"{DOMAIN}.{entry.entry_id}"] = saved
    await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)

    assert received(hass) == 3
    freezer.move_to(begin + timedelta(minutes=5))
    await compile_statistics(hass, begin)
    await receive(hass, gateway, 4)
    await receive(hass, gateway, 5)
    freezer.move_to(begin + timedelta(minutes=10))
    await compile_statistics(hass, begin + timedelta(minutes=5))

    assert await sums(hass, begin, "5minute") == [3, 5]
    assert await sums(hass, begin, "hour") == [5]


async def receive(hass: HomeAssistant, gateway: Simulator, count: int) -> None:
    """Let an SMS come in, and wait until the counter has come to `count`."""
    await gateway.receive_sms(1, OTHER_PHONE, f"Number {count}")
    await until_in_loop(lambda: received(hass) == count)


def received(hass: HomeAssistant) -> int:
    """Return the counter."""
    state = hass.states.get(RECEIVED)
    assert state
    return int(state.state)


async def compile_statistics(hass: HomeAssistant, begin: datetime) -> None:
    """Compile the statistics of five minutes; of an hour too when these are its last."""
    await async_wait_recording_done(hass)
    do_adhoc_statistics(hass, start=begin)
    await async_wait_recording_done(hass)


async def sums(hass: HomeAssistant, begin: datetime, period: Any) -> list[Any]:
    """Return the sums of the counter in the statistics from a time on."""
    statistics = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        *(hass, begin.replace(minute=0), None, {RECEIVED}, period, None, {"sum"}),
    )
    return [each["sum"] for each in statistics[RECEIVED]]
