"""Every text that the code names exists, with the placeholders that it is given."""

import ast
from collections.abc import Iterable, Iterator
import json
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.openvox_gsm import (
    binary_sensor,
    button,
    config_flow,
    errors,
    options_flow,
    sensor,
    services,
    switch,
)
from custom_components.openvox_gsm.ami import HeaderFault, Service
from custom_components.openvox_gsm.connecting.form_errors import FORM_ERRORS
from custom_components.openvox_gsm.errors import number_error
from custom_components.openvox_gsm.gateway import (
    ForbiddenReason,
    NetworkStatus,
    SendFailure,
    SpanStatus,
    TextFault,
    UssdFailure,
)
from custom_components.openvox_gsm.limits import sensors
from custom_components.openvox_gsm.phone_numbers import (
    InvalidPhoneNumberError,
    PhoneNumberFault,
)
from custom_components.openvox_gsm.services.sms import Encoding
from homeassistant.helpers.entity import EntityDescription
from homeassistant.util.yaml import load_yaml_dict

ROOT = Path(services.__file__).parents[1]
TEXTS: dict[str, Any] = json.loads((ROOT / "translations/en.json").read_text("utf-8"))
ICONS: dict[str, Any] = json.loads((ROOT / "icons.json").read_text("utf-8"))
SERVICES = load_yaml_dict(str(ROOT / "services.yaml"))


def placeholders(text: str) -> set[str]:
    """Return the names in the braces of a text."""
    return set(re.findall(r"\{(\w+)\}", text))


