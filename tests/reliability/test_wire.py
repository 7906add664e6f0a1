"""What comes over the wire is not what a gateway should send."""

import asyncio
import random

import pytest

from custom_components.openvox_gsm.const import CONF_ONLY_CONFIRMED
from homeassistant.const import STATE_UNKNOWN
from homeassistant.exceptions import HomeAssistantError
from simulator import SmsOutcome, UssdOutcome

from .house import LOST, House

from tests.common import OTHER_PHONE


async def test_garbage(house: House) -> None:
    """Packets that say nothing are passed over."""
    await house.set_up()
    dice = random.Random(0)
    for _ in range(50):
        house.gateway.faults.garbage(
            dice.randbytes(500).replace(b"\r\n\r\n", b"") + b"\r\n\r\n"
        )
        await house.rest()

    await house.recovers()

    await house.prove_normal()


async def test_invalid_utf8(house: House) -> None:
    """It is read as Latin-1, as the driver writes it; what is nothing at all, as \ufffd."""
    await house.set_up()
    house.gateway.spans[1].operator = "\udcff\udc80Net"
    text = "Bytes \ufffdþ and more"
    await house.gateway.receive_variables(
        1,
        {
            "SMSSRC": OTHER_PHONE,
            "SMSTXT": b"Bytes \xff\xfe and more",
            "SMSPDU": "",
            "SMSTIME": "2026/05/04 03:02:01",
            "SMSTZ": "GMT+8",
        },
    )
    house.delivered.append(text)
    await house.until(lambda: house.received)
    await house.do(house.entry.runtime_data.coordinator.async_refresh())
    operator = house.hass.states.get("sensor.gsm_1_operator")
    assert operator
    assert "\ufffd" in operator.state
    assert operator.state.endswith("Net")

    await house.recovers()

    await house.prove_normal()


async def test_sms_without_pdu(house: House) -> None:
    """It is dropped where the options want it; one with its PDU comes in."""
    house.log = ["Span 1: dropped an SMS that came without its PDU, .+"]
    await house.set_up()
    house.hass.config_entries.async_update_entry(
        house.entry, options={CONF_ONLY_CONFIRMED: True}
    )
    await house.rest()
    await house.gateway.receive_sms(1, OTHER_PHONE, house.new_text(), pdu=False)
    await house.pass_time(60)
    assert house.texts == []
    await house.receive()
    assert len(house.texts) == 1

    await house.recovers()

    await house.prove_normal()


async def test_huge_packet(house: House) -> None:
    """A packet of 2 MiB is not waited for: the connection is made anew."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.garbage(b"Event: Huge\r\nX: " + 2 * 1024 * 1024 * b"x")
    await house.notices()

    await house.recovers()

    await house.prove_normal()


async def test_one_byte_at_a_time(house: House) -> None:
    """All works as it does with larger pieces."""
    house.gateway.faults.slow_bytes = True
    await house.set_up()
    await house.do(house.entry.runtime_data.coordinator.async_refresh())

    await house.recovers()

    await house.prove_normal()


@pytest.mark.real_time
async def test_flood(house: House) -> None:
    """5,000 events of other people's calls a second, for two seconds."""
    await house.set_up()
    flood = asyncio.create_task(house.gateway.noise(10_000, sms_like=True, rate=5000))
    for _ in range(20):
        house.send()
        await house.receive()
        await asyncio.sleep(0.05)
    await flood
    await asyncio.gather(*(each.task for each in house.sent))
    assert {each.result["status"] for each in house.sent} == {"sent"}
    assert len(house.gateway.sent) == 20

    await house.recovers()

    await house.prove_normal()


async def test_span_that_never_answers(house: House) -> None:
    """A command hangs one span: the others go on, it is looked at again later."""
    await house.set_up()
    house.gateway.spans[2].hung = True
    await house.notices(
        lambda: house.hass.states.is_state("sensor.gsm_2_status", STATE_UNKNOWN)
    )
    assert house.is_connected
    sending = house.send()
    await house.until(sending.task.done)
    assert sending.result["status"] == "sent"
    await house.receive()

    house.gateway.spans[2].hung = False
    await house.recovers(
        lambda: house.hass.states.is_state("sensor.gsm_2_status", "ready")
    )

    await house.prove_normal()


async def test_send_that_is_never_answered(house: House) -> None:
    """Its outcome is not known; the gateway holds the span until it is restarted."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.spans[1].sms_outcomes.append(SmsOutcome.HANG)
    sending = house.send(1)
    await house.rest()
    other = house.send(2)
    await house.until(other.task.done)
    assert other.result["status"] == "sent"
    await house.receive()
    await house.notices(sending.task.done)
    assert sending.result["status"] == "unknown"
    again = house.send(1)
    await house.until(again.task.done)
    assert again.result["status"] == "failed"

    await house.gateway.restart()
    await house.until(lambda: not house.is_connected)
    await house.recovers(lambda: house.is_normal)

    later = house.send(1)
    await house.until(later.task.done)
    assert later.result["status"] == "sent"
    await house.prove_normal()


async def test_ussd_that_is_never_answered(house: House) -> None:
    """The action fails; the code is not sent again."""
    await house.set_up()
    house.gateway.spans[1].ussd["*100#"] = "Balance: 12.50"
    house.gateway.spans[1].ussd_outcomes.append(UssdOutcome.HANG)
    asking = house.hass.async_create_task(house.ask_ussd())
    await house.rest()
    await house.receive()
    await house.notices(asking.done)
    with pytest.raises(HomeAssistantError):
        await asking
    assert sum(each.startswith("gsm send ussd") for each in house.gateway.commands) == 1

    again = house.hass.async_create_task(house.ask_ussd())
    await house.recovers(again.done)

    assert (await again)["message"] == "Balance: 12.50"
    await house.prove_normal()
