"""What a gateway remembers over a restart."""

import logging
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import DOMAIN
from homeassistant.core import HomeAssistant

from .common import PHONE, said, settle

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
