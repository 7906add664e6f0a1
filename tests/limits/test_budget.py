"""How many SMS may be sent in an hour, a day and a month."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import (
    CONF_DAILY_LIMIT,
    CONF_HOURLY_LIMIT,
    DOMAIN,
)
from custom_components.openvox_gsm.gateway.sending import part as part_module
from custom_components.openvox_gsm.limits.budget import Limits, SmsBudget, Window
from custom_components.openvox_gsm.sending import Recipient, Route, SmsOrder, async_send
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from simulator import Simulator, SmsOutcome

from tests.common import PHONE, poll, set_options, settle
from tests.test_services import send, send_and_ask

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
    reached = issue(hass, loaded)
    assert reached
    told = reached.translation_placeholders or {}
    assert (told["hourly"], told["daily"]) == (
        ("4", "∞") if limit == CONF_HOURLY_LIMIT else ("∞", "4")
    )

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
    ("hourly", "daily", "parts", "says"),
    [
        (4, 0, 1, "has reached its maximum SMS per hour;"),
        (0, 4, 1, "has reached its maximum SMS per day;"),
        # Both are reached, and the day's lasts longer.
        (4, 4, 1, "has reached its maximum SMS per day;"),
        (3, 5, 4, "may send per hour;"),
        (9, 5, 6, "may send per day;"),
    ],
)
async def test_which_limit_is_reached(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hourly: int,
    daily: int,
    parts: int,
    says: str,
) -> None:
    """The error names the one that the message has to wait for."""
    await set_options(
        hass, loaded, **{CONF_HOURLY_LIMIT: hourly, CONF_DAILY_LIMIT: daily}
    )
    loaded.runtime_data.store.budget.load(
        [(int(dt_util.utcnow().timestamp() // 60), 4)]
    )

    recipient = Recipient(PHONE, None, (Route(loaded.runtime_data),))
    outcome = await async_send(hass, SmsOrder(recipient, "x" * (152 * parts)))

    assert says in str(outcome.reason)


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

    room = budget.room(parts).since
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
    """0 stands for none."""
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 0, CONF_DAILY_LIMIT: 0})
    assert all(loaded.runtime_data.store.budget.reserve(10_000) for _ in range(100))


async def test_what_was_not_sent_does_not_count(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    gateway: Simulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What may have been sent does."""
    monkeypatch.setattr(part_module, "LATE_ANSWER_TIME", 0.05)
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 1})
    gateway.spans[1].sms_outcomes.extend([SmsOutcome.FAILED, SmsOutcome.NO_ANSWER])
    gateway.timeout_scale = 0.01

    for expected in ("rejected", "timed_out", "limit_reached"):
        [message] = await send_and_ask(hass, target=PHONE, span=1)
        assert message["status"] != "sent"
        reason = {
            "rejected": "The network rejected it",
            "timed_out": "It's unknown",
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


async def test_a_lower_limit(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """It's an issue only once it refuses a message."""
    await send(hass, target=PHONE, message=LONG)
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 1})
    assert issue(hass, loaded) is None

    with pytest.raises(HomeAssistantError):
        await send(hass, target=PHONE)
    assert issue(hass, loaded)


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


# By itself, with the clock in one's hands


class Time:
    """The time of the loop; the clock is frozen, and is set by hand."""

    def __init__(self, freezer: FrozenDateTimeFactory) -> None:
        """Begin with the clock at noon."""
        self._freezer = freezer
        self._passed = 5000.0
        freezer.move_to(NOON)

    def time(self) -> float:
        """Return the loop's time."""
        return self._passed

    def let_pass(self, minutes: float) -> None:
        """Let time pass, for the clock as well."""
        self._passed += minutes * 60
        self._freezer.tick(timedelta(minutes=minutes))

    def set_clock(self, when: datetime) -> None:
        """Set the clock."""
        self._freezer.move_to(when)

    def restart(self, budget: SmsBudget) -> SmsBudget:
        """Return the budget of the next run."""
        kept = budget.as_list()
        self._passed = 3.0
        new = self.budget(budget.limits)
        new.load(kept)
        return new

    def budget(self, limits: Limits) -> SmsBudget:
        """Return a budget that has counted nothing."""
        return SmsBudget(lambda: limits, self, lambda: None)  # type: ignore[arg-type]


