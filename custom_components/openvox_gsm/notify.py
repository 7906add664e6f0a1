"""A notify entity for each contact of a gateway."""

from typing import override

from homeassistant.components.notify import NotifyEntity, NotifyEntityFeature
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import SUBENTRY_CONTACT
from .contacts import Contact, country_of
from .entity import async_add_subentry_entities
from .errors import invalid, number_error, sms_not_sent
from .gateway import SendResult, SendStatus
from .phone_numbers import InvalidPhoneNumberError, comparable_sender, parse_destination
from .runtime import OpenVoxConfigEntry, OpenVoxRuntime
from .sending import Recipient, Route, SmsOrder, async_send, prepare
from .signals import SIGNAL_SMS_SENT

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: OpenVoxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the gateway's contacts."""
    async_add_subentry_entities(
        entry,
        async_add_entities,
        SUBENTRY_CONTACT,
        lambda subentry: ContactNotify(
            entry.runtime_data, Contact.from_subentry(subentry)
        ),
    )


class ContactNotify(NotifyEntity):
    """A contact; the state is when the last SMS was sent to it.

    It has no device, since a person isn't part of a gateway. It stays available: if an
    SMS can't be sent, the action says so.
    """

    _attr_has_entity_name = True
    _attr_translation_key = "contact"
    _attr_supported_features = NotifyEntityFeature.TITLE

    def __init__(self, runtime: OpenVoxRuntime, contact: Contact) -> None:
        """Use the contact's name."""
        self.runtime = runtime
        self.contact = contact
        self._sending = 0
        self._sent_meanwhile = False
        self._caller_context: Context | None = None
        self._attr_unique_id = f"{runtime.entry.entry_id}_{contact.subentry_id}"
        self._attr_translation_placeholders = {"name": contact.name}

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for messages that others send to the number."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_SMS_SENT, self._sent)
        )

    @callback
    @override
    def async_set_context(self, context: Context) -> None:
        """Keep the context of an action, just before it sends a message."""
        super().async_set_context(context)
        self._caller_context = context

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Send an SMS; raises HomeAssistantError where it may not have arrived."""
        contact = self.contact
        try:
            number = parse_destination(contact.number, self._country)
        except InvalidPhoneNumberError as err:
            # Not everyone who may use this entity may know the number.
            raise invalid(
                number_error(err), self.runtime.entry, number=contact.name
            ) from err
        route = Route(self.runtime, contact.span)
        text = f"{title}: {message}" if title else message
        recipient = Recipient(number, contact.name, (route,))
        order = prepare(
            self.hass, SmsOrder(recipient, text, context=self._caller_context)
        )
        self._sending += 1
        is_sent = False
        try:
            outcome = await async_send(self.hass, order)
            is_sent = outcome.is_sent
        finally:
            self._sending -= 1
            if self._sent_meanwhile and not is_sent:
                self._async_record_notification()
            self._sent_meanwhile = False
        if not is_sent:
            failed = (contact.name, outcome.result, outcome.reason)
            raise sms_not_sent(self.hass, [failed])

    @property
    def _country(self) -> str | None:
        return country_of(self.hass, self.runtime.entry)

    @callback
    def _sent(self, result: SendResult) -> None:
        """Record a message to the number, no matter which gateway sent it."""
        if result.status is not SendStatus.SENT or result.number != comparable_sender(
            self.contact.number, self._country
        ):
            return
        if self._sending:
            # It may be its own, which the base class records.
            self._sent_meanwhile = True
        else:
            self._async_record_notification()
