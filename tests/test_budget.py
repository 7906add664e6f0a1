"""How many SMS a gateway may send in an hour and in a day."""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import (
    CONF_DAILY_LIMIT,
    CONF_HOURLY_LIMIT,
    DOMAIN,
)
from custom_components.openvox_gsm.sending import Recipient, Route, SmsOrder, async_send
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from simulator import Simulator, SmsOutcome

from .common import PHONE, poll, set_options, settle
from .test_services import send, send_and_ask

LONG = "All work and no play makes Jack a dull boy. " * 10  # three parts


NOON = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """Return the issue that says that nothing more is sent."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{entry.entry_id}_sms_limit")


@pytest.mark.parametrize(
    ("limit", "window"), [(CONF_HOURLY_LIMIT, 3600), (CONF_DAILY_LIMIT, 24 * 3600)]
)
async def test_no_more_than_so_many(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
    limit: str,
    window: int,
) -> None:
    """Each part counts. What is too much is refused, and a repair issue says so."""
    await set_options(
        hass, loaded, **{CONF_HOURLY_LIMIT: 0, CONF_DAILY_LIMIT: 0, limit: 4}
    )
    await send(hass, target=PHONE, message=LONG)
    assert issue(hass, loaded) is None

    with pytest.raises(HomeAssistantError, match="its maximum SMS"):
        await send(hass, target=PHONE, message=LONG)
    assert len(gateway.sent) == 1
    assert issue(hass, loaded)

    await send(hass, target=PHONE)  # one more has room
    assert len(gateway.sent) == 2
    assert issue(hass, loaded) is None

    with pytest.raises(HomeAssistantError):
        await send(hass, target=PHONE)
    await poll(hass, freezer)
    assert issue(hass, loaded)
    freezer.tick(window - 60)
    assert loaded.runtime_data.store.budget.is_used_up
    freezer.tick(60)
    await poll(hass, freezer)  # what was asked before that jump has failed
    await poll(hass, freezer)
    assert issue(hass, loaded) is None
    await send(hass, target=PHONE, message=LONG)
    assert len(gateway.sent) == 3


@pytest.mark.parametrize(
    ("zone", "hourly", "daily", "parts", "when"),
    [
        # One SMS at 12:00, another three at 12:20; it is 12:30 in UTC.
        ("UTC", 4, 0, 1, "13:01"),
        ("UTC", 4, 0, 2, "13:21"),
        ("Europe/Berlin", 4, 0, 1, "15:01"),
        ("UTC", 0, 4, 1, "2026-05-05 12:01"),
        ("UTC", 4, 5, 3, "2026-05-05 12:21"),
        ("America/New_York", 0, 4, 1, "2026-05-05 08:01"),
        # There it is 22:30, and half an hour later it is tomorrow.
        ("Australia/Sydney", 4, 0, 1, "23:01"),
        ("Pacific/Auckland", 4, 0, 1, "01:01"),
        ("Asia/Vladivostok", 4, 0, 2, "23:21"),
        ("Asia/Magadan", 4, 0, 2, "2026-05-05 00:21"),
    ],
)
async def test_from_when_on_there_is_room_again(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    zone: str,
    hourly: int,
    daily: int,
    parts: int,
    when: str,
) -> None:
    """In local time, with the date unless it is today's; then it has room indeed."""
    await hass.config.async_set_time_zone(zone)
    await set_options(
        hass, loaded, **{CONF_HOURLY_LIMIT: hourly, CONF_DAILY_LIMIT: daily}
    )
    budget = loaded.runtime_data.store.budget
    freezer.move_to(NOON)
    assert budget.reserve(1)
    freezer.move_to(NOON + timedelta(minutes=20))
    assert budget.reserve(3)
    freezer.move_to(NOON + timedelta(minutes=30))

    recipient = Recipient(PHONE, None, (Route(loaded.runtime_data),))
    outcome = await async_send(hass, SmsOrder(recipient, "x" * (152 * parts)))
    assert outcome.result.parts == parts
    assert f"; you can send again from {when}," in str(outcome.reason)

    room = budget.room_from(parts)
    assert room
    freezer.move_to(room - timedelta(seconds=1))
    assert budget.reserve(parts) is None
    freezer.move_to(room)
    assert budget.reserve(parts)


async def test_sixty_an_hour_unless_said_otherwise(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """A runaway automation comes to its end."""
    messages = [
        message
        for n in range(7)
        for message in await send_and_ask(
            hass, target=[f"+49151{n}{m}" for m in range(10)]
        )
    ]

    assert [each["status"] for each in messages].count("sent") == 60
    assert len(gateway.sent) == 60


async def test_no_limit(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """Nought stands for none."""
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 0, CONF_DAILY_LIMIT: 0})
    assert all(loaded.runtime_data.store.budget.reserve(10_000) for _ in range(100))


async def test_what_was_not_sent_does_not_count(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """What may have been sent does."""
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 1})
    gateway.spans[1].sms_outcomes.extend([SmsOutcome.FAILED, SmsOutcome.NO_ANSWER])
    gateway.timeout_scale = 0.01

    for expected in ("rejected", "timed_out", "limit_reached"):
        [message] = await send_and_ask(hass, target=PHONE, span=1)
        assert message["status"] != "sent"
        reason = {
            "rejected": "the network rejected it",
            "timed_out": "it's unknown",
            "limit_reached": "OpenVox has reached its maximum SMS",
        }[expected]
        assert message["error"].startswith(reason)


async def test_higher_limits_count_at_once(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The issue goes with them."""
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 1})
    await send(hass, target=PHONE)
    with pytest.raises(HomeAssistantError):
        await send(hass, target=PHONE)
    assert issue(hass, loaded)

    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 2})
    assert issue(hass, loaded) is None
    await send(hass, target=PHONE)


async def test_the_count_survives_a_restart(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
    hass_storage: dict[str, Any],
) -> None:
    """Home Assistant is restarted where something runs away."""
    # The clock was a year ahead when these were sent.
    next_year = int((datetime.now(UTC) + timedelta(days=365)).timestamp())
    sent = [[next_year // 60, 59]]
    hass_storage[f"{DOMAIN}.{entry.entry_id}"] = {"version": 1, "data": {"sent": sent}}
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)

    await send(hass, target=PHONE)
    with pytest.raises(HomeAssistantError):
        await send(hass, target=PHONE)


async def test_the_count_survives_a_reload(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Also one right after a message."""
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 2})
    await send(hass, target=PHONE)
    await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    await send(hass, target=PHONE)
    with pytest.raises(HomeAssistantError):
        await send(hass, target=PHONE)


async def test_a_message_that_is_longer_than_the_limit(
    hass: HomeAssistant, loaded: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """It never has room; the issue goes once anything has."""
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 2})
    with pytest.raises(
        HomeAssistantError, match="needs 3 SMS, which is more than OpenVox may"
    ):
        await send(hass, target=PHONE, message=LONG)
    await poll(hass, freezer)
    assert issue(hass, loaded) is None


async def test_the_count_is_kept_and_removed_with_the_gateway(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """It is written soon after each message."""
    await send(hass, target=PHONE, message=LONG)
    await poll(hass, freezer)
    key = f"{DOMAIN}.{loaded.entry_id}"
    assert [parts for _, parts in hass_storage[key]["data"]["sent"]] == [3]

    await hass.config_entries.async_remove(loaded.entry_id)
    await settle(hass)
    assert key not in hass_storage
