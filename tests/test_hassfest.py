"""What hassfest asks of a custom integration, as far as it can be asked here.

Home Assistant's hassfest isn't part of its package, so GitHub runs it. These are its
rules that are easily broken.
"""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
import pytest

from custom_components import openvox_gsm
from homeassistant.const import Platform
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import selector, validate_selector
from homeassistant.util.yaml import load_yaml_dict

ROOT = Path(openvox_gsm.__file__).parent
DESCRIPTIONS = ("services.yaml", "triggers.yaml")
LANGUAGES = sorted(path.stem for path in ROOT.glob("translations/*.json"))
# What may be imported without being named in the manifest.
ALLOWED_COMPONENTS = {
    *Platform,
    "frontend",
    "panel_custom",
    "persistent_notification",
    "system_health",
    "websocket_api",
}
RULES = {
    *("action-setup", "appropriate-polling", "brands", "common-modules"),
    *("config-flow", "config-flow-test-coverage", "dependency-transparency"),
    *("docs-actions", "docs-conditions", "docs-high-level-description"),
    *("docs-installation-instructions", "docs-removal-instructions", "docs-triggers"),
    *("entity-event-setup", "entity-unique-id", "has-entity-name", "runtime-data"),
    *("test-before-configure", "test-before-setup", "unique-config-entry"),
    *("action-exceptions", "config-entry-unloading", "docs-configuration-parameters"),
    *("docs-installation-parameters", "entity-unavailable", "integration-owner"),
    *("log-when-unavailable", "parallel-updates", "reauthentication-flow"),
    *("test-coverage", "devices", "diagnostics", "discovery", "discovery-update-info"),
    *("docs-data-update", "docs-examples", "docs-known-limitations"),
    *("docs-supported-devices", "docs-supported-functions", "docs-troubleshooting"),
    *("docs-use-cases", "dynamic-devices", "entity-category", "entity-device-class"),
    *("entity-disabled-by-default", "entity-translations", "exception-translations"),
    *("icon-translations", "reconfiguration-flow", "repair-issues", "stale-devices"),
    *("async-dependency", "inject-websession", "strict-typing"),
}


def read_json(name: str) -> dict[str, Any]:
    """Return a JSON file of the integration."""
    content: dict[str, Any] = json.loads((ROOT / name).read_text("utf-8"))
    return content


def leaves(node: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the path and the value of everything in nested dictionaries."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, *path, key)
    else:
        yield path, node


def described() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield action or trigger, field and description of every field."""
    for name in DESCRIPTIONS:
        for key, description in load_yaml_dict(str(ROOT / name)).items():
            for field, value in description["fields"].items():
                for inner, each in value.get("fields", {field: value}).items():
                    yield key, inner, each


def test_these_are_the_files_that_describe_something() -> None:
    """A new one has to pass as well."""
    assert {path.name for path in ROOT.glob("*.yaml")} == {
        *DESCRIPTIONS,
        "quality_scale.yaml",
    }


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_every_key_is_an_action_or_a_trigger(name: str) -> None:
    """Only core may keep its YAML anchors under keys with a dot."""
    for key in load_yaml_dict(str(ROOT / name)):
        assert cv.slug(key) == key


def test_every_field_is_described_as_it_may_be() -> None:
    """With a selector that there is, and texts for what can be selected."""
    options = read_json("translations/en.json")["selector"]
    seen = set()
    for key, field, description in described():
        assert (key, field) not in seen
        seen.add((key, field))
        assert description.keys() <= {"default", "example", "required", "selector"}
        assert None not in description.values()
        validate_selector(description["selector"])
        config = selector(description["selector"]).config
        if "translation_key" in config:
            assert options[config["translation_key"]]["options"].keys() == set(
                config["options"]
            )


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_may_be_shown(language: str) -> None:
    """No HTML, no web addresses, no placeholder in single quotes, no empty one."""
    for path, text in leaves(read_json(f"translations/{language}.json")):
        assert cv.string_with_no_html(text) == text.strip(), path
        assert not re.search(r"://|\bwww\.", text), path
        assert not re.search(r"'\{\w+\}'|\{\W*\}", text), path
        if "state" in path:
            assert "{" not in text, path


def test_texts_have_valid_keys() -> None:
    """And stand where Home Assistant looks for them."""
    texts = read_json("translations/en.json")
    for path, _ in leaves(texts):
        for key in path:
            assert re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", key), path
    assert texts.keys() <= {
        *("common", "conditions", "config", "config_panel", "config_subentries"),
        *("device", "entity", "exceptions", "issues", "options", "selector"),
        *("services", "system_health", "title", "triggers"),
    }


def test_icons_are_icons() -> None:
    """And no state has the icon that it would have anyway."""
    icons = read_json("icons.json")
    assert icons.keys() <= {"conditions", "config", "entity", "services", "triggers"}
    for path, icon in leaves(icons):
        assert re.fullmatch(r"mdi:[a-z0-9-]+", icon), path
    for platform in icons["entity"].values():
        for entity in platform.values():
            assert entity.get("default") not in entity.get("state", {}).values()


def test_the_manifest() -> None:
    """Every key is known, every requirement pinned."""
    manifest = read_json("manifest.json")
    keys = list(manifest)

    assert keys == ["domain", "name", *sorted({*keys} - {"domain", "name"})]
    assert {*keys} <= {
        *("after_dependencies", "codeowners", "config_flow", "dependencies", "dhcp"),
        *("documentation", "domain", "integration_type", "iot_class", "issue_tracker"),
        *("name", "requirements", "version"),
    }
    assert manifest["domain"] == ROOT.name
    assert AwesomeVersion(manifest["version"]).strategy is AwesomeVersionStrategy.SEMVER
    for requirement in manifest["requirements"]:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9.]*", requirement)
    for address in ("documentation", "issue_tracker"):
        assert manifest[address].startswith("https://")


def test_other_integrations_are_named_in_the_manifest() -> None:
    """Unless this one extends them by a module of their name."""
    manifest = read_json("manifest.json")
    named = {*manifest.get("dependencies", ()), *manifest.get("after_dependencies", ())}
    extended = {path.stem for path in ROOT.glob("*.py")}
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom):
                continue
            module = node.module or ""
            if module == "homeassistant.components":
                used = {each.name for each in node.names}
            elif module.startswith("homeassistant.components."):
                used = {module.split(".")[2]}
            else:
                continue
            assert used <= ALLOWED_COMPONENTS | named | extended, path


def test_the_quality_scale_is_complete() -> None:
    """Each rule has its status, and a comment where it doesn't apply."""
    rules = load_yaml_dict(str(ROOT / "quality_scale.yaml"))["rules"]

    assert rules.keys() == RULES
    for name, value in rules.items():
        if isinstance(value, dict):
            assert value.keys() == {"status", "comment"}, name
            assert value["status"] in ("done", "exempt", "todo"), name
        else:
            assert value in ("done", "todo"), name


def test_the_owner_is_not_claimed() -> None:
    """The rule is met once the manifest names someone."""
    rule = load_yaml_dict(str(ROOT / "quality_scale.yaml"))["rules"][
        "integration-owner"
    ]
    status = rule["status"] if isinstance(rule, dict) else rule

    assert (status == "done") is bool(read_json("manifest.json")["codeowners"])
