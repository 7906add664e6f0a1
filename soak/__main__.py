"""Runs the soak and says whether all agrees."""

import argparse
import asyncio
from collections.abc import Coroutine, Sequence
import contextlib
import secrets
import signal
import sys
from typing import Any

from .gateway import GatewayError
from .run import DEFAULT_MINUTES, Result, soak

_SHOWN_MISTAKES = 20
_LONGEST_MINUTES = 24 * 60

_DESCRIPTION = """\
Runs Home Assistant's core with the integration against two simulated gateways that
misbehave, and compares what both ends counted. One gateway is plain, the other one
encrypts, and the integration takes its certificate alone.

Through each go foreign events, SMS in and out, and USSD requests, menus among them; some
SMS may go through either. First one gateway is dead while the other must go on as if
nothing was; then every few seconds something goes wrong with each: a reset, a restart,
silence, garbage, a packet without end, single bytes, no SIM, no power, a reload.
"""
_EPILOG = """\
It prints its seed at the beginning and its counts at the end; each thing that disagrees
is a line that begins with WRONG:

  an SMS or a USSD request lost, doubled, spoilt, or given to the wrong one
  memory, tasks, sockets or encrypted connections that are not given back
  an error that nobody expected

The exit status is 0 if all agrees, else 1. Before and after the random faults it takes
about two minutes more. Ctrl-C ends it in order, without a verdict. All connections are
on this machine.

  script/soak 0.3                   a first look
  script/soak 60 --dialect 14       an hour, with the later framing
  script/soak 5 --seed 2026         what that seed gave before
"""


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
    except TimeoutError:
        print("script/soak: it did not come to its end", file=sys.stderr)
        return 1
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
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "minutes",
        nargs="?",
        type=_minutes,
        default=DEFAULT_MINUTES,
        help="how long there are random faults, at most 1440 "
        f"(default: {DEFAULT_MINUTES:g}); 0.3 is enough for a first look",
    )
    parser.add_argument(
        "--seed",
        type=int,
        help="the same messages and faults in the same order as another run, "
        "which has printed it (default: a new one)",
    )
    parser.add_argument(
        "--dialect",
        choices=["1.8", "14"],
        default="1.8",
        help="how the gateways' Asterisk frames its answers: as 1.8 to 13, or as 14 "
        "and later (default: 1.8)",
    )
    return parser


def _minutes(text: str) -> float:
    with contextlib.suppress(ValueError):
        minutes = float(text)
        if 0 < minutes <= _LONGEST_MINUTES:
            return minutes
    raise argparse.ArgumentTypeError(
        f"{text!r} is no number of minutes above 0 and up to {_LONGEST_MINUTES}"
    )


async def _until_signal(work: Coroutine[Any, Any, Result]) -> Result:
    """Do some work, but end it in order on a signal."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


if __name__ == "__main__":
    sys.exit(main())
