"""The actions notify.send_sms and openvox.*.

Their domains are not this integration's own, so Home Assistant does not find
their descriptions by itself: the fields come from services.yaml, the texts from
the translations, and `async_set_service_schema` is given both.
"""

from pathlib import Path
from typing import Any, Final

from custom_components.openvox_gsm.const import DOMAIN
from homeassistant.components.notify import DOMAIN as NOTIFY_DOMAIN
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, HomeAssistant, SupportsResponse
from homeassistant.helpers.service import (
    async_register_admin_service,
    async_set_service_schema,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.yaml import load_yaml_dict

from . import admin, calls, observing, sms, ussd

OPENVOX_DOMAIN: Final = "openvox"

# Domain, name, handler and schema of the actions for everyone and for administrators
ACTIONS: Final = (
    (NOTIFY_DOMAIN, "send_sms", sms.send_sms, sms.SCHEMA),
    (OPENVOX_DOMAIN, "send_ussd", ussd.send_ussd, ussd.SCHEMA),
    (OPENVOX_DOMAIN, "dial", calls.dial, calls.DIAL_SCHEMA),
    (OPENVOX_DOMAIN, "hangup", calls.hangup, calls.HANGUP_SCHEMA),
)
ADMIN_ACTIONS: Final = (
    (OPENVOX_DOMAIN, "cli_command", admin.cli_command, admin.COMMAND_SCHEMA),
    (OPENVOX_DOMAIN, "ami_action", admin.ami_action, admin.ACTION_SCHEMA),
    (OPENVOX_DOMAIN, "record", observing.record, observing.RECORD_SCHEMA),
    (OPENVOX_DOMAIN, "self_test", observing.self_test, observing.SELF_TEST_SCHEMA),
)


async def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions and describe them in the language of the server."""
    fields = await hass.async_add_executor_job(
        load_yaml_dict, str(Path(__file__).parent.with_name("services.yaml"))
    )
    descriptions = await _descriptions(hass, fields)
    # Without waiting from here on: Home Assistant would look for a missing description
    # in an integration of the domain's name.
    for domain, name, handler, schema in ACTIONS:
        hass.services.async_register(
            domain, name, handler, schema, supports_response=SupportsResponse.OPTIONAL
        )
    for domain, name, handler, schema in ADMIN_ACTIONS:
        async_register_admin_service(
            hass, domain, name, handler, schema, SupportsResponse.OPTIONAL
        )
    _describe(hass, descriptions)

    async def describe_again(event: Event) -> None:
        if "language" in event.data:
            _describe(hass, await _descriptions(hass, fields))

    hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, describe_again)


def _describe(
    hass: HomeAssistant, descriptions: dict[tuple[str, str], dict[str, Any]]
) -> None:
    for (domain, name), description in descriptions.items():
        async_set_service_schema(hass, domain, name, description)


async def _descriptions(
    hass: HomeAssistant, services: dict[str, Any]
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return names, descriptions and selectors of the actions."""
    language = hass.config.language
    texts = await async_get_translations(hass, language, "services", {DOMAIN})
    texts |= await async_get_translations(hass, language, "selector", {DOMAIN})

    def text(path: str) -> str:
        return texts.get(f"component.{DOMAIN}.{path}", "")

    def described(path: str, **more: Any) -> dict[str, Any]:
        return {
            "name": text(f"services.{path}.name"),
            "description": text(f"services.{path}.description"),
            **more,
        }

    def field(path: str, part: dict[str, Any]) -> dict[str, Any]:
        """Describe a field; the frontend has no texts for our options, either."""
        select = part["selector"].get("select")
        if select:
            options = [
                {
                    "value": option,
                    "label": text(
                        f"selector.{select['translation_key']}.options.{option}"
                    ),
                }
                for option in select["options"]
            ]
            part = part | {"selector": {"select": {"options": options}}}
        return described(path, **part)

    def fields(action: str, parts: dict[str, Any]) -> dict[str, Any]:
        """Describe fields, and sections that contain fields."""
        return {
            key: described(
                f"{action}.sections.{key}",
                **part | {"fields": fields(action, part["fields"])},
            )
            if "fields" in part
            else field(f"{action}.fields.{key}", part)
            for key, part in parts.items()
        }

    return {
        (domain, name): described(name, fields=fields(name, services[name]["fields"]))
        for domain, name, _, _ in (*ACTIONS, *ADMIN_ACTIONS)
    }
