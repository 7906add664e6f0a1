"""The books of the soak: what agrees, and every way not to."""

import pytest

from custom_components.openvox_gsm.const import (
    EVENT_CALL,
    EVENT_SMS_DELIVERED,
    EVENT_SMS_RECEIVED,
    EVENT_SMS_SENT,
)
from homeassistant.core import HomeAssistant
from soak.books import (
    Books,
    CallBook,
    Incoming,
    IncomingBook,
    IncomingCall,
    Ledger,
    OutgoingBook,
    Published,
    Remembered,
    ReportBook,
    Reported,
    UssdBook,
)

SENDER, NUMBER, CODE, ANSWER = "+4917", "+4916", "*100*1#", "*100*1#: 5 EUR"


# SMS in


def incoming(*published: Published, heard: bool = True) -> IncomingBook:
    """Keep the book of one SMS that came in."""
    book = IncomingBook()
    book.sms.append(Incoming(SENDER, "Hello", heard))
    book.published[SENDER].extend(published)
    return book


@pytest.mark.parametrize(
    "book",
    [
        incoming(Published("Hello", True)),
        incoming(Published("Hello", True), heard=False),
        incoming(Published("Hel", False), heard=False),
        incoming(heard=False),
    ],
)
def test_incoming_that_agrees(book: IncomingBook) -> None:
    """Once while a connection stood, else once or not at all."""
    assert list(book.disagreements()) == []


@pytest.mark.parametrize(
    ("book", "mistake"),
    [
        (incoming(), "was not published"),
        (
            incoming(Published("Hello", True), Published("Hello", True)),
            "published 2 times",
        ),
        (incoming(Published("Help", True)), "published as 'Help'"),
        (incoming(Published("Help", True), heard=False), "published as 'Help'"),
        (incoming(Published("Hel", False)), "published incomplete"),
    ],
)
def test_incoming_that_does_not_agree(book: IncomingBook, mistake: str) -> None:
    """Each mistake is named."""
    (found,) = book.disagreements()
    assert mistake in found


@pytest.mark.parametrize("heard", [True, False])
def test_an_sms_without_its_sender(heard: bool) -> None:
    """Its text came, and then the connection ended."""
    book = incoming(heard=heard)
    if heard:
        book.published[SENDER].append(Published("Hello", True))
    book.published[""].append(Published("Hello", True))
    mistakes = ["An SMS without sender was published: 'Hello'"]
    assert list(book.disagreements()) == (mistakes if heard else [])


def test_a_sender_who_never_sent() -> None:
    """Somebody forged him."""
    book = IncomingBook()
    book.published["+666"].append(Published("Hello", True))
    assert list(book.disagreements()) == ["+666 never sent an SMS"]


# SMS out


def outgoing(
    answer: str | None, *published: str, certain: bool = False
) -> OutgoingBook:
    """Keep the book of one SMS that went out, or did not."""
    book = OutgoingBook({NUMBER: "Hello"})
    if answer:
        book.answers[NUMBER] = answer
    if certain:
        book.certain.add(NUMBER)
    book.published[NUMBER].extend(published)
    return book


def arrived(*texts: str, parts: int = 0) -> Ledger:
    """Keep the gateway's ledger of what went out to one number."""
    return Ledger(
        messages=[(NUMBER, text) for text in texts],
        parts=[(NUMBER, 1)] * (parts or len(texts)),
    )


@pytest.mark.parametrize(
    ("book", "ledger"),
    [
        (outgoing("sent", "sent"), arrived("Hello")),
        (outgoing("sent", "sent", certain=True), arrived("Hello")),
        (outgoing("unknown", "unknown"), arrived("Hello")),
        (outgoing("unknown", "unknown"), arrived()),
        # What became of it may be learned later.
        (outgoing("unknown", "sent"), arrived("Hello")),
        (outgoing("unknown", "failed"), arrived()),
        (outgoing("failed", "failed"), arrived()),
        (outgoing("failed", "failed"), arrived(parts=1)),
        (outgoing("refused"), arrived()),
    ],
)
def test_outgoing_that_agrees(book: OutgoingBook, ledger: Ledger) -> None:
    """Only of an unknown outcome nobody knows; of a long one some parts may go."""
    assert list(book.disagreements(ledger.messages, ledger.parts)) == []


