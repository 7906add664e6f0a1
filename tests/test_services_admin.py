"""The actions openvox.cli_command and openvox.ami_action."""

from time import monotonic
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
import voluptuous as vol

from custom_components.openvox_gsm.gateway import gateway as gateway_module
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from simulator import Box, Dialect, Simulator, User
from simulator.manager.actions.kind import ActionKind

from .common import gateway_device, give_rights_back, span_device, until

both_dialects = pytest.mark.parametrize(
    "gateway",
    [
        {"dialect": Dialect.ASTERISK_1_8},
        {"dialect": Dialect.ASTERISK_14, "box": Box.TODAY},
    ],
    indirect=True,
    ids=["1.8", "14"],
)


async def command(hass: HomeAssistant, command: str, **way: Any) -> list[str]:
    """Run a command and return the lines that it prints."""
    response: Any = await hass.services.async_call(
        "openvox",
        "cli_command",
        {"command": command, **way},
        blocking=True,
        return_response=True,
    )
    assert response.keys() == {"output"}
    lines: list[str] = response["output"]
    return lines


async def action(
    hass: HomeAssistant, action: str, headers: Any = None, **way: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run an action and return its answer and its events."""
    response: Any = await hass.services.async_call(
        "openvox",
        "ami_action",
        {"action": action, "headers": headers, **way},
        blocking=True,
        return_response=True,
    )
    assert response.keys() == {"response", "events"}
    return response["response"], response["events"]


# Commands


@both_dialects
async def test_a_command(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """What it prints is the response, line by line."""
    lines = await command(hass, " gsm show spans ")

    assert len(lines) == 4
    assert all(line.startswith("GSM span ") for line in lines)
    assert gateway.commands[-1] == "gsm show spans"


@both_dialects
async def test_an_unknown_raw_command(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The command line says so itself."""
    [line] = await command(hass, "make coffee")

    assert line.startswith("No such command 'make coffee'")
    answer, _ = await action(hass, "Command", {"Command": "make coffee"})
    assert answer["Output"] == [line]


async def test_a_command_that_prints_nothing(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """There are no lines, not an empty one."""
    assert await command(hass, 'gsm send sms 2 12345678 "Hi" 30 1') == []


async def test_a_command_without_a_response(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It is run all the same."""
    await hass.services.async_call(
        "openvox", "cli_command", {"command": "core show version"}, blocking=True
    )
    await hass.services.async_call(
        "openvox", "ami_action", {"action": "CoreStatus"}, blocking=True
    )

    assert "core show version" in gateway.commands
    assert gateway.actions[-1] == "CoreStatus"


# What is never sent


@pytest.mark.parametrize(
    "spelling",
    [
        "gsm power stat 1",
        "  GSM\tPower  STAT 2",
        'gsm "power" st"at" 1',
        "g\\sm power \\s\\t\\a\\t 1",
        "gsm power status 1",
    ],
)
async def test_what_hangs_a_span(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, spelling: str
) -> None:
    """In no spelling, and by no detour."""
    commands = list(gateway.commands)

    with pytest.raises(ServiceValidationError, match="blocks the span") as error:
        await command(hass, spelling)
    assert error.value.translation_key == "forbidden_hangs_span"
    for name, headers in (
        ("Command", {"Command": spelling}),
        (" command", {"COMMAND": spelling}),
        ("Command", {"Command": ["gsm show spans", spelling]}),
        ("Command", {"command ": "gsm show spans", "Command": [spelling]}),
    ):
        with pytest.raises(ServiceValidationError, match="blocks the span"):
            await action(hass, name, headers)
    assert gateway.commands == commands


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\r\nAction: Logoff", "a\0b"])
async def test_more_than_one_line(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, text: str
) -> None:
    """It would become headers and actions that nobody asked for."""
    commands = list(gateway.commands)

    for attempt in (
        command(hass, text),
        action(hass, text),
        action(hass, "Getvar", {"Variable": text}),
        action(hass, "Getvar", {text: "x"}),
        action(hass, "Getvar", {"Variable": ["x", text]}),
        action(hass, "Getvar", {"Variable: x": "y"}),
    ):
        with pytest.raises(ServiceValidationError) as error:
            await attempt
        assert error.value.translation_key in ("header_name", "header_value")
    assert gateway.commands == commands
    assert not {"Getvar", "Logoff"} & set(gateway.actions)


async def test_a_line_that_is_too_long(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The gateway would lose it."""
    with pytest.raises(ServiceValidationError, match="at most 1022"):
        await command(hass, "x" * 1100)


@pytest.mark.parametrize("name", ["Login", "logoff", " CHALLENGE ", "Events"])
async def test_what_the_session_does_itself(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, name: str
) -> None:
    """It would break the session for the next action."""
    actions = list(gateway.actions)

    with pytest.raises(
        ServiceValidationError, match=f'the action "{name.strip()}" itself'
    ) as error:
        await action(hass, name)
    assert error.value.translation_key == "forbidden_session_action"
    assert gateway.actions == actions


@pytest.mark.parametrize("header", ["ActionID", "actionid", " Action", "ACTION"])
async def test_headers_of_the_session(
    hass: HomeAssistant, loaded: MockConfigEntry, header: str
) -> None:
    """Answers are told apart by them."""
    with pytest.raises(
        ServiceValidationError, match=f'the header "{header.strip()}" itself'
    ) as error:
        await action(hass, "Ping", {header: "1"})
    assert error.value.translation_key == "forbidden_session_header"


@pytest.mark.parametrize(
    ("service", "data"),
    [
        ("cli_command", {"command": " "}),
        ("cli_command", {}),
        ("ami_action", {"action": ""}),
        ("ami_action", {"action": "Ping", "headers": ["Variable"]}),
        ("ami_action", {"action": "Ping", "headers": {"Variable": {"a": "b"}}}),
    ],
)
async def test_what_is_not_a_call(
    hass: HomeAssistant, loaded: MockConfigEntry, service: str, data: dict[str, Any]
) -> None:
    """It is refused before anything is done."""
    with pytest.raises(vol.Invalid):
        await hass.services.async_call("openvox", service, data, blocking=True)


# Actions: those of the vendor's app note


# Name, headers, and what stands in the answer.
ACTIONS: list[tuple[str, Any, dict[str, str]]] = [
    ("CoreSettings", {}, {"SystemName": "", "CoreMaxCalls": "0"}),
    ("CoreStatus", None, {"CoreCurrentCalls": "0"}),
    ("Ping", "", {"Ping": "Pong"}),
    ("Command", {"Command": "core show uptime"}, {}),
    ("DBPut", {"Family": "f", "Key": "k", "Val": "v"}, {}),
    ("ModuleCheck", {"Module": "chan_extra"}, {"Response": "Success"}),
    ("ModuleLoad", {"Module": "chan_extra", "LoadType": "reload"}, {}),
    ("Reload", {}, {"Message": "Module Reloaded"}),
    ("UserEvent", {"UserEvent": "Test", "Value": 5}, {"Message": "Event Sent"}),
    ("ListCommands", {}, {}),
    ("MailboxCount", {"Mailbox": 1001}, {"NewMessages": "0"}),
    ("MailboxStatus", {"Mailbox": 1001}, {"Waiting": "0"}),
    ("ExtensionState", {"Exten": 1001, "Context": "default"}, {"Status": "-1"}),
    ("ListCategories", {"Filename": "manager.conf"}, {}),
    ("CreateConfig", {"Filename": "test.conf"}, {}),
    ("GetConfig", {"Filename": "manager.conf"}, {"Category-000000": "general"}),
    ("GetConfigJSON", {"Filename": "manager.conf"}, {}),
    ("Setvar", {"Variable": "A", "Value": "B"}, {"Message": "Variable Set"}),
    ("Getvar", {"Variable": "A"}, {"Variable": "A"}),
    ("WaitEvent", {"Timeout": 1}, {}),
    ("CoreShowChannels", {}, {"Message": "Channels will follow"}),
    ("SIPpeers", {}, {}),
    ("SIPshowregistry", {}, {}),
    ("ParkedCalls", {}, {}),
    ("Status", {}, {}),
    ("ShowDialPlan", {}, {}),
]
# They need a channel, a peer or an entry that the gateway has not.
ACTIONS_IN_VAIN: list[tuple[str, dict[str, Any]]] = [
    ("SIPnotify", {"Channel": "SIP/1001", "Variable": "Event=check-sync"}),
    ("SIPqualifypeer", {"Peer": "1001"}),
    ("SIPshowpeer", {"Peer": "1001"}),
    ("AGI", {"Channel": "SIP/1001-1", "Command": "ANSWER"}),
    ("Bridge", {"Channel1": "SIP/1", "Channel2": "SIP/2"}),
    ("Park", {"Channel": "SIP/1", "Channel2": "SIP/2"}),
    ("AOCMessage", {"Channel": "SIP/1", "MsgType": "D"}),
    ("UpdateConfig", {"SrcFilename": "no.conf", "DstFilename": "no.conf"}),
    ("SendText", {"Channel": "SIP/1", "Message": "Hi"}),
    ("AbsoluteTimeout", {"Channel": "SIP/1", "Timeout": 5}),
    ("Atxfer", {"Channel": "SIP/1", "Exten": 1, "Context": "a", "Priority": 1}),
    ("Redirect", {"Channel": "SIP/1", "Exten": 1, "Context": "a", "Priority": 1}),
    ("Hangup", {"Channel": "SIP/1"}),
    ("DataGet", {"Path": "/"}),
    ("DBGet", {"Family": "f", "Key": "none"}),
    ("DBDel", {"Family": "f", "Key": "none"}),
    ("DBDelTree", {"Family": "f"}),
    ("Originate", {"Application": "Hangup"}),
    ("NoSuchAction", {}),
]


@both_dialects
async def test_an_action(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The answer is the response, without what is the session's own business."""
    for name, headers, expected in ACTIONS:
        answer, _ = await action(hass, name, headers)

        assert answer["Response"] in ("Success", "Follows"), name
        assert answer.items() >= expected.items(), name
        assert "ActionID" not in answer
        assert name in gateway.actions[-2:]


async def test_an_action_that_the_gateway_refuses(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """In its own words."""
    give_rights_back(gateway)
    for name, headers in ACTIONS_IN_VAIN:
        with pytest.raises(
            HomeAssistantError, match="The action failed on OpenVox: "
        ) as error:
            await action(hass, name, headers)

        assert error.value.translation_key == "action_failed"
        assert gateway.actions[-1] == name


async def test_a_gateway_that_is_not_connected(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The error is that of every other action."""
    await gateway.stop()
    await until(lambda: not loaded.runtime_data.gateway.is_connected)

    for attempt in (command(hass, "gsm show spans"), action(hass, "Ping")):
        with pytest.raises(HomeAssistantError, match=r"^OpenVox isn't connected, so"):
            await attempt


@both_dialects
async def test_a_list(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Its events come with the answer, without the one that says that it is over."""
    await gateway.incoming_call(2, "4915112345678")

    _, [channel] = await action(hass, "coreshowchannels")

    assert channel["Channel"] == "EXTRA/3-1"
    assert "ActionID" not in channel


@both_dialects
async def test_a_value_of_the_database(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It comes in an event, which Asterisk 1.8 does not announce as a list."""
    value = 'a "b" \\ c; d'
    await action(hass, "DBPut", {"Family": "f", "Key": "k", "Val": value})

    _, [entry, *_] = await action(hass, "DBGet", {"Family": "f", "Key": "k"})

    assert entry["Val"] == value


@both_dialects
async def test_what_a_command_prints(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It is a list of lines, whatever the shape in which Asterisk gives it."""
    answer, events = await action(hass, "Command", {"Command": "gsm show spans"})

    assert [line[:10] for line in answer["Output"]] == [
        f"GSM span {number}" for number in range(1, 5)
    ]
    assert events == []


@pytest.mark.parametrize("is_async", [True, False])
async def test_repeated_headers(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, is_async: bool
) -> None:
    """A list of values is sent as one header each; a truth as Asterisk writes it."""
    await action(
        hass,
        "Originate",
        {
            "Channel": "EXTRA/1/12345678",
            "Application": "Hangup",
            "Async": is_async,
            "Timeout": 1000,
            "Variable": ["A=1", "B=2"],
        },
    )

    [call] = gateway.originated
    assert call.variables == ("A=1", "B=2")
    assert (call.asynchronous, call.timeout_ms) == (is_async, 1000)


async def test_headers_that_come_repeatedly(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
) -> None:
    """They are a list in the response."""

    async def answer(session: Any, action: Any) -> None:
        session.reply(action, "Success", "ChanVariable: A=1", "ChanVariable: B=2")

    gateway.action_table.kinds["ping"] = ActionKind("Ping", (), "", answer)

    response, _ = await action(hass, "Ping")

    assert response == {"Response": "Success", "ChanVariable": ["A=1", "B=2"]}


async def test_thousands_of_headers(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """They don't hold up Home Assistant: twice as many take twice as long."""
    headers = {f"Header{number}": str(number) for number in range(4000)}

    async def answer(session: Any, action: Any) -> None:
        session.reply(
            action, "Success", *(f"{key}: {value}" for key, value in headers.items())
        )

    gateway.action_table.kinds["ping"] = ActionKind("Ping", (), "", answer)
    begun = monotonic()

    response, _ = await action(hass, "Ping")

    assert response == {"Response": "Success"} | headers
    assert monotonic() - begun < 2


# What goes wrong


async def test_no_answer(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may have been run."""
    monkeypatch.setattr(gateway_module, "_RAW_TIMEOUT", 0.05)
    gateway.faults.silent_commands.add("uptime")

    with pytest.raises(
        HomeAssistantError, match="It's unknown whether OpenVox did this"
    ):
        await command(hass, "core show uptime")
    assert await command(hass, "core show version")


async def test_no_right(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The error says where to give it."""
    gateway.users["admin"] = User("admin", "admin", write=["command"])

    with pytest.raises(
        HomeAssistantError, match="select the permission under Write"
    ) as error:
        await action(hass, "Originate", {"Channel": "EXTRA/1/12345678"})
    assert error.value.translation_key == "no_action_right"


async def test_only_administrators(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
) -> None:
    """These actions can do everything with the gateway, also to its cost."""
    for service, data in (
        ("cli_command", {"command": "core show version"}),
        ("ami_action", {"action": "CoreStatus"}),
        ("self_test", {"number": "+4915112345678", "to_span": 2}),
    ):
        with pytest.raises(Unauthorized):
            await hass.services.async_call(
                "openvox",
                service,
                data,
                blocking=True,
                context=Context(user_id=hass_read_only_user.id),
            )
        await hass.services.async_call(
            "openvox",
            service,
            data,
            blocking=True,
            context=Context(user_id=hass_admin_user.id),
        )
    assert gateway.commands.count("core show version") == 1


# Which gateway


async def test_which_gateway(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """By its device, that of a span, or its entry; needed where there are several."""
    for way in (
        {"device_id": gateway_device(hass, loaded).id},
        {"device_id": [span_device(hass, loaded, 3).id]},
        {"config_entry_id": loaded.entry_id},
    ):
        assert len(await command(hass, "gsm show spans", **way)) == 4
    way = {"config_entry_id": other_loaded.entry_id}
    assert len(await command(hass, "gsm show spans", **way)) == 1

    for attempt in (command(hass, "gsm show spans"), action(hass, "Ping")):
        with pytest.raises(ServiceValidationError) as error:
            await attempt
        assert error.value.translation_key == "several_gateways"
