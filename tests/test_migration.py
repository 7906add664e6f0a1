"""An upgrade from version 0.1.0.

It starts from what version 0.1.0 stored in a real Home Assistant;
data/config-0.1.0/README.md says how that was made.
"""

from collections.abc import Mapping
import json
import logging
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_test_home_assistant,
)

from custom_components.openvox_gsm.const import (
    CONF_ALLOWED,
    CONF_CALL_EVENTS,
    CONF_CODE,
    CONF_DAILY_LIMIT,
    CONF_FLASH,
    CONF_HOURLY_LIMIT,
    CONF_INTERVAL,
    CONF_LINE_BREAKS,
    CONF_NUMBER,
    CONF_ONLY_CONFIRMED,
    CONF_PATTERN,
    CONF_REPLIES,
    CONF_SPAN,
    CONF_UNIT,
    DOMAIN,
    SUBENTRY_CONTACT,
    SUBENTRY_USSD_QUERY,
)
from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import (
    ATTR_FRIENDLY_NAME,
    ATTR_ICON,
    ATTR_RESTORED,
    ATTR_UNIT_OF_MEASUREMENT,
    CONF_COUNTRY,
    CONF_HOST,
    CONF_PORT,
    EVENT_HOMEASSISTANT_STARTED,
    STATE_UNAVAILABLE,
)
from homeassistant.core import CoreState, HomeAssistant, State
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from simulator import Simulator

from .common import pass_time, settle

STORAGE = Path(__file__).parent / "data" / "config-0.1.0" / ".storage"
NOW = "2026-11-28T03:10:00+00:00"
"""A few minutes after version 0.1.0 was stopped."""

pytestmark = pytest.mark.freeze_time(NOW)

type Stored = dict[str, Any]


@pytest.fixture
def load_registries() -> bool:
    """Let Home Assistant start without registries; they are loaded in `start`."""
    return False


@pytest.fixture
def stored(hass_storage: Stored, gateway: Simulator) -> Stored:
    """What version 0.1.0 stored, with the address of the gateway."""
    for file in STORAGE.iterdir():
        hass_storage[file.name] = json.loads(file.read_text())
    stored_entry(hass_storage)["data"] |= {
        CONF_HOST: gateway.host,
        CONF_PORT: gateway.port,
    }
    return hass_storage


def read(key: str) -> Any:
    """Return what version 0.1.0 stored under a key, as it was."""
    return json.loads((STORAGE / key).read_text())["data"]


def original_entry() -> Stored:
    """Return the entry as version 0.1.0 stored it."""
    entry: Stored
    [entry] = read("core.config_entries")["entries"]
    return entry


def stored_entry(stored: Stored) -> Stored:
    """Return the stored entry of the gateway."""
    entry: Stored
    [entry] = stored["core.config_entries"]["data"]["entries"]
    return entry


def stored_contact(stored: Stored, title: str) -> Stored:
    """Return the stored data of a contact."""
    data: Stored
    [data] = [
        each["data"]
        for each in stored_entry(stored)["subentries"]
        if each["title"] == title
    ]
    return data


async def start(hass: HomeAssistant, *, country: str | None = None) -> ConfigEntry:
    """Start with what is stored, as Home Assistant does; return the gateway's entry."""
    hass.set_state(CoreState.not_running)
    hass.config.country = country
    hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
    assert await bootstrap.async_load_base_functionality(hass)
    await async_setup_component(hass, DOMAIN, {})
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settle(hass)
    [entry] = hass.config_entries.async_entries(DOMAIN)
    return entry


async def stop(hass: HomeAssistant) -> None:
    """Stop, so that everything is stored.

    Only tests unload the entry first: they fail if a timer is left over.
    """
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_stop(force=True)


@pytest.fixture
async def upgraded(stored: Stored, hass: HomeAssistant) -> ConfigEntry:
    """The entry of the gateway after the upgrade."""
    entry = await start(hass)
    assert entry.state is ConfigEntryState.LOADED
    return entry


async def send(hass: HomeAssistant, target: str, **data: Any) -> dict[str, Any]:
    """Send an SMS and return what became of it."""
    response: Any = await hass.services.async_call(
        "notify",
        "send_sms",
        {"message": "Hello", "target": target} | data,
        blocking=True,
        return_response=True,
    )
    message: dict[str, Any]
    [message] = response["messages"]
    return message


