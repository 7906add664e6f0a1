"""A gateway that says what was recorded on another one.

A recording is a JSON file with ``about`` (what was going on) and ``wire``, a list of
``[seconds, "client" or "gateway", text]`` in which each character is a byte. The diagnostics
of Home Assistant have such a list as well.

What was asked then is answered as then, in the same order; whatever else a client asks is
answered as by the simulator. Events come when `Replay.play` is called.
"""

import argparse
import asyncio
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
import json
from pathlib import Path
import re
import signal
from typing import Any

from .cli.command_line import Output, Status
from .model.box import Box, Dialect
from .model.users import User
from .server import Simulator

_END = "\r\n\r\n"
_OUTPUT_END = "--END COMMAND--"
_FOLLOWS = re.compile(
    r"Response: Follows\r\n(?:Privilege: [^\r\n]*\r\n)?(?:ActionID: [^\r\n]*\r\n)?"
)


class RecordingError(ValueError):
    """A file that is no recording."""


@dataclass
class Exchange:
    """A command and what it printed."""

    command: str
    output: str
    succeeded: bool = True


@dataclass
class Recording:
    """What a recording consists of."""

    about: str
    exchanges: list[Exchange] = field(default_factory=list)
    events: list[tuple[float, bytes]] = field(default_factory=list)
    spans: int = 1
    dialect: Dialect = Dialect.ASTERISK_1_8
    box: Box = Box.OF_2013


