"""What stays of a conversation, and what has a stand-in.

In the texts below, «…» is what gets a stand-in, the same wherever it stands, and ⟨…⟩ is
what loses its letters and digits. All else stays as it is.
"""

from collections.abc import Callable
import re

import pytest

from custom_components.openvox_gsm.gateway.observing.masking import (
    mask_action,
    mask_answer,
    mask_command,
    mask_event,
    mask_output,
)
from custom_components.openvox_gsm.gateway.observing.stand_ins import (
    StandIns,
    hide_text,
)


def said(marked: str) -> str:
    """Return a text without the marks."""
    return re.sub("[«»⟨⟩]", "", marked)


def masked(marked: str, stand_ins: StandIns) -> str:
    """Return a text as the marks want it to be masked."""
    marked = re.sub("«(.*?)»", lambda found: stand_ins.word(found[1]), marked)
    return re.sub("⟨(.*?)⟩", lambda found: hide_text(found[1]), marked, flags=re.DOTALL)


def check(marked: str, mask: Callable[[str, StandIns], str]) -> None:
    """Expect that a text is masked as its marks say."""
    stand_ins = StandIns()
    assert mask(said(marked), stand_ins) == masked(marked, stand_ins)


def lines(*each: str) -> str:
    """Return the lines of a packet."""
    return "\r\n".join(each)


OLD = "Event: {}\r\nPrivilege: dialplan,all\r\nChannel: EXTRA-SMS/2-1\r\n{}\r\nUniqueid: «1795826789.27»"
NEW = "Event: {}\r\nPrivilege: dialplan,all\r\nChannel: EXTRA-SMS/2-1\r\nUniqueid: «voice-1795826789.27»\r\n{}"


def variable(name: str, value: str) -> str:
    """Return what an event says about a variable."""
    return f"Variable: {name}\r\nValue: {value}"


def step(application: str, data: str) -> str:
    """Return what an event says about a step of the dialplan."""
    return f"Context: gsm-2\r\nExtension: sms\r\nPriority: 3\r\nApplication: {application}\r\nAppData: {data}"


@pytest.mark.parametrize("form", [OLD, NEW], ids=["1.8", "later"])
@pytest.mark.parametrize("may_be_text", [False, True])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMSSRC", "«+4915112345678»"),
        ("SMSSRC", "⟨MyBank⟩"),
        ("SMSTXT", "⟨Code 4711\r\nfor you⟩"),
        ("SMSTXT", "⟨4711⟩"),
        ("SMSORITXT", "⟨4711⟩"),
        ("SMS_SEND_TXT", "⟨4711⟩"),
        ("SMSTIME", "2026/11/25 10:46:29"),
        ("SMSTZ", "GMT+8"),
        ("SIMIMSI", "«262011234567890»"),
        ("DIALSTATUS", "NOANSWER"),
        ("SYSTEMSTATUS", "SUCCESS"),
        ("SMS_SEND_ID", "«ha0123456789ab»"),
        ("SMS_SEND_ID", "⟨ha 0123⟩"),
        ("SMS_SEND_TYPE", "1"),
    ],
)
def test_a_variable(form: str, may_be_text: bool, name: str, value: str) -> None:
    """Its name says what its value is, in both framings."""
    check(
        form.format("VarSet", variable(name, value)),
        lambda raw, stand_ins: mask_event(raw, stand_ins, may_be_text=may_be_text),
    )


@pytest.mark.parametrize("form", [OLD, NEW], ids=["1.8", "later"])
@pytest.mark.parametrize(
    "data",
    [
        "SMS In",
        "",
        'process_sms "2" "+«4915112345678»" "2026/11/25 10:46:29" "⟨Code 4711⟩"',
        'process_sms "2" "⟨MyBank⟩" "2026/11/25 10:46:29" "⟨A "quote"⟩"',
        '/my_tools/process_slavesms "1" "2" "3" "+«4915112345678»" '
        '"2026/11/25 10:46:29" "⟨4711⟩" > /dev/null 2>&1 &',
        "cd /my_tools/lua/sms_receive/ && lua sms_receive.lua "
        '"2" "+«4915112345678»" "2026/11/25 10:46:29" "⟨4711⟩" > /dev/null 2>&1 &',
        'cd /my_tools/lua/sms_routing && lua dialplan2redis.lua "2" "⟨+49151 Hi⟩"',
        "phonenumber=«+4915112345678»",
        "message=⟨4711⟩",
        "⟨curl http://gw.local/4711⟩",
    ],
)
def test_a_step_of_the_dialplan(form: str, data: str) -> None:
    """The gateway's own programs are known, and what each argument is."""
    check(
        form.format("Newexten", step("System", data)),
        lambda raw, stand_ins: mask_event(raw, stand_ins, may_be_text=False),
    )


