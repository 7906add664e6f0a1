"""Repairs: what a person has to fix is said, and no longer once it is fixed."""

import itertools
from types import SimpleNamespace
from typing import cast

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.openvox_gsm.const import (
    CONF_CALL_EVENTS,
    CONF_FINGERPRINT,
    CONF_TLS,
    DOMAIN,
    EVENT_CALL,
)
from custom_components.openvox_gsm.gateway import Gateway, SpanStatus
from custom_components.openvox_gsm.issues import Issues
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from simulator import Box, Simulator

from .certificates import certificate
from .common import (
    give_rights_back,
    pass_time,
    poll,
    set_rights,
    settle,
    until,
    until_later,
)
from .test_translations import TEXTS, placeholders

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")


# With these, SMS still go out by all spans.
WARNINGS = {
    *("new_address", "no_call_events", "no_incoming_sms"),
    *("sms_received_off", "span_restarts"),
}


def issues(hass: HomeAssistant) -> dict[str, str]:
    """Return the issues that there are: which, and of which span."""
    found = {}
    for (domain, _), issue in ir.async_get(hass).issues.items():
        if domain != DOMAIN or not issue.active:
            continue
        assert issue.translation_key
        assert not issue.is_fixable
        assert (issue.severity is ir.IssueSeverity.WARNING) == (
            issue.translation_key in WARNINGS
        )
        text = TEXTS["issues"][issue.translation_key]
        given = issue.translation_placeholders or {}
        assert placeholders(text["title"] + text["description"]) <= given.keys()
        found[issue.translation_key] = given.get("span", "")
    return found


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> bool:
    """Set an entry up."""
    entry.add_to_hass(hass)
    return await hass.config_entries.async_setup(entry.entry_id)


async def test_all_is_well(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Then nothing is said."""
    assert issues(hass) == {}


def test_every_issue_has_steps() -> None:
    """A title, and what to do, one step after the other."""
    assert TEXTS["issues"].keys() == {
        "certificate",
        "new_address",
        "no_call_events",
        "no_command_right",
        "no_incoming_sms",
        "sim_pin",
        "sms_limit",
        "sms_received_off",
        "span_restarts",
        "span_stuck",
    }
    for text in TEXTS["issues"].values():
        assert text.keys() == {"title", "description"}
        assert "{gateway}" in text["title"]
        assert "\n1. " in text["description"]
        assert "\n2. " in text["description"]


# Rights


@pytest.mark.parametrize("gateway", [{"box": Box.TODAY}], indirect=True, ids=[""])
async def test_sms_received_is_off(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
) -> None:
    """As it's shipped; said until it's on, which is noticed after two minutes."""
    assert await set_up(hass, entry)
    await hass.async_block_till_done()
    assert issues(hass) == {"sms_received_off": ""}

    gateway.dialplan.sms_received = True
    for _ in range(3):
        await poll(hass, freezer)
    assert issues(hass) == {"sms_received_off": ""}

    await poll(hass, freezer)
    await until(lambda: issues(hass) == {})
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("gateway", [{"box": Box.TODAY}], indirect=True, ids=[""])
async def test_sms_received_is_turned_on_while_the_gateway_is_away(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
) -> None:
    """The steps are read again when it's back."""
    assert await set_up(hass, entry)
    await hass.async_block_till_done()
    assert issues(hass) == {"sms_received_off": ""}
    gateway.dialplan.sms_received = True
    await gateway.restart(0)

    await until_later(freezer, lambda: issues(hass) == {})


async def test_no_right_to_see_incoming_sms(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
) -> None:
    """Said while the entry works; once the right is given, SMS come in by themselves."""
    set_rights(gateway, without="dialplan")
    assert await set_up(hass, entry)
    assert issues(hass) == {"no_incoming_sms": ""}
    await poll(hass, freezer)
    assert issues(hass) == {"no_incoming_sms": ""}
    coordinator = entry.runtime_data

    give_rights_back(gateway)
    await poll(hass, freezer)

    await until(lambda: issues(hass) == {})
    await settle(hass)
    assert entry.state is ConfigEntryState.LOADED
    # A session keeps the rights of its login.
    assert entry.runtime_data is not coordinator
    await gateway.receive_sms(1, "+4915112345678", "At last")
    await until_later(
        freezer, lambda: not hass.states.is_state("sensor.gsm_1_last_sms", "unknown")
    )


async def test_no_right_to_see_calls(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
) -> None:
    """Said where calls are wanted; once the right is given, they are seen."""
    set_rights(gateway, without="call")
    assert await set_up(hass, entry)
    await poll(hass, freezer)
    assert issues(hass) == {"no_call_events": ""}

    for wanted in (False, True):
        hass.config_entries.async_update_entry(
            entry, options={CONF_CALL_EVENTS: wanted}
        )
        await settle(hass)
        assert issues(hass) == ({"no_call_events": ""} if wanted else {})

    coordinator = entry.runtime_data
    give_rights_back(gateway)
    await poll(hass, freezer)
    await until(lambda: issues(hass) == {})
    await settle(hass)
    assert entry.runtime_data is not coordinator
    events = async_capture_events(hass, EVENT_CALL)
    await gateway.incoming_call(1, "+4915112345678")
    await until(lambda: events)


async def test_calls_that_nobody_wants(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
) -> None:
    """Whether they may be seen is no matter then: nothing is said, nothing reloaded."""
    set_rights(gateway, without="call")
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={CONF_CALL_EVENTS: False})
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert issues(hass) == {}
    coordinator = entry.runtime_data

    give_rights_back(gateway)
    await poll(hass, freezer)
    await settle(hass)
    assert entry.runtime_data is coordinator


