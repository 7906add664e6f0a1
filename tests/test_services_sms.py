"""What notify.send_sms can do besides: contacts, encodings, flash, time limits."""

from types import MappingProxyType
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
import voluptuous as vol

from custom_components.openvox_gsm.const import (
    CONF_FLASH,
    CONF_LINE_BREAKS,
    EVENT_SMS_SENT,
    SUBENTRY_CONTACT,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from simulator import Box, Simulator, SmsOutcome

from .common import OTHER_PHONE, PHONE, gateway_device, settle, span_device
from .test_services import send, send_and_ask, sent

later_firmware = pytest.mark.parametrize(
    "gateway", [{"box": Box.TODAY}], indirect=True, ids=[""]
)


async def add_contact(
    hass: HomeAssistant, entry: MockConfigEntry, name: str, number: str, **data: Any
) -> None:
    """Add a contact to a gateway."""
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            subentry_type=SUBENTRY_CONTACT,
            title=name,
            unique_id=None,
            data=MappingProxyType({"name": name, "number": number, **data}),
        ),
    )
    await settle(hass)


async def set_option(
    hass: HomeAssistant, entry: MockConfigEntry, **options: Any
) -> None:
    """Set options of a gateway."""
    hass.config_entries.async_update_entry(entry, options=options)
    await settle(hass)


# Contacts


@pytest.mark.parametrize(
    ("target", "numbers"),
    [
        ("Anna", [PHONE]),
        (" anna ", [PHONE]),
        (["Anna", OTHER_PHONE], [PHONE, OTHER_PHONE]),
        ("Anna; Doe, Jane", None),
        ("Doe, Jane", [OTHER_PHONE]),
        (["Anna", "Doe, Jane", PHONE], [PHONE, OTHER_PHONE]),
    ],
)
async def test_the_name_of_a_contact(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    target: Any,
    numbers: list[str] | None,
) -> None:
    """It stands for the number, whatever the case of its letters."""
    await add_contact(hass, loaded, "Anna", "+49 151 12345678")
    await add_contact(hass, loaded, "Doe, Jane", OTHER_PHONE)

    if numbers is None:
        with pytest.raises(ServiceValidationError, match='"Doe" is neither a contact'):
            await send(hass, target=target)
        assert gateway.sent == []
    else:
        messages = await send_and_ask(hass, target=target)
        assert [message["target"] for message in messages] == numbers


