"""What a gateway can do, learnt after each login from its own texts."""

from dataclasses import dataclass

from custom_components.openvox_gsm.ami import ActionFailedError, PermissionDeniedError

from . import commands, replies
from .connection import Connection
from .errors import NotAnOpenVoxGatewayError


@dataclass(frozen=True)
class Features:
    """What a gateway's firmware and the rights of the user allow.

    `sms_arguments` and `part_arguments` are the arguments of the commands that send
    an SMS and a part of a long one, as their usage names them. The rights are those
    of the manager user, in alphabetical order; None where they could not be read.
    """

    asterisk_version: str = ""
    driver_version: str = ""
    concatenated_sms: bool = True
    sms_arguments: tuple[str, ...] = ()
    part_arguments: tuple[str, ...] = ()
    read_rights: tuple[str, ...] | None = None
    write_rights: tuple[str, ...] | None = None

    @property
    def message_id(self) -> bool:
        """Whether an SMS can be given an ID, for its late outcome."""
        return "id" in self.sms_arguments

    @property
    def flash(self) -> bool:
        """Whether an SMS can be shown at once, without being kept by the phone."""
        return "flash" in self.sms_arguments

    @property
    def may_see_sms(self) -> bool | None:
        """Whether the user sees incoming SMS; None where that isn't known."""
        return None if self.read_rights is None else "dialplan" in self.read_rights

    @property
    def may_see_calls(self) -> bool | None:
        """Whether the user sees calls; None where that isn't known."""
        return None if self.read_rights is None else "call" in self.read_rights

    @property
    def may_dial(self) -> bool | None:
        """Whether the user may make calls; None where that isn't known."""
        return None if self.write_rights is None else "originate" in self.write_rights


async def learn_features(connection: Connection, username: str) -> Features:
    """Read what firmware and rights allow, with commands that change nothing.

    Raises NotAnOpenVoxGatewayError where there are no ``gsm`` commands, and AmiError.
    """
    help_text = await connection.command(commands.HELP)
    version = await connection.command(commands.SHOW_VERSION)
    has_help = not replies.is_unknown_command(help_text)
    if not has_help and replies.is_unknown_command(version):
        raise NotAnOpenVoxGatewayError(
            "The Asterisk there has no gsm commands: it is not an OpenVox GSM gateway"
        )
    sms_usage = await connection.command(commands.HELP_SEND_SMS)
    part_usage = await connection.command(commands.HELP_SEND_SMS_PART)
    user = await connection.command(commands.show_user(username))
    return Features(
        asterisk_version=await _read_asterisk_version(connection),
        driver_version=replies.read_driver_version(version),
        concatenated_sms=not has_help
        or replies.has_command(help_text, commands.SEND_SMS_PART),
        sms_arguments=replies.read_usage(sms_usage),
        part_arguments=replies.read_usage(part_usage),
        read_rights=_in_order(replies.read_rights(user, "read")),
        write_rights=_in_order(replies.read_rights(user, "write")),
    )


def _in_order(rights: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if rights is None else tuple(sorted(rights))


async def _read_asterisk_version(connection: Connection) -> str:
    """Read Asterisk's version; empty without the right to see it."""
    try:
        answer = await connection.action("CoreSettings")
    except ActionFailedError, PermissionDeniedError:
        return ""
    return answer.get("AsteriskVersion")