@pytest.mark.parametrize(
    ("book", "ledger", "mistake"),
    [
        (outgoing("sent", "sent"), arrived(), "got nothing"),
        (outgoing("sent", "sent"), arrived("Help"), "got 'Help'"),
        (outgoing("failed", "failed"), arrived("Hello"), "not to be sent"),
        (outgoing("refused"), arrived("Hello"), "not to be sent"),
        (outgoing("sent"), arrived("Hello"), "the bus []"),
        (outgoing("sent", "sent", "sent"), arrived("Hello"), "the bus ["),
        (outgoing("sent", "unknown"), arrived("Hello"), "the bus ['unknown']"),
        (outgoing("refused", "failed"), arrived(), "the bus ['failed']"),
        (outgoing("unknown", "sent"), arrived(), "got nothing"),
        (outgoing("unknown", "failed"), arrived("Hello"), "not to be sent"),
        (outgoing("unknown"), arrived(), "the bus []"),
        (outgoing("sent", "sent"), arrived("Hello", parts=2), "part 1 2 times"),
        (
            outgoing("unknown", "unknown"),
            Ledger(messages=[(NUMBER, "Hello")] * 2),
            "its message 2 times",
        ),
        (
            outgoing("unknown", "unknown", certain=True),
            arrived("Hello"),
            "nothing stood in the way",
        ),
        (OutgoingBook(), arrived("Hello"), "got what nobody sent"),
        (outgoing(None), arrived(), "the action said none"),
    ],
)
def test_outgoing_that_does_not_agree(
    book: OutgoingBook, ledger: Ledger, mistake: str
) -> None:
    """Each mistake is named, also of an action that never ended."""
    found = book.disagreements(ledger.messages, ledger.parts)
    assert any(mistake in each for each in found)


# Delivery reports


def reports(
    *published: bool, delivered: bool = True, parts: int = 1, heard: bool = True
) -> ReportBook:
    """Keep the book of one message that the network reported."""
    book = ReportBook([Reported(NUMBER, delivered, parts, heard)])
    book.published[NUMBER].extend(published)
    return book


@pytest.mark.parametrize(
    "book",
    [
        reports(True),
        reports(False, delivered=False),
        reports(True, parts=3),
        # The entry was reloaded, and nobody knows that it was one message.
        reports(True, True, True, parts=3),
        reports(True, heard=False),
        reports(heard=False),
    ],
)
def test_reports_that_agree(book: ReportBook) -> None:
    """A message that is reported while a connection stands is published."""
    assert list(book.disagreements()) == []


@pytest.mark.parametrize(
    ("book", "mistake"),
    [
        (reports(), "was not published"),
        (reports(True, True), "were published 2 times"),
        (reports(True, True, heard=False), "were published 2 times"),
        (reports(False), "was reported with True"),
        (reports(True, delivered=False, heard=False), "was reported with False"),
    ],
)
def test_reports_that_do_not_agree(book: ReportBook, mistake: str) -> None:
    """Each mistake is named."""
    (found,) = book.disagreements()
    assert mistake in found


def test_a_report_that_nobody_made() -> None:
    """Somebody forged it."""
    book = ReportBook()
    book.published[NUMBER].append(True)
    assert list(book.disagreements()) == [f"{NUMBER} was reported by nobody"]


# Calls


def calls(*published: str, answered: bool = False, heard: bool = True) -> CallBook:
    """Keep the book of one call that came in."""
    book = CallBook([IncomingCall(SENDER, answered, heard)])
    book.published[SENDER].extend(published)
    return book


