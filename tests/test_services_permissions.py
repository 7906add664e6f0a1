"""Who may use the actions: people with control of the entities, and automations."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
)

from custom_components.openvox_gsm.const import (
    CONF_ALLOWED,
    CONF_CODES_FOR_ALL,
    EVENT_SMS_SENT,
)
from homeassistant.auth.permissions.models import PermissionLookup
from homeassistant.const import CONF_COUNTRY
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
    UnknownUser,
)
from homeassistant.helpers import device_registry as dr, entity_registry as er
from simulator import CallOutcome, Simulator

from .common import OTHER_PHONE, PHONE, entity_states, set_options, span_device
from .test_services_sms import add_contact

SMS = ("notify", "send_sms", {"message": "Hello", "target": PHONE})
USSD = ("openvox", "send_ussd", {"code": "*100#", "span": 1})
DIAL = ("openvox", "dial", {"number": PHONE, "ring_time": 1})
DIAL_CODE = ("openvox", "dial", {"number": "*21*0151#", "ring_time": 1})
HANGUP = ("openvox", "hangup", {"span": 1})
EVERYTHING = pytest.mark.parametrize(
    "action",
    [SMS, USSD, DIAL, DIAL_CODE, HANGUP],
    ids=["sms", "ussd", "dial", "dial_code", "hangup"],
)
ALL_BUT_CODES = pytest.mark.parametrize(
    "action", [SMS, DIAL, HANGUP], ids=["sms", "dial", "hangup"]
)
CODES = pytest.mark.parametrize("action", [USSD, DIAL_CODE], ids=["ussd", "dial_code"])

type Action = tuple[str, str, dict[str, Any]]


async def call(
    hass: HomeAssistant, user: MockUser | None, action: Action, **more: Any
) -> Any:
    """Call an action as a person, or as an automation; return its response."""
    domain, name, data = action
    return await hass.services.async_call(
        domain,
        name,
        data | more,
        blocking=True,
        context=Context(user_id=user.id if user else None),
        return_response=True,
    )


def may(hass: HomeAssistant, policy: dict[str, Any]) -> MockUser:
    """Add a user with a policy for entities."""
    user = MockUser().add_to_hass(hass)
    user.perm_lookup = PermissionLookup(er.async_get(hass), dr.async_get(hass))
    user.mock_policy({"entities": policy})
    return user


def spent(gateway: Simulator) -> list[str]:
    """Return what went out to the network, or ended a call."""
    return [
        line
        for line in gateway.commands
        if line.startswith(("gsm send sms", "gsm send ussd"))
    ] + [name for name in gateway.actions if name in ("Originate", "CoreShowChannels")]


@pytest.fixture(autouse=True)
def _answered(gateway: Simulator) -> None:
    """Let each phone be answered, which ends the call."""
    for span in gateway.spans.values():
        span.call_outcomes.extend([CallOutcome.ANSWERED] * 3)


@EVERYTHING
async def test_automations_may_do_everything(
    hass: HomeAssistant, loaded: MockConfigEntry, action: Action
) -> None:
    """Nobody is asked for permission where no person calls."""
    await call(hass, None, action)


@EVERYTHING
async def test_administrators_may_do_everything(
    hass: HomeAssistant, loaded: MockConfigEntry, action: Action, hass_admin_user: Any
) -> None:
    """Codes as well."""
    await call(hass, hass_admin_user, action)


@EVERYTHING
async def test_who_may_only_read_may_not_act(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    action: Action,
    hass_read_only_user: Any,
) -> None:
    """Not even if codes are for all users; the error says why, and nothing goes out."""
    await set_options(hass, loaded, **{CONF_CODES_FOR_ALL: True})

    with pytest.raises(Unauthorized, match="You don't have permission") as refused:
        await call(hass, hass_read_only_user, action)

    assert refused.value.translation_key == "not_permitted"
    assert spent(gateway) == []


@pytest.mark.parametrize(
    ("action", "more"),
    [
        (SMS, {"target": "Nobody"}),
        (SMS, {"target": "Anna", "message": ""}),
        (DIAL, {"number": "Anna"}),
        (DIAL, {"number": [PHONE, OTHER_PHONE]}),
        (USSD, {"span": None}),
    ],
)
async def test_who_may_only_read_learns_nothing(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    action: Action,
    more: dict[str, Any],
    hass_read_only_user: Any,
) -> None:
    """Neither whether there's a contact, nor its number, nor what spans are ready."""
    await add_contact(hass, loaded, "Anna", PHONE)
    await set_options(hass, loaded, **{CONF_ALLOWED: ["+44"]})
    asked = len(gateway.commands)

    with pytest.raises(Unauthorized) as refused:
        await call(hass, hass_read_only_user, action, **more)

    assert refused.value.translation_key == "not_permitted"
    assert len(gateway.commands) == asked