def read_recording(path: Path) -> Recording:
    """Read a recording, or the diagnostics of Home Assistant.

    Raises RecordingError for anything else, and OSError.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as err:
        raise RecordingError("it is no JSON") from err
    about, wire = _find_wire(content)
    try:
        lines = [(float(at), str(who), str(text)) for at, who, text in wire]
        # Checked here, so that it needn't be where it is sent.
        "".join(text for _, _, text in lines).encode("latin-1")
    except (TypeError, ValueError) as err:
        raise RecordingError("its wire is not in the form of a recording") from err
    return _recording(about, lines)


def _find_wire(content: Any) -> tuple[str, list[Any]]:
    if isinstance(content, dict):
        if isinstance(wire := content.get("wire"), list):
            return str(content.get("about", "")), wire
        place: Any = content.get("data")
        for key in ("gateway", "trace"):
            place = place.get(key) if isinstance(place, dict) else None
        if isinstance(place, list):
            return "The trace in the diagnostics of Home Assistant.", place
    raise RecordingError("it has no wire")


def _recording(about: str, wire: list[tuple[float, str, str]]) -> Recording:
    recording = Recording(about)
    waiting: deque[dict[str, str]] = deque(_actions(wire))
    is_piece = False  # of an event that its text cut in two
    for seconds, packet in _packets(wire):
        if packet.startswith("Response:"):
            is_piece = False
            if action := _take_action(waiting, packet):
                _add_answer(recording, action, packet)
        elif packet.startswith("Event:"):
            is_piece = "\r\nActionID: " not in packet
            if is_piece:
                recording.events.append((seconds, (packet + _END).encode("latin-1")))
        elif is_piece:
            at, event = recording.events[-1]
            recording.events[-1] = at, event + (packet + _END).encode("latin-1")
    everything = "".join(text for _, _, text in wire)
    voices = re.findall(r"EXTRA(?:-SMS)?/([0-9]{1,2})-", everything)
    numbers = re.findall(
        r"(?:GSM span |Start Span |gsm (?:show|send)(?: sync)? \w+ )([0-9]{1,2})\b",
        everything,
    )
    spans = [(int(voice) + 1) // 2 for voice in voices] + [int(n) for n in numbers]
    recording.spans = min(max(spans, default=1), 32)
    if "\r\nOutput: " in everything:
        recording.dialect = Dialect.ASTERISK_14
    if re.search(r"flash sms|SMSSendStatus|sms_receive\.lua|Network Band:", everything):
        recording.box = Box.TODAY
    return recording


def _actions(wire: list[tuple[float, str, str]]) -> Iterator[dict[str, str]]:
    sent = "".join(text for _, who, text in wire if who == "client")
    for packet in sent.replace("\r\n", "\n").split("\n\n"):
        lines = [line.partition(":") for line in packet.strip("\n").split("\n")]
        if fields := {
            key.lower(): value.strip() for key, colon, value in lines if colon
        }:
            yield fields


def _packets(wire: list[tuple[float, str, str]]) -> Iterator[tuple[float, str]]:
    """Cut what the gateway said into packets, each with the time at which it began."""
    pieces = [(at, text) for at, who, text in wire if who == "gateway"]
    stream = "".join(text for _, text in pieces)
    starts: list[int] = []
    length = 0
    for _, text in pieces:
        starts.append(length)
        length += len(text)
    begin = (
        len(greeting[0])
        if (greeting := re.match(r"Asterisk [^\r]*\r\n", stream))
        else 0
    )
    while begin < len(stream):
        is_output = _FOLLOWS.match(stream, begin) is not None
        mark = _OUTPUT_END + _END if is_output else _END
        end = stream.find(mark, begin)
        if end < 0:
            return
        end += len(_OUTPUT_END) if is_output else 0
        if packet := stream[begin:end].lstrip("\r\n"):
            yield pieces[bisect_right(starts, begin) - 1][0], packet
        begin = end + len(_END)


def _take_action(waiting: deque[dict[str, str]], packet: str) -> dict[str, str] | None:
    """Find the action that a packet answers: by its ActionID, or the next one."""
    if found := re.search(r"\r\nActionID: ([^\r\n]*)", packet):
        for action in waiting:
            if action.get("actionid") == found[1]:
                waiting.remove(action)
                return action
    return waiting.popleft() if waiting else None


def _add_answer(recording: Recording, action: dict[str, str], packet: str) -> None:
    command = action.get("command")
    if command is None:
        return
    if head := _FOLLOWS.match(packet):
        output = packet[head.end() :].removesuffix(_OUTPUT_END)
        recording.exchanges.append(Exchange(command, output))
        return
    head_part, found, rest = packet.partition("\r\nOutput: ")
    if not found and "Command output follows" not in head_part:
        return  # refused, which says nothing about the command
    output = rest.replace("\r\nOutput: ", "\n") + "\n" if found else ""
    succeeded = packet.startswith("Response: Success")
    recording.exchanges.append(Exchange(command, output, succeeded))


class Replay(Simulator):
    """A gateway that answers as recorded."""

    def __init__(
        self,
        recording: Recording,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        user: str = "admin",
        secret: str = "admin",  # noqa: S107
    ) -> None:
        """Answer as recorded; any user name and password may be chosen."""
        super().__init__(
            spans=recording.spans,
            dialect=recording.dialect,
            box=recording.box,
            users=[User(user, secret)],
            host=host,
            port=port,
            sms_received=True,
        )
        self.recording = recording
        self._answers: dict[str, deque[Output]] = defaultdict(deque)
        for each in recording.exchanges:
            status = Status.SUCCESS if each.succeeded else Status.FAILURE
            self._answers[_kind(each.command)].append(Output(each.output, status))
        self.cli.recorded = self._recorded

    def _recorded(self, line: str) -> Output | None:
        """Give the next recorded answer to a command; the last one again and again."""
        answers = self._answers.get(_kind(line))
        if not answers:
            return None
        return answers.popleft() if len(answers) > 1 else answers[0]

    async def play(self, speed: float = 1.0) -> None:
        """Send the events to all who listen, ``speed`` times as fast as recorded."""
        before = self.recording.events[0][0] if self.recording.events else 0.0
        for seconds, event in self.recording.events:
            await asyncio.sleep(max(0.0, seconds - before) / speed)
            before = seconds
            self.emit(event)

    async def play_to_client(self) -> None:
        """Wait for a client that listens, and send it the events."""
        while not self.listeners():
            await asyncio.sleep(0.2)
        await asyncio.sleep(3)  # it has a look around first
        await self.play()


def _kind(command: str) -> str:
    """Give what has the same answer: number and text of a send don't matter."""
    if found := re.match(r"gsm send (?:sync )?(?:c?sms|ussd) [0-9]+", command):
        return found[0]
    return re.sub('"[^"]*"', '""', command)


async def serve_recording(options: argparse.Namespace) -> None:
    """Play a recording as a gateway until a signal ends it."""
    recording = read_recording(options.replay)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with Replay(
        recording,
        host=options.host,
        port=options.port,
        user=options.user,
        secret=options.secret,
    ) as gateway:
        print(
            f"Gateway with {recording.spans} spans as recorded, on {gateway.host} port "
            f"{gateway.port}, user {options.user}. Ctrl-C ends it.",
            flush=True,
        )
        playing = asyncio.create_task(gateway.play_to_client())
        await ended.wait()
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
    print("Ended.", flush=True)
