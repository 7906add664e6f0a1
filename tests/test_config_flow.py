"""Adding a gateway, renewing its password, moving it, its options."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.openvox_gsm.const import CONF_LINE_BREAKS, DOMAIN
from custom_components.openvox_gsm.gateway import Gateway
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from simulator import Simulator, User
from simulator.asterisk_cli import COMMANDS as ASTERISK_COMMANDS
from simulator.cli import CommandLine

from .common import PHONE, give_rights_back, set_rights, until

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")


def answers(gateway: Simulator, **changed: Any) -> dict[str, Any]:
    """Return what a user types who knows the gateway."""
    return {
        CONF_HOST: gateway.host,
        CONF_PORT: gateway.port,
        CONF_USERNAME: "admin",
        CONF_PASSWORD: "admin",
    } | changed


async def start(hass: HomeAssistant) -> ConfigFlowResult:
    """Begin to add a gateway."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )


async def answer(
    hass: HomeAssistant, flow: ConfigFlowResult, given: dict[str, Any]
) -> ConfigFlowResult:
    """Fill in a form."""
    return await hass.config_entries.flow.async_configure(flow["flow_id"], given)


async def choose(
    hass: HomeAssistant, flow: ConfigFlowResult, step: str
) -> ConfigFlowResult:
    """Choose from a menu."""
    return await answer(hass, flow, {"next_step_id": step})


# Adding


async def test_a_gateway_is_added(hass: HomeAssistant, gateway: Simulator) -> None:
    """Host and user are asked for, tried, and the entry is made and set up."""
    form = await start(hass)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "user")
    assert form["errors"] == {}
    assert form["data_schema"]
    assert form["data_schema"]({CONF_HOST: "x", CONF_PASSWORD: "y"}) == {
        CONF_HOST: "x",
        CONF_PORT: 5038,
        CONF_USERNAME: "admin",
        CONF_PASSWORD: "y",
    }

    result = await answer(hass, form, answers(gateway))

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"OpenVox {gateway.host}"
    assert result["data"] == answers(gateway)
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED


async def test_the_host_is_kept_in_one_spelling(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """Blanks and capitals around a host name make no second gateway."""
    host = "localhost"
    result = await answer(
        hass, await start(hass), answers(gateway, **{CONF_HOST: " LocalHost "})
    )
    assert result["data"][CONF_HOST] == host

    again = await answer(hass, await start(hass), answers(gateway, **{CONF_HOST: host}))
    assert (again["type"], again["reason"]) == (
        FlowResultType.ABORT,
        "already_configured",
    )


async def test_the_same_gateway_is_not_added_twice(
    hass: HomeAssistant, gateway: Simulator, entry: MockConfigEntry
) -> None:
    """Host and port tell; nothing is even tried."""
    entry.add_to_hass(hass)

    result = await answer(hass, await start(hass), answers(gateway))

    assert (result["type"], result["reason"]) == (
        FlowResultType.ABORT,
        "already_configured",
    )
    assert gateway.actions == []


async def test_another_port_is_another_gateway(
    hass: HomeAssistant, gateway: Simulator, entry: MockConfigEntry
) -> None:
    """Boards may hide behind one address."""
    entry.add_to_hass(hass)
    async with Simulator(spans=1) as other:
        result = await answer(hass, await start(hass), answers(other))
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
        assert await hass.config_entries.async_unload(result["result"].entry_id)


def _not_listening(gateway: Simulator) -> None:
    gateway.faults.refuse = True


def _other_password(gateway: Simulator) -> None:
    gateway.users["admin"] = User("admin", "changed")


def _no_command_right(gateway: Simulator) -> None:
    set_rights(gateway, without="command")


def _plain_asterisk(gateway: Simulator) -> None:
    gateway.cli = CommandLine(gateway, ASTERISK_COMMANDS)


def _ssh(gateway: Simulator) -> None:
    gateway.faults.greeting = b"SSH-2.0-OpenSSH_9.6\r\n"


ERRORS = pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (_not_listening, "cannot_connect"),
        (_other_password, "invalid_auth"),
        (_no_command_right, "no_command_right"),
        (_plain_asterisk, "not_openvox"),
        (_ssh, "not_asterisk"),
    ],
)


@ERRORS
async def test_what_is_wrong_is_said_and_can_be_mended(
    hass: HomeAssistant,
    gateway: Simulator,
    spoil: Callable[[Simulator], None],
    error: str,
) -> None:
    """Each error has a text of its own, nothing is left open, the form stays."""
    good = Simulator(spans=1)
    spoil(gateway)

    result = await answer(hass, await start(hass), answers(gateway))

    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")
    assert result["errors"] == {"base": error}
    await until(lambda: gateway.connections == 0)

    async with good:
        result = await answer(hass, result, answers(good))
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
        assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_gateway_that_does_not_answer_in_time(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    gateway: Simulator,
) -> None:
    """It accepts the connection and then says nothing more."""
    gateway.faults.login_delay = 60
    flow = await start(hass)
    trying = asyncio.create_task(answer(hass, flow, answers(gateway)))
    await until(lambda: "Login" in gateway.actions)

    freezer.tick(11)
    async_fire_time_changed(hass)

    assert (await trying)["errors"] == {"base": "timeout_connect"}
    freezer.tick(60)
    await until(lambda: gateway.connections == 0)


