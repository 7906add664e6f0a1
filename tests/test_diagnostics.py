"""Diagnostics help, and tell nothing that is nobody's business."""

from collections.abc import Iterable
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.openvox_gsm.const import (
    CONF_ALLOWED,
    CONF_CODE,
    CONF_DATE_PATTERN,
    CONF_FINGERPRINT,
    CONF_INTERVAL,
    CONF_NUMBER,
    CONF_PATTERN,
    CONF_REPLIES,
    CONF_SPAN,
    CONF_TLS,
    SUBENTRY_CONTACT,
    SUBENTRY_USSD_QUERY,
)
from custom_components.openvox_gsm.diagnostics import async_get_config_entry_diagnostics
from homeassistant.components.diagnostics import REDACTED
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.const import (
    CONF_COUNTRY,
    CONF_HOST,
    CONF_NAME,
    CONF_PASSWORD,
    CONF_USERNAME,
)
from homeassistant.core import HomeAssistant
from simulator import Simulator, User

from .common import OTHER_PHONE, PHONE, poll, set_rights, until

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")

USER = "user-of-the-api"
PASSWORD = "hunter2-hunter2"
NAME = "Erika Mustermann"
CODE = "*100*4711#"
# Long enough that no random stand-in contains them.
REPLY = "864209753"
PIN = "97310864"
TEXT = "the one-time code"


def entry_of(gateway: Simulator, **data: Any) -> MockConfigEntry:
    """Return an entry with something secret in each place."""
    return MockConfigEntry(
        domain="openvox_gsm",
        title=f"OpenVox {gateway.host}",
        unique_id="a0:98:05:11:22:33",
        data={
            CONF_HOST: gateway.host,
            "port": gateway.port,
            CONF_USERNAME: USER,
            CONF_PASSWORD: PASSWORD,
            CONF_TLS: False,
        }
        | data,
        options={CONF_COUNTRY: "DE", CONF_ALLOWED: [OTHER_PHONE]},
        subentries_data=[
            ConfigSubentryData(
                data={CONF_NAME: NAME, CONF_NUMBER: OTHER_PHONE, CONF_SPAN: 2},
                subentry_type=SUBENTRY_CONTACT,
                title=NAME,
                unique_id=None,
            ),
            ConfigSubentryData(
                data={
                    CONF_NAME: NAME,
                    CONF_SPAN: 1,
                    CONF_CODE: CODE,
                    CONF_REPLIES: [REPLY],
                    CONF_INTERVAL: 24,
                    CONF_PATTERN: "([0-9]+)",
                    CONF_DATE_PATTERN: "until ([0-9.]+)",
                },
                subentry_type=SUBENTRY_USSD_QUERY,
                title=NAME,
                unique_id=None,
            ),
        ],
    )


def assert_hidden(told: object, secrets: Iterable[str]) -> None:
    """Check that no secret is in there, in any form."""
    text = json.dumps(told).lower()
    for secret in secrets:
        assert secret.lower() not in text
        assert secret.lower().removeprefix("+") not in text


async def test_nothing_secret_is_told(
    freezer: FrozenDateTimeFactory, hass: HomeAssistant, gateway: Simulator
) -> None:
    """The user may show them to anyone."""
    gateway.users = {USER: User(USER, PASSWORD)}
    entry = entry_of(gateway)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    calls, pin, strange, usual = gateway.spans.values()
    usual.own_number = "+4915100000001"
    usual.sms_center = "+491710760000"
    usual.send_sms_center = "+491710760001"
    usual.imei, usual.imsi = "860041020985605", "460021180590487"
    pin.status = f"Pin ({PIN}) Error"
    pin.last_send_at = f'AT+CPIN="{PIN}"\r\n'
    await gateway.incoming_call(1, PHONE)
    await until(lambda: calls.call)
    # What a later firmware might print.
    strange.revision += (
        f"\r\nLast Caller: {PHONE}\r\n+CMT {PHONE}: {TEXT}\r\nText: {TEXT}"
    )
    await gateway.receive_sms(4, PHONE, TEXT)
    await poll(hass, freezer)
    spans = entry.runtime_data.gateway.spans
    assert PHONE in spans[1].state_text
    assert spans[3].lines["Last Caller"] == PHONE
    assert spans[4].imei == usual.imei

    told = await async_get_config_entry_diagnostics(hass, entry)

    assert_hidden(
        told,
        (
            *(gateway.host, USER, PASSWORD, "a0:98:05", NAME, PHONE, OTHER_PHONE),
            *(CODE, REPLY, PIN, TEXT),
            *(usual.own_number, usual.sms_center, usual.imei, usual.imsi),
            *(usual.send_sms_center, calls.imei, calls.imsi, calls.sms_center),
        ),
    )


