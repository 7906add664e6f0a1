"""Every text that the code names exists, with the placeholders that it is given."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.openvox_gsm import (
    binary_sensor,
    button,
    config_flow,
    sensor,
    services,
    switch,
)
from custom_components.openvox_gsm.gateway import (
    NetworkStatus,
    SendFailure,
    SpanStatus,
    TextFault,
    UssdFailure,
)
from custom_components.openvox_gsm.services.sms import Encoding
from homeassistant.helpers.entity import EntityDescription
from homeassistant.util.yaml import load_yaml_dict

ROOT = Path(services.__file__).parents[1]
TEXTS: dict[str, Any] = json.loads((ROOT / "translations/en.json").read_text("utf-8"))
ICONS: dict[str, Any] = json.loads((ROOT / "icons.json").read_text("utf-8"))
MANIFEST: dict[str, Any] = json.loads((ROOT / "manifest.json").read_text("utf-8"))
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


def raised() -> Iterator[tuple[str, set[str]]]:
    """Yield key and placeholders of every translated exception in the code."""
    for module in ROOT.rglob("*.py"):
        tree = ast.parse(module.read_text("utf-8"))
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call):
                continue
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            if "translation_domain" not in given:
                continue
            names: set[str] = set()
            if "translation_placeholders" in given:
                told = given["translation_placeholders"]
                assert isinstance(told, ast.Dict)
                names = {ast.literal_eval(key) for key in told.keys if key}
            for key in _keys(given["translation_key"]):
                yield key, names
    # They stand inside of another one.
    for failure in SendFailure:
        yield f"sms_{failure}", {"gateway", "span", "time"}
    yield "sms_over_limit", {"gateway", "parts"}
    yield "sms_parts_sent", {"sent", "parts"}


def _keys(node: ast.expr) -> list[str]:
    """Return the keys that an expression can stand for."""
    match node:
        case ast.Constant(value=str(key)):
            return [key]
        case ast.JoinedStr(values=[ast.Constant(value="ussd_"), _]):
            return [f"ussd_{failure}" for failure in UssdFailure]
        case ast.JoinedStr(values=[ast.Constant(value="text_"), _]):
            return [f"text_{fault}" for fault in TextFault]
        case ast.JoinedStr(values=[ast.Constant(value="call_"), _]):
            return [
                "call_busy",
                "call_no_span_ready",
                "call_no_such_span",
                "call_span_not_ready",
            ]
        case ast.IfExp(
            body=ast.Constant(value=str(one)), orelse=ast.Constant(value=str(other))
        ):
            return [one, other]
        case ast.Name(id="problem"):
            return [
                "cannot_connect",
                "module_failed",
                "module_not_answered",
                "no_command_right",
                "not_connected",
            ]
        case ast.Name(id="failure"):
            return ["cannot_connect", "not_answered", "not_connected"]
        case ast.Name(id="key"):
            return [
                "certificate",
                "invalid_auth",
                "no_challenge",
                "no_command_right",
                "not_openvox",
            ]
    raise AssertionError(ast.dump(node))


def test_every_exception_has_its_text() -> None:
    """And is given just the placeholders that stand in it; no text is left over."""
    used = dict(raised())

    assert {
        key: placeholders(text["message"]) for key, text in TEXTS["exceptions"].items()
    } == {
        # A text may do without some of what it is offered.
        key: names & placeholders(TEXTS["exceptions"][key]["message"])
        for key, names in used.items()
    }


def test_every_error_of_the_flow_has_its_text() -> None:
    """Each its own; no text is left over."""
    errors = {key for _, key in config_flow._ERRORS} | {"unknown"}  # noqa: SLF001
    texts = TEXTS["config"]["error"]

    assert texts.keys() == errors
    assert len(set(texts.values())) == len(texts)
    assert TEXTS["config"]["abort"].keys() == {
        "already_configured",
        "reauth_successful",
        "reconfigure_successful",
    }


@pytest.mark.parametrize(
    ("step", "schema"),
    [
        ("user", config_flow.GATEWAY_SCHEMA),
        ("reconfigure", config_flow.GATEWAY_SCHEMA),
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
        "reauth_confirm",
        "reconfigure",
        "user",
    }
    assert steps["no_incoming_sms"]["menu_options"].keys() == {"check_again", "create"}
    told = {
        path: placeholders(text)
        for path, text in leaves(TEXTS["config"])
        if placeholders(text)
    }
    assert told == {
        "flow_title": {"host"},
        "step.certificate.description": {"fingerprint", "host"},
        "step.discovery_confirm.description": {"host"},
        "step.no_incoming_sms.description": {"username"},
        "step.reauth_confirm.description": {"gateway"},
    }


def test_every_option_has_its_texts() -> None:
    """A name and a description."""
    texts = TEXTS["options"]["step"]["init"]
    fields = {str(key) for key in config_flow.OPTIONS_SCHEMA.schema}

    assert texts["data"].keys() == texts["data_description"].keys() == fields
    assert TEXTS["options"]["error"].keys() == {
        "invalid_country_prefix",
        "invalid_destination",
    }


def test_every_field_of_an_action_has_its_texts() -> None:
    """The fields of services.yaml, of the schemas and of the texts are the same."""
    texts = TEXTS["services"]
    schemas = {
        name: schema
        for _, name, _, schema in (*services.ACTIONS, *services.ADMIN_ACTIONS)
    }
    described = {key for key in SERVICES if not key.startswith(".")}

    assert described == texts.keys() == ICONS["services"].keys() == schemas.keys()
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
_WITHOUT_DESCRIPTION = {"button": {"ussd_query_now"}, "sensor": {"ussd_query"}}


def test_every_entity_has_its_name_and_icon() -> None:
    """Unless its device class gives it both."""
    described: dict[str, list[EntityDescription]] = {
        "binary_sensor": [binary_sensor.CONNECTED, *binary_sensor.SPAN_BINARY_SENSORS],
        "button": [button.RESTART_MODULE],
        "sensor": [
            *sensor.SPAN_SENSORS,
            sensor.LAST_SMS,
            *sensor.COUNTERS,
            *sensor.GATEWAY_SENSORS,
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
        "span_of_gateway": {"name": "{gateway} GSM {number}"},
    }


def test_the_manifest_is_in_order() -> None:
    """Domain and name first, the rest by the alphabet."""
    keys = list(MANIFEST)

    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])


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
