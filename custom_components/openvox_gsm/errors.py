"""Puts errors of the gateway into words: what happened, and what to do."""

from collections.abc import Iterable
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
    Gateway,
    InvalidTextError,
    NotAnOpenVoxGatewayError,
    OtherGatewayError,
    SendFailure,
    SendResult,
    SendStatus,
    SpanError,
    UssdError,
    UssdFailure,
    Work,
)
from .limits.budget import Room
from .phone_numbers import InvalidPhoneNumberError, PhoneNumberFault

POLL_ERRORS: Final[tuple[tuple[type[AmiError], str], ...]] = (
    (AuthenticationError, "invalid_auth"),
    (PermissionDeniedError, "no_command_right"),
    (NotAnOpenVoxGatewayError, "not_openvox"),
    (CertificateError, "certificate"),
    (ChallengeMissingError, "no_challenge"),
    (OtherGatewayError, "other_gateway"),
    (AmiError, "cannot_connect"),
)

# What each of so few lacks is still a short text.
_FEW_SPANS: Final = 4
# The other reasons apply to all that a span can do.
ONLY_SMS: Final = frozenset(
    (
        SendFailure.REJECTED,
        SendFailure.REFUSED,
        SendFailure.TEXT_MODE,
        SendFailure.WRONG_CODING,
        SendFailure.TIMED_OUT,
        SendFailure.CONNECTION_LOST,
        SendFailure.GIVEN_UP,
    )
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
) -> dict[str, str]:
    texts = {key: str(value) for key, value in placeholders.items()}
    if entry:
        texts["gateway"] = entry.title
    return texts


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
        # Each text has what it needs of these.
        translation_placeholders={
            "error": str(err),
            "other": err.name if isinstance(err, OtherGatewayError) else "",
        },
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
        if err.failure is SendFailure.POWER_OFF:
            return error(err.failure, entry, span=span)
        return error("module_failed", entry, span=span)
    if isinstance(err, PermissionDeniedError):
        return error("no_command_right", entry)
    if isinstance(err, CannotConnectError):
        return _not_reached(entry, err, is_connected)
    return error("module_not_answered", entry, span=span)


def call_error(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    gateway: Gateway,
    err: SpanError | AmiError,
) -> HomeAssistantError:
    """Return why a call could not be made, or why its outcome isn't known."""
    if isinstance(err, SpanError):
        if err.failure is SendFailure.NO_SPAN_READY:
            return no_span_ready(hass, entry, gateway, Work.CALL)
        return error(err.failure, entry, span=err.span)
    if isinstance(err, PermissionDeniedError):
        return error("no_originate_right", entry)
    if isinstance(err, CannotConnectError):
        return _not_reached(entry, err, gateway.is_connected)
    if isinstance(err, ActionFailedError):
        return error("call_refused", entry, error=err)
    return error("call_unknown", entry)


def hangup_error(
    entry: ConfigEntry[Any], err: SpanError | AmiError, *, is_connected: bool
) -> HomeAssistantError:
    """Return why calls could not be ended, or may not have been."""
    if isinstance(err, SpanError):
        return error(err.failure, entry, span=err.span)
    if isinstance(err, PermissionDeniedError):
        return error("no_hangup_right", entry)
    if isinstance(err, CannotConnectError):
        return _not_reached(entry, err, is_connected)
    return error("not_answered", entry)


def _not_reached(
    entry: ConfigEntry[Any], err: CannotConnectError, is_connected: bool
) -> HomeAssistantError:
    if is_connected:
        return error("cannot_connect", entry, error=err)
    return error(SendFailure.NOT_CONNECTED, entry)


def ussd_error(entry: ConfigEntry[Any], err: UssdError) -> HomeAssistantError:
    """Return why a USSD request got no answer."""
    if isinstance(err.failure, UssdFailure):
        return error(f"ussd_{err.failure}", entry, span=err.span)
    return error(err.failure, entry, span=err.span)


def raw_error(
    entry: ConfigEntry[Any],
    err: ForbiddenActionError | AmiError,
    *,
    is_connected: bool,
) -> HomeAssistantError:
    """Return why a raw command or action failed."""
    if isinstance(err, ForbiddenActionError):
        return invalid(f"forbidden_{err.reason}", name=err.name)
    if isinstance(err, InvalidHeaderError):
        return invalid(f"header_{err.fault}", name=err.header, limit=MAX_LINE)
    if isinstance(err, PermissionDeniedError):
        return error("no_action_right", entry)
    if isinstance(err, CannotConnectError):
        return _not_reached(entry, err, is_connected)
    if isinstance(err, ActionFailedError):
        return error("action_failed", entry, error=err)
    return error("not_answered", entry)


