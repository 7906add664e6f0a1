"""The simulator as a process, and the commands that steer one that runs."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import datetime
import errno
import json
import signal
import ssl
import sys
from typing import Any
from zlib import crc32

from . import noise
from .control import ControlServer, ask
from .demo import furnish
from .model.box import Dialect
from .model.users import User
from .options import parser
from .replay import RecordingError, serve_recording
from .server import Simulator
from .stack import Stack


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulator, or steer one; gives the exit status."""
    options = parser().parse_args(arguments)
    try:
        if options.replay:
            asyncio.run(serve_recording(options))
            return 0
        if options.do is None:
            asyncio.run(serve(options))
            return 0
        return asyncio.run(steer(options))
    except RecordingError as err:
        print(f"simulator: {options.replay} is no recording: {err}", file=sys.stderr)
        return 1
    except OSError as err:
        print(f"simulator: {_in_words(err)}", file=sys.stderr)
        return 1


def _in_words(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            "a port is taken, perhaps by a simulator or demo that runs already: steer that "
            "one with a command (see --help), or choose --port and --control-port"
        )
    return str(error)


def _number_modules(gateway: Simulator) -> None:
    """Give each gateway modules of its own, and the same ones at each start.

    A client may recognize a gateway by the IMEIs of its modules.
    """
    box = crc32(f"{gateway.host}:{gateway.port}:{gateway.board}".encode()) % 10**5
    for span in gateway.spans.values():
        span.imei = f"86004102{box:05d}{span.number:02d}"


# ---- running -----------------------------------------------------------------------------


async def serve(options: argparse.Namespace) -> None:
    """Run a simulator and its control port until a signal ends it."""
    stack = Stack(
        options.boards,
        spans=options.spans,
        dialect=Dialect(options.dialect),
        box=options.box,
        users=[User(options.user, options.secret)],
        host=options.host,
        port=options.port,
        tls=_tls(options.tls),
        sms_received=options.sms_received,
    )
    for board in stack.boards:
        board.status_reports = options.status_reports
        board.ussd_in_milliseconds = options.ussd_milliseconds
        board.old_ussd_form = options.old_ussd_form
        board.on_news = _print_news
        _number_modules(board)
        if options.demo:
            furnish(board)
    first, *others = stack.boards
    control = ControlServer(first, options.control_port, *others)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        await control.start()
        await stack.start()
        print(_welcome(options, first.port, control.port), flush=True)
        traffic = asyncio.create_task(_traffic(first, options.noise))
        await ended.wait()
        traffic.cancel()
        await asyncio.gather(traffic, return_exceptions=True)
    finally:
        await stack.stop()
        await control.stop()
    print("Ended.", flush=True)


def _welcome(options: argparse.Namespace, port: int, control_port: int) -> str:
    what, ports = "Gateway", f"port {port}"
    if options.boards > 1:
        what = f"Stack of {options.boards} boards"
        ports = f"ports {port} to {port + options.boards - 1}"
    return (
        f"{what} with {options.spans} spans on {options.host} {ports}, "
        f"user {options.user}; steer it on port {control_port}. Ctrl-C ends it."
    )


def _tls(pem: str | None) -> ssl.SSLContext | None:
    if pem is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def _traffic(gateway: Simulator, packets_per_second: float) -> None:
    """Send other people's call traffic, a tenth of a second's worth at a time."""
    packets = noise.call_traffic(gateway.events, sms_like=True)
    due = 0.0
    while packets_per_second > 0:
        due += packets_per_second / 10
        while due >= 1:
            gateway.emit(next(packets))
            due -= 1
        await asyncio.sleep(0.1)


def _print_news(news: str) -> None:
    # An SMS may hold anything, and a terminal obeys some of it.
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in news)
    print(f"{datetime.now():%H:%M:%S} {shown}", flush=True)


# ---- steering ----------------------------------------------------------------------------

_NOT_SENT = {
    "boards",
    "sms_received",
    "status_reports",
    "ussd_milliseconds",
    "old_ussd_form",
    "host",
    "port",
    "spans",
    "dialect",
    "box",
    "user",
    "secret",
    "demo",
    "noise",
    "tls",
    "replay",
}


async def steer(options: argparse.Namespace) -> int:
    """Send one command to a simulator that runs, and print its answer."""
    request: dict[str, Any] = {
        key: value
        for key, value in vars(options).items()
        if key not in _NOT_SENT | {"control_port", "json"}
    }
    if options.do == "power":
        request["on"] = options.power == "on"
    if options.do == "ussd":
        request["replies"] = dict(options.replies)
    try:
        answer = await ask(options.control_port, request)
    except OSError:
        print(
            f"No simulator answers on port {options.control_port}. Start script/demo or "
            "python -m simulator in another terminal first; if it names another port to "
            "steer it on, give that as --control-port.",
            file=sys.stderr,
        )
        return 1
    if "error" in answer:
        print(answer["error"], file=sys.stderr)
        return 1
    for line in _shown(options, answer):
        print(line)
    return 0


def _shown(options: argparse.Namespace, answer: dict[str, Any]) -> list[str]:
    match options.do:
        case "sent" if options.json:
            return [json.dumps(answer["sent"], ensure_ascii=False)]
        case "sent":
            return [
                f"span {sms['span']} to {sms['number']}: {sms['text']}"
                for sms in answer["sent"]
            ]
        case "state":
            return [
                f"Port {answer['port']}, {answer['sessions']} sessions",
                *(
                    f"span {span['span']}: {span['status']}; {span['state']}; "
                    f"{span['operator']}; signal {span['signal']}; {span['last_event']}"
                    for span in answer["spans"]
                ),
            ]
        case "sms":
            return [f"Came in as {answer['parts']} SMS."]
    return ["Done."]


if __name__ == "__main__":
    sys.exit(main())