def state_of(hass: HomeAssistant, entity_id: str) -> State:
    """Return the state of an entity, which must be there."""
    state = hass.states.get(entity_id)
    assert state, entity_id
    return state


def data_by_title(entry: ConfigEntry, kind: str) -> dict[str, dict[str, Any]]:
    """Return the data of the subentries of a kind by their titles."""
    return {
        subentry.title: dict(subentry.data)
        for subentry in entry.get_subentries_of_type(kind)
    }


def numbers(entry: ConfigEntry) -> dict[str, str]:
    """Return the numbers of the contacts by their titles."""
    contacts = data_by_title(entry, SUBENTRY_CONTACT)
    return {title: data[CONF_NUMBER] for title, data in contacts.items()}


KEPT_OF_AN_ENTITY = (
    "id",
    "entity_id",
    "unique_id",
    "device_id",
    "config_subentry_id",
    "disabled_by",
    "hidden_by",
    "name",
    "icon",
)
KEPT_OF_A_DEVICE = ("id", "identifiers", "name_by_user", "via_device_id")


def kept(item: Mapping[str, Any], keys: tuple[str, ...]) -> list[Any]:
    """Return the values that an upgrade must not change, in a form of JSON."""
    plain: list[Any] = json.loads(json.dumps([item[key] for key in keys]))
    return plain


def is_last_sms(entity: Mapping[str, Any]) -> bool:
    """Return whether an entity is the sensor that version 0.2.0 removes."""
    return entity["entity_id"].startswith("sensor.") and entity["unique_id"].endswith(
        "_last_sms"
    )


# The entry


async def test_an_entry_of_version_1_becomes_one_of_2(
    upgraded: ConfigEntry, stored: Stored
) -> None:
    """What leads to the gateway stays as it is."""
    entry = original_entry()
    assert (entry["version"], entry["minor_version"]) == (1, 1)

    assert (upgraded.version, upgraded.minor_version) == (2, 1)
    assert upgraded.entry_id == entry["entry_id"]
    assert upgraded.title == entry["title"]
    assert upgraded.data == stored_entry(stored)["data"]


@pytest.mark.parametrize(("version", "minor_version"), [(3, 1), (3, 2)])
async def test_an_entry_of_a_later_version_is_not_loaded(
    hass: HomeAssistant, stored: Stored, version: int, minor_version: int
) -> None:
    """As after a downgrade; nothing in it is changed."""
    later = {"version": version, "minor_version": minor_version}
    stored_entry(stored).update(later)

    entry = await start(hass)

    assert entry.state is ConfigEntryState.MIGRATION_ERROR
    assert {"version": entry.version, "minor_version": entry.minor_version} == later
    assert entry.options == original_entry()["options"]
    assert numbers(entry)["Anna"] == "015112345678"


@pytest.mark.parametrize("minor_version", [1, 2])
async def test_an_entry_that_needs_no_migration(
    hass: HomeAssistant, stored: Stored, minor_version: int
) -> None:
    """It is loaded as it is, also if a later version added to it."""
    stored_entry(stored).update({"version": 2, "minor_version": minor_version})

    entry = await start(hass)

    assert entry.state is ConfigEntryState.LOADED
    assert entry.minor_version == minor_version
    assert entry.options == original_entry()["options"]
    assert numbers(entry)["Anna"] == "015112345678"


