"""The WebSocket commands by which the page reads, watches and deletes messages."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import voluptuous as vol

from custom_components.openvox_gsm.const import CONF_LINE_BREAKS, DOMAIN
from custom_components.openvox_gsm.devices import find_span_devices
from custom_components.openvox_gsm.errors import text_error, text_of
from custom_components.openvox_gsm.gateway import (
    Alphabet,
    InvalidTextError,
    Span,
    split_text,
)
from custom_components.openvox_gsm.runtime import OpenVoxConfigEntry
from custom_components.openvox_gsm.signals import (
    SIGNAL_GATEWAYS_CHANGED,
    SIGNAL_MESSAGE_CHANGED,
    SIGNAL_MESSAGES_DELETED,
)
from custom_components.openvox_gsm.user_rights import may
from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.components import websocket_api
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .access import Names, may_see, may_use
from .history import HISTORIES, MessageHistory
from .queries import Query, find_conversations, find_messages, find_messages_with
from .record import MessageRecord, conversation_of

_TYPE: Final = "openvox_gsm/messages"
_ERR_NOT_ALL_ENTITIES: Final = "not_all_entities"
_MAX_LIMIT: Final = 200
_MAX_SEARCH: Final = 200
_PAGE: Final[dict[str | vol.Marker, Any]] = {
    vol.Optional("entry_id"): str,
    vol.Optional("span"): vol.All(int, vol.Range(min=1)),
    vol.Optional("search", default=""): vol.All(
        str, vol.Strip, vol.Length(max=_MAX_SEARCH)
    ),
    vol.Optional("before"): str,
    vol.Optional("limit", default=50): vol.All(int, vol.Range(min=1, max=_MAX_LIMIT)),
}
_NUMBER: Final[dict[str | vol.Marker, Any]] = {
    vol.Optional("number"): vol.Any(None, str)
}

type _Command = Callable[
    [HomeAssistant, websocket_api.ActiveConnection, dict[str, Any]], None
]
type _CommandOnHistories = Callable[
    [
        HomeAssistant,
        websocket_api.ActiveConnection,
        dict[str, Any],
        list[MessageHistory],
    ],
    None,
]


@callback
def async_register_commands(hass: HomeAssistant) -> None:
    """Register the commands, which serve all gateways."""
    for command in (
        show_gateways,
        show_conversations,
        show_messages,
        subscribe,
        delete,
        count,
    ):
        websocket_api.async_register_command(hass, command)


def _with_histories(
    is_for: Callable[[HomeAssistant, User, MessageHistory], bool],
) -> Callable[[_CommandOnHistories], _Command]:
    """Give a command the gateways that are for the user, or say why there is none."""

    def decorate(command: _CommandOnHistories) -> _Command:
        @wraps(command)
        def checked(
            hass: HomeAssistant,
            connection: websocket_api.ActiveConnection,
            msg: dict[str, Any],
        ) -> None:
            user, entry_id = connection.user, msg.get("entry_id")
            histories = [
                each
                for each in hass.data.get(HISTORIES, {}).values()
                if is_for(hass, user, each)
                and entry_id in (None, "", each.entry.entry_id)
            ]
            if histories or (user.is_admin and not entry_id):
                command(hass, connection, msg, histories)
            else:
                # Not raised: the log would have an error for each attempt of a card.
                connection.send_error(msg["id"], *_why_none(hass, entry_id))

        return checked

    return decorate


def _why_none(hass: HomeAssistant, entry_id: str | None) -> tuple[str, str]:
    """Return why a user gets no gateway, or not this one: a code, and it in words."""
    histories = [
        each
        for each in hass.data.get(HISTORIES, {}).values()
        if not each.entry.disabled_by and entry_id in (None, "", each.entry.entry_id)
    ]
    if entry_id and not histories:
        entry = hass.config_entries.async_get_entry(entry_id)
        if entry is None or entry.domain != DOMAIN or entry.disabled_by:
            return websocket_api.ERR_NOT_FOUND, "There is no such gateway"
        return websocket_api.ERR_HOME_ASSISTANT_ERROR, "The gateway isn't set up yet"
    if any(each.is_for_all for each in histories):
        return _ERR_NOT_ALL_ENTITIES, "The user can't view all entities of the gateway"
    return websocket_api.ERR_UNAUTHORIZED, "Unauthorized"


# Reading


@websocket_api.websocket_command({vol.Required("type"): f"{_TYPE}/gateways"})
@callback
@_with_histories(may_use)
def show_gateways(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    msg: dict[str, Any],
    histories: list[MessageHistory],
) -> None:
    """Return the gateways with their spans, and the contacts."""
    contacts = Names(hass, histories).contacts
    connection.send_result(
        msg["id"],
        {
            "gateways": [_gateway(hass, connection.user, each) for each in histories],
            "contacts": [
                {"name": name, "number": number, "entry_ids": entry_ids}
                for (name, number), entry_ids in contacts.items()
            ],
        },
    )


def _gateway(
    hass: HomeAssistant, user: User, history: MessageHistory
) -> dict[str, Any]:
    entry: OpenVoxConfigEntry = history.entry
    can_read = may_see(hass, user, history)
    is_loaded = entry.state is ConfigEntryState.LOADED
    is_there = is_loaded and entry.runtime_data.coordinator.last_update_success
    spans = entry.runtime_data.coordinator.data.spans if is_loaded else {}

    def can_send(span: int | None = None) -> bool:
        return is_loaded and may(hass, user, POLICY_CONTROL, entry.entry_id, span)

    def is_ready(span: Span | None) -> bool:
        return is_there and span is not None and span.can_send

    return {
        "entry_id": entry.entry_id,
        "title": entry.title,
        "kept": history.limit,
        "can_read": can_read,
        "has_messages": can_read and len(history) > 0,
        "can_send": can_send(),
        "spans": [
            {
                "span": number,
                "name": device.name_by_user or device.name,
                "can_send": can_send(number),
                "ready": is_ready(spans.get(number)),
            }
            for number, device in sorted(
                find_span_devices(hass, entry.entry_id).items()
            )
        ],
    }


def _query(msg: dict[str, Any]) -> Query:
    return Query(
        span=msg.get("span"),
        search=msg["search"],
        before=msg.get("before"),
        limit=msg["limit"],
    )


@websocket_api.websocket_command(
    {vol.Required("type"): f"{_TYPE}/conversations", **_PAGE}
)
@callback
@_with_histories(may_see)
def show_conversations(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    msg: dict[str, Any],
    histories: list[MessageHistory],
) -> None:
    """Return a page of conversations: the last message with each number."""
    names = Names.of(hass, connection.user)
    page, more = find_conversations(histories, names, _query(msg))
    connection.send_result(msg["id"], {"conversations": page, "more": more})


@websocket_api.websocket_command(
    {vol.Required("type"): f"{_TYPE}/list", **_PAGE, **_NUMBER}
)
@callback
@_with_histories(may_see)
def show_messages(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    msg: dict[str, Any],
    histories: list[MessageHistory],
) -> None:
    """Return a page of messages, of one number if it's given."""
    names, query = Names.of(hass, connection.user), _query(msg)
    if "number" in msg:
        page, more = find_messages_with(histories, names, query, msg["number"])
    else:
        page, more = find_messages(histories, names, query)
    connection.send_result(msg["id"], {"messages": page, "more": more})


