"""A flood of events: what each costs a client that waits for SMS, or wants them all.

All clients read the same bytes from the same process. The time is that of the
processor, from the first byte to the last SMS (or the last event); what the kernel
does for this process is in it.
"""

import asyncio
from collections.abc import Awaitable, Callable
import gc
from statistics import median
from time import process_time
from typing import Any

from panoramisk import Manager  # type: ignore[import-not-found]

from custom_components.openvox_gsm.ami import Credentials, Packet, Session
from custom_components.openvox_gsm.gateway import Gateway, ReceivedPart

from .child import Child, running
from .table import Row, micros, ratios, spread

_EVENTS = 200_000
# One SMS is eleven packets.
_SMS_FOR_EVENTS = 100  # foreign events for each SMS
_SMS_FOR_PACKETS = 1_100  # so that one packet in a hundred is an SMS's
_ROUNDS = 5
_LONGEST = 120.0  # seconds

type _Client = Callable[[Child, int, int], Awaitable[float]]


async def _flood(source: Child, done: asyncio.Future[float]) -> float:
    """Let everything come; return the seconds of the processor that it took."""
    gc.collect()
    begun = process_time()
    source.tell("go")
    async with asyncio.timeout(_LONGEST):
        ended = await done
    await source.answer()
    return ended - begun


def _countdown(count: int) -> tuple[Callable[[], None], asyncio.Future[float]]:
    """Give a function that takes the time when it is called for the `count`th time."""
    done = asyncio.get_running_loop().create_future()
    left = count

    def one() -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set_result(process_time())

    return one, done


async def _port(source: Child) -> int:
    return int((await source.ask("port"))["port"])


# Who only waits for SMS


async def _reader(source: Child, packets: int, _messages: int) -> float:
    """Cut the stream into packets, and look at none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", await _port(source))
    await reader.readuntil(b"\r\n")
    writer.write(b"Action: Login\r\nEvents: on\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")

    async def read() -> float:
        for _ in range(packets):
            await reader.readuntil(b"\r\n\r\n")
        return process_time()

    reading = asyncio.ensure_future(read())
    try:
        return await _flood(source, reading)
    finally:
        writer.close()


async def _gateway(source: Child, _packets: int, messages: int) -> float:
    """Decide what is an SMS, read it and hand it on, as the integration does."""
    one, done = _countdown(messages)

    def received(sms: ReceivedPart) -> None:
        assert sms.text.startswith("Alarm ")
        one()

    gateway = Gateway(
        *("127.0.0.1", await _port(source), "bench", "bench"),
        on_part=received,
        on_connection=lambda _error: None,
    )
    await gateway.start()
    try:
        return await _flood(source, done)
    finally:
        await gateway.stop()


async def _panoramisk(source: Child, _packets: int, messages: int) -> float:
    """Take the text of each SMS; nothing is decoded, joined or checked."""
    one, done = _countdown(messages)

    def received(_manager: Manager, event: Any) -> None:
        if event["Channel"].startswith("EXTRA-SMS/") and event["Variable"] == "SMSTXT":
            assert event["Value"].startswith("Alarm ")
            one()

    return await _flood_panoramisk(source, "VarSet", received, done)


# Who wants every event


async def _every_event(source: Child, packets: int, _messages: int) -> float:
    one, done = _countdown(packets)

    def received(packet: Packet) -> None:
        assert packet.get("Privilege")
        one()

    session = await Session.connect(
        *("127.0.0.1", await _port(source), Credentials("bench", "bench")),
        events="on",
        subscribe=lambda session: session.subscribe(lambda _raw: True, received),
    )
    try:
        return await _flood(source, done)
    finally:
        session.abort()


async def _every_event_panoramisk(source: Child, packets: int, _messages: int) -> float:
    one, done = _countdown(packets)

    def received(_manager: Manager, event: Any) -> None:
        assert event["Privilege"]
        one()

    return await _flood_panoramisk(source, "*", received, done)


async def _flood_panoramisk(
    source: Child,
    pattern: str,
    received: Callable[[Manager, Any], None],
    done: asyncio.Future[float],
) -> float:
    logged_in = asyncio.Event()
    manager = Manager(
        host="127.0.0.1",
        port=await _port(source),
        events="on",
        username="bench",
        secret="bench",
        encoding="utf8",
        loop=asyncio.get_running_loop(),
        on_login=lambda _manager: logged_in.set(),
        on_disconnect=lambda *_: None,
    )
    manager.register_event(pattern, received)
    manager.connect()
    await logged_in.wait()
    try:
        return await _flood(source, done)
    finally:
        manager.close()


# The rows


async def _compare(
    source: Child, messages: int, clients: list[_Client]
) -> list[list[float]]:
    """Let the clients read the same stream in turn; seconds for each packet of each."""
    packets = (await source.ask("stream", events=_EVENTS, messages=messages))["packets"]
    rounds = [
        [await client(source, packets, messages) / packets for client in clients]
        for _ in range(_ROUNDS)
    ]
    return [list(figures) for figures in zip(*rounds, strict=True)]


def _row(
    what: str,
    ours: list[float],
    peer: tuple[str, list[float]],
    wanted: str,
    is_met: Callable[[float], bool],
) -> Row:
    """Compare what is spent; a factor above one says how much more we spend."""
    name, theirs = peer
    factors = ratios(ours, theirs)
    ratio = median(factors)
    return Row(
        what=what,
        measured=f"{micros(median(ours))} a packet",
        peer=f"{name}: {micros(median(theirs))}",
        ratio=spread(factors)
        if ratio > 1
        else f"{spread([1 / factor for factor in factors])} faster",
        wanted=wanted,
        met=is_met(ratio),
    )


async def _measure() -> list[Row]:
    rows = []
    async with running("source") as source:
        for messages, share in (
            (_EVENTS // _SMS_FOR_EVENTS, "an SMS after every 100"),
            (_EVENTS // _SMS_FOR_PACKETS, "1 % of the packets of SMS"),
        ):
            ours, reader, panoramisk = await _compare(
                source, messages, [_gateway, _reader, _panoramisk]
            )
            what = f"200,000 foreign events, {share}; until the last SMS is out"
            rows.append(
                _row(what, ours, ("StreamReader.readuntil", reader),
                     "at most 1.5 ×", lambda ratio: ratio <= 1.5)
            )  # fmt: skip
            rows.append(
                _row(what, ours, ("panoramisk", panoramisk),
                     "at least 8 × faster", lambda ratio: ratio <= 1 / 8)
            )  # fmt: skip
        ours, panoramisk = await _compare(
            source, 0, [_every_event, _every_event_panoramisk]
        )
        rows.append(
            _row("200,000 events, each parsed and delivered", ours,
                 ("panoramisk", panoramisk),
                 "at least 3 × faster", lambda ratio: ratio <= 1 / 3)
        )  # fmt: skip
    return rows


def run() -> list[Row]:
    """Measure all of it."""
    return asyncio.run(_measure())
