"""What a person has to fix at the gateway: Home Assistant's repairs.

Every issue goes away by itself when its cause does.
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import CONF_HOST, CONF_USERNAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from .ami import AmiError, CertificateError, PermissionDeniedError
from .const import DOMAIN
from .gateway import Gateway, SpanStatus
from .limits.budget import SmsBudget
from .publisher import publishes_calls

# A module that comes back this often within the time keeps restarting.
_RESTARTS: Final = 3
_RESTARTS_WITHIN: Final = timedelta(hours=1)

_NEW_ADDRESS: Final = "new_address"

_WORKING: Final = (
    SpanStatus.READY,
    SpanStatus.BUSY,
    SpanStatus.IN_CALL,
    SpanStatus.STUCK,
    SpanStatus.SMS_LIMIT,
    SpanStatus.CALL_LIMIT,
)
# What a starting module shows. A lost signal is the network's doing.
_STARTING: Final = (SpanStatus.DOWN, SpanStatus.NO_SIM, SpanStatus.POWER_OFF)


@dataclass
class _Module:
    """What the polls have shown of a span's module."""

    was_working: bool = False
    is_gone: bool = False
    came_back: deque[datetime] = field(default_factory=lambda: deque(maxlen=_RESTARTS))

    def polled(self, status: SpanStatus) -> None:
        """Note the status that a poll has read."""
        if status in _STARTING:
            self.is_gone = self.was_working
        elif status in _WORKING:
            if self.is_gone:
                self.came_back.append(dt_util.utcnow())
            self.was_working, self.is_gone = True, False

    def commanded(self) -> None:
        """Note that it starts next because somebody wanted that."""
        self.was_working = self.is_gone = False

    @property
    def keeps_restarting(self) -> bool:
        """Whether it came back too often in the last hour."""
        return (
            len(self.came_back) == _RESTARTS
            and dt_util.utcnow() - self.came_back[0] < _RESTARTS_WITHIN
        )


@callback
def async_setup_issues(hass: HomeAssistant) -> None:
    """Delete the issues of a gateway when its entry is unloaded or removed."""

    @callback
    def changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN and entry.state is ConfigEntryState.NOT_LOADED:
            for domain, issue_id in list(ir.async_get(hass).issues):
                if domain == DOMAIN and issue_id.startswith(f"{entry.entry_id}_"):
                    ir.async_delete_issue(hass, domain, issue_id)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)


@callback
def async_raise_new_address(
    hass: HomeAssistant, entry: ConfigEntry[Any], host: str
) -> None:
    """Say that a gateway may have a new address, and didn't prove there that it's it.

    The next poll that succeeds deletes the issue.
    """
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{entry.entry_id}_{_NEW_ADDRESS}",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=_NEW_ADDRESS,
        translation_placeholders={
            "gateway": entry.title,
            "old": entry.data[CONF_HOST],
            "new": host,
        },
    )


class Issues:
    """Raises and drops the issues of one gateway."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry[Any], budget: SmsBudget
    ) -> None:
        """Raise nothing yet."""
        self._hass = hass
        self._entry = entry
        self._budget = budget
        self._modules: defaultdict[int, _Module] = defaultdict(_Module)

    @callback
    def poll_failed(self, error: AmiError) -> None:
        """Raise the issue behind an error; one that shows no cause changes nothing."""
        missing_right = isinstance(error, PermissionDeniedError)
        other_certificate = isinstance(error, CertificateError)
        if missing_right or other_certificate:
            self._set("no_command_right", missing_right)
            self._set("certificate", other_certificate)

    @callback
    def poll_succeeded(self, gateway: Gateway) -> None:
        """Raise and drop issues by what a poll has read."""
        self._set("no_command_right", False)
        self._set("certificate", False)
        self._set(_NEW_ADDRESS, False)
        self.options_changed(gateway)
        self._set(
            "no_incoming_sms",
            gateway.features.may_see_sms is False,
            severity=ir.IssueSeverity.WARNING,
        )
        self._set(
            "sms_received_off",
            gateway.features.receives_sms is False,
            severity=ir.IssueSeverity.WARNING,
        )
        for number, span in gateway.spans.items():
            self._modules[number].polled(span.status)
        for number, module in self._modules.items():
            there = gateway.spans.get(number)
            pin_error = there is not None and there.status is SpanStatus.PIN_ERROR
            self._set("sim_pin", pin_error, span=number)
            stuck = there is not None and there.status is SpanStatus.STUCK
            self._set("span_stuck", stuck, span=number)
            self._set(
                "span_restarts",
                there is not None and module.keeps_restarting,
                span=number,
                severity=ir.IssueSeverity.WARNING,
            )

    @callback
    def module_commanded(self, span: int) -> None:
        """Note that a module was switched or restarted: it doesn't do that by itself."""
        self._modules[span].commanded()

    @callback
    def options_changed(self, gateway: Gateway) -> None:
        """Raise and drop the issues that depend on options."""
        self.budget_changed()
        self._set(
            "no_call_events",
            publishes_calls(self._entry) and gateway.features.may_see_calls is False,
            severity=ir.IssueSeverity.WARNING,
        )

    @callback
    def budget_changed(self) -> None:
        """Raise the issue of a limit that is reached, or drop it."""
        limits = self._budget.limits
        self._set(
            "sms_limit",
            self._budget.is_used_up,
            placeholders={
                "hourly": str(limits.hour or "∞"),
                "daily": str(limits.day or "∞"),
            },
        )

    def _set(
        self,
        key: str,
        active: bool,
        *,
        span: int | None = None,
        severity: ir.IssueSeverity = ir.IssueSeverity.ERROR,
        placeholders: Mapping[str, str] | None = None,
    ) -> None:
        """Raise an issue of the gateway, or of one of its spans, or drop it."""
        issue_id = f"{self._entry.entry_id}_{key}"
        if span is not None:
            issue_id += f"_{span}"
        # A message may end after its gateway was unloaded.
        if not active or self._entry.state is ConfigEntryState.NOT_LOADED:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=severity,
            translation_key=key,
            translation_placeholders={
                "gateway": self._entry.title,
                "username": self._entry.data[CONF_USERNAME],
                "span": str(span or ""),
                **(placeholders or {}),
            },
        )
