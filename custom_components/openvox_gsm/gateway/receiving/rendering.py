"""The driver's own rendering of an incoming SMS, repaired as far as possible.

It is used where there is no PDU. Much of it is lost for good: see the PDU for the
only faithful form.
"""

from datetime import datetime, timedelta, timezone
import re
from typing import Final

_UCS2_MARK = "\ufeff"  # comes before texts and senders that arrived in UCS-2
_C_ESCAPES: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    '"': '"',
    "'": "'",
    "?": "?",
    "\\": "\\",
}
# The driver gives GMT+0 for all zones west of Greenwich and more than five hours
# away, and cuts half hours: GMT+5 is more often than not India's +5:30.
_UNCERTAIN_HOURS: Final = (0, 5)
_EASTERNMOST: Final = 14


def decode_text(value: bytes) -> str:
    """Decode UTF-8, or the bytes that the driver makes of GSM 7-bit.

    Those are Latin-1, except for the euro sign, Ö, and Greek, which is lost.
    """
    try:
        return value.decode()
    except UnicodeDecodeError:
        if _UCS2_MARK.encode() in value:
            return value.decode(errors="replace")
        text = value.decode("latin-1")
        return text.replace("ÿe", "€").replace("ÿ", "\ufffd").replace("Ì", "Ö")


def unescape_c(value: str) -> str:
    """Undo what Asterisk 13.5 and later do to the value of a VarSet event.

    A value that can't have been escaped in this way is returned as it is.
    """
    if "\\" not in value:
        return value
    escape = r"(?s:\\(.?))"
    if any(character not in _C_ESCAPES for character in re.findall(escape, value)):
        return value
    return re.sub(escape, lambda match: _C_ESCAPES[match[1]], value)


def repair_text(text: str) -> str:
    """Undo the driver's escapes, and remove the mark that it puts before UCS-2."""
    escape = r'\\\\\\(["\\`])'
    if not re.search(r'["\\`]', re.sub(escape, "", text)):
        text = re.sub(escape, r"\1", text)
    return text.removeprefix(_UCS2_MARK)


def repair_sender(sender: str) -> str:
    """Remove the space of text mode, and the ``@`` after seven letters."""
    sender = repair_text(sender).strip()
    return sender[:-1] if re.fullmatch(".{7}@", sender) else sender


def read_zone(zone: str) -> timezone | None:
    """Read SMSTZ; None where the zone isn't certain."""
    match = re.fullmatch(r"GMT\+([0-9]{1,2})", zone.strip())
    if not match:
        return None
    hours = int(match[1])
    if hours in _UNCERTAIN_HOURS or hours > _EASTERNMOST:
        return None
    return timezone(timedelta(hours=hours))


def read_time(time: str) -> datetime | None:
    """Read SMSTIME, the service centre's local time; None where it is no time."""
    for form in ("%Y/%m/%d %H:%M:%S", "%y/%m/%d,%H:%M:%S"):
        try:
            return datetime.strptime(time.strip(), form)
        except ValueError:
            continue
    return None
