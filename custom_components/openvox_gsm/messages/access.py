"""Who sees which messages, and with which names."""

from collections.abc import Iterable
from typing import Any, Self

from custom_components.openvox_gsm.contacts import contacts_of, country_of
from custom_components.openvox_gsm.devices import find_span_devices
from custom_components.openvox_gsm.phone_numbers import comparable_sender
from custom_components.openvox_gsm.user_rights import may
from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import HomeAssistant, callback

from .history import HISTORIES, MessageHistory
from .record import MessageRecord, conversation_of


@callback
def may_see(hass: HomeAssistant, user: User, history: MessageHistory) -> bool:
    """Return whether a user sees a gateway's messages."""
    entry = history.entry
    if entry.disabled_by:
        return False
    if user.is_admin:
        return True
    return history.is_for_all and may(hass, user, POLICY_READ, entry.entry_id)


@callback
def may_use(hass: HomeAssistant, user: User, history: MessageHistory) -> bool:
    """Return whether a user sees a gateway's messages, or may send through any span."""
    if may_see(hass, user, history):
        return True
    entry_id = history.entry.entry_id
    return not history.entry.disabled_by and any(
        may(hass, user, POLICY_CONTROL, entry_id, span)
        for span in (None, *find_span_devices(hass, entry_id))
    )


@callback
def visible_histories(hass: HomeAssistant, user: User) -> list[MessageHistory]:
    """Return the gateways' messages that a user sees."""
    histories = hass.data.get(HISTORIES, {}).values()
    return [each for each in histories if may_see(hass, user, each)]


class Names:
    """The contacts of the gateways that a user sees, by their numbers."""

    def __init__(
        self, hass: HomeAssistant, histories: Iterable[MessageHistory]
    ) -> None:
        """Read the contacts as they are now."""
        self._own: dict[str, dict[str, str]] = {}
        self._of_all: dict[str, str] = {}
        #: Each contact's name and number in its one form, with the gateways' ids.
        self.contacts: dict[tuple[str, str], list[str]] = {}
        for history in histories:
            entry = history.entry
            own = self._own[entry.entry_id] = {}
            country = country_of(hass, entry)
            for contact in contacts_of(entry):
                number = comparable_sender(contact.number, country)
                own.setdefault(number, contact.name)
                self._of_all.setdefault(number, contact.name)
                self.contacts.setdefault((contact.name, number), []).append(
                    entry.entry_id
                )

    @classmethod
    def of(cls, hass: HomeAssistant, user: User) -> Self:
        """Return the names that a user sees."""
        return cls(hass, visible_histories(hass, user))

    def find(self, entry_id: str, number: str | None) -> str | None:
        """Return a number's contact, the gateway's own first, then those of others."""
        key = conversation_of(number)
        if not key:
            return None
        return self._own.get(entry_id, {}).get(key) or self._of_all.get(key)

    def shown(self, entry_id: str, record: MessageRecord) -> dict[str, Any]:
        """Return a message as the page gets it."""
        return record.as_dict() | {
            "entry_id": entry_id,
            "contact": self.find(entry_id, record.number),
        }