@websocket_api.websocket_command({vol.Required("type"): f"{_TYPE}/subscribe"})
@callback
@_with_histories(may_use)
def subscribe(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    msg: dict[str, Any],
    _histories: list[MessageHistory],
) -> None:
    """Send what changes, for as long as the user may see it."""

    def send(event: dict[str, Any]) -> None:
        connection.send_message(websocket_api.event_message(msg["id"], event))

    def sees(entry_id: str) -> bool:
        history = hass.data.get(HISTORIES, {}).get(entry_id)
        return history is not None and may_see(hass, connection.user, history)

    @callback
    def changed(entry_id: str, record: MessageRecord) -> None:
        if sees(entry_id):
            message = Names.of(hass, connection.user).shown(entry_id, record)
            send({"type": "changed", "message": message})

    @callback
    def deleted(entry_id: str, ids: tuple[str, ...] | None) -> None:
        if not sees(entry_id):
            return
        if ids is None:
            send({"type": "deleted", "entry_id": entry_id, "all": True})
        else:
            send({"type": "deleted", "ids": ids})

    @callback
    def gateways_changed() -> None:
        send({"type": "gateways"})

    stop = [
        async_dispatcher_connect(hass, SIGNAL_MESSAGE_CHANGED, changed),
        async_dispatcher_connect(hass, SIGNAL_MESSAGES_DELETED, deleted),
        async_dispatcher_connect(hass, SIGNAL_GATEWAYS_CHANGED, gateways_changed),
    ]

    @callback
    def unsubscribe() -> None:
        for each in stop:
            each()

    connection.subscriptions[msg["id"]] = unsubscribe
    connection.send_result(msg["id"])


# Deleting


@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{_TYPE}/delete",
        # An empty one stands for all gateways elsewhere, which isn't meant here.
        vol.Optional("entry_id"): vol.All(str, vol.Length(min=1)),
        **_NUMBER,
    }
)
@websocket_api.require_admin
@callback
@_with_histories(may_see)
def delete(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    msg: dict[str, Any],
    histories: list[MessageHistory],
) -> None:
    """Delete the messages with a number, or all; return how many there were."""
    deleted = 0
    for history in histories:
        if "number" in msg:
            key = conversation_of(msg["number"])
            ids = list(history.conversations.get(key, ()))
        else:
            ids = [each.id for each in history.newest_first()]
        deleted += history.delete(ids)
    connection.send_result(msg["id"], {"deleted": deleted})


# Writing one


@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{_TYPE}/count",
        vol.Required("text"): str,
        vol.Optional("entry_id"): str,
    }
)
@callback
@_with_histories(may_use)
def count(
    hass: HomeAssistant,
    connection: websocket_api.ActiveConnection,
    msg: dict[str, Any],
    histories: list[MessageHistory],
) -> None:
    """Return how many SMS a text takes, and the room in the last one."""
    text = msg["text"]
    line_breaks = msg.get("entry_id") and histories[0].entry.options.get(
        CONF_LINE_BREAKS
    )
    try:
        outgoing = split_text(text, line_breaks=bool(line_breaks))
    except InvalidTextError as err:
        words = text_of(hass, text_error(err))
        connection.send_error(msg["id"], "invalid_text", words)
        return
    is_gsm7 = outgoing.alphabet is Alphabet.GSM7
    connection.send_result(
        msg["id"],
        {
            "encoding": "gsm7" if is_gsm7 else "unicode",
            "characters": len(text),
            "parts": len(outgoing.parts),
            "left": outgoing.room,
        },
    )
