"""Adding and changing the contacts, USSD queries and SIM limits of a gateway."""

import inspect
import json
from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm import subentry_flow
from custom_components.openvox_gsm.config_flow import OpenVoxConfigFlow
from custom_components.openvox_gsm.const import (
    SUBENTRY_CONTACT,
    SUBENTRY_SIM_LIMIT,
    SUBENTRY_USSD_QUERY,
)
from custom_components.openvox_gsm.errors import number_error
from custom_components.openvox_gsm.limits.sims import SIMS
from custom_components.openvox_gsm.options_flow import RANGES
from custom_components.openvox_gsm.phone_numbers import (
    InvalidPhoneNumberError,
    PhoneNumberFault,
)
from custom_components.openvox_gsm.subentry_flow import (
    ContactFlow,
    OpenVoxSubentryFlow,
    SimLimitFlow,
    UssdQueryFlow,
)
from homeassistant.config_entries import SOURCE_USER, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from simulator import Simulator

from .common import TYPED, looks, settle, shown, span_device

TEXTS: dict[str, Any] = json.loads(
    Path(subentry_flow.__file__)
    .with_name("translations")
    .joinpath("en.json")
    .read_text("utf-8")
)
CONTACT = {"name": "Anna", "number": "+49 (151) 1234-5678", "span": "automatic"}
QUERY = {"name": "Balance", "span": "2", "code": "*100#", "interval": 24}
SPANS = [(str(number), f"GSM {number}") for number in (1, 2, 3, 4)]
SIM_LIMIT = {"name": "Prepaid", "span": "2", "daily_limit": 20}


async def open_form(
    hass: HomeAssistant, entry: MockConfigEntry, kind: str
) -> SubentryFlowResult:
    """Open the form for a new one."""
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, kind), context={"source": SOURCE_USER}
    )


async def add(
    hass: HomeAssistant, entry: MockConfigEntry, kind: str, given: dict[str, Any]
) -> SubentryFlowResult:
    """Fill in the form for a new one."""
    flow = await open_form(hass, entry, kind)
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "user")
    result = await hass.config_entries.subentries.async_configure(
        flow["flow_id"], given
    )
    await settle(hass)
    return result


async def change(
    hass: HomeAssistant, entry: MockConfigEntry, name: str, given: dict[str, Any]
) -> SubentryFlowResult:
    """Fill in the form to change one."""
    flow = await entry.start_subentry_reconfigure_flow(
        hass, subentry_named(entry, name)
    )
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "reconfigure")
    result = await hass.config_entries.subentries.async_configure(
        flow["flow_id"], given
    )
    await settle(hass)
    return result


def subentry_named(entry: MockConfigEntry, name: str) -> str:
    """Return the id of a subentry."""
    [subentry_id] = [
        each.subentry_id for each in entry.subentries.values() if each.title == name
    ]
    return subentry_id


def choices(flow: SubentryFlowResult) -> dict[str, str]:
    """Return value and label of the spans to choose from."""
    schema = flow["data_schema"]
    assert schema
    [selector] = [value for key, value in schema.schema.items() if key == "span"]
    return {each["value"]: each["label"] for each in selector.config["options"]}


def saved(entry: MockConfigEntry) -> list[tuple[str, str, dict[str, Any]]]:
    """Return kind, title and data of the subentries."""
    return [
        (each.subentry_type, each.title, dict(each.data))
        for each in entry.subentries.values()
    ]


def test_what_a_gateway_offers(entry: MockConfigEntry) -> None:
    """Contacts, USSD queries and SIM limits."""
    assert OpenVoxConfigFlow.async_get_supported_subentry_types(entry) == {
        SUBENTRY_CONTACT: ContactFlow,
        SUBENTRY_USSD_QUERY: UssdQueryFlow,
        SUBENTRY_SIM_LIMIT: SimLimitFlow,
    }


def without_name(data: dict[str, Any]) -> dict[str, Any]:
    """Return data as they are saved: the name is the title."""
    return {key: value for key, value in data.items() if key != "name"}


# Contacts