async def test_what_helps_is_told(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Firmware, rights, and how the spans are; what is redacted shows that it is there."""
    told = await async_get_config_entry_diagnostics(hass, loaded)

    assert told["entry"]["state"] == "loaded"
    assert told["entry"]["reason"] is None
    assert told["entry"]["data"]["port"] == gateway.port
    assert told["entry"]["data"][CONF_PASSWORD] == REDACTED
    assert told["gateway"]["connected"] is True
    assert told["gateway"]["active_calls"] == 0
    assert told["gateway"]["features"]["asterisk_version"] == gateway.asterisk_version
    assert "dialplan" in told["gateway"]["features"]["read_rights"]
    features = told["gateway"]["features"]
    assert (features["message_id"], features["receives_sms"]) == (True, True)
    assert (features["flash"], features["flash_parts"]) == (False, False)
    assert "gsm send sync sms" in told["gateway"]["features"]["commands"]
    assert told["gateway"]["spans"].keys() == {"1", "2", "3", "4"}
    span = told["gateway"]["spans"]["1"]
    assert (span["status"], span["network_status"], span["state"]) == (
        "ready",
        "home",
        "READY",
    )
    assert span["lines"]["Signal Quality (0,31)"] == "20"
    assert span["lines"]["Model Name"] == "SIMCOM_SIM840W"
    assert span["lines"]["Model IMEI"] == REDACTED


async def test_what_was_said_is_told(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """What was seen, and the last lines of the conversation in the form of a recording."""
    await gateway.receive_sms(1, PHONE, TEXT)
    observer = loaded.runtime_data.gateway.observer
    await until(lambda: "step Hangup" in observer.seen.counts)

    told = await async_get_config_entry_diagnostics(hass, loaded)

    assert told["gateway"]["seen"]["SMS with PDU"] == 1
    assert told["gateway"]["sms_seen"]["with PDU"] == 1
    wire = told["gateway"]["trace"]
    assert {sender for _, sender, _ in wire} == {"client", "gateway"}
    assert any("Variable: SMSTXT" in text for _, _, text in wire)
    assert_hidden(wire, (PHONE, TEXT, gateway.host))
    assert "stand-ins" in told["about"]


async def test_subentries_are_told(hass: HomeAssistant, gateway: Simulator) -> None:
    """How often and where is asked may be the fault; whom, and what, is not."""
    told = await async_get_config_entry_diagnostics(
        hass, entry_of(gateway, **{CONF_TLS: True, CONF_FINGERPRINT: "ab"})
    )

    contact, query = told["entry"]["subentries"]
    assert contact == {
        "type": SUBENTRY_CONTACT,
        "data": {CONF_NAME: REDACTED, CONF_NUMBER: REDACTED, CONF_SPAN: 2},
    }
    assert query["data"][CONF_INTERVAL] == 24
    assert query["data"][CONF_PATTERN] == REDACTED
    assert query["data"][CONF_DATE_PATTERN] == REDACTED
    assert told["entry"]["data"][CONF_FINGERPRINT] == "ab"
    assert told["entry"]["options"] == {CONF_COUNTRY: "DE", CONF_ALLOWED: REDACTED}


async def test_a_gateway_that_cannot_be_set_up(
    hass: HomeAssistant, gateway: Simulator, entry: MockConfigEntry
) -> None:
    """Then they help most. The reason comes without the address."""
    set_rights(gateway, without="command")
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)

    told = await async_get_config_entry_diagnostics(hass, entry)

    assert (told["entry"]["state"], told["entry"]["reason"]) == (
        "setup_retry",
        "no_command_right",
    )
    assert "gateway" not in told
    assert_hidden(told, (gateway.host,))
