"""The messages of a gateway: what it takes to find, save and load them.

Each text is another one, of about 100 characters. A search that finds nothing has to look
at all of them. Saving and loading run in a thread, which holds up the loop with its longest
step at most: reading or writing all of the JSON, which doesn't release the interpreter.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import gc
from statistics import median
from time import thread_time
from typing import Any

from custom_components.openvox_gsm.const import CONF_MESSAGES_KEPT, DOMAIN
from custom_components.openvox_gsm.messages.access import Names
from custom_components.openvox_gsm.messages.history import MessageHistory
from custom_components.openvox_gsm.messages.queries import (
    Query,
    find_conversations,
    find_messages,
)
from custom_components.openvox_gsm.messages.record import (
    Direction,
    Kind,
    MessageRecord,
    Status,
)
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_bytes
from homeassistant.util.json import json_loads

from .home import make_entry, running_home
from .table import Row, millis

_SPANS = 44
_NUMBERS = 1000
_ROUNDS = 20
_LIMIT = 0.020  # seconds that the loop may be held
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def _history(hass: HomeAssistant, count: int, name: str) -> MessageHistory:
    """Make a gateway that keeps as many messages."""
    entry = make_entry(DOMAIN, {}, {CONF_MESSAGES_KEPT: count}, unique_id=name)
    history = MessageHistory(hass, entry)
    for number in range(count):
        time = _LONG_AGO + timedelta(minutes=number)
        history.add(
            MessageRecord(
                id=history.new_id(time),
                kind=Kind.SMS,
                direction=Direction.IN,
                number=f"+49151{number % _NUMBERS:08}",
                text=f"Message {number}: " + "the cellar is dry. " * 5,
                time=time,
                span=number % _SPANS + 1,
                parts=1,
                status=Status.RECEIVED,
            )
        )
    return history


def _searches(hass: HomeAssistant, gateways: list[MessageHistory]) -> list[Row]:
    names = Names(hass, gateways)
    first, span = Query(limit=50), Query(limit=50, span=7)
    search = Query(limit=50, search="no such words")
    questions: list[tuple[str, Callable[[], Any]]] = [
        ("the first 50 messages", lambda: find_messages(gateways, names, first)),
        ("the first 50 conversations", lambda: find_conversations(gateways, names, first)),
        ("the conversations of one span", lambda: find_conversations(gateways, names, span)),
        ("a search without a hit", lambda: find_messages(gateways, names, search)),
        ("the same in conversations", lambda: find_conversations(gateways, names, search)),
    ]  # fmt: skip
    rows = []
    for what, ask in questions:
        times = []
        for _ in range(_ROUNDS):
            begun = thread_time()
            ask()
            times.append(thread_time() - begun)
        messages = sum(map(len, gateways))
        rows.append(
            _row(f"{messages:,} messages, {_SPANS} spans: {what}, processor", times)
        )
    return rows


async def _files(hass: HomeAssistant, count: int) -> list[Row]:
    history = _history(hass, count, f"file {count}")
    message = next(history.newest_first()).id

    async def save() -> None:
        hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await hass.async_block_till_done()

    async def load() -> None:
        await MessageHistory(hass, history.entry).async_load()

    written = {"messages": [each.as_dict() for each in history.newest_first()]}
    text = json_bytes(written)
    saving: list[float] = []
    loading: list[float] = []
    writing: list[float] = []
    reading: list[float] = []
    for number in range(_ROUNDS):
        gc.collect()
        history.change(message, parts=number + 2)
        # Only what this thread does counts, not what it waits for.
        for times, work in ((saving, save), (loading, load)):
            begun = thread_time()
            await work()
            times.append(thread_time() - begun)
        for times, step in (
            (writing, lambda: json_bytes(written)),
            (reading, lambda: json_loads(text)),
        ):
            begun = thread_time()
            step()
            times.append(thread_time() - begun)
    size = f"{count:,} messages ({len(text) / 1e6:.1f} MB)"
    return [
        _row(f"saving {size}: the loop's part, processor", saving),
        _row(f"saving {size}: in a thread, the longest step, processor", writing),
        _row(f"loading {size}: the loop's part, processor", loading),
        _row(f"loading {size}: in a thread, the longest step, processor", reading),
    ]


def _row(what: str, times: list[float]) -> Row:
    return Row(
        what,
        f"{millis(median(times))}, at worst {millis(max(times))}",
        wanted=f"below {_LIMIT * 1e3:g} ms",
        met=median(times) < _LIMIT,
    )


async def _measure() -> list[Row]:
    async with running_home() as hass:
        gateways = [_history(hass, 10_000, str(each)) for each in range(4)]
        rows = _searches(hass, gateways[:1]) + _searches(hass, gateways)
        for count in (500, 10_000):
            rows += await _files(hass, count)
        return rows


def run() -> list[Row]:
    """Measure all of it."""
    return asyncio.run(_measure())
