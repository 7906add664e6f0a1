"""The blueprints, as automations that run against a gateway."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
import json
from pathlib import Path
import re
from typing import Any
from urllib.parse import quote

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
    async_mock_service,
)

from homeassistant.components.automation.const import DOMAIN as AUTOMATION
from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint import Blueprint
from homeassistant.components.blueprint.models import DomainBlueprints
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.core import Event, HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
from simulator import CallOutcome, Simulator

from .common import (
    OTHER_PHONE,
    PHONE,
    add_contact,
    poll,
    settle,
    span_device,
    until,
    until_later,
)
from .ussd.test_query import BUTTON, SENSOR, query

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "blueprints" / AUTOMATION
STRANGER = "+15550100"
PHONE_APP = "notify.mobile_app_phone"
AUTOMATED = "automation.from_blueprint"
# What an action of the user's own does in these tests.
DONE = {"event": "done", "event_data": {"what": "{{ message | default('it') }}"}}

type Automate = Callable[..., Awaitable[None]]
type ComeIn = Callable[..., Awaitable[None]]


@pytest.fixture(autouse=True)
def _repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Home Assistant find its blueprints here, and SMS and calls rest briefly."""
    monkeypatch.setattr(DomainBlueprints, "blueprint_folder", FOLDER)
    for module in ("receiving.inbox", "calls.tracker"):
        monkeypatch.setattr(
            f"custom_components.openvox_gsm.gateway.{module}.SETTLE_TIME", 0.01
        )


@pytest.fixture
def automate(hass: HomeAssistant) -> Automate:
    """Make an automation from a blueprint."""

    async def make(name: str, **inputs: Any) -> None:
        assert await async_setup_component(
            hass,
            AUTOMATION,
            {
                AUTOMATION: {
                    "alias": "From blueprint",
                    "use_blueprint": {
                        "path": f"openvox_gsm/{name}.yaml",
                        "input": inputs,
                    },
                }
            },
        )
        await settle(hass)
        assert hass.states.is_state(AUTOMATED, STATE_ON)

    return make


@pytest.fixture
def receive(hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry) -> ComeIn:
    """Let an SMS come in, and all that it sets off come to an end."""
    published = async_capture_events(hass, "openvox_gsm_sms_received")

    async def receive(text: str, sender: str = PHONE, span: int = 1) -> None:
        count = len(published)
        await gateway.receive_sms(span, sender, text)
        await until(lambda: len(published) > count)
        await settle(hass)

    return receive


@pytest.fixture
def ring(hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry) -> ComeIn:
    """Let a call come in and be missed, and what it sets off begin."""
    published = async_capture_events(hass, "openvox_gsm_call")

    async def ring(caller: str, span: int = 1) -> None:
        count = len(published)
        call = await gateway.incoming_call(span, caller)
        await call.hangup()
        await until(lambda: len(published) == count + 2)
        await go_on()

    return ring


@pytest.fixture
def done(hass: HomeAssistant) -> list[Event]:
    """What actions of the user's own did."""
    done: list[Event] = async_capture_events(hass, "done")
    return done


@pytest.fixture
def told(hass: HomeAssistant) -> list[ServiceCall]:
    """The notifications of phones and chats."""
    told: list[ServiceCall] = async_mock_service(hass, "notify", "send_message")
    return told


async def go_on() -> None:
    """Let all run that need not wait, where an automation does and so has no end."""
    for _ in range(20):
        await asyncio.sleep(0)


def words(done: list[Event]) -> list[Any]:
    """Return what actions of the user's own did, in a word each."""
    return [event.data["what"] for event in done]


def messages(told: list[ServiceCall]) -> list[str]:
    """Return the notifications of a phone."""
    return [
        call.data["message"]
        for call in told
        if call.data.get("entity_id") == [PHONE_APP]
    ]


def sent(gateway: Simulator) -> list[tuple[int, str, str]]:
    """Return span, number and text of each SMS that went out."""
    return [(sms.span, sms.number, sms.text) for sms in gateway.sent]


def rung(gateway: Simulator) -> list[str]:
    """Return each number that was rung."""
    return [call.number for call in gateway.originated]


# All of them


@pytest.fixture(params=sorted(FOLDER.rglob("*.yaml")), ids=lambda path: path.stem)
async def blueprint(hass: HomeAssistant, request: pytest.FixtureRequest) -> Blueprint:
    """Each blueprint, as Home Assistant reads it."""
    assert await async_setup_component(hass, AUTOMATION, {})
    return await async_get_blueprints(hass).async_get_blueprint(
        str(request.param.relative_to(FOLDER))
    )


def test_what_a_person_reads(blueprint: Blueprint) -> None:
    """Every input has a name, a description and a field that fits."""
    assert blueprint.metadata["description"]
    for key, each in blueprint.inputs.items():
        assert {"name", "description", "selector"} <= each.keys(), key


def test_the_oldest_home_assistant(blueprint: Blueprint) -> None:
    """Is the same as the integration's."""
    oldest = json.loads((ROOT / "hacs.json").read_text())["homeassistant"]

    assert blueprint.metadata["homeassistant"] == {"min_version": oldest}
    assert blueprint.validate() is None


def test_an_import(blueprint: Blueprint) -> None:
    """Home Assistant writes the file again, and reads the same from that."""
    assert parse_yaml(blueprint.yaml()) == blueprint.data


def test_where_it_comes_from(
    blueprint: Blueprint, request: pytest.FixtureRequest
) -> None:
    """The file names its own address, which Home Assistant imports it from again."""
    manifest = ROOT / "custom_components/openvox_gsm/manifest.json"
    repository = json.loads(manifest.read_text())["documentation"]
    path = request.node.callspec.params["blueprint"].relative_to(ROOT)

    assert blueprint.metadata["source_url"] == f"{repository}/blob/main/{path}"
    assert blueprint.metadata["author"]


