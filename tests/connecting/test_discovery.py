"""Gateways that announce themselves by DHCP, and strangers that pretend to be one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import pytest_socket

from custom_components.openvox_gsm.connecting import attempt, discovery
from custom_components.openvox_gsm.const import CONF_CHALLENGE, CONF_FINGERPRINT, DOMAIN
from custom_components.openvox_gsm.devices import find_imeis
from custom_components.openvox_gsm.gateway import connection
from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_IGNORE,
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from simulator import Simulator, User

from tests.certificates import certificate
from tests.common import (
    gateway_device,
    give_other_modules,
    settle,
    shown,
    span_names,
    until,
)
from tests.test_config_flow import answer, answers, learnt
from tests.test_issues import issues

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")

ELSEWHERE = "127.0.0.99"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow a second address, and don't wait for long."""
    pytest_socket.socket_allow_hosts(
        ["127.0.0.1", ELSEWHERE, *(f"127.0.1.{number}" for number in range(50))]
    )
    monkeypatch.setattr(attempt, "_START_TIME", 5)
    monkeypatch.setattr(attempt, "_RETRY_TIME", 0.01)
    monkeypatch.setattr(connection, "FIRST_WAIT", 0.1)


MAC = "a09805112233"
UNIQUE_ID = "a0:98:05:11:22:33"


async def discover(
    hass: HomeAssistant, ip: str, hostname: str = "voxstack", mac: str = MAC
) -> ConfigFlowResult:
    """Let a gateway ask for an address in the network."""
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_DHCP},
        data=DhcpServiceInfo(ip=ip, hostname=hostname, macaddress=mac),
    )


