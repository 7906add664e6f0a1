"""How many SMS a SIM may send, wherever it is."""

from datetime import UTC, datetime, timedelta
import logging
from types import MappingProxyType
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import (
    CONF_DAILY_LIMIT,
    CONF_HOURLY_LIMIT,
    CONF_MONTH_BEGINS,
    CONF_MONTHLY_LIMIT,
    CONF_SIM,
    DOMAIN,
    SUBENTRY_SIM_LIMIT,
)
from custom_components.openvox_gsm.diagnostics import async_get_config_entry_diagnostics
from custom_components.openvox_gsm.limits.sims import SIMS, async_get_sims
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from simulator import Simulator, SmsOutcome

from tests.common import PHONE, pass_time, poll, said, set_options, settle
from tests.test_services import send, send_and_ask

LONG = "All work and no play makes Jack a dull boy. " * 10  # three parts
KEY = f"{DOMAIN}.sims"


async def limit(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    span: int,
    day: int = 0,
    month: int = 0,
    begins: int = 1,
) -> str:
    """Limit the SIM in a span; return the id of the subentry."""
    sim = hass.data[SIMS].sim(entry.entry_id, span)
    data = {
        CONF_SIM: sim,
        CONF_DAILY_LIMIT: day,
        CONF_MONTHLY_LIMIT: month,
        CONF_MONTH_BEGINS: begins,
    }
    subentry = ConfigSubentry(
        data=MappingProxyType(data),
        subentry_type=SUBENTRY_SIM_LIMIT,
        title=f"SIM {span}",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, subentry)
    await settle(hass)
    return subentry.subentry_id


async def status(hass: HomeAssistant, **data: Any) -> str:
    """Send an SMS; return what came of it: the span, or why not."""
    [message] = await send_and_ask(hass, target=PHONE, **data)
    return str(message["error"] or message["span"])


def left(hass: HomeAssistant, name: str) -> str | None:
    """Return the state of a sensor, None where it doesn't exist."""
    state = hass.states.get(f"sensor.{name}")
    return state.state if state else None


@pytest.fixture(autouse=True)
async def _different_sims(gateway: Simulator, other: Simulator) -> None:
    """Simulators have the same SIMs."""
    other.spans[1].imsi = "262019000000001"


# At the limit


async def test_a_sim_at_its_limit_is_not_chosen(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Asked for by name, it fails and says until when."""
    await limit(hass, loaded, 1, day=1)

    spans = [await status(hass) for _ in range(5)]

    assert spans == ["1", "2", "3", "4", "2"]
    reason = await status(hass, span=1)
    assert reason.startswith(
        "The SIM in span 1 of OpenVox has reached its maximum SMS per day; "
        "you can send again from "
    )
    assert await status(hass, span=2) == "2"


async def test_a_message_that_is_longer_than_the_limit(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It goes by another span, and never by this one."""
    await limit(hass, loaded, 1, month=2)

    assert await status(hass, message=LONG) == "2"
    reason = await status(hass, message=LONG, span=1)
    assert reason.startswith("The message needs 3 SMS, which is more than the SIM in")
    assert "may send per month;" in reason
    assert await status(hass, span=1) == "1"


async def test_all_sims_are_at_their_limits(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """Better than to say that no span is ready."""
    for span in (1, 2, 3, 4):
        await limit(hass, loaded, span, day=1)
        assert await status(hass) == str(span)

    assert "has reached its maximum SMS per day" in await status(hass)
    assert len(gateway.sent) == 4


async def test_a_refusal_says_more_than_a_limit(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """What the network says is about the message."""
    for number in (3, 4):
        gateway.spans[number].status = "No Signal"
    await loaded.runtime_data.gateway.spans.read()
    await limit(hass, loaded, 2, day=1)
    assert await status(hass, span=2) == "2"
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)

    assert (await status(hass)).startswith("The network rejected it on span 1")


async def test_what_two_gateways_say(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
    other: Simulator,
) -> None:
    """A limit says more than that no span is ready, and less than the network."""
    for number in (2, 3, 4):
        gateway.spans[number].status = "No Signal"
    await loaded.runtime_data.gateway.spans.read()
    await limit(hass, loaded, 1, day=1)
    assert await status(hass, config_entry_id=loaded.entry_id) == "1"
    other.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    assert (await status(hass)).startswith("The network rejected it on span 1 of Other")

    other.spans[1].status = "No Signal"
    await other_loaded.runtime_data.gateway.spans.read()
    assert (await status(hass)).startswith("The SIM in span 1 of OpenVox")

    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 1})
    hass.config_entries.async_remove_subentry(loaded, next(iter(loaded.subentries)))
    await settle(hass)
    assert (await status(hass)).startswith("OpenVox has reached its maximum SMS")