@EVERYTHING
async def test_a_deleted_user_may_not_act(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, action: Action
) -> None:
    """As with Home Assistant's own actions."""
    with pytest.raises(UnknownUser):
        await call(hass, MockUser(), action)
    assert spent(gateway) == []


@ALL_BUT_CODES
async def test_who_may_control_everything_may_act(
    hass: HomeAssistant, loaded: MockConfigEntry, action: Action
) -> None:
    """Such as a normal user of the household."""
    await call(hass, may(hass, {"all": True}), action)


@CODES
async def test_codes_are_for_administrators(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, action: Action
) -> None:
    """They move credit and forward calls; an option allows them for all users."""
    user = may(hass, {"all": True})
    with pytest.raises(Unauthorized, match="Only administrators"):
        await call(hass, user, action)
    assert spent(gateway) == []

    await set_options(hass, loaded, **{CONF_CODES_FOR_ALL: True})
    await call(hass, user, action)
    assert spent(gateway) != []


@ALL_BUT_CODES
async def test_control_of_one_span(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry, action: Action
) -> None:
    """It's enough for this span, and neither for another nor for any."""
    device = span_device(hass, loaded, 1)
    user = may(hass, {"device_ids": {device.id: True}})

    await call(hass, user, action, span=1)
    done = spent(gateway)
    with pytest.raises(Unauthorized):
        await call(hass, user, action, span=2)
    if action is not HANGUP:
        with pytest.raises(Unauthorized):
            await call(hass, user, action)
    assert spent(gateway) == done


