"""What is kept of one gateway, and its file."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
import json
import logging
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import (
    CONF_HOURLY_LIMIT,
    CONF_MESSAGES_KEPT,
    DOMAIN,
)
from custom_components.openvox_gsm.diagnostics import async_get_config_entry_diagnostics
from custom_components.openvox_gsm.messages.history import HISTORIES, MessageHistory
from custom_components.openvox_gsm.messages.record import (
    Direction,
    Kind,
    MessageRecord,
    Status,
)
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from simulator import Simulator

from .conftest import kept, only, receive, send

from tests.common import OTHER_PHONE, PHONE, pass_time, said, set_options, settle

TEXT = "The code is 4711"
STORED = {
    "id": "01J00000000000000000000001",
    "kind": "sms",
    "direction": "out",
    "number": PHONE,
    "text": TEXT,
    "time": "2026-05-04T03:02:01+00:00",
    "span": None,
    "parts": 1,
    "status": "sent",
    "reason": None,
    "duration": None,
}


def key(entry: MockConfigEntry) -> str:
    """Return the name of the file."""
    return f"{DOMAIN}.messages.{entry.entry_id}"


def store(stored: dict[str, Any], entry: MockConfigEntry, data: Any) -> None:
    """Let something have been stored."""
    stored[key(entry)] = {"version": 1, "minor_version": 1, "data": data}


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set the gateway up."""
    if not hass.config_entries.async_get_entry(entry.entry_id):
        entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


async def restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let Home Assistant stop and start again."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await settle(hass)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await settle(hass)
    hass.data[HISTORIES].clear()
    await set_up(hass, entry)


def record(history: MessageHistory, number: str | None, text: str) -> MessageRecord:
    """Return an SMS that comes in now."""
    now = datetime.now(UTC)
    return MessageRecord(
        id=history.new_id(now),
        kind=Kind.SMS,
        direction=Direction.IN,
        number=number,
        text=text,
        time=now,
        span=1,
        parts=1,
        status=Status.RECEIVED,
    )


# Over a restart


