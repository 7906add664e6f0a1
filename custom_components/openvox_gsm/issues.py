"""What a person has to mend at the gateway: Home Assistant's repairs.

Every issue goes by itself when its cause does.
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import CONF_USERNAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .ami import AmiError, CertificateError, PermissionDeniedError
from .const import DOMAIN
from .gateway import SpanStatus

if TYPE_CHECKING:
    from .coordinator import OpenVoxCoordinator

# A module that comes back that often within the time restarts again and again.
_RESTARTS: Final = 3
_RESTARTS_WITHIN: Final = timedelta(hours=1)

_WORKING: Final = (SpanStatus.READY, SpanStatus.BUSY, SpanStatus.IN_CALL)
# What a module shows that starts. A lost signal is the network's doing.
_STARTING: Final = (SpanStatus.DOWN, SpanStatus.NO_SIM, SpanStatus.POWER_OFF)


@dataclass(slots=True)
class _Module:
    """What the polls have shown of a span's module."""

    was_working: bool = False
    is_gone: bool = False
    came_back: deque[datetime] = field(default_factory=lambda: deque(maxlen=_RESTARTS))

    def see(self, status: SpanStatus) -> None:
        """Take the status of a poll."""
        if status in _STARTING:
            self.is_gone = self.was_working
        elif status in _WORKING:
            if self.is_gone:
                self.came_back.append(dt_util.utcnow())
            self.was_working, self.is_gone = True, False

    @property
    def restarts_again_and_again(self) -> bool:
        """Whether it came back too often of late."""
        return (
            len(self.came_back) == _RESTARTS
            and dt_util.utcnow() - self.came_back[0] < _RESTARTS_WITHIN
        )


_MODULES: HassKey[dict[str, defaultdict[int, _Module]]] = HassKey(f"{DOMAIN}_modules")


@callback
def async_setup_issues(hass: HomeAssistant) -> None:
    """Let the issues of a gateway go when its entry is unloaded or removed."""

    @callback
    def changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN and entry.state is ConfigEntryState.NOT_LOADED:
            hass.data.get(_MODULES, {}).pop(entry.entry_id, None)
            for domain, issue_id in list(ir.async_get(hass).issues):
                if domain == DOMAIN and issue_id.startswith(f"{entry.entry_id}_"):
                    ir.async_delete_issue(hass, domain, issue_id)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)


@callback
def update_issues(
    coordinator: OpenVoxCoordinator, error: AmiError | None = None
) -> None:
    """Raise and drop issues after a poll that succeeded or ended in `error`.

    An error that says nothing about a cause leaves its issue as it is.
    """
    missing_right = isinstance(error, PermissionDeniedError)
    other_certificate = isinstance(error, CertificateError)
    if error is None or missing_right or other_certificate:
        _set(coordinator, "no_command_right", missing_right)
        _set(coordinator, "certificate", other_certificate)
    if error is not None:
        return
    update_limit_issue(coordinator)
    update_call_issue(coordinator)
    _set(
        coordinator,
        "no_incoming_sms",
        coordinator.gateway.features.may_see_sms is False,
        severity=ir.IssueSeverity.WARNING,
    )
    entry_id = coordinator.config_entry.entry_id
    modules = coordinator.hass.data.setdefault(_MODULES, {}).setdefault(
        entry_id, defaultdict(_Module)
    )
    spans = coordinator.gateway.spans
    for number, span in spans.items():
        modules[number].see(span.status)
    for number in modules:
        there = spans.get(number)
        _set(
            coordinator,
            "sim_pin",
            there is not None and there.status is SpanStatus.PIN_ERROR,
            span=number,
        )
        _set(
            coordinator,
            "span_restarts",
            there is not None and modules[number].restarts_again_and_again,
            span=number,
            severity=ir.IssueSeverity.WARNING,
        )


@callback
def update_call_issue(coordinator: OpenVoxCoordinator) -> None:
    """Say that no calls can be seen though they are wanted, or that they can."""
    _set(
        coordinator,
        "no_call_events",
        coordinator.lacks_call_right,
        severity=ir.IssueSeverity.WARNING,
    )


@callback
def update_limit_issue(coordinator: OpenVoxCoordinator) -> None:
    """Say that no more SMS are sent for a while, or that they are again."""
    hourly, daily = coordinator.budget.limits
    _set(
        coordinator,
        "sms_limit",
        coordinator.budget.is_used_up,
        placeholders={"hourly": str(hourly or "∞"), "daily": str(daily or "∞")},
    )


def _set(
    coordinator: OpenVoxCoordinator,
    key: str,
    active: bool,
    *,
    span: int | None = None,
    severity: ir.IssueSeverity = ir.IssueSeverity.ERROR,
    placeholders: Mapping[str, str] | None = None,
) -> None:
    """Raise an issue of a gateway, or of one of its spans, or drop it."""
    entry = coordinator.config_entry
    issue_id = f"{entry.entry_id}_{key}" + ("" if span is None else f"_{span}")
    if not active:
        ir.async_delete_issue(coordinator.hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        coordinator.hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=severity,
        translation_key=key,
        translation_placeholders={
            "gateway": entry.title,
            "username": entry.data[CONF_USERNAME],
            "span": str(span or ""),
            **(placeholders or {}),
        },
    )