def without_host(given: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked for where the host is known."""
    return {key: value for key, value in given.items() if key != CONF_HOST}


async def test_a_gateway_is_found(hass: HomeAssistant, gateway: Simulator) -> None:
    """Its user is asked for; the MAC address is the entry's id and the device's."""
    form = await discover(hass, gateway.host)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "discovery_confirm")
    assert form["description_placeholders"] == {"host": gateway.host}
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"name": f"OpenVox {gateway.host}"}

    given = without_host(answers(gateway))
    again = await answer(hass, form, given | {CONF_USERNAME: "a\r\nb: c"})
    assert (again["step_id"], again["errors"]) == (
        "discovery_confirm",
        {CONF_PASSWORD: "invalid_auth"},
    )
    assert shown(again) == given | {CONF_USERNAME: "a\r\nb: c"}

    result = await answer(hass, again, given)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == learnt(gateway)
    entry = result["result"]
    assert entry.unique_id == UNIQUE_ID
    await hass.async_block_till_done()
    assert gateway_device(hass, entry).connections == {("mac", UNIQUE_ID)}


async def test_a_gateway_that_was_found_has_tls(
    hass: HomeAssistant, encrypted: Simulator
) -> None:
    """Accepting its certificate leads on as with one that was typed in."""
    form = await discover(hass, encrypted.host)
    form = await answer(hass, form, without_host(answers(encrypted, tls=True)))
    assert form["step_id"] == "certificate"
    result = await answer(hass, form, {})

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"][CONF_FINGERPRINT] == certificate().fingerprint
    assert result["result"].unique_id == UNIQUE_ID
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_gateway_is_found_twice(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """It is offered once."""
    await discover(hass, gateway.host)

    result = await discover(hass, gateway.host)

    assert (result["type"], result["reason"]) == (
        FlowResultType.ABORT,
        "already_in_progress",
    )


async def test_an_ignored_gateway_stays_so(hass: HomeAssistant) -> None:
    """Wherever it is."""
    entry = MockConfigEntry(domain=DOMAIN, unique_id=UNIQUE_ID, source=SOURCE_IGNORE)
    entry.add_to_hass(hass)

    result = await discover(hass, "192.0.2.1")

    assert result["reason"] == "already_configured"
    assert entry.data == {}


async def test_a_gateway_beside_one_that_is_ignored(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """The ignored one has no address, and is in nobody's way."""
    MockConfigEntry(
        domain=DOMAIN, unique_id="a0:98:05:00:00:00", source=SOURCE_IGNORE
    ).add_to_hass(hass)

    form = await discover(hass, gateway.host)
    result = await answer(hass, form, without_host(answers(gateway)))

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"OpenVox {gateway.host}"


async def test_another_box_at_the_address_of_a_known_one(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """It is offered, but two entries for one address are not made."""
    entry = MockConfigEntry(
        domain=DOMAIN, unique_id="a0:98:05:00:00:00", data=answers(gateway)
    )
    entry.add_to_hass(hass)

    form = await discover(hass, gateway.host)
    assert form["type"] is FlowResultType.FORM
    result = await answer(hass, form, without_host(answers(gateway)))

    assert result["reason"] == "already_configured"
    assert entry.unique_id == "a0:98:05:00:00:00"


async def test_an_entry_that_moves_may_be_another_box(
    hass: HomeAssistant, gateway: Simulator
) -> None:
    """So its MAC address is learnt again; at the same address it stays known."""
    entry = MockConfigEntry(
        domain=DOMAIN, unique_id=UNIQUE_ID, data=answers(gateway, host="127.0.0.1")
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)

    form = await entry.start_reconfigure_flow(hass)
    await answer(hass, form, answers(gateway))
    assert entry.unique_id == UNIQUE_ID

    assert gateway_device(hass, entry).connections == {("mac", UNIQUE_ID)}

    form = await entry.start_reconfigure_flow(hass)
    await answer(hass, form, answers(gateway, host="localhost"))
    assert entry.unique_id is None
    await hass.async_block_till_done()
    assert gateway_device(hass, entry).connections == set()

    # The box that was there is found again: by its modules it's the same gateway.
    form = await discover(hass, gateway.host)
    result = await answer(hass, form, without_host(answers(gateway)))
    assert (result["reason"], result["description_placeholders"]) == (
        "already_configured",
        {"gateway": entry.title},
    )

    # Another one is a gateway of its own.
    give_other_modules(gateway)
    form = await discover(hass, gateway.host)
    result = await answer(hass, form, without_host(answers(gateway)))
    await hass.async_block_till_done()
    old = result["result"]
    assert old.unique_id == UNIQUE_ID
    assert gateway_device(hass, old).connections == {("mac", UNIQUE_ID)}
    assert gateway_device(hass, old).id != gateway_device(hass, entry).id
    assert span_names(hass, old) == {f"GSM {number}" for number in range(1, 5)}


# A new address


@pytest.fixture
async def known(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> MockConfigEntry:
    """The entry of a gateway that works and has been discovered."""
    hass.config_entries.async_update_entry(loaded, unique_id=UNIQUE_ID)
    return loaded


@asynccontextmanager
async def stranger(gateway: Simulator, **traits: Any) -> AsyncIterator[Simulator]:
    """Switch a gateway off, and let another box show its MAC address elsewhere."""
    await gateway.stop()
    async with Simulator(host=ELSEWHERE, port=gateway.port, **traits) as box:
        yield box


async def move(gateway: Simulator) -> None:
    """Give a gateway a new address."""
    await gateway.stop()
    gateway.host = ELSEWHERE
    await gateway.start()
    gateway.actions.clear()


async def assert_not_followed(
    hass: HomeAssistant, entry: MockConfigEntry, host: str = ELSEWHERE
) -> None:
    """Discover a box, and expect that nothing but a repair issue comes of it."""
    data, runtime = entry.data, entry.runtime_data
    result = await discover(hass, host)
    await settle(hass)

    assert result["reason"] == "already_configured"
    assert (entry.data, entry.runtime_data) == (data, runtime)
    assert "new_address" in issues(hass)


async def test_a_known_gateway_has_another_address(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """It's followed: nothing answers at the old one, and it has the same modules."""
    await move(gateway)
    before = known.data

    result = await discover(hass, ELSEWHERE)

    assert (result["type"], result["reason"], result["description_placeholders"]) == (
        FlowResultType.ABORT,
        "already_configured",
        {"gateway": known.title},
    )
    # Anybody can ask for an address in its name: no password for the asking there.
    assert known.data == before | {CONF_HOST: ELSEWHERE, CONF_CHALLENGE: True}
    await settle(hass)
    assert known.state is ConfigEntryState.LOADED
    assert issues(hass) == {}


async def test_a_name_is_kept(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """It's there because the address changes, even if it leads there only later."""
    hass.config_entries.async_update_entry(
        known, data={**known.data, CONF_HOST: "localhost"}
    )
    await move(gateway)

    result = await discover(hass, ELSEWHERE)

    assert result["reason"] == "already_configured"
    assert known.data[CONF_HOST] == "localhost"
    assert gateway.actions == []
    assert issues(hass) == {}


async def test_a_stranger_that_announces_itself_first(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """The gateway is followed all the same, while the stranger's address is tried."""
    await gateway.stop()
    nowhere = asyncio.create_task(discover(hass, "127.0.1.1"))
    await asyncio.sleep(0.05)
    await move(gateway)

    await discover(hass, ELSEWHERE)
    assert known.data[CONF_HOST] == ELSEWHERE
    await settle(hass)
    await nowhere
    assert known.data[CONF_HOST] == ELSEWHERE
    assert known.state is ConfigEntryState.LOADED
    assert issues(hass) == {}


async def test_announcements_without_end(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """No more than a few addresses are tried at a time, each of them once."""
    await gateway.stop()
    tries = [
        asyncio.create_task(discover(hass, f"127.0.1.{number % 50}"))
        for number in range(100)
    ]
    await asyncio.sleep(0.1)
    assert sum(not each.done() for each in tries) == discovery.MAX_ADDRESSES
    results = await asyncio.gather(*tries)
    assert {result["reason"] for result in results} == {"already_configured"}


@pytest.mark.parametrize("is_same", [True, False])
async def test_all_boards_of_a_stack_have_another_address(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    known: MockConfigEntry,
    other_loaded: MockConfigEntry,
    is_same: bool,
) -> None:
    """They are behind one address, and each that proves itself is followed."""
    give_other_modules(other)
    await other_loaded.runtime_data.coordinator.async_refresh()
    stranger = MockConfigEntry(
        domain=DOMAIN, version=2, data=learnt(other, host="127.0.0.98")
    )
    stranger.add_to_hass(hass)
    await move(gateway)
    await move(other)
    if not is_same:
        other.spans[1].imei = "352099001761499"

    await discover(hass, ELSEWHERE)
    await settle(hass)

    assert known.data[CONF_HOST] == ELSEWHERE
    assert known.state is ConfigEntryState.LOADED
    assert other_loaded.data[CONF_HOST] == (ELSEWHERE if is_same else "127.0.0.1")
    assert ("new_address" in issues(hass)) is not is_same
    assert stranger.data[CONF_HOST] == "127.0.0.98"


async def test_a_known_gateway_still_answers(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """So it hasn't moved, and nobody even looks at who asks in its name."""
    async with Simulator(host=ELSEWHERE, port=gateway.port) as box:
        result = await discover(hass, ELSEWHERE)

        assert result["reason"] == "already_configured"
        assert known.data[CONF_HOST] == gateway.host
        assert box.actions == []
        assert issues(hass) == {}


async def test_a_stranger_that_asks_for_the_password(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """It doesn't get it, and isn't followed, whatever modules it has."""
    async with stranger(gateway, challenge=False) as box:
        await assert_not_followed(hass, known)
        assert box.actions == ["Challenge"]


async def test_a_stranger_where_the_gateway_has_no_challenges(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """Only the old address gets the password itself."""
    data = {key: known.data[key] for key in known.data if key != CONF_CHALLENGE}
    hass.config_entries.async_update_entry(known, data=data)
    async with stranger(gateway, challenge=False) as box:
        await assert_not_followed(hass, known)
        assert box.actions == ["Challenge"]


@pytest.mark.parametrize("challenge", ["", "1", "12345678x", "-133042568"])
async def test_a_stranger_with_a_challenge_of_its_own(
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    challenge: str,
) -> None:
    """Nobody can have the digest of the password alone, to look it up."""
    monkeypatch.setattr(
        "simulator.manager.actions.login.secrets.randbelow", lambda _limit: challenge
    )
    async with stranger(gateway) as box:
        await assert_not_followed(hass, known)
        assert box.actions == ["Challenge"]


async def test_a_stranger_with_other_modules(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """A box that accepts any login isn't the gateway; one known module isn't enough."""
    async with stranger(gateway) as box:
        for number in (1, 2, 3):
            box.spans[number].imei = "35209900176148" + str(number)
        await assert_not_followed(hass, known)


async def test_a_gateway_whose_modules_are_not_known(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """It can prove nothing, so nothing is sent to it."""
    registry = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(registry, known.entry_id):
        registry.async_update_device(device.id, serial_number=None)
    async with stranger(gateway) as box:
        await assert_not_followed(hass, known)
        assert box.actions == []


async def test_a_gateway_that_starts(
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has its address long before its manager, and that before its modules."""
    monkeypatch.setattr(attempt, "_START_TIME", 10)
    await gateway.stop()
    gateway.host = ELSEWHERE
    imeis = {number: span.imei for number, span in gateway.spans.items()}
    for span in gateway.spans.values():
        span.imei = ""

    discovery = asyncio.create_task(discover(hass, ELSEWHERE))
    await asyncio.sleep(0.05)
    await gateway.start()
    gateway.actions.clear()
    await until(lambda: gateway.actions.count("Logoff") >= 2)
    assert known.data[CONF_HOST] == "127.0.0.1"
    for number, span in gateway.spans.items():
        span.imei = imeis[number]

    await discovery
    assert known.data[CONF_HOST] == ELSEWHERE
    await settle(hass)


async def test_a_gateway_that_comes_back_while_a_stranger_is_tried(
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It hasn't moved, whatever the stranger shows."""
    monkeypatch.setattr(attempt, "_START_TIME", 10)
    async with stranger(gateway) as box:
        imeis = [span.imei for span in box.spans.values()]
        for span in box.spans.values():
            span.imei = ""
        discovery = asyncio.create_task(discover(hass, ELSEWHERE))
        await until(lambda: "Logoff" in box.actions)
        await gateway.start()
        for span, imei in zip(box.spans.values(), imeis, strict=True):
            span.imei = imei
        await discovery
        assert known.data[CONF_HOST] == "127.0.0.1"
        await settle(hass)
        assert issues(hass) == {}


async def test_an_address_that_leads_nowhere(
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not even a refusal comes from the old one; that's no answer, either."""
    monkeypatch.setattr(attempt, "ANSWER_TIME", 0.05)
    monkeypatch.setattr(attempt, "_START_TIME", 0.3)
    gateway.faults.unreachable = True
    await assert_not_followed(hass, known)


async def test_the_issue_goes_away_with_the_next_poll(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """The gateway was only switched off, and comes back where it was."""
    async with stranger(gateway, challenge=False):
        await assert_not_followed(hass, known)
    await gateway.start()
    await until(lambda: issues(hass) == {})


async def test_an_entry_that_is_disabled(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """Nobody connects for it."""
    await hass.config_entries.async_set_disabled_by(
        known.entry_id, ConfigEntryDisabler.USER
    )
    await move(gateway)

    result = await discover(hass, ELSEWHERE)

    assert result["reason"] == "already_configured"
    assert known.data[CONF_HOST] == "127.0.0.1"
    assert gateway.actions == []


async def test_an_entry_that_is_removed_meanwhile(
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is left to be followed, or to be said of it."""
    monkeypatch.setattr(attempt, "_START_TIME", 0.3)
    await gateway.stop()
    discovery = asyncio.create_task(discover(hass, ELSEWHERE))
    await asyncio.sleep(0.05)
    await hass.config_entries.async_remove(known.entry_id)
    await discovery
    assert issues(hass) == {}


async def test_an_entry_that_gets_another_address_meanwhile(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> None:
    """What somebody has typed in stays, even if the gateway proves itself elsewhere."""
    await gateway.stop()
    gateway.host = ELSEWHERE
    discovery = asyncio.create_task(discover(hass, ELSEWHERE))
    await asyncio.sleep(0.05)
    hass.config_entries.async_update_entry(
        known, data={**known.data, CONF_HOST: "127.0.0.98"}
    )
    await gateway.start()
    await discovery
    await settle(hass)

    assert "Login" in gateway.actions
    assert known.data[CONF_HOST] == "127.0.0.98"
    assert "new_address" not in issues(hass)


@pytest.mark.parametrize("own_certificate", [True, False])
async def test_tls(
    hass: HomeAssistant, encrypted: Simulator, own_certificate: bool
) -> None:
    """The certificate proves who it is, and a stranger with another gets nothing."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id=UNIQUE_ID,
        version=2,
        data=learnt(encrypted, tls=True, fingerprint=certificate().fingerprint),
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    shown = certificate() if own_certificate else certificate("127.0.0.9")

    async with stranger(encrypted, tls=shown.server, spans=1) as box:
        if own_certificate:
            give_other_modules(box)
            await discover(hass, ELSEWHERE)
            await settle(hass)
            assert entry.data[CONF_HOST] == ELSEWHERE
            assert entry.state is ConfigEntryState.LOADED
        else:
            await assert_not_followed(hass, entry)
            assert box.actions == []
        assert await hass.config_entries.async_unload(entry.entry_id)


# Addresses that are mixed up

OTHER_MAC = "a09805445566"
OTHER_UNIQUE_ID = "a0:98:05:44:55:66"
THIRD = "127.0.1.1"


@pytest.fixture
async def neighbour(
    hass: HomeAssistant, gateway: Simulator, known: MockConfigEntry
) -> AsyncIterator[tuple[Simulator, MockConfigEntry]]:
    """A second gateway at its own address, with the same user and the same password."""
    async with Simulator(host=ELSEWHERE, port=gateway.port, spans=2) as other:
        give_other_modules(other)
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Neighbour",
            version=2,
            unique_id=OTHER_UNIQUE_ID,
            data=learnt(other),
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        yield other, entry
        await hass.config_entries.async_unload(known.entry_id)
        await hass.config_entries.async_unload(entry.entry_id)


async def move_all(addresses: dict[Simulator, str]) -> None:
    """Give gateways other addresses at the same time."""
    for each in addresses:
        await each.stop()
    for each, host in addresses.items():
        each.host = host
        await each.start()


def modules(hass: HomeAssistant, *entries: MockConfigEntry) -> list[frozenset[str]]:
    """Return the modules that are known of gateways."""
    return [find_imeis(hass, entry.entry_id) for entry in entries]


async def test_two_gateways_that_have_got_each_others_addresses(
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
    neighbour: tuple[Simulator, MockConfigEntry],
) -> None:
    """Neither is taken for the other one; when they're announced, both are followed."""
    other, entry = neighbour
    before = modules(hass, known, entry)
    await move_all({gateway: ELSEWHERE, other: "127.0.0.1"})

    await until(lambda: {known.state, entry.state} == {ConfigEntryState.SETUP_RETRY})
    assert known.reason
    assert known.reason.startswith(
        "Another gateway answers at the address of this one: Neighbour."
    )
    assert modules(hass, known, entry) == before

    await discover(hass, ELSEWHERE)
    await discover(hass, "127.0.0.1", mac=OTHER_MAC)
    await settle(hass)
    assert (known.data[CONF_HOST], entry.data[CONF_HOST]) == (ELSEWHERE, "127.0.0.1")
    assert (known.state, entry.state) == (ConfigEntryState.LOADED,) * 2
    assert modules(hass, known, entry) == before


async def test_addresses_that_are_mixed_up_can_be_typed_in(
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
    neighbour: tuple[Simulator, MockConfigEntry],
) -> None:
    """The address of another entry is no obstacle where the gateway shows its modules."""
    other, entry = neighbour
    await move_all({gateway: ELSEWHERE, other: "127.0.0.1"})
    await until(lambda: {known.state, entry.state} == {ConfigEntryState.SETUP_RETRY})

    for each, box in ((known, gateway), (entry, other)):
        form = await each.start_reconfigure_flow(hass)
        result = await answer(hass, form, answers(box))
        assert result["reason"] == "reconfigure_successful"
    await settle(hass)
    assert (known.state, entry.state) == (ConfigEntryState.LOADED,) * 2


async def test_a_gateway_that_has_got_the_address_of_one_that_moved(
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
    neighbour: tuple[Simulator, MockConfigEntry],
) -> None:
    """Both are followed, although one of them answers where the other one was."""
    other, entry = neighbour
    before = modules(hass, known, entry)
    await move_all({gateway: ELSEWHERE, other: THIRD})

    await discover(hass, ELSEWHERE)
    await discover(hass, THIRD, mac=OTHER_MAC)
    await settle(hass)
    assert (known.data[CONF_HOST], entry.data[CONF_HOST]) == (ELSEWHERE, THIRD)
    assert (known.state, entry.state) == (ConfigEntryState.LOADED,) * 2
    assert modules(hass, known, entry) == before


async def test_addresses_of_gateways_with_passwords_of_their_own(
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
    neighbour: tuple[Simulator, MockConfigEntry],
) -> None:
    """Who refuses the login isn't the gateway that was there, if that is elsewhere."""
    other, entry = neighbour
    other.users["admin"] = User("admin", "another")
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_PASSWORD: "another"}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await move_all({gateway: ELSEWHERE, other: "127.0.0.1"})
    await until(lambda: len(hass.config_entries.flow.async_progress()) == 2)

    await discover(hass, ELSEWHERE)
    await discover(hass, "127.0.0.1", mac=OTHER_MAC)
    await settle(hass)
    assert (known.data[CONF_HOST], entry.data[CONF_HOST]) == (ELSEWHERE, "127.0.0.1")
    assert (known.state, entry.state) == (ConfigEntryState.LOADED,) * 2
    assert hass.config_entries.flow.async_progress() == []


async def test_a_module_that_moves_to_a_gateway_with_no_other(
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
    neighbour: tuple[Simulator, MockConfigEntry],
) -> None:
    """It isn't taken for the gateway where the module was: that one is still there."""
    other, entry = neighbour
    other.remove_span(2)
    await other.stop()
    other.spans[1].imei = gateway.spans[1].imei
    gateway.spans[1].imei = ""
    await known.runtime_data.coordinator.async_refresh()
    await other.start()
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert other.spans[1].imei in find_imeis(hass, entry.entry_id)

    form = await entry.start_reconfigure_flow(hass)
    result = await answer(hass, form, answers(other))
    assert result["reason"] == "reconfigure_successful"
    await settle(hass)


async def test_an_address_that_leads_to_the_gateway_of_another_entry(
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
    neighbour: tuple[Simulator, MockConfigEntry],
) -> None:
    """It's taken for that one, which stays connected: each SMS would come in twice.

    So it is while a module is silent that was there before.
    """
    _, entry = neighbour
    gateway.spans[4].imei = ""
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_HOST: gateway.host}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert known.state is ConfigEntryState.LOADED
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert known.title in str(entry.reason)


async def test_a_gateway_with_tls_whose_address_another_one_has_got(
    hass: HomeAssistant, encrypted: Simulator
) -> None:
    """The other one's certificate shows that the gateway is no longer there."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id=UNIQUE_ID,
        version=2,
        data=learnt(encrypted, tls=True, fingerprint=certificate().fingerprint),
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    await move(encrypted)

    server = certificate("127.0.0.9").server
    async with Simulator(port=encrypted.port, tls=server, spans=1):
        await discover(hass, ELSEWHERE)
        await settle(hass)
        assert entry.data[CONF_HOST] == ELSEWHERE
        assert entry.state is ConfigEntryState.LOADED
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_a_gateway_with_tls_whose_password_was_changed(
    hass: HomeAssistant, encrypted: Simulator
) -> None:
    """Its certificate shows that it's still there, whatever a stranger announces."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id=UNIQUE_ID,
        version=2,
        data=learnt(encrypted, tls=True, fingerprint=certificate().fingerprint)
        | {CONF_PASSWORD: "old"},
    )
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)

    server = certificate("127.0.0.9").server
    async with Simulator(host=ELSEWHERE, port=encrypted.port, tls=server, spans=1):
        await discover(hass, ELSEWHERE)
    assert entry.data[CONF_HOST] == "127.0.0.1"
    assert issues(hass) == {}


async def test_addresses_that_are_mixed_up_while_modules_start(
    hass: HomeAssistant,
    gateway: Simulator,
    known: MockConfigEntry,
    neighbour: tuple[Simulator, MockConfigEntry],
) -> None:
    """Whose they are is looked at once they show it."""
    other, _ = neighbour
    imeis = {span: span.imei for span in other.spans.values()}
    for span in imeis:
        span.imei = ""
    await move_all({gateway: ELSEWHERE, other: "127.0.0.1"})

    discovery = asyncio.create_task(discover(hass, ELSEWHERE))
    await until(lambda: other.actions.count("Logoff") > 2)
    for span, imei in imeis.items():
        span.imei = imei
    await discovery
    assert known.data[CONF_HOST] == ELSEWHERE
    await settle(hass)


# The MAC address


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_gateway_that_was_typed_in_is_recognised(
    hass: HomeAssistant, gateway: Simulator, entry: MockConfigEntry, host: str
) -> None:
    """By its address or name and its modules; nothing is reloaded for that."""
    other = MockConfigEntry(
        domain=DOMAIN,
        data=answers(gateway, host="192.0.2.7"),
        disabled_by=ConfigEntryDisabler.USER,
    )
    other.add_to_hass(hass)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data=answers(gateway, host=host))
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert gateway_device(hass, entry).connections == set()
    runtime = entry.runtime_data

    result = await discover(hass, gateway.host, hostname="LocalHost")

    assert (result["type"], result["reason"]) == (
        FlowResultType.ABORT,
        "already_configured",
    )
    assert (entry.unique_id, other.unique_id) == (UNIQUE_ID, None)
    await settle(hass)
    assert gateway_device(hass, entry).connections == {("mac", UNIQUE_ID)}
    assert entry.data[CONF_HOST] == host
    assert entry.runtime_data is runtime

    # Again and again, since each start of a gateway is an announcement.
    await discover(hass, gateway.host)
    await settle(hass)
    assert entry.runtime_data is runtime


@pytest.mark.parametrize("traits", [{"challenge": False}, {}, None])
async def test_a_strangers_mac_address_goes_to_no_entry(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    traits: dict[str, Any] | None,
) -> None:
    """An entry without one takes it only from its own gateway."""
    if traits is not None:
        await gateway.stop()
        async with Simulator(port=gateway.port, **traits) as box:
            give_other_modules(box)
            result = await discover(hass, box.host)
    else:  # by a name that its own gateway has as well
        hass.config_entries.async_update_entry(
            loaded, data=loaded.data | {CONF_HOST: "localhost"}
        )
        async with Simulator(host=ELSEWHERE, port=gateway.port) as box:
            give_other_modules(box)
            result = await discover(hass, box.host, hostname="localhost")
    assert result["reason"] == "already_configured"
    assert loaded.unique_id is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_stranger_that_has_the_name_of_an_entry_without_mac_address(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, host: str
) -> None:
    """No login is tried there: it could pass it on to the gateway, and would be in."""
    hass.config_entries.async_update_entry(loaded, data=loaded.data | {CONF_HOST: host})
    async with Simulator(host=ELSEWHERE, port=gateway.port) as box:
        result = await discover(hass, box.host, hostname=host)
        assert box.actions == []

    assert result["reason"] == "already_configured"
    assert loaded.unique_id is None


async def test_an_entry_that_is_moved_while_its_mac_address_is_learned(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It isn't that of the gateway at the new address."""
    monkeypatch.setattr(attempt, "_START_TIME", 10)
    imeis = [span.imei for span in gateway.spans.values()]
    for span in gateway.spans.values():
        span.imei = ""
    gateway.actions.clear()
    discovery = asyncio.create_task(discover(hass, gateway.host))
    await until(lambda: "Logoff" in gateway.actions)

    moved = loaded.data | {CONF_HOST: ELSEWHERE}
    hass.config_entries.async_update_entry(loaded, data=moved)
    for span, imei in zip(gateway.spans.values(), imeis, strict=True):
        span.imei = imei

    assert (await discovery)["reason"] == "already_configured"
    assert loaded.unique_id is None


async def test_announcements_without_end_of_an_entry_without_mac_address(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It's logged in once, and not once for each."""
    logins = gateway.actions.count("Login")
    tries = [
        discover(hass, gateway.host, mac=f"a09805{number:06x}") for number in range(20)
    ]
    await asyncio.gather(*tries)

    assert gateway.actions.count("Login") <= logins + 2
