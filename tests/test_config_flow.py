"""Adding a gateway, renewing its password, moving it, its options."""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
from contextlib import asynccontextmanager
import re
import socket
from typing import Any
from unittest.mock import Mock, patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
import pytest_socket

from custom_components.openvox_gsm.connecting import attempt
from custom_components.openvox_gsm.const import (
    CONF_ALLOWED,
    CONF_CALL_EVENTS,
    CONF_CHALLENGE,
    CONF_CODES_FOR_ALL,
    CONF_DAILY_LIMIT,
    CONF_FINGERPRINT,
    CONF_FLASH,
    CONF_HOURLY_LIMIT,
    CONF_LINE_BREAKS,
    CONF_MESSAGES_FOR_ALL,
    CONF_MESSAGES_KEPT,
    CONF_ONLY_CONFIRMED,
    CONF_SEND_PASSWORD,
    CONF_TLS,
    DOMAIN,
)
from custom_components.openvox_gsm.gateway import Gateway, connection, spans
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.const import (
    CONF_COUNTRY,
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_USERNAME,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from simulator import Box, Simulator, User

from .certificates import certificate
from .common import (
    PHONE,
    TYPED,
    give_other_modules,
    give_rights_back,
    looks,
    set_rights,
    settle,
    shown,
    until,
)

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")


def answers(gateway: Simulator, **changed: Any) -> dict[str, Any]:
    """Return what a user types who knows the gateway."""
    return {
        CONF_HOST: gateway.host,
        CONF_PORT: gateway.port,
        CONF_TLS: False,
        CONF_USERNAME: "admin",
        CONF_PASSWORD: "admin",
    } | changed


def learnt(gateway: Simulator, **changed: Any) -> dict[str, Any]:
    """Return the data of an entry of the gateway that was connected before."""
    return answers(gateway, **changed) | {CONF_CHALLENGE: True}


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
        CONF_TLS: False,
        CONF_USERNAME: "admin",
        CONF_PASSWORD: "y",
    }

    result = await answer(hass, form, answers(gateway))

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"OpenVox {gateway.host}"
    assert result["data"] == learnt(gateway)
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED


async def test_what_the_form_looks_like(hass: HomeAssistant) -> None:
    """Nobody reads the password over a shoulder, and a password manager fills it in."""
    assert looks(await start(hass)) == {
        CONF_HOST: {"text": {}},
        CONF_USERNAME: {"text": {"autocomplete": "username"}},
        CONF_PASSWORD: {
            "text": {"type": "password", "autocomplete": "current-password"}
        },
        CONF_PORT: {"number": {"min": 1, "max": 65535, "step": 1, "mode": "box"}},
        CONF_TLS: {"boolean": {}},
    }


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


