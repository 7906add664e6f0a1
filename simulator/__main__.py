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
from typing import Any, Final, NoReturn, override

from . import noise
from .control import DEFAULT_PORT, ControlServer, ask
from .demo import furnish
from .gateway import MAX_SPANS, Simulator
from .model import Dialect, Firmware, SmsOutcome, User

_LAST_PORT: Final = 65_535
_ALL_INTERFACES_NOTE = "default: only this machine; 0.0.0.0 for the whole network"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulator, or steer one; gives the exit status."""
    options = parser().parse_args(arguments)
    try:
        if options.do is None:
            asyncio.run(serve(options))
            return 0
        return asyncio.run(steer(options))
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


# ---- options -----------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (--help tells more)\n")


def parser() -> argparse.ArgumentParser:
    """Give the parser of the command line."""
    top = _Parser(
        prog="python -m simulator",
        description="An OpenVox GSM gateway without hardware. Without a command it runs until "
        "Ctrl-C and prints what goes out through it; with one it steers a simulator that runs.",
    )
    top.add_argument(
        "--host", default="127.0.0.1", help=f"address ({_ALL_INTERFACES_NOTE})"
    )
    top.add_argument(
        "--port", type=_port, default=5038, help="AMI port (default: 5038)"
    )
    top.add_argument(
        "--spans", type=_span_count, default=8, help="number of spans (default: 8)"
    )
    top.add_argument(
        "--dialect",
        choices=[dialect.value for dialect in Dialect],
        default=Dialect.ASTERISK_1_8.value,
        help="framing of Asterisk 1.8 to 13, or of 14 and later (default: 1.8)",
    )
    top.add_argument(
        "--firmware",
        choices=[firmware.value for firmware in Firmware],
        default=Firmware.CHAN_EXTRA_2_0_8.value,
        help="the open driver, or later firmware (default: 2.0.8)",
    )
    top.add_argument("--user", default="admin", help="manager user (default: admin)")
    top.add_argument("--secret", default="admin", help="its password (default: admin)")
    top.add_argument(
        "--demo", action="store_true", help="spans that differ, USSD *100#"
    )
    top.add_argument(
        "--noise",
        type=float,
        default=0.0,
        metavar="PACKETS_PER_SECOND",
        help="other people's call traffic as events (default: none)",
    )
    top.add_argument(
        "--tls",
        metavar="PEM",
        help="encrypt; a file with a certificate and its key (default: no encryption)",
    )
    port = {
        "type": _port,
        "help": f"port for steering, on this machine only ({DEFAULT_PORT})",
    }
    top.add_argument("--control-port", default=DEFAULT_PORT, **port)  # type: ignore[arg-type]
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--control-port", default=argparse.SUPPRESS, **port)  # type: ignore[arg-type]
    _add_commands(top, everywhere)
    return top


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(
            f"a port is a number up to {_LAST_PORT}; 0 takes one that is free"
        )
    return int(text)


def _reply(text: str) -> tuple[str, str]:
    code, equals, answer = text.partition("=")
    if not (code and equals):
        raise argparse.ArgumentTypeError(
            f"a reply is CODE=TEXT, for example '1=1.4 GB left', and not {text!r}"
        )
    return code, answer


def _span_count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= MAX_SPANS:
        raise argparse.ArgumentTypeError(f"a gateway has 1 to {MAX_SPANS} spans")
    return count


def _add_commands(
    top: argparse.ArgumentParser, everywhere: argparse.ArgumentParser
) -> None:
    commands = top.add_subparsers(dest="do", title="commands", metavar="COMMAND")

    def add(name: str, does: str, on_span: bool = False) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name,
            help=does,
            description=f"{does[0].upper()}{does[1:]}.",
            parents=[everywhere],
        )
        if on_span:
            command.add_argument("span", type=int, help="number of the span, from 1")
        return command

    sms = add("sms", "let an SMS come in")
    sms.add_argument(
        "--span", type=int, required=True, help="number of the span, from 1"
    )
    sms.add_argument("--from", required=True, metavar="SENDER", help="number or name")
    sms.add_argument("text", help="text of any length")
    sms.add_argument(
        "--without-pdu",
        action="store_true",
        help="as firmware that gives no PDU; a long text is then several messages",
    )
    add("signal", "set the signal of a span", True).add_argument(
        "value", type=int, help="0 to 31; -1 or 99: unknown"
    )
    add("sim-out", "take the SIM card out of a span", True)
    add("sim-in", "put the SIM card back into a span", True)
    add("remove-span", "let a span vanish, as if its board were taken out", True)
    add("add-span", "let a span come back as it was, or add a new one", True)
    add("operator", "set the network name of a span", True).add_argument("name")
    add("power", "switch the power of a span", True).add_argument(
        "power", choices=["on", "off"]
    )
    call = add("call", "let a call come in", True)
    call.add_argument("from", metavar="CALLER", help="number of the caller")
    call.add_argument("--answer", action="store_true", help="answer it at once")
    call.add_argument(
        "--hangup-after", type=float, metavar="S", help="end it after some seconds"
    )
    add("hangup", "end the call on a span", True)
    add("outcome", "say what becomes of the next SMS of a span", True).add_argument(
        "outcome", choices=[outcome.value for outcome in SmsOutcome]
    )
    ussd = add("ussd", "set the answer to a USSD code", True)
    ussd.add_argument("code", help="for example '*100#'")
    ussd.add_argument("text", help="the answer of the network")
    ussd.add_argument(
        "--reply",
        dest="replies",
        type=_reply,
        action="append",
        default=[],
        metavar="CODE=TEXT",
        help="make the answer a menu: what the network answers to the reply CODE; "
        "give it once for each choice",
    )
    sent = add("sent", "show what was sent")
    sent.add_argument(
        "--wait", type=int, metavar="N", help="wait until N messages went out"
    )
    sent.add_argument(
        "--timeout", type=float, default=10.0, metavar="S", help="at most (10 s)"
    )
    sent.add_argument("--json", action="store_true", help="as JSON")
    add("state", "show the spans")
    add("drop", "drop all connections")
    add("restart", "restart the gateway").add_argument(
        "--downtime",
        type=float,
        default=2.0,
        metavar="S",
        help="seconds it is away (default: 2)",
    )
    add("freeze", "neither read nor answer, but keep the connections")
    add("thaw", "go on after freeze")


# ---- running -----------------------------------------------------------------------------


async def serve(options: argparse.Namespace) -> None:
    """Run a simulator and its control port until a signal ends it."""
    gateway = Simulator(
        spans=options.spans,
        dialect=Dialect(options.dialect),
        firmware=Firmware(options.firmware),
        users=[User(options.user, options.secret)],
        host=options.host,
        port=options.port,
        tls=_tls(options.tls),
    )
    if options.demo:
        furnish(gateway)
    gateway.on_news = _print_news
    control = ControlServer(gateway, options.control_port)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        await control.start()
        await gateway.start()
        print(
            f"Gateway with {options.spans} spans on {gateway.host} port {gateway.port}, "
            f"user {options.user}; steer it on port {control.port}. Ctrl-C ends it.",
            flush=True,
        )
        traffic = asyncio.create_task(_traffic(gateway, options.noise))
        await ended.wait()
        traffic.cancel()
        await asyncio.gather(traffic, return_exceptions=True)
    finally:
        await gateway.stop()
        await control.stop()
    print("Ended.", flush=True)


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
    "host",
    "port",
    "spans",
    "dialect",
    "firmware",
    "user",
    "secret",
    "demo",
    "noise",
    "tls",
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
