"""Runs the soak and says whether all agrees."""

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
import contextlib
from dataclasses import dataclass
import gc
import logging
import secrets
import signal
import sys
import tempfile
import tracemalloc
from typing import Any

from homeassistant.config_entries import ConfigEntryState

from .books import Books
from .gateway import Gateway, GatewayError, running_gateway
from .home import IDLE_SECONDS, REPETITION_WINDOW, Tracebacks, make_entry, running_home
from .load import SPANS, Load
from .measure import Holding, measure, places_that_grew

DEFAULT_MINUTES = 5.0
PACKETS = 1_200_000
"""Foreign events in the default time; a part of them meets no connection."""
SMS_PER_SECOND = 15.0
"""Each way."""
SECONDS_BETWEEN_FAULTS = 5.0
SETTLE_SECONDS = 60.0
"""How long the connection may take to come back when the faults are over."""

# What may be left of what is remembered on purpose: the budget's time of each SMS of
# a day, and what Python's own caches take.
_BYTES_PER_SMS_OUT = 250
_BYTES = 400 * 1024
_BYTES_OF_PYTHON = 1024 * 1024
_SHOWN_MISTAKES = 20


@dataclass
class Result:
    """What a soak found."""

    lines: list[str]
    mistakes: list[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; gives the exit status."""
    options = _parser().parse_args(arguments)
    seed = options.seed if options.seed is not None else secrets.randbelow(10**6)
    print(
        f"Soak of {options.minutes:g} minutes, Asterisk {options.dialect}, seed {seed}"
        f" (again: script/soak {options.minutes:g} --dialect {options.dialect} "
        f"--seed {seed})",
        flush=True,
    )
    try:
        result = asyncio.run(
            _until_signal(soak(60 * options.minutes, seed, options.dialect))
        )
    except (GatewayError, OSError) as err:
        print(f"script/soak: {err}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        print("Ended early, so nothing is said.", file=sys.stderr)
        return 128 + signal.SIGINT
    for line in result.lines:
        print(line)
    for mistake in result.mistakes[:_SHOWN_MISTAKES]:
        print(f"WRONG: {mistake}")
    if more := len(result.mistakes[_SHOWN_MISTAKES:]):
        print(f"WRONG: and {more} more")
    print("Something disagrees." if result.mistakes else "All agrees.")
    return 1 if result.mistakes else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="script/soak",
        description="Runs Home Assistant's core with the integration against a simulated "
        "gateway that misbehaves, and compares what both ends counted.",
    )
    parser.add_argument(
        "minutes", nargs="?", type=_minutes, default=DEFAULT_MINUTES,
        help=f"how long (default: {DEFAULT_MINUTES:g})",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, help="the same messages and faults again")
    parser.add_argument(
        "--dialect", choices=["1.8", "14"], default="1.8", help="which Asterisk"
    )
    return parser


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes <= 24 * 60:
        raise argparse.ArgumentTypeError("from a fraction of a minute to a day")
    return minutes


async def _until_signal(work: Any) -> Result:
    """Do some work, but end it in order on a signal."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    result: Result = await task
    return result


async def soak(seconds: float, seed: int, dialect: str) -> Result:
    """Run everything for some seconds, and compare."""
    tracebacks = Tracebacks()
    logging.getLogger().addHandler(tracebacks)
    tracemalloc.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with running_gateway(SPANS, dialect) as gateway:
                result = await _soak(folder, gateway, seconds, seed)
    finally:
        tracemalloc.stop()
        logging.getLogger().removeHandler(tracebacks)
    result.mistakes += [f"Logged an exception: {line}" for line in tracebacks.lines]
    return result


async def _soak(folder: str, gateway: Gateway, seconds: float, seed: int) -> Result:
    books = Books()
    async with running_home(folder) as hass:
        books.listen(hass)

        async def set_up() -> Load:
            entry = make_entry(gateway.port)
            entry.add_to_hass(hass)
            if not await hass.config_entries.async_setup(entry.entry_id):
                raise GatewayError("The integration could not be set up")
            return Load(
                hass,
                entry.entry_id,
                gateway,
                books,
                seed,
                sms_per_second=SMS_PER_SECOND,
                packets_per_second=PACKETS / (60 * DEFAULT_MINUTES),
                seconds_between_faults=SECONDS_BETWEEN_FAULTS,
            )

        # Once for what Python and Home Assistant load and keep.
        load = await set_up()
        await _exchange(load, "0")
        await hass.config_entries.async_remove(load.entry_id)
        await asyncio.sleep(1)
        removed_before = measure()

        load = await set_up()
        await load.warm_up()
        await _rest()
        await _exchange(load, "1")
        await _rest()
        loaded_before = measure()

        await load.run(seconds)
        await _connected_again(load)
        await _rest()
        await _exchange(load, "2")  # what is out of date is forgotten at the next SMS
        await _rest()
        loaded_after = measure()

        await hass.config_entries.async_remove(load.entry_id)
        await asyncio.sleep(1)
        removed_after = measure()
        ledger = await gateway.do("ledger")
    faults = Counter(load.faults)
    return Result(
        lines=[
            f"Foreign and other events that went to a connection: {ledger['events']}",
            *books.summary(),
            f"Faults: {len(load.faults)}; "
            + ", ".join(f"{number} {kind}" for kind, number in sorted(faults.items())),
            f"Loaded, before: {loaded_before}",
            f"Loaded, after:  {loaded_after}",
            f"Removed, before: {removed_before}",
            f"Removed, after:  {removed_after}",
        ],
        mistakes=[
            *books.disagreements(ledger),
            *_growth("loaded", loaded_before, loaded_after, len(books.outgoing)),
            *_growth_of_python(loaded_before, loaded_after, len(books.outgoing)),
            *_growth("removed", removed_before, removed_after, 0),
        ],
    )


async def _exchange(load: Load, mark: str) -> None:
    """Send and receive one SMS while all is well."""
    await load.send_one(f"+4915{mark}", "Hello")
    await load.receive_one(1, f"+4914{mark}", "Hello")


async def _rest() -> None:
    """Wait until idle sessions have ended, and what is out of date is so."""
    await asyncio.sleep(max(IDLE_SECONDS, REPETITION_WINDOW.total_seconds()) + 1)
    gc.collect()


async def _connected_again(load: Load) -> None:
    """Wait until the entry works; a reload that failed is tried again at once."""
    entry = load.hass.config_entries.async_get_entry(load.entry_id)
    assert entry
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_SECONDS):
            while not (
                entry.state is ConfigEntryState.LOADED
                and entry.runtime_data.gateway.is_connected
            ):
                await asyncio.sleep(0.1)
            return
    raise GatewayError(f"After {SETTLE_SECONDS:g} s there was no connection again")


def _growth(when: str, before: Holding, after: Holding, messages: int) -> list[str]:
    """Say what has grown that should not have."""
    allowed = _BYTES + messages * _BYTES_PER_SMS_OUT
    grown = after.integration - before.integration
    mistakes = []
    if grown > allowed:
        mistakes.append(
            f"The memory of the integration, {when}, grew by {grown} bytes; "
            f"{allowed} are allowed for"
        )
        mistakes += places_that_grew(before, after)
    for name in ("tasks", "sockets"):
        begun, ended = getattr(before, name), getattr(after, name)
        if ended != begun:
            mistakes.append(f"{begun} {name} before and {ended} after, {when}")
    return mistakes


def _growth_of_python(before: Holding, after: Holding, messages: int) -> list[str]:
    """Say whether something of the integration grew in other people's code.

    Only while it is loaded: Home Assistant remembers what was removed.
    """
    allowed = _BYTES_OF_PYTHON + messages * _BYTES_PER_SMS_OUT
    grown = after.python - before.python
    if grown <= allowed:
        return []
    return [f"All of Python grew by {grown} bytes; {allowed} are allowed for"]


if __name__ == "__main__":
    sys.exit(main())