async def test_control_of_some_entities_is_not_enough(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Control of a span means control of all its entities."""
    user = may(hass, {"domains": {"sensor": True}})
    with pytest.raises(Unauthorized):
        await call(hass, user, SMS, span=1)

    user = may(hass, {"entity_ids": dict.fromkeys(entity_states(hass, loaded), True)})
    await call(hass, user, SMS, span=1)
    await call(hass, user, SMS)
    assert len(gateway.sent) == 2


async def test_a_span_that_is_not_there(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_read_only_user: Any
) -> None:
    """It has no entities, which isn't control of them."""
    with pytest.raises(Unauthorized):
        await call(hass, hass_read_only_user, SMS, span=9)


async def test_a_span_without_entities(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_read_only_user: Any
) -> None:
    """Neither is it where all of them are disabled."""
    registry = er.async_get(hass)
    device = span_device(hass, loaded, 1)
    for entity in er.async_entries_for_device(registry, device.id):
        registry.async_update_entity(
            entity.entity_id, disabled_by=er.RegistryEntryDisabler.USER
        )
    with pytest.raises(Unauthorized):
        await call(hass, hass_read_only_user, SMS, span=1)


async def test_the_span_of_a_contact_counts(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """A contact is no way to a span that the caller may not control."""
    await add_contact(hass, loaded, "Anna", PHONE, span=2)
    first, second = (span_device(hass, loaded, span).id for span in (1, 2))

    with pytest.raises(Unauthorized):
        await call(hass, may(hass, {"device_ids": {first: True}}), SMS, target="Anna")
    assert gateway.sent == []
    await call(hass, may(hass, {"device_ids": {second: True}}), SMS, target="Anna")
    assert [sms.span for sms in gateway.sent] == [2]


async def test_only_gateways_under_control_are_used(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """Where an action names none of several."""
    user = may(
        hass, {"entity_ids": dict.fromkeys(entity_states(hass, other_loaded), True)}
    )

    for _ in range(3):
        await call(hass, user, SMS)

    assert (len(gateway.sent), len(other.sent)) == (0, 3)
    with pytest.raises(Unauthorized):
        await call(hass, user, SMS, config_entry_id=loaded.entry_id)


def may_control(hass: HomeAssistant, entry: MockConfigEntry) -> MockUser:
    """Add a user who may control all of one gateway, and nothing else."""
    return may(hass, {"entity_ids": dict.fromkeys(entity_states(hass, entry), True)})


@pytest.mark.parametrize(
    ("action", "field"), [(SMS, "target"), (DIAL, "number")], ids=["sms", "dial"]
)
@pytest.mark.parametrize("names_gateway", [False, True], ids=["any", "own"])
async def test_contacts_of_a_gateway_without_permission(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
    action: Action,
    field: str,
    names_gateway: bool,
) -> None:
    """Nobody learns that they exist: it's as if the name were unknown."""
    await add_contact(hass, other_loaded, "Anna", OTHER_PHONE)
    await set_options(hass, loaded, **{CONF_ALLOWED: [PHONE]})
    user = may_control(hass, loaded)
    where = {"config_entry_id": loaded.entry_id} if names_gateway else {}

    errors = []
    for name in ("Anna", "Nobody"):
        with pytest.raises(ServiceValidationError) as refused:
            await call(hass, user, action, **where, **{field: name})
        errors.append(str(refused.value).replace(name, "NAME"))

    assert errors[0] == errors[1]
    assert (spent(gateway), spent(other)) == ([], [])


async def test_contacts_of_another_gateway_under_control(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """Control of a span is enough; automations need none."""
    await add_contact(hass, other_loaded, "Anna", OTHER_PHONE)
    entities = dict.fromkeys(entity_states(hass, loaded), True)
    device = span_device(hass, other_loaded, 1)
    user = may(hass, {"entity_ids": entities, "device_ids": {device.id: True}})

    for caller in (user, None):
        await call(hass, caller, SMS, config_entry_id=loaded.entry_id, target="Anna")

    assert [sms.number for sms in gateway.sent] == [OTHER_PHONE] * 2


async def test_whose_number_it_is_at_a_gateway_without_permission(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """The response doesn't say; the event does, as automations need it."""
    await add_contact(hass, other_loaded, "Anna", OTHER_PHONE)
    events = async_capture_events(hass, EVENT_SMS_SENT)

    for user, contact in ((may_control(hass, loaded), None), (None, "Anna")):
        response = await call(
            hass, user, SMS, config_entry_id=loaded.entry_id, target=OTHER_PHONE
        )
        assert [each["contact"] for each in response["messages"]] == [contact]

    assert [event.data["contact"] for event in events] == ["Anna", "Anna"]


async def test_a_country_of_a_gateway_without_permission(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """It doesn't matter how a number would be read there."""
    await set_options(hass, loaded, **{CONF_COUNTRY: "DE"})
    await set_options(hass, other_loaded, **{CONF_COUNTRY: "AT"})

    with pytest.raises(ServiceValidationError, match="different countries"):
        await call(hass, None, SMS, target="0151 12345678")
    await call(hass, may_control(hass, loaded), SMS, target="0151 12345678")

    assert [sms.number for sms in gateway.sent] == ["+4915112345678"]


async def test_what_spans_lack_is_not_for_all(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Who may control one span of it doesn't learn why the others can't send a code."""
    await set_options(hass, loaded, **{CONF_CODES_FOR_ALL: True})
    device = span_device(hass, loaded, 1)
    user = may(hass, {"device_ids": {device.id: True}})
    for span in gateway.spans.values():
        span.status = "Undetected SIM Card"

    with pytest.raises(Unauthorized):
        await call(hass, user, ("openvox", "send_ussd", {"code": "*100#"}))
    with pytest.raises(HomeAssistantError, match="[Nn]o SIM"):
        await call(hass, user, USSD)


async def test_a_contact_that_may_be_notified_but_not_called_by_name(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Control of its entity alone is no way to its number, even by an error."""
    await add_contact(hass, loaded, "Anna", PHONE)
    await set_options(hass, loaded, **{CONF_ALLOWED: ["+44"]})
    user = may(hass, {"entity_ids": {"notify.anna": True}})
    notify = {"entity_id": "notify.anna", "message": "Hello"}

    with pytest.raises(Unauthorized):
        await call(hass, user, SMS, target="Anna")
    with pytest.raises(ServiceValidationError) as refused:
        await hass.services.async_call(
            "notify",
            "send_message",
            notify,
            blocking=True,
            context=Context(user_id=user.id),
        )

    assert str(refused.value).startswith("Anna isn't an allowed destination")
    assert gateway.sent == []
