"""How much of a list is taken."""

from itertools import count

import pytest

from custom_components.openvox_gsm.ami import Packet, ProtocolError
from custom_components.openvox_gsm.ami.pending import PendingAction


@pytest.fixture
async def pending() -> PendingAction:
    """An action whose list has begun."""
    action = PendingAction("Status", timeout=1, deadline=1, is_list=True)
    action.answer(Packet(b"Response: Success\r\nEventList: start"))
    return action


def channel(number: int) -> Packet:
    """Return a channel with as many headers as Asterisk has, all as long as they get."""
    headers = [f"Header{each}: {number:040}" for each in range(24)]
    return Packet("\r\n".join(["Event: CoreShowChannel", *headers]).encode())


async def test_the_list_of_a_busy_gateway(pending: PendingAction) -> None:
    """A thousand channels, twice as many as the largest has, are no problem."""
    for number in range(1000):
        pending.add_event(channel(number))
    pending.add_event(Packet(b"Event: Complete\r\nEventList: Complete"))

    _, events = await pending.result
    assert len(events) == 1000


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(
            b"\r\n".join(b"%x:" % each for each in range(20_000)), id="headers"
        ),
        pytest.param(b"X: " + 200_000 * b"x", id="long"),
        pytest.param(b"Event: X", id="short"),
    ],
)
async def test_a_list_of_anything(pending: PendingAction, event: bytes) -> None:
    """What each header takes counts, too: an empty one takes much more than it has."""
    events = events_taken(pending, Packet(event))

    assert events < 30_000
    assert events * len(event) < 8_500_000
    assert events * event.count(b":") < 100_000


def events_taken(pending: PendingAction, event: Packet) -> int:
    """Return how many of an event a list takes before it's too much."""
    for number in count():
        try:
            pending.add_event(event)
        except ProtocolError:
            return number
    raise AssertionError
