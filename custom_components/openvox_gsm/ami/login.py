"""Logging in: by challenge where the manager offers one."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
import hashlib

from .errors import (
    ActionFailedError,
    AuthenticationError,
    ChallengeMissingError,
    PermissionDeniedError,
)
from .packet import Packet

type Act = Callable[[str, Iterable[tuple[str, str]]], Awaitable[Packet]]


@dataclass(frozen=True)
class Credentials:
    """A manager user; the representation leaves out the secret.

    `may_be_plain` is False where the manager is known to offer MD5 challenges: one
    that doesn't is an impostor then, and isn't sent the secret.
    """

    username: str
    secret: str = field(repr=False)
    may_be_plain: bool = True


async def log_in(act: Act, credentials: Credentials, events: str) -> bool:
    """Log in; return whether it was by MD5 challenge.

    `act` sends an action and returns its answer. `events` is the event mask. The
    password is sent only if the manager offers no MD5 challenge and the credentials
    allow it (app note; Asterisk's own login code for the rest).

    Raises ChallengeMissingError, AuthenticationError, ActionFailedError if the manager
    allows a user only one session, and whatever else `act` raises.
    """
    try:
        challenge = await act("Challenge", [("AuthType", "MD5")])
    except (ActionFailedError, PermissionDeniedError) as err:
        if not credentials.may_be_plain:
            raise ChallengeMissingError(
                "The gateway no longer offers a login without sending the password"
            ) from err
        was_challenged = False
        proof = [("Secret", credentials.secret)]
    else:
        was_challenged = True
        digest = hashlib.md5(
            # A UnicodeEncodeError would contain the password.
            (challenge.get("Challenge") + credentials.secret).encode(
                "utf-8", "surrogatepass"
            ),
            usedforsecurity=False,
        )
        proof = [("AuthType", "MD5"), ("Key", digest.hexdigest())]
    try:
        await act(
            "Login", [("Username", credentials.username), *proof, ("Events", events)]
        )
    except (ActionFailedError, PermissionDeniedError) as err:
        if str(err).lower() == "login already in use":
            raise  # allowmultiplelogin=no; the password has not been checked
        raise AuthenticationError(
            "The gateway refused the user name or the password"
        ) from err
    return was_challenged
