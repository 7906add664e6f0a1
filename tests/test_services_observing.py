"""The action openvox.record."""

import asyncio
import errno
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.openvox_gsm.services import observing
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from simulator import Simulator
from simulator.replay import read_recording

from .common import PHONE


@pytest.fixture
def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Home Assistant's configuration folder, for one test."""
    hass.config.config_dir = str(tmp_path)
    return tmp_path


async def test_a_recording_has_what_happened_meanwhile(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, folder: Path
) -> None:
    """It is a file that anybody may see, and that script/replay plays."""
    recording = hass.async_create_task(
        hass.services.async_call(
            "openvox", "record", {"duration": 1}, blocking=True, return_response=True
        )
    )
    await asyncio.sleep(0.5)
    await gateway.receive_sms(1, PHONE, "Xylophon")
    response: Any = await recording

    (path,) = folder.glob("openvox_gsm_recording_*.json")
    text = path.read_text("utf-8")
    said = [sender for _, sender, _ in json.loads(text)["wire"]]
    assert response == {
        "file": str(path),
        "commands": said.count("client"),
        "answers": said.count("gateway"),
        "note": None,
    }
    assert response["commands"] > 10
    assert "Xylophon" not in text
    assert PHONE[1:] not in text
    assert "Variable: SMSTXT" in text
    assert json.loads(text)["about"].startswith("Asterisk 1.8")
    commands = [each.command for each in read_recording(path).exchanges]
    assert "gsm show span 1" in commands
    assert not loaded.runtime_data.gateway.observer.is_recording


async def test_two_recordings_at_once(
    hass: HomeAssistant, loaded: MockConfigEntry, folder: Path
) -> None:
    """Each has a file of its own."""
    record = ("openvox", "record", {"duration": 1})
    responses: Any = await asyncio.gather(
        *(
            hass.services.async_call(*record, blocking=True, return_response=True)
            for _ in range(2)
        )
    )
    files = {response["file"] for response in responses}
    assert files == {str(path) for path in folder.glob("openvox_gsm_recording_*.json")}
    assert len(files) == 2


async def test_a_recording_that_becomes_too_large(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It ends, and what there is is saved; that it ended early is said."""
    monkeypatch.setattr(observing, "MAX_RECORDING", 1_000_000)
    record = ("openvox", "record", {"duration": 600})
    event = b"Event: SMSSendStatus\r\nChannel: 1\r\nID: %s\r\n\r\n" % (b"x" * 900)

    observer = loaded.runtime_data.gateway.observer

    async def flood() -> None:
        while True:
            if observer.is_recording:
                gateway.faults.garbage(10 * event)
            await asyncio.sleep(0.01)

    flooding = asyncio.create_task(flood())
    try:
        async with asyncio.timeout(20):
            response: Any = await hass.services.async_call(
                *record, blocking=True, return_response=True
            )
            with pytest.raises(HomeAssistantError, match="it reached 1 MB") as error:
                await hass.services.async_call(*record, blocking=True)
    finally:
        flooding.cancel()

    assert error.value.translation_key == "recording_ended_early"
    assert "it reached 1 MB" in response["note"]
    assert response["file"] in response["note"]
    for path in folder.glob("openvox_gsm_recording_*.json"):
        assert 1_000_000 < path.stat().st_size < 2_000_000


async def test_a_recording_that_cannot_be_saved(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The disk is full; no half of it stays there."""
    write_text = Path.write_text

    def full(path: Path, text: str, **more: Any) -> None:
        write_text(path, text[:100], **more)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(HomeAssistantError, match="disk is full") as error:
        await hass.services.async_call(
            "openvox", "record", {"duration": 1}, blocking=True
        )
    assert error.value.translation_key == "recording_not_saved"
    assert not list(folder.glob("openvox_gsm_recording_*"))


async def test_a_gateway_that_is_gone_is_not_recorded(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, folder: Path
) -> None:
    """There is no empty file then."""
    await gateway.stop()
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(
            "openvox", "record", {"duration": 1}, blocking=True
        )
    assert not list(folder.glob("*.json"))


async def test_only_administrators_record(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_read_only_user: MockUser
) -> None:
    """It writes a file."""
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "openvox",
            "record",
            {"duration": 1},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
