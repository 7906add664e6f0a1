"""What the gateway says of its spans."""

import pytest

from simulator import Box, SimSpan, Simulator

from .client import Client, connected


def _fields(text: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in text.split("\n") if ": " in line)


async def test_status_list(sim: Simulator, client: Client) -> None:
    """All words of the status, in the driver's order."""
    one, two, three = (sim.spans[number] for number in (1, 2, 3))
    one.alarm, one.active = True, False
    two.status = "Pin (1234) Error"
    three.power = False
    assert (await client.command("gsm show spans")).split("\n") == [
        "GSM span 1: Power on, Provisioned, In Alarm, Up, Standby, Standard",
        "GSM span 2: Power on, Provisioned, Pin (1234) Error, Active, Standard",
        "GSM span 3: Power off, Provisioned, Down, Active, Standard",
    ]


async def test_show_span(sim: Simulator, client: Client) -> None:
    """All attributes show at once."""
    span = sim.spans[2]
    span.operator, span.signal, span.ber = "Télé: com", -1, 99
    span.network_status, span.last_event = "Registered (Roaming)", "Ring"
    span.provisioned = False
    fields = _fields(await client.command("gsm show span 2 and more"))
    assert fields["D-channel"] == "4"
    assert fields["Status"] == "Power on, Up, Active, Standard"
    assert fields["Network Name"].encode("latin-1").decode() == "Télé: com"
    assert fields["Signal Quality (0,31)"] == "-1"
    assert fields["BER value (0,7)"] == "99"
    assert fields["Network Status"] == "Registered (Roaming)"
    assert fields["Model IMEI"] == "860041020985602"
    assert (fields["Last event"], fields["State"]) == ("Ring", "READY")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Up", "READY"),
        ("Undetected SIM Card", "SIM READY REQ"),
        ("Pin (undefined) Error", "SIM PIN REQ"),
        ("Down", "DOWN"),
    ],
)
async def test_state_follows_the_status(
    sim: Simulator, status: str, state: str
) -> None:
    """Unless it is set to something else."""
    span = sim.spans[1]
    span.status = status
    assert span.state == state
    span.state = "INIT 3"
    assert span.state == "INIT 3"
    span.state = None
    assert span.state == state


async def test_open_driver_cuts_its_own_output(client: Client) -> None:
    """The NULs behind the AT lines end the answer, and "all" shows the first span only."""
    one = await client.command("gsm show span 1")
    assert one.endswith("Last send AT: AT+CREG?\\r\\n")
    everything = await client.command("gsm show span ALL")
    assert everything.count("---Start Span") == 1
    assert "---End Span" not in everything


async def test_a_box_of_today_shows_all(today: Simulator) -> None:
    """No NULs behind the AT lines, so nothing is cut; some lines more."""
    today.spans[1].own_number = "+4915112345678"
    today.spans[2].limits = ["Call", "Sms"]
    async with connected(today) as client:
        everything = await client.command("gsm show span all")
        assert everything.count("---Start Span") == everything.count("---End Span") == 3
        fields = _fields(await client.command("gsm show span 1"))
        assert fields["Last receive AT"] == "\\r\\nOK\\r\\n"
        assert fields["Network Band"] == "EGSM900"
        assert fields["Limit"] == "No Limit"
        two = _fields(await client.command("gsm show span 2"))
        assert two["Limit"] == "Call, Sms"
        assert fields["Own Number"] == "+4915112345678"
        assert fields["Status"] == "Power on, Provisioned, Up, Active,Standard"


@pytest.mark.parametrize(
    ("argument", "answer"),
    [
        ("9", "No GSM running on span 9"),
        ("0", "Invalid span '0'.  Should be a number from 1 to 32"),
        ("x", "Invalid span '0'.  Should be a number from 1 to 32"),
        ("33", "Invalid span '33'.  Should be a number from 1 to 32"),
        (
            "99999999999999999999",
            "Invalid span '2147483647'.  Should be a number from 1 to 32",
        ),
    ],
)
async def test_spans_that_are_not_there(
    client: Client, argument: str, answer: str
) -> None:
    """The driver says why, and the failed command is repeated."""
    command = f"gsm show span {argument}"
    assert await client.command(command) == f"{answer}\nCommand '{command}' failed."


