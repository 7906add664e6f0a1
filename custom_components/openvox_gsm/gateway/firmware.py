"""What a gateway can do, learnt after each login from its own texts."""

from dataclasses import dataclass, replace
import re
from typing import Final

from custom_components.openvox_gsm.ami import (
    ActionFailedError,
    ActionTimeoutError,
    PermissionDeniedError,
)

from . import commands, replies
from .bounds import MAX_VALUE
from .connection import Connection
from .errors import NotAnOpenVoxGatewayError

# A step that gives an SMS to anyone who sees the dialplan: the programs of the boxes from
# 2013 on (process_sms), of those sold since (sms_receive.lua) and of the further
# boards of a stack (process_slavesms), or any step with the text.
_RECEIVES: Final = re.compile(
    r"process_sms|sms_receive\.lua|process_slavesms|\$\{SMS(?:TXT|ORITXT|PDU)\}"
)
# The name of the same argument in different firmware.
_FLASH: Final = frozenset(("flash", "flash sms"))


@dataclass(frozen=True)
class Features:
    """The profile of a firmware, and what the rights of the user allow.

    `commands` are the ``gsm`` commands that it has. `sms_arguments`, `part_arguments`
    and `ussd_arguments` are the arguments of the commands that send an SMS, a part of
    a long one and a USSD code, as their usage names them. `sms_steps` are the steps of
    the dialplan that run for an incoming SMS, `outcome_steps` those for an SMS that
    was sent; None where there are none or they could not be read. The rights are those
    of the manager user, in alphabetical order; None where they could not be read.
    """

    asterisk_version: str = ""
    driver_version: str = ""
    commands: tuple[str, ...] = ()
    concatenated_sms: bool = True
    sms_arguments: tuple[str, ...] = ()
    part_arguments: tuple[str, ...] = ()
    ussd_arguments: tuple[str, ...] = ()
    sms_steps: tuple[str, ...] | None = None
    outcome_steps: tuple[str, ...] | None = None
    read_rights: tuple[str, ...] | None = None
    write_rights: tuple[str, ...] | None = None

    @property
    def message_id(self) -> bool:
        """Whether an SMS can be given an ID, for its late outcome."""
        return "id" in self.sms_arguments

    @property
    def flash(self) -> bool:
        """Whether an SMS can be shown at once, without being kept by the phone."""
        return not _FLASH.isdisjoint(self.sms_arguments)

    @property
    def flash_parts(self) -> bool:
        """Whether that is possible for the parts of a long SMS, too."""
        return not _FLASH.isdisjoint(self.part_arguments)

    @property
    def receives_sms(self) -> bool | None:
        """Whether a step of the dialplan receives SMS; None where that isn't known.

        Boxes sold since about 2016 have such a step only while their switch
        "SMS Received" is on.
        """
        if self.sms_steps is None:
            return None
        return any(_RECEIVES.search(step) for step in self.sms_steps)

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

    What a gateway doesn't answer stays unknown, apart from the list of its commands
    and its version.

    Raises NotAnOpenVoxGatewayError where there are no ``gsm`` commands, and AmiError.
    """
    help_text = await connection.command(commands.HELP)
    version = await connection.command(commands.SHOW_VERSION)
    has_help = not replies.is_unknown_command(help_text)
    if not has_help and replies.is_unknown_command(version):
        raise NotAnOpenVoxGatewayError(
            "The Asterisk there has no gsm commands: it is not an OpenVox GSM gateway"
        )
    texts = await _read_texts(
        connection,
        commands.HELP_SEND_SMS,
        commands.HELP_SEND_SMS_PART,
        user_command := commands.show_user(username),
        commands.HELP_SEND_USSD,
        commands.SHOW_SMS_STEPS,
        commands.SHOW_OUTCOME_STEPS,
    )
    user = texts[user_command]
    return Features(
        asterisk_version=await _read_asterisk_version(connection),
        driver_version=replies.read_driver_version(version),
        commands=replies.read_commands(help_text),
        concatenated_sms=not has_help
        or replies.has_command(help_text, commands.SEND_SMS_PART),
        sms_arguments=replies.read_usage(texts[commands.HELP_SEND_SMS]),
        part_arguments=replies.read_usage(texts[commands.HELP_SEND_SMS_PART]),
        ussd_arguments=replies.read_usage(texts[commands.HELP_SEND_USSD]),
        sms_steps=replies.read_steps(texts[commands.SHOW_SMS_STEPS], "sms"),
        outcome_steps=replies.read_steps(
            texts[commands.SHOW_OUTCOME_STEPS], "sms_send_ok"
        ),
        read_rights=_in_order(replies.read_rights(user, "read")),
        write_rights=_in_order(replies.read_rights(user, "write")),
    )


async def learn_sms_steps(connection: Connection, features: Features) -> Features:
    """Read only the steps for an incoming SMS again; return the features with them.

    Raises AmiError.
    """
    steps = await connection.command(commands.SHOW_SMS_STEPS)
    return replace(features, sms_steps=replies.read_steps(steps, "sms"))


async def _read_texts(connection: Connection, *wanted: str) -> dict[str, str]:
    """Run some commands; those that aren't answered have an empty text.

    After one that isn't answered in time no others are tried, as each would take as
    long.
    """
    texts = dict.fromkeys(wanted, "")
    for command in wanted:
        try:
            texts[command] = await connection.command(command)
        except ActionTimeoutError:
            break
        except ActionFailedError, PermissionDeniedError:
            continue
    return texts


def _in_order(rights: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if rights is None else tuple(sorted(rights))


async def _read_asterisk_version(connection: Connection) -> str:
    """Read Asterisk's version; empty without the right to see it."""
    try:
        answer = await connection.action("CoreSettings")
    except ActionFailedError, ActionTimeoutError, PermissionDeniedError:
        return ""
    return answer.get("AsteriskVersion")[:MAX_VALUE]