async def test_a_gateway_that_hangs_up(hass: HomeAssistant, gateway: Simulator) -> None:
    """As it does where the address of Home Assistant is not permitted."""
    gateway.faults.greeting = None
    flow = await start(hass)
    trying = asyncio.create_task(answer(hass, flow, answers(gateway)))
    await until(lambda: gateway.connections)

    gateway.faults.drop_sessions()

    assert (await trying)["errors"] == {"base": "connection_lost"}


@asynccontextmanager
async def one_login_only() -> AsyncIterator[int]:
    """An Asterisk that lets a user log in only once, who is logged in elsewhere."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/1.1\r\n")
        while packet := await reader.readuntil(b"\r\n\r\n"):
            lines = packet.decode().split("\r\n")
            action_id = next(line for line in lines if line.startswith("ActionID"))
            writer.write(
                f"Response: Error\r\n{action_id}\r\n"
                "Message: Login already in use\r\n\r\n".encode()
            )

    def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(serve(reader, writer)))

    tasks: list[asyncio.Task[None]] = []
    server = await asyncio.start_server(handle, "127.0.0.1")
    yield server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.gather(*tasks, return_exceptions=True)
    server.close_clients()
    await server.wait_closed()


async def test_a_user_that_is_logged_in_elsewhere(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """That is no wrong password."""
    async with one_login_only() as port:
        result = await answer(
            hass, await start(hass), answers(gateway, **{CONF_PORT: port})
        )

    assert result["errors"] == {"base": "refused"}


async def test_a_user_name_that_cannot_be_one(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """A line break would begin another header."""
    result = await answer(
        hass, await start(hass), answers(gateway, **{CONF_USERNAME: "a\r\nb: c"})
    )

    assert result["errors"] == {"base": "invalid_auth"}


async def test_our_own_mistake(
    hass: HomeAssistant, gateway: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The flow survives it, and the log says where it happened."""
    form = await start(hass)
    with patch.object(Gateway, "start", side_effect=RuntimeError("a bug")):
        result = await answer(hass, form, answers(gateway))

    assert result["errors"] == {"base": "unknown"}
    assert "RuntimeError: a bug" in caplog.text


# The right to see incoming SMS