async def test_no_right_for_commands(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
) -> None:
    """Setting up fails with it, and works by itself once the right is given."""
    set_rights(gateway, without="command")
    assert not await set_up(hass, entry)
    assert issues(hass) == {"no_command_right": ""}
    gateway.faults.refuse = True
    await pass_time(hass, freezer, 10)
    # Being out of reach says nothing about rights.
    assert issues(hass) == {"no_command_right": ""}

    gateway.faults.refuse = False
    give_rights_back(gateway)
    await pass_time(hass, freezer, 20)

    await until(lambda: entry.state is ConfigEntryState.LOADED)
    await settle(hass)
    assert issues(hass) == {}


async def test_the_right_for_commands_is_taken_away(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """That shows at the next login, and is said then, too."""
    set_rights(gateway, without="command")
    gateway.faults.drop_sessions()
    await until_later(freezer, lambda: loaded.runtime_data.gateway.connection_error)
    await poll(hass, freezer)
    assert issues(hass) == {"no_command_right": ""}

    give_rights_back(gateway)
    await until_later(freezer, lambda: loaded.runtime_data.gateway.is_connected)
    await settle(hass)
    assert issues(hass) == {}


# The certificate


async def test_another_certificate(
    freezer: FrozenDateTimeFactory, hass: HomeAssistant
) -> None:
    """Nothing is sent to who shows it; the accepted one makes all well again."""
    async with Simulator(spans=1, tls=certificate().server) as gateway:
        entry = MockConfigEntry(
            domain=DOMAIN,
            data={
                "host": gateway.host,
                "port": gateway.port,
                "username": "admin",
                "password": "admin",
                CONF_TLS: True,
                CONF_FINGERPRINT: certificate().fingerprint,
            },
        )
        assert await set_up(hass, entry)
        assert issues(hass) == {}

        gateway.tls = certificate("127.0.0.7").server
        await gateway.restart()
        gateway.actions.clear()
        await until_later(freezer, lambda: entry.runtime_data.gateway.connection_error)
        await poll(hass, freezer)
        assert issues(hass) == {"certificate": ""}

        await hass.config_entries.async_reload(entry.entry_id)
        assert entry.state is ConfigEntryState.SETUP_RETRY
        assert entry.error_reason_translation_key == "certificate"
        assert issues(hass) == {"certificate": ""}
        assert gateway.actions == []

        gateway.tls = certificate().server
        await pass_time(hass, freezer, 10)
        await until(lambda: entry.state is ConfigEntryState.LOADED)
        await settle(hass)
        assert issues(hass) == {}
        assert await hass.config_entries.async_unload(entry.entry_id)


# Spans


async def test_a_sim_asks_for_its_pin(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Each span by itself, and without the PIN."""
    gateway.spans[2].status = "Pin (1234) Error"
    await poll(hass, freezer)
    assert issues(hass) == {"sim_pin": "2"}
    [issue] = ir.async_get(hass).issues.values()
    assert "1234" not in str(issue)

    gateway.spans[2].status = "Up"
    gateway.spans[3].state = "SIM PUK REQ"
    await poll(hass, freezer)
    assert issues(hass) == {"sim_pin": "3"}

    gateway.remove_span(3)
    await poll(hass, freezer)
    assert issues(hass) == {}


async def test_a_span_is_stuck(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """No SMS may take that long. It's over when the module was started again."""
    gateway.spans[1].doing = "SMS SENDING"
    for _ in range(10):  # five minutes: the longest time limit of an action
        await poll(hass, freezer)
        assert issues(hass) == {}
    for _ in range(2):
        await poll(hass, freezer)
    assert issues(hass) == {"span_stuck": "1"}
    assert hass.states.is_state("sensor.gsm_1_status", "stuck")

    gateway.spans[1].doing = None
    await poll(hass, freezer)
    assert issues(hass) == {}
    gateway.spans[1].doing = "SMS SENDING"
    await poll(hass, freezer)
    assert issues(hass) == {}


async def restart(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    gateway: Simulator,
    *statuses: str,
) -> None:
    """Let a module show these statuses, and then that it is up."""
    for status in (*statuses, "Up"):
        gateway.spans[1].status = status
        await poll(hass, freezer)


async def test_a_span_restarts_again_and_again(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Three times within an hour; after an hour without it is forgotten."""
    await restart(hass, freezer, gateway, "Down", "Undetected SIM Card")
    await restart(hass, freezer, gateway, "Undetected SIM Card")
    assert issues(hass) == {}
    await restart(hass, freezer, gateway, "Down")
    assert issues(hass) == {"span_restarts": "1"}

    await restart(hass, freezer, gateway, "Down")
    await pass_time(hass, freezer, 3000)
    assert issues(hass) == {"span_restarts": "1"}
    await pass_time(hass, freezer, 700)
    assert issues(hass) == {}


@pytest.mark.usefixtures("all_entities")
async def test_a_module_that_is_switched_off_and_on_does_not_restart_by_itself(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Somebody may save power, or an automation may heal a span."""
    gateway.power_speed = 0
    target = {"entity_id": "switch.gsm_1_module_power"}
    for _ in range(4):
        await hass.services.async_call("switch", "turn_off", target, blocking=True)
        await poll(hass, freezer)
        assert hass.states.is_state("sensor.gsm_1_status", "power_off")
        await hass.services.async_call("switch", "turn_on", target, blocking=True)
        await poll(hass, freezer)
    assert issues(hass) == {}


async def test_restarts_that_are_far_apart(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """They are no fault of the module."""
    for _ in range(5):
        await restart(hass, freezer, gateway, "Down")
        await pass_time(hass, freezer, 1900)
        assert issues(hass) == {}


async def test_what_a_module_that_restarts_shows(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It's gone, and works again; a lost signal or a PIN is no restart."""
    gone = {SpanStatus.DOWN, SpanStatus.NO_SIM, SpanStatus.POWER_OFF}
    working = {
        *(SpanStatus.READY, SpanStatus.BUSY, SpanStatus.IN_CALL, SpanStatus.STUCK),
        *(SpanStatus.SMS_LIMIT, SpanStatus.CALL_LIMIT),
    }
    runtime = loaded.runtime_data
    restarts = set()
    for first, second in itertools.permutations(SpanStatus, 2):
        raised = Issues(hass, loaded, runtime.store.budget)
        for status in (first, second) * 3 + (first,):
            gateway = SimpleNamespace(
                features=runtime.gateway.features,
                spans={1: SimpleNamespace(status=status)},
            )
            raised.poll_succeeded(cast(Gateway, gateway))
        if "span_restarts" in issues(hass):
            restarts.add((first, second))

    assert restarts == set(itertools.product(working, gone))


async def test_what_is_not_a_restart(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Bad reception, work, and a gateway that is out of reach."""
    for _ in range(5):
        await restart(hass, freezer, gateway, "No Signal")
        gateway.spans[1].state = "SMS SENDING"
        await poll(hass, freezer)
        gateway.spans[1].state = None
        gateway.faults.drop_sessions()
        await until(lambda: not loaded.runtime_data.gateway.is_connected)
        await until_later(freezer, lambda: loaded.runtime_data.gateway.is_connected)
        await settle(hass)

    assert issues(hass) == {}


async def test_a_span_that_was_never_up(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
) -> None:
    """Its first start is no restart."""
    gateway.spans[1].status = "Down"
    assert await set_up(hass, entry)
    for _ in range(3):
        await restart(hass, freezer, gateway, "Down")

    assert issues(hass) == {}


# The end


async def test_unloading_takes_the_issues_along(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
) -> None:
    """Another gateway's stay."""
    gateway.spans[2].status = "Pin (1234) Error"
    set_rights(gateway, without="dialplan")
    assert await set_up(hass, entry)
    for _ in range(3):
        await restart(hass, freezer, gateway, "Down")
    assert issues(hass) == {"no_incoming_sms": "", "sim_pin": "2", "span_restarts": "1"}
    async with Simulator(spans=1) as other:
        other.spans[1].status = "Pin (1) Error"
        second = MockConfigEntry(domain=DOMAIN, data={**entry.data, "port": other.port})
        assert await set_up(hass, second)

        assert await hass.config_entries.async_unload(entry.entry_id)
        assert issues(hass) == {"sim_pin": "1"}

        await hass.config_entries.async_remove(second.entry_id)
        assert issues(hass) == {}

    assert await hass.config_entries.async_setup(entry.entry_id)
    # What the module did before is forgotten.
    assert issues(hass) == {"no_incoming_sms": "", "sim_pin": "2"}


async def test_an_entry_that_never_worked_is_disabled(
    hass: HomeAssistant, gateway: Simulator, entry: MockConfigEntry
) -> None:
    """Nobody needs to fix anything for it any more."""
    set_rights(gateway, without="command")
    assert not await set_up(hass, entry)
    assert issues(hass) == {"no_command_right": ""}

    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )

    assert issues(hass) == {}
