"""Add a gateway, discover it, sign in again, reconfigure it."""

from collections.abc import Mapping
import logging
import re
from typing import Any, Self, override

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.device_registry import format_mac
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo

from .ami import AmiError, TlsError
from .connecting.address import read_address
from .connecting.attempt import fetch_fingerprint, try_gateway
from .connecting.discovery import async_follow, async_recognize, is_at
from .connecting.form_errors import form_error
from .const import (
    CONF_CHALLENGE,
    CONF_FINGERPRINT,
    CONF_SEND_PASSWORD,
    CONF_TLS,
    DEFAULT_PORT,
    DEFAULT_USERNAME,
    DOMAIN,
)
from .devices import are_modules_of, find_imeis, imeis_of
from .options_flow import OpenVoxOptionsFlow
from .subentry_flow import SUBENTRY_FLOWS

_LOGGER = logging.getLogger(__name__)

_PASSWORD = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password")
)
_CREDENTIALS = {
    vol.Required(CONF_USERNAME, default=DEFAULT_USERNAME): TextSelector(
        TextSelectorConfig(autocomplete="username")
    ),
    vol.Required(CONF_PASSWORD): _PASSWORD,
}
_DISCOVERED = {
    vol.Required(CONF_PORT, default=DEFAULT_PORT): vol.All(
        NumberSelector(
            NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)
        ),
        vol.Coerce(int),
    ),
    vol.Required(CONF_TLS, default=False): BooleanSelector(),
    **_CREDENTIALS,
}
GATEWAY_SCHEMA = vol.Schema({vol.Required(CONF_HOST): TextSelector(), **_DISCOVERED})
DISCOVERY_SCHEMA = vol.Schema(_DISCOVERED)
# Only where a gateway has lost its challenge.
LOST_CHALLENGE_SCHEMA = GATEWAY_SCHEMA.extend(
    {vol.Required(CONF_SEND_PASSWORD, default=False): BooleanSelector()}
)
CREDENTIALS_SCHEMA = vol.Schema(_CREDENTIALS)


class OpenVoxConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up a gateway in the user interface."""

    VERSION = 2

    # The whole input of the last form.
    _data: dict[str, Any]
    # Where DHCP found the gateway.
    _discovered_host: str
    # Of the certificate that was accepted, or may be.
    _fingerprint: str | None = None
    # Of the modules of the gateway that was tried.
    _imeis: frozenset[str] = frozenset()
    # Whether the user trusts a gateway that lost its challenge.
    _send_password = False
    # Whether the gateway that was tried hands over incoming SMS, and whether the user
    # may see them, as far as that is known.
    _receives_sms: bool
    _may_see_sms: bool
    # Whether the gateway is being added right now.
    _is_adding = False

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the flow of the options."""
        return OpenVoxOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the flows of contacts and USSD queries."""
        return SUBENTRY_FLOWS

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for address and user, and try them."""
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = self._read_input(user_input)
            self._abort_if_known()
            if result := await self._try(GATEWAY_SCHEMA, errors):
                return result
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(GATEWAY_SCHEMA, user_input),
            errors=errors,
        )

    @override
    async def async_step_dhcp(
        self, discovery_info: DhcpServiceInfo
    ) -> ConfigFlowResult:
        """Start with a gateway that asked for an address in the network."""
        host = discovery_info.ip
        mac = format_mac(discovery_info.macaddress)
        # Even while another address is tried: a stranger may have asked for that one.
        if known := await self.async_set_unique_id(mac, raise_on_progress=False):
            await async_follow(self.hass, known, host)
            self._abort_if_unique_id_configured(
                description_placeholders={"gateway": known.title}
            )
        await self.async_set_unique_id(mac)  # it may be offered already
        for entry in self._async_current_entries(include_ignore=False):
            old = entry.data[CONF_HOST]
            if entry.unique_id is None and old in (
                host,
                discovery_info.hostname.lower(),
            ):
                if (
                    not entry.disabled_by
                    and await async_recognize(self.hass, entry, host)
                    and is_at(self.hass, entry, old)
                ):
                    self.hass.config_entries.async_update_entry(entry, unique_id=mac)
                raise _already_configured(entry)
        self._discovered_host = host
        self.context["title_placeholders"] = {"name": f"OpenVox {host}"}
        return await self.async_step_discovery_confirm()

    async def async_step_discovery_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the user of a gateway that was found, and try it."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._read_input({CONF_HOST: self._discovered_host, **user_input})
            self._abort_if_known()
            if result := await self._try(DISCOVERY_SCHEMA, errors):
                return result
        return self.async_show_form(
            step_id="discovery_confirm",
            data_schema=self.add_suggested_values_to_schema(
                DISCOVERY_SCHEMA, user_input
            ),
            description_placeholders={"host": self._discovered_host},
            errors=errors,
        )

    async def async_step_certificate(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether a certificate that isn't trusted is the gateway's."""
        if user_input is not None:
            return await self.async_step_check_again()
        assert self._fingerprint
        return self.async_show_form(
            step_id="certificate",
            description_placeholders={
                "host": self._data[CONF_HOST],
                "fingerprint": _readable(self._fingerprint),
            },
        )

    async def async_step_other_gateway(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether another gateway takes the place of the one that was there."""
        if user_input is not None:
            return await self._go_on()
        return self.async_show_form(
            step_id="other_gateway",
            description_placeholders={
                "gateway": self._get_reconfigure_entry().title,
                "host": self._data[CONF_HOST],
            },
        )

    async def _go_on(self) -> ConfigFlowResult:
        """Go on with the gateway that was tried."""
        if not self._may_see_sms:
            return await self.async_step_no_incoming_sms()
        return await self.async_step_create()

    async def async_step_no_incoming_sms(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that no SMS can come in with this user's rights, and ask."""
        return self.async_show_menu(
            step_id="no_incoming_sms",
            menu_options=["check_again", "create"],
            description_placeholders={"username": self._data[CONF_USERNAME]},
        )

    async def async_step_check_again(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Try again with the same input."""
        if self.source == SOURCE_REAUTH:
            return await self.async_step_reauth_confirm(self._data)
        if self.source == SOURCE_RECONFIGURE:
            return await self.async_step_reconfigure(self._data)
        if self.source == SOURCE_DHCP:
            return await self.async_step_discovery_confirm(self._data)
        return await self.async_step_user(self._data)

    async def async_step_create(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Add the gateway, or change the one that is there."""
        if self.source == SOURCE_REAUTH:
            return self._change(self._get_reauth_entry())
        # It may have been added elsewhere while a question was open.
        self._abort_if_known()
        if self.source == SOURCE_RECONFIGURE:
            entry = self._get_reconfigure_entry()
            # Another host may be another box, which discovery will find out. Another
            # port is on the same host, so its MAC address still holds.
            moved = entry.data[CONF_HOST] != self._data[CONF_HOST]
            return self._change(entry, unique_id=None if moved else entry.unique_id)
        self._is_adding = True
        return self.async_create_entry(
            title=self._title(),
            data=self._data,
            description=None if self._receives_sms else "sms_received_off",
        )

    def _title(self) -> str:
        """Return the title of a new gateway; boards of a stack differ in the port."""
        host, port = self._data[CONF_HOST], self._data[CONF_PORT]
        hosts = {
            entry.data[CONF_HOST]
            for entry in self._async_current_entries(include_ignore=False)
        }
        return f"OpenVox {host} ({port})" if host in hosts else f"OpenVox {host}"

    def _change(self, entry: ConfigEntry, **changes: Any) -> ConfigFlowResult:
        """Change an entry and connect again, even if nothing has changed."""
        result = self.async_update_and_abort(entry, data=self._data, **changes)
        # Not before: an entry that is not set up begins to connect at once.
        self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return result

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Start after the gateway refused the user name or password."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for user and password, and try them."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            self._read_input({**entry.data, **user_input})
            if result := await self._try(CREDENTIALS_SCHEMA, errors):
                return result
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=self.add_suggested_values_to_schema(
                CREDENTIALS_SCHEMA,
                user_input or {CONF_USERNAME: entry.data[CONF_USERNAME]},
            ),
            description_placeholders={"gateway": entry.title},
            errors=errors,
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new address or user, and try them."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = self._read_input(
                {CONF_FINGERPRINT: entry.data.get(CONF_FINGERPRINT), **user_input}
            )
            self._send_password = self._data.pop(
                CONF_SEND_PASSWORD, self._send_password
            )
            # Someone who makes a user try another address, or switch TLS off, must not
            # get the password that way: a repair issue names an address that anyone can
            # have asked for.
            if self._send_password:
                self._data.pop(CONF_CHALLENGE, None)
            elif CONF_CHALLENGE in entry.data:
                self._data[CONF_CHALLENGE] = entry.data[CONF_CHALLENGE]
            if result := await self._try(GATEWAY_SCHEMA, errors):
                return result
        lost = self._send_password or errors.get("base") == "no_challenge"
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                LOST_CHALLENGE_SCHEMA if lost else GATEWAY_SCHEMA,
                user_input
                or {
                    key: value
                    for key, value in entry.data.items()
                    if key != CONF_PASSWORD
                },
            ),
            errors=errors,
        )

    def _abort_if_known(self) -> None:
        """Refuse an address, or a gateway once it has shown its modules, of another entry.

        Two entries of one gateway would fire everything twice. That of a flow that is just
        adding it has no modules yet. A gateway may have got the address of another one,
        which shows by its modules.
        """
        own_id = self.context.get("entry_id")
        is_own = own_id is not None and self._is_with(find_imeis(self.hass, own_id))
        for entry in self._async_current_entries(include_ignore=False):
            if entry.entry_id == own_id:
                continue
            is_there = all(
                entry.data[key] == self._data[key] for key in (CONF_HOST, CONF_PORT)
            )
            if (is_there and not is_own) or are_modules_of(
                self.hass, entry, self._imeis
            ):
                raise _already_configured(entry)
        if self.hass.config_entries.flow.async_has_matching_flow(self):
            raise AbortFlow("already_in_progress")

    def _is_with(self, imeis: frozenset[str]) -> bool:
        """Return whether the gateway that was tried is the one with these modules."""
        # A module may have been moved from one gateway to another.
        return 2 * len(self._imeis & imeis) > len(self._imeis)

    @override
    def is_matching(self, other_flow: Self) -> bool:
        """Return whether another flow is just adding the same gateway."""
        return other_flow._is_adding and self._is_with(other_flow._imeis)

    @property
    def _is_other_gateway(self) -> bool:
        """Whether the gateway that was tried has none of the entry's modules."""
        if self.source != SOURCE_RECONFIGURE:
            return False
        known = find_imeis(self.hass, self._get_reconfigure_entry().entry_id)
        return bool(known and self._imeis) and known.isdisjoint(self._imeis)

    def _read_input(self, given: dict[str, Any]) -> dict[str, Any]:
        """Keep the input of a form, written as an entry has it; return it like that."""
        self._fingerprint = self._fingerprint or given.get(CONF_FINGERPRINT)
        host, port = read_address(given[CONF_HOST])
        given = {**given, CONF_HOST: host, CONF_PORT: port or given[CONF_PORT]}
        self._data = {CONF_TLS: False, **given}
        self._data.pop(CONF_FINGERPRINT, None)
        if self._data[CONF_TLS] and self._fingerprint:
            self._data[CONF_FINGERPRINT] = self._fingerprint
        return given

    async def _try(
        self, form: vol.Schema, errors: dict[str, str]
    ) -> ConfigFlowResult | None:
        """Try the gateway and go on; if that fails, say why in `errors`."""
        try:
            try:
                gateway = await try_gateway(self._data)
            except TlsError:
                # An old gateway may have no TLS that counts as safe today. Then, too,
                # the certificate's fingerprint shows that it's the right one.
                self._fingerprint = await fetch_fingerprint(self._data)
                return await self.async_step_certificate()
        except AmiError as err:
            field, key = await form_error(err, self._data)
            errors[field if field in form.schema else "base"] = key
        except Exception:
            _LOGGER.exception("Unexpected error while trying the gateway")
            errors["base"] = "unknown"
        else:
            if gateway.was_challenged:
                # From now on, whatever answers at its address can't ask for the password.
                self._data[CONF_CHALLENGE] = True
            self._receives_sms = gateway.features.receives_sms is not False
            self._imeis = imeis_of(gateway.spans)
            if self.source != SOURCE_REAUTH:
                self._abort_if_known()
            self._may_see_sms = gateway.features.may_see_sms is not False
            if self._is_other_gateway:
                return await self.async_step_other_gateway()
            return await self._go_on()
        return None


def _already_configured(entry: ConfigEntry) -> AbortFlow:
    return AbortFlow("already_configured", {"gateway": entry.title})


def _readable(fingerprint: str) -> str:
    """Write a fingerprint in pairs of digits, as openssl and browsers do."""
    return ":".join(re.findall("..", fingerprint.upper()))