@pytest.mark.parametrize(
    "book",
    [
        calls("ringing", "missed"),
        calls("ringing", "answered", "ended", answered=True),
        calls("ringing", answered=True, heard=False),
        calls("ended", answered=True, heard=False),
        calls(heard=False),
    ],
)
def test_calls_that_agree(book: CallBook) -> None:
    """All of a call while a connection stood, else a part of it."""
    assert list(book.disagreements()) == []


@pytest.mark.parametrize(
    "book",
    [
        calls(),
        calls("missed"),
        calls("ringing", "ringing", "missed", heard=False),
        calls("missed", "ringing", heard=False),
        calls("ringing", "answered", heard=False),
        calls("ringing", "missed", answered=True, heard=False),
    ],
)
def test_calls_that_do_not_agree(book: CallBook) -> None:
    """What is missing, there twice, out of order, or never happened."""
    (found,) = book.disagreements()
    assert f"The call of {SENDER} was published as" in found


def test_a_caller_who_never_called() -> None:
    """Somebody forged them."""
    book = CallBook()
    book.published["+666"].append("ringing")
    assert list(book.disagreements()) == ["+666 never called"]


# USSD


def asked(
    *, reply: str | None = None, error: str | None = None, certain: bool = False
) -> UssdBook:
    """Keep the book of one USSD request."""
    book = UssdBook({CODE: ANSWER})
    if reply is not None:
        book.replies[CODE] = reply
    if error is not None:
        book.errors[CODE] = error
    if certain:
        book.certain.add(CODE)
    return book


def received(*answers: str, times: int = 1) -> Ledger:
    """Keep the gateway's ledger of a request that came so often."""
    return Ledger(
        ussd_requests=[CODE] * times, ussd_answers=[(CODE, text) for text in answers]
    )


@pytest.mark.parametrize(
    ("book", "ledger"),
    [
        (asked(reply=ANSWER), received(ANSWER)),
        (asked(reply=ANSWER, certain=True), received(ANSWER)),
        # The menu that it was to choose from is closed.
        (asked(reply="UNKNOWN APPLICATION"), received("UNKNOWN APPLICATION")),
        (asked(error="connection_lost"), received(ANSWER)),
        (asked(error="connection_lost"), received()),
        (asked(error="connection_lost"), received(times=0)),
        (asked(error="timed_out"), received(ANSWER)),
        (asked(error="refused"), received()),
        (asked(error="failed"), received()),
        (asked(error="busy"), received()),
        (asked(error="busy"), received(times=0)),
        (asked(error="not_connected"), received(times=0)),
        (asked(error="not_loaded"), received(times=0)),
    ],
)
def test_ussd_that_agrees(book: UssdBook, ledger: Ledger) -> None:
    """Who asked has the answer, or an error that fits what happened."""
    assert list(book.disagreements(ledger)) == []


@pytest.mark.parametrize(
    ("book", "ledger", "mistake"),
    [
        (asked(reply=ANSWER), received(ANSWER, times=2), "was asked 2 times"),
        (asked(reply="another's"), received(ANSWER), 'was told "another\'s"'),
        (asked(reply="another's"), received(), "the network said None"),
        (asked(reply=ANSWER), received(times=0), "the network said None"),
        (asked(error="failed"), received(ANSWER), "was answered, but"),
        (asked(error="busy"), received(ANSWER), "was answered, but"),
        (asked(error="not_connected"), received(), "was asked, but"),
        (asked(error="not_loaded"), received(), "was asked, but"),
        (asked(error="failed"), received(times=0), "was not asked, but"),
        (asked(error="no_gateway"), received(), "the action said no_gateway"),
        (asked(), received(ANSWER), "the action said nothing"),
        (asked(error="busy", certain=True), received(), "nothing stood in the way"),
        (
            asked(reply="UNKNOWN APPLICATION", certain=True),
            received("UNKNOWN APPLICATION"),
            "nothing stood in the way",
        ),
        (UssdBook(), received(), "was asked by nobody"),
        (UssdBook(), Ledger(ussd_overlaps=[CODE]), "while another one waited"),
    ],
)
def test_ussd_that_does_not_agree(book: UssdBook, ledger: Ledger, mistake: str) -> None:
    """Each mistake is named, also of an action that never ended."""
    found = book.disagreements(ledger)
    assert any(mistake in each for each in found)