@pytest.mark.parametrize("event", ["VarSet", "Newexten"])
def test_an_event_that_ends_early(event: str) -> None:
    """Nothing is added to it."""
    check(
        lines(f"Event: {event}", "Channel: EXTRA-SMS/2-1"),
        lambda raw, stand_ins: mask_event(raw, stand_ins, may_be_text=False),
    )


@pytest.mark.parametrize("text", ["⟨Code 4711⟩", "⟨Code\r\nUniqueid: 47 11⟩"])
def test_an_event_that_ends_within_a_text(text: str) -> None:
    """All of the rest is text, and nothing is added to it."""
    check(
        lines("Event: VarSet", "Channel: EXTRA-SMS/2-1", variable("SMSTXT", text)),
        lambda raw, stand_ins: mask_event(raw, stand_ins, may_be_text=False),
    )


@pytest.mark.parametrize(
    "header",
    [
        "Channel: EXTRA/2-1",
        "Channel: EXTRA/2/«+4915112345678»",
        "Channel: ⟨SIP/alice-0001⟩",
        "Destination: ⟨EXTRA/2/+4915112345678⟩",
        "CallerIDNum: «4915112345678»",
        "CallerIDNum: <unknown>",
        "ConnectedLineName: ⟨Alice⟩",
        "Uniqueid: «1795826789.27»",
        "Linkedid: «voice-1795826789.27»",
        "ID: «ha0123456789ab»",
        "ID: ⟨ha 0123⟩",
        "Cause: 17",
        "Cause-txt: User busy",
        "ChannelState: 4",
        "ChannelStateDesc: Ringing",
        "Exten: s",
        "Extension: sms",
        "Context: gsm-12",
        "Priority: 3",
        "Span: 2",
        "Board: 1",
        "Reason: 5",
        "Timeout: 30000",
        "Async: true",
        "Application: NoOp",
        "Status: SUCCESS",
        "Result: SIM Not inserted",
        "Language: en",
        "AccountCode: ",
        "Time_SCTS: 26/11/25 10:46:29",
        "EventList: start",
        "ListItems: 3",
        "ActionID: 0123456789ab-7",
        "BridgedChannel: ⟨EXTRA/2-1⟩",
        "BridgedUniqueid: «1795826789».«27»",
        "Duration: «61»",
        "IMSI: «262011234567890»",
        "Sender: «+4915112345678»",
        "Message: ⟨Code 4711⟩",
    ],
)
@pytest.mark.parametrize("may_be_text", [False, True])
def test_a_header(header: str, may_be_text: bool) -> None:
    """A number that was dialled stands in the name of its channel."""
    check(
        lines("Event: Newstate", "Privilege: call,all", header),
        lambda raw, stand_ins: mask_event(raw, stand_ins, may_be_text=may_be_text),
    )


