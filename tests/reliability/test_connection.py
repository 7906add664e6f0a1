"""The connection breaks, or goes silent, while something is under way."""

from datetime import UTC, datetime

import pytest

from homeassistant.exceptions import HomeAssistantError

from .house import LOST, House

from tests.common import OTHER_PHONE

WHEN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)

ways_to_end = pytest.mark.parametrize("abort", [True, False], ids=["reset", "closed"])


async def receive_parts(house: House, text: str, *parts: int) -> None:
    """Let some parts of a long SMS come in."""
    await house.gateway.receive_sms(
        1, OTHER_PHONE, text, WHEN, reference=7, order=parts
    )
    await house.rest()


async def is_sending(house: House, parts_sent: int = 0) -> None:
    """Wait until a span is sending, after `parts_sent` parts went out."""
    await house.until(
        lambda: (
            house.gateway.spans[1].state == "SMS SENDING"
            and len(house.gateway.sent_parts) == parts_sent
        )
    )


async def poll_begins(house: House) -> None:
    """Wait until the gateway, which is silent, is asked for its spans."""
    written = sum(
        transport.get_write_buffer_size()  # type: ignore[attr-defined]
        for transport in house.sockets.opened
    )
    assert written == 0
    coordinator = house.entry.runtime_data.coordinator
    refresh = house.hass.async_create_task(coordinator.async_refresh())
    await house.rest()
    assert not refresh.done()


# It breaks


@ways_to_end
async def test_breaks_while_idle(house: House, abort: bool) -> None:
    """It is there again after a second."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.drop_sessions(abort)
    await house.notices()

    await house.recovers()

    await house.prove_normal()


@ways_to_end
async def test_breaks_during_a_poll(house: House, abort: bool) -> None:
    """The poll fails at once; the next one follows with the connection."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.freeze()
    await poll_begins(house)
    house.gateway.faults.drop_sessions(abort)
    house.gateway.faults.thaw()
    await house.notices()

    await house.recovers()

    await house.prove_normal()


@ways_to_end
async def test_breaks_during_a_send(house: House, abort: bool) -> None:
    """Whether it went out is unknown; the result says so, and nothing is repeated."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.spans[1].send_duration = 3
    sending = house.send(1)
    await is_sending(house)
    house.gateway.faults.drop_sessions(abort)
    await house.notices()

    await house.recovers()

    await house.until(sending.task.done)
    assert sending.result["status"] == "unknown"
    await house.until(lambda: house.gateway.sent)
    house.gateway.spans[1].send_duration = 0
    await house.pass_time(60)
    await house.prove_normal()
    assert len(house.gateway.sent) == 2


@ways_to_end
async def test_breaks_during_ussd(house: House, abort: bool) -> None:
    """The action fails; the code is not sent again."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.spans[1].ussd_duration = 3
    asking = house.hass.async_create_task(house.ask_ussd())
    await house.until(lambda: house.gateway.spans[1].state == "USSD SENDING")
    house.gateway.faults.drop_sessions(abort)
    await house.notices()
    with pytest.raises(HomeAssistantError, match="connection"):
        await asking

    await house.recovers()

    await house.pass_time(60)
    assert sum(each.startswith("gsm send ussd") for each in house.gateway.commands) == 1
    await house.prove_normal()


@ways_to_end
async def test_breaks_between_parts_in(house: House, abort: bool) -> None:
    """The parts that come after it are joined with those from before."""
    house.log = [*LOST]
    await house.set_up()
    text = house.new_text(3)
    await receive_parts(house, text, 1)
    house.gateway.faults.drop_sessions(abort)
    await house.notices()

    await house.recovers()

    await receive_parts(house, text, 2, 3)
    house.delivered.append(text)
    assert house.texts == [text]
    assert house.received[0].data["complete"]
    await house.prove_normal()


@ways_to_end
async def test_breaks_between_parts_out(house: House, abort: bool) -> None:
    """No further part is sent; the action tells how many are out for certain."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.spans[1].send_duration = 3
    sending = house.send(1, parts=3)
    await is_sending(house, parts_sent=1)
    house.gateway.faults.drop_sessions(abort)
    await house.notices()

    await house.recovers()

    await house.until(sending.task.done)
    assert sending.result["status"] == "unknown"
    assert "1 of 3" in sending.result["error"]
    house.gateway.spans[1].send_duration = 0
    await house.pass_time(60)
    assert len(house.gateway.sent_parts) == 2
    await house.prove_normal()


async def test_sms_while_away(house: House) -> None:
    """What comes in while nobody is logged in is lost: the gateway does not repeat it."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.drop_sessions()
    await house.notices()
    await house.gateway.receive_sms(1, OTHER_PHONE, "Lost")

    await house.recovers()

    await house.pass_time(60)
    assert house.texts == []
    await house.prove_normal()


