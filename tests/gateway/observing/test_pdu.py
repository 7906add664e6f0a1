"""PDUs with stand-ins: built as before, and without number and text."""

import json
from pathlib import Path

from hypothesis import example, given, strategies as st
import pytest

from custom_components.openvox_gsm.gateway.observing.pdu import hide_pdu
from custom_components.openvox_gsm.gateway.observing.stand_ins import StandIns
from custom_components.openvox_gsm.gateway.receiving.pdu import PduError, decode_deliver

_DATA = Path(__file__).parents[2] / "data"
_PDUS = [
    each["SMSPDU"]
    for each in json.loads(
        (_DATA / "recorded-2.0.8/inbound-random.json").read_text("utf-8")
    )
]
PDU = (
    "0891683108705505F0040D91945111325476F800006230415190622316"
    "C872989E769F41E939E8ED66816431570D347401"
)


def test_a_pdu_reads_as_a_text_of_the_same_shape() -> None:
    """The sender has the stand-in that it has elsewhere."""
    stand_ins = StandIns()
    before, after = decode_deliver(PDU), decode_deliver(hide_pdu(PDU, stand_ins))
    assert before.text == "Heating is on, 21.5 C."
    assert after.text == "Xxxxxxx xx xx, 00.0 X."
    assert after.sender == stand_ins.word("+4915112345678")
    assert after.sent_at == before.sent_at


def test_nothing_of_the_service_centre_stays() -> None:
    """Its number says whose customer the owner is; it has the stand-in of elsewhere."""
    stand_ins = StandIns()
    hidden = hide_pdu(PDU, stand_ins)[4:18]
    digits = "".join(hidden[at + 1] + hidden[at] for at in range(0, 14, 2))
    assert digits == stand_ins.numbers("8613800755500") + "F"


def test_a_text_in_ucs2_keeps_its_shape() -> None:
    """With its digits, other alphabets and pictures, and its length."""
    text = "Größe 42: OK, Привет 中😀"
    units = text.encode("utf-16-be")
    head = PDU[: PDU.index("0000623041")]
    pdu = f"{head}000862304151906223{len(units):02X}{units.hex().upper()}"
    assert decode_deliver(pdu).text == text
    hidden = decode_deliver(hide_pdu(pdu, StandIns()))
    assert hidden.text == "Xxääx 00: XX, ääääää 中😀"


@pytest.mark.parametrize(
    ("first", "validity"),
    [("01", ""), ("11", "A7"), ("09", "62304151906223"), ("19", "62304151906223")],
)
def test_an_sms_that_goes_out_keeps_its_build(first: str, validity: str) -> None:
    """It's hidden like one that comes in, whatever says how long it's valid."""
    address, data = "0D91945111325476F8", PDU[PDU.index("16C872") :]
    stand_ins = StandIns()
    incoming = hide_pdu(f"0004{address}000062304151906223{data}", stand_ins)
    number, text = incoming[4:22], incoming[-len(data) :]
    outgoing = hide_pdu(f"00{first}2A{address}0000{validity}{data}", stand_ins)
    assert outgoing == f"00{first}2A{number}0000{validity}{text}"


def test_a_status_report_keeps_what_became_of_the_message() -> None:
    """With its times; the number has its stand-in, and nothing is known of the rest."""
    address, times = "0D91945111325476F8", "62304151906223" * 2
    stand_ins = StandIns()
    number = hide_pdu(f"0004{address}00006230415190622300", stand_ins)[4:22]
    report = hide_pdu(f"00062A{address}{times}46FF12", stand_ins)
    assert number != address
    assert report == f"00062A{number}{times}460000"


def test_every_recorded_pdu_keeps_its_build() -> None:
    """Coding, parts and length are what a fault may depend on."""
    for pdu in _PDUS:
        hidden = hide_pdu(pdu, StandIns())
        assert len(hidden) == len(pdu)
        try:
            before = decode_deliver(pdu)
        except PduError:
            continue
        after = decode_deliver(hidden)
        assert after.coding is before.coding
        assert after.concatenation == before.concatenation
        assert len(after.payload) == len(before.payload)
        words = {word for word in before.text.split() if len(word) > 3}
        assert not {word for word in words if word.isalpha()} & set(
            after.text.split()
        ) - {"xxxx"}


@given(st.binary(max_size=200))
@example(bytes.fromhex("0D" + 14 * "00" + "06500040"))  # an escape, and nothing behind
def test_anything_else_becomes_zeros_or_another_pdu(octets: bytes) -> None:
    """Whatever a gateway writes there."""
    pdu = octets.hex().upper()
    assert len(hide_pdu(pdu, StandIns())) == len(pdu)


def test_what_is_cut_short_becomes_zeros() -> None:
    """Nothing is left of what can't be read."""
    assert hide_pdu(PDU[:24], StandIns()) == "0" * 24