async def test_a_gateway_whose_sims_are_at_their_limits_comes_last(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
    other: Simulator,
) -> None:
    """Its span is the one that was used longest ago, but it doesn't count."""
    for span in (1, 2, 3, 4):
        await limit(hass, loaded, span, day=1)
        assert await status(hass, span=span, config_entry_id=loaded.entry_id)
    asked = len(gateway.commands)

    for _ in range(3):
        assert await status(hass) == "1"

    assert (len(gateway.sent), len(other.sent)) == (4, 3)
    assert len(gateway.commands) == asked


async def test_what_was_not_sent_does_not_count(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """Neither for the SIM nor for the gateway."""
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 1})
    await limit(hass, loaded, 1, day=1)
    gateway.spans[1].sms_outcomes.append(SmsOutcome.FAILED)
    assert (await status(hass, span=1)).startswith("The network rejected it")
    assert left(hass, "gsm_1_sms_left_24_hours") == "1"

    assert await status(hass, span=1) == "1"
    assert left(hass, "gsm_1_sms_left_24_hours") == "0"
    assert left(hass, "openvox_sms_left_1_hour") == "0"


async def test_the_limit_of_the_gateway_takes_nothing_from_a_sim(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """And the other way round."""
    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 1})
    await limit(hass, loaded, 1, day=2)
    assert await status(hass, span=1) == "1"

    assert (await status(hass, span=1)).startswith("OpenVox has reached its maximum")
    assert left(hass, "gsm_1_sms_left_24_hours") == "1"

    await set_options(hass, loaded, **{CONF_HOURLY_LIMIT: 3})
    assert await status(hass, span=1) == "1"
    assert (await status(hass, span=1)).startswith("The SIM in span 1")
    assert left(hass, "openvox_sms_left_1_hour") == "1"


# Wherever the SIM is


async def test_a_sim_that_moves_to_another_gateway(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
    other: Simulator,
) -> None:
    """Its limit goes along, and so does what it has sent."""
    await limit(hass, loaded, 2, day=2, month=9)
    assert await status(hass, span=2, config_entry_id=loaded.entry_id) == "2"
    there = f"gsm_1_port_{other.port}_sms_left_24_hours"
    assert left(hass, "gsm_2_sms_left_24_hours") == "1"

    imsi = gateway.spans[2].imsi
    gateway.spans[2].imsi = ""
    gateway.spans[2].status = "Undetected SIM Card"
    await poll(hass, freezer)
    # Until it is seen elsewhere, it may only be a module that starts.
    assert left(hass, "gsm_2_sms_left_24_hours") == "1"
    other.spans[1].imsi = imsi
    await poll(hass, freezer)
    await poll(hass, freezer)

    assert left(hass, "gsm_2_sms_left_24_hours") is None
    assert left(hass, "gsm_2_sms_left_month") is None
    assert left(hass, there) == "1"
    assert await status(hass, config_entry_id=other_loaded.entry_id) == "1"
    reason = await status(hass, config_entry_id=other_loaded.entry_id)
    assert reason.startswith("The SIM in span 1 of Other has reached")

    gateway.spans[2].imsi = "262019000000009"
    gateway.spans[2].status = "Up"
    await poll(hass, freezer)
    for _ in range(3):
        assert await status(hass, span=2, config_entry_id=loaded.entry_id) == "2"

    # It may be limited by either gateway, and no longer when that one is removed.
    await hass.config_entries.async_remove(loaded.entry_id)
    await settle(hass)
    assert left(hass, there) is None
    assert await status(hass) == "1"