def no_span_ready(
    hass: HomeAssistant, entry: ConfigEntry[Any], gateway: Gateway, work: Work
) -> HomeAssistantError:
    """Return that no span of a gateway can work, and what each lacks if that's short."""
    if not gateway.is_connected:
        return error(SendFailure.NOT_CONNECTED, entry)
    if len(gateway.spans) > _FEW_SPANS:
        return error("none_of_many_ready", entry, count=len(gateway.spans))
    return all_of(
        hass,
        error(SendFailure.NO_SPAN_READY, entry),
        *(
            error(reason, entry, span=span)
            for span, reason in gateway.spans.reasons_against(work).items()
        ),
    )


def all_of(hass: HomeAssistant, *errors: HomeAssistantError) -> HomeAssistantError:
    """Return one error that says what several say, in the server's language.

    The frontend would translate a text of it, but not what is put into that text.
    """
    if len(errors) == 1:
        return errors[0]
    return HomeAssistantError(sentences(text_of(hass, each) for each in errors))


def sentences(texts: Iterable[str]) -> str:
    """Return sentences as one text; each that is said twice once."""
    return " ".join(dict.fromkeys(texts)).replace("。 ", "。")


def text_of(hass: HomeAssistant, err: HomeAssistantError) -> str:
    """Return the text of an error in the server's language."""
    if err.translation_key is None:
        return str(err)
    return exception_text(
        hass, err.translation_key, **(err.translation_placeholders or {})
    )


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


def sms_reason(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    gateway: Gateway,
    result: SendResult,
    room: Room | None,
) -> str | None:
    """Return why an SMS was not sent, in the server's language; None where it was.

    `room` is when the limit has room for it again, None where no limit is reached.
    """
    if result.failure is None:
        return None
    reason = text_of(hass, _sms_error(hass, entry, gateway, result, room))
    if not result.parts_sent:
        return reason
    sent = exception_text(
        hass, "sms_parts_sent", sent=result.parts_sent, parts=result.parts
    )
    return sentences((reason, sent))


def _sms_error(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    gateway: Gateway,
    result: SendResult,
    room: Room | None,
) -> HomeAssistantError:
    match result.failure:
        case SendFailure.NO_SPAN_READY:
            return no_span_ready(hass, entry, gateway, Work.SMS)
        case SendFailure.LIMIT_REACHED if room and room.since:
            key, time = f"sms_limit_reached_{room.window}", _clock(room.since)
            return error(key, entry, time=time)
        case SendFailure.LIMIT_REACHED if room:
            return error(f"sms_over_limit_{room.window}", entry, parts=result.parts)
        case SendFailure.SIM_LIMIT_REACHED if room and room.since:
            key, time = f"sms_sim_limit_reached_{room.window}", _clock(room.since)
            return error(key, entry, span=result.span, time=time)
        case SendFailure.SIM_LIMIT_REACHED if room:
            key = f"sms_over_sim_limit_{room.window}"
            return error(key, entry, span=result.span, parts=result.parts)
        case SendFailure.REFUSED if result.detail:
            return error("sms_refused_saying", entry, error=result.detail)
        case failure if failure in ONLY_SMS:
            return error(f"sms_{failure}", entry, span=result.span)
    return error(str(result.failure), entry, span=result.span)


def sms_not_sent(
    hass: HomeAssistant,
    reasons: Iterable[tuple[str, SendResult, str | None]],
) -> HomeAssistantError:
    """Return that messages failed, or may have: to whom, the results, and why."""
    reasons = list(reasons)
    is_certain = all(result.status is SendStatus.FAILED for _, result, _ in reasons)
    failed = exception_text(hass, "sms_failed" if is_certain else "sms_not_sent")
    return HomeAssistantError(
        sentences((failed, *(f"{name}: {reason}" for name, _, reason in reasons)))
    )


def _clock(time: datetime) -> str:
    """Write a local time; with the date unless it's today."""
    today = time.date() == dt_util.now().date()
    return f"{time:%H:%M}" if today else f"{time:%F %H:%M}"