async def test_the_same_gateway_by_another_name(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Its modules tell; the user reads which gateway it is."""
    form = await start(hass)
    result = await answer(hass, form, answers(gateway, host="localhost"))

    assert (result["type"], result["reason"], result["description_placeholders"]) == (
        FlowResultType.ABORT,
        "already_configured",
        {"gateway": loaded.title},
    )


async def test_the_same_gateway_at_the_same_time(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """By two names in two dialogs: it's added once."""
    forms = [await start(hass) for _ in range(2)]
    results = await asyncio.gather(
        *(
            answer(hass, form, answers(gateway, host=host))
            for form, host in zip(forms, ("127.0.0.1", "localhost"), strict=True)
        )
    )

    assert sorted(result["type"] for result in results) == ["abort", "create_entry"]
    [reason] = [result["reason"] for result in results if "reason" in result]
    assert reason in ("already_in_progress", "already_configured")
    await hass.async_block_till_done()
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_a_dialog_that_was_left_open(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """It keeps nobody from adding the gateway in another one."""
    set_rights(gateway, without="dialplan")
    menu = await answer(hass, await start(hass), answers(gateway))
    assert menu["step_id"] == "no_incoming_sms"
    give_rights_back(gateway)

    result = await answer(
        hass, await start(hass), answers(gateway, **{CONF_HOST: "localhost"})
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()

    result = await choose(hass, menu, "create")
    assert result["reason"] == "already_configured"


async def test_a_host_name_with_several_addresses(
    hass: HomeAssistant, gateway: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one of them refuses, it's there, and its port is wrong."""
    addresses = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, gateway.port))
        for address in ("255.255.255.255", "127.0.0.1", "127.0.0.2")
    ]
    pytest_socket.socket_allow_hosts([each[4][0] for each in addresses])
    gateway.faults.refuse = True
    monkeypatch.setattr(socket, "getaddrinfo", Mock(return_value=addresses))

    result = await answer(hass, await start(hass), answers(gateway, host="gw.local"))

    assert result["errors"] == {CONF_PORT: "port_closed"}


async def test_another_gateway_with_a_module_of_a_known_one(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Modules are moved from one box to another; half of them are not the gateway."""
    async with Simulator(spans=4) as other:
        give_other_modules(other)
        for number in (1, 2):
            other.spans[number].imei = gateway.spans[number].imei
        result = await answer(hass, await start(hass), answers(other))
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
        assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_gateway_is_not_moved_to_another_one_of_ours(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """That would make two entries of one gateway; moved to itself it's fine."""
    give_other_modules(other)
    await other_loaded.runtime_data.coordinator.async_refresh()

    form = await other_loaded.start_reconfigure_flow(hass)
    result = await answer(hass, form, answers(gateway, host="localhost"))
    assert (result["reason"], result["description_placeholders"]) == (
        "already_configured",
        {"gateway": loaded.title},
    )

    form = await other_loaded.start_reconfigure_flow(hass)
    result = await answer(hass, form, answers(other, host="localhost"))
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()


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
    gateway.cli.leave_out("gsm")


def _ssh(gateway: Simulator) -> None:
    gateway.faults.greeting = b"SSH-2.0-OpenSSH_9.6\r\n"


def _telnet(gateway: Simulator) -> None:
    gateway.faults.greeting = b"\xff\xfd\x18\xff\xfd\x20"


def _impatient_web_server(gateway: Simulator) -> None:
    gateway.faults.greeting = b"HTTP/1.1 408 Request Timeout\r\n"


def _mail_server(gateway: Simulator) -> None:
    gateway.faults.greeting = b"220 mail.example ESMTP\r\n"


ERRORS = pytest.mark.parametrize(
    ("spoil", "field", "error"),
    [
        (_not_listening, CONF_PORT, "port_closed"),
        (_other_password, CONF_PASSWORD, "invalid_auth"),
        (_no_command_right, CONF_USERNAME, "no_command_right"),
        (_plain_asterisk, CONF_HOST, "not_openvox"),
        (_ssh, CONF_PORT, "terminal"),
        (_telnet, CONF_PORT, "terminal"),
        (_impatient_web_server, CONF_PORT, "web_server"),
        (_mail_server, CONF_PORT, "not_asterisk"),
    ],
)


@ERRORS
async def test_what_is_wrong_is_said_and_can_be_mended(
    hass: HomeAssistant,
    gateway: Simulator,
    spoil: Callable[[Simulator], None],
    field: str,
    error: str,
) -> None:
    """Each error has a text of its own at its field; the form stays."""
    good = Simulator(spans=1)
    spoil(gateway)

    result = await answer(hass, await start(hass), answers(gateway))

    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")
    assert result["errors"] == {field: error}
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


@asynccontextmanager
async def waiting_server(
    says: bytes, *, tls: bool = False
) -> AsyncIterator[dict[str, Any]]:
    """A server that waits for a line and answers it; yields what a user types."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionResetError):
            if await reader.readline():
                writer.write(says)
        writer.close()

    context = certificate().server if tls else None
    async with await asyncio.start_server(serve, "127.0.0.1", ssl=context) as server:
        yield {
            CONF_HOST: "127.0.0.1",
            CONF_PORT: server.sockets[0].getsockname()[1],
            CONF_TLS: tls,
            CONF_USERNAME: "admin",
            CONF_PASSWORD: "admin",
        }


@pytest.mark.parametrize("tls", [False, True])
async def test_a_web_server(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    """It waits for a request, and is recognized by its answer to one."""
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 0.3)
    monkeypatch.setattr(attempt, "client_context", certificate().trusting)

    async with waiting_server(b"HTTP/1.1 400 Bad Request\r\n\r\n", tls=tls) as given:
        result = await answer(hass, await start(hass), given)

    assert (result["step_id"], result["errors"]) == ("user", {CONF_PORT: "web_server"})


@pytest.mark.parametrize("says", [b"", b"220 ready\r\n"], ids=["nothing", "no HTTP"])
async def test_something_that_waits_and_is_no_web_server(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    """It isn't called one."""
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 0.1)

    async with waiting_server(says) as given:
        result = await answer(hass, await start(hass), given)

    assert result["errors"] == {"base": "timeout_connect"}


@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        # Python's own, before it asks
        UnicodeError("label empty or too long"),
    ],
    ids=["unknown", "impossible"],
)
@pytest.mark.parametrize("host", ["gsm.invalid", "gsm:port"])
async def test_a_host_that_is_not_found(
    hass: HomeAssistant,
    gateway: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    error: Exception,
) -> None:
    """No name server knows it, or none can."""
    asked = Mock(side_effect=error)
    monkeypatch.setattr(socket, "getaddrinfo", asked)

    result = await answer(hass, await start(hass), answers(gateway, host=host))

    assert result["errors"] == {CONF_HOST: "host_not_found"}
    assert asked.call_args.args[:2] == (host, gateway.port)