@pytest.fixture
async def time(freezer: FrozenDateTimeFactory, hass: HomeAssistant) -> Time:
    """Time that passes when a test says so; Home Assistant is in Berlin."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    return Time(freezer)


NOONS_MINUTE = int(NOON.timestamp() // 60)


@pytest.mark.parametrize(
    ("limits", "minutes"), [(Limits(hour=5), 60), (Limits(day=5), 24 * 60)]
)
def test_the_minutes_are_right_after_a_restart(
    time: Time, limits: Limits, minutes: int
) -> None:
    """Each SMS counts for its own time."""
    budget = time.budget(limits)
    assert budget.reserve(2)
    time.let_pass(10)
    assert budget.reserve(3)
    assert budget.as_list() == [(NOONS_MINUTE, 2), (NOONS_MINUTE + 10, 3)]

    budget = time.restart(budget)
    assert budget.as_list() == [(NOONS_MINUTE, 2), (NOONS_MINUTE + 10, 3)]
    time.let_pass(minutes - 10)
    assert not budget.has_room(1)
    time.let_pass(0.5)  # it was half past the minute
    assert budget.has_room(2)
    assert not budget.has_room(3)
    time.let_pass(10)
    assert budget.has_room(5)
    assert not budget.has_room(6)


@pytest.mark.parametrize("days", [-400, 400])
def test_what_is_kept_is_in_the_time_of_the_clock(time: Time, days: int) -> None:
    """Though it was set in between: the next run begins with the new time."""
    budget = time.budget(Limits(hour=5))
    assert budget.reserve(5)
    time.let_pass(20)
    time.set_clock(NOON + timedelta(days=days, minutes=20))
    assert not budget.has_room(1)
    [(minute, parts)] = budget.as_list()
    assert (minute - NOONS_MINUTE, parts) == (days * 24 * 60, 5)

    budget = time.restart(budget)
    time.let_pass(40)
    assert not budget.has_room(1)
    time.let_pass(1)
    assert budget.has_room(5)


def test_what_is_given_back_is_given_back_once(time: Time) -> None:
    """It takes nothing else along, even after its time."""
    budget = time.budget(Limits(hour=5))
    first, second = budget.reserve(2), budget.reserve(3)
    assert first
    assert second
    assert budget.left(Window.HOUR) == 0
    budget.cancel(first)
    assert budget.left(Window.HOUR) == 2
    time.let_pass(25 * 60)
    assert budget.reserve(5)
    budget.cancel(second)
    assert budget.left(Window.HOUR) == 0


@pytest.mark.parametrize(
    ("begins", "now", "begun", "end"),
    [
        (1, "2026-05-04 12:00", "2026-05-01", "2026-06-01"),
        (4, "2026-05-04 00:00", "2026-05-04", "2026-06-04"),
        (5, "2026-05-04 23:59", "2026-04-05", "2026-05-05"),
        (15, "2026-12-31 12:00", "2026-12-15", "2027-01-15"),
        (15, "2027-01-01 12:00", "2026-12-15", "2027-01-15"),
        (31, "2026-04-29 12:00", "2026-03-31", "2026-04-30"),
        (31, "2026-04-30 12:00", "2026-04-30", "2026-05-31"),
        (30, "2028-02-29 12:00", "2028-02-29", "2028-03-30"),
    ],
)
def test_when_a_month_begins(
    time: Time, begins: int, now: str, begun: str, end: str
) -> None:
    """On the day that was chosen, or on the last one of a month that is too short."""

    def local(when: str) -> datetime:
        return datetime.fromisoformat(when).replace(tzinfo=ZoneInfo("Europe/Berlin"))

    minute = int(local(begun).timestamp() // 60)
    time.set_clock(local(now))
    budget = time.budget(Limits(month=9, month_begins=begins))
    budget.load([(minute - 1, 1), (minute, 2)])
    assert budget.left(Window.MONTH) == 7
    assert budget.room(8) == (Window.MONTH, local(end))
    assert budget.room(10) == (Window.MONTH, None)


@pytest.mark.parametrize("days", [-400, -1, 1, 400])
def test_setting_the_clock_ends_no_month(time: Time, days: int) -> None:
    """The run goes on with the time that passes."""
    budget = time.budget(Limits(month=1))
    assert budget.reserve(1)
    time.set_clock(NOON + timedelta(days=days))
    assert not budget.has_room(1)

    time.let_pass((27 * 24 + 10) * 60 - 1)  # half a minute to June in Berlin
    assert not budget.has_room(1)
    time.let_pass(0.5)
    assert budget.has_room(1)


def test_what_counts_for_a_month_is_kept_as_long(time: Time) -> None:
    """Over a restart, and no longer."""
    time.set_clock(datetime(2026, 5, 1, tzinfo=UTC))
    budget = time.budget(Limits(month=3))
    assert budget.reserve(2)
    time.let_pass(29 * 24 * 60)
    assert not budget.has_room(2)
    budget = time.restart(budget)
    assert not budget.has_room(2)
    time.let_pass(4 * 24 * 60)
    assert budget.has_room(3)
    assert budget.as_list() == []


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
