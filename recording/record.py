"""Records what a gateway says, while its owner makes it say something."""

import argparse
import asyncio
from collections.abc import Callable, Sequence
import contextlib
from datetime import datetime
import getpass
import json
from pathlib import Path
import sys
from typing import Final

from custom_components.openvox_gsm.ami import AmiError
from custom_components.openvox_gsm.gateway import (
    CallEvent,
    Gateway,
    ReceivedPart,
    UssdError,
    as_file,
)

_INTRODUCTION: Final = """\
This records what the gateway says, without phone numbers, texts, PINs and passwords:
each of them is replaced by something else of the same length. It changes nothing on the
gateway, and sends nothing unless you enter a USSD code below.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Record; gives the exit status."""
    options = parse(arguments)
    try:
        return asyncio.run(record(options))
    except EOFError, KeyboardInterrupt:
        print("\nEnded early; nothing was written.", file=sys.stderr)
        return 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the arguments; script/record explains what it takes."""
    parser = argparse.ArgumentParser(
        prog="script/record", usage="script/record --help tells", add_help=False
    )
    parser.add_argument("host")
    parser.add_argument("--port", type=int, default=5038)
    parser.add_argument("--user")
    parser.add_argument("--file", type=Path)
    return parser.parse_args(arguments)


async def _ask(question: str, ask: Callable[[str], str] = input) -> str:
    return (await asyncio.to_thread(ask, question)).strip()


async def _ask_password() -> str:
    """Ask without showing it; where there is no terminal, read a line."""
    if sys.stdin.isatty():
        return await _ask("Password: ", getpass.getpass)
    return await _ask("Password: ")


async def record(options: argparse.Namespace) -> int:
    """Record one gateway into a file; gives the exit status."""
    print(_INTRODUCTION)
    path = options.file or Path(
        f"openvox-recording-{datetime.now():%Y%m%d-%H%M%S}.json"
    )
    if path.exists():
        print(f"script/record: {path} is there already", file=sys.stderr)
        return 1
    user = options.user or await _ask("User of the gateway's API: ")
    gateway = Gateway(
        options.host,
        options.port,
        user,
        await _ask_password(),
        on_part=_sms_came,
        on_call=_call_changed,
        on_connection=_connection_changed,
    )
    error: AmiError | None = None
    with gateway.observer.record() as trace:
        try:
            await gateway.start()
            print("\nConnected. Looking around …")
            await gateway.spans.read()
            await gateway.look_around()
            about = await _guide(gateway)
        except AmiError as err:
            error, about = err, "The connection failed."
            print(f"\n{err}")
        finally:
            await gateway.stop()
    if error and not trace.wire():
        print(
            "script/record: the gateway said nothing, so nothing is written",
            file=sys.stderr,
        )
        return 1
    text = json.dumps(as_file(about, trace), indent=1, ensure_ascii=False)
    await asyncio.to_thread(path.write_text, text + "\n", "utf-8")
    print(
        f"\nWritten to {path}. Have a look at it before you share it; script/replay {path} "
        "shows what the integration makes of it."
    )
    return 0


async def _guide(gateway: Gateway) -> str:
    """Say what to do, listen meanwhile; return what the recording is about."""
    about = await _ask("Model of the gateway and its firmware version: ")
    numbers = ", ".join(map(str, gateway.spans)) or "none"
    print(f"\nThe spans are: {numbers}. Each step may be left out with Enter.\n")
    await _ask(
        "1. Send an SMS to one of the SIM cards. Press Enter once it has arrived. "
    )
    await _ask(
        "2. Send one with emoji and more than 200 characters. Then press Enter. "
    )
    await _ask(
        "3. Call one of the SIM cards and hang up after some seconds. Then Enter. "
    )
    span = await _ask("4. Ask for a balance: on which span? ")
    if span.isdecimal() and int(span) in gateway.spans:
        code = await _ask("   Which code, such as *100#? ")
        try:
            reply = await gateway.ussd.send(int(span), code)
            print(f"   The network responded: {_shown(reply.text)}")
        except (UssdError, ValueError) as err:
            print(f"   {err or 'No answer came.'}")
    with contextlib.suppress(AmiError):
        await gateway.spans.read()
    return about or "A gateway of unknown model."


def _shown(text: str) -> str:
    # A terminal obeys some of what a text may hold.
    return "".join(char if char.isprintable() else " " for char in text)


def _sms_came(part: ReceivedPart) -> None:
    print(f"\n   An SMS came in on span {part.span}: {_shown(part.text)}")


def _call_changed(event: CallEvent) -> None:
    print(f"\n   A call on span {event.span}: {event.type}")


def _connection_changed(error: AmiError | None) -> None:
    print(f"\n   {error or 'Connected again.'}")


if __name__ == "__main__":
    sys.exit(main())
