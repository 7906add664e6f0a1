"""The contacts of a gateway, each as something to notify."""

from typing import override

from homeassistant.components.notify import NotifyEntity, NotifyEntityFeature
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN, SIGNAL_SENT, SUBENTRY_CONTACT
from .contacts import Contact, comparable, country_prefix
from .coordinator import OpenVoxConfigEntry, OpenVoxCoordinator
from .entity import async_add_subentry_entities
from .gateway import InvalidTextError, SendResult, SendStatus
from .sending import OutgoingSms, async_send, text_error

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
        lambda subentry: ContactNotify(entry.runtime_data, Contact.of(subentry)),
    )


class ContactNotify(NotifyEntity):
    """Somebody who gets SMS; the state is when the last one was sent.

    It belongs to no device, for a person is no part of a gateway, and stays
    available: what cannot be sent now is said when it is tried.
    """

    _attr_has_entity_name = True
    _attr_translation_key = "contact"
    _attr_supported_features = NotifyEntityFeature.TITLE

    def __init__(self, coordinator: OpenVoxCoordinator, contact: Contact) -> None:
        """Be named as the contact."""
        self.coordinator = coordinator
        self._sending = 0
        self.contact = contact
        self._attr_unique_id = (
            f"{coordinator.config_entry.entry_id}_{contact.subentry_id}"
        )
        self._attr_translation_placeholders = {"name": contact.name}

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for messages that are sent to the number in other ways."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_SENT, self._sent)
        )

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Send an SMS; raises HomeAssistantError where it may not have arrived."""
        text = f"{title}: {message}" if title else message
        self._sending += 1
        try:
            outcome = await async_send(
                OutgoingSms(self.contact.number, text, self.contact.span),
                [self.coordinator],
            )
        except InvalidTextError as err:
            raise text_error(err) from err
        finally:
            self._sending -= 1
        if outcome.result.status is not SendStatus.SENT:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="sms_not_sent",
                translation_placeholders={
                    "messages": f"{self.contact.name}: {outcome.reason}"
                },
            )

    @callback
    def _sent(self, _coordinator: OpenVoxCoordinator, result: SendResult) -> None:
        """Count a message to the number, by whichever gateway it went."""
        if (
            result.status is SendStatus.SENT
            # Its own messages are recorded by the base class.
            and not self._sending
            and self._has_number(result.number)
        ):
            self._async_record_notification()

    def _has_number(self, number: str) -> bool:
        prefix = country_prefix(self.coordinator.config_entry)
        return comparable(number, prefix) == comparable(self.contact.number, prefix)
