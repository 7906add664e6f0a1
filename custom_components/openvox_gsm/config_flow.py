"""Add a gateway, renew its password, move it, set its options."""

import asyncio
from collections.abc import Mapping
import logging
import re
from typing import Any, Final, override

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.core import callback
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
from homeassistant.util.network import is_ip_address

from .ami import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    AuthenticationError,
    CannotConnectError,
    ChallengeMissingError,
    InvalidHeaderError,
    PermissionDeniedError,
    ProtocolError,
    TlsError,
    read_fingerprint,
)
from .const import (
    CONF_ALLOWED,
    CONF_CALL_EVENTS,
    CONF_CHALLENGE,
    CONF_COUNTRY_PREFIX,
    CONF_DAILY_LIMIT,
    CONF_FINGERPRINT,
    CONF_FLASH,
    CONF_HOURLY_LIMIT,
    CONF_LINE_BREAKS,
    CONF_ONLY_CONFIRMED,
    CONF_TLS,
    DEFAULT_PORT,
    DEFAULT_USERNAME,
    DOMAIN,
)
from .gateway import Gateway, NotAnOpenVoxGatewayError
from .limits import DEFAULT_DAILY_LIMIT, DEFAULT_HOURLY_LIMIT, read_destination
from .subentry_flow import SUBENTRY_FLOWS
from .tls import UNVERIFIED, tls_of

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
CREDENTIALS_SCHEMA = vol.Schema(_CREDENTIALS)
_LIMIT = vol.All(
    NumberSelector(
        NumberSelectorConfig(min=0, max=100_000, mode=NumberSelectorMode.BOX)
    ),
    vol.Coerce(int),
)
OPTIONS_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_COUNTRY_PREFIX): TextSelector(
            TextSelectorConfig(type=TextSelectorType.TEL)
        ),
        vol.Optional(CONF_ALLOWED): TextSelector(TextSelectorConfig(multiple=True)),
        vol.Required(CONF_HOURLY_LIMIT, default=DEFAULT_HOURLY_LIMIT): _LIMIT,
        vol.Required(CONF_DAILY_LIMIT, default=DEFAULT_DAILY_LIMIT): _LIMIT,
        vol.Required(CONF_CALL_EVENTS, default=True): BooleanSelector(),
        vol.Required(CONF_ONLY_CONFIRMED, default=False): BooleanSelector(),
        vol.Required(CONF_LINE_BREAKS, default=False): BooleanSelector(),
        vol.Required(CONF_FLASH, default=False): BooleanSelector(),
    }
)

# ITU-T E.164: one to three digits, none of them a leading zero.
_COUNTRY_PREFIX: Final = re.compile(r"(?:\+|00)?(?P<digits>[1-9][0-9]{0,2})", re.ASCII)

_WEB_PAGE: Final = re.compile(r"^https?://\[?([^/\]]+(?=\])|[^/\]:]+).*$")
_ANSWER_TIME: Final = 5.0  # seconds

# The first that fits counts.
_ERRORS: tuple[tuple[type[AmiError], str], ...] = (
    (AuthenticationError, "invalid_auth"),
    (ChallengeMissingError, "no_challenge"),
    (PermissionDeniedError, "no_command_right"),
    (NotAnOpenVoxGatewayError, "not_openvox"),
    (ProtocolError, "not_asterisk"),
    (ActionTimeoutError, "timeout_connect"),
    (InvalidHeaderError, "invalid_auth"),
    (TlsError, "no_tls"),
    (CannotConnectError, "cannot_connect"),
    (ActionFailedError, "refused"),
    (AmiError, "connection_lost"),
)


async def _try_gateway(data: Mapping[str, Any]) -> Gateway:
    """Log in, read what the user may do there, log off; raises AmiError.

    The gateway keeps what it learnt.
    """
    gateway = Gateway(
        data[CONF_HOST],
        data[CONF_PORT],
        data[CONF_USERNAME],
        data[CONF_PASSWORD],
        tls=tls_of(data),
        plain_login=not data.get(CONF_CHALLENGE),
        on_part=lambda _part: None,
        on_connection=lambda _error: None,
    )
    try:
        await gateway.start()
    finally:
        await gateway.stop()
    return gateway


async def _answers(host: str, port: int) -> bool:
    """Tell whether something takes connections at an address."""
    try:
        async with asyncio.timeout(_ANSWER_TIME):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # of which a TimeoutError is one
        return False
    writer.transport.abort()
    return True


class OpenVoxConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up a gateway in the user interface."""

    VERSION = 1

    # What was given last, whole.
    _data: dict[str, Any]
    # Where DHCP found the gateway.
    _discovered_host: str
    # Of the certificate that was accepted, or is to be.
    _fingerprint: str | None = None

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
            self._take(user_input)
            self._abort_if_known()
            if result := await self._try(errors):
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
        """Begin with a gateway that asked for an address in the network."""
        host = discovery_info.ip
        mac = format_mac(discovery_info.macaddress)
        known = await self.async_set_unique_id(mac)
        if (
            known
            # A name that was given for the gateway leads to it wherever it is.
            and is_ip_address(known.data.get(CONF_HOST, ""))
            and known.data[CONF_HOST] != host
            # Anybody can ask for an address in the gateway's name.
            and not await _answers(known.data[CONF_HOST], known.data[CONF_PORT])
        ):
            self.hass.config_entries.async_update_entry(
                known, data={**known.data, CONF_HOST: host}
            )
            self.hass.config_entries.async_schedule_reload(known.entry_id)
        self._abort_if_unique_id_configured()
        for entry in self._async_current_entries(include_ignore=False):
            if entry.unique_id is None and entry.data[CONF_HOST] in (
                host,
                discovery_info.hostname.lower(),
            ):
                self.hass.config_entries.async_update_entry(entry, unique_id=mac)
                if entry.state is ConfigEntryState.LOADED:
                    self.hass.config_entries.async_schedule_reload(entry.entry_id)
                return self.async_abort(reason="already_configured")
        self._discovered_host = host
        self.context["title_placeholders"] = {"host": host}
        return await self.async_step_discovery_confirm()

    async def async_step_discovery_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the user of a gateway that was found, and try it."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._take({CONF_HOST: self._discovered_host, **user_input})
            self._abort_if_known()
            if result := await self._try(errors):
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
        """Ask whether a certificate that nobody vouches for is the gateway's."""
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
        """Try once more with what was given."""
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
        if self.source == SOURCE_RECONFIGURE:
            entry = self._get_reconfigure_entry()
            # It may be another box; discovery tells which. Another port leads to
            # the same one: the MAC address that is known is that of the host.
            moved = entry.data[CONF_HOST] != self._data[CONF_HOST]
            return self._change(entry, unique_id=None if moved else entry.unique_id)
        # It may have been added elsewhere while this question was open.
        self._abort_if_known()
        return self.async_create_entry(
            title=f"OpenVox {self._data[CONF_HOST]}", data=self._data
        )

    def _change(self, entry: ConfigEntry, **changes: Any) -> ConfigFlowResult:
        """Change an entry and connect anew, as also what did not change asks for."""
        result = self.async_update_and_abort(entry, data=self._data, **changes)
        # Not before: an entry that is not set up begins to connect at once.
        self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return result

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Begin after the gateway refused the user or password."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for user and password, and try them."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            self._take({**entry.data, **user_input})
            if result := await self._try(errors):
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
            self._take(
                {CONF_FINGERPRINT: entry.data.get(CONF_FINGERPRINT), **user_input}
            )
            # At another address there may be another box. Whoever makes a user try
            # another port, or do without TLS, must not get the password for it.
            moved = self._data[CONF_HOST] != entry.data[CONF_HOST]
            if CONF_CHALLENGE in entry.data and not moved:
                self._data[CONF_CHALLENGE] = entry.data[CONF_CHALLENGE]
            self._abort_if_known()
            if result := await self._try(errors):
                return result
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                GATEWAY_SCHEMA,
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
        """Refuse an address that is another entry's."""
        self._async_abort_entries_match(
            {key: self._data[key] for key in (CONF_HOST, CONF_PORT)}
        )

    def _take(self, given: dict[str, Any]) -> None:
        """Take what was given, in the one way in which entries are written."""
        self._fingerprint = self._fingerprint or given.get(CONF_FINGERPRINT)
        # It may be the address of the web page, out of the browser.
        host = _WEB_PAGE.sub(r"\1", given[CONF_HOST].strip().lower())
        self._data = {CONF_TLS: False, **given, CONF_HOST: host}
        self._data.pop(CONF_FINGERPRINT, None)
        if self._data[CONF_TLS] and self._fingerprint:
            self._data[CONF_FINGERPRINT] = self._fingerprint

    async def _try(self, errors: dict[str, str]) -> ConfigFlowResult | None:
        """Try the gateway and go on; where that fails, say why in `errors`."""
        try:
            try:
                gateway = await _try_gateway(self._data)
            except TlsError:
                # An old gateway speaks no TLS that counts as safe today; then, too,
                # the certificate's fingerprint tells that it is the right one.
                self._fingerprint = await read_fingerprint(
                    self._data[CONF_HOST], self._data[CONF_PORT], UNVERIFIED
                )
                return await self.async_step_certificate()
        except AmiError as err:
            errors["base"] = next(key for kind, key in _ERRORS if isinstance(err, kind))
        except Exception:
            _LOGGER.exception("Unexpected error while trying the gateway")
            errors["base"] = "unknown"
        else:
            if gateway.was_challenged:
                # Once it is added nobody there gets the password by asking for it.
                self._data[CONF_CHALLENGE] = True
            if gateway.features.may_see_sms is False:
                return await self.async_step_no_incoming_sms()
            return await self.async_step_create()
        return None


class OpenVoxOptionsFlow(OptionsFlow):
    """Set what cannot be learnt from the gateway; it counts at once."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options."""
        errors: dict[str, str] = {}
        if user_input is not None:
            options = {**user_input}
            prefix = re.sub(r"[\s()-]", "", options.pop(CONF_COUNTRY_PREFIX, ""))
            if match := _COUNTRY_PREFIX.fullmatch(prefix):
                options[CONF_COUNTRY_PREFIX] = match["digits"]
            elif prefix:
                errors[CONF_COUNTRY_PREFIX] = "invalid_country_prefix"
            try:
                allowed = [
                    read_destination(each)
                    for each in options.pop(CONF_ALLOWED, ())
                    if each.strip()
                ]
                if allowed:
                    options[CONF_ALLOWED] = allowed
            except ValueError:
                errors[CONF_ALLOWED] = "invalid_destination"
            if not errors:
                return self.async_create_entry(data=options)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                OPTIONS_SCHEMA, user_input or _as_shown(self.config_entry.options)
            ),
            errors=errors,
        )


def _as_shown(options: Mapping[str, Any]) -> dict[str, Any]:
    """Write the country prefix as people do."""
    prefix = options.get(CONF_COUNTRY_PREFIX)
    return {**options, **({CONF_COUNTRY_PREFIX: f"+{prefix}"} if prefix else {})}


def _readable(fingerprint: str) -> str:
    """Write a fingerprint in pairs of digits, as openssl and browsers do."""
    return ":".join(re.findall("..", fingerprint.upper()))
