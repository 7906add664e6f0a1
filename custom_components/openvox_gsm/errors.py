"""Puts errors of the gateway into words: what happened, and what to do."""

from datetime import datetime
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.helpers.translation import (
    async_get_cached_translations,
    async_get_exception_message,
)
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util

from .ami import (
    MAX_LINE,
    ActionFailedError,
    AmiError,
    AuthenticationError,
    CannotConnectError,
    CertificateError,
    ChallengeMissingError,
    InvalidHeaderError,
    PermissionDeniedError,
)
from .const import DOMAIN
from .gateway import (
    ForbiddenActionError,
    InvalidTextError,
    NotAnOpenVoxGatewayError,
    SendFailure,
    SendResult,
    SpanError,
    UssdError,
)
from .phone_numbers import InvalidPhoneNumberError, PhoneNumberFault

POLL_ERRORS: Final[tuple[tuple[type[AmiError], str], ...]] = (
    (AuthenticationError, "invalid_auth"),
    (PermissionDeniedError, "no_command_right"),
    (NotAnOpenVoxGatewayError, "not_openvox"),
    (CertificateError, "certificate"),
    (ChallengeMissingError, "no_challenge"),
    (AmiError, "cannot_connect"),
)


def error(
    key: str, entry: ConfigEntry[Any] | None = None, **placeholders: object
) -> HomeAssistantError:
    """Return an error with a translated text; `entry` is the gateway it names."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=_placeholders(entry, placeholders),
    )


def invalid(
    key: str, entry: ConfigEntry[Any] | None = None, **placeholders: object
) -> ServiceValidationError:
    """Return an error in the call of an action, with a translated text."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=_placeholders(entry, placeholders),
    )


def forbidden(key: str, entry: ConfigEntry[Any], context: Context) -> Unauthorized:
    """Return why a person may not use an action, with a translated text."""
    err = Unauthorized(context, permission=POLICY_CONTROL)
    err.translation_domain = DOMAIN
    err.translation_key = key
    err.translation_placeholders = _placeholders(entry, {})
    err.generate_message = True
    return err


def _placeholders(
    entry: ConfigEntry[Any] | None, placeholders: dict[str, object]
) -> dict[str, str] | None:
    texts = {key: str(value) for key, value in placeholders.items()}
    if entry:
        texts["gateway"] = entry.title
    return texts or None


def auth_failed() -> ConfigEntryAuthFailed:
    """Return that the gateway refuses the username or password."""
    return ConfigEntryAuthFailed(
        translation_domain=DOMAIN, translation_key="invalid_auth"
    )


def update_failed(err: AmiError) -> UpdateFailed:
    """Return why a poll failed."""
    key = next(key for kind, key in POLL_ERRORS if isinstance(err, kind))
    return UpdateFailed(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=(
            {"error": str(err)} if key == "cannot_connect" else None
        ),
    )


def module_error(
    entry: ConfigEntry[Any],
    span: int,
    err: SpanError | AmiError,
    *,
    is_connected: bool,
) -> HomeAssistantError:
    """Return why a command to a span's module failed, or may have."""
    if isinstance(err, SpanError):
        key = "module_failed"
    elif isinstance(err, PermissionDeniedError):
        key = "no_command_right"
    elif isinstance(err, CannotConnectError):
        key = _not_reached(is_connected)
    else:
        key = "module_not_answered"
    return error(key, entry, span=span, error=err)


def call_error(
    entry: ConfigEntry[Any], err: SpanError | AmiError, *, is_connected: bool
) -> HomeAssistantError:
    """Return why a call could not be made, or why its outcome isn't known."""
    if isinstance(err, SpanError):
        return error(f"call_{err.failure}", entry, span=err.span)
    if isinstance(err, PermissionDeniedError):
        return error("no_originate_right", entry)
    if isinstance(err, CannotConnectError):
        return error(_not_reached(is_connected), entry, error=err)
    refused = isinstance(err, ActionFailedError)
    return error("call_refused" if refused else "call_unknown", entry, error=err)


