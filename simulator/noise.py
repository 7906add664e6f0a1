"""Other people's call traffic: what a busy gateway sends to everyone who may see it.

Every dialplan step of every call is a ``Newexten``, every variable a ``VarSet``; Asterisk
adds a few others. None of it has to do with SMS.
"""

from collections.abc import Iterator
from itertools import cycle, islice
import random

from .model.channels import Channel, ChannelEvents, ChannelState
from .wire import packet

_VARIABLES = {
    "DIALEDPEERNUMBER": "extra/3/13632919026",
    "DIALEDTIME": "14",
    "DIALSTATUS": "ANSWER",
    "SIPCALLID": "47d1f3d0@172.16.0.81:5060",
    "RTPAUDIOQOS": "ssrc=1205430;themssrc=0;lp=0;rxjitter=0.001;rxcount=421;txcount=433",
    "MACRO_DEPTH": "1",
    "__TRANSFER_CONTEXT": "from-internal",
}
_STEPS = [
    ("Set", "CDR(accountcode)=sip"),
    ("GotoIf", "0?busy:dial"),
    ("Macro", "dial-gsm,3,13632919026"),
    ("Dial", "EXTRA/3/13632919026,60,rT"),
    ("NoOp", ""),
    ("Hangup", ""),
]
_SMS_LIKE = [
    ("NoOp", "This is a short message"),
    ("System", '/my_tools/process_sms "1" "10086" "2014/09/11 09:36:47" "not an SMS"'),
]
"""Steps that look like those of an SMS, but run on a channel that is none."""


def call_traffic(events: ChannelEvents, sms_like: bool) -> Iterator[bytes]:
    """Give packets of calls without end; ``sms_like`` mixes in what resembles an SMS."""
    dice = random.Random(0)
    for number in cycle(range(1, 0x10000)):
        channel = Channel(
            f"SIP/{1000 + number % 40}-{number:08x}",
            "from-internal",
            str(dice.randrange(10**9, 10**10)),
            f"1795400000.{number}",
            ChannelState.RING,
        )
        yield events.new_channel(channel)
        for channel.priority, (channel.application, channel.data) in enumerate(
            _STEPS, 1
        ):
            yield events.new_exten(channel)
            name, value = dice.choice(list(_VARIABLES.items()))
            yield events.var_set(channel, name, value)
        if sms_like:
            yield events.var_set(channel, "SMSSRC", "10086")
            yield events.var_set(channel, "SMSTXT", "not an SMS")
            channel.exten = "sms"
            for channel.application, channel.data in _SMS_LIKE:
                yield events.new_exten(channel)
        yield packet(
            "Event: RTCPReceived",
            "Privilege: reporting,all",
            "From: 172.16.0.81:10001",
            "PT: 201(Receiver Report)",
            "ReceptionReports: 1",
            "SenderSSRC: 1205430",
            "FractionLost: 0",
        )
        channel.state = ChannelState.UP
        yield events.new_state(channel)
        yield events.hangup(channel, 16)


def packets(events: ChannelEvents, count: int, sms_like: bool) -> Iterator[bytes]:
    """Give a number of packets of call traffic."""
    return islice(call_traffic(events, sms_like), count)
