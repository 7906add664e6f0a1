"""The actions openvox.dial and openvox.hangup."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.openvox_gsm.ami import CannotConnectError
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
from simulator import CallOutcome, Simulator, User

from .common import OTHER_PHONE, PHONE, gateway_device, span_device, until
from .test_services_sms import add_contact

# A call that rings until something else than its time ends it.
RINGS_ON = (CallOutcome.NO_ANSWER, 600.0)


async def dial(hass: HomeAssistant, number: Any = PHONE, **data: Any) -> dict[str, Any]:
    """Ring a phone and return what became of it."""
    response = await hass.services.async_call(
        "openvox",
        "dial",
        {"number": number, **data},
        blocking=True,
        return_response=True,
    )
    assert response
    return dict(response)


async def hang_up(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """End the calls of a span and return how many there were."""
    response = await hass.services.async_call(
        "openvox", "hangup", data, blocking=True, return_response=True
    )
    assert response
    return dict(response)


@pytest.mark.parametrize(
    ("scripted", "result"),
    [
        (CallOutcome.ANSWERED, "answered"),
        (CallOutcome.BUSY, "busy"),
        ((CallOutcome.NO_ANSWER, 0.01), "no_answer"),
        (CallOutcome.FAILED, "failed"),
        (CallOutcome.NO_CARRIER, "failed"),
        (CallOutcome.NO_DIALTONE, "failed"),
    ],
)
async def test_the_response(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    scripted: CallOutcome,
    result: str,
) -> None:
    """It says by which way it rang, what happened and how long it took."""
    gateway.spans[2].call_outcomes.append(scripted)

    response = await dial(
        hass, "+49 151 12345678", device_id=span_device(hass, loaded, 2).id
    )

    assert response == {
        "config_entry_id": loaded.entry_id,
        "span": 2,
        "result": result,
        "ring_time": 0,
    }
    [call] = gateway.originated
    assert (call.span, call.number, call.timeout_ms) == (2, PHONE, 20_000)


async def test_the_time_to_ring(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It is passed on to the gateway, which keeps to it by itself."""
    for ring_time in ("45", None, ""):
        await dial(hass, ring_time=ring_time)

    assert [call.timeout_ms for call in gateway.originated] == [45_000, 20_000, 20_000]
    for ring_time in (0, 121, "long"):
        with pytest.raises(vol.Invalid):
            await dial(hass, ring_time=ring_time)


