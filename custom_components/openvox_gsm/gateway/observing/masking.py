"""Packets and commands with stand-ins for everything private.

What stays is named here; anything else is replaced. So a text that looks like a packet
loses its words as well. All texts are bytes of the wire, written as Latin-1.
"""

from itertools import islice
import re
from typing import Final

from .pdu import hide_pdu
from .stand_ins import StandIns, hide_text

# Lines of a span that say nothing about a person or a SIM. What a firmware adds
# to them may, so its names are shown and its values are not.
OPEN_LINES: Final = frozenset(
    (
        *("D-channel", "Status", "Type", "Manufacturer", "Model Name", "Revision"),
        *("Network Name", "Network Status", "Signal Quality (0,31)", "BER value (0,7)"),
        *("PDD", "ASR", "ACD", "Last event"),
        *("Limit", "Network Band", "Model CBAND", "Remain Time"),
    )
)

_RIGHTS: Final = (
    "system|call|log|verbose|command|agent|user|config|dtmf|reporting|cdr|dialplan"
    "|originate|agi|cc|aoc|test|security|message|all"
)
_STATES: Final = (
    "Down|Rsrvd|OffHook|Dialing|Ring|Ringing|Up|Busy|Dialing Offhook|Pre-ring"
)
_EVENTS: Final = (
    "VarSet|Newexten|Newchannel|Newstate|Hangup|NewCallerid|OriginateResponse"
    "|CoreShowChannel|CoreShowChannelsComplete|HangupRequest|SoftHangupRequest"
    "|SMSSendStatus|SMSStatusReport|SMSRecevied|SimInserted|ExtraReady|ExtraDown"
    "|ExtraLock|ExtraUnlock|ExtraDial|ExtraOutDial|ExtraRingBack|ExtraConnect"
    "|ExtraHangup|Alarm|SpanAlarm|GSMEvent"
)
_VARIABLES: Final = (
    "SMSSRC|SMSTXT|SMSPDU|SMSTIME|SMSTZ|DIALSTATUS|SMSORITXT|SMSC|SIMIMSI"
    "|SYSTEMSTATUS|SMS_SEND_ID|SMS_SEND_SENDER|SMS_SEND_TXT|SMS_SEND_PDU|SMS_SEND_TYPE"
)
_EXTENSIONS: Final = "|s|h|i|t|sms|sms_send_ok|sms_send_failed"
_SHORT: Final = "[0-9]{0,4}"
_MOMENT: Final = r"[0-9]{2,4}/[0-9]{1,2}/[0-9]{1,2}[ ,][0-9]{1,2}:[0-9]{2}:[0-9]{2}"