async def test_a_contact_is_added(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """The number without its decoration; it is there at once."""
    result = await add(hass, loaded, SUBENTRY_CONTACT, CONTACT | {"name": " Anna "})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert saved(loaded) == [("contact", "Anna", {"number": "+4915112345678"})]
    assert hass.states.get("notify.anna")


async def test_a_contact_has_a_span_of_its_own(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """One of the gateway's, by the name that it has here."""
    registry = dr.async_get(hass)
    registry.async_update_device(
        span_device(hass, loaded, 2).id, name_by_user="Work SIM"
    )
    flow = await hass.config_entries.subentries.async_init(
        (loaded.entry_id, SUBENTRY_CONTACT), context={"source": SOURCE_USER}
    )

    assert choices(flow) == {
        "automatic": "automatic",
        "1": "GSM 1",
        "2": "Work SIM",
        "3": "GSM 3",
        "4": "GSM 4",
    }
    await hass.config_entries.subentries.async_configure(
        flow["flow_id"], CONTACT | {"span": "2"}
    )
    await settle(hass)
    [(_, _, data)] = saved(loaded)
    assert data["span"] == 2


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"name": "  "}, {"name": "no_name"}),
        ({"name": "Anna, Bert"}, {"name": "invalid_name"}),
        ({"name": "Anna; Bert"}, {"name": "invalid_name"}),
        ({"name": "+49 151 1"}, {"name": "invalid_name"}),
        ({"number": "Anna"}, {"number": "invalid_number"}),
        ({"number": ""}, {"number": "invalid_number"}),
        ({"number": "*100#"}, {"number": "invalid_number"}),
        ({"number": "+49 1"}, {"number": "number_impossible"}),
        ({"number": "0151 12345678"}, {"number": "number_needs_country"}),
        (
            {"name": " ", "number": "Anna"},
            {"name": "no_name", "number": "invalid_number"},
        ),
    ],
)
async def test_an_invalid_contact(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    changed: dict[str, str],
    error: dict[str, str],
) -> None:
    """Is refused in words; what was typed stays."""
    result = await add(hass, loaded, SUBENTRY_CONTACT, CONTACT | changed)

    assert (result["type"], result["errors"]) == (FlowResultType.FORM, error)
    assert shown(result) == CONTACT | changed
    result = await hass.config_entries.subentries.async_configure(
        result["flow_id"], CONTACT
    )
    await settle(hass)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_name_is_there_once(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Whatever its case; but a query may be called as a contact."""
    await add(hass, loaded, SUBENTRY_CONTACT, CONTACT)

    result = await add(hass, loaded, SUBENTRY_CONTACT, CONTACT | {"name": "ANNA"})
    assert result["errors"] == {"name": "name_taken"}

    result = await add(hass, loaded, SUBENTRY_USSD_QUERY, QUERY | {"name": "Anna"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_contact_is_changed(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The form shows what there is; the change takes effect at once."""
    await add(hass, loaded, SUBENTRY_CONTACT, CONTACT | {"span": "3"})
    await add(hass, loaded, SUBENTRY_CONTACT, CONTACT | {"name": "Bert"})
    flow = await loaded.start_subentry_reconfigure_flow(
        hass, subentry_named(loaded, "Anna")
    )
    assert shown(flow) == {"name": "Anna", "number": "+4915112345678", "span": "3"}

    result = await change(hass, loaded, "Anna", CONTACT | {"name": "bert"})
    assert result["errors"] == {"name": "name_taken"}

    result = await change(hass, loaded, "Anna", CONTACT | {"name": "anna"})
    assert (result["type"], result["reason"]) == (
        FlowResultType.ABORT,
        "reconfigure_successful",
    )
    assert saved(loaded)[0] == (
        "contact",
        "anna",
        {"number": "+4915112345678"},
    )
    state = hass.states.get("notify.anna")
    assert state
    assert state.name == "anna"


async def test_a_contact_without_a_span_shows_so(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Automatic is a choice that can be seen."""
    await add(hass, loaded, SUBENTRY_CONTACT, CONTACT)

    flow = await loaded.start_subentry_reconfigure_flow(
        hass, subentry_named(loaded, "Anna")
    )

    assert shown(flow)["span"] == "automatic"


async def test_a_contact_is_removed(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """With its entity, and without losing the connection."""
    await add(hass, loaded, SUBENTRY_CONTACT, CONTACT)
    coordinator = loaded.runtime_data

    hass.config_entries.async_remove_subentry(loaded, subentry_named(loaded, "Anna"))
    await settle(hass)

    assert not hass.states.get("notify.anna")
    assert loaded.runtime_data is coordinator
    assert coordinator.gateway.is_connected


# USSD queries


async def test_a_query_is_added(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """With no more than it needs."""
    result = await add(hass, loaded, SUBENTRY_USSD_QUERY, QUERY | {"code": " *100# "})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert saved(loaded) == [
        (
            "ussd_query",
            "Balance",
            {"span": 2, "code": "*100#", "interval": 24},
        )
    ]
    assert hass.states.get("sensor.gsm_2_balance")
    assert hass.states.get("button.gsm_2_query_balance_now")


async def test_the_name_of_a_query_is_there_once_on_a_span(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Every SIM has a balance; a query may not go over to a span that has one."""
    await add(hass, loaded, SUBENTRY_USSD_QUERY, QUERY)
    result = await add(hass, loaded, SUBENTRY_USSD_QUERY, QUERY | {"name": "BALANCE"})
    assert result["errors"] == {"name": "name_taken"}

    await add(hass, loaded, SUBENTRY_USSD_QUERY, QUERY | {"span": "3"})
    assert [data["span"] for _, _, data in saved(loaded)] == [2, 3]
    assert hass.states.get("sensor.gsm_3_balance")

    first, _ = loaded.subentries
    flow = await loaded.start_subentry_reconfigure_flow(hass, first)
    result = await hass.config_entries.subentries.async_configure(
        flow["flow_id"], QUERY | {"span": "3"}
    )
    assert result["errors"] == {"name": "name_taken"}


async def test_a_query_with_all_that_it_can_have(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """And the form to change it shows all of that."""
    extras = {
        "interval": 0.25,
        "pattern": r"(?:is|of) ([\d.,]+)",
        "unit": "EUR",
        "date_pattern": r"until (\S+)",
    }
    await add(
        hass,
        loaded,
        SUBENTRY_USSD_QUERY,
        QUERY | extras | {"replies": [" 1 ", "", "2"], "unit": " EUR "},
    )

    assert saved(loaded) == [
        (
            "ussd_query",
            "Balance",
            without_name(QUERY | extras | {"span": 2, "replies": ["1", "2"]}),
        )
    ]
    flow = await loaded.start_subentry_reconfigure_flow(
        hass, subentry_named(loaded, "Balance")
    )
    assert shown(flow) == QUERY | extras | {"replies": ["1", "2"]}


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"name": " "}, {"name": "no_name"}),
        ({"code": " "}, {"code": "invalid_code"}),
        ({"code": "*100#\nx"}, {"code": "invalid_code"}),
        ({"code": "hello"}, {"code": "invalid_code"}),
        ({"code": "*" * 160 + "#"}, {"code": "invalid_code"}),
        ({"replies": ["1", "2" * 161]}, {"replies": "invalid_reply"}),
        ({"interval": 0.2}, {"interval": "invalid_interval"}),
        ({"interval": 721}, {"interval": "invalid_interval"}),
        ({"pattern": "(\\d"}, {"pattern": "invalid_pattern"}),
        ({"pattern": "\\d+"}, {"pattern": "not_one_group"}),
        ({"pattern": "(\\d)(\\d)"}, {"pattern": "not_one_group"}),
        ({"date_pattern": "(\\d"}, {"date_pattern": "invalid_pattern"}),
        ({"date_pattern": "\\d+"}, {"date_pattern": "not_one_group"}),
        (
            {
                "name": " ",
                "code": " ",
                "replies": ["2" * 161],
                "interval": 721,
                "pattern": "(\\d",
                "date_pattern": "\\d+",
            },
            {
                "name": "no_name",
                "code": "invalid_code",
                "replies": "invalid_reply",
                "interval": "invalid_interval",
                "pattern": "invalid_pattern",
                "date_pattern": "not_one_group",
            },
        ),
    ],
)
async def test_an_invalid_query(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    changed: dict[str, Any],
    error: dict[str, str],
) -> None:
    """Is refused in words; what was typed stays."""
    result = await add(hass, loaded, SUBENTRY_USSD_QUERY, QUERY | changed)

    assert (result["type"], result["errors"]) == (FlowResultType.FORM, error)
    assert shown(result) == {
        "replies": None,
        "pattern": None,
        "unit": None,
        "date_pattern": None,
        **QUERY,
        **changed,
    }
    assert not loaded.subentries