async def test_a_sim_that_moved_while_its_gateway_was_away(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
    other: Simulator,
) -> None:
    """It's nowhere else once its old span shows that it has none."""
    await limit(hass, loaded, 2, day=2)
    await hass.config_entries.async_unload(loaded.entry_id)
    other.spans[1].imsi, gateway.spans[2].imsi = gateway.spans[2].imsi, ""
    await other_loaded.runtime_data.coordinator.async_refresh()
    await settle(hass)
    there = f"gsm_1_port_{other.port}_sms_left_24_hours"
    assert left(hass, there) == "2"

    await hass.config_entries.async_setup(loaded.entry_id)
    await settle(hass)
    assert left(hass, "gsm_2_sms_left_24_hours") is None
    assert left(hass, there) == "2"


async def test_a_module_that_starts_is_no_other_sim(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    gateway: Simulator,
) -> None:
    """It doesn't know its IMSI yet."""
    await limit(hass, loaded, 1, day=1)
    assert await status(hass, span=1) == "1"
    gateway.spans[1].imsi = ""
    await poll(hass, freezer)

    assert (await status(hass, span=1)).startswith("The SIM in span 1")


@pytest.mark.parametrize("printed", ["", "000000000000000", "NULL"])
async def test_firmware_that_does_not_tell_the_imsi(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: Simulator,
    enable_custom_integrations: None,
    printed: str,
) -> None:
    """The limit belongs to the span, also once an update tells the IMSI."""
    imsi = gateway.spans[1].imsi
    for span in gateway.spans.values():
        span.imsi = printed
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    await limit(hass, entry, 1, day=2)
    assert await status(hass, span=1) == "1"
    assert left(hass, "gsm_2_sms_left_24_hours") is None

    gateway.spans[1].imsi = imsi
    await poll(hass, freezer)
    assert left(hass, "gsm_1_sms_left_24_hours") == "1"
    assert await status(hass, span=1) == "1"
    assert (await status(hass, span=1)).startswith("The SIM in span 1")

    await limit(hass, entry, 1, day=5)  # one of the SIM's own comes before it
    assert await status(hass, span=1) == "1"


async def test_a_sim_that_moved_with_its_board_gone(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
    other: Simulator,
) -> None:
    """The old span shows nothing more, so it no longer has the SIM."""
    await limit(hass, loaded, 2, day=2)
    other.spans[1].imsi = gateway.spans[2].imsi
    gateway.remove_span(2)
    for entry in (loaded, other_loaded):
        await entry.runtime_data.coordinator.async_refresh()
        await settle(hass)

    assert left(hass, f"gsm_1_port_{other.port}_sms_left_24_hours") == "2"
    assert left(hass, "gsm_2_sms_left_24_hours") is None


async def test_the_limit_of_a_gateway_that_is_not_set_up(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
    other: Simulator,
) -> None:
    """It counts for its SIM elsewhere, and a change of it shows at once."""
    there = f"gsm_2_port_{gateway.port}_sms_left_24_hours"
    subentry_id = await limit(hass, other_loaded, 1, day=2)
    gateway.spans[2].imsi = other.spans[1].imsi
    await hass.config_entries.async_unload(other_loaded.entry_id)
    await loaded.runtime_data.coordinator.async_refresh()
    await settle(hass)
    assert left(hass, there) == "2"

    hass.config_entries.async_remove_subentry(other_loaded, subentry_id)
    await settle(hass)

    assert left(hass, there) is None


# What is kept