# What is remembered


def remembered(number: str, status: str, text: str | None = "Hello") -> Remembered:
    """Remember one message: an SMS in or out by its number, or a call without a text."""
    message = {
        "kind": "sms" if text else "call",
        "direction": "out" if number == NUMBER else "in",
        "number": number,
        "text": text,
        "status": status,
    }
    return Remembered([message], in_memory=1, limit=1)


@pytest.mark.parametrize(
    ("memory", "book"),
    [
        (remembered(SENDER, "received"), incoming(Published("Hello", True))),
        (remembered(SENDER, "incomplete"), incoming(Published("Hello", False))),
        (remembered(NUMBER, "sent"), outgoing("sent", "sent")),
        (remembered(NUMBER, "failed"), outgoing("failed", "failed")),
        (remembered(NUMBER, "unknown"), outgoing("unknown")),
        (remembered(NUMBER, "sent"), outgoing("unknown", "sent")),
        (remembered(SENDER, "missed", None), calls("ringing", "missed")),
        (remembered(SENDER, "ended", None), calls("ringing", heard=False)),
    ],
)
def test_what_is_remembered_agrees(
    memory: Remembered, book: IncomingBook | OutgoingBook | CallBook
) -> None:
    """As it was published."""
    assert remembered_mistakes(memory, book) == []


@pytest.mark.parametrize(
    ("memory", "book", "mistake"),
    [
        (remembered(SENDER, "received"), IncomingBook(), "otherwise"),
        (
            remembered(SENDER, "received"),
            incoming(Published("Help", True)),
            "otherwise",
        ),
        (remembered(SENDER, "late"), incoming(Published("Hello", True)), "otherwise"),
        (remembered(NUMBER, "sent"), OutgoingBook(), "not []"),
        (remembered(NUMBER, "sent", "Help"), outgoing("sent", "sent"), "with 'Help'"),
        (remembered(NUMBER, "sent"), outgoing("failed", "failed"), "not ['failed']"),
        (remembered(NUMBER, "delivered"), outgoing("sent", "sent"), "not reported so"),
        (remembered(SENDER, "missed", None), CallBook(), "as missed"),
        (remembered(SENDER, "ringing", None), calls("ringing", "missed"), "as ringing"),
        (Remembered([], 1, 1), IncomingBook(), "1 in memory"),
        (
            Remembered(remembered(NUMBER, "sent").messages, 1, 0),
            outgoing("sent", "sent"),
            "at most 0",
        ),
        (Remembered([], 0, 1), incoming(Published("Hello", True)), "not remembered"),
        (Remembered([], 0, 1), outgoing("sent", "sent"), "not remembered"),
    ],
)
def test_what_is_remembered_does_not_agree(
    memory: Remembered,
    book: IncomingBook | OutgoingBook | CallBook,
    mistake: str,
) -> None:
    """Each mistake is named."""
    assert any(mistake in each for each in remembered_mistakes(memory, book))


def remembered_mistakes(
    memory: Remembered, book: IncomingBook | OutgoingBook | CallBook
) -> list[str]:
    """Compare what is remembered with one book; the others are empty."""
    return list(
        memory.disagreements(
            book if isinstance(book, IncomingBook) else IncomingBook(),
            [book if isinstance(book, OutgoingBook) else OutgoingBook()],
            ReportBook(),
            book if isinstance(book, CallBook) else CallBook(),
        )
    )


def test_a_message_that_is_remembered_twice() -> None:
    """It must be there once."""
    one = remembered(NUMBER, "sent").messages
    memory = Remembered([*one, *one], 2, 2)
    found = remembered_mistakes(memory, outgoing("sent", "sent"))
    assert found == ["A message is remembered twice"]


# All of them


@pytest.fixture
def books() -> Books:
    """The books of two gateways."""
    books = Books()
    books.add("one")
    books.add("two")
    return books


