"""The command line of ``python -m simulator``."""

import argparse
from pathlib import Path
from typing import Final, NoReturn, override

from .control import DEFAULT_PORT
from .model.box import Box, Dialect
from .model.gateway import MAX_SPANS
from .model.outcomes import SmsOutcome

MAX_BOARDS: Final = 8
_LAST_PORT: Final = 65_535
_ALL_INTERFACES_NOTE = "default: only this machine; 0.0.0.0 for the whole network"


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
        "--box",
        choices=[box.value for box in Box],
        default=Box.OF_2013.value,
        help="the open driver of 2013, or a box as sold today (default: 2013)",
    )
    top.add_argument(
        "--sms-received",
        action="store_true",
        help='the switch "SMS Received" of a box of today is on (default: off, as shipped)',
    )
    top.add_argument(
        "--status-reports",
        action="store_true",
        help="the network reports the delivery of each SMS",
    )
    top.add_argument(
        "--ussd-milliseconds",
        action="store_true",
        help="time limits of USSD requests count milliseconds, as in some firmware",
    )
    top.add_argument(
        "--old-ussd-form",
        action="store_true",
        help="USSD answers in the form that drivers had before May 2013",
    )
    top.add_argument(
        "--boards",
        type=_board_count,
        default=1,
        metavar="N",
        help="boards of a stack, on as many ports in a row (default: 1)",
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
    top.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="answer as recorded in a file, and send its events to the first client",
    )
    port = {
        "type": _port,
        "help": f"port for steering, on this machine only ({DEFAULT_PORT})",
    }
    top.add_argument("--control-port", default=DEFAULT_PORT, **port)  # type: ignore[arg-type]
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--control-port", default=argparse.SUPPRESS, **port)  # type: ignore[arg-type]
    everywhere.add_argument(
        "--board", type=int, default=1, help="which board of a stack (default: 1)"
    )
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


def _board_count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= MAX_BOARDS:
        raise argparse.ArgumentTypeError(f"a stack has 1 to {MAX_BOARDS} boards")
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
