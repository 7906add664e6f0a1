"""Messages and calls from the start, so that the page shows what it's for."""

from simulator.control import ask

from .home import HomeAssistant

LENA = "+491713920003"
TOM = "+491713920007"
BANK = "MyBank"


async def add_contacts(home: HomeAssistant) -> None:
    """Give two numbers a name."""
    await home.add_contact("Lena", LENA)
    await home.add_contact("Tom", TOM)


async def exchange_messages(home: HomeAssistant, control_port: int) -> None:
    """Let SMS and calls come in and go out, one of them in vain."""

    async def comes_in(span: int, sender: str, text: str) -> None:
        request = {"do": "sms", "span": span, "from": sender, "text": text}
        await ask(control_port, request)

    async def goes_out(span: int, target: str, text: str) -> None:
        await home.ask_action("notify.send_sms", target=target, message=text, span=span)

    await comes_in(5, BANK, "Your code is 482913. Don't share it with anyone.")
    await ask(control_port, {"do": "outcome", "span": 1, "outcome": "failed"})
    await goes_out(1, TOM, "The garage door is open. Are you still in there?")
    call = {"do": "call", "span": 1, "from": TOM, "hangup_after": 0.5}
    await ask(control_port, call)
    await comes_in(2, LENA, "I'm at the supermarket. Is the washing machine done?")
    await goes_out(2, LENA, "Yes, since ten past two. The dryer is free, too.")
    await comes_in(2, LENA, "Great, thanks! I'll be home in half an hour.")
    await goes_out(
        2,
        LENA,
        "The heating is on and set to 21.5 degrees. All windows are closed, the front "
        "door is locked, and there's a parcel for you on the doorstep. It came at a quarter to two.",
    )
