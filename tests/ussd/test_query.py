"""What SIMs are asked for again and again."""

import asyncio
from datetime import datetime, timedelta
import logging
from time import monotonic
from types import MappingProxyType
from typing import Any

from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    mock_restore_cache_with_extra_data,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.openvox_gsm import async_remove_config_entry_device
from custom_components.openvox_gsm.const import SUBENTRY_USSD_QUERY
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_COUNTRY, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.restore_state import async_get as restore_data
from homeassistant.util import dt as dt_util
from simulator import Simulator, UssdMenu, UssdOutcome

from tests.common import pass_time, poll, said, settle, span_device, until

SENSOR = "sensor.gsm_2_balance"
BUTTON = "button.gsm_2_query_balance_now"
ANSWER = "Your balance is 12,50 EUR"
PATTERN = r"is ([\d.,]+)"
QUARTER = 15 * 60
HOUR = 60 * 60

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")


def query(name: str = "Balance", **data: Any) -> ConfigSubentry:
    """Return a query as the flow makes it."""
    return ConfigSubentry(
        subentry_type=SUBENTRY_USSD_QUERY,
        title=name,
        unique_id=None,
        data=MappingProxyType(
            {"name": name, "span": 2, "code": "*100#", "interval": 24} | data
        ),
    )


async def set_up(
    hass: HomeAssistant, entry: MockConfigEntry, *queries: ConfigSubentry
) -> None:
    """Set the gateway up with some queries."""
    entry.add_to_hass(hass)
    for each in queries:
        hass.config_entries.async_add_subentry(entry, each)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


async def press(hass: HomeAssistant, entity_id: str = BUTTON) -> None:
    """Query now."""
    await hass.services.async_call(
        "button", "press", {"entity_id": entity_id}, blocking=True
    )


def asked(gateway: Simulator) -> list[tuple[int, str]]:
    """Return span and code of each USSD request."""
    return [
        (int(words[3]), words[4].strip('"'))
        for words in map(str.split, gateway.commands)
        if words[:3] == ["gsm", "send", "ussd"]
    ]


def value(hass: HomeAssistant, entity_id: str = SENSOR) -> str:
    """Return the state of a sensor."""
    state = hass.states.get(entity_id)
    assert state
    return state.state


def attribute(hass: HomeAssistant, name: str) -> Any:
    """Return an attribute of the sensor."""
    state = hass.states.get(SENSOR)
    assert state
    return state.attributes.get(name)


# The entities


