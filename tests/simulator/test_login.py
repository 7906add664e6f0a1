"""Who gets in, and what they may do."""

from collections.abc import AsyncIterator

import pytest

from simulator import STOCK_READ, STOCK_WRITE, Dialect, Simulator, User

from .client import Client, connected


@pytest.fixture
async def stranger(sim: Simulator) -> AsyncIterator[Client]:
    """Give a connection that is not logged in."""
    client = await Client.connect(sim)
    await client.greeting()
    yield client
    client.close()


@pytest.mark.parametrize(("dialect", "version"), [("1.8", "1.1"), ("14", "11.0.0")])
async def test_greeting(dialect: str, version: str) -> None:
    """The greeting differs in the number only."""
    async with Simulator(spans=1, dialect=Dialect(dialect)) as sim:
        client = await Client.connect(sim)
        assert await client.greeting() == f"Asterisk Call Manager/{version}\r\n"
        client.close()


async def test_plain_login(sim: Simulator, stranger: Client) -> None:
    """Name and secret are enough."""
    assert sim.sessions == 0
    answer = await stranger.action(
        "Login", Username="admin", Secret="admin", ActionID="7"
    )
    assert answer == {
        "Response": "Success",
        "ActionID": "7",
        "Message": "Authentication accepted",
    }
    assert sim.sessions == 1


async def test_login_with_challenge(sim: Simulator, stranger: Client) -> None:
    """The secret itself need not travel."""
    assert (await stranger.login_md5("admin", "admin"))["Response"] == "Success"


@pytest.mark.parametrize(("name", "secret"), [("admin", "wrong"), ("nobody", "admin")])
async def test_wrong_password(stranger: Client, name: str, secret: str) -> None:
    """An error, and the connection ends."""
    assert (await stranger.login(name, secret))["Message"] == "Authentication failed"
    assert await stranger.ended()


@pytest.mark.parametrize(("name", "secret"), [("admin", "wrong"), ("nobody", "admin")])
async def test_wrong_challenge(stranger: Client, name: str, secret: str) -> None:
    """The same with a challenge."""
    assert (await stranger.login_md5(name, secret))[
        "Message"
    ] == "Authentication failed"
    assert await stranger.ended()


async def test_key_without_challenge(stranger: Client) -> None:
    """A key proves nothing if nobody asked for one."""
    key = "21232f297a57a5a743894a0e4a801fc3"  # MD5 of "admin"
    answer = await stranger.action("Login", AuthType="MD5", Username="admin", Key=key)
    assert answer["Message"] == "Authentication failed"


async def test_wrong_password_takes_a_second(sim: Simulator, stranger: Client) -> None:
    """Asterisk waits before it answers."""
    assert Simulator(spans=1).login_penalty == 1.0
    sim.login_penalty = 0.2
    stranger.start("Login", Username="admin", Secret="wrong")
    assert await stranger.silent(0.1)
    assert (await stranger.packet())["Response"] == "Error"


async def test_challenge_needs_its_kind(stranger: Client) -> None:
    """Only MD5 is known."""
    assert (await stranger.action("Challenge"))["Message"] == "Must specify AuthType"


async def test_gateway_without_challenge() -> None:
    """A gateway may not know the action at all."""
    async with Simulator(spans=1, challenge=False) as sim:
        client = await Client.connect(sim)
        await client.greeting()
        answer = await client.action("Challenge", AuthType="MD5")
        assert answer["Response"] == "Error"
        assert (await client.login())["Response"] == "Success"
        client.close()


@pytest.mark.parametrize("action", ["Ping", "Command", "Events"])
async def test_nothing_without_login(stranger: Client, action: str) -> None:
    """Before the login everything else is denied."""
    assert (await stranger.action(action))["Message"] == "Permission denied"


async def test_names_of_users_in_capitals(sim: Simulator, sim_14: Simulator) -> None:
    """Later ones do not mind them; beyond ASCII they do."""
    sim_14.users["é"] = User("é", "secret")
    for gateway, name, secret, response in (
        (sim, "ADMIN", "admin", "Error"),
        (sim_14, "ADMIN", "admin", "Success"),
        (sim_14, "é", "secret", "Success"),
        (sim_14, "É", "secret", "Error"),
    ):
        client = await Client.connect(gateway)
        await client.greeting()
        assert (await client.login(name, secret))["Response"] == response, name
        client.close()