def leaves(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield path and text of every leaf."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    else:
        yield ".".join(path), node


# Why a span does nothing at all: these are texts by themselves.
_OF_SPANS = [
    failure.value
    for failure in SendFailure
    if failure
    not in (
        *errors.ONLY_SMS,
        SendFailure.LIMIT_REACHED,
        SendFailure.SIM_LIMIT_REACHED,
    )
]
# What stands for several keys in the code.
_KEYS: dict[str, list[str]] = {
    "f'ussd_{err.failure}'": [f"ussd_{failure}" for failure in UssdFailure],
    "err.failure": _OF_SPANS,
    "reason": _OF_SPANS,
    "str(result.failure)": _OF_SPANS,
    "why_not_asked(err)": ["not_connected", "not_responding"],
    "SendFailure.NO_SPAN_READY": ["no_span_ready"],
    "SendFailure.NOT_CONNECTED": ["not_connected"],
    "f'sms_{failure}'": [f"sms_{failure}" for failure in errors.ONLY_SMS],
    "f'sms_over_limit_{room.window}'": ["sms_over_limit_hour", "sms_over_limit_day"],
    "f'sms_limit_reached_{room.window}'": [
        f"sms_limit_reached_{window}" for window in ("hour", "day")
    ],
    "f'sms_sim_limit_reached_{room.window}'": [
        f"sms_sim_limit_reached_{window}" for window in ("day", "month")
    ],
    "f'sms_over_sim_limit_{room.window}'": [
        f"sms_over_sim_limit_{window}" for window in ("day", "month")
    ],
    "next((key for kind, key in POLL_ERRORS if isinstance(err, kind)))": [
        key for _, key in errors.POLL_ERRORS
    ],
    "name": ["self_test_accents", "self_test_emoji", "self_test_long"],
    "f'text_{err.fault}'": [f"text_{fault}" for fault in TextFault],
    "f'forbidden_{err.reason}'": [f"forbidden_{each}" for each in ForbiddenReason],
    "f'header_{err.fault}'": [f"header_{fault}" for fault in HeaderFault],
    "number_error(err)": [
        number_error(InvalidPhoneNumberError(fault)) for fault in PhoneNumberFault
    ],
}


def sites() -> Iterator[tuple[str, set[str]]]:
    """Yield key and placeholders wherever the code makes a translated exception."""
    for module in ROOT.rglob("*.py"):
        tree = ast.parse(module.read_text("utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if function.name in ("error", "invalid", "forbidden", "text_of"):
                continue  # they make what others raise
            for call in ast.walk(function):
                if isinstance(call, ast.Call):
                    yield from _made_by(call, function)


def _made_by(call: ast.Call, function: ast.AST) -> Iterator[tuple[str, set[str]]]:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    names = {name for name in given if name}
    match call:
        case ast.Call(func=ast.Name(id="error" | "invalid" | "forbidden")):
            node = call.args[0]
            if len(call.args) > 1:
                names.add("gateway")
        case ast.Call(func=ast.Name(id="exception_text")):
            node = call.args[1]
        case _ if "translation_domain" in given:
            node = given["translation_key"]
            names = set()
            for each in ast.walk(given.get("translation_placeholders", call.func)):
                if isinstance(each, ast.Dict):
                    names = {ast.literal_eval(key) for key in each.keys if key}
        case _:
            return
    for key in _keys(node, function):
        yield key, names


def _keys(node: ast.expr, function: ast.AST) -> Iterable[str]:
    """Return the keys that an expression in a function can stand for."""
    match node:
        case ast.Constant(value=str(key)):
            return [key]
        case ast.IfExp(body=one, orelse=other):
            return [*_keys(one, function), *_keys(other, function)]
        case ast.Name(id="key"):
            return _keys(_last_value(node, function), function)
    return _KEYS[ast.unparse(node)]


def _last_value(name: ast.Name, function: ast.AST) -> ast.expr:
    """Return what was assigned to a name just before it is used."""
    values = {}
    for each in ast.walk(function):
        if isinstance(each, ast.Assign) and each.lineno <= name.lineno:
            match each.targets[0], each.value:
                case ast.Name(id=name.id), value:
                    values[each.lineno] = value
                case ast.Tuple(elts=[ast.Name(id=name.id), *_]), ast.Tuple(elts=all_):
                    values[each.lineno] = all_[0]
    return values[max(values)]


def test_every_exception_has_its_text() -> None:
    """And is given what stands in it, wherever it's made; no text is left over."""
    texts = TEXTS["exceptions"]

    assert {key for key, _ in sites()} == texts.keys()
    assert [
        (key, missing)
        for key, names in sites()
        if (missing := placeholders(texts[key]["message"]) - names)
    ] == []


def test_every_error_of_the_flow_has_its_text() -> None:
    """Each its own; no text is left over."""
    texts = TEXTS["config"]["error"]

    assert texts.keys() == {
        *(key for _, _, key in FORM_ERRORS),
        *Service,
        "unknown",
    }
    assert len(set(texts.values())) == len(texts)
    assert TEXTS["config"]["abort"].keys() == {
        "already_configured",
        "already_in_progress",
        "reauth_successful",
        "reconfigure_successful",
    }


@pytest.mark.parametrize(
    ("step", "schema"),
    [
        ("user", config_flow.GATEWAY_SCHEMA),
        ("reconfigure", config_flow.LOST_CHALLENGE_SCHEMA),
        ("discovery_confirm", config_flow.DISCOVERY_SCHEMA),
        ("reauth_confirm", config_flow.CREDENTIALS_SCHEMA),
    ],
)
def test_every_field_of_the_flow_has_its_texts(step: str, schema: Any) -> None:
    """A name and a description."""
    texts = TEXTS["config"]["step"][step]
    fields = {str(key) for key in schema.schema}

    assert texts["title"]
    assert texts["data"].keys() == texts["data_description"].keys() == fields


def test_every_step_of_the_flow_has_its_texts() -> None:
    """Those that show something; with what the code tells them."""
    steps = TEXTS["config"]["step"]

    assert steps.keys() == {
        "certificate",
        "discovery_confirm",
        "no_incoming_sms",
        "other_gateway",
        "reauth_confirm",
        "reconfigure",
        "user",
    }
    assert steps["no_incoming_sms"]["menu_options"].keys() == {"check_again", "create"}
    given = _given_to_steps()
    assert given.keys() == steps.keys()
    for step, names in given.items():
        told = {name for _, text in leaves(steps[step]) for name in placeholders(text)}
        assert told == names, step
    elsewhere = {
        path: placeholders(text)
        for path, text in leaves(TEXTS["config"])
        if placeholders(text) and not path.startswith("step.")
    }
    assert elsewhere == {
        "abort.already_configured": {"gateway"},
        "flow_title": {"name"},
    }


def _given_to_steps() -> dict[str, set[str]]:
    """Return the placeholders that the code gives to each step of the flow."""
    given = {}
    tree = ast.parse(Path(config_flow.__file__).read_text("utf-8"))
    for call in ast.walk(tree):
        match call:
            case ast.Call(
                func=ast.Attribute(attr="async_show_form" | "async_show_menu"),
                keywords=keywords,
            ):
                values = {each.arg: each.value for each in keywords}
                step = ast.literal_eval(values["step_id"])
                match values.get("description_placeholders"):
                    case ast.Dict(keys=keys):
                        given[step] = {ast.literal_eval(key) for key in keys if key}
                    case nothing:
                        assert nothing is None
                        given[step] = set()
    return given


def test_every_option_has_its_texts() -> None:
    """A name and a description."""
    texts = TEXTS["options"]["step"]["init"]
    fields = {str(key) for key in options_flow.OPTIONS_SCHEMA.schema}

    assert texts["data"].keys() == texts["data_description"].keys() == fields
    assert TEXTS["options"]["error"].keys() == {
        "invalid_destination",
        "invalid_limit",
        "invalid_messages_kept",
    }


def test_every_field_of_an_action_has_its_texts() -> None:
    """The fields of services.yaml, of the schemas and of the texts are the same."""
    texts = TEXTS["services"]
    schemas = {
        name: schema
        for _, name, _, schema in (*services.ACTIONS, *services.ADMIN_ACTIONS)
    }

    assert SERVICES.keys() == texts.keys() == schemas.keys()
    for name, schema in schemas.items():
        sections = {
            key: part
            for key, part in SERVICES[name]["fields"].items()
            if "fields" in part
        }
        shown = {key for key in SERVICES[name]["fields"] if key not in sections}
        for section in sections.values():
            shown |= section["fields"].keys()
        fields = {str(key) for key in schema.schema} - {"data"}

        assert shown == texts[name]["fields"].keys() == fields
        assert texts[name].get("sections", {}).keys() == sections.keys()
        for text in (
            texts[name],
            *texts[name]["fields"].values(),
            *texts[name].get("sections", {}).values(),
        ):
            assert text["name"]
            assert text["description"]
    assert TEXTS["selector"]["encoding"]["options"].keys() == set(Encoding)


# A USSD query brings its name along; its entities are described by their class.
_WITHOUT_DESCRIPTION = {
    "button": {"ussd_query_now"},
    "sensor": {"ussd_query", "ussd_query_date"},
}


def test_every_entity_has_its_name_and_icon() -> None:
    """Unless its device class gives it both."""
    described: dict[str, list[EntityDescription]] = {
        "binary_sensor": [binary_sensor.CONNECTED, *binary_sensor.SPAN_BINARY_SENSORS],
        "button": [*button.MODULE_BUTTONS, button.SELF_TEST],
        "sensor": [
            *sensor.SPAN_SENSORS,
            *sensor.COUNTERS,
            *sensor.GATEWAY_SENSORS,
            *sensors.SMS_LEFT.values(),
        ],
        "switch": [switch.POWER],
    }
    for platform, descriptions in described.items():
        own = {each.translation_key for each in descriptions if each.translation_key}
        own |= _WITHOUT_DESCRIPTION.get(platform, set())
        texts = TEXTS["entity"][platform]

        assert texts.keys() == own == ICONS["entity"][platform].keys()
        assert all(texts[key]["name"] for key in own)
        for each in descriptions:
            assert each.translation_key or each.device_class


@pytest.mark.parametrize(
    ("key", "values"), [("status", SpanStatus), ("network_status", NetworkStatus)]
)
def test_every_state_has_its_name(
    key: str, values: type[SpanStatus | NetworkStatus]
) -> None:
    """All but the unknown, which Home Assistant names itself."""
    [description] = [each for each in sensor.SPAN_SENSORS if each.key == key]
    texts = TEXTS["entity"]["sensor"][key]["state"]

    assert set(description.options or ()) == texts.keys() == set(values) - {"unknown"}
    assert ICONS["entity"]["sensor"][key]["state"].keys() <= texts.keys()


def test_texts_are_texts() -> None:
    """Nothing is empty, and a text neither begins nor ends with a blank."""
    for path, text in leaves(TEXTS):
        assert isinstance(text, str), path
        assert text, path
        assert text == text.strip(), path
    assert TEXTS["device"] == {
        "span": {"name": "GSM {number}"},
        "span_on_port": {"name": "GSM {number} (port {port})"},
    }


LANGUAGES = ("de", "es", "fr", "it", "pt", "ru", "tr", "zh-Hans")


def _flattened(texts: dict[str, Any], path: str = "") -> dict[str, str]:
    """Return all texts by their path."""
    flat: dict[str, str] = {}
    for key, value in texts.items():
        if isinstance(value, dict):
            flat |= _flattened(value, f"{path}{key}.")
        else:
            flat[path + key] = value
    return flat


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_complete(language: str) -> None:
    """It has the texts of English, each with the same placeholders."""
    english, other = (
        _flattened(json.loads((ROOT / f"translations/{name}.json").read_text("utf-8")))
        for name in ("en", language)
    )
    assert other.keys() == english.keys()
    assert {
        key
        for key, text in other.items()
        if not text.strip() or placeholders(text) != placeholders(english[key])
    } == set()


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_the_card_names_the_option_as_its_form_does(language: str) -> None:
    """So that it's found there."""
    texts = json.loads((ROOT / f"translations/{language}.json").read_text("utf-8"))
    label = texts["options"]["step"]["init"]["data"]["messages_kept"]
    assert label in texts["config_panel"]["list"]["not_kept"]