async def test_no_warning_is_logged(
    hass: HomeAssistant,
    stored: Stored,
    gateway: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Other than the one that Home Assistant logs for every custom integration."""
    await start(hass)
    await gateway.receive_sms(1, "+4915112345678", "Hello")
    await settle(hass)
    await send(hass, "Anna")

    assert [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and DOMAIN in record.getMessage()
        and record.name != "homeassistant.loader"
    ] == []


async def test_a_second_start_migrates_nothing(
    hass: HomeAssistant,
    stored: Stored,
    upgraded: ConfigEntry,
    gateway: Simulator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Entry, devices and entities are then as the first one left them."""
    await send(hass, "Anna", span=1)
    await stop(hass)
    first = json.loads(json.dumps(stored))
    freezer.tick(60)

    async with async_test_home_assistant(load_registries=False) as again:
        entry = await start(again)
        assert entry.state is ConfigEntryState.LOADED
        assert state_of(again, "sensor.gsm_1_sms_sent").state == "4"
        await stop(again)

    assert stored_entry(stored) == stored_entry(first)
    assert stored["core.device_registry"] == first["core.device_registry"]
    entities, entities_first = (
        [kept(entity, KEPT_OF_AN_ENTITY) for entity in each["data"]["entities"]]
        for each in (stored["core.entity_registry"], first["core.entity_registry"])
    )
    assert entities == entities_first
    store = stored[f"{DOMAIN}.{entry.entry_id}"]
    assert store == first[f"{DOMAIN}.{entry.entry_id}"]
    assert sum(parts for _minute, parts in store["data"]["sent"]) == 7


async def test_a_module_that_was_switched_off_stays_off(
    hass: HomeAssistant, stored: Stored, gateway: Simulator
) -> None:
    """Its switch restored that; now the gateway's own file has it."""
    [state, other] = [
        {
            "state": State(f"switch.gsm_{span}_module_power", "off").as_dict(),
            "extra_data": {"switched_off": span == 1},
            "last_seen": NOW,
        }
        for span in (1, 2)
    ]
    stored["core.restore_state"]["data"] += [state, other]

    entry = await start(hass)
    assert state_of(hass, "sensor.gsm_1_status").state == "power_off"
    assert state_of(hass, "sensor.gsm_2_status").state == "ready"
    await stop(hass)

    store = stored[f"{DOMAIN}.{entry.entry_id}"]["data"]
    assert [span for span, *_ in store["switched_off"]] == [1]


# Options


async def test_the_country_prefix_becomes_the_country(upgraded: ConfigEntry) -> None:
    """All other options stay as they are; those that are numbers get one form."""
    assert upgraded.options == {
        CONF_COUNTRY: "DE",
        CONF_ALLOWED: ["+49", "+43660", "+491512345678", "10086"],
        CONF_HOURLY_LIMIT: 20,
        CONF_DAILY_LIMIT: 100,
        CONF_CALL_EVENTS: True,
        CONF_ONLY_CONFIRMED: False,
        CONF_LINE_BREAKS: True,
        CONF_FLASH: False,
    }


@pytest.mark.parametrize(
    ("prefix", "country", "written", "number"),
    [
        ("1", "US", "2015550123", "+12015550123"),
        ("7", "RU", "89123456789", "+79123456789"),
        ("44", "GB", "07700900123", "+447700900123"),
        ("39", "IT", "0612345678", "+390612345678"),
        # Only by hand: the form stored it without them.
        ("+49", "DE", "015112345678", "+4915112345678"),
        ("0049", "DE", "015112345678", "+4915112345678"),
    ],
)
async def test_the_main_country_of_a_prefix(
    hass: HomeAssistant,
    stored: Stored,
    prefix: str,
    country: str,
    written: str,
    number: str,
) -> None:
    """A prefix may have several countries; numbers are read as in the main one."""
    stored_entry(stored)["options"]["country_prefix"] = prefix
    stored_contact(stored, "Anna")[CONF_NUMBER] = written

    entry = await start(hass)

    assert entry.options[CONF_COUNTRY] == country
    assert "country_prefix" not in entry.options
    assert numbers(entry)["Anna"] == number


async def test_a_zero_stood_for_the_whole_country(
    hass: HomeAssistant, stored: Stored
) -> None:
    """In the list of allowed destinations, beside a country prefix."""
    stored_entry(stored)["options"]["allowed_destinations"] = ["0", "+43"]

    entry = await start(hass)

    assert entry.options["allowed_destinations"] == ["+49", "+43"]


@pytest.mark.parametrize("prefix", [None, "", "999"])
async def test_without_a_country_prefix(
    hass: HomeAssistant, stored: Stored, prefix: str | None
) -> None:
    """Numbers are read in Home Assistant's own country, also if that changes later."""
    options = stored_entry(stored)["options"]
    options.pop("country_prefix")
    if prefix is not None:
        options["country_prefix"] = prefix
    options[CONF_ALLOWED] = ["0660"]
    stored_contact(stored, "Anna")[CONF_NUMBER] = "06601234567"

    entry = await start(hass, country="AT")

    assert CONF_COUNTRY not in entry.options
    assert "country_prefix" not in entry.options
    assert entry.options[CONF_ALLOWED] == ["+43660"]
    assert numbers(entry)["Anna"] == "+436601234567"


async def test_without_any_country(
    hass: HomeAssistant, stored: Stored, gateway: Simulator
) -> None:
    """National numbers stay as they are, and are completed once there is a country."""
    del stored_entry(stored)["options"]["country_prefix"]

    entry = await start(hass)

    assert numbers(entry) == {
        "Anna": "015112345678",
        "Bert": "+436601234567",
        "Carl": "+491713920001",
        "Dora at work": "+491713920002",
        "Network": "10086",
    }
    with pytest.raises(ServiceValidationError):
        await send(hass, "Anna")
    hass.config.country = "DE"
    await send(hass, "Anna")
    assert [sms.number for sms in gateway.sent] == ["+4915112345678"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["+49", "0049 151", "0151", "10086"], ["+49", "+49151", "10086"]),
        # It can no longer be one, but without it all would be allowed.
        (["*100#"], ["*100#"]),
        ([], []),
    ],
)
async def test_allowed_destinations(
    hass: HomeAssistant, stored: Stored, written: list[str], expected: list[str]
) -> None:
    """Each is there once, in the form that numbers are compared with."""
    stored_entry(stored)["options"][CONF_ALLOWED] = written

    entry = await start(hass)

    assert entry.options[CONF_ALLOWED] == expected


