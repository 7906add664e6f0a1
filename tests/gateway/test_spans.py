"""The spans of a gateway: how they are read, and which one is chosen."""

import pytest

from custom_components.openvox_gsm.ami import ActionTimeoutError, CannotConnectError
from custom_components.openvox_gsm.gateway import (
    Gateway,
    NetworkStatus,
    SendFailure,
    SpanStatus,
    UssdFailure,
    spans as spans_module,
)
from simulator import Box, Simulator

from .conftest import Heard, kinds_of_gateway, until
from .outcomes import NUMBER, failed, later_firmware, outcome, sends, ussd_failure


@kinds_of_gateway()
async def test_spans_are_read_with_as_few_commands_as_the_firmware_allows(
    gateway: Simulator, client: Gateway
) -> None:
    """One for all only where its answer proves to be whole."""
    one_each = [f"gsm show span {number}" for number in (1, 2, 3, 4)]
    first = gateway.commands[gateway.commands.index("gsm show span all") :]
    gateway.commands.clear()
    gateway.spans[3].signal = 31
    spans = await client.spans.read()
    if gateway.box is Box.TODAY:
        assert first == gateway.commands == ["gsm show span all"]
    else:
        assert first == ["gsm show span all", "gsm show spans", *one_each]
        assert gateway.commands == ["gsm show spans", *one_each]
    assert dict(client.spans) == spans
    assert list(spans) == [1, 2, 3, 4]
    assert spans[3].signal_dbm == -51
    assert spans[3].status is SpanStatus.READY
    assert spans[3].network_status is NetworkStatus.HOME
    assert spans[3].operator == "CHINA MOBILE"


@kinds_of_gateway()
async def test_a_span_that_has_not_changed_is_the_same_object(
    gateway: Simulator, client: Gateway
) -> None:
    """So an entity that shows it has nothing to do."""
    before = await client.spans.read()
    again = await client.spans.read()
    assert again == before
    assert all(again[number] is before[number] for number in before)

    gateway.spans[3].signal = 31
    after = await client.spans.read()
    assert after != before
    assert [number for number in before if after[number] is not before[number]] == [3]
    assert before[3].csq != 31  # what was read earlier stays as it was


async def test_a_look_before_sending_keeps_an_unchanged_span(
    gateway: Simulator, client: Gateway
) -> None:
    """It is read once more then, and is still the same object."""
    before = await client.spans.read()
    gateway.commands.clear()
    await client.sms.send(NUMBER, "Hi", span=2)
    assert "gsm show span 2" in gateway.commands
    assert client.spans[2] is before[2]


@kinds_of_gateway()
async def test_spans_come_and_go(gateway: Simulator, client: Gateway) -> None:
    """A board was taken out, another one put in."""
    gateway.remove_span(2)
    gateway.add_span(7)
    assert list(await client.spans.read()) == [1, 3, 4, 7]
    for number in list(gateway.spans):
        gateway.remove_span(number)
    assert await client.spans.read() == {}


async def test_a_span_that_cannot_be_shown_is_known_by_the_list(
    gateway: Simulator, client: Gateway
) -> None:
    """As much as that tells."""
    gateway.spans[2].dchannel_running = False
    span = (await client.spans.read())[2]
    assert span.status_text == "Power on, Provisioned, Up, Active, Standard"
    assert span.operator == ""


async def test_a_span_that_hangs_does_not_take_the_others_along(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """It is unknown, and left alone; the connection stands."""
    gateway.spans[2].hung = True
    gateway.commands.clear()
    for _ in range(3):
        spans = await client.spans.read()
        assert [span.status for span in spans.values()] == [
            SpanStatus.READY,
            SpanStatus.UNKNOWN,
            SpanStatus.READY,
            SpanStatus.READY,
        ]
    assert gateway.commands.count("gsm show span 2") == 1
    assert client.is_connected
    assert heard.changes == []

    result = await client.sms.send(NUMBER, "Hi", span=2)
    assert outcome(result) == failed(SendFailure.SPAN_NOT_READY, 2)
    assert await ussd_failure(client, 2) is UssdFailure.SPAN_NOT_READY
    assert sends(gateway) == []

    await gateway.restart()
    await until(lambda: client.is_connected and None in heard.changes)
    assert (await client.spans.read())[2].status is SpanStatus.READY


async def test_a_span_that_hangs_is_asked_again_after_a_while(
    gateway: Simulator, client: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been reset meanwhile."""
    monkeypatch.setattr(spans_module, "_IGNORE_TIME", 0.0)
    gateway.spans[2].hung = True
    assert (await client.spans.read())[2].status is SpanStatus.UNKNOWN
    gateway.spans[2].hung = False
    assert (await client.spans.read())[2].status is SpanStatus.READY


@later_firmware
async def test_a_span_that_hangs_up_all_is_found(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """The spans are read one by one from then on."""
    gateway.spans[2].hung = True
    gateway.faults.silent_commands.add("gsm show span all")
    spans = await client.spans.read()
    assert spans[1].status is SpanStatus.READY
    assert spans[2].status is SpanStatus.UNKNOWN
    gateway.commands.clear()
    await client.spans.read()
    assert "gsm show span all" not in gateway.commands
    assert heard.changes == []


async def test_reading_fails_where_the_gateway_does_not_answer(
    gateway: Simulator, client: Gateway, heard: Heard
) -> None:
    """And works again afterwards."""
    gateway.faults.freeze()
    with pytest.raises(ActionTimeoutError):
        await client.spans.read()
    with pytest.raises(CannotConnectError):
        await client.read_core_status()
    gateway.faults.thaw()
    await until(lambda: client.is_connected and None in heard.changes)
    assert len(await client.spans.read()) == 4


async def test_calls_are_counted(gateway: Simulator, client: Gateway) -> None:
    """All of the gateway."""
    assert (await client.read_core_status()).active_calls == 0
    await gateway.incoming_call(1, "10086")
    await gateway.incoming_call(2, "10086")
    assert (await client.read_core_status()).active_calls == 2