async def test_a_query_is_a_sensor_and_a_button(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Named as the query, on the device of its span, part of its subentry."""
    balance = query()
    await set_up(hass, entry, balance)

    for entity_id, name in (
        (SENSOR, "GSM 2 Balance"),
        (BUTTON, "GSM 2 Query Balance now"),
    ):
        state = hass.states.get(entity_id)
        registered = er.async_get(hass).async_get(entity_id)
        assert state
        assert registered
        assert (state.name, state.state) == (name, STATE_UNKNOWN)
        assert registered.device_id == span_device(hass, entry, 2).id
        assert registered.config_subentry_id == balance.subentry_id
    assert span_device(hass, entry, 2).config_subentry_id is None


async def test_a_number_with_its_unit(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Can be drawn as a curve; the whole answer and its time stand beside it."""
    gateway.spans[2].ussd["*100#"] = f"{ANSWER}\nThank you"
    await set_up(hass, entry, query(pattern=PATTERN, unit="EUR"))
    assert attribute(hass, "unit_of_measurement") == "EUR"

    await press(hass)

    assert value(hass) == "12.50"
    assert attribute(hass, "unit_of_measurement") == "EUR"
    assert attribute(hass, "state_class") == "measurement"
    assert attribute(hass, "reply") == f"{ANSWER}\nThank you"
    assert attribute(hass, "answered_at") == dt_util.utcnow().isoformat()


@pytest.mark.parametrize(
    ("written", "shown"), [("12", "12"), ("12,00", "12.00"), ("1.234,5", "1234.5")]
)
async def test_money_has_the_decimals_that_it_came_with(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    written: str,
    shown: str,
) -> None:
    """The state has them, so Home Assistant shows them."""
    gateway.spans[2].ussd["*100#"] = f"Your balance is {written} EUR"
    await set_up(hass, entry, query(pattern=r"is (\S+) EUR", unit="EUR"))

    await press(hass)

    assert value(hass) == shown


async def test_a_number_without_a_unit(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """Is a number, and no more."""
    gateway.spans[2].ussd["*100#"] = ANSWER
    await set_up(hass, entry, query(pattern=PATTERN))

    await press(hass)

    assert value(hass) == "12.50"
    assert attribute(hass, "unit_of_measurement") is None
    assert attribute(hass, "state_class") is None


async def test_a_text(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """Has no unit, though one was expected; what is too long is cut."""
    gateway.spans[2].ussd["*100#"] = "x" * 300
    await set_up(hass, entry, query(unit="EUR"))

    await press(hass)

    assert value(hass) == "x" * 255
    assert attribute(hass, "unit_of_measurement") is None
    assert attribute(hass, "state_class") is None
    assert attribute(hass, "reply") == "x" * 300


# A date


DATE_SENSOR = "sensor.gsm_2_balance_valid_until"
DATE_PATTERN = r"sd (\S+)"


async def test_a_number_and_a_date(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """As a balance came on a box sold today: glued to the words around it."""
    gateway.spans[2].ussd["*100#"] = (
        "Sisa pulsa Rp.23041.Aktif sd 25/11/2016. Mau MP3 ? 1.YA 2.Info Kartu"
    )
    balance = query(pattern=r"pulsa (\S+)", date_pattern=DATE_PATTERN)
    await set_up(hass, entry, balance)
    assert value(hass, DATE_SENSOR) == STATE_UNKNOWN

    await press(hass)

    assert value(hass) == "23041"
    assert value(hass, DATE_SENSOR) == "2016-11-25"
    state = hass.states.get(DATE_SENSOR)
    registered = er.async_get(hass).async_get(DATE_SENSOR)
    assert state
    assert registered
    assert state.name == "GSM 2 Balance valid until"
    assert state.attributes["device_class"] == "date"
    assert registered.device_id == span_device(hass, entry, 2).id
    assert registered.config_subentry_id == balance.subentry_id


@pytest.mark.parametrize(
    ("country", "expected"), [("DE", "2026-04-03"), ("US", "2026-03-04")]
)
async def test_where_the_month_comes_first(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    country: str,
    expected: str,
) -> None:
    """By the country of the gateway."""
    gateway.spans[2].ussd["*100#"] = "7.00 sd 03/04/2026"
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={CONF_COUNTRY: country})
    hass.config_entries.async_add_subentry(entry, query(date_pattern=DATE_PATTERN))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)

    await press(hass)

    assert value(hass, DATE_SENSOR) == expected


async def test_an_answer_without_the_date(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """The last date stays, the new number counts, and there's an error."""
    gateway.spans[2].ussd["*100#"] = "is 7.00 sd 25/11/2016"
    await set_up(hass, entry, query(pattern=PATTERN, date_pattern=DATE_PATTERN))
    await press(hass)
    gateway.spans[2].ussd["*100#"] = "is 5.00 sd tomorrow"

    with pytest.raises(HomeAssistantError) as error:
        await press(hass)

    assert error.value.translation_key == "no_value_in_answer"
    assert (value(hass), value(hass, DATE_SENSOR)) == ("5.00", "2016-11-25")


async def test_a_date_outlives_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """Also one that the last answer did not have."""
    gateway.spans[2].ussd["*100#"] = "is 7.00 sd 25/11/2016"
    await set_up(hass, entry, query(pattern=PATTERN, date_pattern=DATE_PATTERN))
    await press(hass)
    gateway.spans[2].ussd["*100#"] = "is 5.00"
    with pytest.raises(HomeAssistantError):
        await press(hass)

    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)

    assert (value(hass), value(hass, DATE_SENSOR)) == ("5.00", "2016-11-25")


async def test_a_query_that_is_renamed(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """By Home Assistant's own Rename, which changes nothing but the title."""
    balance = query()
    await set_up(hass, entry, balance)

    hass.config_entries.async_update_subentry(entry, balance, title="Credit")
    await settle(hass)

    assert attribute(hass, "friendly_name") == "GSM 2 Credit"


async def test_a_date_that_is_no_longer_looked_for(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Its sensor goes."""
    balance = query(date_pattern=DATE_PATTERN)
    await set_up(hass, entry, balance)
    data = dict(balance.data)
    del data["date_pattern"]

    hass.config_entries.async_update_subentry(entry, balance, data=data)
    await settle(hass)

    assert hass.states.get(DATE_SENSOR) is None
    assert er.async_get(hass).async_get(DATE_SENSOR) is None
    assert value(hass) == STATE_UNKNOWN


# The conversation


async def test_replies_go_into_the_menu(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """One after the other."""
    gateway.spans[2].ussd["*100#"] = UssdMenu(
        "1 Account", {"1": UssdMenu("2 Balance", {"2": "7.00"})}
    )
    await set_up(hass, entry, query(replies=["1", "2"]))

    await press(hass)

    assert asked(gateway) == [(2, "*100#"), (2, "1"), (2, "2")]
    assert value(hass) == "7.00"


async def test_no_reply_where_none_is_expected(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """It would be a code of its own, and may cost money."""
    gateway.spans[2].ussd["*100#"] = UssdMenu("1 Account", {"1": "7.00"})
    await set_up(hass, entry, query(replies=["1", "2"]))

    await press(hass)

    assert asked(gateway) == [(2, "*100#"), (2, "1")]
    assert value(hass) == "7.00"


# Failures


@pytest.mark.parametrize(
    ("outcome", "key", "why"),
    [
        (UssdOutcome.FAILED, "ussd_failed", "the network didn't accept the code"),
        (UssdOutcome.TIMEOUT, "ussd_timed_out", "the network didn't respond in time"),
    ],
)
async def test_a_failure(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    caplog: pytest.LogCaptureFixture,
    outcome: UssdOutcome,
    key: str,
    why: str,
) -> None:
    """Leaves the last value, tells who pressed the button, and the log once."""
    caplog.set_level(logging.INFO)
    span = gateway.spans[2]
    span.ussd["*100#"] = ANSWER
    await set_up(hass, entry, query(pattern=PATTERN))
    await press(hass)

    span.ussd_outcomes.append(outcome)
    with pytest.raises(HomeAssistantError) as caught:
        await press(hass)
    assert caught.value.translation_key == key
    assert value(hass) == "12.50"
    assert attribute(hass, "reply") == ANSWER
    [told] = said(caplog, logging.WARNING)
    assert f"“Balance” of OpenVox on span 2 failed: {why}." in told


async def test_failures_are_told_once(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    caplog: pytest.LogCaptureFixture,
    freezer: FrozenDateTimeFactory,
) -> None:
    """And that it answers again; never the code or the text."""
    caplog.set_level(logging.INFO)
    span = gateway.spans[2]
    span.ussd["*100#"] = ANSWER
    span.ussd_outcomes.extend([UssdOutcome.FAILED] * 3)
    await set_up(hass, entry, query(interval=1))

    for _ in range(5):
        await pass_time(hass, freezer, HOUR)

    assert len(asked(gateway)) == 5
    told = [each for each in said(caplog) if "Balance" in each]
    assert len(told) == 2
    assert "failed" in told[0]
    assert "has an answer again" in told[1]
    assert not any("*100#" in each or ANSWER in each for each in said(caplog))


async def test_an_answer_without_the_value(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Leaves the last value, but shows what was answered; the log does not."""
    gateway.spans[2].ussd["*100#"] = ANSWER
    await set_up(hass, entry, query(pattern=PATTERN))
    await press(hass)

    gateway.spans[2].ussd["*100#"] = "Try again later"
    with pytest.raises(HomeAssistantError) as caught:
        await press(hass)

    assert caught.value.translation_key == "no_value_in_answer"
    assert value(hass) == "12.50"
    assert attribute(hass, "reply") == "Try again later"
    [told] = said(caplog, logging.WARNING)
    assert "Try again later" not in told


@pytest.mark.parametrize(
    ("reply", "quoted"),
    [
        ("UNKNOWN\n APPLICATION", "UNKNOWN APPLICATION"),
        ("x" * 101, "x" * 99 + "…"),
    ],
)
async def test_the_answer_to_a_wrong_code(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    hass_ws_client: WebSocketGenerator,
    reply: str,
    quoted: str,
) -> None:
    """Who pressed the button sees its beginning; nothing of it gets into the log."""
    gateway.spans[2].ussd["*100#"] = reply
    await set_up(hass, entry, query(pattern=PATTERN))
    client = await hass_ws_client(hass)

    await client.send_json_auto_id(
        {
            "type": "call_service",
            "domain": "button",
            "service": "press",
            "service_data": {"entity_id": BUTTON},
        }
    )
    error = (await client.receive_json())["error"]

    assert error["translation_key"] == "no_value_in_answer"
    assert error["translation_placeholders"] == {"name": "Balance", "answer": quoted}
    assert "found no value" in error["message"]  # this is logged
    assert reply[:7] not in error["message"]


async def test_an_expression_that_takes_forever(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """It holds nothing up, and finds no value."""
    gateway.spans[2].ussd["*100#"] = "a" * 100 + "!"
    await set_up(hass, entry, query(pattern="^((?:a|aa)+)$"))

    with pytest.raises(HomeAssistantError, match="found no value"):
        await press(hass)


@pytest.mark.parametrize("key", ["pattern", "date_pattern"])
async def test_an_expression_that_only_an_earlier_version_accepted(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    caplog: pytest.LogCaptureFixture,
    key: str,
) -> None:
    """It finds nothing, and the gateway works."""
    gateway.spans[2].ussd["*100#"] = ANSWER
    await set_up(hass, entry, query(**{key: "(a{100000})"}))

    [told] = said(caplog, logging.WARNING)
    assert "has an expression that can't be used" in told
    with pytest.raises(HomeAssistantError, match="found no value"):
        await press(hass)
    assert attribute(hass, "reply") == ANSWER


async def test_a_group_that_stays_empty_is_no_value(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """Though the expression matches."""
    gateway.spans[2].ussd["*100#"] = "Balance: none"
    await set_up(hass, entry, query(pattern=r"Balance: (\d+)?"))

    with pytest.raises(HomeAssistantError):
        await press(hass)

    assert value(hass) == STATE_UNKNOWN


@pytest.mark.parametrize(
    ("response", "key"),
    [(3, "ussd_failed"), (4, "ussd_failed"), (5, "ussd_timed_out")],
)
async def test_a_response_that_is_no_answer(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    response: int,
    key: str,
) -> None:
    """Answered elsewhere, not supported, network time-out."""
    gateway.spans[2].ussd["*100#"] = UssdMenu("Sorry", response=response)
    await set_up(hass, entry, query())

    with pytest.raises(HomeAssistantError) as caught:
        await press(hass)

    assert caught.value.translation_key == key
    assert value(hass) == STATE_UNKNOWN


# When it is asked


async def test_asked_soon_after_it_was_added(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """But not at once; then as often as said."""
    gateway.spans[2].ussd["*100#"] = "5"
    await set_up(hass, entry, query(interval=6))
    assert not asked(gateway)

    await pass_time(hass, freezer, 31)
    assert len(asked(gateway)) == 1
    assert value(hass) == "5"

    await pass_time(hass, freezer, 6 * HOUR - 60)
    assert len(asked(gateway)) == 1
    await pass_time(hass, freezer, 61)
    assert len(asked(gateway)) == 2


@pytest.mark.parametrize("days", [-400, 400])
async def test_the_clock_is_set(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    days: int,
) -> None:
    """It's asked as often as before, and neither at once nor a year later."""
    await set_up(hass, entry, query(interval=6))
    await pass_time(hass, freezer, 31)
    assert len(asked(gateway)) == 1

    jump = timedelta(days=days)
    freezer.tick(jump)
    # The loop's clock is another one, which nobody sets.
    monkeypatch.setattr(hass.loop, "time", lambda: monotonic() - jump.total_seconds())
    await pass_time(hass, freezer, 6 * HOUR - 60)
    assert len(asked(gateway)) == 1
    for times in (2, 3):
        await pass_time(hass, freezer, 61)
        assert len(asked(gateway)) == times
        await pass_time(hass, freezer, 6 * HOUR - 60)
        assert len(asked(gateway)) == times


async def test_never_more_often_than_every_15_minutes(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Whatever the stored interval."""
    await set_up(hass, entry, query(interval=0.01))
    await pass_time(hass, freezer, 31)

    for _ in range(14):
        await pass_time(hass, freezer, 60)
    assert len(asked(gateway)) == 1
    await pass_time(hass, freezer, 61)
    assert len(asked(gateway)) == 2


async def test_a_failure_waits_for_the_next_time(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """As an answer does."""
    gateway.spans[2].ussd_outcomes.append(UssdOutcome.FAILED)
    await set_up(hass, entry, query(interval=0.25))
    await pass_time(hass, freezer, 31)
    assert len(asked(gateway)) == 1

    await pass_time(hass, freezer, QUARTER - 60)
    assert len(asked(gateway)) == 1
    await pass_time(hass, freezer, 61)
    assert len(asked(gateway)) == 2


async def test_a_press_puts_the_next_time_off(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It counts as asked."""
    await set_up(hass, entry, query(interval=1))
    await press(hass)

    await pass_time(hass, freezer, HOUR - 60)
    assert len(asked(gateway)) == 1
    await pass_time(hass, freezer, 61)
    assert len(asked(gateway)) == 2


async def test_queries_take_turns(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After a start one a minute, though all are due."""
    await set_up(hass, entry, *(query(f"Q{span}", span=span) for span in (1, 2, 3)))

    seen = []
    for _ in range(3):
        await pass_time(hass, freezer, 61)
        seen.append([span for span, _ in asked(gateway)])

    assert seen == [[1], [1, 2], [1, 2, 3]]


async def test_one_query_at_a_time(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """Also where several buttons are pressed at once."""
    for span in (1, 2):
        gateway.spans[span].ussd_duration = 0.1
    await set_up(hass, entry, *(query(f"Q{span}", span=span) for span in (1, 2)))

    presses = [
        hass.async_create_task(press(hass, f"button.gsm_{span}_query_q{span}_now"))
        for span in (1, 2)
    ]
    await until(lambda: asked(gateway))
    await asyncio.sleep(0)
    assert len(asked(gateway)) == 1
    await asyncio.gather(*presses)
    assert len(asked(gateway)) == 2


async def test_a_query_that_was_asked_by_hand_meanwhile(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Is not asked again when its own turn comes."""
    await set_up(hass, entry, query())
    [balance] = entry.runtime_data.ussd_queries.values()

    async with balance._one_at_a_time:  # noqa: SLF001
        by_hand = hass.async_create_task(press(hass))
        freezer.tick(31)
        async_fire_time_changed(hass)
        await asyncio.sleep(0)
    await by_hand
    await settle(hass)

    assert len(asked(gateway)) == 1


async def test_a_busy_span_is_left_alone(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    caplog: pytest.LogCaptureFixture,
    freezer: FrozenDateTimeFactory,
) -> None:
    """And asked soon after; there is nothing to tell."""
    gateway.spans[2].state = "CALL ACTIVE Called from 123"
    await set_up(hass, entry, query())
    for _ in range(10):
        await poll(hass, freezer)
    assert not asked(gateway)

    gateway.spans[2].state = None
    for _ in range(3):
        await poll(hass, freezer)
    assert len(asked(gateway)) == 1
    assert not said(caplog, logging.WARNING)


async def test_a_span_that_gets_busy_at_that_moment(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    caplog: pytest.LogCaptureFixture,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Was not asked, so it need not wait for the next time."""
    await set_up(hass, entry, query())
    gateway.spans[2].status = "No Signal"

    with pytest.raises(HomeAssistantError, match="isn't registered with a network"):
        await press(hass)
    gateway.spans[2].status = "Up"
    for _ in range(3):
        await poll(hass, freezer)

    assert len(asked(gateway)) == 1
    assert not said(caplog, logging.WARNING)


async def test_nothing_is_asked_while_the_gateway_is_away(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The last value stays."""
    gateway.spans[2].ussd["*100#"] = "5"
    await set_up(hass, entry, query(interval=0.25))
    await press(hass)

    await gateway.stop()
    await pass_time(hass, freezer, HOUR)

    assert len(asked(gateway)) == 1
    assert value(hass) == "5"


# Over a restart


def memory(**changed: Any) -> dict[str, Any]:
    """Return what a sensor left behind."""
    an_hour_ago = (dt_util.utcnow() - timedelta(hours=1)).isoformat()
    return {
        "question": [2, "*100#"],
        "asked_at": an_hour_ago,
        "answered_at": an_hour_ago,
        "reply": ANSWER,
        "value": "12,50",
        "date": None,
    } | changed


def remember(hass: HomeAssistant, **changed: Any) -> None:
    """Let a sensor have left something behind."""
    mock_restore_cache_with_extra_data(
        hass, [(State(SENSOR, "something"), memory(**changed))]
    )


async def test_what_is_left_behind(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The answer, and when it was asked; before the first answer just that."""
    gateway.spans[2].ussd["*100#"] = UssdMenu("1 Balance", {"1": ANSWER})
    await set_up(hass, entry, query(pattern=PATTERN, replies=["1"]))

    def left_behind() -> dict[str, Any]:
        [data] = [
            each.extra_data.as_dict()
            for each in restore_data(hass).async_get_stored_states()
            if each.state.entity_id == SENSOR and each.extra_data
        ]
        return data

    assert left_behind() == {"question": [2, "*100#", "1"], "asked_at": None}
    await press(hass)
    now = dt_util.utcnow().isoformat()
    assert left_behind() == memory(
        question=[2, "*100#", "1"], asked_at=now, answered_at=now
    )


async def test_the_last_value_survives(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """And the query is not due before its time."""
    remember(hass)
    await set_up(hass, entry, query(pattern=PATTERN, unit="EUR", interval=2))

    assert value(hass) == "12.50"
    assert attribute(hass, "reply") == ANSWER
    assert attribute(hass, "answered_at") == memory()["answered_at"]
    await pass_time(hass, freezer, HOUR - 60)
    assert not asked(gateway)
    await pass_time(hass, freezer, 61)
    assert len(asked(gateway)) == 1


async def test_a_reload_asks_nothing(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """However often."""
    gateway.spans[2].ussd["*100#"] = "5"
    await set_up(hass, entry, query())
    await press(hass)

    for _ in range(3):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await pass_time(hass, freezer, HOUR)

    assert len(asked(gateway)) == 1
    assert value(hass) == "5"


async def test_a_new_expression_reads_the_last_answer(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Without asking again; where it finds nothing the last value stays."""
    remember(hass)
    await set_up(hass, entry, query(pattern=r"(\w+)$"))
    assert value(hass) == "EUR"


async def test_an_answer_without_the_value_leaves_it_over_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """As before."""
    remember(hass, reply="Try again later")
    await set_up(hass, entry, query(pattern=PATTERN))
    assert value(hass) == "12.50"


async def test_an_answer_to_something_else_is_forgotten(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Such as to the code of before; the new one is asked soon."""
    remember(hass)
    await set_up(hass, entry, query(code="*101#"))
    assert value(hass) == STATE_UNKNOWN
    assert attribute(hass, "reply") is None

    await pass_time(hass, freezer, 31)
    assert asked(gateway) == [(2, "*101#")]


async def test_a_clock_that_was_wrong(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Does not put the next time off for years."""
    freezer.move_to(datetime(2026, 5, 4, tzinfo=dt_util.UTC))
    remember(hass, asked_at="2040-01-01T00:00:00+00:00")
    await set_up(hass, entry, query())

    await pass_time(hass, freezer, 24 * HOUR + 60)

    assert len(asked(gateway)) == 1


# The end


async def test_nothing_is_asked_after_unloading(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """What is under way ends, and what is due later does not begin."""
    gateway.spans[2].ussd_duration = 0.1
    await set_up(hass, entry, query(replies=["1"]), query("Other"))
    gateway.spans[2].ussd["*100#"] = UssdMenu("1 Balance", {"1": ANSWER})
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=31))
    await until(lambda: asked(gateway))

    assert await hass.config_entries.async_unload(entry.entry_id)
    await until(lambda: gateway.spans[2].last_event == "USSD received")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(days=2))
    await settle(hass)

    assert asked(gateway) == [(2, "*100#")]


async def test_nothing_is_asked_for_a_query_that_was_removed(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Its entities go with it."""
    balance = query()
    await set_up(hass, entry, balance)

    hass.config_entries.async_remove_subentry(entry, balance.subentry_id)
    await pass_time(hass, freezer, 48 * HOUR)

    assert not asked(gateway)
    assert not hass.states.get(SENSOR)
    assert not hass.states.get(BUTTON)


async def test_a_query_that_is_removed_while_it_is_asked(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """Sends nothing more."""
    gateway.spans[2].ussd_duration = 0.1
    gateway.spans[2].ussd["*100#"] = UssdMenu("1 Balance", {"1": ANSWER})
    balance = query(replies=["1"])
    await set_up(hass, entry, balance)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=31))
    await until(lambda: asked(gateway))

    hass.config_entries.async_remove_subentry(entry, balance.subentry_id)
    await until(lambda: gateway.spans[2].last_event == "USSD received")
    await asyncio.sleep(0.05)
    await settle(hass)

    assert asked(gateway) == [(2, "*100#")]


async def test_a_query_that_is_removed_while_it_is_asked_by_hand(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: Simulator
) -> None:
    """Its answer doesn't make it due again."""
    gateway.spans[2].ussd_duration = 0.1
    balance = query()
    await set_up(hass, entry, balance)
    pressed = hass.async_create_task(press(hass))
    await until(lambda: asked(gateway))

    hass.config_entries.async_remove_subentry(entry, balance.subentry_id)
    await pressed
    with freeze_time(dt_util.utcnow() + timedelta(hours=48)):
        async_fire_time_changed(hass)
        await settle(hass)

    assert asked(gateway) == [(2, "*100#")]


async def test_a_sensor_that_is_disabled_asks_nothing(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Unless the button is pressed."""
    balance = query()
    er.async_get(hass).async_get_or_create(
        "sensor",
        "openvox_gsm",
        f"{entry.entry_id}_{balance.subentry_id}",
        disabled_by=er.RegistryEntryDisabler.USER,
    )
    await set_up(hass, entry, balance)
    await pass_time(hass, freezer, 48 * HOUR)
    assert not asked(gateway)

    await press(hass)
    assert len(asked(gateway)) == 1


async def test_a_span_that_is_not_there(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Is not asked, and has no entities; they come with its device."""
    await set_up(hass, entry, query(span=9))
    await pass_time(hass, freezer, HOUR)
    assert not asked(gateway)
    assert not hass.states.async_entity_ids("sensor.gsm_9_balance")

    gateway.add_span(9)
    await poll(hass, freezer)

    for entity_id in ("sensor.gsm_9_balance", "button.gsm_9_query_balance_now"):
        registered = er.async_get(hass).async_get(entity_id)
        assert registered
        assert registered.device_id == span_device(hass, entry, 9).id
        assert hass.states.is_state(entity_id, STATE_UNKNOWN)


@pytest.mark.parametrize("by_hand", [True, False])
async def test_the_device_of_the_span_goes_and_comes_back(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
    by_hand: bool,
) -> None:
    """The query's entities are of no use meanwhile, and then where they belong."""
    await set_up(hass, entry, query())
    device = span_device(hass, entry, 2)
    gateway.remove_span(2)
    if by_hand:
        await poll(hass, freezer)
        assert hass.states.get(SENSOR)
        assert await async_remove_config_entry_device(hass, entry, device)
        dr.async_get(hass).async_remove_device(device.id)
        await settle(hass)
    else:
        await hass.config_entries.async_reload(entry.entry_id)
        await settle(hass)
        # Until then they are where they were.
        registered = er.async_get(hass).async_get(SENSOR)
        assert registered
        assert registered.device_id == device.id
        assert hass.states.is_state(SENSOR, STATE_UNKNOWN)
        for _ in range(20):
            await poll(hass, freezer)
    await poll(hass, freezer)
    assert hass.states.is_state(SENSOR, STATE_UNAVAILABLE)
    assert hass.states.is_state(BUTTON, STATE_UNAVAILABLE)

    gateway.add_span(2)
    await poll(hass, freezer)

    for entity_id in (SENSOR, BUTTON):
        registered = er.async_get(hass).async_get(entity_id)
        assert registered
        assert registered.device_id == span_device(hass, entry, 2).id
        assert hass.states.is_state(entity_id, STATE_UNKNOWN)