async def test_the_same_destinations_are_allowed_as_before(
    hass: HomeAssistant, upgraded: ConfigEntry, gateway: Simulator
) -> None:
    """Those in Germany, of one network in Austria, and one short code."""
    for target in ("Anna", "Bert", "Network"):
        assert (await send(hass, target))["status"] == "sent"
    for target in ("+33612345678", "+436641234567", "10087"):
        with pytest.raises(ServiceValidationError):
            await send(hass, target)

    assert sorted(sms.number for sms in gateway.sent) == [
        "+436601234567",
        "+4915112345678",
        "10086",
    ]


async def test_a_destination_that_cannot_be_read_allows_nothing(
    hass: HomeAssistant, stored: Stored
) -> None:
    """If it were dropped, all destinations would be allowed."""
    stored_entry(stored)["options"][CONF_ALLOWED] = ["*100#"]
    await start(hass)

    with pytest.raises(ServiceValidationError):
        await send(hass, "Anna")


# Contacts and USSD queries


async def test_contacts(upgraded: ConfigEntry) -> None:
    """The title is the name, the number in its one form; a short code stays."""
    assert data_by_title(upgraded, SUBENTRY_CONTACT) == {
        "Anna": {CONF_NUMBER: "+4915112345678"},
        "Bert": {CONF_NUMBER: "+436601234567"},
        "Carl": {CONF_NUMBER: "+491713920001", CONF_SPAN: 2},
        "Dora at work": {CONF_NUMBER: "+491713920002"},
        "Network": {CONF_NUMBER: "10086"},
    }


async def test_a_contact_that_was_renamed(
    hass: HomeAssistant, upgraded: ConfigEntry, gateway: Simulator
) -> None:
    """It has its new name wherever it is named, and no longer the old one."""
    await gateway.receive_sms(1, "+491713920002", "Hello")
    await settle(hass)
    message = await send(hass, "Dora at work")

    assert (message["status"], message["contact"]) == ("sent", "Dora at work")
    assert gateway.sent[-1].number == "+491713920002"
    event = state_of(hass, "event.gsm_1_sms")
    assert event.attributes["contact"] == "Dora at work"
    with pytest.raises(ServiceValidationError):
        await send(hass, "Dora")


