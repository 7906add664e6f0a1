"""Actions on what Asterisk stores: its database, variables, configuration files."""

from simulator.manager.framing import Action
from simulator.manager.session import Session
from simulator.model.channels import Channel
from simulator.wire import packet

from .kind import ActionKind


async def _db_put(session: Session, action: Action) -> None:
    family, key = action.get("Family"), action.get("Key")
    if not _has_key(session, action):
        return
    session.gateway.database[family, key] = action.get("Val")
    session.success(action, "Updated database successfully")


async def _db_get(session: Session, action: Action) -> None:
    family, key = action.get("Family"), action.get("Key")
    if not _has_key(session, action):
        return
    value = session.gateway.database.get((family, key))
    if value is None:
        session.error(action, "Database entry not found")
        return
    answer = [
        "Event: DBGetResponse",
        f"Family: {family}",
        f"Key: {key}",
        f"Val: {value}",
    ]
    if session.old:
        identifier = session.action_id(action)
        session.success(action, "Result will follow")
        session.send(packet(*answer, *identifier))
        session.send(packet("Event: DBGetComplete", *identifier))
        return
    session.begin_list(action, "Result will follow")
    session.send(packet(*answer, *session.action_id(action)))
    session.end_list(action, "DBGetComplete", "ListItems: 1")


async def _db_del(session: Session, action: Action) -> None:
    if not _has_key(session, action):
        return
    key = action.get("Family"), action.get("Key")
    if session.gateway.database.pop(key, None) is None:
        end = "not found" if session.old else "could not be deleted"
        session.error(action, f"Database entry {end}")
    else:
        session.success(action, "Key deleted successfully")


async def _db_del_tree(session: Session, action: Action) -> None:
    database = session.gateway.database
    keys = [key for key in database if key[0] == action.get("Family")]
    for key in keys:
        del database[key]
    if keys:
        session.success(action, "Key tree deleted successfully")
    else:
        session.error(action, "Database entry not found")


def _has_key(session: Session, action: Action) -> bool:
    for key in ("Family", "Key"):
        if not action.get(key):
            session.error(action, f"No {key.lower()} specified.")
            return False
    return True


async def _get_var(session: Session, action: Action) -> None:
    name = action.get("Variable")
    found, channel = _optional_channel(session, action)
    if not name:
        session.error(action, "No variable specified")
    elif not found:
        session.error(action, "No such channel")
    else:
        values = channel.variables if channel else session.gateway.globals
        session.reply(
            action, "Success", f"Variable: {name}", f"Value: {values.get(name, '')}"
        )


async def _set_var(session: Session, action: Action) -> None:
    name, value = action.get("Variable"), action.get("Value")
    found, channel = _optional_channel(session, action)
    if not name:
        session.error(action, "No variable specified")
    elif not found:
        session.error(action, "No such channel")
    elif channel:
        session.gateway.set_variable(channel, name, value)
        session.success(action, "Variable Set")
    else:
        session.gateway.globals[name] = value
        session.gateway.emit(session.gateway.events.global_var_set(name, value))
        session.success(action, "Variable Set")


def _optional_channel(session: Session, action: Action) -> tuple[bool, Channel | None]:
    """Find the channel an action names; none named is fine as well."""
    name = action.get("Channel")
    channel = session.gateway.channels.get(name)
    return not name or channel is not None, channel


async def _get_config(session: Session, action: Action) -> None:
    if not action.get("Filename"):
        session.error(action, "Filename not specified")
    elif action.get("Filename") != "manager.conf":
        session.error(action, "Config file not found")
    elif action.get("Action").lower() == "getconfigjson":
        session.reply(
            action, "Success", 'JSON: {"general":["enabled=yes","port=5038"]}'
        )
    elif action.get("Action").lower() == "listcategories":
        session.reply(action, "Success", "Category-000000: general")
    else:
        session.reply(
            action,
            "Success",
            "Category-000000: general",
            "Line-000000-000000: enabled=yes",
            f"Line-000000-000001: port={session.port}",
        )


ACTIONS = (
    ActionKind.of("DBDelTree", "system", "Delete DB Tree.", _db_del_tree),
    ActionKind.of("DBDel", "system", "Delete DB entry.", _db_del),
    ActionKind.of("DBPut", "system", "Put DB entry.", _db_put),
    ActionKind.of("DBGet", "system reporting", "Get DB Entry.", _db_get),
    ActionKind.of("ListCategories", "config", "List categories in configuration file.", _get_config),
    ActionKind.of("GetConfigJSON", "system config", "Retrieve configuration (JSON).", _get_config),
    ActionKind.of("GetConfig", "system config", "Retrieve configuration.", _get_config),
    ActionKind.of("Getvar", "call reporting", "Gets a channel variable.", _get_var),
    ActionKind.of("Setvar", "call", "Set a channel variable.", _set_var),
)  # fmt: skip