# The values that stay, by header in lower case; any other value is replaced.
_OPEN_HEADERS: Final = {
    "privilege": rf"(?:{_RIGHTS})(?:,(?:{_RIGHTS}))*|Command",
    "event": _EVENTS,
    "variable": _VARIABLES,
    "channel": rf"EXTRA(?:-SMS|-SMSSEND)?/[0-9]{{1,4}}-[0-9]{{1,4}}|{_SHORT}",
    "channelstate": _SHORT,
    "channelstatedesc": _STATES,
    "exten": _EXTENSIONS,
    "extension": _EXTENSIONS,
    "context": "gsm-[0-9]{1,3}|",
    "priority": _SHORT,
    "cause": _SHORT,
    "span": _SHORT,
    "board": _SHORT,
    "reason": _SHORT,
    "timeout": "[0-9]{1,6}",
    "async": "true|false",
    "application": "NoOp|System|Set|Hangup|Dial|Wait|Answer|Goto|GotoIf|ExecIf|",
    **dict.fromkeys(
        ("calleridnum", "calleridname", "connectedlinenum", "connectedlinename"),
        "<unknown>|unknown|<null>|",
    ),
    "cause-txt": "Normal Clearing|User busy|No answer|User alerting, no answer|Unknown",
    "status": "SUCCESS|FAILED|FAIL|TIMEOUT|",
    "result": "SIM Not inserted|",
    "language": "[a-z]{2}",
    "accountcode": "",
    "time_scts": _MOMENT,
    "action": "Command|Originate|Hangup|CoreShowChannels",
    "response": "Success|Error|Follows|Goodbye|Pong",
    "eventlist": "start|Complete",
    "listitems": _SHORT,
    "actionid": "[0-9a-f]{12}-[0-9]+",
}
_KEYS: Final = frozenset(_OPEN_HEADERS) | {
    *("uniqueid", "linkedid", "appdata", "value", "destination", "id", "imsi"),
    *("sender", "message", "output", "command", "data", "duration"),
    *("bridgedchannel", "bridgeduniqueid"),
}
# What stays of these where no text can have written it.
_OPEN_OTHERWISE: Final = {
    "event": "[A-Za-z]{2,40}",
    "status": "[A-Za-z ]{1,30}",
    "result": "[A-Za-z ]{1,40}",
    "application": "[A-Za-z]{2,30}",
    "cause-txt": r"[A-Za-z /,().-]{0,60}",
    "response": "[A-Za-z]{2,20}",
}
_OPEN_VARIABLES: Final = {
    "SYSTEMSTATUS": "SUCCESS|FAILURE|APPERROR",
    "DIALSTATUS": "[A-Z_]{0,20}",
    "SMSTIME": _MOMENT,
    "SMSTZ": "GMT[+-]?[0-9]{1,2}|unknow",
    "SMS_SEND_TYPE": "[0-9]{0,2}|[a-z]{0,8}",
}
_UNIQUEID: Final = r"(?:[!-~]+-)?[0-9]+\.[0-9]+"
# The gateway's own programs: their names and the numbers of board and span, then sender
# and time where they have them, then the text, which may contain quotes.
_PROGRAM: Final = re.compile(
    r"(?P<open>(?:cd /my_tools/lua/sms_receive/ && lua |/my_tools/)?"
    r"(?:(?:process_sms|sms_receive\.lua) \"[0-9]{1,4}\""
    r"|process_slavesms(?: \"[0-9]{1,4}\"){3}))"
    r"(?P<sender> \"[^\"]*\")(?P<time> \"" + _MOMENT + r"\")(?P<text> \".*)"
    r"|(?P<routing>cd /my_tools/lua/sms_routing && lua dialplan2redis\.lua"
    r" \"[0-9]{1,4}\")(?P<routed> \".*)",
    re.DOTALL,
)
_SHELL_END: Final = " > /dev/null 2>&1 &"
_OPEN_STEPS: Final = ("SMS In", "SMS CURL", "")
_SETTING: Final = re.compile(
    r"(?P<name>phonenumber|port|message|time)=(?P<value>.*)", re.DOTALL
)


def mask_event(raw: str, stand_ins: StandIns, *, may_be_text: bool) -> str:
    """Mask an event. `may_be_text`: the text of an SMS may have written it."""
    for start, mark in (
        ("Event: VarSet\r\n", "\r\nValue: "),
        ("Event: Newexten\r\n", "\r\nAppData: "),
    ):
        head, found, value = raw.partition(mark)
        if raw.startswith(start) and found:
            variable = re.search(r"\r\nVariable: (\w+)(?:\r\n|$)", head)
            head = _mask_headers(head, stand_ins, may_be_text)
            end = ""
            if "\r\nUniqueid: " not in head:
                value, last, uniqueid = value.rpartition("\r\nUniqueid: ")
                if not last or not re.fullmatch(_UNIQUEID, uniqueid):
                    value, end = value + last + uniqueid, ""
                else:
                    end = last + stand_ins.word(uniqueid)
            if start == "Event: VarSet\r\n":
                value = _mask_variable(
                    variable[1] if variable else "", value, stand_ins
                )
            else:
                value = mask_step(value, stand_ins)
            return head + mark + value + end
    return _mask_headers(raw, stand_ins, may_be_text)


def _mask_headers(raw: str, stand_ins: StandIns, may_be_text: bool) -> str:
    lines = raw.split("\r\n")
    return "\r\n".join(_mask_header(line, stand_ins, may_be_text) for line in lines)