async def test_the_entity_of_a_contact_that_was_renamed(
    hass: HomeAssistant, upgraded: ConfigEntry, gateway: Simulator
) -> None:
    """It keeps its entity ID, so that automations go on."""
    state = state_of(hass, "notify.dora")
    assert state.attributes[ATTR_FRIENDLY_NAME] == "Dora at work"

    await hass.services.async_call(
        "notify",
        "send_message",
        {"message": "Hello", "entity_id": "notify.dora"},
        blocking=True,
    )

    assert gateway.sent[-1].number == "+491713920002"


async def test_the_preferred_span_of_a_contact(
    hass: HomeAssistant, upgraded: ConfigEntry, gateway: Simulator
) -> None:
    """It stays the preferred one."""
    assert (await send(hass, "Carl"))["span"] == 2


async def test_a_number_that_can_no_longer_be_called(
    hass: HomeAssistant, stored: Stored
) -> None:
    """The contact stays, so that its number can be corrected; the others work."""
    stored_contact(stored, "Bert")[CONF_NUMBER] = "*101#"

    entry = await start(hass)

    assert entry.state is ConfigEntryState.LOADED
    assert numbers(entry)["Bert"] == "*101#"
    with pytest.raises(ServiceValidationError):
        await send(hass, "Bert")
    assert (await send(hass, "Anna"))["status"] == "sent"


async def test_ussd_queries(upgraded: ConfigEntry) -> None:
    """The title is the name; nothing else changes."""
    assert data_by_title(upgraded, SUBENTRY_USSD_QUERY) == {
        "Balance": {
            CONF_SPAN: 1,
            CONF_CODE: "*100#",
            CONF_INTERVAL: 24.0,
            CONF_PATTERN: r"is ([\d.]+) EUR",
            CONF_UNIT: "EUR",
        },
        "Data volume": {
            CONF_SPAN: 2,
            CONF_CODE: "*100#",
            CONF_INTERVAL: 12.0,
            CONF_REPLIES: ["2"],
        },
    }


async def test_the_answers_to_ussd_queries(
    hass: HomeAssistant, upgraded: ConfigEntry, gateway: Simulator
) -> None:
    """They are still there; nothing is asked again before it is due."""
    balance = state_of(hass, "sensor.gsm_1_balance")
    assert (balance.state, balance.attributes[ATTR_UNIT_OF_MEASUREMENT]) == (
        "12.50",
        "EUR",
    )
    data = state_of(hass, "sensor.gsm_2_data")
    assert data.state == "1.4 GB left until 31 March."
    assert data.attributes[ATTR_FRIENDLY_NAME] == "Garage SIM Data volume"
    assert gateway.ussd_requests == []


# Entities and devices


async def test_the_sensors_last_sms_are_removed(
    hass: HomeAssistant, stored: Stored
) -> None:
    """Also one that was renamed, and nothing else; the event entity says the same."""
    last_sms = {
        entity["entity_id"]
        for entity in read("core.entity_registry")["entities"]
        if is_last_sms(entity)
    }
    assert len(last_sms) == 4
    changes = async_capture_events(hass, er.EVENT_ENTITY_REGISTRY_UPDATED)

    await start(hass)

    removed = {
        change.data["entity_id"]
        for change in changes
        if change.data["action"] == "remove"
    }
    assert removed == last_sms
    for entity_id in last_sms:
        assert er.async_get(hass).async_get(entity_id) is None
        assert hass.states.get(entity_id) is None
    assert state_of(hass, "event.gsm_1_sms").state == "2026-11-28T02:57:34.818+00:00"


async def test_all_other_entities_stay(
    hass: HomeAssistant, stored: Stored, upgraded: ConfigEntry
) -> None:
    """With their ids, their devices and what people have changed."""
    await stop(hass)

    after = stored["core.entity_registry"]["data"]["entities"]
    by_id = {entity["id"]: kept(entity, KEPT_OF_AN_ENTITY) for entity in after}
    before = read("core.entity_registry")["entities"]
    assert len(before) == 102
    for entity in before:
        if not is_last_sms(entity):
            assert by_id[entity["id"]] == kept(entity, KEPT_OF_AN_ENTITY)


