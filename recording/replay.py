"""Plays a recording, and says what the integration makes of each thing in it."""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
import logging
from pathlib import Path
import re
import sys

from custom_components.openvox_gsm.ami import AmiError
from custom_components.openvox_gsm.gateway import (
    CallEvent,
    Features,
    Gateway,
    ReceivedPart,
    SpanStatus,
    UssdFailure,
    UssdReply,
    replies,
)
from simulator.replay import Recording, RecordingError, Replay, read_recording

# After the last event: an SMS without its PDU is taken as it is two seconds after it.
AFTERWARDS = 2.5  # seconds


@dataclass
class Understood:
    """What came of a recording."""

    features: Features = field(default_factory=Features)
    parts: list[ReceivedPart] = field(default_factory=list)
    calls: list[CallEvent] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    #: Each command with what its answer was taken for; None where it wasn't understood.
    answers: list[tuple[str, str | None]] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play a recording; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="script/replay", usage="script/replay --help tells", add_help=False
    )
    parser.add_argument("file", type=Path)
    path = parser.parse_args(arguments).file
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        recording = read_recording(path)
        understood = asyncio.run(replay(recording))
    except RecordingError as err:
        print(f"script/replay: {path} is no recording: {err}", file=sys.stderr)
        return 1
    except (OSError, AmiError) as err:
        print(f"script/replay: {err}", file=sys.stderr)
        return 1
    _print(recording, understood)
    return 0


async def replay(recording: Recording) -> Understood:
    """Play a recording to the integration's client as fast as it goes."""
    understood = Understood(
        answers=[
            (each.command, explain(each.command, each.output))
            for each in recording.exchanges
        ]
    )
    async with Replay(recording) as box:
        client = Gateway(
            box.host,
            box.port,
            "admin",
            "admin",
            on_part=understood.parts.append,
            on_call=understood.calls.append,
            on_connection=lambda _error: None,
        )
        await client.start()
        try:
            understood.features = client.features
            await client.spans.read()
            await box.play(speed=1000)
            if recording.events:
                await asyncio.sleep(AFTERWARDS)
        finally:
            understood.seen = client.observer.seen.counts
            await client.stop()
    return understood


# What answers mean


def explain(command: str, output: str) -> str | None:
    """Return what an answer was taken for; None where it wasn't understood."""
    if replies.is_unknown_command(output):
        return "an unknown command"
    if replies.is_usage(output):
        return "its usage: " + ", ".join(replies.read_usage(output))
    for pattern, read in _READERS.items():
        if found := re.match(pattern, command):
            return read(found, output)
    count = len(output.splitlines())
    return f"{count} line{'' if count == 1 else 's'}"


def _explain_sms(_: re.Match[str], output: str) -> str | None:
    reply, detail = replies.read_sms_reply(output)
    if reply is replies.SmsReply.TIMED_OUT and "TIMEOUT" not in output:
        return None
    return f"{reply.name.lower()} {detail}".strip()


def _explain_ussd(_: re.Match[str], output: str) -> str | None:
    reply = replies.read_ussd_reply(1, output)
    if isinstance(reply, UssdReply):
        return f"an answer of {len(reply.text)} characters, {reply.status}"
    if reply is UssdFailure.TIMED_OUT and "timeout" not in output:
        return None
    return reply.value


def _explain_spans(_: re.Match[str], output: str) -> str | None:
    spans = replies.read_span_list(output)
    return ", ".join(f"span {n}: {span.status}" for n, span in spans.items()) or None


def _explain_all(_: re.Match[str], output: str) -> str:
    outputs = replies.split_all_spans(output)
    return f"{len(outputs)} spans" if outputs else "cut short, so one by one"


def _explain_span(found: re.Match[str], output: str) -> str | None:
    span = replies.read_span(int(found[1]), output)
    if span is None:
        return "no such span" if _NO_SPAN.search(output) else None
    if span.status is SpanStatus.UNKNOWN:
        return None
    return f"{span.status}, {span.network_status}"


def _explain_power(_: re.Match[str], output: str) -> str:
    return "done" if replies.power_succeeded(output) else "refused"


_NO_SPAN = re.compile(r"No (?:GSM|dchannel) running|Invalid span")
type _Reader = Callable[[re.Match[str], str], str | None]
_READERS: dict[str, _Reader] = {
    r"gsm send sync c?sms ": _explain_sms,
    r"gsm send ussd ": _explain_ussd,
    r"gsm show spans\b": _explain_spans,
    r"gsm show span all\b": _explain_all,
    r"gsm show span ([0-9]+)": _explain_span,
    r"gsm power (?:on|off|reset) ": _explain_power,
}


def _print(recording: Recording, understood: Understood) -> None:
    features = understood.features
    print(recording.about)
    print(f"\nAsterisk {features.asterisk_version}, libgsmat {features.driver_version}")
    print(f"It has {len(features.commands)} gsm commands. Receives SMS: "
          f"{features.receives_sms}. Flash SMS: {features.flash}. Message ID: "
          f"{features.message_id}.")  # fmt: skip
    print("(What the recording doesn't have of this is the simulator's.)\n")
    for command, meaning in understood.answers:
        print(f"{_shown(command)[:70]}\n    → {meaning or 'NOT UNDERSTOOD'}")
    for part in understood.parts:
        how = "with its PDU" if part.pdu else "without a PDU"
        print(f"SMS on span {part.span}, {how}: {_shown(part.text)}")
    for call in understood.calls:
        print(
            f"Call on span {call.span}: {call.direction}, {call.type}, cause {call.cause}"
        )
    print("\nSeen:")
    for kind, count in understood.seen.items():
        print(f"{count:6}  {kind}")


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


if __name__ == "__main__":
    sys.exit(main())
