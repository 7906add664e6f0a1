"""What the observer passes on, and what may be the text of an SMS."""

from itertools import count

import pytest

from custom_components.openvox_gsm.gateway import Gateway
from custom_components.openvox_gsm.gateway.observing import observer
from simulator import Simulator

from tests.gateway.conftest import until

SMS = (
    b"Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: EXTRA-SMS/1-1\r\n"
    b"Variable: SMSSRC\r\nValue: +491\r\nUniqueid: 7.7\r\n\r\n"
)
NEWS = b"Event: SimMoved\r\nPrivilege: system,all\r\nChannel: 1\r\n\r\n"


async def test_for_a_moment_an_event_may_be_the_text_of_an_sms(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name isn't shown then: it may be what a person has written."""
    now = 1000.0
    monkeypatch.setattr(observer, "monotonic", lambda: now)
    seen = client.observer.seen
    gateway.emit(NEWS)
    await until(lambda: seen.counts)
    assert seen.counts == {"unknown event SimMoved": 1}

    gateway.emit(SMS + NEWS)
    await until(lambda: "unknown event" in seen.counts)
    now += 1.9
    gateway.emit(NEWS)
    await until(lambda: seen.counts["unknown event"] == 2)
    now += 0.1
    gateway.emit(NEWS)
    await until(lambda: seen.counts["unknown event SimMoved"] == 2)
    assert seen.counts == {
        "VarSet SMSSRC": 1,
        "unknown event": 2,
        "unknown event SimMoved": 2,
    }


async def test_the_rest_of_a_cut_packet_may_be_the_text_of_an_sms(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much later it comes."""
    seconds = count(1000, 10)
    monkeypatch.setattr(observer, "monotonic", lambda: next(seconds))
    seen = client.observer.seen
    cut = SMS.replace(b"SMSSRC", b"SMSTXT").replace(b"\r\nUniqueid: 7.7", b"")
    rest = NEWS.replace(b"Channel: 1", b"Channel: EXTRA/1-1")
    gateway.emit(SMS + cut + rest)

    await until(lambda: "unknown event" in seen.counts)
    assert "unknown event SimMoved" not in seen.counts