async def restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Do what a restart does, as far as SIMs are concerned."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await settle(hass)
    del hass.data[SIMS]
    await async_get_sims(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


async def test_the_count_survives_a_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    loaded: MockConfigEntry,
    gateway: Simulator,
) -> None:
    """Even before the module tells its IMSI again. No IMSI stands anywhere."""
    await limit(hass, loaded, 1, day=2, month=3)
    await limit(hass, loaded, 2, month=3)
    assert await status(hass, span=1) == "1"
    imsi, gateway.spans[1].imsi = gateway.spans[1].imsi, ""
    await restart(hass, loaded)

    assert left(hass, "gsm_1_sms_left_24_hours") == "1"
    assert left(hass, "gsm_1_sms_left_month") == "2"
    assert left(hass, "gsm_2_sms_left_month") == "3"
    assert await status(hass, span=1) == "1"
    assert (await status(hass, span=1)).startswith("The SIM in span 1")
    stored = hass_storage[KEY]["data"]
    assert imsi
    assert imsi not in str(stored)
    assert imsi not in str(loaded.subentries)
    sim = hass.data[SIMS].sim(loaded.entry_id, 1)
    assert sim in str(stored)
    assert sim not in str(await async_get_config_entry_diagnostics(hass, loaded))


async def test_what_a_sim_without_a_limit_sends_is_not_kept(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    loaded: MockConfigEntry,
) -> None:
    """Nor that of one whose limit was removed."""
    subentry_id = await limit(hass, loaded, 1, day=2)
    await send(hass, target=PHONE, span=1)
    await send(hass, target=PHONE, span=2)
    await pass_time(hass, freezer, 1)
    assert list(hass_storage[KEY]["data"]["sent"]) == [
        hass.data[SIMS].sim(loaded.entry_id, 1)
    ]

    hass.config_entries.async_remove_subentry(loaded, subentry_id)
    await settle(hass)
    assert left(hass, "gsm_1_sms_left_24_hours") is None
    await limit(hass, loaded, 2, day=2)
    await send(hass, target=PHONE, span=2)
    await pass_time(hass, freezer, 1)
    assert list(hass_storage[KEY]["data"]["sent"]) == [
        hass.data[SIMS].sim(loaded.entry_id, 2)
    ]


async def test_a_gateway_that_is_removed_is_forgotten(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """The SIMs of the others stay known."""
    await pass_time(hass, freezer, 1)
    assert len(hass_storage[KEY]["data"]["spans"]) == 5
    await hass.config_entries.async_remove(loaded.entry_id)
    await pass_time(hass, freezer, 1)
    assert list(hass_storage[KEY]["data"]["spans"]) == [f"{other_loaded.entry_id}_1"]


@pytest.mark.parametrize(
    "data", [["spans"], {"spans": []}, {"spans": {"a": 1}}, {"sent": {"a": [[1]]}}]
)
async def test_a_file_with_other_things_in_it(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
    data: Any,
) -> None:
    """Everything works, and the log says so."""
    hass_storage[KEY] = {"version": 1, "minor_version": 1, "data": data}
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)

    [warning] = said(caplog, logging.WARNING)
    assert warning.startswith("The stored SIMs and their counters can't be read")
    await limit(hass, entry, 1, day=1)
    assert await status(hass, span=1) == "1"


# Months


async def test_a_month_ends(
    freezer: FrozenDateTimeFactory, hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """At midnight in Home Assistant's time zone."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to(datetime(2026, 5, 14, 21, 50, tzinfo=UTC))
    await limit(hass, loaded, 1, month=1, begins=15)
    budget = hass.data[SIMS].budgets(loaded, 1)[1]
    assert budget.reserve(1)

    assert budget.reserve(1) is None
    room = budget.room(1).since
    assert room
    assert room.isoformat() == "2026-05-15T00:00:00+02:00"
    freezer.move_to(room - timedelta(seconds=1))
    assert budget.reserve(1) is None
    freezer.move_to(room)
    assert budget.reserve(1)
    assert budget.reserve(1) is None
    room = budget.room(1).since
    assert room
    assert room.isoformat() == "2026-06-15T00:00:00+02:00"


async def test_a_message_that_fails_raises(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """As with the limit of the gateway."""
    await limit(hass, loaded, 1, day=1)
    await send(hass, target=PHONE, span=1)
    with pytest.raises(HomeAssistantError, match="The SIM in span 1 of OpenVox"):
        await send(hass, target=PHONE, span=1)