def test_the_import_buttons() -> None:
    """The docs have one for each blueprint."""
    page = (ROOT / "docs/blueprints.md").read_text()
    buttons = re.findall(
        r"blueprint_import\.svg\)\]\("
        r"https://my\.home-assistant\.io/redirect/blueprint_import/\?blueprint_url=(\S+)\)",
        page,
    )
    sources = [
        re.search(r"^  source_url: (.+)$", path.read_text(), re.MULTILINE)
        for path in FOLDER.rglob("*.yaml")
    ]

    assert sorted(buttons) == sorted(
        quote(source[1], safe="") for source in sources if source
    )


# Forward SMS


async def test_an_sms_is_forwarded(
    automate: Automate, receive: ComeIn, told: list[ServiceCall], done: list[Event]
) -> None:
    """To a phone, and to actions of the user's own."""
    await automate("forward_sms", recipients=[PHONE_APP], actions=[DONE])

    await receive("Hello\nyou")

    assert messages(told) == [f"SMS from {PHONE}: Hello\nyou"]
    assert words(done) == messages(told)


async def test_nobody_to_tell(
    automate: Automate, receive: ComeIn, done: list[Event]
) -> None:
    """Actions alone will do."""
    await automate("forward_sms", actions=[DONE])

    await receive("Hello")

    assert words(done) == [f"SMS from {PHONE}: Hello"]


async def test_a_phone_that_cannot_be_told(
    hass: HomeAssistant, automate: Automate, receive: ComeIn, done: list[Event]
) -> None:
    """The actions are done all the same."""
    async_mock_service(
        hass, "notify", "send_message", raise_exception=HomeAssistantError("Offline")
    )
    await automate("forward_sms", recipients=[PHONE_APP], actions=[DONE])

    await receive("Hello")

    assert words(done) == [f"SMS from {PHONE}: Hello"]


@pytest.mark.parametrize(
    "text",
    ["12", "+4930123", "[1, 2]", "{'a': 1}", "None", "{{ states.sensor }}", "{% x %}"],
)
async def test_a_text_that_looks_like_something_else(
    automate: Automate,
    receive: ComeIn,
    told: list[ServiceCall],
    done: list[Event],
    text: str,
) -> None:
    """It arrives as it was written, and nothing in it is carried out."""
    await automate("forward_sms", recipients=[PHONE_APP], actions=[DONE])

    await receive(text)

    assert messages(told) == words(done) == [f"SMS from {PHONE}: {text}"]


async def test_many_sms_at_once(
    hass: HomeAssistant,
    automate: Automate,
    gateway: Simulator,
    loaded: MockConfigEntry,
    done: list[Event],
) -> None:
    """None is lost, and they stay in order, even where the actions take their time."""
    await automate("forward_sms", actions=[{"delay": {"milliseconds": 1}}, DONE])

    for number in range(30):
        await gateway.receive_sms(1, PHONE, f"No. {number}")
    await until(lambda: len(done) == 30)

    assert words(done) == [f"SMS from {PHONE}: No. {number}" for number in range(30)]
    await settle(hass)


async def test_only_some_sms(
    hass: HomeAssistant,
    automate: Automate,
    receive: ComeIn,
    told: list[ServiceCall],
    loaded: MockConfigEntry,
) -> None:
    """From some senders, to some SIM."""
    await automate(
        "forward_sms",
        recipients=[PHONE_APP],
        senders=["0049 151 12345678", "MyBank"],
        receiver={"device_id": span_device(hass, loaded, 2).id},
    )

    await receive("A stranger", STRANGER, span=2)
    await receive("Another SIM", PHONE, span=1)
    assert messages(told) == []

    await receive("Hello", PHONE, span=2)
    await receive("A code", "MYBANK", span=2)
    assert messages(told) == [f"SMS from {PHONE}: Hello", "SMS from MYBANK: A code"]


# Commands by SMS

HEATING = {
    "word_1": "Heating on",
    "actions_1": [{"event": "done", "event_data": {"what": "heating"}}],
    "reply_1": "Heating is on",
}
STATUS = {"word_3": "1", "reply_3": "{{ states('sensor.kitchen') }} degrees"}


@pytest.mark.parametrize("text", ["heating on", "HEATING ON", " Heating\n  on "])
async def test_a_command(
    automate: Automate,
    receive: ComeIn,
    gateway: Simulator,
    done: list[Event],
    text: str,
) -> None:
    """It is done, and the SIM that got it replies."""
    await automate("sms_commands", senders=[PHONE], **HEATING)

    await receive(text, span=3)

    assert words(done) == ["heating"]
    assert sent(gateway) == [(3, PHONE, "Heating is on")]


async def test_a_command_without_actions(
    hass: HomeAssistant, automate: Automate, receive: ComeIn, gateway: Simulator
) -> None:
    """It asks for a value, and may be a digit."""
    hass.states.async_set("sensor.kitchen", "21.5")
    await automate("sms_commands", senders=[PHONE], **HEATING, **STATUS)

    await receive("1")

    assert sent(gateway) == [(1, PHONE, "21.5 degrees")]


async def test_a_command_without_reply(
    automate: Automate, receive: ComeIn, gateway: Simulator, done: list[Event]
) -> None:
    """It is done in silence, whatever another command replied before."""
    await automate("sms_commands", senders=[PHONE], **HEATING | {"reply_1": ""})

    await receive("heating on")

    assert words(done) == ["heating"]
    assert sent(gateway) == []


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("swordfish heating on", STRANGER),
        ("heating on", PHONE),
        ("heating on swordfish", PHONE),
        ("sword heating on", PHONE),
        ("swordfishheating on", PHONE),
        ("", PHONE),
        ("{{ code_word }} heating on", PHONE),
        ("{{ states('sensor.kitchen') }}", PHONE),
    ],
)
async def test_who_may_not_command(
    automate: Automate,
    receive: ComeIn,
    gateway: Simulator,
    done: list[Event],
    text: str,
    sender: str,
) -> None:
    """A stranger, or who does not know the code word; they get no reply either."""
    await automate(
        "sms_commands",
        senders=[PHONE],
        code_word="Swordfish",
        unknown_reply="I do not know that",
        **HEATING,
    )

    await receive(text, sender)

    assert words(done) == []
    assert sent(gateway) == []