async def test_part_while_away(house: House) -> None:
    """The parts that did come in are published after five minutes, as incomplete."""
    house.log = [*LOST, "Span 1: only 2 of 3 parts of a long SMS arrived"]
    await house.set_up()
    text = house.new_text(3)
    await receive_parts(house, text, 1)
    house.gateway.faults.drop_sessions()
    await house.until(lambda: not house.is_connected)
    await receive_parts(house, text, 2)
    await house.until(lambda: house.is_normal)
    await receive_parts(house, text, 3)

    await house.recovers(lambda: house.received)

    assert house.received[0].data["complete"] is False
    assert text.startswith(house.texts[0][:100])
    assert text.endswith(house.texts[0][-60:])
    house.delivered.append(house.texts[0])
    await house.prove_normal()


# It goes silent: neither an end nor an answer (half-open)


async def test_silent_while_idle(house: House) -> None:
    """A ping finds out."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.freeze()
    await house.notices()
    await house.stay_away()

    house.gateway.faults.thaw()
    await house.recovers()

    await house.prove_normal()


async def test_silent_during_a_poll(house: House) -> None:
    """The poll's time is up first."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.freeze()
    await poll_begins(house)
    await house.notices()
    await house.stay_away()

    house.gateway.faults.thaw()
    await house.recovers()

    await house.prove_normal()


async def test_silent_during_a_send(house: House) -> None:
    """Whether it went out is unknown; the result says so, and nothing is repeated."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.spans[1].send_duration = 3
    sending = house.send(1)
    await is_sending(house)
    house.gateway.faults.freeze()
    await house.notices()
    await house.until(sending.task.done)
    assert sending.result["status"] == "unknown"
    house.gateway.spans[1].send_duration = 0
    await house.stay_away()

    house.gateway.faults.thaw()
    await house.recovers()

    await house.prove_normal()
    assert len(house.gateway.sent) == 2


async def test_silent_during_ussd(house: House) -> None:
    """The action fails; the code is not sent again."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.spans[1].ussd_duration = 3
    asking = house.hass.async_create_task(house.ask_ussd())
    await house.until(lambda: house.gateway.spans[1].state == "USSD SENDING")
    house.gateway.faults.freeze()
    await house.notices()
    await house.until(asking.done)
    with pytest.raises(HomeAssistantError):
        await asking
    await house.stay_away()

    house.gateway.faults.thaw()
    await house.recovers()

    assert sum(each.startswith("gsm send ussd") for each in house.gateway.commands) == 1
    await house.prove_normal()


async def test_silent_between_parts_in(house: House) -> None:
    """The parts that come after it are joined with those from before."""
    house.log = [*LOST]
    await house.set_up()
    text = house.new_text(3)
    await receive_parts(house, text, 1)
    house.gateway.faults.freeze()
    await house.notices()
    await house.pass_time(60)

    house.gateway.faults.thaw()
    await house.recovers()

    await receive_parts(house, text, 2, 3)
    house.delivered.append(text)
    assert house.texts == [text]
    assert house.received[0].data["complete"]
    await house.prove_normal()


async def test_silent_between_parts_out(house: House) -> None:
    """No further part is sent; the action tells how many are out for certain."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.spans[1].send_duration = 3
    sending = house.send(1, parts=3)
    await is_sending(house, parts_sent=1)
    house.gateway.faults.freeze()
    await house.notices()
    await house.until(sending.task.done)
    assert sending.result["status"] == "unknown"
    assert "1 of 3" in sending.result["error"]
    house.gateway.spans[1].send_duration = 0
    await house.stay_away()

    house.gateway.faults.thaw()
    await house.recovers()

    assert len(house.gateway.sent_parts) == 2
    await house.prove_normal()


# It restarts


async def test_gateway_restarts(house: House) -> None:
    """It is away for minutes, and has forgotten everything."""
    house.log = [*LOST]
    await house.set_up()
    await house.gateway.stop()
    await house.notices()
    await house.stay_away()

    await house.gateway.start()
    await house.recovers()

    await house.prove_normal()
