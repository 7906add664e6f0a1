"""An action and its answer, against an exchange of the same bytes without anything.

The other end answers from a thread of its own process that does nothing else, so that
nearly all of the time is this side's. A real gateway takes milliseconds. Both ends run
on one processor: on two, an exchange may take three times as long, depending on where
the system places them, and the ratio would measure that instead of the clients.
"""

import asyncio
import os
import socket
from statistics import median
from time import perf_counter

from custom_components.openvox_gsm.ami import Credentials, Session

from .child import running
from .table import Row, micros, percentile, ratios, spread

_ACTIONS = 2_000
_ROUNDS = 5
_HOST = "127.0.0.1"
_REQUEST = b"Action: Ping\r\nActionID: %012d-%d\r\n\r\n"


async def _session(port: int) -> list[float]:
    session = await Session.connect(_HOST, port, Credentials("bench", "bench"))
    times = []
    for _ in range(_ACTIONS):
        begun = perf_counter()
        await session.action("Ping")
        times.append(perf_counter() - begun)
    session.abort()
    return times


def _blocking_socket(port: int) -> list[float]:
    times = []
    with socket.create_connection((_HOST, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.recv(1024)  # the greeting
        for number in range(_ACTIONS):
            begun = perf_counter()
            connection.sendall(_REQUEST % (number, number))
            connection.recv(1024)
            times.append(perf_counter() - begun)
    return times


class _Exchange(asyncio.Protocol):
    """The least that asyncio can do: bytes out, a future when bytes come in."""

    def __init__(self) -> None:
        self.came: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Wake the task that waits."""
        self.came.set_result(None)


async def _bare_asyncio(port: int) -> list[float]:
    loop = asyncio.get_running_loop()
    transport, exchange = await loop.create_connection(_Exchange, _HOST, port)
    await exchange.came  # the greeting
    times = []
    for number in range(_ACTIONS):
        begun = perf_counter()
        exchange.came = loop.create_future()
        transport.write(_REQUEST % (number, number))
        await exchange.came
        times.append(perf_counter() - begun)
    transport.close()
    return times


async def _measure() -> list[Row]:
    async with running("source") as source:
        port = (await source.ask("port"))["port"]
        rounds = [
            (await _session(port), _blocking_socket(port), await _bare_asyncio(port))
            for _ in range(_ROUNDS)
        ]
    rows = []
    for name, figure in (
        ("median", median),
        ("99th percentile", lambda times: percentile(times, 99)),
    ):
        ours, *peers = (
            [figure(times) for times in each] for each in zip(*rounds, strict=True)
        )
        for peer, theirs in zip(
            ("blocking socket", "bare asyncio"), peers, strict=True
        ):
            factors = ratios(ours, theirs)
            rows.append(
                Row(
                    f"an action's round trip, {name}",
                    micros(median(ours)),
                    f"{peer}: {micros(median(theirs))}",
                    spread(factors),
                    "at most 1.5 ×",
                    median(factors) <= 1.5,
                )
            )
    return rows


def run() -> list[Row]:
    """Measure all of it."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return asyncio.run(_measure())