async def test_a_contact_that_was_renamed_to_a_number(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """The number wins, since somebody may own it."""
    await add_contact(hass, loaded, OTHER_PHONE, PHONE)
    await add_contact(hass, loaded, "*100#", PHONE)

    messages = await send_and_ask(hass, target=OTHER_PHONE)

    assert [message["target"] for message in messages] == [OTHER_PHONE]
    with pytest.raises(ServiceValidationError):
        await send(hass, target="*100#")


async def test_the_response_names_the_contact(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Also where its number was given."""
    await add_contact(hass, loaded, "Anna", PHONE)

    messages = await send_and_ask(hass, target=[PHONE, OTHER_PHONE])

    assert [message["contact"] for message in messages] == ["Anna", None]


async def test_a_contact_is_reached_by_its_own_gateway(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """And on the span that it prefers, unless the call says otherwise."""
    await add_contact(hass, loaded, "Anna", PHONE, span=3)
    await add_contact(hass, other_loaded, "Bert", OTHER_PHONE)

    await send(hass, target=["Anna", "Bert"])
    assert sent(gateway) == [(3, PHONE, "Hello")]
    assert sent(other) == [(1, OTHER_PHONE, "Hello")]

    await send(hass, target="Anna", device_id=gateway_device(hass, loaded).id)
    await send(hass, target="Anna", device_id=span_device(hass, loaded, 2).id)
    assert [sms.span for sms in gateway.sent] == [3, 3, 2]

    await send(hass, target="Anna", config_entry_id=other_loaded.entry_id)
    assert sent(other)[1:] == [(1, PHONE, "Hello")]


async def test_two_contacts_of_the_same_name(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """That of the gateway that the call names is meant."""
    await add_contact(hass, loaded, "Anna", PHONE)
    await add_contact(hass, other_loaded, "Anna", OTHER_PHONE)

    await send(hass, target="Anna", config_entry_id=other_loaded.entry_id)

    assert sent(other) == [(1, OTHER_PHONE, "Hello")]


async def test_a_contact_inside_data(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """As alerts give it."""
    await add_contact(hass, loaded, "Anna", PHONE)

    await send(hass, data={"target": "Anna"})

    assert gateway.sent[0].number == PHONE


# Encoding


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Hello [1] {2} ~ `x`", "Hello [1] {2} ~ 'x'"),
        ("ä ö ü ß é ñ ø œ ı İ ş", "a o u ss e n o oe i I s"),
        ("“a” „b‟ ‘c’ ‚d’ «e»", "\"a\" \"b\" 'c' 'd' <<e>>"),
        ("… – — ° 20→25←20", "... - -- deg 20->25<-20"),
        ("€5 £5 ₺5 ¥5 ₹5 ₽5", "EUR5 GBP5 TRY5 JPY5 INR5 RUB5"),
        ("a\u00a0b", "a b"),
        ("Привет", "Privet"),
        ("done 👍🏽", "done"),
        ("👍 done", "done"),
        ("is 👍 👍🏽 ok,  really", "is ok,  really"),
        ("is\u00a0👍\u00a0ok", "is ok"),
        ("is ok!👍 (👍)", "is ok! ()"),
    ],
)
async def test_plain_letters(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    text: str,
    plain: str,
) -> None:
    """Accents and typographic signs are written with those of ASCII."""
    [message] = await send_and_ask(hass, message=text, target=PHONE, encoding="ascii")

    assert message["status"] == "sent"
    assert gateway.sent[0].text == plain
    assert gateway.sent[0].alphabet == "gsm7"


@pytest.mark.parametrize(
    ("language", "text", "plain"),
    [
        ("de", "ä ö ü Ä Ö Ü ß é", "ae oe ue Ae Oe Ue ss e"),
        (
            "de",
            "Größe, Übermut, RÜCKRUF, ÄRZTE, MENÜ, ÖBB",
            "Groesse, Uebermut, RUECKRUF, AERZTE, MENUE, OEBB",
        ),
        ("de-CH", "Gru\u0308ezi", "Grueezi"),
        ("gsw", "Grüezi", "Grueezi"),
        ("de", "Straße å ø", "Strasse a o"),
        (
            "da",
            "rød grød på Ærø, Århus, ØL, ÅÅ",
            "roed groed paa AEroe, Aarhus, OEL, AAAA",
        ),
        ("nb", "Blåbær på Øya", "Blaabaer paa Oeya"),
        ("nn", "brøyt", "broeyt"),
        ("da", "Müller", "Muller"),
        ("sv", "Åsa älskar öl", "Asa alskar ol"),
        ("fi", "hyvää yötä", "hyvaa yota"),
        ("tr", "Iğdır, çöl, gül", "Igdir, col, gul"),
        ("en", "Köln", "Koln"),
    ],
)
async def test_plain_letters_of_a_language(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    language: str,
    text: str,
    plain: str,
) -> None:
    """Where Home Assistant's language has a custom, it's followed."""
    hass.config.language = language

    await send(hass, message=text, target=PHONE, encoding="ascii")

    assert gateway.sent[0].text == plain


async def test_plain_letters_cost_less(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The title counts, too; as it is the text is sent by default."""
    text = "Die Waschmaschine läuft nicht mehr weiter. " * 3

    parts = [
        (await send_and_ask(hass, message=text, target=PHONE, title="Füße", **how))[0]
        for how in ({}, {"encoding": "auto"}, {"encoding": "ascii"})
    ]
    [inside] = await send_and_ask(
        hass, message=text, target=PHONE, encoding="", data={"encoding": "ascii"}
    )

    assert [message["parts"] for message in (*parts, inside)] == [3, 3, 1, 1]
    assert gateway.sent[0].text == gateway.sent[1].text
    assert gateway.sent[0].text.startswith("Füße: Die Waschmaschine läuft")
    assert gateway.sent[2].text.startswith("Fusse: Die Waschmaschine lauft")


async def test_a_text_of_which_nothing_is_left(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Then there is no text to send."""
    with pytest.raises(ServiceValidationError) as error:
        await send(hass, message="👍", target=PHONE, encoding="ascii")
    assert error.value.translation_key == "text_empty"


async def test_an_unknown_encoding(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It is refused before anything is done."""
    with pytest.raises(vol.Invalid):
        await send(hass, target=PHONE, encoding="ucs2")
    with pytest.raises(ServiceValidationError) as error:
        await send(hass, target=PHONE, data={"encoding": "ucs2"})
    assert error.value.translation_key == "invalid_data"


async def test_a_blank_where_an_emoji_was_stays_in_its_line(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Line breaks stand where they stood."""
    await set_option(hass, loaded, **{CONF_LINE_BREAKS: True})

    await send(hass, message="a 👍\n\n👍 b", target=PHONE, encoding="ascii")

    assert gateway.sent[0].text == r"a\n\nb"


# Flash


@later_firmware
async def test_flash(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Only where it is asked for; in all parts of a long text."""
    await set_option(hass, loaded, **{CONF_FLASH: True})

    await send(hass, target=PHONE, flash=True)
    await send(hass, target=PHONE, data={"flash": "on"}, message="x" * 200)
    await send(hass, target=PHONE, data={"flash": True}, flash=False)
    await send(hass, target=PHONE)

    assert [sms.flash for sms in gateway.sent] == [True, True, False, False]
    assert [part.flash for part in gateway.sent_parts[1:3]] == [True, True]


@later_firmware
async def test_flash_is_off(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """The error says where to switch it on."""
    with pytest.raises(ServiceValidationError, match="turned off for OpenVox"):
        await send(hass, target=PHONE, flash=True)
    assert gateway.sent == []


async def test_firmware_without_flash(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """A message that should leave no trace does not go out as one that stays."""
    await set_option(hass, loaded, **{CONF_FLASH: True})

    with pytest.raises(ServiceValidationError, match="firmware of OpenVox doesn't"):
        await send(hass, target=PHONE, flash=True)
    assert gateway.sent == []


@later_firmware
async def test_flash_goes_by_the_gateway_that_can(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """Even where it is the only one that fails."""
    await set_option(hass, loaded, **{CONF_FLASH: True})
    await set_option(hass, other_loaded, **{CONF_FLASH: True})
    for span in gateway.spans.values():
        span.sms_outcomes.append(SmsOutcome.FAILED)

    [message] = await send_and_ask(hass, target=PHONE, flash=True)

    assert message["status"] == "failed"
    assert message["config_entry_id"] == loaded.entry_id
    assert other.sent == []


# Time limit


async def test_the_time_limit(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """It is passed on to the gateway; 30 seconds by default."""
    await send(hass, target=PHONE)
    await send(hass, target=PHONE, timeout="90")
    await send(hass, target=PHONE, timeout=None, data={"timeout": 5})

    limits = [
        command.rsplit('" ', 1)[1].split()[0]
        for command in gateway.commands
        if command.startswith("gsm send sync sms")
    ]
    assert limits == ["30", "90", "5"]
    for timeout, message in (
        (0, "value must be at least 1"),
        (301, "value must be at most 300"),
        ("long", "expected int"),
    ):
        with pytest.raises(vol.Invalid, match=message):
            await send(hass, target=PHONE, timeout=timeout)
        with pytest.raises(
            ServiceValidationError, match='^The value of "timeout" in "data" isn'
        ):
            await send(hass, target=PHONE, data={"timeout": timeout})


async def test_the_number_of_a_span(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Spans are counted from 1; an empty field is any span."""
    with pytest.raises(vol.Invalid, match="value must be at least 1"):
        await send(hass, target=PHONE, span=0)
    await send(hass, target=PHONE, span="")


# News


async def test_one_event_for_each_message(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """Also where the first gateway did not send it."""
    events = async_capture_events(hass, EVENT_SMS_SENT)
    for span in gateway.spans.values():
        span.sms_outcomes.append(SmsOutcome.FAILED)

    await send(hass, target=PHONE)
    with pytest.raises(HomeAssistantError):
        await send(hass, target=OTHER_PHONE, span=9, config_entry_id=loaded.entry_id)

    assert [event.data["status"] for event in events] == ["sent", "failed"]


async def test_a_text_that_one_gateway_cannot_send_is_sent_by_none(
    hass: HomeAssistant,
    gateway: Simulator,
    other: Simulator,
    loaded: MockConfigEntry,
    other_loaded: MockConfigEntry,
) -> None:
    """How long a text is depends on the gateway; who repeats it sends nothing twice."""
    await set_option(hass, other_loaded, **{CONF_LINE_BREAKS: True})
    await hass.config_entries.async_reload(other_loaded.entry_id)
    await add_contact(hass, loaded, "Anna", PHONE)
    await add_contact(hass, other_loaded, "Bert", OTHER_PHONE)
    with pytest.raises(ServiceValidationError):
        await send(hass, target="Anna, Bert", message="a\n" * 700)
    assert gateway.sent == other.sent == []


async def test_a_language_whose_texts_are_not_loaded(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> None:
    """Right after a change of the language, the reason is in English."""
    hass.config.language = "nl"
    for span in gateway.spans.values():
        span.power = False

    with pytest.raises(HomeAssistantError, match="No span of OpenVox is ready"):
        await hass.services.async_call(
            "notify", "send_sms", {"message": "Hello", "target": PHONE}, blocking=True
        )
