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

_SHOWN_MISTAKES = 50
_LONGEST_MINUTES = 24 * 60


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
    """Give the parser; script/soak explains what it takes."""
    parser = argparse.ArgumentParser(
        prog="script/soak", usage="script/soak --help tells", add_help=False
    )
    parser.add_argument("minutes", nargs="?", type=_minutes, default=DEFAULT_MINUTES)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--dialect", choices=["1.8", "14"], default="1.8")
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
