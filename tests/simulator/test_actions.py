"""The other actions of the app note's list."""

import pytest

from simulator import Simulator

from .client import Client, connected

APP_NOTE = [
    "WaitEvent",
    "SIPnotify",
    "SIPshowregistry",
    "SIPqualifypeer",
    "SIPshowpeer",
    "SIPpeers",
    "AGI",
    "DBDelTree",
    "DBDel",
    "DBPut",
    "DBGet",
    "Bridge",
    "Park",
    "ParkedCalls",
    "ShowDialPlan",
    "AOCMessage",
    "ModuleCheck",
    "ModuleLoad",
    "CoreShowChannels",
    "Reload",
    "CoreStatus",
    "CoreSettings",
    "UserEvent",
    "UpdateConfig",
    "SendText",
    "ListCommands",
    "MailboxCount",
    "MailboxStatus",
    "AbsoluteTimeout",
    "ExtensionState",
    "Command",
    "Originate",
    "Atxfer",
    "Redirect",
    "ListCategories",
    "CreateConfig",
    "Status",
    "GetConfigJSON",
    "GetConfig",
    "Getvar",
    "Setvar",
    "Ping",
    "Hangup",
    "Challenge",
    "Login",
    "Logoff",
    "Events",
    "DataGet",
]


@pytest.mark.parametrize("action", APP_NOTE)
async def test_every_action_answers(sim: Simulator, action: str) -> None:
    """Whatever it is, an answer with its ActionID comes."""
    rights = ["all"]
    sim.users["root"] = type(sim.users["admin"])("root", "root", rights, rights)
    async with connected(sim, "root") as client:
        client.start(action, ActionID="77")
        text = await client.raw_packet()
        assert text.startswith("Response: ")
        assert "ActionID: 77\r\n" in text


async def test_list_commands(client: Client) -> None:
    """Only those that the user may use, with their rights."""
    answer = await client.action("ListCommands")
    assert answer["Ping"].endswith("(Priv: <none>)")
    assert answer["DBGet"].endswith("(Priv: system,reporting,all)")
    assert "AOCMessage" not in answer


async def test_lists_are_framed(client: Client) -> None:
    """A head, events, and an event that ends the list, all with the same ActionID."""
    for action in (
        "SIPpeers",
        "Status",
        "CoreShowChannels",
        "ShowDialPlan",
        "ParkedCalls",
    ):
        head = await client.action(action, ActionID="5")
        assert head["EventList"] == "start"
        event = head
        while event.get("EventList") != "Complete":
            event = await client.packet()
            assert event["ActionID"] == "5"
        assert event["Event"].endswith("Complete")


async def test_status_of_a_channel_that_is_not_there(client: Client) -> None:
    """An error."""
    assert (await client.action("Status", Channel="x"))["Message"] == "No such channel"


async def test_database(client: Client) -> None:
    """Put, get, delete."""
    where = {"Family": "f", "Key": "k"}
    assert (await client.action("DBPut", **where, Val="v"))["Response"] == "Success"
    await client.action("DBGet", **where, ActionID="9")
    assert (await client.packet())["Val"] == "v"
    assert await client.packet() == {"Event": "DBGetComplete", "ActionID": "9"}
    assert (await client.action("DBDel", **where))[
        "Message"
    ] == "Key deleted successfully"
    for action in ("DBGet", "DBDel"):
        assert (await client.action(action, **where))[
            "Message"
        ] == "Database entry not found"
        assert (await client.action(action, Key="k"))[
            "Message"
        ] == "No family specified."
    assert (await client.action("DBPut", Family="f"))["Message"] == "No key specified."
    await client.action("DBPut", **where)
    assert (await client.action("DBDelTree", Family="f"))["Response"] == "Success"
    assert (await client.action("DBDelTree", Family="f"))["Response"] == "Error"


async def test_database_of_14(sim_14: Simulator) -> None:
    """The answer is a list there."""
    async with connected(sim_14) as client:
        await client.action("DBPut", Family="f", Key="k", Val="v")
        head = await client.action("DBGet", Family="f", Key="k", ActionID="1")
        assert head["EventList"] == "start"
        assert (
            await client.raw_packet()
            == "Event: DBGetResponse\r\nFamily: f\r\nKey: k\r\nVal: v\r\nActionID: 1\r\n\r\n"
        )
        assert (await client.packet())["Event"] == "DBGetComplete"
        await client.action("DBDel", Family="f", Key="k")
        answer = await client.action("DBDel", Family="f", Key="k")
        assert answer["Message"] == "Database entry could not be deleted"