async def test_second_login_of_14(sim_14: Simulator) -> None:
    """It changes nothing, with any user and any mask."""
    async with connected(sim_14) as client:
        answer = await client.action(
            "Login", Username="nobody", Secret="wrong", Events="on"
        )
        assert answer == {"Response": "Success", "Message": "Already authenticated"}
        assert await client.silent()


@pytest.mark.parametrize(
    ("mask", "events"),
    [("nonsense", "Off"), ("CALL", "Off"), ("call,nonsense", "On"), ("message", "On")],
)
async def test_mask_of_unknown_classes_of_14(
    sim_14: Simulator, mask: str, events: str
) -> None:
    """It passes over what it does not know."""
    async with connected(sim_14) as client:
        assert (await client.action("Events", EventMask=mask))["Events"] == events


async def test_logoff(sim: Simulator, stranger: Client) -> None:
    """The gateway says good-bye and ends the connection."""
    answer = await stranger.action("Logoff")
    assert answer == {"Response": "Goodbye", "Message": "Thanks for all the fish."}
    assert await stranger.ended()


@pytest.mark.parametrize("events", ["on", "system,call", "system"])
async def test_fully_booted(stranger: Client, events: str) -> None:
    """It comes where the mask includes "system"."""
    await stranger.action("Login", Username="admin", Secret="admin", Events=events)
    assert (await stranger.packet())["Event"] == "FullyBooted"


async def test_fully_booted_without_mask(stranger: Client) -> None:
    """A login without Events sees everything."""
    await stranger.action("Login", Username="admin", Secret="admin")
    assert (await stranger.packet())["Event"] == "FullyBooted"


@pytest.mark.parametrize("events", ["off", "call,dialplan"])
async def test_not_fully_booted(stranger: Client, events: str) -> None:
    """Otherwise it never comes."""
    await stranger.action("Login", Username="admin", Secret="admin", Events=events)
    assert await stranger.silent()


async def test_stock_rights() -> None:
    """The rights that later firmware gives its stock user."""
    assert "dialplan" in STOCK_READ
    assert "command" not in STOCK_READ
    assert {"command", "originate"} <= STOCK_WRITE


async def test_rights_for_actions() -> None:
    """Each action needs one of its rights; some need none."""
    users = [User("low", "low", write=["call"]), User("all", "all", ["all"], ["all"])]
    async with Simulator(spans=1, users=users) as sim:
        async with connected(sim, "low") as client:
            for action in ("Command", "Originate", "DBPut", "CoreSettings"):
                assert (await client.action(action))["Message"] == "Permission denied"
            assert (await client.action("Ping"))["Response"] == "Success"
            answer = await client.action("Hangup", Channel="none")
            assert answer["Message"] == "No such channel"
        async with connected(sim, "all") as client:
            assert (await client.action("CoreSettings"))["Response"] == "Success"


@pytest.mark.parametrize("dialect", Dialect)
async def test_manager_show_user(dialect: Dialect) -> None:
    """The rights can be looked up; 1.8 ends every list with "all"."""
    users = [
        User("low", "low", read=["dialplan", "system"], write=[]),
        User("admin", "admin"),
        User("root", "root", ["all"], ["all"]),
    ]
    old = dialect is Dialect.ASTERISK_1_8
    end = ",all" if old else ""
    async with (
        Simulator(spans=1, users=users, dialect=dialect) as sim,
        connected(sim) as client,
    ):
        text = await client.command("manager show user low")
        assert f"read perm: system,dialplan{end}\n" in text
        assert "write perm: <none>\n" in text
        text = await client.command("manager show user root")
        assert f",test{'' if old else ',security,message'},all\n" in text
        text = await client.command("manager show user x")
        assert text == "There is no manager called x"
        assert "Usage:" in await client.command("manager show user")
        assert "1 users connected." in await client.command("manager show connected")