async def test_nobody_asks_for_the_response(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """That nobody answers is what often is wanted; that nothing rang is an error."""
    gateway.spans[1].call_outcomes.extend([CallOutcome.BUSY, CallOutcome.FAILED])
    data = {"number": PHONE, "span": 1}

    await hass.services.async_call("openvox", "dial", data, blocking=True)
    with pytest.raises(HomeAssistantError, match="span 1 of OpenVox") as error:
        await hass.services.async_call("openvox", "dial", data, blocking=True)
    assert error.value.translation_key == "call_failed"


# Whom, and which way


async def test_a_contact(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """By name, on the span that it prefers."""
    await add_contact(hass, loaded, "Anna", OTHER_PHONE, span=4)

    response = await dial(hass, "anna")

    assert (response["span"], gateway.originated[0].number) == (4, OTHER_PHONE)


@pytest.mark.parametrize(
    ("number", "key"),
    [
        (None, "no_target"),
        ("", "no_target"),
        ("nobody", "invalid_number"),
        (f"{PHONE}, {OTHER_PHONE}", "one_number"),
        ([PHONE, OTHER_PHONE], "one_number"),
        (4915112345678, "number_without_quotes"),
        ("1\r\nAsync: false", "number_impossible"),
        ("Async: false\r\n", "invalid_number"),
    ],
)
async def test_what_cannot_be_rung(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    number: Any,
    key: str,
) -> None:
    """It is said what is wrong, and no field is named that this action doesn't have."""
    with pytest.raises(ServiceValidationError) as error:
        await dial(hass, number)
    assert error.value.translation_key == key
    assert "target" not in str(error.value)
    assert gateway.originated == []


async def test_any_ready_span(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """Of the gateway that is given, or of any."""
    for number in (1, 2, 3):
        gateway.spans[number].status = "No Signal"

    assert (await dial(hass, device_id=gateway_device(hass, loaded).id))["span"] == 4

    gateway.spans[4].status = "No Signal"
    response = await dial(hass)
    assert response["config_entry_id"] == other_loaded.entry_id


async def test_a_gateway_whose_spans_have_lost_their_networks(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """Another one rings, though the last poll said that this one could."""
    for span in gateway.spans.values():
        span.status = "No Signal"

    response = await dial(hass)
    assert response["config_entry_id"] == other_loaded.entry_id
    assert gateway.originated == []


async def test_a_gateway_that_is_lost_just_before_it_dials(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing rang, so another one rings."""

    async def action(*_args: Any, **_kwargs: Any) -> None:
        raise CannotConnectError("Not connected")

    connection = loaded.runtime_data.gateway._connection  # noqa: SLF001
    monkeypatch.setattr(connection, "action", action)

    response = await dial(hass)
    assert response["config_entry_id"] == other_loaded.entry_id


async def test_a_gateway_that_may_not_dial(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """Another one rings."""
    gateway.users["admin"] = User("admin", "admin", write=["command"])
    assert await hass.config_entries.async_reload(loaded.entry_id)

    for _ in range(2):
        response = await dial(hass)
        assert response["config_entry_id"] == other_loaded.entry_id


@pytest.mark.parametrize(
    ("rights", "key"),
    [
        ({"write": ["command", "system"]}, "no_originate_right"),
        ({"read": ["dialplan"]}, "no_call_right"),
    ],
)
async def test_the_rights(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
    rights: dict[str, list[str]],
    key: str,
) -> None:
    """The error says what to tick; nothing is dialled."""
    gateway.users["admin"] = User("admin", "admin", **rights)  # type: ignore[arg-type]
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)

    with pytest.raises(HomeAssistantError, match="ADVANCED .* select") as error:
        await dial(hass)

    assert error.value.translation_key == key
    assert "Originate" not in gateway.actions


async def test_the_rights_are_taken_away(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """What the gateway itself refuses is said in the same words."""
    coordinator = loaded.runtime_data
    for session in list(gateway.clients):
        session.user = User("admin", "admin", write=["command"])
    assert coordinator.gateway.features.may_dial

    with pytest.raises(HomeAssistantError) as error:
        await dial(hass, span=1)
    assert error.value.translation_key == "no_originate_right"
    with pytest.raises(HomeAssistantError) as error:
        await hang_up(hass, span=1)
    assert error.value.translation_key == "no_hangup_right"


async def test_a_span_that_cannot_call(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Without signal, without existing, all without signal, without a gateway."""
    gateway.spans[1].status = "No Signal"
    for span, key in ((1, "no_network"), (9, "no_such_span")):
        with pytest.raises(HomeAssistantError) as error:
            await dial(hass, span=span)
        assert error.value.translation_key == key

    for each in gateway.spans.values():
        each.status = "No Signal"
    with pytest.raises(HomeAssistantError) as error:
        await dial(hass)
    assert str(error.value).startswith("No span of OpenVox is ready. Span 1 of ")

    await gateway.stop()
    await until(lambda: hass.states.is_state("sensor.gsm_1_status", "unavailable"))
    for act in (dial, hang_up):
        with pytest.raises(
            HomeAssistantError, match=r"^OpenVox isn't connected, so nothing was done"
        ):
            await act(hass, span=1)


async def test_the_gateway_does_not_say_whether_it_hung_up(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The error doesn't say that it couldn't be reached: it may have done it."""
    await gateway.incoming_call(1, PHONE)
    hanging_up = hass.async_create_task(hang_up(hass, span=1))
    await until(lambda: "Hangup" in gateway.actions)
    gateway.drop_connections(abort=True)

    with pytest.raises(
        HomeAssistantError, match=r"^It's unknown whether OpenVox did this"
    ):
        await hanging_up


# Whatever happens, the call ends


async def test_a_script_is_stopped(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The phone stops ringing."""
    gateway.spans[2].call_outcomes.append(RINGS_ON)
    assert await async_setup_component(
        hass,
        "script",
        {
            "script": {
                "ring": {
                    "sequence": {
                        "action": "openvox.dial",
                        "data": {"number": PHONE, "span": 2, "ring_time": 120},
                    }
                }
            }
        },
    )
    await hass.services.async_call("script", "ring", {})
    await until(lambda: gateway.spans[2].call)

    await hass.services.async_call("script", "turn_off", {"entity_id": "script.ring"})

    await until(lambda: gateway.spans[2].call is None)


async def test_the_entry_is_unloaded(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The phone stops ringing, and the action that dialed raises an error."""
    gateway.spans[2].call_outcomes.append(RINGS_ON)
    call = asyncio.create_task(dial(hass, span=2, ring_time=120))
    await until(lambda: gateway.spans[2].call)

    await hass.config_entries.async_unload(loaded.entry_id)

    assert gateway.spans[2].call is None
    with pytest.raises(HomeAssistantError) as error:
        await call
    assert error.value.translation_key == "call_unknown"


async def test_the_entry_is_unloaded_just_after_a_script_was_stopped(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The phone stops ringing, although nobody waits for that any more."""
    gateway.spans[2].call_outcomes.append(RINGS_ON)
    call = asyncio.create_task(dial(hass, span=2, ring_time=120))
    await until(lambda: gateway.spans[2].call)
    call.cancel()
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.sleep(0)

    assert await hass.config_entries.async_unload(loaded.entry_id)

    assert gateway.spans[2].call is None
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_the_gateway_refuses_the_call(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """Its own words stand in the error."""
    del gateway.action_table.kinds["originate"]

    with pytest.raises(HomeAssistantError, match='OpenVox refused the call: "Invalid'):
        await dial(hass, span=1)


# Hanging up


async def test_hang_up(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It ends a call from outside, too. The response says how many calls ended."""
    await gateway.incoming_call(3, PHONE)
    way = {"config_entry_id": loaded.entry_id, "span": 3}

    assert await hang_up(hass, device_id=span_device(hass, loaded, 3).id) == {
        **way,
        "calls": 1,
    }
    assert gateway.spans[3].call is None
    assert await hang_up(hass, **way) == {**way, "calls": 0}
    await hass.services.async_call("openvox", "hangup", way, blocking=True)


async def test_hang_up_needs_a_span(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Calls of others are not ended by the way."""
    await gateway.incoming_call(3, PHONE)

    for way in ({}, {"device_id": gateway_device(hass, loaded).id}):
        with pytest.raises(ServiceValidationError) as error:
            await hang_up(hass, **way)
        assert error.value.translation_key == "no_span_given"
    with pytest.raises(HomeAssistantError, match="OpenVox has no span 9"):
        await hang_up(hass, span=9)
    assert gateway.spans[3].call
