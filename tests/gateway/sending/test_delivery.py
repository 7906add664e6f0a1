"""The gateway's late word about messages whose fate was not known."""

import asyncio
import weakref

import pytest

from custom_components.openvox_gsm.ami import Packet
from custom_components.openvox_gsm.gateway.sending.delivery import LateOutcomes

CHANNEL = "EXTRA-SMSSEND/3-1"


def varset(variable: str, value: str, uniqueid: str, channel: str = CHANNEL) -> Packet:
    """A variable is set, as Asterisk 1.8 tells it."""
    return Packet(
        f"Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: {channel}\r\n"
        f"Variable: {variable}\r\nValue: {value}\r\nUniqueid: {uniqueid}".encode()
    )


def newexten(extension: str, uniqueid: str, channel: str = CHANNEL) -> Packet:
    """A step of the dialplan, as Asterisk 1.8 tells it."""
    return Packet(
        f"Event: Newexten\r\nPrivilege: dialplan,all\r\nChannel: {channel}\r\n"
        f"Context: gsm-2\r\nExtension: {extension}\r\nPriority: 1\r\n"
        f"Application: NoOp\r\nAppData: \r\nUniqueid: {uniqueid}".encode()
    )


def send_status(message_id: str, status: str) -> Packet:
    """The event of boxes sold since about 2016."""
    return Packet(
        "Event: SMSSendStatus\r\nPrivilege: system,all\r\nChannel: 2\r\n"
        f"Destination: 10086\r\nID: {message_id}\r\nIMSI: 460021180590502\r\n"
        f"Status: {status}".encode()
    )


def test_it_wants_the_events_of_sent_sms_only() -> None:
    """Everything else on a busy gateway is not even parsed."""
    assert LateOutcomes.wants(newexten("sms_send_ok", "1.1").raw)
    assert LateOutcomes.wants(send_status("ha1", "SUCCESS").raw)
    for packet in (newexten("sms_send_ok", "1.1"), send_status("ha1", "SUCCESS")):
        assert any(marker in packet.raw for marker in LateOutcomes.marker)
    assert not LateOutcomes.wants(newexten("sms", "1.1", "EXTRA-SMS/3-1").raw)


@pytest.mark.parametrize(
    ("extension", "was_sent"), [("sms_send_ok", True), ("sms_send_failed", False)]
)
async def test_verdict(extension: str, was_sent: bool) -> None:
    """The extension that runs tells whether the message was sent."""
    late_outcomes = LateOutcomes()
    with late_outcomes.track() as (message_id, verdict):
        late_outcomes.receive(varset("SMS_SEND_ID", message_id, "1.1"))
        assert not verdict.done()
        late_outcomes.receive(newexten(extension, "1.1"))

        assert verdict.result() is was_sent


@pytest.mark.parametrize(
    ("status", "was_sent"), [("SUCCESS", True), ("FAILED", False), ("", False)]
)
async def test_verdict_by_an_event_of_its_own(status: str, was_sent: bool) -> None:
    """Anything but success is a failure; the ID says of which message."""
    late_outcomes = LateOutcomes()
    with (
        late_outcomes.track() as (message_id, verdict),
        late_outcomes.track() as (_, other),
    ):
        late_outcomes.receive(send_status("somebody else's", "SUCCESS"))
        assert not late_outcomes.raises_status
        late_outcomes.receive(send_status(message_id, status))

        assert verdict.result() is was_sent
        assert not other.done()
        assert late_outcomes.raises_status


async def test_a_verdict_may_come_when_nobody_tracks_the_message_any_more() -> None:
    """As long as its outcome is kept."""
    late_outcomes = LateOutcomes()
    with late_outcomes.track() as (message_id, verdict):
        late_outcomes.keep(message_id)
    late_outcomes.receive(send_status(message_id, "SUCCESS"))
    late_outcomes.receive(send_status(message_id, "FAILED"))

    assert verdict.result() is True


async def test_verdict_as_later_versions_of_asterisk_tell_it() -> None:
    """There, Uniqueid comes before the value, and many headers with it."""
    late_outcomes = LateOutcomes()
    head = (
        f"Channel: {CHANNEL}\r\nChannelState: 0\r\nContext: gsm-2\r\n"
        "Exten: sms_send_ok\r\nPriority: 1\r\nUniqueid: 1.1\r\n"
    )
    with late_outcomes.track() as (message_id, verdict):
        late_outcomes.receive(
            Packet(
                f"Event: VarSet\r\n{head}Variable: SMS_SEND_ID\r\n"
                f"Value: {message_id}".encode()
            )
        )
        late_outcomes.receive(
            Packet(
                f"Event: Newexten\r\n{head}Extension: sms_send_ok\r\n"
                "Application: NoOp\r\nAppData: ".encode()
            )
        )

        assert verdict.result() is True


