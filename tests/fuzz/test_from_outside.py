"""Hostile senders and false gateways: nothing is lost, forged or given away."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
import hashlib
import re
from typing import cast

from hypothesis import example, given, strategies as st
import pytest

from custom_components.openvox_gsm.ami import AmiError, Packet
from custom_components.openvox_gsm.connecting.attempt import try_gateway
from custom_components.openvox_gsm.const import CONF_CHALLENGE
from custom_components.openvox_gsm.gateway import (
    Gateway,
    Span,
    SpanStatus,
    StatusReport,
)
from custom_components.openvox_gsm.gateway.power import Power
from custom_components.openvox_gsm.gateway.receiving.received_part import ReceivedPart
from custom_components.openvox_gsm.gateway.sending.reports import DeliveryReports
from custom_components.openvox_gsm.gateway.spans import STUCK_AFTER, SpanLock, Spans
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from simulator import Box, Dialect, Simulator

from . import hostile
from .test_outwards import kinds_of_gateway, running

# Several SMS in one read

# NULs and byte order marks are no text, and half a surrogate pair is none either.
_texts = hostile.texts.map(
    lambda text: (
        re.sub("[\0\ufeff]", "", text)
        .encode("utf-16-be", "replace")
        .decode("utf-16-be")
    )
)


@contextmanager
def receiving(
    dialect: Dialect, box: Box
) -> Iterator[tuple[asyncio.Runner, Simulator, list[ReceivedPart]]]:
    """Run a gateway with a client that keeps what comes in."""
    parts: list[ReceivedPart] = []
    with running(dialect, box) as (runner, simulator):
        simulator.dialplan.sms_received = True

        async def connect() -> Gateway:
            client = Gateway(
                simulator.host,
                simulator.port,
                "admin",
                "admin",
                on_part=parts.append,
                on_connection=lambda _error: pytest.fail("the connection was lost"),
            )
            await client.start()
            return client

        client = runner.run(connect())
        try:
            yield runner, simulator, parts
        finally:
            runner.run(client.stop())


@kinds_of_gateway
def test_sms_in_one_read(dialect: Dialect, box: Box) -> None:
    """Each part of each SMS comes in once, with its own sender and text."""
    with receiving(dialect, box) as (runner, simulator, parts):

        @hostile.part_of_the_examples(4)
        @given(st.lists(_texts, min_size=1, max_size=4))
        def check(texts: list[str]) -> None:
            parts.clear()
            sent = {f"+4917{place}": text for place, text in enumerate(texts)}

            async def receive() -> int:
                count = await simulator.receive_in_one_read(1, list(sent.items()))
                async with asyncio.timeout(10):
                    while len(parts) < count:
                        await asyncio.sleep(0.001)
                return count

            assert runner.run(receive()) == len(parts)
            found = dict.fromkeys(sent, "")
            for part in parts:
                found[part.sender] += part.text
            assert found == sent

        check()


# A stranger at the gateway's address

_SECRET = "x-secret-x"
_challenges = st.text("0123456789", max_size=25) | hostile.texts
_answers = st.one_of(
    _challenges.map(lambda text: f"Response: Success\r\nChallenge: {text}"),
    st.sampled_from(
        [
            "Response: Error\r\nMessage: Permission denied",
            "Response: Error\r\nMessage: Invalid/unknown command",
            "Response: Error\r\nMessage: Must specify AuthType",
            "Response: Success\r\nMessage: Authentication accepted",
            "Response: Follows\r\n--END COMMAND--",
            "Response: Goodbye",
        ]
    ),
    hostile.texts,
)


_PATIENCE = 0.05  # seconds that the stranger waits for another packet


def _reply(answer: str, packet: bytes) -> bytes:
    """Answer a packet, with its ActionID if it's given."""
    ids = [line for line in packet.split(b"\r\n") if line.startswith(b"ActionID")]
    return b"\r\n".join([answer.encode("utf-8", "replace"), *ids, b"", b""])


