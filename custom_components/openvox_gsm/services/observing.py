"""openvox.record and openvox.self_test, for administrators only."""

import asyncio
from collections import Counter
import json
from pathlib import Path
from typing import Any, Final

import voluptuous as vol

from custom_components.openvox_gsm.ami import AmiError
from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.errors import raw_error
from custom_components.openvox_gsm.gateway import as_file
from custom_components.openvox_gsm.self_test import plan, run
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonValueType

from .routes import GATEWAY_FIELDS, ROUTE_FIELDS, find_routes, only_route, whole_number

ATTR_DURATION: Final = "duration"
ATTR_TO_SPAN: Final = "to_span"
ATTR_NUMBER: Final = "number"
ATTR_SEND: Final = "send"

RECORD_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_DURATION, default=120): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=600)
        ),
        **GATEWAY_FIELDS,
    }
)
SELF_TEST_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_TO_SPAN): whole_number(1),
        vol.Optional(ATTR_NUMBER): vol.Any(None, cv.string),
        vol.Optional(ATTR_SEND, default=False): cv.boolean,
        **ROUTE_FIELDS,
    }
)


async def record(call: ServiceCall) -> ServiceResponse:
    """Record what a gateway says for some time, into a file beside the configuration."""
    route = only_route(find_routes(call.hass, call.data))
    gateway = route.runtime.gateway
    with gateway.observer.record() as trace:
        try:
            await gateway.spans.read()
        except AmiError as err:
            raise raw_error(route.entry, err) from err
        await gateway.look_around()
        await asyncio.sleep(call.data[ATTR_DURATION])
    about = f"Asterisk {gateway.features.asterisk_version}, recorded by Home Assistant."
    # Two that end together must not share a file.
    name = f"{DOMAIN}_recording_{dt_util.now():%Y%m%d_%H%M%S_%f}.json"
    path = Path(call.hass.config.path(name))
    content = as_file(about, trace)
    await call.hass.async_add_executor_job(_write, path, content)
    if not call.return_response:
        return None
    said = Counter(str(sender) for _, sender, _ in content["wire"])
    return {"file": str(path), "commands": said["client"], "answers": said["gateway"]}


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


async def self_test(call: ServiceCall) -> ServiceResponse:
    """Say what a self-test costs, or run it; return its report."""
    route = only_route(find_routes(call.hass, call.data))
    test = plan(
        call.hass,
        route.runtime,
        source=route.span,
        target=call.data.get(ATTR_TO_SPAN) or None,
        number=call.data.get(ATTR_NUMBER) or None,
        context=call.context,
    )
    sentences, passed, sms = [test.describe(call.hass)], None, 0
    if call.data[ATTR_SEND]:
        report = await run(call.hass, test)
        sentences, passed, sms = report.sentences, report.passed, report.sms
    if not call.return_response:
        return None
    return {
        "report": list[JsonValueType](sentences),
        "passed": passed,
        "cost": test.cost,
        "sent": sms,
    }
