"""The books of the soak: what agrees, and every way not to."""

from typing import Any

import pytest

from custom_components.openvox_gsm.const import EVENT_SMS_RECEIVED, EVENT_SMS_SENT
from homeassistant.core import HomeAssistant
from soak.books import Books, Incoming, Told

SENDER, NUMBER = "+4917", "+4916"


def books_of_incoming(*told: Told, delivered: bool = True) -> Books:
    """Keep the books of one SMS that came in."""
    books = Books()
    books.incoming.append(Incoming(SENDER, "Hello", delivered))
    books.told[SENDER].extend(told)
    return books


def ledger(*texts: str, parts: int = 0) -> dict[str, Any]:
    """Keep the gateway's ledger of what went out to one number."""
    return {
        "messages": [[NUMBER, text] for text in texts],
        "parts": [[NUMBER, 1]] * (parts or len(texts)),
    }


def books_of_outgoing(answer: str | None, *outcomes: str) -> Books:
    """Keep the books of one SMS that went out, or did not."""
    books = Books()
    books.outgoing[NUMBER] = "Hello"
    if answer:
        books.answers[NUMBER] = answer
    books.outcomes[NUMBER].extend(outcomes)
    return books


async def test_it_counts_what_the_bus_is_told(hass: HomeAssistant) -> None:
    """Both ways."""
    books = Books()
    books.listen(hass)
    hass.bus.async_fire(
        EVENT_SMS_RECEIVED, {"sender": SENDER, "message": "Hello", "complete": True}
    )
    hass.bus.async_fire(EVENT_SMS_SENT, {"target": NUMBER, "status": "sent"})
    await hass.async_block_till_done()
    assert books.told == {SENDER: [Told("Hello", True)]}
    assert books.outcomes == {NUMBER: ["sent"]}


@pytest.mark.parametrize(
    "books",
    [
        books_of_incoming(Told("Hello", True)),
        books_of_incoming(Told("Hello", True), delivered=False),
        books_of_incoming(Told("Hel", False), delivered=False),
        books_of_incoming(delivered=False),
    ],
)
def test_incoming_that_agrees(books: Books) -> None:
    """Once while a connection stood, else once or not at all."""
    assert books.disagreements(ledger()) == []


@pytest.mark.parametrize(
    ("books", "mistake"),
    [
        (books_of_incoming(), "was not told"),
        (books_of_incoming(Told("Hello", True), Told("Hello", True)), "told 2 times"),
        (books_of_incoming(Told("Help", True)), "told as 'Help'"),
        (books_of_incoming(Told("Help", True), delivered=False), "told as 'Help'"),
        (books_of_incoming(Told("Hel", False)), "told incomplete"),
    ],
)
def test_incoming_that_does_not_agree(books: Books, mistake: str) -> None:
    """Each mistake is told."""
    (told,) = books.disagreements(ledger())
    assert mistake in told


def test_a_sender_who_never_sent() -> None:
    """Somebody forged him."""
    books = Books()
    books.told["+666"].append(Told("Hello", True))
    assert books.disagreements(ledger()) == ["+666 never sent an SMS"]


@pytest.mark.parametrize(
    ("books", "sent"),
    [
        (books_of_outgoing("sent", "sent"), ledger("Hello")),
        (books_of_outgoing("unknown", "unknown"), ledger("Hello")),
        (books_of_outgoing("unknown", "unknown"), ledger()),
        (books_of_outgoing("failed", "failed"), ledger()),
        (books_of_outgoing("failed", "failed"), ledger(parts=1)),
        (books_of_outgoing("refused"), ledger()),
    ],
)
def test_outgoing_that_agrees(books: Books, sent: dict[str, Any]) -> None:
    """Only of an unknown outcome nobody knows; of a long one some parts may go."""
    assert books.disagreements(sent) == []


@pytest.mark.parametrize(
    ("books", "sent", "mistake"),
    [
        (books_of_outgoing("sent", "sent"), ledger(), "got nothing"),
        (books_of_outgoing("sent", "sent"), ledger("Help"), "got 'Help'"),
        (books_of_outgoing("failed", "failed"), ledger("Hello"), "not to be sent"),
        (books_of_outgoing("refused"), ledger("Hello"), "not to be sent"),
        (books_of_outgoing("sent"), ledger("Hello"), "the bus []"),
        (books_of_outgoing("sent", "sent", "sent"), ledger("Hello"), "the bus ["),
        (books_of_outgoing("sent", "unknown"), ledger("Hello"), "the bus ['unknown']"),
        (books_of_outgoing("sent", "sent"), ledger("Hello", parts=2), "part 1 2 times"),
        (
            books_of_outgoing("unknown", "unknown"),
            {"messages": [[NUMBER, "Hello"]] * 2, "parts": []},
            "its message 2 times",
        ),
        (Books(), ledger("Hello"), "got what nobody sent"),
    ],
)
def test_outgoing_that_does_not_agree(
    books: Books, sent: dict[str, Any], mistake: str
) -> None:
    """Each mistake is told."""
    assert any(mistake in told for told in books.disagreements(sent))


def test_an_action_that_never_ended() -> None:
    """It is told, too."""
    assert books_of_outgoing(None).disagreements(ledger())
