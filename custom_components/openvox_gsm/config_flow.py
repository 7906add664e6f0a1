"""Add a gateway, renew its password, move it, set its options."""

from collections.abc import Mapping
import logging
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlow,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.core import callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .ami import (
    ActionFailedError,
    ActionTimeoutError,
    AmiError,
    AuthenticationError,
    CannotConnectError,
    InvalidHeaderError,
    PermissionDeniedError,
    ProtocolError,
)
from .const import CONF_LINE_BREAKS, DEFAULT_PORT, DEFAULT_USERNAME, DOMAIN
from .gateway import Features, Gateway, NotAnOpenVoxGatewayError

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
GATEWAY_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): cv.port,
        **_CREDENTIALS,
    }
)
CREDENTIALS_SCHEMA = vol.Schema(_CREDENTIALS)
OPTIONS_SCHEMA = vol.Schema(
    {vol.Required(CONF_LINE_BREAKS, default=False): BooleanSelector()}
)

# The first that fits counts.
_ERRORS: tuple[tuple[type[AmiError], str], ...] = (
    (AuthenticationError, "invalid_auth"),
    (PermissionDeniedError, "no_command_right"),
    (NotAnOpenVoxGatewayError, "not_openvox"),
    (ProtocolError, "not_asterisk"),
    (ActionTimeoutError, "timeout_connect"),
    (InvalidHeaderError, "invalid_auth"),
    (CannotConnectError, "cannot_connect"),
    (ActionFailedError, "refused"),
    (AmiError, "connection_lost"),
)


async def _try_gateway(data: Mapping[str, Any]) -> Features:
    """Log in, read what the user may do there, log off; raises AmiError."""
    gateway = Gateway(
        data[CONF_HOST],
        data[CONF_PORT],
        data[CONF_USERNAME],
        data[CONF_PASSWORD],
        on_sms=lambda _sms: None,
        on_connection=lambda _error: None,
    )
    try:
        await gateway.start()
    finally:
        await gateway.stop()
    return gateway.features


class OpenVoxConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up a gateway in the user interface."""

    VERSION = 1

    # What was given last, whole.
    _data: dict[str, Any]

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the flow of the options."""
        return OpenVoxOptionsFlow()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for address and user, and try them."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._data = _tidy(user_input)
            self._abort_if_known()
            if features := await self._check(errors):
                return await self._finish(features)
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(GATEWAY_SCHEMA, user_input),
            errors=errors,
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
        return await self.async_step_user(self._data)

    async def async_step_create(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Add the gateway, or change the one that is there."""
        if self.source == SOURCE_REAUTH:
            return self.async_update_reload_and_abort(
                self._get_reauth_entry(), data=self._data
            )
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_reload_and_abort(
                self._get_reconfigure_entry(), data=self._data
            )
        # It may have been added elsewhere while this question was open.
        self._abort_if_known()
        return self.async_create_entry(
            title=f"OpenVox {self._data[CONF_HOST]}", data=self._data
        )

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
            self._data = {**entry.data, **user_input}
            if features := await self._check(errors):
                return await self._finish(features)
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
            self._data = _tidy(user_input)
            self._abort_if_known()
            if features := await self._check(errors):
                return await self._finish(features)
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

    async def _finish(self, features: Features) -> ConfigFlowResult:
        """Take what was tried and works, though perhaps without incoming SMS."""
        if features.may_see_sms is False:
            return await self.async_step_no_incoming_sms()
        return await self.async_step_create()

    async def _check(self, errors: dict[str, str]) -> Features | None:
        """Try the gateway; where that fails, say why in `errors`."""
        try:
            return await _try_gateway(self._data)
        except AmiError as err:
            errors["base"] = next(key for kind, key in _ERRORS if isinstance(err, kind))
        except Exception:
            _LOGGER.exception("Unexpected error while trying the gateway")
            errors["base"] = "unknown"
        return None


class OpenVoxOptionsFlow(OptionsFlowWithReload):
    """Set what cannot be learnt from the gateway."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                OPTIONS_SCHEMA, self.config_entry.options
            ),
        )


def _tidy(user_input: dict[str, Any]) -> dict[str, Any]:
    """Write an address in one way, so that the same gateway is recognised."""
    return {**user_input, CONF_HOST: user_input[CONF_HOST].strip().lower()}
