"""What comes over the wire is not what a gateway should send."""

import asyncio
from datetime import timedelta
import random

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.openvox_gsm.const import CONF_ONLY_CONFIRMED, EVENT_CALL
from homeassistant.const import STATE_UNKNOWN
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
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


async def test_stall_within_an_sms(house: House) -> None:
    """Its text imitates a call, and the rest of it comes late."""
    house.log = ["Span 1: the text of an SMS imitates the gateway's own events; .+"]
    calls = async_capture_events(house.hass, EVENT_CALL)
    await house.set_up()
    forged = (
        "Event: Newchannel\r\nPrivilege:\r\nChannel: EXTRA/1-1\r\n"
        "ChannelStateDesc: Ring\r\nCallerIDNum: +491\r\nUniqueid: 9.9"
    )
    text = f"x\r\n\r\n{forged}"
    house.gateway.faults.freeze_before = forged.encode()
    await house.gateway.receive_sms(1, OTHER_PHONE, text)
    await house.pass_time(8)
    assert house.gateway.faults.frozen
    assert house.texts == []
    house.gateway.faults.thaw()

    await house.recovers(lambda: house.texts)

    house.delivered.append(text)
    assert house.texts == [text]
    assert calls == []
    await house.prove_normal()


async def test_two_sms_imitate_a_call(house: House) -> None:
    """They come in at the same moment, and the first seems to end early."""
    house.log = ["Span 1: the text of an SMS imitates the gateway's own events; .+"]
    calls = async_capture_events(house.hass, EVENT_CALL)
    await house.set_up()
    texts = [
        "x\r\nUniqueid: 5.5\r\n\r\nEvent: New",
        "x\r\nUniqueid: 9.9\r\n\r\n"
        "Event: Newchannel\r\nPrivilege:\r\nChannel: EXTRA/1-1\r\n"
        "ChannelStateDesc: Ring\r\nCallerIDNum: +491\r\nUniqueid: 9.9",
    ]
    await asyncio.gather(
        *(
            house.gateway.receive_sms(span, OTHER_PHONE, text)
            for span, text in enumerate(texts, 1)
        )
    )

    house.delivered += texts
    await house.recovers(lambda: len(house.texts) == 2)

    await house.pass_time(60)
    assert calls == []
    await house.prove_normal()


async def test_parts_of_two_sms_mixed(house: House) -> None:
    """They have the same reference, and come in the worst order."""
    await house.set_up()
    first, second = house.new_text(2), house.new_text(2)
    sent_at = dt_util.utcnow()
    parts = [
        (text, part, sent_at + timedelta(seconds=late + 2 * part))
        for text, late in ((first, 0), (second, 60))
        for part in (1, 2)
    ]
    for text, part, when in (parts[0], parts[3], parts[1], parts[2]):
        await house.gateway.receive_sms(
            1, OTHER_PHONE, text, when, reference=7, order=[part]
        )
    await house.recovers(lambda: len(house.texts) == 2)

    house.delivered += [first, second]
    assert house.texts == [first, second]
    assert all(event.data["complete"] for event in house.received)
    await house.prove_normal()


async def test_packet_with_an_odd_end(house: House) -> None:
    """Asterisk 18.19 and 20.4 on write one; what follows is there at once."""
    await house.set_up()
    house.gateway.faults.garbage(
        b"Event: CoreShowChannelMapComplete\r\nEventList: Complete\r\n\n"
    )
    await house.receive()

    await house.recovers(lambda: house.texts)

    await house.prove_normal()


async def test_huge_packet(house: House) -> None:
    """A packet of 2 MiB is not waited for: the gateway connects again."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.garbage(b"Event: Huge\r\nX: " + 2 * 1024 * 1024 * b"x")
    await house.notices()

    await house.recovers()

    await house.prove_normal()


async def test_huge_event(house: House) -> None:
    """An event of an SMS is never that large."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.garbage(
        b"Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: EXTRA-SMS/1-1\r\n"
        b"Variable: SMSTXT\r\nValue: " + 100_000 * b"x" + b"\r\nUniqueid: 1.1\r\n\r\n"
    )
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
    house.gateway.commands.clear()
    await house.notices(
        lambda: house.hass.states.is_state("sensor.gsm_2_status", STATE_UNKNOWN)
    )
    assert house.is_connected
    sending = house.send()
    await house.until(sending.task.done)
    assert sending.result["status"] == "sent"
    await house.receive()
    await house.until(lambda: house.gateway.commands.count("gsm show span 2") == 2)
    await house.pass_time(10)

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