async def test_the_code_word(
    automate: Automate, receive: ComeIn, gateway: Simulator, done: list[Event]
) -> None:
    """It stands before the command; one of digits keeps its zeros."""
    await automate("sms_commands", senders=[PHONE], code_word="0042", **HEATING)

    await receive("42 heating on")
    assert words(done) == []

    await receive("0042 heating on")
    assert words(done) == ["heating"]


@pytest.mark.parametrize(
    "text", ["swordfish", "swordfish heating", "swordfish heating on now"]
)
async def test_an_unknown_command(
    automate: Automate,
    receive: ComeIn,
    gateway: Simulator,
    done: list[Event],
    text: str,
) -> None:
    """Nothing is done; a reply says so where one is wanted."""
    await automate(
        "sms_commands",
        senders=[PHONE],
        code_word="swordfish",
        unknown_reply="I know: heating on",
        **HEATING,
    )

    await receive(text)

    assert words(done) == []
    assert sent(gateway) == [(1, PHONE, "I know: heating on")]


async def test_nobody_may_command(
    automate: Automate, receive: ComeIn, done: list[Event]
) -> None:
    """An empty list lets nobody in, not everybody."""
    await automate("sms_commands", senders=[], **HEATING)

    await receive("heating on")

    assert words(done) == []


async def test_a_code_word_of_spaces(
    automate: Automate, receive: ComeIn, done: list[Event]
) -> None:
    """It's no code word, and lets nobody in, either."""
    await automate("sms_commands", senders=[PHONE], code_word="  ", **HEATING)

    await receive("heating on")

    assert words(done) == []


# Talk to your house by SMS

TALK = "swordfish"


@pytest.fixture
async def anna(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """A contact of the gateway."""
    add_contact(hass, loaded, "Anna", PHONE)
    await settle(hass)


@pytest.fixture
async def lamp(hass: HomeAssistant) -> str:
    """A lamp that Assist controls."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "conversation", {})
    lights = {"name": "Lamp", "turn_on": [], "turn_off": []}
    assert await async_setup_component(
        hass, "template", {"template": {"light": lights}}
    )
    await settle(hass)
    return "light.lamp"


class Agent(list[dict[str, Any]]):
    """A conversation agent that says what it should; holds what it was asked."""

    answer: str = "Done"


@pytest.fixture
def agent(hass: HomeAssistant) -> Agent:
    """What the agent was asked, and what it says."""
    agent = Agent()

    async def process(call: ServiceCall) -> dict[str, Any]:
        agent.append(dict(call.data))
        speech = {"plain": {"speech": agent.answer}} if agent.answer else {}
        return {"response": {"speech": speech}}

    hass.services.async_register(
        "conversation", "process", process, supports_response=SupportsResponse.ONLY
    )
    return agent


async def test_the_house_does_what_it_is_asked(
    hass: HomeAssistant,
    lamp: str,
    automate: Automate,
    receive: ComeIn,
    anna: None,
    gateway: Simulator,
) -> None:
    """Home Assistant's own agent answers by the span that was asked."""
    await automate("talk_to_house", code_word="Swordfish")

    await receive(" SWORDFISH  Turn on the lamp", span=3)

    assert hass.states.is_state(lamp, STATE_ON)
    assert sent(gateway) == [(3, PHONE, "> Turned on the light")]


async def test_in_another_language(
    hass: HomeAssistant,
    lamp: str,
    automate: Automate,
    receive: ComeIn,
    anna: None,
    gateway: Simulator,
) -> None:
    """The one that was chosen."""
    await automate("talk_to_house", code_word="Hecht", language="de")

    await receive("hecht schalte Lamp ein")

    assert hass.states.is_state(lamp, STATE_ON)
    assert [text for _, _, text in sent(gateway)] == ["> Licht eingeschaltet"]


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("swordfish turn on the lamp", STRANGER),
        ("swordfish turn on the lamp", "Anna"),
        ("turn on the lamp", PHONE),
        ("turn on the lamp swordfish", PHONE),
        ("swordfishturn on the lamp", PHONE),
        ("sword fish turn on the lamp", PHONE),
        ("{{ code_word }} turn on the lamp", PHONE),
        ("> swordfish turn on the lamp", PHONE),
        ("swordfish", PHONE),
        ("swordfish  ", PHONE),
        ("", PHONE),
    ],
)
async def test_who_gets_no_answer(
    automate: Automate,
    receive: ComeIn,
    anna: None,
    agent: Agent,
    gateway: Simulator,
    text: str,
    sender: str,
) -> None:
    """Someone who is no contact, doesn't know the code word, or asks nothing."""
    await automate("talk_to_house", code_word=TALK)

    await receive(text, sender)

    assert agent == []
    assert sent(gateway) == []


@pytest.mark.parametrize("code_word", ["", "  ", ">", "> hello"])
async def test_an_invalid_code_word(
    automate: Automate,
    receive: ComeIn,
    anna: None,
    agent: Agent,
    code_word: str,
) -> None:
    """It lets nobody in; and no answer, which starts with a sign, begins with it."""
    await automate("talk_to_house", code_word=code_word)

    await receive(f"{code_word} turn on the lamp")
    await receive("turn on the lamp")

    assert agent == []


