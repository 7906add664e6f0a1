"""The gateway can't be reached, or does not let Home Assistant in."""

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import CONF_PASSWORD
from simulator import User

from .house import LOST, House

from tests.common import give_rights_back, set_rights


async def test_away_at_start(house: House) -> None:
    """Home Assistant itself tries again."""
    house.gateway.faults.refuse = True
    await house.set_up(works=False)
    assert house.entry.state is ConfigEntryState.SETUP_RETRY
    await house.until(lambda: "Retrying in 600 seconds" in house.said)
    assert house.entry.state is ConfigEntryState.SETUP_RETRY

    house.gateway.faults.refuse = False
    await house.recovers()

    await house.prove_normal()


async def test_refused(house: House) -> None:
    """Nothing listens any more at the gateway's port."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.refuse = True
    house.gateway.faults.drop_sessions()
    await house.notices()
    await house.stay_away()

    house.gateway.faults.refuse = False
    await house.recovers()

    await house.prove_normal()


async def test_unreachable(house: House) -> None:
    """Neither an answer nor a refusal: a cable is out."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.freeze()
    house.gateway.faults.unreachable = True
    await house.notices()
    await house.stay_away()

    house.gateway.faults.unreachable = False
    house.gateway.faults.thaw()
    await house.recovers()

    await house.prove_normal()


async def test_banner_late(house: House) -> None:
    """Each connection is greeted after nine seconds: it is waited for."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.greeting_delay = 9
    house.gateway.faults.drop_sessions()
    await house.notices()

    await house.recovers()

    house.gateway.faults.greeting_delay = 0
    await house.prove_normal()


async def test_banner_never(house: House) -> None:
    """The connection is made, and then there is silence."""
    house.log = [*LOST]
    await house.set_up()
    greeting, house.gateway.faults.greeting = house.gateway.faults.greeting, None
    house.gateway.faults.drop_sessions()
    await house.notices()
    await house.stay_away()

    house.gateway.faults.greeting = greeting
    await house.recovers()

    await house.prove_normal()


async def test_login_late(house: House) -> None:
    """Each login is answered after nine seconds: it is waited for."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.login_delay = 9
    house.gateway.faults.drop_sessions()
    await house.notices()

    await house.recovers()

    house.gateway.faults.login_delay = 0
    await house.prove_normal()


async def test_login_never(house: House) -> None:
    """The gateway greets, and does not answer the login."""
    house.log = [*LOST]
    await house.set_up()
    house.gateway.faults.login_delay = 1e6
    house.gateway.faults.drop_sessions()
    await house.notices()
    await house.stay_away()

    house.gateway.faults.login_delay = 0
    await house.recovers()

    await house.prove_normal()


async def _enter_new_password(house: House, password: str) -> None:
    [flow] = house.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    await house.do(
        house.hass.config_entries.flow.async_configure(
            flow["flow_id"], {"username": "admin", CONF_PASSWORD: password}
        )
    )


def _logins(house: House) -> int:
    return sum(action.lower() == "login" for action in house.gateway.actions)


async def test_wrong_password_at_start(house: House) -> None:
    """It is tried once: trying on would lock the user out."""
    house.log = [r"Config entry 'OpenVox' .+ could not authenticate: .+"]
    house.gateway.users["admin"] = User("admin", "new", {"all"}, {"all"})
    await house.set_up(works=False)
    assert house.entry.state is ConfigEntryState.SETUP_ERROR
    await house.pass_time(200)
    assert _logins(house) == 1

    await _enter_new_password(house, "new")
    await house.recovers()

    await house.prove_normal()


async def test_wrong_password_later(house: House) -> None:
    """The password is changed at the gateway, which restarts."""
    house.log = [LOST[0]]
    await house.set_up()
    house.gateway.users["admin"] = User("admin", "new", {"all"}, {"all"})
    house.gateway.faults.drop_sessions()
    await house.notices()
    before = _logins(house)
    await house.pass_time(200)
    assert _logins(house) == before + 1

    await _enter_new_password(house, "new")
    await house.recovers()

    await house.prove_normal()


async def test_right_for_commands_taken_away(house: House) -> None:
    """It counts from the next login on."""
    house.log = [*LOST]
    await house.set_up()
    set_rights(house.gateway, without="command")
    await house.receive()  # the rights of a session are those of its login
    house.gateway.faults.drop_sessions()
    await house.notices()
    await house.stay_away()
    assert house.issues == {"no_command_right"}

    give_rights_back(house.gateway)
    await house.recovers()

    await house.prove_normal()


async def test_right_for_sms_taken_away(house: House) -> None:
    """The gateway tells such a user of no SMS; a repair says so."""
    house.log = [*LOST]
    await house.set_up()
    set_rights(house.gateway, without="dialplan")
    house.gateway.faults.drop_sessions()
    await house.notices(lambda: house.issues == {"no_incoming_sms"})
    assert house.is_connected

    give_rights_back(house.gateway)
    await house.recovers()

    await house.prove_normal()
