"""A span, or one gateway of two, is not what it was."""

from .house import LOST, House

from tests.common import settle
from tests.limits.test_sims import limit


def _status(house: House, span: int, status: str) -> bool:
    return house.hass.states.is_state(f"sensor.gsm_{span}_status", status)


async def _goes_on(house: House) -> None:
    """The other spans send and receive."""
    sendings = [house.send() for _ in range(8)]
    await house.receive()
    await house.until(lambda: all(each.task.done() for each in sendings))
    assert {each.result["status"] for each in sendings} == {"sent"}
    assert 2 not in {sms.span for sms in house.gateway.sent}


async def test_span_vanishes(house: House) -> None:
    """Its entities are unavailable until it is back; the others go on."""
    await house.set_up()
    span = house.gateway.spans[2]
    house.gateway.remove_span(2)
    await house.notices(lambda: house.unavailable)
    assert all("gsm_2" in each for each in house.unavailable)
    await _goes_on(house)
    failed = house.send(2)
    await house.until(failed.task.done)
    assert failed.result["status"] == "failed"

    house.gateway.spans[2] = span
    await house.recovers()

    await house.prove_normal()


async def test_sim_is_pulled(house: House) -> None:
    """The span says so, and gets nothing to send."""
    await house.set_up()
    house.gateway.spans[2].remove_sim()
    # Even before the next poll: a span is looked at right before it gets work.
    failed = house.send(2)
    await house.until(failed.task.done)
    assert failed.result["status"] == "failed"
    await house.notices(lambda: _status(house, 2, "no_sim"))
    await _goes_on(house)

    house.gateway.spans[2].insert_sim()
    await house.recovers(lambda: _status(house, 2, "ready"))

    await house.prove_normal()


async def test_pin_is_asked_for(house: House) -> None:
    """A repair says so; the PIN that the gateway shows is nowhere to be seen."""
    await house.set_up()
    house.gateway.spans[2].status = "Pin (73914862) Error"
    await house.notices(lambda: _status(house, 2, "pin_error"))
    assert house.issues == {"sim_pin"}
    assert not any("73914862" in each.state for each in house.hass.states.async_all())
    assert "73914862" not in house.said
    failed = house.send(2)
    await house.until(failed.task.done)
    assert failed.result["status"] == "failed"
    await _goes_on(house)

    house.gateway.spans[2].status = "Up"
    await house.recovers(lambda: _status(house, 2, "ready"))

    assert not house.issues
    await house.prove_normal()


async def test_sim_reaches_its_limit(house: House) -> None:
    """It sends no more, even in another span."""
    await house.set_up()
    await limit(house.hass, house.entry, 2, day=1)
    sending = house.send(2)
    await house.until(sending.task.done)
    assert sending.result["status"] == "sent"
    sendings = [house.send() for _ in range(8)]
    await house.until(lambda: all(each.task.done() for each in sendings))
    assert {each.result["span"] for each in sendings} == {1, 3, 4}
    failed = house.send(2)
    await house.until(failed.task.done)
    assert "has reached its maximum SMS per day;" in failed.result["error"]

    spans = house.gateway.spans
    spans[2].imsi, spans[3].imsi = spans[3].imsi, spans[2].imsi
    left = "sensor.gsm_3_sms_left_24_hours"
    await house.recovers(lambda: house.hass.states.is_state(left, "0"))
    failed = house.send(3)
    await house.until(failed.task.done)
    assert failed.result["status"] == "failed"

    await house.prove_normal()


async def test_hardly_any_signal(house: House) -> None:
    """The others send, as long as they can."""
    await house.set_up()
    house.gateway.spans[2].signal = 3
    signal = "sensor.gsm_2_signal_strength"
    await house.notices(lambda: house.hass.states.is_state(signal, "-107"))
    await _goes_on(house)
    for number in (1, 3, 4):
        house.gateway.spans[number].status = "No Signal"
    sending = house.send()
    await house.until(sending.task.done)
    assert house.gateway.sent[-1].span == 2

    for span in house.gateway.spans.values():
        span.status, span.signal = "Up", 20
    await house.recovers(lambda: house.hass.states.is_state(signal, "-73"))

    await house.prove_normal()


async def test_one_of_two_gateways_is_dead(house: House) -> None:
    """The other one goes on, and sends for both."""
    house.log = [*LOST]
    await house.set_up()
    await house.set_up_other()
    house.gateway.faults.freeze()
    await house.notices()
    sendings = [house.send() for _ in range(4)]
    await house.receive(house.other)
    await house.until(lambda: all(each.task.done() for each in sendings))
    assert {each.result["status"] for each in sendings} == {"sent"}
    assert len(house.other.sent) == 4
    await house.stay_away()
    assert house.hass.states.is_state("binary_sensor.other_connectivity", "on")

    house.gateway.faults.thaw()
    await house.recovers()

    await settle(house.hass)
    await house.prove_normal()
