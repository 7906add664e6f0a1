"""What a gateway can do, as it is learnt after each login."""

import pytest

from custom_components.openvox_gsm.gateway import (
    CoreStatus,
    Features,
    Gateway,
    NotAnOpenVoxGatewayError,
)
from simulator import STOCK_READ, Box, Dialect, Simulator, User

from .conftest import gateway_with, kinds_of_gateway, until
from .outcomes import MakeClient


def test_nothing_is_known_before_the_first_login() -> None:
    """A right that isn't known is neither there nor missing."""
    features = Features()
    assert features.may_see_sms is None
    assert features.may_see_calls is None
    assert features.may_dial is None
    assert not features.flash


@kinds_of_gateway()
async def test_start_learns_what_the_gateway_can_do(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """That changes nothing, and sends nothing."""
    client = new_client()
    assert not client.is_connected
    await client.start()
    assert client.is_connected
    features = client.features
    old = gateway.dialect is Dialect.ASTERISK_1_8
    later = gateway.box is Box.TODAY
    assert features.asterisk_version == ("1.8.20.0" if old else "22.10.1")
    assert features.driver_version == ("2.2.0" if later else "2.0.8")
    assert features.concatenated_sms
    assert features.message_id
    assert features.flash is later
    assert features.sms_arguments[-1] == features.part_arguments[-1] == "id"
    assert features.may_see_sms is True
    assert features.may_see_calls is True
    assert features.may_dial is True
    assert all(" show " in command for command in gateway.commands)


@gateway_with(users=[User("admin", "admin", read=STOCK_READ - {"dialplan"})])
async def test_a_missing_right_to_see_sms_is_learnt(client: Gateway) -> None:
    """Without it no SMS ever comes in, for no visible reason."""
    assert client.features.may_see_sms is False


@gateway_with(users=[User("admin", "admin", write=["command"])])
async def test_other_rights_are_not_needed(client: Gateway) -> None:
    """What they would give stays unknown."""
    assert client.features.asterisk_version == ""
    assert await client.read_core_status() == CoreStatus()


async def test_a_new_firmware_is_learnt_when_the_gateway_comes_back(
    gateway: Simulator, client: Gateway
) -> None:
    """An update ends with a restart."""
    gateway.become(Box.TODAY)
    await gateway.restart()
    await until(lambda: client.features.flash and client.is_connected)
    assert client.features.driver_version == "2.2.0"


@pytest.mark.parametrize(
    "gateway", [{"dialect": dialect} for dialect in Dialect], indirect=True
)
async def test_a_plain_asterisk_is_no_gateway(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """It has no gsm commands."""
    gateway.cli.leave_out("gsm")
    with pytest.raises(NotAnOpenVoxGatewayError):
        await new_client().start()
    await until(lambda: not gateway.sessions)


@kinds_of_gateway()
async def test_the_profile_of_a_firmware_is_learnt(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """It consists of what the gateway itself says, word by word."""
    client = new_client()
    await client.start()
    features = client.features
    later = gateway.box is Box.TODAY
    assert "gsm send sync csms" in features.commands
    assert ("gsm show cfinfo" in features.commands) is later
    assert ("flash sms" in features.sms_arguments) is later
    assert features.flash_parts is later
    assert features.ussd_arguments == ("span", "message", "timeout")


async def test_the_steps_of_a_gateway_of_2013_receive(
    gateway: Simulator, client: Gateway
) -> None:
    """There is no switch that would have to be on."""
    assert client.features.receives_sms is True
    steps = client.features.sms_steps
    assert steps and steps[0] == "NoOp(${SMSTXT})"


@pytest.mark.parametrize(
    "step",
    [
        'System(/my_tools/process_sms "2")',
        'System(cd /my_tools/lua/sms_receive/ && lua sms_receive.lua "2")',
        'System(/my_tools/process_slavesms "1" "2" "3")',
        "NoOp(${SMSTXT})",
        "NoOp(${SMSORITXT})",
        "NoOp(${SMSPDU})",
    ],
)
def test_a_step_that_receives(step: str) -> None:
    """One is enough: a program of the gateway, or anything that gets the text."""
    assert Features(sms_steps=("NoOp(SMS In)", step, "Hangup()")).receives_sms is True


@gateway_with(box=Box.TODAY)
async def test_a_box_as_sold_receives_nothing(client: Gateway) -> None:
    """Its switch "SMS Received" is off."""
    assert client.features.sms_steps == ("NoOp(SMS In)", "Hangup()")
    assert client.features.receives_sms is False
    assert client.features.outcome_steps is None


@pytest.mark.parametrize("board", [1, 2])
@gateway_with(box=Box.TODAY, sms_received=True)
async def test_a_box_with_the_switch_on_receives(
    gateway: Simulator, new_client: MakeClient, board: int
) -> None:
    """The further boards of a stack have a program of their own."""
    gateway.dialplan.board = board
    client = new_client()
    await client.start()
    assert client.features.receives_sms is True


@gateway_with(box=Box.TODAY)
async def test_steps_that_pass_sms_on_receive_and_keep_their_address(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """The address of "SMS to HTTP" may contain a password."""
    gateway.dialplan.sms_to_http = True
    client = new_client()
    await client.start()
    assert client.features.receives_sms is True
    assert "192.0.2.1" not in repr(client.features)
    assert "Set(message=${SMSTXT})" in (client.features.sms_steps or ())


async def test_a_gateway_that_answers_no_question_connects(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """What it doesn't answer stays unknown, and no other question takes as long."""
    silent = {"core show help gsm ", "dialplan", "manager"}
    gateway.faults.silent_commands = silent
    client = new_client()
    await client.start()
    assert client.is_connected
    assert client.features.driver_version == "2.0.8"
    assert client.features.receives_sms is None
    assert client.features.sms_arguments == ()
    assert len([each for each in gateway.commands if each.startswith((*silent,))]) == 1


async def test_a_version_that_is_too_long_for_a_state(
    gateway: Simulator, new_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It's cut: Home Assistant takes 255 characters."""
    monkeypatch.setattr(type(gateway), "asterisk_version", "1" * 300)
    client = new_client()
    await client.start()
    assert client.features.asterisk_version == "1" * 255


@pytest.mark.parametrize(
    "gateway", [{"dialect": dialect} for dialect in Dialect], indirect=True
)
async def test_a_gateway_that_knows_no_question_connects(
    gateway: Simulator, new_client: MakeClient
) -> None:
    """An Asterisk may lack the commands for its dialplan and its users."""
    for command in ("dialplan", "manager", "core"):
        gateway.cli.leave_out(command)
    client = new_client()
    await client.start()
    assert client.features.receives_sms is None
    assert client.features.commands == ()