async def test_a_code_word_of_digits(
    automate: Automate, receive: ComeIn, anna: None, agent: Agent
) -> None:
    """It keeps its zeros, and may have several words."""
    await automate("talk_to_house", code_word="0042 Fish")

    await receive("42 fish turn on the lamp")
    assert agent == []

    await receive("0042 FISH Turn on the Lamp")
    assert [asked["text"] for asked in agent] == ["Turn on the Lamp"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ states('sensor.kitchen') }}",
        "{% for x in range(9) %}x{% endfor %}",
        "12",
        "0012",
        "1e3",
        "None",
        "[1, 2]",
        "{'agent_id': 'other'}",
        'it\'s "quoted" \\ {# x #}',
        "', 'agent_id': 'other",
        "two\nlines",
    ],
)
async def test_a_hostile_request(
    automate: Automate, receive: ComeIn, anna: None, agent: Agent, text: str
) -> None:
    """The agent gets it as it was written, and nothing in it runs as a template."""
    await automate("talk_to_house", code_word=TALK, agent="conversation.mine")

    await receive(f"{TALK} {text}")

    assert agent == [{"text": text, "agent_id": "conversation.mine"}]


@pytest.mark.parametrize("answer", ["12", "007", "1e3", "[1]", "{{ 1 }}", "None"])
async def test_an_answer_that_looks_like_something_else(
    automate: Automate,
    receive: ComeIn,
    anna: None,
    agent: Agent,
    gateway: Simulator,
    answer: str,
) -> None:
    """It's sent as the agent said it."""
    await automate("talk_to_house", code_word=TALK)
    agent.answer = answer

    await receive(f"{TALK} how warm is it")

    assert [text for _, _, text in sent(gateway)] == [f"> {answer}"]


async def test_an_agent_that_says_nothing(
    automate: Automate, receive: ComeIn, anna: None, agent: Agent, gateway: Simulator
) -> None:
    """No SMS is sent."""
    await automate("talk_to_house", code_word=TALK)
    agent.answer = ""

    await receive(f"{TALK} be quiet")

    assert len(agent) == 1
    assert sent(gateway) == []


@pytest.mark.parametrize("max_sms", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("word", "least"),
    [
        ("lamp ", 130),
        ("[lamp] ", 90),
        ("Küche ", 50),
        ("東京", 60),
        ("😀", 30),
        ("https://example.com/", 130),
    ],
)
async def test_a_long_answer(
    automate: Automate,
    receive: ComeIn,
    anna: None,
    agent: Agent,
    gateway: Simulator,
    word: str,
    least: int,
    max_sms: int,
) -> None:
    """It's shortened to the SMS that an answer may take, and uses most of them."""
    await automate("talk_to_house", code_word=TALK, max_sms=max_sms)
    agent.answer = word * 2000

    await receive(f"{TALK} tell me everything")

    ((_, _, text),) = sent(gateway)
    assert len(gateway.sent[0].parts) == max_sms
    whole = f"> {agent.answer}"
    assert text.endswith("...")
    assert whole.startswith(text.removesuffix("...").replace("\u00a0", " "))
    assert len(text) > least * max_sms


@pytest.mark.parametrize("max_sms", [1, 2, 3, 4])
async def test_a_long_answer_with_long_words(
    automate: Automate,
    receive: ComeIn,
    anna: None,
    agent: Agent,
    gateway: Simulator,
    max_sms: int,
) -> None:
    """Parts may have to end early before a web address, and never become too many."""
    await automate("talk_to_house", code_word=TALK, max_sms=max_sms)
    agent.answer = f"é {'a' * 70}é" * 20

    await receive(f"{TALK} tell me everything")

    assert 1 <= len(gateway.sent[0].parts) <= max_sms


async def test_an_answer_that_just_fits(
    automate: Automate, receive: ComeIn, anna: None, agent: Agent, gateway: Simulator
) -> None:
    """It's sent whole."""
    await automate("talk_to_house", code_word=TALK, max_sms=1)
    agent.answer = "x" * 158

    await receive(f"{TALK} tell me")

    assert [text for _, _, text in sent(gateway)] == [f"> {agent.answer}"]


async def test_a_request_with_a_part_missing(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    automate: Automate,
    loaded: MockConfigEntry,
    anna: None,
    agent: Agent,
    gateway: Simulator,
) -> None:
    """It could mean something else, so it isn't passed on."""
    await automate("talk_to_house", code_word=TALK)
    published = async_capture_events(hass, "openvox_gsm_sms_received")

    await gateway.receive_sms(
        1, PHONE, f"{TALK} turn on {'the lamp, ' * 30} but not now", order=[1]
    )
    await settle(hass)
    for _ in range(8):
        await poll(hass, freezer)
    await until_later(freezer, lambda: published)
    await settle(hass)

    (event,) = published
    assert not event.data["complete"]
    assert event.data["contact"] == "Anna"
    assert agent == []


async def test_two_houses_that_talk_to_each_other(
    automate: Automate, receive: ComeIn, anna: None, agent: Agent, gateway: Simulator
) -> None:
    """They stop at the first answer, even if it begins with the code word."""
    await automate("talk_to_house", code_word=TALK)
    agent.answer = f"{TALK} say that again"

    await receive(f"{TALK} say that again")
    ((_, _, answer),) = sent(gateway)
    await receive(answer)

    assert len(agent) == len(gateway.sent) == 1


# Open a gate by a call


async def test_a_call_opens_the_gate(
    automate: Automate, ring: ComeIn, done: list[Event]
) -> None:
    """One from the list does; a stranger's, or one that hides its number, does not."""
    await automate(
        "open_gate_by_call", callers=["0049 151 12345678"], actions=[DONE], pause=0
    )

    await ring(STRANGER)
    await ring("<unknown>")
    assert words(done) == []

    await ring(PHONE)
    assert words(done) == ["it"]


async def test_the_gate_opens_while_it_rings(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    automate: Automate,
    done: list[Event],
) -> None:
    """Nobody has to hang up first, and the gateway does not answer."""
    await automate("open_gate_by_call", callers=[PHONE], actions=[DONE], pause=0)

    call = await gateway.incoming_call(1, PHONE)
    await until(lambda: done)

    assert call.cause is None
    assert call.state == f"RING Called from {PHONE}"