@given(st.lists(_answers, max_size=4), st.booleans())
@example(["Response: Success\r\nChallenge: "], True)
@example(["Response: Error\r\nMessage: Permission denied"], True)
@hostile.part_of_the_examples(2)
def test_a_stranger_gets_no_password(answers: list[str], knows_the_id: bool) -> None:
    """Neither as it is, nor in a form that can be looked up, whatever it answers."""
    received = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/1.1\r\n")
        with suppress(TimeoutError):
            for answer in [*answers, None]:
                async with asyncio.timeout(_PATIENCE):
                    packet = await reader.read(4096)
                received.extend(packet)
                if answer is not None:
                    writer.write(_reply(answer, packet if knows_the_id else b""))
        writer.close()

    async def log_in() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server, asyncio.timeout(30):
            data = {
                CONF_HOST: "127.0.0.1",
                CONF_PORT: server.sockets[0].getsockname()[1],
                CONF_USERNAME: "admin",
                CONF_PASSWORD: _SECRET,
                CONF_CHALLENGE: True,
            }
            with suppress(AmiError):
                await try_gateway(data)
            server.close_clients()

    asyncio.run(log_in())
    assert _SECRET.encode() not in received
    digest = hashlib.md5(_SECRET.encode(), usedforsecurity=False).hexdigest()
    assert digest.encode() not in received


# Delivery reports

_IMSI, _PHONE = "262011234567890", "+4915112345678"
_report_headers = st.tuples(
    st.sampled_from(["Channel", "Sender", "IMSI", "Status", "Cause", "Event"]),
    st.sampled_from(["1", "2", _PHONE, "15112345678", "SUCCESS", "FAILED", "70", ""])
    | hostile.texts,
).map(lambda header: f"{header[0]}: {header[1]}")


@given(st.lists(st.lists(_report_headers, max_size=6), max_size=6))
@example([["Channel: 1", f"Sender: {_PHONE}", "Status: SUCCESS"]])
def test_delivery_reports_that_are_forged(events: list[list[str]]) -> None:
    """Who does not know the SIM's IMSI has no say in what was delivered."""

    async def receive() -> list[StatusReport]:
        found: list[StatusReport] = []
        spans = {
            number: Span(number, lines={"SIM IMSI": _IMSI}) for number in range(1, 5)
        }
        reports = DeliveryReports(cast(Spans, spans), found.append)
        reports.expect(1, _PHONE, "Hello", 1).handed_over = 1
        for headers in events:
            lines = ["Event: SMSStatusReport", *headers, "", ""]
            reports.receive(Packet("\r\n".join(lines).encode("utf-8", "replace")))
        return found

    assert asyncio.run(receive()) == []


# A module that was switched off

_looks = st.builds(
    Span,
    st.just(1),
    status=st.sampled_from(SpanStatus),
    csq=st.none() | st.integers(0, 31),
    imsi=st.sampled_from(["", "262011234567890", "262019876543210"]),
    lines=st.just({"State": "READY"}),
)


@given(_looks, st.integers(1, 5))
def test_a_module_stays_off(look: Span, count: int) -> None:
    """Until something changes, whatever the driver goes on to say."""
    power = Power({}, lambda _off: None)
    power.switched_off(1, now=0.0)
    for second in range(count):
        assert power.judge(look, float(second)).status is SpanStatus.POWER_OFF


@given(st.lists(_looks, max_size=8))
def test_a_module_that_lives_is_on(looks: list[Span]) -> None:
    """From its first sign of life on it's what the driver says, until it's turned off."""
    power = Power({}, lambda _off: None)
    power.switched_off(1, now=0.0)
    lives = False
    for second, look in enumerate(looks):
        judged = power.judge(look, float(second))
        if lives:
            assert judged is look
        lives = lives or judged is look


# A module that never answers

_states = st.sampled_from(["SMS SENDING", "sms sent", "READY", "USSD SENDING", ""])
_work = st.tuples(st.floats(0, 2 * STUCK_AFTER), st.sampled_from(SpanStatus), _states)


@given(st.lists(_work, max_size=12))
@example([(0, SpanStatus.BUSY, "SMS SENT"), (400, SpanStatus.BUSY, "SMS SENT")])
def test_a_span_is_stuck(looks: list[tuple[float, SpanStatus, str]]) -> None:
    """Only if each look has shown it sending the same SMS, and for long enough."""
    lock, now = SpanLock(1), 0.0
    seen: list[tuple[float, bool, str]] = []
    for pause, status, state in looks:
        now += pause
        is_busy = status is SpanStatus.BUSY
        seen.append((now, is_busy, state))
        if lock.is_stuck(Span(1, status=status, state_text=state), now):
            since = min(
                at
                for place, (at, *_) in enumerate(seen)
                if all(each[1:] == (True, state) for each in seen[place:])
            )
            assert now - since > STUCK_AFTER
            assert state.upper().startswith("SMS ")
