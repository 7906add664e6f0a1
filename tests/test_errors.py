"""The words for what a span can't do: the same for SMS, USSD and calls."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm import errors
from custom_components.openvox_gsm.gateway import spans as spans_module
from custom_components.openvox_gsm.gateway.replies import SmsReply
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from simulator import Box, CallOutcome, Simulator, SmsOutcome

from .common import PHONE, settle, until, until_later

type Act = Callable[..., Awaitable[Any]]


async def send_sms(hass: HomeAssistant, **data: Any) -> None:
    """Send an SMS."""
    await hass.services.async_call(
        *("notify", "send_sms", {"message": "Hi", "target": PHONE, **data}),
        blocking=True,
    )


async def send_ussd(hass: HomeAssistant, **data: Any) -> None:
    """Send a USSD code."""
    await hass.services.async_call(
        "openvox", "send_ussd", {"code": "*100#", **data}, blocking=True
    )


async def dial(hass: HomeAssistant, **data: Any) -> None:
    """Ring a phone."""
    await hass.services.async_call(
        "openvox", "dial", {"number": PHONE, **data}, blocking=True
    )


ALL = pytest.mark.parametrize("act", [send_sms, send_ussd, dial])


async def why_not(act: Act, hass: HomeAssistant, **data: Any) -> str:
    """Return why an action fails, in the server's language."""
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, **data)
    return errors.text_of(hass, error.value)


# A span


@ALL
@pytest.mark.parametrize(
    ("trait", "value", "reason"),
    [
        ("status", "Undetected SIM Card", "Span 1 of OpenVox has no SIM."),
        ("status", "Pin (1234) Error", "The SIM in span 1 of OpenVox needs its PIN."),
        (
            "status",
            "No Signal",
            "Span 1 of OpenVox isn't registered with a network.",
        ),
        ("status", "Down", "Span 1 of OpenVox is down."),
        ("status", "Something new", "Span 1 of OpenVox isn't ready."),
        ("hung", True, "Span 1 of OpenVox doesn't respond."),
        (
            "status",
            "Block",
            "Span 1 of OpenVox is locked; unlock it in the gateway's web interface.",
        ),
        (
            "state",
            "CALL ACTIVE Called from 10086 00:00:12",
            "Span 1 of OpenVox is in a call.",
        ),
    ],
)
async def test_what_a_span_lacks(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    act: Act,
    trait: str,
    value: object,
    reason: str,
) -> None:
    """It's said in one sentence, whatever was to be done."""
    monkeypatch.setattr(
        "custom_components.openvox_gsm.gateway.connection.QUICK_TIMEOUT", 1.0
    )
    setattr(gateway.spans[1], trait, value)

    assert (await why_not(act, hass, span=1)).endswith(reason)
    assert gateway.sent == gateway.originated == []


@ALL
async def test_a_span_that_searches_its_network(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, act: Act
) -> None:
    """The driver calls it down."""
    gateway.spans[1].status = "Down"
    gateway.spans[1].network_status = "Searching"

    assert "isn't registered with a network" in await why_not(act, hass, span=1)


@ALL
async def test_a_span_that_is_stuck(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    act: Act,
) -> None:
    """The sentence says what helps."""
    monkeypatch.setattr(spans_module, "STUCK_AFTER", -1.0)
    gateway.spans[1].state = "SMS SENDING"

    expected = "Span 1 of OpenVox is stuck. Reload its module."
    assert (await why_not(act, hass, span=1)).endswith(expected)


@ALL
async def test_a_span_that_is_turned_off(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, act: Act
) -> None:
    """As above."""
    gateway.spans[1].power = False

    expected = "Span 1 of OpenVox is turned off; turn on its module first."
    assert (await why_not(act, hass, span=1)).endswith(expected)


@pytest.mark.parametrize(
    "gateway", [{"box": Box.TODAY, "sms_received": True}], indirect=True, ids=[""]
)
@pytest.mark.parametrize(("act", "limit"), [(send_sms, "Sms"), (dial, "Call")])
async def test_a_limit_of_the_gateway_itself(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    act: Act,
    limit: str,
) -> None:
    """It limits only what it's for."""
    gateway.spans[1].limits = [limit]

    expected = "Span 1 of OpenVox has reached its limit in the gateway."
    assert expected in await why_not(act, hass, span=1)
    await {send_sms: dial, dial: send_sms}[act](hass, span=1)


# All spans


def spoil_all(gateway: Simulator) -> None:
    """Take something else from each span."""
    gateway.spans[1].status = "Undetected SIM Card"
    gateway.spans[2].status = "No Signal"
    gateway.spans[3].power = False
    gateway.spans[4].state = "CALL ACTIVE Called from 10086 00:00:12"


@ALL
async def test_what_all_spans_lack(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, act: Act
) -> None:
    """That's still a short text for four of them."""
    spoil_all(gateway)

    assert (await why_not(act, hass)).endswith(
        "No span of OpenVox is ready. "
        "Span 1 of OpenVox has no SIM. "
        "Span 2 of OpenVox isn't registered with a network. "
        "Span 3 of OpenVox is turned off; turn on its module first. "
        "Span 4 of OpenVox is in a call."
    )


