"""HEOS loudspeakers, as far as Home Assistant's `heos` asks when it is set up.

A process of its own, steered by JSON lines on its input. It speaks the command line
protocol of HEOS, lines of JSON on TCP, and asks as little of its client as a real system
might: somebody is signed in, nothing plays, and there are no groups, favourites or inputs.
"""

import asyncio
import json
import sys
from typing import Any
from urllib.parse import urlsplit

# heos knows no other port. Failing over would lead to the other addresses; all of them
# are loopback, and nobody listens there.
PORT = 1255
HOST = "127.0.0.1"

_Json = dict[str, Any]


class System:
    """Loudspeakers in one network, all reached through one of them."""

    def __init__(self) -> None:
        """Have none yet."""
        self._players: list[_Json] = []
        self._last_id = 0

    def renew(self, count: int) -> None:
        """Take `count` new loudspeakers, none of which has ever been seen."""
        first = self._last_id + 1
        self._last_id += count
        self._players = [
            {
                "name": f"Room {number}",
                "pid": first + number - 1,
                "model": "Denon Home 150",
                "version": "3.34.410",
                "ip": f"127.0.0.{number}",
                "network": "wifi",
                "lineout": 0,
                "serial": f"B{first + number - 1:09}",
            }
            for number in range(1, count + 1)
        ]

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one client until it goes."""
        while line := await reader.readline():
            writer.write(json.dumps(self._answer(line.decode())).encode() + b"\r\n")
        writer.close()

    def _answer(self, line: str) -> _Json:
        request = urlsplit(line.strip())  # heos://player/get_volume?pid=1
        command = f"{request.netloc}{request.path}"
        message, more = self._told(command, request.query)
        head = {"command": command, "result": "success", "message": message}
        return {"heos": head, **more}

    def _told(self, command: str, query: str) -> tuple[str, _Json]:
        """Say what stands in the message of an answer, and what stands beside it."""
        match command:
            case "system/check_account":
                return "signed_in&un=bench@example.com", {}
            case "system/register_for_change_events" | "system/heart_beat":
                return query, {}
            case "player/get_players":
                return "", {"payload": self._players}
            case "player/get_play_state":
                return f"{query}&state=stop", {}
            case "player/get_now_playing_media":
                return query, {"payload": {}, "options": []}
            case "player/get_volume":
                return f"{query}&level=20", {}
            case "player/get_mute":
                return f"{query}&state=off", {}
            case "player/get_play_mode":
                return f"{query}&repeat=off&shuffle=off", {}
            case "group/get_groups":
                return "", {"payload": []}
            case "browse/browse":
                return f"{query}&returned=0&count=0", {"payload": []}
        raise ValueError(f"heos asks for {command}, which nobody expected")


async def _main() -> None:
    loop = asyncio.get_running_loop()
    system = System()
    try:
        server = await asyncio.start_server(system.serve, HOST, PORT)
    except OSError as error:
        raise SystemExit(
            f"Cannot listen on {HOST}:{PORT}, the only port that heos knows; "
            f"end whatever listens there ({error})"
        ) from error
    async with server:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            request = json.loads(line)
            if request["do"] != "renew":
                raise ValueError(request)
            system.renew(request["count"])
            sys.stdout.write("{}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main())
