"""openvox.record and openvox.self_test, for administrators only."""

import asyncio
from collections import Counter
import json
from pathlib import Path
from typing import Any, Final

import voluptuous as vol

from custom_components.openvox_gsm.ami import AmiError
from custom_components.openvox_gsm.const import DOMAIN
from custom_components.openvox_gsm.errors import error, raw_error, text_of
from custom_components.openvox_gsm.gateway import MAX_SPANS, as_file
from custom_components.openvox_gsm.self_test import plan, run
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonValueType

from .routes import GATEWAY_FIELDS, ROUTE_FIELDS, find_routes, only_route, whole_number

ATTR_DURATION: Final = "duration"
DURATION: Final = 120  # seconds
ATTR_TO_SPAN: Final = "to_span"
ATTR_NUMBER: Final = "number"
ATTR_SEND: Final = "send"

# It's kept in memory until it's written.
MAX_RECORDING: Final = 100_000_000  # characters, each a byte of the wire

RECORD_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_DURATION): whole_number(1, 600),
        **GATEWAY_FIELDS,
    }
)
SELF_TEST_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_TO_SPAN): whole_number(1, MAX_SPANS),
        vol.Optional(ATTR_NUMBER): vol.Any(None, cv.string),
        vol.Optional(ATTR_SEND, default=False): cv.boolean,
        **ROUTE_FIELDS,
    }
)


async def record(call: ServiceCall) -> ServiceResponse:
    """Record what a gateway says for some time, into a file beside the configuration."""
    route = only_route(find_routes(call.hass, call.data))
    gateway = route.runtime.gateway
    recorded = 0

    def count(_seconds: float, _sender: str, text: str) -> None:
        nonlocal recorded
        recorded += len(text)
        if recorded > MAX_RECORDING and not limit.expired():
            limit.reschedule(0)

    try:
        async with asyncio.timeout(None) as limit:
            with gateway.observer.record(count) as trace:
                await gateway.spans.read()
                await gateway.look_around()
                await asyncio.sleep(call.data.get(ATTR_DURATION) or DURATION)
    except AmiError as err:
        raise raw_error(route.entry, err, is_connected=gateway.is_connected) from err
    except TimeoutError:
        if not limit.expired():
            raise
    about = f"Asterisk {gateway.features.asterisk_version}, recorded by Home Assistant."
    # Two that end together must not share a file.
    name = f"{DOMAIN}_recording_{dt_util.now():%Y%m%d_%H%M%S_%f}.json"
    path = Path(call.hass.config.path(name))
    content = as_file(about, trace)
    try:
        await call.hass.async_add_executor_job(_write, path, content)
    except OSError as err:
        raise error("recording_not_saved") from err
    note = None
    if limit.expired():
        size = MAX_RECORDING // 1_000_000
        problem = error("recording_ended_early", size=size, file=path)
        if not call.return_response:
            raise problem
        note = text_of(call.hass, problem)
    said = Counter(str(sender) for _, sender, _ in content["wire"])
    return {
        "file": str(path),
        "commands": said["client"],
        "answers": said["gateway"],
        "note": note,
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write a recording; raises OSError, and leaves no part of it then."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError:
        path.unlink(missing_ok=True)
        raise


async def self_test(call: ServiceCall) -> ServiceResponse:
    """Say what a self-test costs, or run it; return its report."""
    route = only_route(find_routes(call.hass, call.data))
    test = plan(
        call.hass,
        route.runtime,
        source=route.span,
        target=call.data.get(ATTR_TO_SPAN),
        number=call.data.get(ATTR_NUMBER) or None,
        context=call.context,
    )
    sentences, passed, sms = [test.describe(call.hass)], None, 0
    if call.data[ATTR_SEND]:
        report = await run(call.hass, test)
        sentences, passed, sms = report.sentences, report.passed, report.sms
    return {
        "report": list[JsonValueType](sentences),
        "passed": passed,
        "cost": test.cost,
        "sent": sms,
    }