def _mask_header(line: str, stand_ins: StandIns, may_be_text: bool) -> str:
    key, colon, value = line.partition(": ")
    name = key.lower()
    if not colon or not (
        name in _KEYS or (not may_be_text and re.fullmatch("[A-Za-z_-]{2,30}", key))
    ):
        return hide_text(line)
    return f"{key}: {_mask_value(name, value, stand_ins, may_be_text)}"


def _mask_value(name: str, value: str, stand_ins: StandIns, may_be_text: bool) -> str:
    if re.fullmatch(_OPEN_HEADERS.get(name, "(?!)"), value):
        return value
    if not may_be_text and re.fullmatch(_OPEN_OTHERWISE.get(name, "(?!)"), value):
        return value
    if name in ("uniqueid", "linkedid") and re.fullmatch(_UNIQUEID, value):
        return stand_ins.word(value)
    if name == "id" and re.fullmatch("[0-9A-Za-z]{1,40}", value):
        return stand_ins.word(value)
    if name == "channel" and (dialled := re.fullmatch(r"(EXTRA/\d{1,4}/)(.*)", value)):
        return dialled[1] + stand_ins.value(dialled[2])
    return stand_ins.value(value)


def _mask_variable(name: str, value: str, stand_ins: StandIns) -> str:
    if re.fullmatch(_OPEN_VARIABLES.get(name, "(?!)"), value):
        return value
    if name in ("SMSPDU", "SMS_SEND_PDU"):
        return _mask_pdus(value, stand_ins)
    if name == "SMS_SEND_ID" and re.fullmatch("[0-9A-Za-z]{1,40}", value):
        return stand_ins.word(value)
    if name in ("SMSTXT", "SMSORITXT", "SMS_SEND_TXT"):
        return hide_text(value)
    return stand_ins.value(value)


def _mask_pdus(value: str, stand_ins: StandIns) -> str:
    """Mask PDUs; two that came together have a line of the module between them."""
    pieces = re.split(r"((?<![0-9A-Za-z])[0-9A-Fa-f]{20,}(?![0-9A-Za-z]))", value)
    for index, piece in enumerate(pieces):
        if index % 2:
            pieces[index] = hide_pdu(piece, stand_ins)
        elif not re.fullmatch(r"\s*(?:\+CMT: ,?[0-9]{1,3}\s*)?", piece):
            pieces[index] = hide_text(piece)
    return "".join(pieces)


def mask_step(data: str, stand_ins: StandIns) -> str:
    """Mask what a step of the dialplan was given for an SMS."""
    if data in _OPEN_STEPS:
        return data
    if program := _PROGRAM.fullmatch(data):
        if program["routing"]:
            return program["routing"] + _hide_argument(program["routed"])
        sender = stand_ins.value(program["sender"])
        text = _hide_argument(program["text"])
        return program["open"] + sender + program["time"] + text
    if setting := _SETTING.fullmatch(data):
        value = setting["value"]
        is_text = setting["name"] == "message"
        hidden = hide_text(value) if is_text else stand_ins.value(value)
        return f"{setting['name']}={hidden}"
    return hide_text(data)


def _hide_argument(text: str) -> str:
    """Hide the last argument of a program, which the shell's part may follow."""
    end = _SHELL_END if text.endswith(_SHELL_END) else ""
    return hide_text(text.removesuffix(end)) + end


# What we sent, and the answer to it

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
_SENDS: Final = re.compile(r"gsm send (?:sync )?c?sms ")
_SEND_ANSWER: Final = re.compile(
    r"\s*(?P<id>ID:\S* )?(?P<span>SPAN:[0-9]+ SEND (?:CONCATENATED )?SMS TO PHONE[: ])"
    r"(?P<number>\S*)(?P<words>(?: [A-Z]+)+)\s*"
)
_SEND_RESULTS: Final = frozenset(
    ("SUCCESSFULLY", "WAS FAILED", "TIMEOUT", "WAS USING", "ENCODE PDU FAIL")
)
_SAFE_WORDS: Final = re.compile(
    r"No (?:GSM|dchannel) running on span|Invalid span|Should be a number from to"
    r"|(?:SMS message|Destination number) too (?:short|long)\."
    r"|Only support ASCII on text mode|please use pdu mode"
    r"|Send concatenated SMS can't support text mode,"
)
_READS: Final = re.compile(
    r"(?:core show help gsm|gsm show|dialplan show|gsm (?:power|reload))(?: [a-z0-9_@-]+)*"
)
_USSD_HEAD: Final = re.compile(
    r"(?P<head>\s*1:Rec\w{0,3}ve USSD (?:on|sucess on) span [0-9]{1,4}"
    r"(?:,\s*responses:-?[0-9]{1,3},\s*code:-?[0-9]{1,4})?[ \t]*(?:\r?\n|$)"
    r"(?:\tUSSD (?:Responses|Code):-?[0-9]{1,4}\r?\n){0,2}"
    r"(?:Text:|\tUSSD Message:)?)(?P<text>.*)",
    re.DOTALL,
)
_USSD_FAILURE: Final = re.compile(
    r"\s*(?:0:(?:Send USSD (?:failed|timeout)|Sending USSD now) on span [0-9]{1,4}"
    r"(?:\([0-9]{1,4}\))?|No (?:GSM|dchannel) running on span [0-9]{1,4})\s*"
)