def hangup_error(
    entry: ConfigEntry[Any], err: SpanError | AmiError, *, is_connected: bool
) -> HomeAssistantError:
    """Return why calls could not be ended, or may not have been."""
    if isinstance(err, SpanError):
        return error(f"call_{err.failure}", entry, span=err.span)
    if isinstance(err, PermissionDeniedError):
        return error("no_hangup_right", entry)
    if isinstance(err, CannotConnectError):
        return error(_not_reached(is_connected), entry, error=err)
    return error("not_answered", entry, error=err)


def _not_reached(is_connected: bool) -> str:
    return "cannot_connect" if is_connected else "not_connected"


def ussd_error(entry: ConfigEntry[Any], err: UssdError) -> HomeAssistantError:
    """Return why a USSD request got no answer."""
    return error(f"ussd_{err.failure}", entry, span=err.span)


def raw_error(
    entry: ConfigEntry[Any], err: ForbiddenActionError | AmiError
) -> HomeAssistantError:
    """Return why a raw command or action failed."""
    if isinstance(err, ForbiddenActionError):
        return invalid(f"forbidden_{err.reason}", name=err.name)
    if isinstance(err, InvalidHeaderError):
        return invalid(f"header_{err.fault}", name=err.header, limit=MAX_LINE)
    denied = isinstance(err, PermissionDeniedError)
    return error("no_action_right" if denied else "action_failed", entry, error=err)


_NUMBER_FAULTS: Final = {
    PhoneNumberFault.NO_COUNTRY: "number_needs_country",
    PhoneNumberFault.AMBIGUOUS: "number_ambiguous",
    PhoneNumberFault.IMPOSSIBLE: "number_impossible",
}


def number_error(err: InvalidPhoneNumberError) -> str:
    """Return the key of the text that says what is wrong with a number."""
    return _NUMBER_FAULTS.get(err.reason, "invalid_number")


def text_error(err: InvalidTextError) -> ServiceValidationError:
    """Return why a text cannot be sent."""
    return invalid(f"text_{err.fault}", detail=err.detail)


def exception_text(hass: HomeAssistant, key: str, **placeholders: object) -> str:
    """Return one of the translated texts, in the server's language."""
    texts = async_get_cached_translations(
        hass, hass.config.language, "exceptions", DOMAIN
    )
    form = texts.get(f"component.{DOMAIN}.exceptions.{key}.message")
    if form is None:  # just after a change of the language
        filled = {name: str(value) for name, value in placeholders.items()}
        return async_get_exception_message(DOMAIN, key, filled)
    return form.format(**placeholders)


_NEVER_ROOM: Final = {
    SendFailure.LIMIT_REACHED: "sms_over_limit",
    SendFailure.SIM_LIMIT_REACHED: "sms_over_sim_limit",
}


def sms_reason(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    result: SendResult,
    room_from: datetime | None,
) -> str | None:
    """Return why an SMS was not sent, in the server's language; None where it was.

    `room_from` is when the limit has room for it again, None if never.
    """
    if result.failure is None:
        return None
    key = f"sms_{result.failure}"
    if room_from is None:
        key = _NEVER_ROOM.get(result.failure, key)
    reason = exception_text(
        hass,
        key,
        gateway=entry.title,
        span=result.span,
        parts=result.parts,
        time=room_from and _clock(room_from),
    )
    if result.parts_sent:
        sent = exception_text(
            hass, "sms_parts_sent", sent=result.parts_sent, parts=result.parts
        )
        reason += f" ({sent})"
    return f"{reason}: {result.detail}" if result.detail else reason


def _clock(time: datetime) -> str:
    """Write a local time; with the date unless it's today."""
    today = time.date() == dt_util.now().date()
    return f"{time:%H:%M}" if today else f"{time:%F %H:%M}"
