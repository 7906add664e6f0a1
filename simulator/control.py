"""Steering a simulator that runs as a process.

JSON lines over TCP, on loopback only: one request, ``{"do": "signal", "span": 2, "value": 9}``,
one answer, ``{"ok": true, …}`` or ``{"error": "a sentence"}``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from enum import Enum
import json
import socket
from typing import Any

from .listener import Listener, open_streams
from .model.asterisk import Client
from .model.gateway import MAX_SPANS
from .model.outcomes import SmsOutcome, UssdMenu, UssdOutcome
from .model.span import SimSpan
from .server import Simulator

DEFAULT_PORT = 5040
LOOPBACK = "127.0.0.1"
MAX_REQUEST = 65536
"""Longest request in bytes."""
_NOTICE_TIME = 0.05
"""Seconds after which the end of a connection has been noticed."""
MAX_WAIT = 600.0
"""Longest time to wait for something, in seconds."""

type Request = dict[str, Any]
type _Deed = Callable[[Simulator, Request], Awaitable[Request]]


class ControlError(Exception):
    """A request that cannot be fulfilled; the message is a sentence for people."""


# ---- what can be asked for ---------------------------------------------------------------


def _span(gateway: Simulator, request: Request) -> SimSpan:
    span = (
        gateway.spans.get(request["span"])
        if isinstance(request.get("span"), int)
        else None
    )
    if span is None:
        numbers = ", ".join(map(str, sorted(gateway.spans))) or "none"
        raise ControlError(
            f"There is no span {request.get('span')!r}; there are {numbers}."
        )
    return span


def _text(request: Request, key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str):
        raise ControlError(f"The request needs a text for {key!r}.")
    return value


def _number(request: Request, key: str, least: float, most: float) -> float:
    value = request.get(key)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not least <= value <= most
    ):
        raise ControlError(
            f"The request needs a number from {least:g} to {most:g} for {key!r}."
        )
    return value


async def _sms(gateway: Simulator, request: Request) -> Request:
    span = _span(gateway, request)
    listeners = gateway.listeners()
    parts = await gateway.receive_sms(
        span.number,
        _text(request, "from"),
        _text(request, "text"),
        pdu=request.get("without_pdu") is not True,
    )
    return {"parts": len(parts)} | await _watched(gateway, request, listeners)


async def _sms_in_one_read(gateway: Simulator, request: Request) -> Request:
    """Let several SMS come in that the module hands over in one read."""
    span = _span(gateway, request)
    listeners = gateway.listeners()
    messages = [(_text(each, "from"), _text(each, "text")) for each in request["sms"]]
    parts = await gateway.receive_in_one_read(span.number, messages)
    return {"parts": parts} | await _watched(gateway, request, listeners)


async def _report(gateway: Simulator, request: Request) -> Request:
    """Let the network report what became of an SMS."""
    span = _span(gateway, request)
    if not span.imsi:
        raise ControlError(f"There is no SIM in span {span.number}.")
    listeners = gateway.listeners()
    await gateway.receive_status_report(
        span.number, _text(request, "to"), request.get("delivered") is True
    )
    return await _watched(gateway, request, listeners)


async def _watched(
    gateway: Simulator, request: Request, listeners: set[Client]
) -> Request:
    """Say which clients were sent all of it, where that is wanted.

    What they have not read goes with their connection: ask later whether one stays.
    """
    if request.get("watch") is not True:
        return {}
    await gateway.all_sent(listeners)
    return {"clients": [client.number for client in listeners]}


async def _stay(gateway: Simulator, request: Request) -> Request:
    """Say whether one of some clients is still there, as soon as that can be noticed."""
    await gateway.faults.thawed()
    await asyncio.sleep(_NOTICE_TIME)
    return {"stays": gateway.one_stays(request.get("clients") or ())}


async def _signal(gateway: Simulator, request: Request) -> Request:
    _span(gateway, request).signal = int(_number(request, "value", -1, 99))
    return {}


async def _sim_out(gateway: Simulator, request: Request) -> Request:
    _span(gateway, request).remove_sim()
    return {}


async def _sim_in(gateway: Simulator, request: Request) -> Request:
    _span(gateway, request).insert_sim()
    return {}


async def _remove_span(gateway: Simulator, request: Request) -> Request:
    gateway.remove_span(_span(gateway, request).number)
    return {}


async def _add_span(gateway: Simulator, request: Request) -> Request:
    gateway.add_span(int(_number(request, "span", 1, MAX_SPANS)))
    return {}


async def _operator(gateway: Simulator, request: Request) -> Request:
    _span(gateway, request).operator = _text(request, "name")
    return {}


async def _power(gateway: Simulator, request: Request) -> Request:
    _span(gateway, request).power = request.get("on") is True
    return {}


async def _outcome(gateway: Simulator, request: Request) -> Request:
    _span(gateway, request).sms_outcomes.append(_chosen_outcome(request, SmsOutcome))
    return {}


def _chosen_outcome[Outcome: Enum](request: Request, kind: type[Outcome]) -> Outcome:
    names = [outcome.value for outcome in kind]
    if request.get("outcome") not in names:
        raise ControlError(f"An outcome is one of {', '.join(names)}.")
    return kind(request["outcome"])


async def _ussd(gateway: Simulator, request: Request) -> Request:
    span, text = _span(gateway, request), _text(request, "text")
    replies = request.get("replies")
    span.ussd[_text(request, "code")] = UssdMenu(text, replies) if replies else text
    if request.get("duration") is not None:
        span.ussd_duration = _number(request, "duration", 0, MAX_WAIT)
    return {}


async def _ussd_outcome(gateway: Simulator, request: Request) -> Request:
    _span(gateway, request).ussd_outcomes.append(_chosen_outcome(request, UssdOutcome))
    return {}


async def _call(gateway: Simulator, request: Request) -> Request:
    span = _span(gateway, request)
    listeners = gateway.listeners()
    call = await gateway.incoming_call(span.number, _text(request, "from"))
    if request.get("answer") is True:
        await call.answer()
    if request.get("hangup_after") is not None:
        seconds = _number(request, "hangup_after", 0, MAX_WAIT)

        async def hang_up() -> None:
            await asyncio.sleep(seconds)
            await call.hangup()

        over = gateway.spawn(hang_up())
        if request.get("watch") is True:
            await asyncio.wait([over])
    return {"channel": call.channel.name} | await _watched(gateway, request, listeners)


async def _hangup(gateway: Simulator, request: Request) -> Request:
    span = _span(gateway, request)
    if span.call is None:
        raise ControlError(f"There is no call on span {span.number}.")
    await span.call.hangup()
    return {}


async def _sent(gateway: Simulator, request: Request) -> Request:
    if request.get("wait") is not None:
        count = int(_number(request, "wait", 0, 10**6))
        seconds = _number(request, "timeout", 0, MAX_WAIT)
        try:
            await gateway.wait_sent(count, seconds)
        except TimeoutError:
            raise ControlError(
                f"Only {len(gateway.sent)} of {count} messages went out within {seconds:g} s."
            ) from None
    return {"sent": [asdict(sms) for sms in gateway.sent]}


async def _ledger(gateway: Simulator, request: Request) -> Request:
    """Tell all that ever went out, whole messages and single SMS, to compare it.

    And which USSD codes were received, and what the network answered.
    """
    return {
        "messages": [[sms.number, sms.text] for sms in gateway.sent],
        "parts": [[part.number, part.sequence] for part in gateway.sent_parts],
        "ussd_requests": gateway.ussd_requests,
        "ussd_overlaps": gateway.ussd_overlaps,
        "ussd_answers": gateway.ussd_answers,
        "events": gateway.events_sent,
    }


async def _state(gateway: Simulator, request: Request) -> Request:
    spans = [
        {
            "span": span.number,
            "status": span.status_line,
            "state": span.state,
            "operator": span.operator,
            "signal": span.signal,
            "last_event": span.last_event,
        }
        for _, span in sorted(gateway.spans.items())
    ]
    return {"port": gateway.port, "sessions": gateway.sessions, "spans": spans}


async def _drop(gateway: Simulator, request: Request) -> Request:
    gateway.faults.drop_sessions(abort=request.get("in_order") is not True)
    return {}


async def _noise(gateway: Simulator, request: Request) -> Request:
    await gateway.noise(int(_number(request, "packets", 0, 10**6)), sms_like=True)
    return {}


async def _garbage(gateway: Simulator, request: Request) -> Request:
    repeat = int(_number(request, "repeat", 1, 10**7))
    gateway.faults.garbage(bytes.fromhex(_text(request, "hex")) * repeat)
    return {}


async def _slow(gateway: Simulator, request: Request) -> Request:
    gateway.faults.slow_bytes = request.get("on") is True
    return {}


async def _restart(gateway: Simulator, request: Request) -> Request:
    await gateway.restart(_number(request, "downtime", 0, MAX_WAIT))
    return {}


async def _freeze(gateway: Simulator, request: Request) -> Request:
    gateway.faults.freeze()
    return {}


async def _thaw(gateway: Simulator, request: Request) -> Request:
    gateway.faults.thaw()
    return {}


_DEEDS: dict[str, _Deed] = {
    "sms": _sms,
    "sms-in-one-read": _sms_in_one_read,
    "report": _report,
    "stay": _stay,
    "signal": _signal,
    "sim-out": _sim_out,
    "sim-in": _sim_in,
    "remove-span": _remove_span,
    "add-span": _add_span,
    "operator": _operator,
    "power": _power,
    "outcome": _outcome,
    "ussd": _ussd,
    "ussd-outcome": _ussd_outcome,
    "call": _call,
    "hangup": _hangup,
    "sent": _sent,
    "ledger": _ledger,
    "state": _state,
    "drop": _drop,
    "noise": _noise,
    "garbage": _garbage,
    "slow": _slow,
    "restart": _restart,
    "freeze": _freeze,
    "thaw": _thaw,
}


# ---- the wire ----------------------------------------------------------------------------


class ControlServer:
    """Listens on loopback for requests and does them."""

    def __init__(
        self, gateway: Simulator, port: int = DEFAULT_PORT, *others: Simulator
    ) -> None:
        """Take the gateway to steer; port 0 takes any free one.

        ``others`` are further boards of a stack: a request names one as ``board``, from 1.
        """
        self._boards = (gateway, *others)
        self.port = port
        self._listener: Listener | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen."""
        self._listener = Listener(LOOPBACK, self.port, self._accepted)
        self.port = self._listener.port

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        if self._listener is None:
            return
        self._listener.close()
        self._listener = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accepted(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._serve(connection), eager_start=True)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        with suppress(ConnectionError):
            reader, writer = await open_streams(connection, limit=MAX_REQUEST)
            try:
                while True:
                    try:
                        line = await reader.readline()
                    except ValueError:
                        writer.write(_line({"error": "The request is too long."}))
                        await writer.drain()
                        break
                    if not line:
                        break
                    writer.write(_line(await self._answer(line)))
                    await writer.drain()
            finally:
                writer.close()

    def _board(self, request: Request) -> Simulator:
        number = int(_number({"board": 1} | request, "board", 1, len(self._boards)))
        return self._boards[number - 1]

    async def _answer(self, line: bytes) -> Request:
        try:
            request = json.loads(line)
        except ValueError:
            return {"error": "The request is not JSON."}
        if not isinstance(request, dict):
            return {"error": "The request is not a JSON object."}
        deed = _DEEDS.get(str(request.get("do")))
        if deed is None:
            return {
                "error": f"The request does not say what to do; it can do {', '.join(_DEEDS)}."
            }
        try:
            return {"ok": True} | await deed(self._board(request), request)
        except (ControlError, ValueError) as err:
            return {"error": str(err)}


def _line(message: Request) -> bytes:
    return json.dumps(message).encode() + b"\n"


async def ask(port: int, request: Request) -> Request:
    """Send one request to a simulator and give its answer; raises OSError if none runs."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=2**24)
    try:
        writer.write(_line(request))
        await writer.drain()
        answer = await reader.readline()
    finally:
        writer.close()
    try:
        result: Request = json.loads(answer)
    except ValueError:
        raise ConnectionError(
            "It is no simulator, or one that is just ending"
        ) from None
    return result