async def test_what_people_have_changed(
    hass: HomeAssistant, upgraded: ConfigEntry
) -> None:
    """A new name and entity ID, what they disabled, and what they enabled."""
    reception = state_of(hass, "sensor.reception")
    assert reception.attributes[ATTR_FRIENDLY_NAME] == "Reception"
    assert reception.attributes[ATTR_ICON] == "mdi:antenna"
    assert hass.states.get("sensor.gsm_3_operator") is None
    assert state_of(hass, "sensor.gsm_4_bit_error_rate").state == "0"


async def test_no_entity_is_left_over(
    hass: HomeAssistant, upgraded: ConfigEntry
) -> None:
    """Each that was enabled still is, and has a state that comes from the gateway."""
    registry = er.async_get(hass)
    enabled = [
        entity.entity_id
        for entity in er.async_entries_for_config_entry(registry, upgraded.entry_id)
        if not entity.disabled
    ]

    assert "sensor.gsm_1_signal_quality" in enabled  # which no longer is by default
    for entity_id in enabled:
        state = state_of(hass, entity_id)
        assert state.state != STATE_UNAVAILABLE, entity_id
        assert ATTR_RESTORED not in state.attributes, entity_id


async def test_devices_stay(
    hass: HomeAssistant, stored: Stored, upgraded: ConfigEntry
) -> None:
    """With their ids and the names that people gave them."""
    await stop(hass)

    after = stored["core.device_registry"]["data"]["devices"]
    before = read("core.device_registry")["devices"]
    assert [kept(device, KEPT_OF_A_DEVICE) for device in after] == [
        kept(device, KEPT_OF_A_DEVICE) for device in before
    ]
    assert [device["name_by_user"] for device in after].count("Garage SIM") == 1


# Counters and limits

_COUNTED = {
    (1, "sms_received"): 2,
    (1, "sms_sent"): 3,
    (1, "sms_failed"): 0,
    (2, "sms_received"): 0,
    (2, "sms_sent"): 1,
    (2, "sms_failed"): 0,
    (3, "sms_received"): 0,
    (3, "sms_sent"): 2,
    (3, "sms_failed"): 0,
    (4, "sms_received"): 2,
    (4, "sms_sent"): 0,
    (4, "sms_failed"): 1,
}
"""By span and counter."""


async def test_counters_go_on(
    hass: HomeAssistant, upgraded: ConfigEntry, gateway: Simulator
) -> None:
    """Where they stood; version 0.1.0 did not keep since when they count."""
    for (span, key), value in _COUNTED.items():
        state = state_of(hass, f"sensor.gsm_{span}_{key}")
        assert state.state == str(value)
        assert state.attributes.get("last_reset") is None

    await gateway.receive_sms(1, "+4915112345678", "Hello")
    await settle(hass)
    await send(hass, "Anna", span=2)

    assert state_of(hass, "sensor.gsm_1_sms_received").state == "3"
    assert state_of(hass, "sensor.gsm_2_sms_sent").state == "2"


async def test_counters_are_stored(
    hass: HomeAssistant,
    stored: Stored,
    upgraded: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """At once, and from then on they are not left to Home Assistant to restore."""
    await pass_time(hass, freezer, 1)

    counters = stored[f"{DOMAIN}.{upgraded.entry_id}"]["data"]["counters"]
    assert {(span, key): value for span, key, value, _since in counters} == _COUNTED
    assert {since for *_, since in counters} == {None}


async def test_a_counter_that_was_never_kept(
    hass: HomeAssistant, stored: Stored
) -> None:
    """It starts at zero, and says since when."""
    stored["core.restore_state"]["data"] = []

    await start(hass)

    state = state_of(hass, "sensor.gsm_1_sms_sent")
    assert state.state == "0"
    assert state.attributes["last_reset"] == NOW


async def test_sms_of_the_last_hour_still_count(
    hass: HomeAssistant, stored: Stored, freezer: FrozenDateTimeFactory
) -> None:
    """Six of them were sent before the upgrade, so there is room for one."""
    stored_entry(stored)["options"][CONF_HOURLY_LIMIT] = 7
    await start(hass)

    assert (await send(hass, "Anna"))["status"] == "sent"
    assert (await send(hass, "Anna"))["status"] == "failed"

    freezer.move_to("2026-11-28T03:58:00+00:00")
    assert (await send(hass, "Anna"))["status"] == "sent"