@ALL
@pytest.mark.parametrize("gateway", [{"spans": 5}], indirect=True, ids=[""])
async def test_a_gateway_of_many_spans(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, act: Act
) -> None:
    """It would be a long text, so it's a number."""
    for span in gateway.spans.values():
        span.status = "No Signal"

    assert (await why_not(act, hass)).endswith(
        "None of the 5 spans of OpenVox is ready. The devices of the spans show why."
    )


@ALL
async def test_the_spans_of_all_gateways(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    act: Act,
) -> None:
    """No gateway is left out."""
    spoil_all(gateway)
    other.spans[1].status = "Undetected SIM Card"

    reason = await why_not(act, hass)
    assert "Span 4 of OpenVox is in a call." in reason
    assert "No span of Other is ready. Span 1 of Other has no SIM." in reason


@ALL
async def test_all_in_one_language(
    hass: HomeAssistant,
    gateway: Simulator,
    enable_custom_integrations: None,
    entry: MockConfigEntry,
    act: Act,
) -> None:
    """Home Assistant's own: a text that's put into another one can't be translated."""
    hass.config.language = "de"
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    spoil_all(gateway)

    assert (await why_not(act, hass)).endswith(
        "Kein Span von OpenVox ist bereit. "
        "Span 1 von OpenVox hat keine SIM-Karte. "
        "Span 2 von OpenVox ist in keinem Netz registriert. "
        "Span 3 von OpenVox ist ausgeschaltet; schalte zuerst das Modul ein. "
        "Span 4 von OpenVox ist im Gespräch."
    )


async def test_a_failed_sms_in_one_language(
    hass: HomeAssistant,
    gateway: Simulator,
    enable_custom_integrations: None,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the first word to the last; what the gateway says itself is quoted."""
    hass.config.language = "de"
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    failed = "Das Senden ist fehlgeschlagen."
    gateway.spans[1].sms_outcomes.extend([SmsOutcome.SUCCESS, SmsOutcome.FAILED])

    assert await why_not(send_sms, hass, span=1, message="x" * 200) == (
        f"{failed} {PHONE}: Das Netz hat die SMS auf Span 1 von OpenVox abgelehnt. "
        "Gesendete Teile: 1 von 2."
    )
    monkeypatch.setattr(
        "custom_components.openvox_gsm.gateway.sending.part.read_sms_reply",
        lambda _output: (SmsReply.REFUSED, "SMS message too long."),
    )
    assert await why_not(send_sms, hass, span=1) == (
        f"{failed} {PHONE}: OpenVox hat es abgelehnt, die SMS zu senden: "
        "„SMS message too long.“"
    )


def test_sentences() -> None:
    """Each once; Chinese ones have no space between them."""
    assert errors.sentences(["One.", "Two.", "One."]) == "One. Two."
    assert errors.sentences(["一。", "二。"]) == "一。二。"


# The gateway


@ALL
async def test_a_gateway_that_does_not_respond(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    act: Act,
) -> None:
    """It isn't taken for one that isn't connected, nor for one that did something."""
    for span in gateway.spans.values():
        span.status = "No Signal"
    await loaded.runtime_data.coordinator.async_refresh()
    monkeypatch.setattr(
        "custom_components.openvox_gsm.gateway.connection.QUICK_TIMEOUT", 0.1
    )
    gateway.faults.silent_commands.add("^gsm show span")

    assert (await why_not(act, hass)).endswith(
        "OpenVox didn't respond in time, so nothing was done. Try again later."
    )


async def test_another_gateway_rings_for_one_that_does_not_respond(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For nothing was dialled."""
    for span in gateway.spans.values():
        span.hung = True
    monkeypatch.setattr(
        "custom_components.openvox_gsm.gateway.connection.QUICK_TIMEOUT", 0.1
    )
    await dial(hass)
    assert gateway.originated == []
    assert len(other.originated) == 1


async def test_a_call_that_was_dialled_is_unknown(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """The phone may ring, so no other span or gateway rings it."""
    gateway.spans[1].call_outcomes.append((CallOutcome.NO_ANSWER, 60.0))
    ringing = asyncio.create_task(dial(hass, config_entry_id=loaded.entry_id))
    await until(lambda: gateway.originated)
    gateway.drop_connections(abort=True)
    await until_later(freezer, ringing.done)

    with pytest.raises(HomeAssistantError) as error:
        await ringing
    assert error.value.translation_key == "call_unknown"
    assert other.originated == []


@ALL
async def test_a_gateway_that_is_disabled(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, act: Act
) -> None:
    """Nobody looks for a fault in the connection."""
    await hass.config_entries.async_set_disabled_by(
        loaded.entry_id, ConfigEntryDisabler.USER
    )
    with pytest.raises(ServiceValidationError, match=r"^OpenVox is disabled\.") as err:
        await act(hass, config_entry_id=loaded.entry_id)
    assert err.value.translation_key == "disabled"

    await hass.config_entries.async_set_disabled_by(loaded.entry_id, None)
    await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(ServiceValidationError) as err:
        await act(hass, config_entry_id=loaded.entry_id)
    assert err.value.translation_key == "not_loaded"