async def test_messages_are_told_apart() -> None:
    """Each verdict reaches the message whose ID stands on its channel."""
    late_outcomes = LateOutcomes()
    with (
        late_outcomes.track() as (first_id, first),
        late_outcomes.track() as (second_id, second),
    ):
        assert first_id != second_id
        late_outcomes.receive(varset("SMS_SEND_ID", second_id, "1.2"))
        late_outcomes.receive(varset("SMS_SEND_ID", first_id, "1.1"))
        late_outcomes.receive(newexten("sms_send_failed", "1.1"))
        late_outcomes.receive(newexten("sms_send_ok", "1.2"))

        assert first.result() is False
        assert second.result() is True


async def test_the_first_verdict_counts() -> None:
    """A second one changes nothing, and does no harm."""
    late_outcomes = LateOutcomes()
    with late_outcomes.track() as (message_id, verdict):
        late_outcomes.receive(varset("SMS_SEND_ID", message_id, "1.1"))
        late_outcomes.receive(newexten("sms_send_ok", "1.1"))
        late_outcomes.receive(newexten("sms_send_failed", "1.1"))

        assert verdict.result() is True


async def test_what_is_not_a_verdict() -> None:
    """Other variables, other steps, other channels and other IDs."""
    late_outcomes = LateOutcomes()
    with late_outcomes.track() as (message_id, verdict):
        late_outcomes.receive(varset("SMS_SEND_TXT", message_id, "1.1"))
        late_outcomes.receive(newexten("sms_send_ok", "1.1"))
        late_outcomes.receive(varset("SMS_SEND_ID", "somebody else's", "1.2"))
        late_outcomes.receive(newexten("sms_send_ok", "1.2"))
        late_outcomes.receive(varset("SMS_SEND_ID", message_id, "1.3"))
        late_outcomes.receive(newexten("h", "1.3"))
        late_outcomes.receive(newexten("sms_send_ok", "1.4"))
        late_outcomes.receive(Packet(b"Event: Hangup\r\nChannel: " + CHANNEL.encode()))

        assert not verdict.done()


async def test_an_sms_that_comes_in_is_no_verdict() -> None:
    """Its text may name a channel of sent SMS, but it comes on another one."""
    late_outcomes = LateOutcomes()
    with late_outcomes.track() as (message_id, verdict):
        for packet in (
            varset("SMS_SEND_ID", message_id, "1.1", "EXTRA-SMS/3-1"),
            newexten("sms_send_ok", "1.1", "EXTRA-SMS/3-1"),
        ):
            late_outcomes.receive(
                Packet(packet.raw + b"\r\nChannel: EXTRA-SMSSEND/3-1")
            )

        assert not verdict.done()


async def test_nothing_is_left_of_a_message_that_nobody_waits_for() -> None:
    """Its future is cancelled, and a verdict that comes then finds nobody."""
    late_outcomes = LateOutcomes()
    with late_outcomes.track() as (_, other):
        with late_outcomes.track() as (message_id, verdict):
            late_outcomes.receive(varset("SMS_SEND_ID", message_id, "1.1"))
        late_outcomes.receive(newexten("sms_send_ok", "1.1"))
        late_outcomes.receive(varset("SMS_SEND_ID", message_id, "1.2"))
        late_outcomes.receive(newexten("sms_send_ok", "1.2"))

        assert verdict.cancelled()
        assert not other.done()


async def test_a_message_that_nobody_waits_for_is_forgotten() -> None:
    """However many are sent, none of them takes memory afterwards."""
    late_outcomes = LateOutcomes()
    with late_outcomes.track() as (_, verdict):
        left = weakref.ref(verdict)
    del verdict

    assert left() is None


async def test_a_message_has_one_channel() -> None:
    """However many a gateway shows: the last one counts, and no other is kept."""
    late_outcomes = LateOutcomes()
    with late_outcomes.track() as (message_id, verdict):
        for number in range(3):
            late_outcomes.receive(varset("SMS_SEND_ID", message_id, f"1.{number}"))
        late_outcomes.receive(newexten("sms_send_ok", "1.0"))
        assert not verdict.done()
        late_outcomes.receive(newexten("sms_send_ok", "1.2"))

        assert verdict.result() is True


async def test_a_message_that_is_given_up_leaves_the_others_alone() -> None:
    """Also one whose channel has told its ID already."""
    late_outcomes = LateOutcomes()
    with late_outcomes.track() as (message_id, verdict):
        late_outcomes.receive(varset("SMS_SEND_ID", message_id, "1.1"))
        with pytest.raises(asyncio.CancelledError), late_outcomes.track():
            raise asyncio.CancelledError
        late_outcomes.receive(newexten("sms_send_ok", "1.1"))

        assert verdict.result() is True


async def test_an_id_fits_into_a_command() -> None:
    """It is one word, that needs no quotes and that nobody can guess."""
    late_outcomes = LateOutcomes()
    with late_outcomes.track() as (message_id, _):
        assert message_id.isalnum()
        assert len(message_id) >= 12
