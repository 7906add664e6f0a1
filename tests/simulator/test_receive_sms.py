"""Incoming short messages, as a session sees them."""

from datetime import UTC, datetime

import pytest

from simulator import Box, Dialect, Simulator
from simulator.model.deliver import GSM_ALPHABET, deliver, septets_of, text_of_septets
from simulator.model.driver_sms import driver_escape, driver_reading

from .client import Client, connected

SENDER = "+4915112345678"
WHEN = datetime(2026, 3, 14, 15, 9, 26)


def _variables(events: list[dict[str, str]]) -> dict[str, str]:
    return {
        event["Variable"]: event["Value"]
        for event in events
        if event["Event"] == "VarSet"
    }


async def test_order_of_events(sim: Simulator, watcher: Client) -> None:
    """Variables first, then the steps of the extension, then the hangup."""
    (uniqueid,) = await sim.receive_sms(2, SENDER, "hello", WHEN)
    events = await watcher.events(11)
    assert [event.get("Variable", event["Event"]) for event in events] == [
        *("SMSSRC", "SMSTXT", "SMSPDU", "SMSTIME", "SMSTZ", "DIALSTATUS"),
        *("Newexten", "Newexten", "SYSTEMSTATUS", "Newexten", "Hangup"),
    ]
    assert {event["Uniqueid"] for event in events} == {uniqueid}
    assert {event["Channel"] for event in events} == {"EXTRA-SMS/3-1"}
    assert events[6]["Context"] == "gsm-2"
    assert events[7]["AppData"].startswith(
        '/my_tools/process_sms "2" "+4915112345678" '
    )
    assert sim.spans[2].last_event == "SMS received"
    assert sim.channels == {}


async def test_14_raises_newchannel(sim_14: Simulator) -> None:
    """1.8 does not."""
    async with connected(sim_14, events="on") as watcher:
        await sim_14.receive_sms(2, SENDER, "hello")
        assert (await watcher.packet())["Event"] == "Newchannel"


@pytest.mark.parametrize("source", ["varset", "newexten", "hangup"])
async def test_a_firmware_may_leave_events_out(
    sim: Simulator, watcher: Client, source: str
) -> None:
    """Either source alone has to be enough for a client."""
    await sim.receive_sms(
        2, SENDER, "x", varset=source != "varset", newexten=source != "newexten",
        hangup=source != "hangup",
    )  # fmt: skip
    sim.emit(b"Event: End\r\n\r\n")
    names: list[str] = []
    while "End" not in names:
        names.append((await watcher.packet())["Event"])
    hidden = {"varset": "VarSet", "newexten": "Newexten", "hangup": "Hangup"}[source]
    assert hidden not in names
    assert len(set(names)) == 3


async def test_without_pdu(sim: Simulator, watcher: Client) -> None:
    """The variable is there, but empty."""
    await sim.receive_sms(2, SENDER, "x", pdu=False)
    assert _variables(await watcher.events(6))["SMSPDU"] == ""


@pytest.mark.parametrize(
    ("box", "dialect", "value"),
    [
        (Box.OF_2013, Dialect.ASTERISK_1_8, r"\\\"a\\\\bc\\\"?"),
        (
            Box.OF_2013,
            Dialect.ASTERISK_14,
            r"\\\\\\\"a\\\\\\\\bc\\\\\\\"\?",
        ),
        (Box.TODAY, Dialect.ASTERISK_1_8, r'"a\bc"?'),
    ],
)
async def test_escaping(box: Box, dialect: Dialect, value: str) -> None:
    """The driver of 2.0.8 escapes, Asterisk 14 escapes again, but only in VarSet."""
    async with (
        Simulator(spans=1, box=box, dialect=dialect, sms_received=True) as sim,
        connected(sim, events="dialplan") as watcher,
    ):
        text = '"a\\bc"?'
        await sim.receive_sms(1, SENDER, text)
        old = box is Box.OF_2013
        events = await watcher.events(9 if old else 12)
        assert _variables(events)["SMSTXT"] == value
        steps = [event for event in events if event.get("Application") == "System"]
        assert (driver_escape(text) if old else text) in steps[0]["AppData"]


async def test_bytes_that_are_not_utf_8(sim_14: Simulator) -> None:
    """Asterisk 22 replaces them, but only in VarSet."""
    async with connected(sim_14, events="dialplan") as watcher:
        await sim_14.receive_sms(1, SENDER, "café")
        events = await watcher.events(9)
    assert _variables(events)["SMSTXT"] == "caf\xef\xbf\xbd"  # U+FFFD
    step = next(event for event in events if event["Event"] == "Newexten")
    assert step["AppData"] == "caf\xdf"


async def test_raw_line_breaks_inject_packets(sim: Simulator, watcher: Client) -> None:
    """Asterisk 1.8 writes them as they are: a sender can forge whole events."""
    await sim.receive_variables(
        1,
        {"SMSTXT": "x\r\n\r\nEvent: VarSet\r\nForged: yes"},
        newexten=False,
        hangup=False,
    )
    assert (await watcher.packet())["Value"] == "x"
    assert (await watcher.packet())["Forged"] == "yes"