def mask_action(raw: str, stand_ins: StandIns) -> str:
    """Mask what was sent to the gateway."""
    lines = []
    for line in raw.split("\r\n"):
        key, colon, value = line.partition(": ")
        if colon and key == "Command":
            lines.append(f"{key}: {mask_command(value, stand_ins)}")
        else:
            lines.append(_mask_header(line, stand_ins, may_be_text=False))
    return "\r\n".join(lines)


def mask_command(command: str, stand_ins: StandIns) -> str:
    """Mask a command of the command line."""
    if is_reading(command):
        return command
    if _SENDS.match(command) or command.startswith("gsm send ussd "):
        # The words of the command and its span stay.
        words = 5 if command.startswith("gsm send sync ") else 4
        count = iter(range(1000))
        return _TOKEN.sub(
            lambda found: _mask_argument(found[0], next(count) - words, stand_ins),
            command,
        )
    if command.startswith("manager show user "):
        return "manager show user " + hide_text(command[18:])
    return hide_text(command)


def _mask_argument(argument: str, place: int, stand_ins: StandIns) -> str:
    """Mask an argument of a send; `place` counts from what comes after the span."""
    if place < 0 or (place > 0 and re.fullmatch(_SHORT, argument)):
        return argument
    if argument.startswith('"'):
        return stand_ins.value(argument)
    return stand_ins.word(argument)


def is_reading(command: str) -> bool:
    """Return whether a command only reads, or at least names nothing private."""
    return _READS.fullmatch(command) is not None and not re.search("[0-9]{4}", command)


def mask_answer(raw: str, command: str, stand_ins: StandIns) -> str:
    """Mask the answer to an action; `command` is empty for anything but a command."""
    head = re.match(
        r"Response: Follows\r\n(?:Privilege: [^\r\n]*\r\n)?(?:ActionID: [^\r\n]*\r\n)?",
        raw,
    )
    if head and command and raw.endswith("--END COMMAND--"):
        output = raw[head.end() : -len("--END COMMAND--")]
        masked_head = _mask_headers(head[0], stand_ins, may_be_text=False)
        return masked_head + mask_output(output, command, stand_ins) + "--END COMMAND--"
    lines = raw.split("\r\n")
    first = next(
        (n for n, line in enumerate(lines) if line.startswith("Output: ")), len(lines)
    )
    masked = [_mask_message(line, stand_ins) for line in lines[:first]]
    # One header a line; where a line is no header it's part of the output.
    output = "\n".join(line.removeprefix("Output: ") for line in lines[first:])
    hidden = iter(mask_output(output, command, stand_ins).split("\n"))
    for line in lines[first:]:
        start = "Output: " if line.startswith("Output: ") else ""
        masked.append(start + "\n".join(islice(hidden, line.count("\n") + 1)))
    return "\r\n".join(masked)


def _mask_message(line: str, stand_ins: StandIns) -> str:
    if line.startswith("Message: "):  # Asterisk's own words, perhaps with a name
        if re.fullmatch(r"Message: [A-Z][a-z]+(?: [a-z]+){0,4}", line):
            return line
        return "Message: " + hide_text(line[9:])
    return _mask_header(line, stand_ins, may_be_text=False)