async def test_a_second_call(
    hass: HomeAssistant, automate: Automate, ring: ComeIn, done: list[Event]
) -> None:
    """It does not stop the gate that is opening, but opens it again later."""
    await automate("open_gate_by_call", callers=[PHONE, OTHER_PHONE], actions=[DONE])

    await ring(PHONE)
    await ring(OTHER_PHONE)
    assert len(done) == 1

    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=11))
    await settle(hass)
    await ring(OTHER_PHONE)
    assert len(done) == 2

    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=11))
    await settle(hass)


async def test_nobody_may_open_the_gate(
    automate: Automate, ring: ComeIn, done: list[Event]
) -> None:
    """An empty list lets nobody in, not everybody."""
    await automate("open_gate_by_call", callers=[], actions=[DONE], pause=0)

    await ring(PHONE)

    assert words(done) == []


async def test_an_sms_does_not_open_the_gate(
    automate: Automate, receive: ComeIn, done: list[Event]
) -> None:
    """Even if it comes from somebody who may."""
    await automate("open_gate_by_call", callers=[PHONE], actions=[DONE], pause=0)

    await receive("open")

    assert words(done) == []


# Low balance


async def ask_balance(hass: HomeAssistant, gateway: Simulator, balance: str) -> None:
    """Let the query find a balance."""
    gateway.spans[2].ussd["*100#"] = f"Your balance is {balance} EUR"
    await hass.services.async_call(
        "button", "press", {"entity_id": BUTTON}, blocking=True
    )
    await settle(hass)