def sent_by(books: Books, hass: HomeAssistant, name: str) -> None:
    """Let the bus tell that a gateway has sent the message."""
    data = {"config_entry_id": name, "target": NUMBER, "status": "sent"}
    hass.bus.async_fire(EVENT_SMS_SENT, data)


async def test_each_gateway_has_books_of_its_own(
    hass: HomeAssistant, books: Books
) -> None:
    """The bus says which one is meant."""
    books.listen(hass)
    hass.bus.async_fire(
        EVENT_SMS_RECEIVED,
        {
            "config_entry_id": "two",
            "sender": SENDER,
            "message": "Hello",
            "complete": True,
        },
    )
    sent_by(books, hass, "one")
    hass.bus.async_fire(
        EVENT_SMS_DELIVERED,
        {"config_entry_id": "one", "target": NUMBER, "delivered": True},
    )
    hass.bus.async_fire(
        EVENT_CALL, {"config_entry_id": "two", "caller": SENDER, "type": "ringing"}
    )
    await hass.async_block_till_done()
    assert books.gateways["one"].reports.published == {NUMBER: [True]}
    assert books.gateways["two"].calls.published == {SENDER: ["ringing"]}
    assert books.gateways["two"].incoming.published == {
        SENDER: [Published("Hello", True)]
    }
    assert books.gateways["one"].outgoing.published == {NUMBER: ["sent"]}
    assert not books.gateways["one"].incoming.published
    assert not books.gateways["two"].outgoing.published
    assert not books.any_way.published


NOTHING = dict.fromkeys(("one", "two"), Remembered([], 0, 0))


def test_what_went_through_the_wrong_gateway(books: Books) -> None:
    """It is missing at one, and too much at the other one."""
    books.gateways["one"].outgoing = outgoing("sent", "sent")
    books.gateways["one"].ussd = asked(reply=ANSWER)
    both = Ledger(
        messages=[(NUMBER, "Hello")],
        ussd_requests=[CODE],
        ussd_answers=[(CODE, ANSWER)],
    )
    memory = NOTHING | {"one": remembered(NUMBER, "sent")}
    assert books.disagreements({"one": both, "two": Ledger()}, memory) == []
    assert books.disagreements({"one": Ledger(), "two": both}, memory) == [
        "one: +4916 got nothing of what was sent",
        "one: *100*1# was told '*100*1#: 5 EUR', and the network said None",
        "two: +4916 got what nobody sent",
        "two: *100*1# was asked by nobody",
    ]


@pytest.mark.parametrize("name", ["one", "two"])
async def test_what_may_go_through_any_gateway(
    hass: HomeAssistant, books: Books, name: str
) -> None:
    """Whichever it was, it is nobody else's."""
    books.listen(hass)
    books.any_way.texts[NUMBER] = "Hello"
    books.any_way.answers[NUMBER] = "sent"
    sent_by(books, hass, name)
    await hass.async_block_till_done()
    ledgers = {"one": Ledger(), "two": Ledger()} | {name: arrived("Hello")}
    assert books.disagreements(ledgers, NOTHING) == []


def test_what_went_through_both_gateways(books: Books) -> None:
    """It has arrived twice."""
    books.any_way = outgoing("sent", "sent")
    ledgers = {"one": arrived("Hello"), "two": arrived("Hello")}
    assert books.disagreements(ledgers, NOTHING) == [
        "+4916 got its message 2 times",
        "+4916 got part 1 2 times",
    ]


def test_a_ledger_is_read() -> None:
    """As the gateway tells it."""
    told = {
        "messages": [[NUMBER, "Hello"]],
        "parts": [[NUMBER, 1]],
        "ussd_requests": [CODE],
        "ussd_overlaps": [CODE],
        "ussd_answers": [[CODE, ANSWER]],
        "events": 7,
    }
    assert Ledger.read(told) == Ledger(
        [(NUMBER, "Hello")], [(NUMBER, 1)], [CODE], [CODE], [(CODE, ANSWER)], 7
    )
