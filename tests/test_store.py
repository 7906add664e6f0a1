"""What a gateway remembers over a restart."""

from collections.abc import Callable
import logging
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.gateway import (
    Assembler,
    LastSign,
    ussd as ussd_module,
)
from custom_components.openvox_gsm.gateway.receiving.received_part import ReceivedPart
from custom_components.openvox_gsm.store import STORES, CounterKey, GatewayStore
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from simulator import Simulator, UssdOutcome

from .common import PHONE, pass_time, said, settle
from .test_services import send

SINCE = "2026-05-04T03:02:01+00:00"


@pytest.fixture
def file(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The file of the gateway, which isn't set up yet."""
    monkeypatch.setattr(hass.config, "config_dir", str(tmp_path))
    path = Path(hass.config.path(".storage", f"{DOMAIN}.{entry.entry_id}"))
    path.parent.mkdir()
    path.write_text("stored")
    return path


def store(stored: dict[str, Any], file: Path, data: Any) -> None:
    """Let something have been stored."""
    stored[file.name] = {"version": 1, "minor_version": 1, "data": data}


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set the gateway up."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize(
    "data",
    [
        [],
        ["sent"],
        "sent",
        {"sent": None},
        {"sent": {"1": 2}},
        {"sent": [[1, "2"]]},
        {"sent": [[1, 2, 3]]},
        {"counters": [[1, "sms_received", "5", SINCE]]},
        {"counters": [[1, "sms_received", 5, "yesterday"]]},
        {"counters": [[1, "sms_received", 5, 3]]},
        {"counters": [["1", "sms_received", 5, SINCE]]},
        {"counters": [[1, "sms_thrown_away", 5, SINCE]]},
        {"counters": [5]},
        {"ussd_in_milliseconds": "yes"},
        {"switched_off": [[1, "99", True]]},
        {"received": [["0123456789abcdef", 1]]},
        {"received": {"0123456789abcdef": "yesterday"}},
    ],
)
async def test_a_file_with_other_things_in_it(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    file: Path,
    hass_storage: dict[str, Any],
    data: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It's kept aside, with a warning; the gateway works and counts from zero."""
    store(hass_storage, file, data)
    await set_up(hass, entry)

    state = hass.states.get("sensor.gsm_1_sms_received")
    assert state
    assert state.state == "0"
    await hass.services.async_call(
        "notify", "send_sms", {"message": "Hello", "target": PHONE}, blocking=True
    )
    if data:  # an empty one is as good as none
        [aside] = file.parent.glob(f"{file.name}.corrupt.*")
        assert aside.read_text() == "stored"
        [warning] = said(caplog, logging.WARNING)
        assert str(aside) in warning


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize(
    "data",
    [
        {"sent": []},
        {"counters": [[1, "sms_received", 5, None], [1, "sms_sent", 7, SINCE]]},
        {"sent": [[29_000_000, 2]], "something_new": 1},
        {"received": {"0123456789abcdef": 1_700_000_000}},
    ],
)
async def test_a_file_that_is_right(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    file: Path,
    hass_storage: dict[str, Any],
    data: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It's read, also where an earlier or later version has written it."""
    store(hass_storage, file, data)
    await set_up(hass, entry)

    state = hass.states.get("sensor.gsm_1_sms_received")
    assert state
    assert state.state == ("5" if "counters" in data else "0")
    assert said(caplog, logging.WARNING) == []
    assert list(file.parent.glob(f"{file.name}.corrupt.*")) == []


async def test_an_sms_ends_after_its_gateway_was_removed(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """The file stays deleted."""
    store, key = loaded.runtime_data.store, f"{DOMAIN}.{loaded.entry_id}"
    await pass_time(hass, freezer, 1)
    assert key in hass_storage
    await hass.config_entries.async_remove(loaded.entry_id)

    store.count(1, CounterKey.SENT, 1)
    await pass_time(hass, freezer, 1)

    assert key not in hass_storage


@pytest.mark.parametrize(
    ("change", "is_saved"),
    [
        (
            lambda store: store.start_counter(9, CounterKey.SENT, 7),
            lambda saved: [9, "sms_sent", 7, None] in saved["counters"],
        ),
        (
            lambda store: store.count(1, CounterKey.FAILED, 2),
            lambda saved: (
                [1, "sms_failed", 2] in [row[:3] for row in saved["counters"]]
            ),
        ),
        (
            lambda store: store.set_ussd_in_milliseconds(True),
            lambda saved: saved["ussd_in_milliseconds"] is True,
        ),
        (
            lambda store: store.power_changed({2: LastSign(99, says_off=True)}),
            lambda saved: saved["switched_off"] == [[2, 99, True]],
        ),
        (
            lambda store: store.sms_remembered({"0123456789abcdef": 1_700_000_000}),
            lambda saved: saved["received"] == {"0123456789abcdef": 1_700_000_000},
        ),
    ],
    ids=["counter", "count", "unit", "power", "received"],
)
async def test_each_change_is_saved_within_a_second(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    loaded: MockConfigEntry,
    change: Callable[[GatewayStore], object],
    is_saved: Callable[[dict[str, Any]], bool],
) -> None:
    """Each by itself, as what came in of a long SMS that isn't complete yet."""
    await pass_time(hass, freezer, 1)
    file = f"{DOMAIN}.{loaded.entry_id}"
    assert not is_saved(hass_storage[file]["data"])

    change(loaded.runtime_data.store)
    await pass_time(hass, freezer, 1)

    assert is_saved(hass_storage[file]["data"])


async def ask(hass: HomeAssistant) -> Any:
    """Send a USSD code."""
    return await hass.services.async_call(
        "openvox",
        "send_ussd",
        {"code": "*100#", "timeout": 20, "span": 1},
        blocking=True,
        return_response=True,
    )


async def test_how_a_firmware_counts_outlives_a_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Only the first USSD request is lost."""
    for number in (2, 3, 4):
        gateway.remove_span(number)
    gateway.ussd_in_milliseconds = True
    gateway.spans[1].ussd_duration = 0.1
    gateway.spans[1].ussd["*100#"] = "12.50"
    await loaded.runtime_data.coordinator.async_refresh()
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass)
    assert error.value.translation_key == "ussd_timed_out"

    assert await hass.config_entries.async_unload(loaded.entry_id)
    await settle(hass)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await settle(hass)
    hass.data[STORES].clear()
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await settle(hass)

    assert (await ask(hass))["message"] == "12.50"
    limits = [
        command.split()[-1]
        for command in gateway.commands
        if command.startswith("gsm send ussd")
    ]
    assert limits == ["20", "20000"]


async def test_a_span_rests_over_a_reload(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a late answer would be taken for that to what is sent next."""
    monkeypatch.setattr(ussd_module, "LATE_ANSWER_TIME", 60)
    gateway.spans[1].ussd_outcomes.append(UssdOutcome.TIMEOUT)
    with pytest.raises(HomeAssistantError):
        await ask(hass)

    assert await hass.config_entries.async_reload(loaded.entry_id)
    await settle(hass)
    await send(hass, target=PHONE)

    assert [sms.span for sms in gateway.sent] == [2]


async def test_hashes_of_sms_are_of_this_home_assistant(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The same SMS has other hashes elsewhere, so nobody can try all codes."""
    part = ReceivedPart(
        *(1, PHONE, "Your code is 471147"),
        sent_at=None,
        time_stamp="2026-03-14 15:09:26",
        arrived_at=dt_util.utcnow(),
    )
    elsewhere: dict[str, int] = {}
    Assembler(
        lambda _sms: None, hass.loop.call_later, on_remembered=elsewhere.update
    ).add(part)

    runtime = loaded.runtime_data
    runtime.publisher.assembler.add(part)

    assert len(runtime.store.received) == 1
    assert runtime.store.received.keys().isdisjoint(elsewhere)