@pytest.fixture
async def balance(
    hass: HomeAssistant,
    enable_custom_integrations: None,
    gateway: Simulator,
    entry: MockConfigEntry,
) -> MockConfigEntry:
    """A gateway that asks a SIM for its balance, which is 12,50."""
    entry.add_to_hass(hass)
    hass.config_entries.async_add_subentry(
        entry, query(pattern=r"is ([\d.,]+)", unit="EUR")
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await ask_balance(hass, gateway, "12,50")
    return entry


async def test_a_balance_that_falls(
    hass: HomeAssistant,
    gateway: Simulator,
    balance: MockConfigEntry,
    automate: Automate,
    told: list[ServiceCall],
    done: list[Event],
) -> None:
    """You're notified once, and once more after the SIM was topped up."""
    await automate(
        "low_balance",
        balances=[SENSOR],
        limit=5,
        recipients=[PHONE_APP],
        actions=[DONE],
    )

    for amount in ("5,00", "4,99", "3,20", "20,00", "0,10"):
        await ask_balance(hass, gateway, amount)

    assert messages(told) == [
        "GSM 2 Balance is low: 4.99 EUR",
        "GSM 2 Balance is low: 0.10 EUR",
    ]
    assert words(done) == messages(told)


async def test_a_reload(
    hass: HomeAssistant,
    gateway: Simulator,
    balance: MockConfigEntry,
    automate: Automate,
    done: list[Event],
) -> None:
    """A balance that comes back has not fallen again."""
    await automate("low_balance", balances=[SENSOR], limit=5, actions=[DONE])
    await ask_balance(hass, gateway, "4,00")

    await hass.config_entries.async_reload(balance.entry_id)
    await settle(hass)

    assert words(done) == ["GSM 2 Balance is low: 4.00 EUR"]


# SIM expires soon

EXPIRY = "sensor.gsm_2_balance_valid_until"


@pytest.fixture
async def expiring(
    hass: HomeAssistant,
    enable_custom_integrations: None,
    gateway: Simulator,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """A gateway that asks a SIM how long it's valid; gives what lets it ask."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-11-01 12:00+01:00")
    entry.add_to_hass(hass)
    hass.config_entries.async_add_subentry(
        entry, query(pattern=r"is ([\d.,]+)", date_pattern="until ([0-9.]+)")
    )
    assert await hass.config_entries.async_setup(entry.entry_id)

    async def expiring(date: str) -> None:
        await ask_balance(hass, gateway, f"1 EUR until {date}")

    yield expiring
    await hass.services.async_call(
        AUTOMATION, "turn_off", {"entity_id": AUTOMATED}, blocking=True
    )


@pytest.fixture
def move_to(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> Callable[[str], Awaitable[None]]:
    """Let it become this time of the year 2026 in Berlin."""

    async def move_to(moment: str) -> None:
        freezer.move_to(f"2026-{moment}+01:00")
        async_fire_time_changed(hass)
        await settle(hass)

    return move_to


async def test_a_sim_that_expires(
    hass: HomeAssistant,
    expiring: Any,
    move_to: Any,
    automate: Automate,
    told: list[ServiceCall],
    done: list[Event],
) -> None:
    """It's said once a day from some days before, until the date is a later one."""
    await expiring("10.11.2026")
    await automate(
        "sim_expires", dates=[EXPIRY], days=3, recipients=[PHONE_APP], actions=[DONE]
    )

    await move_to("11-06 09:00:01")
    assert messages(told) == []

    for day in ("07", "08", "09", "10", "11"):
        await move_to(f"11-{day} 00:00:01")
        await move_to(f"11-{day} 09:00:01")
        await move_to(f"11-{day} 23:00:00")
    name = "GSM 2 Balance valid until"
    assert messages(told) == [
        f"{name}: 2026-11-10 (in 3 days)",
        f"{name}: 2026-11-10 (in 2 days)",
        f"{name}: 2026-11-10 (tomorrow)",
        f"{name}: 2026-11-10 (today)",
        f"{name}: 2026-11-10 (expired)",
    ]
    assert words(done) == messages(told)

    await expiring("10.12.2026")
    await move_to("11-12 09:00:01")
    assert len(messages(told)) == 5


async def test_a_restart_before_it_expires(
    hass: HomeAssistant,
    gateway: Simulator,
    expiring: Any,
    move_to: Any,
    automate: Automate,
    told: list[ServiceCall],
) -> None:
    """No warning is repeated, and none that follows is lost."""
    await expiring("10.11.2026")
    await automate("sim_expires", dates=[EXPIRY], days=3, recipients=[PHONE_APP])
    await move_to("11-07 09:00:01")

    await hass.services.async_call(AUTOMATION, "turn_off", {"entity_id": AUTOMATED})
    await hass.services.async_call(AUTOMATION, "turn_on", {"entity_id": AUTOMATED})
    await settle(hass)
    assert len(messages(told)) == 1

    await move_to("11-08 09:00:01")
    assert len(messages(told)) == 2


@pytest.mark.parametrize("state", [STATE_UNKNOWN, "unavailable", "", "soon"])
async def test_an_invalid_date(
    hass: HomeAssistant,
    expiring: Any,
    move_to: Any,
    automate: Automate,
    told: list[ServiceCall],
    state: str,
) -> None:
    """It's no reason for a warning, and keeps no other SIM's from coming."""
    hass.states.async_set("sensor.other", state)
    await expiring("10.11.2026")
    await automate(
        "sim_expires",
        dates=["sensor.other", "sensor.gone", EXPIRY],
        recipients=[PHONE_APP],
    )

    await move_to("11-09 09:00:01")

    assert messages(told) == ["GSM 2 Balance valid until: 2026-11-10 (tomorrow)"]


# Call me when the alarm goes off

ALARM = {
    "triggers": [{"trigger": "event", "event_type": "smoke"}],
    "message": "Smoke in the {{ trigger.event.data.room }}",
    "numbers": [PHONE, OTHER_PHONE],
}


async def smoke(hass: HomeAssistant) -> None:
    """Let there be smoke."""
    hass.bus.async_fire("smoke", {"room": "kitchen"})
    await settle(hass)


def script(gateway: Simulator, *outcomes: CallOutcome) -> None:
    """Say what becomes of the next calls, which all go by one span."""
    for number in range(2, 5):
        gateway.spans[number].status = "Undetected SIM Card"
    gateway.spans[1].call_outcomes.extend(
        (outcome, 0.01) if outcome is CallOutcome.NO_ANSWER else outcome
        for outcome in outcomes
    )


@pytest.mark.parametrize(
    ("outcomes", "called"),
    [
        ([CallOutcome.ANSWERED], [PHONE]),
        ([CallOutcome.BUSY, CallOutcome.ANSWERED], [PHONE, OTHER_PHONE]),
        (
            [CallOutcome.NO_ANSWER, CallOutcome.FAILED, CallOutcome.ANSWERED],
            [PHONE, OTHER_PHONE, PHONE],
        ),
    ],
)
async def test_an_alarm(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    automate: Automate,
    done: list[Event],
    outcomes: list[CallOutcome],
    called: list[str],
) -> None:
    """All get an SMS, then one after another is rung until somebody answers."""
    script(gateway, *outcomes)
    await automate("alarm_chain", **ALARM, ring_time=30, nobody_actions=[DONE])
    assert rung(gateway) == []

    await smoke(hass)

    assert {(number, text) for _, number, text in sent(gateway)} == {
        (PHONE, "Smoke in the kitchen"),
        (OTHER_PHONE, "Smoke in the kitchen"),
    }
    assert len(gateway.sent) == 2
    assert rung(gateway) == called
    assert gateway.originated[0].timeout_ms == 30_000
    assert words(done) == []


async def test_nobody_answers(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    automate: Automate,
    done: list[Event],
) -> None:
    """The list is gone through as often as wanted, then something else is done."""
    script(gateway, *[CallOutcome.BUSY] * 6)
    await automate("alarm_chain", **ALARM, rounds=3, nobody_actions=[DONE])

    await smoke(hass)

    assert rung(gateway) == [PHONE, OTHER_PHONE] * 3
    assert words(done) == ["Smoke in the kitchen"]


async def test_an_invalid_number(
    hass: HomeAssistant,
    gateway: Simulator,
    entry: MockConfigEntry,
    enable_custom_integrations: None,
    automate: Automate,
) -> None:
    """The others are alarmed all the same; contacts are known by their names."""
    entry.add_to_hass(hass)
    add_contact(hass, entry, "Anna", OTHER_PHONE)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await automate("alarm_chain", **ALARM | {"numbers": ["nobody", PHONE, "Anna"]})
    script(gateway, CallOutcome.BUSY, CallOutcome.ANSWERED)

    await smoke(hass)

    assert [number for _, number, _ in sent(gateway)] == [PHONE, OTHER_PHONE]
    assert rung(gateway) == [PHONE, OTHER_PHONE]


async def test_two_alarms_at_once(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    automate: Automate,
) -> None:
    """Neither is lost."""
    await automate("alarm_chain", **ALARM | {"numbers": [PHONE]})

    hass.bus.async_fire("smoke", {"room": "kitchen"})
    hass.bus.async_fire("smoke", {"room": "cellar"})
    await settle(hass)

    assert [text for _, _, text in sent(gateway)] == [
        "Smoke in the kitchen",
        "Smoke in the cellar",
    ]
    assert rung(gateway) == [PHONE, PHONE]


PANEL, LEAK = "alarm_control_panel.home", "binary_sensor.leak"


@pytest.fixture
def calm(hass: HomeAssistant) -> None:
    """No alarm is on."""
    hass.states.async_set(PANEL, "armed_away", {"friendly_name": "Home alarm"})
    hass.states.async_set(LEAK, STATE_OFF, {"friendly_name": "Leak"})


@pytest.mark.parametrize(
    ("entity", "state", "name"),
    [(PANEL, "triggered", "Home alarm"), (LEAK, STATE_ON, "Leak")],
)
async def test_a_panel_or_sensor_raises_the_alarm(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    automate: Automate,
    calm: None,
    entity: str,
    state: str,
    name: str,
) -> None:
    """Its name can stand in the SMS."""
    script(gateway, CallOutcome.BUSY, CallOutcome.ANSWERED)
    await automate(
        "alarm_chain",
        alarms=[PANEL, LEAK],
        numbers=[PHONE, OTHER_PHONE],
        message="{{ alarm }}!",
    )

    hass.states.async_set(PANEL, "pending", {"friendly_name": "Home alarm"})
    await settle(hass)
    assert rung(gateway) == []

    hass.states.async_set(entity, state, {"friendly_name": name})
    await settle(hass)
    # Another attribute is no other alarm.
    hass.states.async_set(entity, state, {"friendly_name": name, "battery": 5})
    await settle(hass)

    assert sorted(text for _, _, text in sent(gateway)) == [f"{name}!"] * 2
    assert rung(gateway) == [PHONE, OTHER_PHONE]


@pytest.mark.parametrize("message", ["", "  "])
async def test_an_alarm_without_a_message(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    automate: Automate,
    calm: None,
    message: str,
) -> None:
    """Phones ring, and no SMS is sent."""
    await automate("alarm_chain", alarms=[LEAK], numbers=[PHONE], message=message)

    hass.states.async_set(LEAK, STATE_ON)
    await settle(hass)

    assert sent(gateway) == []
    assert rung(gateway) == [PHONE]


async def test_an_alarm_by_hand(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    automate: Automate,
) -> None:
    """To try the automation, someone runs its actions without an alarm."""
    await automate(
        "alarm_chain", alarms=[PANEL], numbers=[PHONE], message="Where: {{ alarm }}"
    )

    await hass.services.async_call(
        AUTOMATION, "trigger", {"entity_id": AUTOMATED}, blocking=True
    )
    await settle(hass)

    assert sent(gateway) == [(1, PHONE, "Where: Alarm")]
    assert rung(gateway) == [PHONE]


@pytest.mark.parametrize(
    ("entity", "alarm", "clear"),
    [(PANEL, "triggered", "disarmed"), (LEAK, STATE_ON, STATE_OFF)],
)
async def test_an_alarm_that_is_over(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    automate: Automate,
    calm: None,
    done: list[Event],
    entity: str,
    alarm: str,
    clear: str,
) -> None:
    """No further phone rings, and it's no alarm that nobody answered."""
    script(gateway, *[CallOutcome.NO_ANSWER] * 4)
    await automate(
        "alarm_chain",
        alarms=[entity],
        numbers=[PHONE, OTHER_PHONE],
        message="Help",
        nobody_actions=[DONE],
    )

    hass.states.async_set(entity, alarm)
    await until(lambda: rung(gateway))
    hass.states.async_set(entity, clear)
    await settle(hass)

    assert rung(gateway) == [PHONE]
    assert words(done) == []


@pytest.mark.parametrize("state", ["armed_away", "unavailable", STATE_UNKNOWN])
async def test_an_alarm_that_is_not_over(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    automate: Automate,
    calm: None,
    done: list[Event],
    state: str,
) -> None:
    """The siren's time is up, or the panel is gone: the phones go on ringing."""
    script(gateway, *[CallOutcome.NO_ANSWER] * 4)
    await automate(
        "alarm_chain",
        alarms=[PANEL],
        numbers=[PHONE, OTHER_PHONE],
        message="Help",
        nobody_actions=[DONE],
    )

    hass.states.async_set(PANEL, "triggered")
    await until(lambda: rung(gateway))
    hass.states.async_set(PANEL, state)
    await settle(hass)

    assert rung(gateway) == [PHONE, OTHER_PHONE] * 2
    assert words(done) == ["Help"]


@pytest.mark.parametrize("numbers", [[], [""], ["nobody"]])
async def test_nobody_to_call(
    hass: HomeAssistant,
    gateway: Simulator,
    loaded: MockConfigEntry,
    automate: Automate,
    done: list[Event],
    numbers: list[str],
) -> None:
    """That is like nobody answering."""
    await automate("alarm_chain", **ALARM | {"numbers": numbers}, nobody_actions=[DONE])

    await smoke(hass)

    assert rung(gateway) == []
    assert words(done) == ["Smoke in the kitchen"]


# Gateway or SIM out of order

CONNECTED = "binary_sensor.openvox_connectivity"
STATUS_1, STATUS_2 = "sensor.gsm_1_status", "sensor.gsm_2_status"
WELL, NO_SIM, NO_SIGNAL = "Up", "Undetected SIM Card", "No Signal"


@pytest.fixture
async def watched(
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    automate: Automate,
    told: list[ServiceCall],
) -> list[ServiceCall]:
    """Watch a gateway and two of its SIMs; returns the notifications of a phone."""
    await automate(
        "silent_gateway",
        watched=[CONNECTED, STATUS_1, STATUS_2],
        minutes=5,
        recipients=[PHONE_APP],
        actions=[DONE],
    )
    return told


@pytest.fixture
def pass_minutes(
    hass: HomeAssistant, loaded: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> Callable[[float], Awaitable[None]]:
    """Let minutes pass, and what they set off begin."""

    async def pass_minutes(minutes: float) -> None:
        freezer.tick(timedelta(minutes=minutes))
        async_fire_time_changed(hass)
        # What the gateway is asked must not be under way when more time passes.
        await loaded.runtime_data.coordinator.async_refresh()
        await go_on()

    return pass_minutes


@pytest.fixture
def set_status(
    hass: HomeAssistant, gateway: Simulator, loaded: MockConfigEntry
) -> Callable[..., Awaitable[None]]:
    """Let a SIM have a status, and the gateway be asked for it."""

    async def set_status(status: str, span: int = 1) -> None:
        gateway.spans[span].status = status
        await loaded.runtime_data.coordinator.async_refresh()
        await go_on()

    return set_status


async def test_a_sim_that_is_gone(
    watched: list[ServiceCall], done: list[Event], set_status: Any, pass_minutes: Any
) -> None:
    """You're notified once, after some minutes; for each SIM by itself."""
    await set_status(NO_SIM)
    await pass_minutes(3)
    await set_status(NO_SIGNAL, span=2)
    await pass_minutes(1.9)
    assert messages(watched) == []

    await pass_minutes(0.2)
    assert messages(watched) == ["GSM 1 Status for 5 minutes or more: No SIM"]

    await pass_minutes(3)
    await pass_minutes(60)
    assert messages(watched)[1:] == ["GSM 2 Status for 5 minutes or more: No signal"]
    assert words(done) == messages(watched)


async def test_a_sim_that_is_back_soon(
    watched: list[ServiceCall], set_status: Any, pass_minutes: Any
) -> None:
    """It is not told."""
    await set_status(NO_SIM)
    await pass_minutes(4)
    await set_status(WELL)
    await pass_minutes(60)

    assert messages(watched) == []


async def test_one_problem_follows_another(
    watched: list[ServiceCall], set_status: Any, pass_minutes: Any
) -> None:
    """The minutes do not start again."""
    await set_status(NO_SIM)
    await pass_minutes(3)
    await set_status(NO_SIGNAL)
    await pass_minutes(2.1)

    assert messages(watched) == ["GSM 1 Status for 5 minutes or more: No signal"]


async def test_a_sim_in_a_call(
    hass: HomeAssistant,
    gateway: Simulator,
    watched: list[ServiceCall],
    loaded: MockConfigEntry,
    pass_minutes: Any,
) -> None:
    """It is in use, not out of order."""
    call = await gateway.incoming_call(1, PHONE)
    await call.answer()
    await loaded.runtime_data.coordinator.async_refresh()
    assert hass.states.is_state(STATUS_1, "in_call")

    await pass_minutes(60)

    assert messages(watched) == []


async def test_a_gateway_that_is_gone(
    hass: HomeAssistant,
    gateway: Simulator,
    watched: list[ServiceCall],
    set_status: Any,
    pass_minutes: Any,
) -> None:
    """You're notified about it alone, not each SIM, even one that was in trouble."""
    await set_status(NO_SIM)
    gateway.faults.refuse = True
    gateway.drop_connections(abort=True)
    await until(lambda: hass.states.is_state(CONNECTED, STATE_OFF))
    await go_on()

    await pass_minutes(4.9)
    assert messages(watched) == []

    await pass_minutes(0.2)
    assert messages(watched) == [
        "OpenVox Connectivity for 5 minutes or more: Disconnected"
    ]


# Heal a span

RELOAD_1, RESTART_1 = "button.gsm_1_reload_module", "button.gsm_1_restart_module"


@pytest.fixture
async def healed(
    monkeypatch: pytest.MonkeyPatch,
    all_entities: None,
    gateway: Simulator,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    automate: Automate,
    told: list[ServiceCall],
) -> list[ServiceCall]:
    """Heal two spans; returns the notifications of a phone."""
    gateway.power_speed = 0
    monkeypatch.setattr(
        "custom_components.openvox_gsm.gateway.modules._RELOAD_TIME", 0.0
    )
    await automate(
        "heal_span",
        watched=[STATUS_1, STATUS_2],
        reload_buttons=[RELOAD_1, "button.gsm_2_reload_module"],
        restart_buttons=[RESTART_1, "button.gsm_2_restart_module"],
        recipients=[PHONE_APP],
        actions=[DONE],
    )
    return told


def cures(gateway: Simulator) -> list[str]:
    """Return the commands that start modules again."""
    words = ("gsm reload", "gsm power")
    return [command for command in gateway.commands if command.startswith(words)]


async def pressed(pass_minutes: Any) -> None:
    """Wait until a button is done, which reads what came of it."""
    for _ in range(5):
        await pass_minutes(0)


async def test_a_span_that_is_healed_by_a_reload(
    gateway: Simulator, healed: list[ServiceCall], set_status: Any, pass_minutes: Any
) -> None:
    """After some minutes, and without a notification."""
    await set_status("Down")
    await pass_minutes(4.9)
    assert cures(gateway) == []

    await pass_minutes(0.2)
    await until(lambda: cures(gateway) == ["gsm reload span 1"])
    await pressed(pass_minutes)
    await set_status(WELL)
    await pass_minutes(10)
    assert cures(gateway) == ["gsm reload span 1"]
    assert messages(healed) == []


async def test_a_span_that_needs_more(
    gateway: Simulator,
    healed: list[ServiceCall],
    done: list[Event],
    set_status: Any,
    pass_minutes: Any,
) -> None:
    """Restarts, then a notification. No more restarts within the hour."""
    await set_status("Down")
    await pass_minutes(5.1)
    await until(lambda: len(cures(gateway)) == 1)
    await pressed(pass_minutes)
    await pass_minutes(2.1)
    await until(lambda: len(cures(gateway)) == 2)
    await pressed(pass_minutes)
    assert cures(gateway) == ["gsm reload span 1", "gsm power reset 1"]
    assert messages(healed) == []
    await pass_minutes(3.1)
    warning = "GSM 1 Status: Down. Starting the module again didn't help."
    await until(lambda: messages(healed) == [warning])
    await until(lambda: words(done) == [warning])

    # It works for a moment, but the next failure comes within the hour.
    await set_status(WELL)
    await set_status("Down")
    await pass_minutes(5.1)
    await until(lambda: messages(healed) == [warning, warning])
    assert len(cures(gateway)) == 2

    await set_status(WELL)
    await pass_minutes(61)
    await set_status("Down")
    await pass_minutes(5.1)
    await until(lambda: len(cures(gateway)) == 3)


@pytest.mark.parametrize("status", [NO_SIM, NO_SIGNAL, "Pin (1234) Error"])
async def test_what_a_new_start_does_not_heal(
    gateway: Simulator,
    healed: list[ServiceCall],
    set_status: Any,
    pass_minutes: Any,
    status: str,
) -> None:
    """A SIM that isn't there, or a network."""
    await set_status(status)
    await pass_minutes(60)

    assert cures(gateway) == []


async def test_a_span_that_was_turned_off(
    hass: HomeAssistant,
    gateway: Simulator,
    healed: list[ServiceCall],
    pass_minutes: Any,
) -> None:
    """It stays off."""
    await hass.services.async_call(
        "switch", "turn_off", {"entity_id": "switch.gsm_1_module_power"}, blocking=True
    )
    await pass_minutes(60)

    assert cures(gateway) == ["gsm power off 1"]