def mask_output(output: str, command: str, stand_ins: StandIns) -> str:
    """Mask what a command printed."""
    if command.startswith("gsm send ussd "):
        return _mask_ussd(output)
    lines = output.split("\n")
    if _SENDS.match(command):
        return "\n".join(_mask_send_answer(line, command, stand_ins) for line in lines)
    if re.match("gsm show spans?(?: |$)", command):
        return "\n".join(mask_span_line(line, stand_ins) for line in lines)
    if command.startswith("manager show user "):
        return "\n".join(
            line if re.match(r"\s*(?:(?:read|write) perm|acl):[ a-z,]*$", line)
            else hide_text(line)
            for line in lines
        )  # fmt: skip
    if command.startswith("dialplan show "):
        return "\n".join(_mask_dialplan(line) for line in lines)
    if is_reading(command):
        return re.sub("[0-9]{4,}", lambda found: stand_ins.word(found[0]), output)
    return hide_text(output)


def _mask_ussd(output: str) -> str:
    if found := _USSD_HEAD.fullmatch(output):
        return found["head"] + hide_text(found["text"])
    return "\n".join(
        line if _USSD_FAILURE.fullmatch(line) else hide_text(line)
        for line in output.split("\n")
    )


def _mask_send_answer(line: str, command: str, stand_ins: StandIns) -> str:
    if found := _SEND_ANSWER.fullmatch(line):
        message_id, words = found["id"] or "", found["words"]
        if message_id:
            message_id = f"ID:{stand_ins.word(message_id[3:-1])} "
        number = stand_ins.value(found["number"])
        # Words that aren't known are worth seeing, unless the text has them as well.
        if words.strip() not in _SEND_RESULTS and any(
            word in command.upper() for word in words.split()
        ):
            words = hide_text(words)
        return message_id + found["span"] + number + words
    open_places = [(found.start(), found.end()) for found in _SAFE_WORDS.finditer(line)]
    hidden = hide_text(line)
    for begin, end in open_places:
        hidden = hidden[:begin] + line[begin:end] + hidden[end:]
    return hidden


def mask_span_line(line: str, stand_ins: StandIns) -> str:
    """Mask a line of ``gsm show span N`` or ``gsm show spans``."""
    if re.fullmatch(r"\s*-*(?:Start|End) Span [0-9]{1,4}-*\s*", line):
        return line
    key, colon, value = line.partition(":")
    name = key.strip()
    if re.fullmatch(r"GSM span [0-9]{1,4}", name) or name in ("Status", "State"):
        value = _hide_in_brackets(value)
        return key + colon + re.sub(
            "[0-9]{3,}", lambda found: stand_ins.word(found[0]), value
        )  # fmt: skip
    if name in OPEN_LINES:
        return line
    if not colon or re.search(r"[^A-Za-z _/()-]", name.replace("(0,", "(")):
        return line if _is_no_span(line) else hide_text(line)
    return key + colon + stand_ins.value(value)


def _is_no_span(line: str) -> bool:
    return bool(
        re.fullmatch(
            r"No (?:GSM|dchannel) running on span [0-9]{1,4}\s*"
            r"|Invalid span '[0-9]{1,4}'\.  Should be a number from 1 to [0-9]{1,3}\s*"
            r"|Command 'gsm show span [0-9]{1,4}' failed\.\s*|\s*",
            line,
        )
    )


def _hide_in_brackets(text: str) -> str:
    """Hide what stands from the first bracket to the last one: a PIN may contain any."""
    end = text.rfind(")")
    if not (begin := re.search(r"\((?!undefined\))", text[: end + 1])):
        return text
    return text[: begin.end()] + hide_text(text[begin.end() : end]) + text[end:]


def _mask_dialplan(line: str) -> str:
    """Mask what an owner has set: addresses with passwords, and numbers."""
    found = re.search(r"\w+://|\b(?:wget|curl)\b", line, re.IGNORECASE)
    if found:
        start = found.end()
        end = max(start, line.rfind(")"))
        line = line[:start] + hide_text(line[start:end]) + line[end:]
    return re.sub("[0-9]{4,}", lambda digits: "0" * len(digits[0]), line)
