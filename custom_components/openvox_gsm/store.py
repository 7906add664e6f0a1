"""What a gateway must remember over a restart: counters, SMS budget, its quirks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, instance_id
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .gateway import LastSign
from .limits.budget import Limits, SmsBudget
from .stored_file import StoredFile


class CounterKey(StrEnum):
    """What is counted on a span."""

    RECEIVED = "sms_received"
    SENT = "sms_sent"
    FAILED = "sms_failed"


@dataclass
class Counter:
    """A number of SMS, and since when they are counted.

    `since` is None for a counter of version 0.1.0, which didn't keep it.
    """

    value: int
    since: datetime | None


_SAVED: Final = vol.Schema(
    {
        vol.Optional("sent", default=list): [vol.ExactSequence([int, int])],
        vol.Optional("counters", default=list): [
            vol.ExactSequence(
                [int, vol.Coerce(CounterKey), int, vol.Maybe(cv.datetime)]
            )
        ],
        vol.Optional("ussd_in_milliseconds", default=False): bool,
        vol.Optional("switched_off", default=list): [
            vol.ExactSequence([int, vol.Maybe(int), bool])
        ],
        vol.Optional("received", default=dict): {str: int},
    },
    extra=vol.ALLOW_EXTRA,
)


class GatewayStore:
    """What is kept of one gateway, saved within a second."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Start empty; `async_load` reads what was saved."""
        self._hass = hass
        self._file = StoredFile(
            hass, f"{DOMAIN}.{entry.entry_id}", self._as_dict, "counters and limits"
        )
        self._counters: dict[tuple[int, CounterKey], Counter] = {}
        self._ussd_in_milliseconds = False
        #: The modules that we switched off, by span.
        self.switched_off: Mapping[int, LastSign] = {}
        #: Goes into hashes, so that this file alone isn't enough to guess what they hide.
        self.secret = b""
        #: Until when (loop's clock) spans get nothing to do. It isn't saved: it's for
        #: a reload, of which the gateway notices nothing.
        self.rests: dict[int, float] = {}
        #: Which SMS came in lately: their hashes, and when they came.
        self.received: Mapping[str, int] = {}
        self.budget = SmsBudget(
            lambda: Limits.of_gateway(entry.options), hass.loop, self._file.save_soon
        )

    async def async_load(self) -> None:
        """Read what was saved; version 0.1.0 saved the budget only."""
        saved = await self._file.async_load(
            lambda stored: _SAVED(stored or {}),
            "The stored counters and limits can't be read and start at zero",
        )
        self.secret = (await instance_id.async_get(self._hass)).encode()
        self.budget.load(saved["sent"])
        for span, key, value, since in saved["counters"]:
            self._counters[span, key] = Counter(value, since)
        self._ussd_in_milliseconds = saved["ussd_in_milliseconds"]
        self.switched_off = {
            span: LastSign(csq, says_off)
            for span, csq, says_off in saved["switched_off"]
        }
        self.received = saved["received"]

    async def async_remove(self) -> None:
        """Delete the file; an SMS that's still under way doesn't write it again."""
        await self._file.async_remove()

    def counter(self, span: int, key: CounterKey) -> Counter | None:
        """Return a counter, None before it was started."""
        return self._counters.get((span, key))

    @callback
    def start_counter(self, span: int, key: CounterKey, value: int | None) -> Counter:
        """Start a counter, at the `value` that version 0.1.0 had reached."""
        since = dt_util.utcnow() if value is None else None
        counter = self._counters[span, key] = Counter(value or 0, since)
        self._file.save_soon()
        return counter

    @callback
    def count(self, span: int, key: CounterKey, parts: int) -> None:
        """Add a number of SMS to a counter."""
        counter = self.counter(span, key) or self.start_counter(span, key, None)
        counter.value += parts
        self._file.save_soon()

    @property
    def ussd_in_milliseconds(self) -> bool:
        """Whether the firmware counts the time limit of a USSD code in milliseconds."""
        return self._ussd_in_milliseconds

    @callback
    def set_ussd_in_milliseconds(self, in_milliseconds: bool) -> None:
        """Remember how the firmware counts."""
        self._ussd_in_milliseconds = in_milliseconds
        self._file.save_soon()

    @callback
    def power_changed(self, switched_off: Mapping[int, LastSign]) -> None:
        """Keep which modules are off because we switched them off."""
        self.switched_off = dict(switched_off)
        self._file.save_soon()

    @callback
    def sms_remembered(self, received: Mapping[str, int]) -> None:
        """Keep which SMS came in lately."""
        self.received = received
        self._file.save_soon()

    def _as_dict(self) -> dict[str, Any]:
        return {
            "sent": self.budget.as_list(),
            "counters": [
                (span, key, each.value, each.since and each.since.isoformat())
                for (span, key), each in self._counters.items()
            ],
            "ussd_in_milliseconds": self._ussd_in_milliseconds,
            "switched_off": [
                (span, sign.csq, sign.says_off)
                for span, sign in self.switched_off.items()
            ],
            "received": dict(self.received),
        }


STORES: HassKey[dict[str, GatewayStore]] = HassKey(f"{DOMAIN}_stores")


async def async_get_store(hass: HomeAssistant, entry: ConfigEntry[Any]) -> GatewayStore:
    """Return the store of a gateway; the same until the entry is removed."""
    stores = hass.data.setdefault(STORES, {})
    if entry.entry_id not in stores:
        store = GatewayStore(hass, entry)
        await store.async_load()
        stores[entry.entry_id] = store
    return stores[entry.entry_id]


async def async_remove_store(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Delete the file of a gateway, even if it wasn't set up in this run."""
    store = hass.data.get(STORES, {}).pop(entry.entry_id, None)
    await (store or GatewayStore(hass, entry)).async_remove()