@pytest.mark.parametrize(
    ("header", "values"),
    [
        (
            "Event",
            [
                *("VarSet", "Newexten", "Newchannel", "Newstate", "Hangup"),
                *("NewCallerid", "OriginateResponse", "CoreShowChannel"),
                *("CoreShowChannelsComplete", "HangupRequest", "SoftHangupRequest"),
                *("SMSSendStatus", "SMSStatusReport", "SMSRecevied", "SimInserted"),
                *("ExtraReady", "ExtraDown", "ExtraLock", "ExtraUnlock", "ExtraDial"),
                *("ExtraOutDial", "ExtraRingBack", "ExtraConnect", "ExtraHangup"),
                *("Alarm", "SpanAlarm", "GSMEvent"),
            ],
        ),
        (
            "Privilege",
            [
                "system,call,log,verbose,command,agent,user,config,dtmf,reporting",
                "cdr,dialplan,originate,agi,cc,aoc,test,security,message,all",
                "Command",
            ],
        ),
        (
            "Variable",
            [
                *("SMSSRC", "SMSTXT", "SMSPDU", "SMSTIME", "SMSTZ", "DIALSTATUS"),
                *("SMSORITXT", "SMSC", "SIMIMSI", "SYSTEMSTATUS", "SMS_SEND_ID"),
                *("SMS_SEND_SENDER", "SMS_SEND_TXT", "SMS_SEND_PDU", "SMS_SEND_TYPE"),
            ],
        ),
        ("Channel", ["EXTRA/12-1", "EXTRA-SMS/2-1", "EXTRA-SMSSEND/2-1", "2", ""]),
        (
            "ChannelStateDesc",
            [
                *("Down", "Rsrvd", "OffHook", "Dialing", "Ring", "Ringing", "Up"),
                *("Busy", "Dialing Offhook", "Pre-ring"),
            ],
        ),
        ("Exten", ["", "s", "h", "i", "t", "sms", "sms_send_ok", "sms_send_failed"]),
        ("Extension", ["", "sms", "sms_send_failed"]),
        ("Context", ["gsm-1", ""]),
        ("Async", ["true", "false"]),
        (
            "Application",
            [
                *("NoOp", "System", "Set", "Hangup", "Dial", "Wait", "Answer", "Goto"),
                *("GotoIf", "ExecIf", ""),
            ],
        ),
        ("CallerIDNum", ["<unknown>", "unknown", "<null>", ""]),
        ("CallerIDName", ["<unknown>"]),
        ("ConnectedLineNum", ["<unknown>"]),
        ("ConnectedLineName", ["<unknown>"]),
        (
            "Cause-txt",
            [
                *("Normal Clearing", "User busy", "No answer", "Unknown"),
                "User alerting, no answer",
            ],
        ),
        ("Status", ["SUCCESS", "FAILED", "FAIL", "TIMEOUT", ""]),
        ("Result", ["SIM Not inserted", ""]),
        ("Time_SCTS", ["26/11/25 10:46:29", "2026/11/25,10:46:29"]),
        ("Action", ["Command", "Originate", "Hangup", "CoreShowChannels"]),
        ("Response", ["Success", "Error", "Follows", "Goodbye", "Pong"]),
        ("EventList", ["start", "Complete"]),
    ],
)
def test_values_that_stay_even_if_a_text_wrote_them(
    header: str, values: list[str]
) -> None:
    """A recording is of use by them, and whoever sends an SMS knows them anyway."""
    for value in values:
        line = f"{header}: {value}"
        assert mask_event(line, StandIns(), may_be_text=True) == line


@pytest.mark.parametrize(
    "header",
    [
        *("Uniqueid", "Linkedid", "Cause-txt", "ConnectedLineNum", "ConnectedLineName"),
        *("AppData", "Value", "Destination", "ID", "IMSI", "Sender", "Message"),
        *("Output", "Command", "Data", "Duration", "BridgedChannel"),
        *("BridgedUniqueid", "CallerIDNum", "CallerIDName", "Exten", "Status"),
    ],
)
def test_a_header_whose_value_does_not_stay(header: str) -> None:
    """Its name does, even if a text wrote it."""
    masked_line = mask_event(f"{header}: Alice 4711", StandIns(), may_be_text=True)
    assert masked_line == f"{header}: Xxxxx 0000"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Event", "SimMoved"),
        ("Status", "Going somewhere"),
        ("Result", "SIM moved"),
        ("Application", "Playback"),
        ("Cause-txt", "Call rejected (by the network), or so - perhaps/maybe."),
        ("Response", "Maybe"),
    ],
)
def test_words_of_a_firmware_that_nobody_knows(header: str, value: str) -> None:
    """They stay where no text can have written them, and only there."""
    line = f"{header}: {value}"
    assert mask_event(line, StandIns(), may_be_text=False) == line
    assert value not in mask_event(line, StandIns(), may_be_text=True)