async def test_no_dchannel(sim: Simulator, client: Client) -> None:
    """A span may be there without its D-channel."""
    sim.spans[2].dchannel_running = False
    assert (await client.command("gsm show span 2")).startswith(
        "No dchannel running on span 2\n"
    )


async def test_spans_come_and_go(sim: Simulator, client: Client) -> None:
    """A board is added, a span vanishes."""
    assert isinstance(sim.add_span(40), SimSpan)
    sim.remove_span(1)
    lines = (await client.command("gsm show spans")).split("\n")
    assert [line.split(":")[0] for line in lines] == [
        "GSM span 2",
        "GSM span 3",
        "GSM span 40",
    ]
    answer = await client.command("gsm show span 99")
    assert answer.startswith("Invalid span '99'.  Should be a number from 1 to 44")
    for number in (2, 0, 45):
        with pytest.raises(ValueError, match="no new span"):
            sim.add_span(number)


@pytest.mark.parametrize("count", [0, 45])
async def test_number_of_spans(count: int) -> None:
    """A gateway has 1 to 44 spans."""
    with pytest.raises(ValueError, match="1 to 44"):
        Simulator(spans=count)


async def test_settings_of_sms(client: Client) -> None:
    """Mode, coding and service centre are shown and set per span."""
    assert await client.command("gsm show send sms mode 1") == "pdu"
    assert await client.command("gsm set send sms mode text 1") == ""
    assert await client.command("gsm show send sms mode 1") == "text"
    await client.command("gsm set send sms mode pdu 1")
    assert await client.command("gsm show send sms mode 1") == "pdu"
    assert await client.command("gsm show send sms coding 1") == "utf-8"
    await client.command("gsm set send sms coding 1 ascii")
    assert await client.command("gsm show send sms coding 1") == "ascii"
    assert await client.command("gsm show send sms smsc 1") == "Undefined"
    await client.command("gsm set send sms smsc 1 +4917112345")
    assert await client.command("gsm show send sms smsc 1") == "+4917112345"


@pytest.mark.parametrize(
    "command",
    [
        "gsm show spans x",
        "gsm show span",
        "gsm show send sms mode",
        "gsm set send sms coding 1",
        "gsm power on",
        "gsm send ussd 1",
        "gsm send ussd 1 *100# 10 x",
        "gsm send sync csms 1 10086 text 1 2 3",
    ],
)
async def test_wrong_number_of_arguments(client: Client, command: str) -> None:
    """The usage is printed instead."""
    assert (await client.command(command)).startswith("Usage: gsm ")


async def test_other_gsm_commands(sim: Simulator, client: Client) -> None:
    """What has no effect here at least answers."""
    assert await client.command("gsm send at 1 AT+CSQ") == ""
    assert await client.command("gsm send pdu 1 00") == ""
    assert await client.command("gsm show debug at 1") == "span 1 at debug on"
    assert await client.command("gsm set debug file /tmp/x") == ""
    assert "Usage: gsm set debug file" in await client.command("gsm set debug file")
    assert await client.command("gsm debug span 1") == "Enabled debugging on span 1"
    assert "Span 1: Debug: Yes" in await client.command("gsm show debug")
    assert await client.command("gsm no debug span 1") == "Disabled debugging on span 1"
    assert "Span 1: Debug: No" in await client.command("gsm show debug")
    assert (
        await client.command("gsm unset debug file")
        == "GSM debug output to file disabled"
    )
    sim.spans[1].status = "No Signal"
    assert sim.spans[1].state == "NET REQ"
    assert "not in ready state" in await client.command("gsm send at 1 AT+CSQ")


async def test_version_of_today(today: Simulator) -> None:
    """It is another one."""
    assert today.box is Box.TODAY
    async with connected(today) as client:
        assert "2.0.8" not in await client.command("gsm show version")
