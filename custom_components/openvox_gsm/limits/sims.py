"""The SIMs: which one is in which span, and how many SMS it may still send.

A limit belongs to a SIM, so it goes along when the SIM moves to another span, or to
another gateway. Everything here is shared by all gateways.
"""

from collections.abc import Mapping
from hashlib import blake2b
import re
from typing import Any, Final

import voluptuous as vol

from custom_components.openvox_gsm.const import (
    CONF_DAILY_LIMIT,
    CONF_MONTH_BEGINS,
    CONF_MONTHLY_LIMIT,
    CONF_SIM,
    DOMAIN,
    SUBENTRY_SIM_LIMIT,
)
from custom_components.openvox_gsm.gateway import Span
from custom_components.openvox_gsm.signals import SIGNAL_SIM_LIMITS
from custom_components.openvox_gsm.stored_file import StoredFile
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import instance_id
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.util.hass_dict import HassKey

from .budget import Limits, SmsBudget

# 3GPP TS 23.003, 2.2: three digits of the country, two or three of the network, and the
# rest. Guess: a firmware may print something else, or zeros, where it knows none.
_IMSI: Final = re.compile("(?!000)[0-9]{6,15}")

_SAVED: Final = vol.Schema(
    {
        vol.Optional("spans", default=dict): {str: str},
        vol.Optional("sent", default=dict): {str: [vol.ExactSequence([int, int])]},
    },
    extra=vol.ALLOW_EXTRA,
)


class Sims:
    """The SIMs of all gateways.

    A SIM is known by a hash of its IMSI, which only this Home Assistant can make. The
    SIM of a span stays the same until another one is read: a module that starts doesn't
    know its IMSI. Where a firmware never tells it, the span stands for its SIM.
    """

    def __init__(self, hass: HomeAssistant, secret: str) -> None:
        """Know no SIM yet; `secret` goes into the hashes."""
        self._hass = hass
        self._secret = secret.encode()
        self._file = StoredFile(
            hass, f"{DOMAIN}.sims", self._as_dict, "limits of the SIMs"
        )
        self._sim_by_span: dict[str, str] = {}
        self._has_sim: set[str] = set()  # the spans that told an IMSI in the last poll
        self._limited: dict[str, Limits] | None = None  # None: to be read
        self._budgets: dict[str, SmsBudget] = {}  # by what its limit belongs to

    async def async_load(self) -> None:
        """Read what was saved."""
        saved = await self._file.async_load(
            lambda stored: _SAVED(stored or {}),
            "The stored SIMs and their counters can't be read and start at zero",
        )
        self._sim_by_span = saved["spans"]
        for sim, sent in saved["sent"].items():
            self._budget(sim).load(sent)

    # Which SIM

    @callback
    def polled(self, entry_id: str, spans: Mapping[int, Span]) -> None:
        """Note the SIMs that a poll of a gateway has read."""
        known = dict(self._sim_by_span)
        self._has_sim = {p for p in self._has_sim if not _is_of(entry_id, p)}
        for number, span in spans.items():
            place = _place(entry_id, number)
            if _IMSI.fullmatch(span.imsi):
                known[place] = self._hash(span.imsi)
                self._has_sim.add(place)
        seen = {known[place] for place in self._has_sim}
        known = {
            place: sim
            for place, sim in known.items()
            if place in self._has_sim or sim not in seen  # else it has moved
        }
        if known != self._sim_by_span:
            self._sim_by_span = known
            self._file.save_soon()
            self.limits_changed()

    def _hash(self, imsi: str) -> str:
        return blake2b(imsi.encode(), key=self._secret, digest_size=16).hexdigest()

    def sim(self, entry_id: str, span: int) -> str:
        """Return what stands for the SIM of a span."""
        place = _place(entry_id, span)
        return self._sim_by_span.get(place, place)

    @callback
    def forget(self, entry_id: str) -> None:
        """Forget the spans of a gateway that's being removed; its SIMs may move."""
        for place in [p for p in self._sim_by_span if _is_of(entry_id, p)]:
            del self._sim_by_span[place]
            self._has_sim.discard(place)
        self._file.save_soon()

    # Their limits

    @callback
    def limits_changed(self) -> None:
        """Read the limits again, and let all gateways know."""
        self._limited = None
        async_dispatcher_send(self._hass, SIGNAL_SIM_LIMITS)

    @callback
    def entry_changed(
        self, _change: ConfigEntryChange, entry: ConfigEntry[Any]
    ) -> None:
        """Follow the limits and options of gateways."""
        if entry.domain == DOMAIN:
            self.limits_changed()

    @property
    def limited(self) -> Mapping[str, Limits]:
        """The limits that are set, by what stands for the SIM."""
        if self._limited is None:
            self._limited = {
                subentry.data[CONF_SIM]: Limits(
                    day=subentry.data.get(CONF_DAILY_LIMIT, 0),
                    month=subentry.data.get(CONF_MONTHLY_LIMIT, 0),
                    month_begins=subentry.data.get(CONF_MONTH_BEGINS, 1),
                )
                for entry in self._hass.config_entries.async_entries(DOMAIN)
                for subentry in entry.get_subentries_of_type(SUBENTRY_SIM_LIMIT)
            }
        return self._limited

    @callback
    def budgets(self, entry: ConfigEntry[Any], *spans: int) -> dict[int, SmsBudget]:
        """Return the budgets of those SIMs that have a limit, by their spans."""
        budgets = {}
        for span in spans:
            place = _place(entry.entry_id, span)
            # A firmware may tell the IMSI only since an update.
            for sim in (self._sim_by_span.get(place, place), place):
                if sim in self.limited:
                    budgets[span] = self._budget(sim)
                    break
        return budgets

    def _budget(self, sim: str) -> SmsBudget:
        if sim not in self._budgets:
            self._budgets[sim] = SmsBudget(
                lambda: self.limited.get(sim, Limits()),
                self._hass.loop,
                self._file.save_soon,
            )
        return self._budgets[sim]

    # What outlives a restart

    def _as_dict(self) -> dict[str, Any]:
        return {
            "spans": self._sim_by_span,
            "sent": {
                sim: budget.as_list()
                for sim, budget in self._budgets.items()
                if sim in self.limited
            },
        }


def _place(entry_id: str, span: int) -> str:
    return f"{entry_id}_{span}"


def _is_of(entry_id: str, place: str) -> bool:
    return place.rpartition("_")[0] == entry_id


SIMS: HassKey[Sims] = HassKey(f"{DOMAIN}_sims")


async def async_get_sims(hass: HomeAssistant) -> Sims:
    """Return the SIMs of all gateways, loaded once."""
    if SIMS not in hass.data:
        sims = Sims(hass, await instance_id.async_get(hass))
        await sims.async_load()
        # Until Home Assistant stops, as the integration is never unset.
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, sims.entry_changed)
        hass.data[SIMS] = sims
    return hass.data[SIMS]
