"""Diagnostics: what helps to find a fault, without anything private."""

from dataclasses import asdict
import re
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant

from .const import (
    CONF_ALLOWED,
    CONF_CODE,
    CONF_DATE_PATTERN,
    CONF_NUMBER,
    CONF_PATTERN,
    CONF_REPLIES,
    CONF_SIM,
)
from .gateway import OPEN_LINES, Span
from .runtime import OpenVoxConfigEntry, OpenVoxRuntime

_ABOUT: Final = (
    "Phone numbers, texts, IMEIs and IMSIs in the trace are stand-ins, "
    "not the real ones."
)
_SECRET: Final = {CONF_HOST, CONF_USERNAME, CONF_PASSWORD}
_SECRET_OPTIONS: Final = {CONF_ALLOWED}
_SECRET_OF_SUBENTRIES: Final = {
    CONF_NAME,  # of an entry of version 0.1.0 that was not migrated
    CONF_NUMBER,
    CONF_CODE,
    CONF_REPLIES,
    CONF_PATTERN,
    CONF_DATE_PATTERN,
    CONF_SIM,
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: OpenVoxConfigEntry
) -> dict[str, Any]:
    """Return the state of a gateway; secrets, numbers, texts and ids redacted."""
    diagnostics: dict[str, Any] = {
        "about": _ABOUT,
        "entry": {
            "state": entry.state.value,
            # The reason in words may name the host.
            "reason": entry.error_reason_translation_key,
            "data": async_redact_data(entry.data, _SECRET),
            "options": async_redact_data(entry.options, _SECRET_OPTIONS),
            "subentries": [
                {
                    "type": subentry.subentry_type,
                    "data": async_redact_data(subentry.data, _SECRET_OF_SUBENTRIES),
                }
                for subentry in entry.subentries.values()
            ],
        },
    }
    if entry.state is ConfigEntryState.LOADED:
        diagnostics["gateway"] = _gateway(entry.runtime_data)
    return diagnostics


def _gateway(runtime: OpenVoxRuntime) -> dict[str, Any]:
    gateway = runtime.gateway
    features = gateway.features
    return {
        "connected": gateway.is_connected,
        "features": asdict(features)
        | {
            "message_id": features.message_id,
            "flash": features.flash,
            "flash_parts": features.flash_parts,
            "receives_sms": features.receives_sms,
        },
        "active_calls": runtime.coordinator.data.active_calls,
        "spans": {str(number): _span(span) for number, span in gateway.spans.items()},
        "seen": gateway.observer.seen.counts,
        "sms_seen": dict(gateway.sms_seen),
        # In the form of a recording: script/replay plays it.
        "trace": gateway.observer.trace.wire(),
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "status": span.status,
        "network_status": span.network_status,
        "state": _state(span.state_text),
        "lines": {
            _name(key): value if key in OPEN_LINES else REDACTED
            for key, value in span.lines.items()
        },
    }


def _state(text: str) -> str:
    """Return a protocol state without the number that a call's state contains."""
    return re.split(r" called |[0-9+]", text, maxsplit=1, flags=re.IGNORECASE)[0]


def _name(line: str) -> str:
    """Return the name of a line; what only looks like one may hold a number."""
    return line if line in OPEN_LINES or not re.search("[0-9]", line) else REDACTED
