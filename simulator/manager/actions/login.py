"""Actions around the login: challenge, login, logoff, event masks."""

import asyncio
import hashlib
import secrets

from simulator.manager.framing import Action
from simulator.manager.session import Session
from simulator.model.users import RIGHTS, grants
from simulator.wire import from_wire, packet

from .kind import ActionKind


async def _challenge(session: Session, action: Action) -> None:
    if action.get("AuthType").upper() != "MD5":
        session.error(action, "Must specify AuthType")
        return
    session.challenge = str(secrets.randbelow(10**9))
    session.reply(action, "Success", f"Challenge: {session.challenge}")


async def _login(session: Session, action: Action) -> None:
    gateway = session.gateway
    await asyncio.sleep(session.faults.login_delay)
    if session.user is not None and not session.old:
        session.success(action, "Already authenticated")
        return
    user = gateway.find_user(from_wire(action.get("Username")))
    if action.get("AuthType").upper() == "MD5":
        secret = session.challenge + (user.secret if user else "")
        wire = secret.encode("utf-8", "surrogatepass")
        expected = hashlib.md5(wire, usedforsecurity=False).hexdigest()
        right = bool(session.challenge) and action.get("Key") == expected
    else:
        right = user is not None and from_wire(action.get("Secret")) == user.secret
    if user is None or not right or session.faults.reject_login:
        await asyncio.sleep(gateway.login_penalty)
        session.error(action, "Authentication failed")
        session.ending = True
        return
    session.log_in(user)
    mask = _mask(session, action.get("Events"))
    session.event_mask = frozenset({"all"}) if mask is None else mask
    session.success(action, "Authentication accepted")
    # Only the mask counts here, not the right to read "system" (Asterisk 1.8).
    if grants(session.event_mask, ("system",)):
        uptime = (
            []
            if session.old
            else [f"Uptime: {gateway.uptime}", f"LastReload: {gateway.uptime}"]
        )
        session.send(
            packet(
                "Event: FullyBooted",
                "Privilege: system,all",
                *uptime,
                "Status: Fully Booted",
            )
        )


async def _logoff(session: Session, action: Action) -> None:
    session.reply(action, "Goodbye", "Message: Thanks for all the fish.")
    session.ending = True


def _mask(session: Session, text: str) -> frozenset[str] | None:
    """Read an event mask: on, off, or a list of classes; None if it is nothing at all.

    Asterisk 22 passes over classes that it does not know, and over those in capitals.
    """
    word = text.strip().lower()
    if not word:
        return None
    if word in ("on", "yes", "true", "1"):
        return frozenset({"all"})
    if word in ("off", "no", "false", "0"):
        return frozenset()
    if session.old:
        return frozenset(name.strip() for name in word.split(","))
    return frozenset(name.strip() for name in text.split(",")) & {*RIGHTS, "all"}


async def _events(session: Session, action: Action) -> None:
    mask = _mask(session, action.get("EventMask"))
    if mask is None:
        session.error(action, "Invalid event mask")
        return
    session.event_mask = mask
    session.reply(action, "Success", f"Events: {'On' if mask else 'Off'}")


async def _wait_event(session: Session, action: Action) -> None:
    session.success(action, "Waiting for Event completed.")
    session.send(packet("Event: WaitEventComplete", *session.action_id(action)))


ACTIONS = (
    ActionKind.of("WaitEvent", "", "Wait for an event to occur.", _wait_event),
    ActionKind.of("Challenge", "", "Generate Challenge for MD5 Auth.", _challenge),
    ActionKind.of("Login", "", "Login Manager.", _login),
    ActionKind.of("Logoff", "", "Logoff Manager.", _logoff),
    ActionKind.of("Events", "", "Control Event Flow.", _events),
)  # fmt: skip