async def test_a_user_who_cannot_see_sms_is_warned(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """The gateway can be added all the same."""
    set_rights(gateway, without="dialplan")

    menu = await answer(hass, await start(hass), answers(gateway))

    assert (menu["type"], menu["step_id"]) == (
        FlowResultType.MENU,
        "no_incoming_sms",
    )
    assert menu["menu_options"] == ["check_again", "create"]
    assert menu["description_placeholders"] == {"username": "admin"}
    assert not hass.config_entries.async_entries(DOMAIN)

    result = await choose(hass, menu, "create")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == answers(gateway)


async def test_the_right_is_given_meanwhile(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """Checking again tells, without typing anything again."""
    set_rights(gateway, without="dialplan")
    menu = await answer(hass, await start(hass), answers(gateway))

    menu = await choose(hass, menu, "check_again")
    assert menu["step_id"] == "no_incoming_sms"

    give_rights_back(gateway)
    result = await choose(hass, menu, "check_again")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_the_gateway_goes_away_meanwhile(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """Checking again leads back to the form."""
    set_rights(gateway, without="dialplan")
    menu = await answer(hass, await start(hass), answers(gateway))
    gateway.faults.refuse = True

    result = await choose(hass, menu, "check_again")

    assert (result["step_id"], result["errors"]) == (
        "user",
        {"base": "cannot_connect"},
    )


async def test_the_gateway_is_added_elsewhere_meanwhile(
    hass: HomeAssistant, gateway: Simulator, entry: MockConfigEntry
) -> None:
    """The question stood open; now it is answered."""
    set_rights(gateway, without="dialplan")
    menu = await answer(hass, await start(hass), answers(gateway))
    entry.add_to_hass(hass)

    result = await choose(hass, menu, "create")

    assert (result["type"], result["reason"]) == (
        FlowResultType.ABORT,
        "already_configured",
    )


# A new password


async def test_a_new_password(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It is tried before it is taken; user name and password may both be new."""
    gateway.users = {"ha": User("ha", "new")}

    form = await loaded.start_reauth_flow(hass)
    assert (form["type"], form["step_id"]) == (
        FlowResultType.FORM,
        "reauth_confirm",
    )
    assert form["description_placeholders"] == {
        "gateway": "OpenVox",
        "name": "OpenVox",
    }

    given = {CONF_USERNAME: "ha", CONF_PASSWORD: "wrong"}
    again = await answer(hass, form, given)
    assert (again["step_id"], again["errors"]) == (
        "reauth_confirm",
        {"base": "invalid_auth"},
    )
    assert loaded.data[CONF_PASSWORD] == "admin"

    result = await answer(hass, again, given | {CONF_PASSWORD: "new"})
    assert (result["type"], result["reason"]) == (
        FlowResultType.ABORT,
        "reauth_successful",
    )
    assert loaded.data == answers(gateway, username="ha", password="new")
    await hass.async_block_till_done()
    assert loaded.state is ConfigEntryState.LOADED
    await until(lambda: gateway.logged_in_users == ["ha", "ha"])


async def test_a_new_user_who_cannot_see_sms(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """That is said here, too."""
    gateway.users["admin"] = User("admin", "new")
    set_rights(gateway, without="dialplan")
    given = {CONF_USERNAME: "admin", CONF_PASSWORD: "new"}

    menu = await answer(hass, await loaded.start_reauth_flow(hass), given)
    assert menu["step_id"] == "no_incoming_sms"
    menu = await choose(hass, menu, "check_again")
    assert menu["step_id"] == "no_incoming_sms"

    result = await choose(hass, menu, "create")
    assert result["reason"] == "reauth_successful"
    assert loaded.data[CONF_PASSWORD] == "new"


# Another address or user


async def test_a_gateway_moves(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The new address is tried before it is taken; the old password is not shown."""
    form = await loaded.start_reconfigure_flow(hass)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "reconfigure")
    assert form["data_schema"]
    assert {
        str(key): (key.description or {}).get("suggested_value")
        for key in form["data_schema"].schema
    } == answers(gateway, password=None)

    async with Simulator(spans=1) as other:
        other.faults.refuse = True
        again = await answer(hass, form, answers(other))
        assert (again["step_id"], again["errors"]) == (
            "reconfigure",
            {"base": "cannot_connect"},
        )
        other.faults.refuse = False

        result = await answer(hass, again, answers(other, host=" 127.0.0.1"))
        assert (result["type"], result["reason"]) == (
            FlowResultType.ABORT,
            "reconfigure_successful",
        )
        assert loaded.data == answers(other)
        await hass.async_block_till_done()
        await until(lambda: other.sessions == 2 and gateway.connections == 0)
        assert await hass.config_entries.async_unload(loaded.entry_id)


async def test_a_gateway_does_not_move_onto_another(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """One address, one entry."""
    other = MockConfigEntry(domain=DOMAIN, data=answers(gateway, port=1))
    other.add_to_hass(hass)

    form = await loaded.start_reconfigure_flow(hass)
    result = await answer(hass, form, answers(gateway, port=1))

    assert (result["type"], result["reason"]) == (
        FlowResultType.ABORT,
        "already_configured",
    )
    assert loaded.data == answers(gateway)


async def test_another_user_at_the_same_address(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The address is the entry's own, so it is no other gateway's."""
    gateway.users["ha"] = User("ha", "secret")
    given = answers(gateway, username="ha", password="secret")

    result = await answer(hass, await loaded.start_reconfigure_flow(hass), given)

    assert result["reason"] == "reconfigure_successful"
    assert loaded.data == given


async def test_a_move_to_where_no_sms_can_be_seen(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """That is said here, too."""
    set_rights(gateway, without="dialplan")

    form = await loaded.start_reconfigure_flow(hass)
    menu = await answer(hass, form, answers(gateway))
    assert menu["step_id"] == "no_incoming_sms"
    menu = await choose(hass, menu, "check_again")
    assert menu["step_id"] == "no_incoming_sms"

    result = await choose(hass, menu, "create")
    assert result["reason"] == "reconfigure_successful"


# Options


async def test_line_breaks(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The option is asked for, kept, shown again, and in force at once."""
    form = await hass.config_entries.options.async_init(loaded.entry_id)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "init")
    assert form["data_schema"]
    assert form["data_schema"]({}) == {CONF_LINE_BREAKS: False}

    result = await hass.config_entries.options.async_configure(
        form["flow_id"], {CONF_LINE_BREAKS: True}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.options == {CONF_LINE_BREAKS: True}

    await hass.async_block_till_done()
    await hass.services.async_call(
        "notify", "send_sms", {"message": "a\nb", "target": PHONE}, blocking=True
    )
    assert gateway.sent[0].text == r"a\nb"

    form = await hass.config_entries.options.async_init(loaded.entry_id)
    assert form["data_schema"]
    [key] = form["data_schema"].schema
    assert key.description == {"suggested_value": True}
