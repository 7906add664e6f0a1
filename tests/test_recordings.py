"""Every recording of a gateway, played to the integration.

A file that is put into tests/recordings is a test by itself.
"""

import asyncio
from collections import Counter
import json
from pathlib import Path
import re
import sys

import pytest

from custom_components.openvox_gsm.gateway import Gateway
from custom_components.openvox_gsm.gateway.receiving import inbox as inbox_module
from custom_components.openvox_gsm.gateway.receiving.pdu import (
    Coding,
    PduError,
    decode_deliver,
)
from recording import record, replay as replay_module
from recording.replay import replay
from simulator import Box, Dialect, Simulator
from simulator.replay import Recording, RecordingError, read_recording

_FOLDER = Path(__file__).parent / "recordings"
_FILES = [
    path
    for path in sorted([*_FOLDER.glob("*.json"), *_FOLDER.glob("*/*.json")])
    if path.name not in ("commands.json", "inbound-random.json")  # of another form
]
_PDU = re.compile(r"Variable: SMSPDU\r\nValue: ([0-9A-F]+)(?:\r\n|$)")

pytestmark = pytest.mark.usefixtures("socket_enabled", "hurry")


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the seconds short that an SMS is waited for."""
    monkeypatch.setattr(inbox_module, "MESSAGE_TIMEOUT", 0.3)
    monkeypatch.setattr(inbox_module, "SETTLE_TIME", 0.05)
    monkeypatch.setattr(replay_module, "AFTERWARDS", 0.5)


def texts_in(recording: Recording) -> Counter[str]:
    """Return the texts of the SMS whose PDU is in a recording."""
    texts: Counter[str] = Counter()
    for _, event in recording.events:
        for pdu in _PDU.findall(event.decode("latin-1")):
            try:
                decoded = decode_deliver(pdu)
            except PduError:
                continue
            # A text may contain what looks like another message.
            is_hostile = "\r\n" in decoded.text
            if (
                decoded.is_plain
                and not is_hostile
                and decoded.coding is not Coding.OCTETS
            ):
                texts[decoded.text] += 1
    return texts


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
async def test_a_recording_is_understood(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each answer means something, each text comes once, and nothing breaks."""
    recording = read_recording(path)
    understood = await replay(recording)

    assert not [each for each in caplog.records if each.exc_info]
    assert [command for command, meaning in understood.answers if meaning is None] == []
    told = Counter(part.text for part in understood.parts)
    assert not texts_in(recording) - told


def test_there_are_recordings() -> None:
    """The tests above find their files."""
    assert len(_FILES) > 20


@pytest.mark.parametrize(
    "content",
    ["no JSON", "[]", '{"wire": 1}', '{"wire": [["a", "b", "c"]]}', '{"wire": [[1, "gateway", "€"]]}'],
)  # fmt: skip
def test_what_is_not_a_recording_is_refused(tmp_path: Path, content: str) -> None:
    """With the reason in words."""
    path = tmp_path / "recording.json"
    path.write_text(content, "utf-8")
    with pytest.raises(RecordingError):
        read_recording(path)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("box", Box)
async def test_what_is_recorded_is_played_again(
    tmp_path: Path, box: Box, dialect: Dialect
) -> None:
    """A recording against the simulator: nothing private is in it, and it plays."""
    answers = iter(
        ["admin", "admin", f"Box of {box}", "", "", "", "1", "*100#", *[""] * 9]
    )
    path = tmp_path / "recording.json"

    async with Simulator(
        spans=2, box=box, dialect=dialect, sms_received=True
    ) as gateway:
        gateway.ring_delay = 0.01
        gateway.spans[1].ussd["*100#"] = "Your balance is 12.50 EUR"

        async def owner(question: str, _ask: object = None) -> str:
            if question.startswith("1. "):
                await gateway.receive_sms(2, "+4915112345678", "The code is Xylophon")
                await asyncio.sleep(0.1)
            if question.startswith("3. "):
                call = await gateway.incoming_call(1, "+4915112345678")
                await asyncio.sleep(0.2)
                call.end()
                await asyncio.sleep(0.1)
            return next(answers)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(record, "_ask", owner)
            arguments = [gateway.host, "--port", str(gateway.port)]
            options = record.parse([*arguments, "--file", str(path)])
            assert await record.record(options) == 0

    text = path.read_text("utf-8")
    for secret in ("15112345678", "Xylophon", "balance", "12.50", "*100#"):
        assert secret not in text
    assert json.loads(text)["about"] == f"Box of {box}"
    recording = read_recording(path)
    assert (recording.dialect, recording.box) == (dialect, box)
    understood = await replay(recording)
    assert understood.features.receives_sms is True
    assert [part.text for part in understood.parts] == ["Xxx xxxx xx Xxxxxxxx"]
    assert understood.calls
    assert all(meaning for _, meaning in understood.answers)
    commands = [command for command, _ in understood.answers]
    assert any(command.startswith("gsm send ussd 1 ") for command in commands)


async def test_a_simulator_plays_a_recording(tmp_path: Path) -> None:
    """Python -m simulator --replay is a gateway for anyone."""
    path = _FOLDER / "chan_extra-2.0.8/31-inbound-raw-events.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--replay", str(path)),
        *("--port", "0", "--control-port", "0"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        line = (await process.stdout.readline()).decode()
        found = re.search(r"on (\S+) port ([0-9]+)", line)
        assert found
        parts: list[str] = []
        client = Gateway(
            found[1],
            int(found[2]),
            "admin",
            "admin",
            on_part=lambda part: parts.append(part.text),
            on_connection=lambda _error: None,
        )
        await client.start()
        async with asyncio.timeout(10):
            while not parts:
                await asyncio.sleep(0.1)
        await client.stop()
        assert parts[0] == "Heating is on, 21.5 C."
    finally:
        process.terminate()
        await process.wait()
