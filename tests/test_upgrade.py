"""An upgrade from version 0.1.0 in a real Home Assistant, from start to stop.

test_migration.py looks at each thing that an upgrade changes.
"""

import asyncio
from collections.abc import Awaitable, Callable
import json
from pathlib import Path
import shutil
from typing import Any

import aiohttp
import pytest

from custom_components.openvox_gsm.const import DOMAIN, SUBENTRY_CONTACT
from demo.check import check_log
from demo.home import HomeAssistant, make_config
from demo.processes import choose_ports, until
from simulator import Simulator

from .home_assistant_process import is_running, running_home_assistant

OLD = Path(__file__).parent / "data" / "config-0.1.0" / ".storage"
ENTRIES, DEVICES, ENTITIES = (
    f"core.{name}" for name in ("config_entries", "device_registry", "entity_registry")
)
STORE = f"{DOMAIN}.01M8G1CBZAENW97PAYXN6XEA6R"

NUMBERS = {
    "Anna": "+4915112345678",
    "Bert": "+436601234567",
    "Carl": "+491713920001",
    "Dora at work": "+491713920002",
    "Network": "10086",
}
"""The numbers of the contacts in the form that version 0.2.0 gives them."""

COUNTERS = ("sms_received", "sms_sent", "sms_failed")


@pytest.fixture
def folder(tmp_path: Path, gateway: Simulator) -> Path:
    """A configuration folder that version 0.1.0 left, with the gateway's port."""
    folder = tmp_path / "config"
    (port,) = choose_ports(8126)
    make_config(folder, port)
    # The dashboard and the automations are for a gateway of eight spans.
    configuration = folder / "configuration.yaml"
    configuration.write_text(configuration.read_text().partition("lovelace:")[0])
    shutil.copytree(OLD, folder / ".storage", dirs_exist_ok=True)
    entries = folder / ".storage" / ENTRIES
    entries.write_text(entries.read_text().replace(": 5038", f": {gateway.port}"))
    return folder


def stored(storage: Path, key: str) -> Any:
    """Return what is stored of the gateway: its entry, devices, entities or store."""
    data = json.loads((storage / key).read_text())["data"]
    match key:
        case "core.config_entries":
            (entry,) = (each for each in data["entries"] if each["domain"] == DOMAIN)
            return entry
        case "core.device_registry":
            return [
                each for each in data["devices"] if DOMAIN in str(each["identifiers"])
            ]
        case "core.entity_registry":
            return {
                each["id"]: each
                for each in data["entities"]
                if each["platform"] == DOMAIN
            }
    return data


async def run(
    folder: Path, home: HomeAssistant, work: Callable[[], Awaitable[None]]
) -> dict[str, Any]:
    """Start, do some work, stop; return what is stored then."""
    async with running_home_assistant(folder) as process:
        await work()
        process.terminate()
        async with asyncio.timeout(60):
            await process.wait()
    check_log(folder / "log")
    return {
        key: stored(folder / ".storage", key)
        for key in (ENTRIES, DEVICES, ENTITIES, STORE)
    }


async def test_upgrade(folder: Path, gateway: Simulator) -> None:
    """All that a person has is there after it, and the next start changes nothing."""
    port = json.loads((folder / ".storage" / "http").read_text())["data"]["server_port"]

    async with aiohttp.ClientSession() as session:
        home = HomeAssistant(session, port)

        async def is_loaded() -> bool:
            (entry,) = await home.command("config_entries/get", domain=DOMAIN)
            return bool(entry["state"] == "loaded")

        async def use() -> None:
            """See that the gateway works and counts on, for a contact too."""
            await home.make_user()
            await until("The set-up of the gateway", is_loaded, 30)
            assert await home.state("sensor.gsm_1_sms_sent") == "3"
            response = await home.ask_action(
                "notify.send_sms", message="Hello", target="Dora at work", span=1
            )
            assert [each["status"] for each in response["messages"]] == ["sent"]
            assert await home.state("sensor.gsm_1_sms_sent") == "4"

        async def look() -> None:
            await until("The second start", lambda: is_running(home), 60)
            await until("The set-up of the gateway", is_loaded, 30)
            assert await home.state("sensor.gsm_1_sms_sent") == "4"

        first = await run(folder, home, use)
        second = await run(folder, home, look)

    assert [(sms.number, sms.text) for sms in gateway.sent] == [
        ("+491713920002", "Hello")
    ]
    entry = first[ENTRIES]
    assert (entry["version"], entry["entry_id"]) == (
        2,
        STORE.removeprefix(f"{DOMAIN}."),
    )
    assert titles(entry) == titles(stored(OLD, ENTRIES))
    assert {
        each["title"]: each["data"]["number"]
        for each in entry["subentries"]
        if each["subentry_type"] == SUBENTRY_CONTACT
    } == NUMBERS
    assert names(first[DEVICES]) == names(stored(OLD, DEVICES))
    assert entity_ids(stored(OLD, ENTITIES)) - entity_ids(first[ENTITIES]) == {
        (entity, each["entity_id"])
        for entity, each in stored(OLD, ENTITIES).items()
        if each["unique_id"].endswith("_last_sms")
    }
    counters = {(span, key): value for span, key, value, *_ in first[STORE]["counters"]}
    assert [counters[1, key] for key in COUNTERS] == [2, 4, 0]
    assert second == first


def titles(entry: dict[str, Any]) -> dict[str, str]:
    """Return the titles of all contacts and USSD queries, by their ids."""
    return {each["subentry_id"]: each["title"] for each in entry["subentries"]}


def names(devices: list[dict[str, Any]]) -> dict[str, str | None]:
    """Return the names that a person gave to devices, by the devices' ids."""
    return {each["id"]: each["name_by_user"] for each in devices}


def entity_ids(entities: dict[str, dict[str, Any]]) -> set[tuple[str, str]]:
    """Return pairs of an entity's id in the registry and its entity ID."""
    return {(entity, each["entity_id"]) for entity, each in entities.items()}