async def test_a_query_is_changed(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """What was taken out is gone; its entities go over to the other span."""
    await add(hass, loaded, SUBENTRY_USSD_QUERY, QUERY | {"unit": "EUR"})

    result = await change(hass, loaded, "Balance", QUERY | {"span": "3"})

    assert (result["type"], result["reason"]) == (
        FlowResultType.ABORT,
        "reconfigure_successful",
    )
    assert saved(loaded) == [
        ("ussd_query", "Balance", without_name(QUERY | {"span": 3}))
    ]
    state = hass.states.get("sensor.gsm_2_balance")
    assert state
    assert state.name == "GSM 3 Balance"


async def test_no_query_without_a_span(
    hass: HomeAssistant, entry: MockConfigEntry, enable_custom_integrations: None
) -> None:
    """A gateway that never answered has told none; a contact needs none."""
    entry.add_to_hass(hass)

    flow = await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_USSD_QUERY), context={"source": SOURCE_USER}
    )
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "no_spans")

    flow = await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_CONTACT), context={"source": SOURCE_USER}
    )
    assert choices(flow) == {"automatic": "automatic"}


async def test_a_span_that_is_gone_can_be_kept(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """It may come back."""
    await add(hass, loaded, SUBENTRY_USSD_QUERY, QUERY)
    dr.async_get(hass).async_remove_device(span_device(hass, loaded, 2).id)

    flow = await loaded.start_subentry_reconfigure_flow(
        hass, subentry_named(loaded, "Balance")
    )

    assert list(choices(flow)) == ["1", "2", "3", "4"]
    assert choices(flow)["2"] == "2"


# SIM limits


async def test_a_sim_limit_is_added_and_changed(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It takes effect at once. Which SIM it's for can't be changed."""
    result = await add(hass, loaded, SUBENTRY_SIM_LIMIT, SIM_LIMIT)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    sim = hass.data[SIMS].sim(loaded.entry_id, 2)
    data = {"sim": sim, "daily_limit": 20, "monthly_limit": 0, "month_begins": 1}
    assert saved(loaded) == [("sim_limit", "Prepaid", data)]
    assert hass.states.is_state("sensor.gsm_2_sms_left_24_hours", "20")
    assert not hass.states.get("sensor.gsm_2_sms_left_month")

    flow = await loaded.start_subentry_reconfigure_flow(
        hass, subentry_named(loaded, "Prepaid")
    )
    assert shown(flow) == {
        "name": "Prepaid",
        "daily_limit": 20,
        "monthly_limit": 0,
        "month_begins": 1,
    }
    changed = {"name": "Contract", "monthly_limit": 300.0, "month_begins": 31}
    await change(hass, loaded, "Prepaid", changed)
    data = {"sim": sim, "daily_limit": 0, "monthly_limit": 300, "month_begins": 31}
    assert saved(loaded) == [("sim_limit", "Contract", data)]
    assert not hass.states.get("sensor.gsm_2_sms_left_24_hours")
    assert hass.states.is_state("sensor.gsm_2_sms_left_month", "300")


@pytest.mark.parametrize(
    ("kind", "spans", "others"),
    [
        (
            SUBENTRY_CONTACT,
            [("automatic", "automatic"), *SPANS],
            {"number": {"text": {"type": "tel"}}},
        ),
        (
            SUBENTRY_USSD_QUERY,
            SPANS,
            {
                "code": {"text": {}},
                "replies": {"text": {"multiple": True}},
                "interval": {
                    "number": {
                        "step": "any",
                        "mode": "box",
                        "unit_of_measurement": "h",
                    }
                },
                "pattern": {"text": {}},
                "unit": {"text": {}},
                "date_pattern": {"text": {}},
            },
        ),
        (
            SUBENTRY_SIM_LIMIT,
            SPANS,
            {
                "daily_limit": TYPED,
                "monthly_limit": TYPED,
                "month_begins": TYPED,
            },
        ),
    ],
)
async def test_what_a_form_looks_like(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    kind: str,
    spans: list[tuple[str, str]],
    others: dict[str, Any],
) -> None:
    """Numbers are typed, a phone shows its digits, and a span is chosen by its name."""
    assert looks(await open_form(hass, loaded, kind)) == {
        "name": {"text": {}},
        "span": {
            "select": {
                "options": [{"value": each, "label": name} for each, name in spans],
                "mode": "dropdown",
                "translation_key": "span",
            }
        },
        **others,
    }


async def test_the_highest_limits_of_a_sim(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """What the errors name as the end of a range is in it."""
    highest = {"daily_limit": 100_000, "monthly_limit": 100_000, "month_begins": 31}
    result = await add(hass, loaded, SUBENTRY_SIM_LIMIT, SIM_LIMIT | highest)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_sim_has_one_limit(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    gateway: Simulator,
    other: Simulator,
) -> None:
    """Even where it has moved to another gateway."""
    result = await add(hass, loaded, SUBENTRY_SIM_LIMIT, SIM_LIMIT)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    other.spans[1].imsi, gateway.spans[2].imsi = gateway.spans[2].imsi, ""
    for each in (loaded, other_loaded):
        await each.runtime_data.coordinator.async_refresh()

    result = await add(
        hass, other_loaded, SUBENTRY_SIM_LIMIT, SIM_LIMIT | {"span": "1"}
    )
    assert result["errors"] == {"span": "sim_has_limit"}
    result = await add(
        hass, loaded, SUBENTRY_SIM_LIMIT, SIM_LIMIT | {"name": "A", "span": "3"}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"daily_limit": 1.5}, {"daily_limit": "invalid_limit"}),
        ({"daily_limit": -1}, {"daily_limit": "invalid_limit"}),
        (
            {"monthly_limit": 0.5, "month_begins": 1.5},
            {"monthly_limit": "invalid_limit", "month_begins": "invalid_day"},
        ),
        (
            {"monthly_limit": 100_001, "month_begins": 32},
            {"monthly_limit": "invalid_limit", "month_begins": "invalid_day"},
        ),
        ({"daily_limit": 1, "month_begins": 0}, {"month_begins": "invalid_day"}),
        ({}, {"daily_limit": "no_limit"}),
        ({"daily_limit": 0, "monthly_limit": 0}, {"daily_limit": "no_limit"}),
    ],
)
async def test_what_cannot_be_a_limit(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    given: dict[str, float],
    errors: dict[str, str],
) -> None:
    """It isn't saved, neither as a new limit nor as a changed one."""
    name_and_span = {"name": "Prepaid", "span": "2"}
    result = await add(hass, loaded, SUBENTRY_SIM_LIMIT, name_and_span | given)
    assert result["errors"] == errors
    typed = {key: value for key, value in shown(result).items() if value is not None}
    assert typed == {"month_begins": 1} | name_and_span | given

    await add(hass, loaded, SUBENTRY_SIM_LIMIT, SIM_LIMIT)
    before = saved(loaded)
    result = await change(hass, loaded, "Prepaid", {"name": "Prepaid"} | given)
    assert result["errors"] == errors
    assert saved(loaded) == before


async def test_no_sim_limit_without_a_span(
    hass: HomeAssistant, entry: MockConfigEntry, enable_custom_integrations: None
) -> None:
    """It isn't known yet which SIMs there are."""
    entry.add_to_hass(hass)

    flow = await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_SIM_LIMIT), context={"source": SOURCE_USER}
    )

    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "no_spans")


