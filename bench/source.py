"""A manager that sends what it was given, as fast as it can be read.

A process of its own: it takes JSON lines from its standard input. It has no more of a
gateway than a client needs to log in; `stream` prepares bytes, `go` sends them to the
sessions that are logged in with events.
"""

import asyncio
from itertools import islice
import json
import re
import socket
import sys
import threading
from typing import Any

from simulator import Simulator, noise

_ACTION_ID = re.compile(rb"^ActionID: ([^\r\n]*)\r\n", re.MULTILINE)
_WANTS_EVENTS = re.compile(rb"^Action: Login\r\n(?s:.*)^Events: (?!off)", re.MULTILINE)
_OUTPUT = b"Privilege: Command\r\n%bUsage: gsm send sync sms <span>\n--END COMMAND--"


class _Recorder(Simulator):
    """A gateway that keeps what it would send."""

    def __init__(self) -> None:
        super().__init__(spans=8)
        self.packets: list[bytes] = []

    def emit(self, event: bytes) -> None:
        """Keep an event."""
        self.packets.append(event)


async def _messages(count: int) -> list[list[bytes]]:
    """Give the packets of each of some SMS, no two of them alike."""
    recorder = _Recorder()
    messages = []
    for number in range(count):
        recorder.packets = []
        await recorder.receive_sms(
            number % 8 + 1, f"+49151{number:07}", f"Alarm {number}: garage door open"
        )
        messages.append(recorder.packets)
    return messages


def mixed_stream(events: int, messages: int) -> list[bytes]:
    """Give foreign events, with SMS evenly among them, the last one an SMS."""
    foreign = noise.call_traffic(_Recorder().events, sms_like=True)
    if not messages:
        return list(islice(foreign, events))
    packets: list[bytes] = []
    for message in asyncio.run(_messages(messages)):
        packets += islice(foreign, events // messages)
        packets += message
    return packets


class Source:
    """Accepts any number of clients, each served by a thread."""

    def __init__(self) -> None:
        """Listen on any free port of this machine."""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._listeners: list[socket.socket] = []
        self._stream = b""
        threading.Thread(target=self._accept, daemon=True).start()

    def stream(self, events: int, messages: int) -> dict[str, Any]:
        """Prepare what `go` sends."""
        packets = mixed_stream(events, messages)
        self._stream = b"".join(packets)
        return {"packets": len(packets), "bytes": len(self._stream)}

    def go(self) -> None:
        """Send it to those who want events, and forget them."""
        for listener in self._listeners:
            listener.sendall(self._stream)
        self._listeners.clear()

    def _accept(self) -> None:
        while True:
            client, _ = self._server.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.sendall(b"Asterisk Call Manager/1.1\r\n")
        received = b""
        while data := client.recv(65536):
            received += data
            while b"\r\n\r\n" in received:
                request, _, received = received.partition(b"\r\n\r\n")
                client.sendall(self._response(request + b"\r\n"))
                if _WANTS_EVENTS.search(request + b"\r\n"):
                    self._listeners.append(client)

    @staticmethod
    def _response(request: bytes) -> bytes:
        found = _ACTION_ID.search(request)
        action_id = found[0] if found else b""
        if request.startswith(b"Action: Challenge"):
            body = b"Response: Error\r\n%bMessage: Invalid command"
        elif b"Action: Command" in request:
            body = b"Response: Follows\r\n" + _OUTPUT
        else:
            body = b"Response: Success\r\n%bPing: Pong\r\nTimestamp: 1795400000.123456"
        return body % action_id + b"\r\n\r\n"


def main() -> None:
    """Serve until the input ends."""
    source = Source()
    for line in sys.stdin:
        match json.loads(line):
            case {"do": "port"}:
                answer = {"port": source.port}
            case {"do": "stream", "events": events, "messages": messages}:
                answer = source.stream(events, messages)
            case {"do": "go"}:
                source.go()
                answer = {}
            case request:
                raise ValueError(request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