async def test_a_host_that_does_not_answer(
    hass: HomeAssistant, gateway: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It's switched off, or somewhere else."""
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 0.1)
    gateway.faults.unreachable = True

    result = await answer(hass, await start(hass), answers(gateway))

    assert result["errors"] == {CONF_HOST: "cannot_connect"}


async def test_more_spans_than_any_gateway_has(
    hass: HomeAssistant, gateway: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form says so, instead of an entry that never gets set up."""
    monkeypatch.setattr(spans, "MAX_SPANS", len(gateway.spans) - 1)

    result = await answer(hass, await start(hass), answers(gateway))

    assert result["errors"] == {CONF_HOST: "too_many_spans"}


async def test_a_form_shows_the_error_of_a_field_that_it_lacks(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Above all fields, as it would be seen nowhere else."""
    gateway.faults.refuse = True
    given = {CONF_USERNAME: "admin", CONF_PASSWORD: "admin"}

    result = await answer(hass, await loaded.start_reauth_flow(hass), given)

    assert result["errors"] == {"base": "port_closed"}


# What people type


@pytest.mark.parametrize(
    "typed", ["127.0.0.1:{port}", " 127.0.0.1:{port}/ ", "admin@127.0.0.1:{port}"]
)
async def test_a_port_behind_the_host(
    hass: HomeAssistant, gateway: Simulator, typed: str
) -> None:
    """It counts, and the form shows it where it belongs."""
    host = typed.format(port=gateway.port)
    given = answers(gateway, host=host, port=5038, password="wrong")

    form = await answer(hass, await start(hass), given)
    assert form["errors"] == {CONF_PASSWORD: "invalid_auth"}
    assert shown(form) == answers(gateway, password="wrong")

    result = await answer(hass, form, given | {CONF_PASSWORD: "admin"})
    assert result["data"] == learnt(gateway)


async def test_the_address_of_the_web_interface(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Its port isn't that of the API, whether it's added or moved."""
    form = await loaded.start_reconfigure_flow(hass)
    given = answers(gateway, host="https://LocalHost:443/cgi-bin/api?a=b://c")

    result = await answer(hass, form, given)

    assert result["reason"] == "reconfigure_successful"
    assert loaded.data == learnt(gateway, host="localhost")


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

    assert result["errors"] == {CONF_PASSWORD: "invalid_auth"}


@pytest.mark.logs_exceptions
async def test_our_own_error(
    hass: HomeAssistant, gateway: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The flow survives it, and the log says where it happened."""
    form = await start(hass)
    with patch.object(Gateway, "start", side_effect=RuntimeError("a bug")):
        result = await answer(hass, form, answers(gateway))

    assert result["errors"] == {"base": "unknown"}
    assert "RuntimeError: a bug" in caplog.text


# The password is not for everybody


async def test_that_a_gateway_has_challenges_is_kept(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """What then asks for the password itself is not the gateway."""
    assert loaded.data[CONF_CHALLENGE] is True
    gateway.challenge = False
    gateway.actions.clear()

    await hass.config_entries.async_reload(loaded.entry_id)
    assert loaded.state is ConfigEntryState.SETUP_RETRY
    assert loaded.error_reason_translation_key == "no_challenge"
    for form, given in (
        (await loaded.start_reauth_flow(hass), {"username": "a", "password": "b"}),
        (await loaded.start_reconfigure_flow(hass), answers(gateway)),
    ):
        again = await answer(hass, form, given)
        assert again["errors"] == {"base": "no_challenge"}
    assert "Login" not in gateway.actions

    # Someone who knows that it's the gateway can say so; all else is kept.
    form = await loaded.start_reconfigure_flow(hass)
    assert CONF_SEND_PASSWORD not in form["data_schema"].schema  # type: ignore[union-attr]
    form = await answer(hass, form, answers(gateway))
    assert form["data_schema"]
    assert form["data_schema"](answers(gateway))[CONF_SEND_PASSWORD] is False
    given = answers(gateway, send_password=True)
    result = await answer(hass, form, given | {CONF_PASSWORD: "wrong"})
    assert result["errors"] == {CONF_PASSWORD: "invalid_auth"}
    result = await answer(hass, result, given)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert loaded.state is ConfigEntryState.LOADED
    assert loaded.data == answers(gateway)
    hass.config_entries.async_update_entry(loaded, data=learnt(gateway))

    # So does one at another address: anyone may have asked for that.
    gateway.actions.clear()
    form = await loaded.start_reconfigure_flow(hass)
    result = await answer(hass, form, answers(gateway, host="localhost"))
    assert result["errors"] == {"base": "no_challenge"}
    assert "Login" not in gateway.actions
    given = answers(gateway, host="localhost", send_password=True)
    result = await answer(hass, result, given)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert loaded.state is ConfigEntryState.LOADED
    assert loaded.data == answers(gateway, host="localhost")


async def test_that_a_gateway_has_challenges_is_known_from_the_first_try(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """So an impostor that answers before the first setup gets no password, either."""
    set_rights(gateway, without="dialplan")
    menu = await answer(hass, await start(hass), answers(gateway))
    gateway.challenge = False
    gateway.actions.clear()

    form = await choose(hass, menu, "check_again")
    assert form["errors"] == {"base": "no_challenge"}
    assert "Login" not in gateway.actions

    gateway.challenge = True
    menu = await answer(hass, form, answers(gateway))
    with patch("custom_components.openvox_gsm.async_setup_entry", return_value=True):
        result = await choose(hass, menu, "create")
        await hass.async_block_till_done()
    assert result["data"] == learnt(gateway)


async def test_challenges_that_are_new_are_kept(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Where a new password is given, and where the address is."""
    hass.config_entries.async_update_entry(loaded, data=answers(gateway))
    with patch.object(hass.config_entries, "async_schedule_reload"):
        given = {CONF_USERNAME: "admin", CONF_PASSWORD: "admin"}
        await answer(hass, await loaded.start_reauth_flow(hass), given)
        assert loaded.data == learnt(gateway)

        hass.config_entries.async_update_entry(loaded, data=answers(gateway))
        form = await loaded.start_reconfigure_flow(hass)
        await answer(hass, form, answers(gateway))
        assert loaded.data == learnt(gateway)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("tls", [False, True])
async def test_the_password_is_not_for_whoever_answers_elsewhere(
    hass: HomeAssistant, loaded: MockConfigEntry, host: str, tls: bool
) -> None:
    """An impostor may wait for the user to try another port or address, or no TLS."""
    if tls:
        hass.config_entries.async_update_entry(
            loaded, data=loaded.data | {CONF_TLS: True}
        )
    async with Simulator(spans=1, challenge=False) as other:
        form = await loaded.start_reconfigure_flow(hass)
        result = await answer(hass, form, answers(other, host=host))
        assert result["errors"] == {"base": "no_challenge"}
        assert "Login" not in other.actions


@pytest.mark.parametrize("gateway", [{"challenge": False}], indirect=True, ids=[""])
async def test_a_gateway_without_challenges(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It works as any other."""
    assert loaded.state is ConfigEntryState.LOADED
    assert CONF_CHALLENGE not in loaded.data

    await hass.config_entries.async_reload(loaded.entry_id)
    assert loaded.state is ConfigEntryState.LOADED


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
    assert result["data"] == learnt(gateway)


@pytest.mark.parametrize(
    ("gateway", "description"),
    [
        ({"box": Box.TODAY}, "sms_received_off"),
        ({"box": Box.TODAY, "sms_received": True}, None),
        ({"box": Box.OF_2013}, None),
    ],
    indirect=["gateway"],
    ids=["off", "on", "2013"],
)
async def test_a_gateway_that_does_not_hand_over_sms(
    hass: HomeAssistant, gateway: Simulator, description: str | None
) -> None:
    """It's added, and the last step says what to turn on."""
    result = await answer(hass, await start(hass), answers(gateway))

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["description"] == description


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
        {CONF_PORT: "port_closed"},
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

    assert shown(form) == {CONF_USERNAME: "admin", CONF_PASSWORD: None}

    given = {CONF_USERNAME: "ha", CONF_PASSWORD: "wrong"}
    again = await answer(hass, form, given)
    assert shown(again) == given
    assert (again["step_id"], again["errors"]) == (
        "reauth_confirm",
        {CONF_PASSWORD: "invalid_auth"},
    )
    assert loaded.data[CONF_PASSWORD] == "admin"

    result = await answer(hass, again, given | {CONF_PASSWORD: "new"})
    assert (result["type"], result["reason"]) == (
        FlowResultType.ABORT,
        "reauth_successful",
    )
    assert loaded.data == learnt(gateway, username="ha", password="new")
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
    assert shown(form) == answers(gateway, password=None, tls=None)

    async with Simulator(spans=1) as other:
        other.faults.refuse = True
        again = await answer(hass, form, answers(other))
        assert (again["step_id"], again["errors"]) == (
            "reconfigure",
            {CONF_PORT: "port_closed"},
        )
        assert shown(again) == answers(other)
        other.faults.refuse = False

        result = await answer(hass, again, answers(other, host=" 127.0.0.1"))
        assert (result["type"], result["reason"]) == (
            FlowResultType.ABORT,
            "reconfigure_successful",
        )
        assert loaded.data == learnt(other)
        await hass.async_block_till_done()
        await until(lambda: other.sessions == 2 and gateway.connections == 0)
        assert await hass.config_entries.async_unload(loaded.entry_id)


async def test_a_gateway_does_not_move_onto_another(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """One address, one entry; what's wrong with the input is said first."""
    before = dict(loaded.data)
    async with Simulator(spans=1) as other:
        give_other_modules(other)
        MockConfigEntry(domain=DOMAIN, data=answers(other)).add_to_hass(hass)
        form = await loaded.start_reconfigure_flow(hass)
        result = await answer(hass, form, answers(other, password="wrong"))
        assert result["errors"] == {CONF_PASSWORD: "invalid_auth"}

        result = await answer(hass, result, answers(other))

    assert (result["type"], result["reason"]) == (
        FlowResultType.ABORT,
        "already_configured",
    )
    assert loaded.data == before


async def test_another_user_at_the_same_address(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The address is the entry's own, so it is no other gateway's."""
    gateway.users["ha"] = User("ha", "secret")
    given = answers(gateway, username="ha", password="secret")

    result = await answer(hass, await loaded.start_reconfigure_flow(hass), given)

    assert result["reason"] == "reconfigure_successful"
    assert loaded.data == given | {CONF_CHALLENGE: True}


async def test_a_move_to_another_gateway(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It's asked whether that's meant: the hardware may have been replaced."""
    before = dict(loaded.data)
    async with Simulator(spans=4) as new:
        give_other_modules(new)
        set_rights(new, without="dialplan")
        form = await answer(
            hass, await loaded.start_reconfigure_flow(hass), answers(new)
        )
        assert (form["step_id"], form["description_placeholders"]) == (
            "other_gateway",
            {"gateway": loaded.title, "host": new.host},
        )
        assert loaded.data == before

        # All else is asked after that.
        menu = await answer(hass, form, {})
        assert menu["step_id"] == "no_incoming_sms"
        result = await choose(hass, menu, "create")
        assert result["reason"] == "reconfigure_successful"
        assert loaded.data == learnt(new)
        await hass.async_block_till_done()
        assert await hass.config_entries.async_unload(loaded.entry_id)


async def test_a_move_of_a_gateway_that_never_worked(
    hass: HomeAssistant, gateway: Simulator, entry: MockConfigEntry
) -> None:
    """Its modules aren't known, so none can be missing."""
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data=answers(gateway, port=1))

    form = await entry.start_reconfigure_flow(hass)
    result = await answer(hass, form, answers(gateway))

    assert result["reason"] == "reconfigure_successful"
    await settle(hass)


async def test_a_move_to_a_gateway_that_does_not_show_its_modules(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It may be starting, so it isn't taken for another one."""
    async with Simulator(spans=4) as new:
        for span in new.spans.values():
            span.imei = ""
        form = await loaded.start_reconfigure_flow(hass)
        result = await answer(hass, form, answers(new))

        assert result["reason"] == "reconfigure_successful"
        await settle(hass)
        assert await hass.config_entries.async_unload(loaded.entry_id)


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
    gateway.faults.refuse = True
    form = await choose(hass, menu, "check_again")
    assert (form["step_id"], form["errors"]) == (
        "reconfigure",
        {CONF_PORT: "port_closed"},
    )
    gateway.faults.refuse = False

    menu = await answer(hass, form, answers(gateway))
    result = await choose(hass, menu, "create")
    assert result["reason"] == "reconfigure_successful"


# Encryption

# As openssl writes it
PAIRS = r"([0-9A-F]{2}:){31}[0-9A-F]{2}"


def read_pairs(flow: ConfigFlowResult) -> str:
    """Return the fingerprint that a form shows."""
    placeholders = flow["description_placeholders"]
    assert placeholders
    shown = placeholders["fingerprint"]
    assert re.fullmatch(PAIRS, shown)
    return shown.replace(":", "").lower()


async def test_a_certificate_is_accepted(
    hass: HomeAssistant, encrypted: Simulator
) -> None:
    """Its fingerprint is shown before anything is sent, and kept."""
    form = await answer(hass, await start(hass), answers(encrypted, tls=True))
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "certificate")
    assert form["description_placeholders"]
    assert form["description_placeholders"]["host"] == encrypted.host
    assert read_pairs(form) == certificate().fingerprint
    assert encrypted.actions == []

    result = await answer(hass, form, {})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == learnt(
        encrypted, tls=True, fingerprint=certificate().fingerprint
    )
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_certificate_of_an_old_gateway(hass: HomeAssistant) -> None:
    """It can be accepted though its TLS counts as broken today."""
    old = certificate(old=True)
    async with Simulator(spans=1, tls=old.server) as gateway:
        form = await answer(hass, await start(hass), answers(gateway, tls=True))
        assert read_pairs(form) == old.fingerprint
        result = await answer(hass, form, {})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
        assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_trusted_certificate(hass: HomeAssistant, encrypted: Simulator) -> None:
    """Nothing is asked, and no fingerprint is kept: it may be renewed at any time."""
    with patch(
        "custom_components.openvox_gsm.connecting.attempt.client_context",
        return_value=certificate().trusting(),
    ):
        result = await answer(hass, await start(hass), answers(encrypted, tls=True))

        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert result["data"] == learnt(encrypted, tls=True)
        await hass.async_block_till_done()
        assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_wrong_password_after_the_certificate(
    hass: HomeAssistant, encrypted: Simulator
) -> None:
    """What was accepted is not asked for again."""
    given = answers(encrypted, tls=True, password="wrong")
    encrypted.login_penalty = 0
    form = await answer(hass, await start(hass), given)

    again = await answer(hass, form, {})
    assert (again["step_id"], again["errors"]) == (
        "user",
        {CONF_PASSWORD: "invalid_auth"},
    )

    result = await answer(hass, again, given | {CONF_PASSWORD: "admin"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_no_tls_there(hass: HomeAssistant, gateway: Simulator) -> None:
    """The port is the one for plain text; switched off, the gateway is added."""
    form = await answer(hass, await start(hass), answers(gateway, tls=True))
    assert (form["step_id"], form["errors"]) == ("user", {CONF_TLS: "no_tls"})

    result = await answer(hass, form, answers(gateway))
    assert result["data"] == learnt(gateway)


@pytest.fixture
async def pinned(hass: HomeAssistant, encrypted: Simulator) -> MockConfigEntry:
    """The config entry of the gateway with TLS, set up."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="OpenVox",
        data=answers(encrypted, tls=True, fingerprint=certificate().fingerprint),
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    return entry


async def test_a_new_password_keeps_the_certificate(
    hass: HomeAssistant, encrypted: Simulator, pinned: MockConfigEntry
) -> None:
    """It is neither asked for nor forgotten."""
    encrypted.users["admin"] = User("admin", "new")
    given = {CONF_USERNAME: "admin", CONF_PASSWORD: "new"}

    result = await answer(hass, await pinned.start_reauth_flow(hass), given)

    assert result["reason"] == "reauth_successful"
    assert pinned.data == learnt(
        encrypted, tls=True, fingerprint=certificate().fingerprint, password="new"
    )
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(pinned.entry_id)


async def test_reconfiguring_keeps_the_certificate(
    hass: HomeAssistant, encrypted: Simulator, pinned: MockConfigEntry
) -> None:
    """Where it is still the same one; without TLS none is kept."""
    form = await pinned.start_reconfigure_flow(hass)
    result = await answer(hass, form, answers(encrypted, tls=True))
    assert result["reason"] == "reconfigure_successful"
    assert pinned.data[CONF_FINGERPRINT] == certificate().fingerprint
    await hass.async_block_till_done()

    async with Simulator(spans=1) as plain:
        form = await pinned.start_reconfigure_flow(hass)
        result = await answer(hass, form, answers(plain))
        assert result["reason"] == "reconfigure_successful"
        assert pinned.data == learnt(plain)
        await hass.async_block_till_done()
        assert await hass.config_entries.async_unload(pinned.entry_id)


async def test_a_renewed_certificate(
    hass: HomeAssistant, encrypted: Simulator, pinned: MockConfigEntry
) -> None:
    """It is asked for again, whichever way leads there."""
    renewed = certificate("127.0.0.7")
    encrypted.tls = renewed.server
    await encrypted.restart()

    given = {CONF_USERNAME: "admin", CONF_PASSWORD: "admin"}
    form = await answer(hass, await pinned.start_reauth_flow(hass), given)
    assert (form["step_id"], read_pairs(form)) == ("certificate", renewed.fingerprint)

    form = await answer(
        hass,
        await pinned.start_reconfigure_flow(hass),
        answers(encrypted, tls=True),
    )
    assert (form["step_id"], read_pairs(form)) == ("certificate", renewed.fingerprint)
    assert pinned.data[CONF_FINGERPRINT] == certificate().fingerprint

    result = await answer(hass, form, {})
    assert result["reason"] == "reconfigure_successful"
    assert pinned.data[CONF_FINGERPRINT] == renewed.fingerprint
    await hass.async_block_till_done()
    assert pinned.state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(pinned.entry_id)


async def test_a_further_board(
    hass: HomeAssistant, loaded: MockConfigEntry, other: Simulator
) -> None:
    """Its title says the port, as the address is the same."""
    give_other_modules(other)
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    result = await answer(hass, form, answers(other))

    assert result["title"] == f"OpenVox {other.host} ({other.port})"
    await hass.async_block_till_done()


# Options

DEFAULTS = {
    CONF_HOURLY_LIMIT: 60,
    CONF_DAILY_LIMIT: 500,
    CONF_CALL_EVENTS: True,
    CONF_ONLY_CONFIRMED: False,
    CONF_LINE_BREAKS: False,
    CONF_FLASH: False,
    CONF_CODES_FOR_ALL: False,
    CONF_MESSAGES_KEPT: 500,
    CONF_MESSAGES_FOR_ALL: False,
}


async def set_options(
    hass: HomeAssistant, entry: MockConfigEntry, **given: Any
) -> ConfigFlowResult:
    """Fill in the options."""
    form = await hass.config_entries.options.async_init(entry.entry_id)
    return await hass.config_entries.options.async_configure(form["flow_id"], given)


async def test_what_the_form_of_the_options_looks_like(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The destinations are a list, and the limits are typed."""
    form = await hass.config_entries.options.async_init(loaded.entry_id)
    assert looks(form) == {key: {"boolean": {}} for key in DEFAULTS} | {
        CONF_COUNTRY: {"country": {}},
        CONF_ALLOWED: {"text": {"multiple": True}},
        CONF_HOURLY_LIMIT: TYPED,
        CONF_DAILY_LIMIT: TYPED,
        CONF_MESSAGES_KEPT: TYPED,
    }


async def test_line_breaks(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The option is asked for, kept, shown again, and in force at once."""
    form = await hass.config_entries.options.async_init(loaded.entry_id)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "init")
    assert form["data_schema"]
    assert form["data_schema"]({}) == DEFAULTS

    result = await hass.config_entries.options.async_configure(
        form["flow_id"], {CONF_LINE_BREAKS: True}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.options == DEFAULTS | {CONF_LINE_BREAKS: True}

    await hass.async_block_till_done()
    await hass.services.async_call(
        "notify", "send_sms", {"message": "a\nb", "target": PHONE}, blocking=True
    )
    assert gateway.sent[0].text == r"a\nb"

    form = await hass.config_entries.options.async_init(loaded.entry_id)
    assert form["data_schema"]
    assert {
        str(key): key.description["suggested_value"]
        for key in form["data_schema"].schema
        if key.description
    } == DEFAULTS | {CONF_LINE_BREAKS: True}


async def test_the_country(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Home Assistant's own is shown unless another was chosen."""

    async def shown() -> str | None:
        form = await hass.config_entries.options.async_init(loaded.entry_id)
        assert form["data_schema"]
        [suggested] = [
            (key.description or {}).get("suggested_value")
            for key in form["data_schema"].schema
            if str(key) == CONF_COUNTRY
        ]
        return suggested

    assert await shown() is None
    hass.config.country = "AT"
    assert await shown() == "AT"

    await set_options(hass, loaded, **{CONF_COUNTRY: "DE"})
    assert loaded.options == DEFAULTS | {CONF_COUNTRY: "DE"}
    assert await shown() == "DE"


async def test_allowed_destinations(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """They are kept in one form, read in the country of the same form."""
    given = ["+49 (151)", " 0043", "", "112", "0151"]
    await set_options(hass, loaded, **{CONF_ALLOWED: given, CONF_COUNTRY: "DE"})
    assert loaded.options == DEFAULTS | {
        CONF_ALLOWED: ["+49151", "+43", "112"],
        CONF_COUNTRY: "DE",
    }

    await set_options(hass, loaded, **{CONF_ALLOWED: [""]})
    assert loaded.options == DEFAULTS


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        (CONF_HOURLY_LIMIT, 0.5, "invalid_limit"),
        (CONF_HOURLY_LIMIT, -1, "invalid_limit"),
        (CONF_DAILY_LIMIT, 0.5, "invalid_limit"),
        (CONF_DAILY_LIMIT, 100_001, "invalid_limit"),
        (CONF_MESSAGES_KEPT, -1, "invalid_messages_kept"),
        (CONF_MESSAGES_KEPT, 10_001, "invalid_messages_kept"),
    ],
)
async def test_a_limit_is_a_whole_number_in_its_range(
    hass: HomeAssistant, loaded: MockConfigEntry, key: str, value: float, error: str
) -> None:
    """Cut off, half an SMS would be none, which means no limit."""
    form = await set_options(hass, loaded, **{key: value})

    assert form["errors"] == {key: error}
    assert shown(form)[key] == value
    assert loaded.options == {}


async def test_the_highest_limits(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """What the errors name as the end of a range is in it."""
    highest = {
        CONF_HOURLY_LIMIT: 100_000,
        CONF_DAILY_LIMIT: 100_000,
        CONF_MESSAGES_KEPT: 10_000,
    }
    await set_options(hass, loaded, **highest)
    assert loaded.options == DEFAULTS | highest


async def test_an_invalid_destination(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The form says so, and it can be corrected."""
    form = await set_options(hass, loaded, **{CONF_ALLOWED: ["+49", "Anna"]})

    assert form["errors"] == {CONF_ALLOWED: "invalid_destination"}
    assert shown(form)[CONF_ALLOWED] == ["+49", "Anna"]
    assert loaded.options == {}


async def test_call_events_bring_their_entities(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """They go and come with the option."""
    registry = er.async_get(hass)
    for there in (False, True):
        await set_options(hass, loaded, **{CONF_CALL_EVENTS: there})
        await hass.async_block_till_done(wait_background_tasks=True)
        state = hass.states.get("event.gsm_1_call")
        assert (state is not None and state.state != "unavailable") is there
    assert registry.async_get("event.gsm_1_call")


async def test_options_keep_the_connection(
    hass: HomeAssistant, loaded: MockConfigEntry, gateway: Simulator
) -> None:
    """Whatever comes in or goes out at that moment is not disturbed."""
    coordinator, accepted = loaded.runtime_data, gateway.sessions
    await set_options(
        hass, loaded, **{CONF_ONLY_CONFIRMED: True, CONF_LINE_BREAKS: True}
    )
    await hass.async_block_till_done()

    assert loaded.runtime_data is coordinator
    assert coordinator.gateway.is_connected
    assert coordinator.gateway.requires_pdu
    assert coordinator.gateway.sms.line_breaks
    assert gateway.sessions == accepted
