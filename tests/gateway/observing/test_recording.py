"""What a recording asks a gateway for, besides what happens anyway."""

from custom_components.openvox_gsm.gateway import Gateway
from simulator import Simulator


async def test_a_look_around(gateway: Simulator, client: Gateway) -> None:
    """It shows all that differs between gateways, and changes nothing."""
    before = len(gateway.commands)
    await client.look_around()
    assert gateway.commands[before:] == [
        "core show version",
        "gsm show version",
        "core show help gsm",
        "core show help gsm send sync sms",
        "core show help gsm send sync csms",
        "core show help gsm send ussd",
        "dialplan show sms@gsm-1",
        "dialplan show sms_send_ok@gsm-1",
        "dialplan show sms_send_failed@gsm-1",
        "dialplan show s@gsm-1",
        "gsm show spans",
        "gsm show span all",
        'manager show user "admin"',
        *(
            f"gsm show {what} {span}"
            for span in gateway.spans
            for what in ("span", "send sms mode", "send sms coding")
        ),
    ]


async def test_a_look_around_at_a_gateway_that_knows_little(
    gateway: Simulator, client: Gateway
) -> None:
    """What fails is left out, and the rest asked all the same."""
    for command in ("core", "dialplan", "manager"):
        gateway.cli.leave_out(command)
    await client.look_around()
    assert gateway.commands[-1] == f"gsm show send sms coding {max(gateway.spans)}"
