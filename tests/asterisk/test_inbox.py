"""SMS that come in through the dialplan of a real Asterisk.

What Asterisk makes of variables and dialplan steps is its own work here: only
the driver is ours, which sets the variables, and the name of the channel.
"""

import json
from pathlib import Path
import re
import time
from typing import Any

from hypothesis import HealthCheck, example, given, settings, strategies as st
import pytest

from custom_components.openvox_gsm.ami import Packet, Session
from custom_components.openvox_gsm.gateway import IncomingSms
from custom_components.openvox_gsm.gateway.receiving.assembly import Assembler
from custom_components.openvox_gsm.gateway.receiving.inbox import MESSAGE_TIMEOUT, Inbox

from .conftest import LogIn, until
from .driver import CHANNEL, MARK, SPANS, Delivery, bring, deliveries

from tests.common import named
from tests.gateway.clock import Clock

pytestmark = pytest.mark.asterisk

SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "inbound-sms.json").read_text("utf-8")
)
ALICE, BOB, EVE = "+4915112345678", "MyBank", "+4915199999999"

generated = settings(
    max_examples=60,
    deadline=None,
    # One receiver serves all examples of a test, and is emptied by each.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Receiver:
    """An inbox that is fed by a session, and what comes out of it."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.clock = Clock()
        self.messages: list[IncomingSms] = []
        assembler = Assembler(self.messages.append, self.clock.call_later)
        self.inbox = Inbox(
            assembler.add, self.clock.call_later, channel=CHANNEL, marker=MARK
        )
        self.packets: list[bytes] = []
        self._ended = 0

    def subscribe(self, session: Session) -> None:
        """Ask a session for the events of SMS."""
        session.subscribe(self.inbox.wants, self.inbox.receive)
        session.subscribe(self._keep, lambda packet: None)
        session.subscribe(named("Hangup"), self._hung_up)

    def _keep(self, raw: bytes) -> bool:
        self.packets.append(raw)
        return False

    def _hung_up(self, packet: Packet) -> None:
        # A forged event has no such header.
        if CHANNEL.fullmatch(packet.get("Channel")) and "Cause-txt" in packet:
            self._ended += 1

    async def told_of(
        self, driver: Session, messages: list[Delivery]
    ) -> list[tuple[int, str, str]]:
        """Let SMS come in; return span, sender and text of what was delivered."""
        self.messages.clear()
        self.packets.clear()
        self._ended = 0
        await bring(driver, messages)
        await until(lambda: self._ended == len(messages))
        self.clock.let_pass(2 * MESSAGE_TIMEOUT + 1)
        return [(sms.span, sms.sender, sms.text) for sms in self.messages]

    def values(self, variable: str) -> list[str]:
        """Return what the genuine events of a variable told, one for each message."""
        return [
            packet.get("Value")
            for packet in map(Packet, self.packets)
            if packet.event == "VarSet"
            and packet.get("Variable") == variable
            and CHANNEL.fullmatch(packet.get("Channel"))
        ]


@pytest.fixture
async def receiver(request: pytest.FixtureRequest, log_in: LogIn) -> Receiver:
    """A receiver behind a session of a user, usually of one who sees all."""
    receiver = Receiver()
    username = getattr(request, "param", "admin")
    await log_in(username, events="call,dialplan", subscribe=receiver.subscribe)
    return receiver


def seen_by(*usernames: str) -> pytest.MarkDecorator:
    """Run a test with sessions that see all events, or are kept from some."""
    return pytest.mark.parametrize("receiver", usernames, indirect=True)


# What the gateway gives


def sample(name: str) -> dict[str, Any]:
    """Return a sample by its name."""
    return next(each for each in SAMPLES if each["name"] == name)


def variables(part: dict[str, Any]) -> dict[str, bytes]:
    """Return the variables of a sample's part, as the bytes that they are."""
    return {
        "SMSSRC": part["SMSSRC_bytes_latin1"].encode("latin-1"),
        "SMSTXT": re.sub(
            rb'["\\`]', rb"\\\\\\\g<0>", part["SMSTXT_bytes_latin1"].encode("latin-1")
        ),
        "SMSPDU": part["SMSPDU"].encode(),
        "SMSTIME": part["SMSTIME"].encode(),
        "SMSTZ": part["SMSTZ"].encode(),
    }


@seen_by("admin", "stock", "variables-only")
@pytest.mark.parametrize("name", [each["name"] for each in SAMPLES])
async def test_each_sample(session: Session, receiver: Receiver, name: str) -> None:
    """Comes out as it was sent, whatever the driver and Asterisk made of it."""
    sms = sample(name)
    parts = [Delivery(sms["span"], variables(part)) for part in sms["parts"]]
    assert await receiver.told_of(session, parts) == [
        (sms["span"], sms["sender"], sms["text"])
    ]


async def test_messages_of_many_spans_at_once(
    session: Session, receiver: Receiver
) -> None:
    """Each comes out once, with its own sender and text."""
    sent = [
        (span, sender, f"{number} " + text)
        for number in range(10)
        for span in SPANS
        for sender, text in ((ALICE, "open gate"), (BOB, "Ваш баланс 150 руб. 🚪" * 4))
    ]
    parts = [part for message in sent for part in deliveries(*message)]
    assert sorted(await receiver.told_of(session, parts)) == sorted(sent)


async def test_the_events_of_a_message(session: Session, receiver: Receiver) -> None:
    """Are the ones, in the order, in which the inbox and the simulator expect them."""
    await receiver.told_of(session, deliveries(2, ALICE, "hello"))
    of_channel = [
        packet
        for packet in map(Packet, receiver.packets)
        if CHANNEL.fullmatch(packet.get("Channel"))
    ]
    told = [
        packet.get("Variable") or packet.get("Application") or packet.event
        for packet in of_channel
        if packet.event in ("VarSet", "Newexten", "Hangup")
        and packet.get("Variable") != "DIALEDPEERNUMBER"  # of Dial
    ]
    assert told == [
        *("SMSSRC", "SMSTXT", "SMSPDU", "SMSTIME", "SMSTZ"),
        *("NoOp", "NoOp", "Hangup", "Hangup"),
    ]
    assert len({packet.get("Uniqueid") for packet in of_channel}) == 1


async def test_what_is_not_utf_8(session: Session, receiver: Receiver) -> None:
    """Asterisk replaces it in the value of a variable, not in a step of the dialplan."""
    message = Delivery(
        2, deliveries(2, ALICE, "x")[0].variables | {"SMSTXT": b"caf\xdf"}
    )
    await receiver.told_of(session, [message])
    assert receiver.values("SMSTXT") == ["caf\ufffd"]
    assert any(packet.endswith(b"AppData: caf\xdf") for packet in receiver.packets)


# Hostile texts

# What may stand in a forged packet; ``{channel}`` and ``{uniqueid}`` are the genuine
# ones of the message itself, which a sender may guess.
FORGERIES = (
    "\r\n", "\n", "\r\n\r\n", "\r\n\r\nEvent: VarSet\r\n", "\r\n\r\nEvent: Newexten\r\n",
    "Event: Hangup\r\n", "Privilege: dialplan,all\r\n", "Channel: {channel}\r\n",
    "Channel: Local/sms@voice-1-00000001;2\r\n", "Uniqueid: {uniqueid}\r\n",
    "Uniqueid: 1.1\r\n", "Linkedid: {uniqueid}\r\n", "Extension: sms\r\n",
    "Variable: SMSSRC\r\nValue: +491\r\n", "Variable: SMSTXT\r\nValue: open gate\r\n",
    "Variable: SMSPDU\r\nValue: 00\r\n", "Application: System\r\n", "Exten: sms\r\n",
    'AppData: /my_tools/process_sms "2" "+491" "2026/03/14 15:09:26" "open gate"',
    "--END COMMAND--\r\n\r\n", "Response: Follows\r\n", "Response: Success\r\n",
    '"', '" > /dev/null 2>&1 &', "\\", "`", "${SMSSRC}", "$(reboot)", "; reboot", "é", "🚪",
)  # fmt: skip
hostile = st.lists(
    st.sampled_from(FORGERIES) | st.text(st.characters(codec="utf-8"), max_size=5),
    max_size=8,
).map("".join)


async def next_channel(session: Session, receiver: Receiver) -> dict[str, str]:
    """Guess channel and Uniqueid of the next SMS, as its sender may."""
    await receiver.told_of(session, deliveries(2, ALICE, "first"))
    channel, uniqueid = next(
        (packet.get("Channel"), packet.get("Uniqueid"))
        for packet in map(Packet, receiver.packets)
        if CHANNEL.fullmatch(packet.get("Channel"))
    )
    count = int(channel[-10:-2], 16) + 2
    return {
        "channel": f"{channel[:-10]}{count:08x};2",
        "uniqueid": f"{int(time.time())}.{int(uniqueid.partition('.')[2]) + 4}",
    }


def filled(text: str, guess: dict[str, str]) -> str:
    """Put the guesses in, and take out what no SMS can hold."""
    for name, value in guess.items():
        text = text.replace(f"{{{name}}}", value)
    return re.sub("[\0\x1b]", "", text)


async def test_channel_and_uniqueid_can_be_guessed(
    session: Session, receiver: Receiver
) -> None:
    """So the hostile texts of these tests name the right ones."""
    for _ in range(5):  # a second may end between the two
        guess = await next_channel(session, receiver)
        await receiver.told_of(session, deliveries(2, EVE, "hello"))
        packet = next(
            packet
            for packet in map(Packet, receiver.packets)
            if CHANNEL.fullmatch(packet.get("Channel"))
        )
        if {key: packet.get(key) for key in guess} == guess:
            return
    pytest.fail("none of the guesses was right")


@seen_by("admin", "variables-only")
@generated
@given(hostile)
@example(
    'x"\r\n\r\nEvent: VarSet\r\nChannel: {channel}\r\nUniqueid: {uniqueid}\r\n'
    "Variable: SMSSRC\r\nValue: +491"
)
@example('x" &\r\n\r\nEvent: Newexten\r\nChannel: {channel}\r\nExtension: sms\r\n')
@example("x\r\n--END COMMAND--\r\n\r\nResponse: Success")
async def test_a_hostile_text(session: Session, receiver: Receiver, text: str) -> None:
    """One SMS, from the one who sent it, with the text that it has."""
    text = filled(text, await next_channel(session, receiver))
    assert await receiver.told_of(session, deliveries(2, EVE, text)) == [(2, EVE, text)]


@generated
@given(hostile, hostile)
async def test_a_hostile_text_beside_others(
    session: Session, receiver: Receiver, text: str, other: str
) -> None:
    """Nobody's message is lost or changed, in whatever order all of them came."""
    guess = await next_channel(session, receiver)
    sent = [
        (1, ALICE, "Heating is on, 21.5 C."),
        (2, EVE, filled(text, guess)),
        (3, BOB, "Ваш баланс 150 руб."),
        (1, EVE, filled(other, guess)),
    ]
    parts = [part for message in sent for part in deliveries(*message)]
    assert sorted(await receiver.told_of(session, parts)) == sorted(sent)


async def test_a_forged_packet_gets_through_asterisk(
    session: Session, receiver: Receiver
) -> None:
    """So all of this is needed: Asterisk writes a step of the dialplan as it is."""
    forged = "Event: VarSet\r\nVariable: SMSSRC\r\nValue: +491"
    text = f'x"\r\n\r\n{forged}\r\n\r\n'
    assert await receiver.told_of(session, deliveries(2, EVE, text)) == [(2, EVE, text)]
    assert receiver.packets.count(forged.encode()) == 2  # one for each step
    # The value of a variable is escaped instead.
    assert receiver.values("SMSSRC") == [EVE]


# Without a PDU

plain = st.lists(
    st.sampled_from([each for each in FORGERIES if each.isascii() and "{" not in each])
    # The driver reads on behind the end of a text with characters of two septets.
    | st.text(st.characters(codec="ascii", exclude_characters="\0\x1b[]{}^~|\\")),
    max_size=4,
).map(lambda pieces: "".join(pieces)[:60])


@seen_by("admin", "variables-only")
@generated
@given(plain)
@example('x" > /dev/null 2>&1 &\r\n\r\nEvent: VarSet\r\n')
async def test_a_hostile_text_without_a_pdu(
    session: Session, receiver: Receiver, text: str
) -> None:
    """Asterisk escapes the variables, so they tell it all the same."""
    parts = deliveries(2, EVE, text, with_pdu=False)
    assert await receiver.told_of(session, parts) == [(2, EVE, text)]


@seen_by("steps-only")
@pytest.mark.parametrize("text", ["hello", "Ваш баланс 150 руб.", 'say "hi"', "a\r\nb"])
async def test_steps_alone(session: Session, receiver: Receiver, text: str) -> None:
    """Where the variables are held back the program's line tells all but the PDU."""
    parts = deliveries(2, ALICE, text)
    assert await receiver.told_of(session, parts) == [(2, ALICE, text)]
    assert not receiver.values("SMSPDU")


@seen_by("steps-only")
@generated
@given(plain)
@example('x" > /dev/null 2>&1 &\r\n\r\nEvent: VarSet\r\n')
async def test_a_hostile_text_where_steps_are_all_there_is(
    session: Session, receiver: Receiver, text: str
) -> None:
    """It is put together again; of empty lines in a row one is left."""
    parts = deliveries(2, EVE, text, with_pdu=False)
    text = re.sub("(\r\n){3,}", "\r\n\r\n", text)
    assert await receiver.told_of(session, parts) == [(2, EVE, text)]
    assert not receiver.values("SMSSRC")


async def test_bytes_beyond_ascii_without_a_pdu(
    session: Session, receiver: Receiver
) -> None:
    """The step of the dialplan still has what Asterisk replaced in the variable."""
    (sms,) = deliveries(2, ALICE, "x", with_pdu=False)
    sms = Delivery(2, sms.variables | {"SMSTXT": b"Stra\xdfe"})
    assert await receiver.told_of(session, [sms]) == [(2, ALICE, "Straße")]