@pytest.mark.parametrize(
    ("header", "as_text"),
    [
        ("Status: Going somewhere", "Status: ⟨Going somewhere⟩"),
        ("Application: Playback", "Application: ⟨Playback⟩"),
        ("Cause-txt: Call rejected", "Cause-txt: ⟨Call rejected⟩"),
        ("Temperature: «41»", "⟨Temperature: 41⟩"),
        ("⟨No header 4711⟩", "⟨No header 4711⟩"),
    ],
)
def test_words_that_nobody_knows(header: str, as_text: str) -> None:
    """They stay only where no text can have written them."""
    for may_be_text, marked in ((False, header), (True, as_text)):

        def mask(raw: str, stand_ins: StandIns, may_be: bool = may_be_text) -> str:
            return mask_event(raw, stand_ins, may_be_text=may_be)

        check(lines("Event: Newstate", marked), mask)


@pytest.mark.parametrize(
    "command",
    [
        "core show help gsm",
        "gsm show span 2",
        "gsm power off 2",
        "dialplan show sms@gsm-2",
        "⟨dialplan show 4711@gsm-2⟩",
        'gsm send sms 2 «+4915112345678» "⟨Hi you⟩" 20 «ha0123456789ab»',
        'gsm send sync sms 2 «+4915112345678» "⟨Hi you⟩" 20 0 «ha0123456789ab»',
        'gsm send sync csms 2 «+4915112345678» "⟨Hi \\"you\\"⟩" 1 2 1 20',
        'gsm send ussd 2 "*«100»#" 30',
        "manager show user ⟨admin7⟩",
        "⟨database get alice 4711⟩",
    ],
)
def test_a_command(command: str) -> None:
    """One that sends keeps its words, its span and its short numbers."""
    check(command, mask_command)
    check(
        lines("Action: Command", "ActionID: 0123456789ab-7", f"Command: {command}"),
        mask_action,
    )


def test_a_call_of_our_own() -> None:
    """Whom it calls isn't told."""
    check(
        lines(
            "Action: Originate",
            "ActionID: 0123456789ab-7",
            "Channel: EXTRA/2/«+4915112345678»",
            "Application: Wait",
            "Data: «1»",
            "Timeout: 30000",
            "Async: true",
        ),
        mask_action,
    )


SMS = 'gsm send sync sms 2 +4915112345678 "Please do" 20 ha0123456789ab'


