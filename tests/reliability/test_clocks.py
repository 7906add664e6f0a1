"""Clocks jump."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import freezegun
import freezegun.api
from freezegun.api import (
    FrozenDateTimeFactory,
    StepTickTimeFactory,
    TickingDateTimeFactory,
)
import pytest

from custom_components.openvox_gsm.const import CONF_HOURLY_LIMIT

from .house import LOST, House
from .test_connection import is_sending, receive_parts

from tests.limits.test_sims import limit

type WallClock = StepTickTimeFactory | TickingDateTimeFactory | FrozenDateTimeFactory

DAYS = pytest.mark.parametrize("days", [400, -400], ids=["forward", "back"])

CLOCKS = pytest.mark.parametrize(
    "timers_too", [True, False], ids=["all-clocks-jump", "only-the-wall-clock-jumps"]
)


@pytest.fixture
async def wall_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[WallClock]:
    """The clock on the wall, which the loop does not look at."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "time", freezegun.api.real_monotonic)
    with freezegun.freeze_time("2026-11-24 12:00:00", tick=True) as clock:
        yield clock


@pytest.mark.real_time
@DAYS
async def test_clock_is_set(wall_clock: WallClock, house: House, days: int) -> None:
    """Even between the parts of a long SMS; nothing is lost, or there twice."""
    await house.set_up()
    await house.prove_normal()
    text = house.new_text(3)
    await receive_parts(house, text, 1)
    wall_clock.tick(timedelta(days=days))
    await receive_parts(house, text, 2, 3)
    house.delivered.append(text)
    assert house.texts[-1] == text
    await house.entry.runtime_data.coordinator.async_refresh()

    await house.recovers()

    await house.prove_normal()


@pytest.mark.real_time
@DAYS
async def test_clock_is_set_at_the_limit(
    wall_clock: WallClock, house: House, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """It neither lifts the limit nor stops all sending for a year."""

    async def send() -> str:
        sending = house.send()
        await house.until(sending.task.done)
        return str(sending.result["status"])

    await house.set_up()
    house.hass.config_entries.async_update_entry(
        house.entry, options={CONF_HOURLY_LIMIT: 2}
    )
    assert [await send() for _ in range(3)] == ["sent", "sent", "failed"]

    wall_clock.tick(timedelta(days=days))
    await house.entry.runtime_data.coordinator.async_refresh()
    assert await send() == "failed"

    hour = 3660
    monkeypatch.setattr(
        asyncio.get_running_loop(),
        "time",
        lambda: freezegun.api.real_monotonic() + hour,
    )
    wall_clock.tick(hour)
    await house.entry.runtime_data.coordinator.async_refresh()

    await house.recovers()

    await house.prove_normal()


@pytest.mark.real_time
@DAYS
async def test_clock_is_set_at_the_limit_of_a_sim(
    wall_clock: WallClock, house: House, days: int
) -> None:
    """Another month by the clock is no other month."""

    async def send() -> str:
        sending = house.send(1)
        await house.until(sending.task.done)
        return str(sending.result["status"])

    await house.set_up()
    await limit(house.hass, house.entry, 1, month=2)
    assert [await send() for _ in range(3)] == ["sent", "sent", "failed"]

    wall_clock.tick(timedelta(days=days))
    await house.entry.runtime_data.coordinator.async_refresh()
    assert await send() == "failed"

    hass, entry = house.hass, house.entry
    for subentry_id in list(entry.subentries):
        hass.config_entries.async_remove_subentry(entry, subentry_id)
    await house.recovers()

    await house.prove_normal()


@CLOCKS
async def test_computer_sleeps(house: House, timers_too: bool) -> None:
    """For two hours, in the middle of a send; the connection outlives it."""
    await house.set_up()
    house.gateway.spans[1].send_duration = 3
    sending = house.send(1)
    await is_sending(house)
    house.let_sleep(7200, timers_too=timers_too)
    house.gateway.spans[1].send_duration = 0

    await house.recovers(lambda: house.is_normal and sending.task.done())

    # Its time is up where the timers went on meanwhile.
    assert sending.result["status"] == ("unknown" if timers_too else "sent")
    assert len(house.gateway.sent) == 1
    await house.pass_time(60)
    await house.prove_normal()


@CLOCKS
async def test_silent_after_sleep(house: House, timers_too: bool) -> None:
    """The connection did not outlive it, and nobody tells Home Assistant."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.spans[1].send_duration = 3
    sending = house.send(1)
    await is_sending(house)
    house.gateway.faults.freeze()
    house.let_sleep(7200, timers_too=timers_too)

    await house.notices()

    await house.until(sending.task.done)
    assert sending.result["status"] == "unknown"
    house.gateway.spans[1].send_duration = 0
    await house.stay_away()

    house.gateway.faults.thaw()
    await house.recovers()

    await house.prove_normal()
    assert len(house.gateway.sent) == 2