async def test_messages_outlive_a_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """All of each."""
    await receive(gateway, loaded, (1, PHONE, "Hello"), (2, "MyBank", TEXT))
    await send(hass, "Me")
    before = kept(loaded)
    assert len(before) == 3

    await restart(hass, loaded)

    assert kept(loaded) == before
    assert hass_storage[key(loaded)]["data"]["messages"] == before


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize(
    ("stored", "status", "reason"),
    [
        ({"status": "sending"}, "unknown", "it's unknown whether it was sent"),
        (
            {"status": "answered", "kind": "call", "text": None},
            "ended",
            "The end of the call wasn't seen",
        ),
    ],
)
async def test_what_was_under_way_when_home_assistant_ended(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    entry: MockConfigEntry,
    stored: dict[str, Any],
    status: str,
    reason: str,
) -> None:
    """Its end isn't known, and that stands there in words."""
    store(hass_storage, entry, {"messages": [STORED | stored]})
    await set_up(hass, entry)

    [message] = kept(entry)
    assert message["status"] == status
    assert message["reason"].startswith(reason)


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize(
    "data",
    [
        [],
        ["messages"],
        {"messages": None},
        {"messages": [TEXT]},
        {"messages": [STORED | {"time": "2026-05-04"}]},
        {"messages": [STORED | {"time": TEXT}]},
        {"messages": [STORED | {"id": TEXT}]},
        {"messages": [STORED | {"status": TEXT}]},
        {"messages": [STORED | {"number": 4711}]},
        {"messages": [STORED | {"parts": True}]},
        {"messages": [{k: v for k, v in STORED.items() if k != "id"}]},
        {"messages": [STORED | {"id": "7" + 25 * "Z"}]},
        {"messages": [STORED | {"id": 26 * "z"}]},
        {"messages": [STORED | {"id": 26 * "!"}]},
    ],
)
async def test_a_file_with_other_things_in_it(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    entry: MockConfigEntry,
    gateway: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It's kept aside until the gateway is removed; the log has nothing private."""
    monkeypatch.setattr(hass.config, "config_dir", str(tmp_path))
    file = tmp_path / ".storage" / key(entry)
    file.parent.mkdir()
    file.write_text("stored")
    store(hass_storage, entry, data)
    await set_up(hass, entry)

    [aside] = file.parent.glob("*.corrupt.*")
    assert aside.read_text() == "stored"
    [warning] = said(caplog, logging.WARNING)
    assert str(aside) in warning
    assert "4711" not in warning
    await receive(gateway, entry, (1, PHONE, "Hello"))
    assert only(entry, "text") == [("Hello",)]

    await hass.config_entries.async_remove(entry.entry_id)
    assert list(file.parent.glob("*.corrupt.*")) == []


@pytest.mark.usefixtures("enable_custom_integrations")
async def test_each_message_is_there_once(
    hass: HomeAssistant, hass_storage: dict[str, Any], entry: MockConfigEntry
) -> None:
    """Whoever edited the file."""
    store(hass_storage, entry, {"messages": [STORED, STORED | {"text": "Other"}]})
    await set_up(hass, entry)
    assert only(entry, "text") == [("Other",)]


# How much is kept


async def test_the_oldest_go(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """As soon as there are more than the option says."""
    await set_options(hass, loaded, **{CONF_MESSAGES_KEPT: 2})
    await receive(gateway, loaded, (1, PHONE, "One"), (1, PHONE, "Two"))
    await gateway.receive_sms(1, OTHER_PHONE, "Three")
    await settle(hass)
    await loaded.runtime_data.coordinator.async_refresh()
    assert only(loaded, "text") == [("Two",), ("Three",)]

    await set_options(hass, loaded, **{CONF_MESSAGES_KEPT: 1})
    assert only(loaded, "text") == [("Three",)]
    assert list(loaded.runtime_data.messages.conversations) == [OTHER_PHONE]


@pytest.mark.parametrize("at_once", [1, 10], ids=["one by one", "in parallel"])
async def test_what_failed_pushes_nothing_out(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, at_once: int
) -> None:
    """However often an automation sends against a limit, what came in is still there."""
    await set_options(hass, loaded, **{CONF_MESSAGES_KEPT: 50, CONF_HOURLY_LIMIT: 1})
    history = loaded.runtime_data.messages
    for number in range(25):
        history.add(record(history, PHONE, f"in {number}"))

    for number in range(0, 60, at_once):
        texts = [f"out {each}" for each in range(number, number + at_once)]
        await asyncio.gather(*(send(hass, text) for text in texts))

    texts = [each["text"] for each in kept(loaded)]
    assert len(texts) == 50
    assert texts[:25] == [f"in {number}" for number in range(25)]
    assert texts[-1] == "out 59"


async def test_what_failed_has_a_share(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It goes with the oldest while it's few; a lower number keeps few of it."""
    await set_options(hass, loaded, **{CONF_MESSAGES_KEPT: 20})
    history = loaded.runtime_data.messages
    for number in range(20):
        sms = record(history, PHONE, f"{number}")
        history.add(replace(sms, status=Status.FAILED) if number < 6 else sms)

    history.add(record(history, PHONE, "20"))
    history.add(record(history, PHONE, "21"))
    history.add(record(history, PHONE, "22"))
    texts = [each["text"] for each in kept(loaded)]
    assert texts == [str(number) for number in range(3, 23)]

    history.add(replace(record(history, PHONE, "23"), status=Status.FAILED))
    await restart(hass, loaded)
    await set_options(hass, loaded, **{CONF_MESSAGES_KEPT: 5})
    assert only(loaded, "text") == [("19",), ("20",), ("21",), ("22",), ("23",)]


async def test_none_is_kept(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """What was kept is deleted, from the file as well; all else goes on."""
    await receive(gateway, loaded, (1, PHONE, TEXT))
    await pass_time(hass, freezer, 1)
    assert TEXT in json.dumps(hass_storage[key(loaded)])

    await set_options(hass, loaded, **{CONF_MESSAGES_KEPT: 0})
    assert kept(loaded) == []
    await send(hass, "Hello")
    await settle(hass)
    assert len(gateway.sent) == 1
    assert kept(loaded) == []
    await pass_time(hass, freezer, 1)
    assert hass_storage[key(loaded)]["data"]["messages"] == []


async def test_a_gateway_is_removed(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Its messages go with it, and what still ends doesn't write them again."""
    await receive(gateway, loaded, (1, PHONE, TEXT))
    await pass_time(hass, freezer, 1)
    assert key(loaded) in hass_storage
    history = loaded.runtime_data.messages

    await hass.config_entries.async_remove(loaded.entry_id)
    history.add(record(history, PHONE, TEXT))
    await pass_time(hass, freezer, 1)

    assert key(loaded) not in hass_storage
    assert len(history) == 0


async def test_a_gateway_without_messages_is_removed(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Nothing is written after that, either."""
    history = loaded.runtime_data.messages
    await hass.config_entries.async_remove(loaded.entry_id)
    history.add(record(history, PHONE, "Hello"))
    assert len(history) == 0


async def test_they_are_in_no_diagnostics(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nor in a log, nor in what an exception would show of them."""
    caplog.set_level(logging.DEBUG, f"custom_components.{DOMAIN}")
    await receive(gateway, loaded, (1, PHONE, TEXT))

    diagnostics = await async_get_config_entry_diagnostics(hass, loaded)
    [message] = loaded.runtime_data.messages.newest_first()
    for text in (repr(diagnostics), repr(message), *said(caplog, logging.DEBUG)):
        assert TEXT not in text
        assert PHONE not in text


# Order


async def test_messages_sort_by_their_time(
    hass: HomeAssistant, loaded: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """Also those of the same moment, and one that is written down late."""
    history = loaded.runtime_data.messages
    late = datetime.now(UTC)
    freezer.tick(60)
    for text in ("1", "2", "3"):
        history.add(record(history, PHONE, text))
    first = record(history, PHONE, "0")
    history.add(
        MessageRecord(
            **{
                **{name: getattr(first, name) for name in first.__slots__},
                "id": history.new_id(late),
                "time": late,
            }
        )
    )

    assert [each["text"] for each in kept(loaded)] == ["0", "1", "2", "3"]
    assert list(history.conversations[PHONE]) == [each["id"] for each in kept(loaded)]


# The file


@pytest.mark.parametrize(
    ("known", "seconds", "most"), [(0, 5, 11), (500, 5, 11), (10_000, 25, 4)]
)
async def test_a_flood_is_written_a_few_times(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
    loaded: MockConfigEntry,
    known: int,
    seconds: int,
    most: int,
) -> None:
    """The whole file each time, so the more there is the less often."""
    await set_options(hass, loaded, **{CONF_MESSAGES_KEPT: known or 500})
    history = loaded.runtime_data.messages
    for number in range(known):
        history.add(record(history, f"+4915{number % 99:09}", "Hello"))
    await pass_time(hass, freezer, 20)
    assert len(history) == known

    def writes() -> int:
        stored = hass_storage.get(key(loaded), {"data": {"write": ["", 0]}})
        return int(stored["data"]["write"][1])

    before = writes()

    for _ in range(seconds * 10):
        for _ in range(5):
            history.add(record(history, PHONE, "Flood"))
        freezer.tick(0.1)
        await hass.async_block_till_done()
    await pass_time(hass, freezer, 20)

    assert 1 < writes() - before <= most
    messages = hass_storage[key(loaded)]["data"]["messages"]
    assert messages == kept(loaded)
    assert messages[-1]["text"] == "Flood"