@pytest.mark.parametrize(
    ("sent", "output"),
    [
        (SMS, "ID:«ha0123456789ab» SPAN:2 SEND SMS TO PHONE:«+4915112345678» SUCCESSFULLY"),
        (SMS, "ID: SPAN:2 SEND SMS TO PHONE:«4915112345678» TIMEOUT"),
        (SMS, "SPAN:2 SEND CONCATENATED SMS TO PHONE «+4915112345678» WAS FAILED"),
        (SMS, "SPAN:2 SEND SMS TO PHONE:«+4915112345678» MAYBE"),
        (SMS, "SPAN:2 SEND SMS TO PHONE:«+4915112345678» ⟨PLEASE WAIT⟩"),
        (SMS, "SMS message too long."),
        (SMS, "No GSM running on span ⟨2⟩"),
        (SMS, "⟨Command 'Please do 4711' failed.⟩"),
        ('gsm send ussd 2 "*100#" 30', "1:Recive USSD on span 2,responses:0,code:15\nText:⟨You have 4.50⟩\n⟨more: 1⟩"),
        ('gsm send ussd 2 "*100#" 30', "\t1:Recive USSD sucess on span 2\n\tUSSD Responses:0\n\tUSSD Code:15\n\tUSSD Message:⟨You have 4.50⟩"),
        ('gsm send ussd 2 "*100#" 30', "0:Send USSD timeout on span 2(110)"),
        ('gsm send ussd 2 "*100#" 30', "⟨What 4711⟩\n0:Send USSD failed on span 2"),
        ("gsm show spans", "GSM span 2: Power on, Provisioned, Up, Active"),
        ("gsm show span 2", "Status: Pin (⟨ab12⟩) Error"),
        ("gsm show span 2", "State: READY"),
        ("gsm show span 2", "D-channel: 2\nType: CPE\nManufacturer: SIMCOM_Ltd\nModel Name: SIM840"),
        ("gsm show span 2", "Revision: 1137B04SIM840W64\nLast event: SIM inserted 4711"),
        ("gsm show span 2", "Network Name: CHINA MOBILE\nNetwork Status: Registered (Home network)"),
        ("gsm show span 2", "Network Band: 900\nModel CBAND: ALL_BAND\nLimit: no limit\nRemain Time: 4711"),
        ("gsm show span 2", "BER value (0,7): 0\nPDD: 1234\nASR: 1234\nACD: 1234"),
        ("gsm show span 2", "Signal Quality (0,31): 20"),
        ("gsm show span 2", "SIM IMSI: «262011234567890»"),
        ("gsm show span 2", "Own Number: ⟨Alice 4711⟩"),
        ("gsm show span 2", "Last send AT: ⟨AT+CMGS=21\\r\\n⟩"),
        ("gsm show span 2", "⟨What is 4711: 12⟩"),
        ("gsm show span 2", "Command 'gsm show span 2' failed."),
        ("gsm show span 2", "-------------Start Span 2--------------"),
        ("manager show user admin", "       ⟨username: admin⟩\n     read perm: system,call\n       ⟨secret: 4711⟩"),
        ("dialplan show sms@gsm-2", "  'sms' =>  1. System(curl⟨ http://alice:secret@gw/4711⟩) [pbx_config]"),
        ("dialplan show sms@gsm-2", "  'sms' =>  1. Set(number=⟨4915112345678⟩) [pbx_config]"),
        ("core show help gsm", "gsm show span  Shows a span since «20161125»"),
        ("database get alice key", "⟨Value: 4711⟩"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_raw", [True, False], ids=["1.8", "later"])
def test_what_a_command_prints(sent: str, output: str, is_raw: bool) -> None:
    """By the command it's known what may be private in it."""
    check(output, lambda raw, stand_ins: mask_output(raw, sent, stand_ins))
    if is_raw:
        answer = (
            "Response: Follows\r\nPrivilege: Command\r\nActionID: 0123456789ab-7\r\n"
            f"{output}--END COMMAND--"
        )
    else:
        answer = lines(
            "Response: Success",
            "ActionID: 0123456789ab-7",
            "Message: Command output follows",
            *(f"Output: {line}" for line in output.split("\n")),
        )
    check(answer, lambda raw, stand_ins: mask_answer(raw, sent, stand_ins))


def test_a_line_end_within_a_line_of_output() -> None:
    """Asterisk sends none, and a gateway that does can't spoil the whole trace."""
    check(
        "Response: Success\r\nOutput: ⟨Dear⟩\n⟨Alice⟩\r\nOutput: ⟨Bye⟩\r\n⟨Bob⟩\n",
        lambda raw, stand_ins: mask_answer(raw, "gsm show spans", stand_ins),
    )


@pytest.mark.parametrize(
    "words",
    ["SUCCESSFULLY", "WAS FAILED", "TIMEOUT", "WAS USING", "ENCODE PDU FAIL"],
)
def test_a_text_with_the_words_of_an_answer(words: str) -> None:
    """What became of the SMS is still to be seen."""
    sent = f'gsm send sms 2 +4915112345678 "It {words.lower()}" 20'
    check(
        f"SPAN:2 SEND SMS TO PHONE:«+4915112345678» {words}",
        lambda raw, stand_ins: mask_output(raw, sent, stand_ins),
    )


def test_the_id_of_an_sms_is_the_same_in_its_answer() -> None:
    """So a recording shows which message has which outcome."""
    stand_ins = StandIns()
    command = mask_command(SMS, stand_ins)
    answer = mask_output(
        "ID:ha0123456789ab SPAN:2 SEND SMS TO PHONE:1 TIMEOUT", SMS, stand_ins
    )
    assert answer.split()[0] == f"ID:{command.split()[-1]}"


@pytest.mark.parametrize(
    "message",
    [
        "Message: Authentication accepted",
        "Message: ⟨Channel EXTRA/2-1 of Alice⟩",
        "Message: ⟨No such user 4711⟩",
        "CoreCurrentCalls: «3»",
        "CoreStartupDate: «2026»-«11»-«25»",
        "OutputName: ⟨Alice⟩",
    ],
)
def test_the_words_of_an_answer(message: str) -> None:
    """Asterisk's own stay; one with a name or a number in it doesn't."""
    check(
        lines("Response: Error", "ActionID: 0123456789ab-7", message),
        lambda raw, stand_ins: mask_answer(raw, "", stand_ins),
    )