async def test_status_of_14(sim_14: Simulator) -> None:
    """The number of channels comes twice."""
    async with connected(sim_14) as client:
        await client.action("Status")
        end = await client.packet()
        assert (end["ListItems"], end["Items"]) == ("0", "0")


async def test_modules(client: Client, sim_14: Simulator) -> None:
    """Later ones tell whether it is there."""
    assert (await client.action("ModuleCheck", Module="x"))["Response"] == "Success"
    async with connected(sim_14) as later:
        for module in ("chan_extra", "chan_extra.so"):
            answer = await later.action("ModuleCheck", Module=module)
            assert answer["Version"] == ""
        answer = await later.action("ModuleCheck", Module="x")
        assert answer["Message"] == "Module not loaded"


@pytest.mark.parametrize(
    "lacking", [{}, {"Exten": "5"}, {"Exten": "5", "Context": "c", "Priority": "0"}]
)
async def test_originate_of_14_without_a_destination(
    sim_14: Simulator, lacking: dict[str, str]
) -> None:
    """It takes an application, or all three that tell a place in the dialplan."""
    async with connected(sim_14) as client:
        answer = await client.action("Originate", Channel="EXTRA/1/10086", **lacking)
    assert answer["Message"] == (
        "Originate with 'Exten' requires 'Context' and 'Priority'"
    )
    assert sim_14.originated == []


async def test_variables(sim: Simulator, watcher: Client) -> None:
    """Global ones and those of a channel; each change is a VarSet."""
    await watcher.action("Setvar", Variable="SMSSRC", Value="forged")
    event = await watcher.packet()
    assert (event["Event"], event["Channel"], event["Uniqueid"]) == (
        "VarSet",
        "none",
        "none",
    )
    assert (await watcher.action("Getvar", Variable="SMSSRC"))["Value"] == "forged"
    assert (await watcher.action("Getvar", Variable="X"))["Value"] == ""
    await sim.incoming_call(1, "10086")
    await watcher.events(3)
    where = {"Channel": "EXTRA/1-1", "Variable": "A"}
    await watcher.action("Setvar", **where, Value="1")
    assert (await watcher.packet())["Channel"] == "EXTRA/1-1"
    assert (await watcher.action("Getvar", **where))["Value"] == "1"
    for action in ("Getvar", "Setvar"):
        assert (await watcher.action(action))["Message"] == "No variable specified"
        answer = await watcher.action(action, Channel="x", Variable="A")
        assert answer["Message"] == "No such channel"


async def test_global_variable_of_14(sim_14: Simulator) -> None:
    """Its name comes last, and its value is escaped."""
    async with connected(sim_14, events="dialplan") as watcher:
        await watcher.action("Setvar", Variable="A", Value='"')
        assert await watcher.raw_packet() == (
            "Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: none\r\n"
            'Uniqueid: none\r\nVariable: A\r\nValue: \\"\r\n\r\n'
        )


async def test_user_event(watcher: Client) -> None:
    """It is sent to everybody, its sender included."""
    answer = await watcher.action(
        "UserEvent", UserEvent="Test", Color="red", ActionID="1"
    )
    assert answer["Message"] == "Event Sent"
    event = await watcher.packet()
    assert (event["Event"], event["UserEvent"], event["Color"]) == (
        "UserEvent",
        "Test",
        "red",
    )


async def test_config(client: Client) -> None:
    """One file is there."""
    assert (await client.action("GetConfig"))["Message"] == "Filename not specified"
    answer = await client.action("GetConfig", Filename="x.conf")
    assert answer["Message"] == "Config file not found"
    answer = await client.action("GetConfig", Filename="manager.conf")
    assert answer["Category-000000"] == "general"
    assert "JSON" in await client.action("GetConfigJSON", Filename="manager.conf")
    answer = await client.action("ListCategories", Filename="manager.conf")
    assert answer["Category-000000"] == "general"


async def test_mailbox_and_extension(client: Client) -> None:
    """Empty, and not there."""
    assert (await client.action("MailboxStatus", Mailbox="1"))["Waiting"] == "0"
    assert (await client.action("MailboxCount", Mailbox="1"))["NewMessages"] == "0"
    assert (await client.action("ExtensionState", Exten="1"))["Status"] == "-1"


async def test_wait_event(client: Client) -> None:
    """It ends at once."""
    await client.action("WaitEvent")
    assert (await client.packet())["Event"] == "WaitEventComplete"