async def test_raw_variables(sim: Simulator, watcher: Client) -> None:
    """Bytes, or text of which each character is a byte."""
    uniqueid = await sim.receive_variables(
        1, {"SMSSRC": b"\xe4", "SMSTXT": "\xff", "X": "1"}
    )
    events = await watcher.events(6)
    assert _variables(events) == {
        "SMSSRC": "ä",
        "SMSTXT": "ÿ",
        "X": "1",
        "DIALSTATUS": "SMS_END",
    }
    assert events[0]["Uniqueid"] == uniqueid


async def test_long_texts_come_as_parts(sim: Simulator, watcher: Client) -> None:
    """Each part is an SMS of its own, in any order, some twice, some never."""
    text = "x" * 153 + "y" * 153 + "z"
    ids = await sim.receive_sms(
        1, SENDER, text, order=[3, 1], repeat_parts=[1], newexten=False, hangup=False
    )
    assert len(set(ids)) == 3
    events = await watcher.events(3 * 7)
    pdus = [event["Value"] for event in events if event.get("Variable") == "SMSPDU"]
    assert [driver_reading(pdu, "utf-8").text[:2] for pdu in pdus] == ["z", "xx", "xx"]


async def test_references_count_up(sim: Simulator, watcher: Client) -> None:
    """Unless one is given."""
    for reference in (None, None, 300):
        await sim.receive_sms(
            1, SENDER, "x" * 161, order=[1], reference=reference, wide_reference=True,
            newexten=False, hangup=False,
        )  # fmt: skip
    events = await watcher.events(3 * 7)
    pdus = [event["Value"] for event in events if event.get("Variable") == "SMSPDU"]
    assert ["06080400010201" in pdus[0], "06080400020201" in pdus[1]] == [True, True]
    assert "060804012C0201" in pdus[2]


async def test_time_zone(sim: Simulator, watcher: Client) -> None:
    """An aware time is shown by the clock of the service centre."""
    when = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)
    await sim.receive_sms(1, SENDER, "x", when, zone_hours=1)
    values = _variables(await watcher.events(6))
    assert (values["SMSTIME"], values["SMSTZ"]) == ("2026/03/14 13:00:00", "GMT+1")


async def test_during_a_call(sim: Simulator, watcher: Client) -> None:
    """The channel has another number then."""
    await sim.incoming_call(1, SENDER)
    await watcher.events(3)
    await sim.receive_sms(1, SENDER, "x")
    assert (await watcher.packet())["Channel"] == "EXTRA-SMS/1-2"


async def test_coding_ascii_loses_everything_else(
    sim: Simulator, watcher: Client
) -> None:
    """A UCS-2 text is empty then, a 7-bit one is not."""
    sim.spans[1].sms_coding = "ascii"
    await sim.receive_sms(1, SENDER, "Ваш", newexten=False, hangup=False)
    await sim.receive_sms(1, SENDER, "plain", newexten=False, hangup=False)
    events = await watcher.events(14)
    texts = [event["Value"] for event in events if event.get("Variable") == "SMSTXT"]
    assert texts == ["", "plain"]


# ---- what the driver makes of a PDU ------------------------------------------------------


def _reading(
    text: str, sender: str = SENDER, zone: float = 8, center: str = "+8613800755500"
) -> str:
    (part,) = deliver(sender, text, WHEN, zone, center)
    return part.pdu


def test_latin_1_like_bytes() -> None:
    """The 7-bit alphabet comes as bytes of its own kind."""
    assert driver_reading(_reading("éÖàΔ€"), "utf-8").text == "\xdf\xcc\xe0\xff\xffe"


def test_no_service_centre_no_sender() -> None:
    """The driver forgets the sender."""
    reading = driver_reading(_reading("x", center=""), "utf-8")
    assert (reading.sender, reading.text) == ("", "x")
    assert driver_reading(_reading("x", center="10086"), "utf-8").sender == SENDER


@pytest.mark.parametrize(
    ("zone", "shown"), [(0, "GMT+0"), (5.75, "GMT+5"), (-5, "GMT+0"), (-2, "GMT+22")]
)
def test_zones(zone: float, shown: str) -> None:
    """West of Greenwich they are wrong, half hours are cut."""
    assert driver_reading(_reading("x", zone=zone), "utf-8").zone == shown


@pytest.mark.parametrize(
    ("text", "shown"), [("д\0д", "д"), ("д😀д", "д"), ("д\ud83dд", "д"), ("дд", "дд")]
)
def test_ucs_2_ends_early(text: str, shown: str) -> None:
    """At a NUL and at whatever is beyond the basic plane."""
    reading = driver_reading(_reading(text), "utf-8")
    assert reading.text.encode("latin-1").decode() == f"\ufeff{shown}"


@pytest.mark.parametrize("sender", ["", "a" * 12, "Ж"])
def test_invalid_senders(sender: str) -> None:
    """A number, or 1 to 11 letters of the GSM alphabet."""
    with pytest.raises(ValueError, match="A sender is"):
        deliver(sender, "x", WHEN, 0, "")


def test_gsm_alphabet() -> None:
    """Septets come back as the text they were, an unknown escape as its letter."""
    text = GSM_ALPHABET.replace("\x1b", "") + "^{}\\[~]|€\f"
    septets = septets_of(text)
    assert septets is not None
    assert text_of_septets([septet for char in septets for septet in char]) == text
    assert text_of_septets([0x1B, 0x61]) == "a"