# Texts


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (SUBENTRY_CONTACT, CONTACT),
        (
            SUBENTRY_USSD_QUERY,
            QUERY | {"replies": [], "pattern": "", "unit": "", "date_pattern": ""},
        ),
        (
            SUBENTRY_SIM_LIMIT,
            SIM_LIMIT | {"monthly_limit": 0, "month_begins": 1},
        ),
    ],
)
def test_every_field_and_error_has_its_text(kind: str, given: dict[str, Any]) -> None:
    """Each its own; no text is left over."""
    texts = TEXTS["config_subentries"][kind]
    errors = set(re.findall(r"(?:errors\[\w+\] =|return|else) \"(\w+)\"", _code(kind)))
    if kind == SUBENTRY_CONTACT:
        errors |= {
            number_error(InvalidPhoneNumberError(fault)) for fault in PhoneNumberFault
        }
    if kind == SUBENTRY_SIM_LIMIT:
        errors |= {RANGES[key][2] for key in RANGES.keys() & given.keys()}

    assert texts["error"].keys() == errors
    assert len(set(texts["error"].values())) == len(errors)
    assert texts["step"].keys() == {"user", "reconfigure"}
    fields = {"user": set(given), "reconfigure": set(given)}
    if kind == SUBENTRY_SIM_LIMIT:
        fields["reconfigure"] -= {"span"}
    for name, step in texts["step"].items():
        assert step["title"]
        assert step["data"].keys() == step["data_description"].keys() == fields[name]
    assert texts["initiate_flow"].keys() == {"user", "reconfigure"}
    assert texts["entry_type"]


def _code(kind: str) -> str:
    """Return the code that checks a form of this kind."""
    flow: type[OpenVoxSubentryFlow] = {
        SUBENTRY_CONTACT: ContactFlow,
        SUBENTRY_USSD_QUERY: UssdQueryFlow,
        SUBENTRY_SIM_LIMIT: SimLimitFlow,
    }[kind]
    code = inspect.getsource(flow) + inspect.getsource(OpenVoxSubentryFlow)
    if kind == SUBENTRY_USSD_QUERY:
        code += inspect.getsource(subentry_flow._pattern_error)  # noqa: SLF001
    return code
