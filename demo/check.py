"""Tries what the demo shows, without a person."""

import asyncio
import json
from pathlib import Path
import re
from typing import Any

from simulator.control import ask

from .home import BALANCE_CODE, DASHBOARD, PHONE, SPAN_NUMBER, HomeAssistant
from .processes import DemoError, say, until

STRANGER = "+491713920099"

_SECONDS = 20.0
_ENTITY = re.compile(
    r"\b(?:automation|binary_sensor|button|input_\w+|light|script|sensor)\.[a-z0-9_]+"
)
_RECORD = re.compile(r"^[-\d]+ [-+:.\d]+ ([A-Z]+) \([^)]*\) \[([^]]*)\] ")
_NOT_OURS = re.compile(r"Skipping pip installation|We found a custom integration")
"""What Home Assistant says at every start of this demo."""
_OURS = tuple(
    ["custom_components.", "homeassistant.helpers.template"]
    + [
        f"homeassistant.components.{name}"
        for name in (
            "automation",
            "homeassistant.triggers",
            "lovelace",
            "script",
            "template",
        )
    ]
)
"""Loggers that speak of our code or YAML; others may warn of a slow machine."""


class Check:
    """One run through everything; the first thing that is wrong raises DemoError."""

    def __init__(self, home: HomeAssistant, control_port: int) -> None:
        """Take what to try."""
        self._home = home
        self._control_port = control_port

    async def run(self) -> None:
        """Try everything, in an order in which nothing waits longer than it must."""
        for step in (
            self._dashboard,
            self._stranger,
            self._status,
            self._talk,
            self._send,
            self._form,
            self._ussd,
            self._low_balance,
            self._nothing_more,
            self._self_test,
        ):
            await step()

    # ---- Steps ---------------------------------------------------------------------------

    async def _dashboard(self) -> None:
        config = await self._home.command("lovelace/config", url_path=DASHBOARD)
        wanted = set(_ENTITY.findall(json.dumps(config)))
        missing = wanted
        expect(wanted, "The dashboard shows no entities.")

        async def all_there() -> bool:
            nonlocal missing
            states = await self._home.get("/api/states")
            missing = wanted - {state["entity_id"] for state in states}
            return not missing

        try:
            await until("All entities of the dashboard", all_there, _SECONDS)
        except DemoError:
            names = ", ".join(sorted(missing))
            raise DemoError(f"The dashboard shows what is not there: {names}") from None
        status = await self._home.state("sensor.gsm_1_status")
        expect(status == "ready", f"Span 1 should be ready but is {status}.")
        status = await self._home.state("sensor.gsm_3_status")
        expect(status == "no_sim", f"Span 3 should have no SIM but is {status}.")
        passed(f"The dashboard and its {len(wanted)} entities are there.")

    async def _stranger(self) -> None:
        """Come first, so that an answer has all the time to show."""
        await self._gateway(do="sms", span=1, text="status", **{"from": STRANGER})

        async def seen() -> bool:
            page = await self._home.command(
                "openvox_gsm/messages/list", number=STRANGER
            )
            return any(each["text"] == "status" for each in page["messages"])

        await until("The arrival of an SMS in Home Assistant", seen, _SECONDS)
        passed("An SMS from a stranger came in, and is among the messages.")

    async def _status(self) -> None:
        await self._gateway(do="sms", span=2, text="Status ", **{"from": PHONE})
        sent = await self._sent(1)
        text = sent["text"]
        expect(
            sent["number"] == PHONE and sent["span"] == 2 and "21.5 °C" in text,
            f"Not the state of the house was sent, or not to {PHONE} by span 2: {sent}",
        )
        passed(f"An SMS 'status' was answered: {text}")

    async def _talk(self) -> None:
        for sender, text in (
            (STRANGER, "swordfish turn on the lamp"),
            (PHONE, "turn on the lamp"),
            (PHONE, "Swordfish turn on the lamp"),
        ):
            await self._gateway(do="sms", span=2, text=text, **{"from": sender})
        sent = await self._sent(2)
        expect(
            (sent["number"], sent["text"], sent["span"])
            == (PHONE, "> Turned on the light", 2),
            f"The house did not answer as it should when asked by SMS: {sent}",
        )
        lamp = await self._home.state("light.lamp")
        expect(lamp == "on", f"The lamp should be on but is {lamp}.")
        passed(f"The lamp was turned on by SMS, and the house answered: {sent['text']}")

    async def _send(self) -> None:
        response = await self._home.ask_action(
            "notify.send_sms", message="Grüße aus dem Haus", target=PHONE, span=5
        )
        (message,) = response["messages"]
        expect(message["status"] == "sent", f"An SMS was not sent: {message}")
        sent = await self._sent(3)
        expect(
            (sent["number"], sent["text"], sent["span"])
            == (PHONE, "Grüße aus dem Haus", 5),
            f"The gateway sent something else than notify.send_sms said: {sent}",
        )
        passed("notify.send_sms sent an SMS and said so.")

    async def _form(self) -> None:
        await self._home.action("script.send_sms")
        sent = await self._sent(4)
        expect(
            sent["text"] == "Hello from Home Assistant",
            f"The form of the dashboard sent something else: {sent}",
        )
        result = await self._home.state("input_text.sms_result")
        expect(
            result.startswith(f"Sent to {PHONE}"),
            f"The form of the dashboard says '{result}' after sending.",
        )
        passed("The form of the dashboard sent one.")

    async def _ussd(self) -> None:
        answer = await self._home.ask_action("openvox.send_ussd", code="*100#", span=2)
        expect(
            "12.50 EUR" in answer["message"],
            f"openvox.send_ussd gave another answer than the network: {answer}",
        )
        end = await self._home.ask_action("openvox.send_ussd", code="0", span=2)
        expect(
            end["message"] == "Good-bye",
            f"The network took a reply to its menu for something else: {end}",
        )
        passed("openvox.send_ussd gave the network's answer, and ended its menu.")

    async def _low_balance(self) -> None:
        await self._query_balance()
        balance = await self._home.state("sensor.gsm_2_balance")
        expect(balance == "12.50", f"The balance should be 12.50 but is {balance}.")
        expect(not await self._notifications(), "There is a notification too many.")
        await self._gateway(
            do="ussd",
            span=2,
            code=BALANCE_CODE,
            text="You have 1.20 EUR, valid until 31.12.2099.",
        )
        await self._query_balance()
        (message,) = await until(
            "A notification of a low balance", self._notifications, _SECONDS
        )
        expect("1.20 EUR" in message, f"The notification says: {message}")
        passed(f"A low balance raised a notification: {message}")

    async def _query_balance(self) -> None:
        await self._home.action(
            "button.press", entity_id="button.gsm_2_query_balance_now"
        )

    async def _notifications(self) -> list[str] | None:
        notifications = await self._home.command("persistent_notification/get")
        return [each["message"] for each in notifications] or None

    async def _nothing_more(self) -> None:
        sent = (await self._gateway(do="sent"))["sent"]
        expect(
            len(sent) == 4 and all(sms["number"] == PHONE for sms in sent),
            f"More was sent than asked for, perhaps to a stranger: {sent}",
        )
        passed("The stranger got no answer.")

    async def _self_test(self) -> None:
        answer = await self._home.ask_action(
            "openvox.self_test", send=True, to_span=2, number=SPAN_NUMBER
        )
        expect(answer["passed"], f"The self-test didn't pass: {answer['report']}")
        passed("openvox.self_test sent SMS from one span to another, and passed.")

    # ---- Means ---------------------------------------------------------------------------

    async def _gateway(self, **request: Any) -> dict[str, Any]:
        async with asyncio.timeout(_SECONDS):
            answer = await ask(self._control_port, request)
        if "error" in answer:
            raise DemoError(f"The simulator refused a request: {answer['error']}")
        return answer

    async def _sent(self, count: int) -> dict[str, Any]:
        """Wait until `count` messages went out; give the last one."""

        async def last() -> dict[str, Any] | None:
            sent: list[dict[str, Any]] = (await self._gateway(do="sent"))["sent"]
            return sent[-1] if len(sent) >= count else None

        return await until(f"The sending of message {count}", last, _SECONDS)


def check_log(log: Path) -> None:
    """Look for anything in Home Assistant's log that should not be there."""
    records: list[str] = []
    for line in log.read_text(errors="replace").splitlines():
        # A record goes on over the lines that do not begin another.
        if records and not _RECORD.match(line):
            records[-1] += f"\n{line}"
        else:
            records.append(line)
    for record in records:
        head = _RECORD.match(record)
        level, logger = head.groups() if head else ("", "")
        if not _NOT_OURS.search(record) and (
            level not in ("DEBUG", "INFO", "WARNING")
            or "Traceback (most recent call last)" in record
            or (
                level == "WARNING" and (logger.startswith(_OURS) or "openvox" in record)
            )
        ):
            raise DemoError(
                f"Home Assistant logged this (all of it is in {log}):\n"
                f"{record.partition('\n')[0]}"
            )
    # Were there none at all, the log would not be what it is taken for.
    expect(records, "Home Assistant's log is empty.")
    passed("The log of Home Assistant holds no error and no warning of ours.")


def expect(condition: object, otherwise: str) -> None:
    """Raise DemoError with a sentence unless the condition holds."""
    if not condition:
        raise DemoError(otherwise)


def passed(text: str) -> None:
    """Say what is right."""
    say(f"  ✓ {text}")
