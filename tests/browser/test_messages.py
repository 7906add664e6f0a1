"""The page *Messages* and its card: what a user does there, and what they then see."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import json
import re
from typing import Any

from playwright.async_api import Browser, Locator, Page, WebSocketRoute, expect
import pytest

from demo.home import DASHBOARD, MESSAGES, PASSWORD
from demo.messages import BANK, LENA, TOM, exchange_messages

from .conftest import Demo, TakePicture, log_in

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
STRANGER = "+491713920098"
HOSTILE = '<img src=x onerror="document.title=1"> https://example.com <b>free</b>'


@pytest.fixture(scope="module", autouse=True)
async def messages(demo: Demo) -> None:
    """Let the messages be those with which the demo begins."""
    await demo.home.command("openvox_gsm/messages/delete")
    await exchange_messages(demo.home, demo.control_port)


def gateways_in(heard: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the gateways in what the browser hears, if there are any."""
    result = heard.get("result")
    gateways: list[dict[str, Any]] = []
    if isinstance(result, dict):
        gateways = result.get("gateways", gateways)
    return gateways


@asynccontextmanager
async def guest(
    demo: Demo,
    browser: Browser,
    name: str,
    change: Callable[[dict[str, Any]], None],
) -> AsyncIterator[Page]:
    """Log in as a new user who may only read; `change` gives other rights.

    It changes each thing the browser hears, as Home Assistant has no form for such rights.
    """

    def from_home(socket: WebSocketRoute, text: str | bytes) -> None:
        heard = json.loads(text)
        for each in heard if isinstance(heard, list) else [heard]:
            change(each)
        socket.send(json.dumps(heard))

    async def pass_on(socket: WebSocketRoute) -> None:
        home = socket.connect_to_server()
        home.on_message(lambda text: from_home(socket, text))

    await demo.home.add_user(name, "system-read-only")
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await page.route_web_socket(re.compile("/api/websocket$"), pass_on)
    await log_in(page, demo.home.url, name, PASSWORD)
    yield page
    await context.close()


@pytest.fixture(autouse=True)
async def window(page: Page) -> AsyncIterator[None]:
    """Start in a wide window, and leave one like the other tests have it."""
    before = page.viewport_size
    assert before
    await page.set_viewport_size(WIDE)
    yield
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(before)


async def open_page(demo: Demo, page: Page, part: str = "") -> Locator:
    """Open the page afresh, perhaps a part of it, and wait until it shows messages."""
    await page.goto("about:blank")
    await page.goto(f"{demo.home.url}/{MESSAGES}{part}")
    panel = page.locator("openvox-gsm-messages-panel")
    await panel.locator("openvox-gsm-conversations button").first.wait_for(
        state="attached"
    )
    return panel


async def open_conversation(demo: Demo, page: Page, name: str) -> Locator:
    """Open a conversation by a click; gives it with its heading and its field."""
    panel = await open_page(demo, page)
    await conversation(panel, name).click()
    pane = panel.locator("openvox-gsm-pane")
    await pane.locator(".message").first.wait_for()
    return pane


async def open_card(demo: Demo, page: Page, path: str, **config: Any) -> Locator:
    """Open a new dashboard with nothing but a card of this configuration."""
    await demo.home.add_dashboard(path, path)
    card = {"type": "custom:openvox-gsm-messages", **config}
    views = [{"title": path, "cards": [card]}]
    await demo.home.command(
        "lovelace/config/save", url_path=path, config={"views": views}
    )
    await page.goto(f"{demo.home.url}/{path}/0")
    return page.locator("openvox-gsm-messages")


def conversation(panel: Locator, name: str) -> Locator:
    """Find a conversation in the list."""
    return panel.locator("openvox-gsm-conversations").get_by_role(
        "button", name=re.compile(rf"^(\S )?{re.escape(name)}")
    )


def message(pane: Locator, text: str) -> Locator:
    """Find a message by the beginning of its text."""
    return pane.locator(".message").filter(has_text=text)


async def test_conversations_by_person(
    demo: Demo, page: Page, take_picture: TakePicture
) -> None:
    """The sidebar leads to conversations with both directions and what became of them."""
    await page.goto(f"{demo.home.url}/{DASHBOARD}")
    await page.locator("ha-sidebar").get_by_text("Messages", exact=True).click()
    panel = page.locator("openvox-gsm-messages-panel")
    await expect(conversation(panel, BANK)).to_be_visible()
    await expect(conversation(panel, "Tom")).to_contain_text("Missed call")
    await conversation(panel, "Lena").click()

    pane = panel.locator("openvox-gsm-pane")
    await expect(pane.get_by_role("heading", name="Lena")).to_be_visible()
    question = message(pane, "Is the washing machine done?")
    await expect(question).to_contain_text("GSM 2")
    answer = message(pane, "The heating is on")
    await expect(answer).to_contain_text("2 SMS")
    await expect(answer).to_contain_text("Delivered")
    await take_picture("messages")
    await page.emulate_media(color_scheme="dark")
    await take_picture("messages_dark")


async def test_on_a_phone(demo: Demo, page: Page, take_picture: TakePicture) -> None:
    """List and conversation take turns; Back leads to the list; nothing is cut off."""
    await page.set_viewport_size(PHONE)
    panel = await open_page(demo, page)
    pane = panel.locator("openvox-gsm-pane")
    await expect(pane).to_be_hidden()
    await conversation(panel, "Lena").click()
    await expect(message(pane, "The heating is on")).to_be_visible()
    await expect(conversation(panel, "Lena")).to_be_hidden()
    await take_picture("messages_phone")
    field = pane.get_by_role("textbox", name="Message")
    await field.fill("https://example.com/" + 80 * "a")
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    await field.fill("")

    await pane.get_by_role("button", name="Back").click()
    await expect(conversation(panel, "Lena")).to_be_focused()
    await conversation(panel, "Tom").click()
    await page.go_back()
    await expect(conversation(panel, "Tom")).to_be_visible()


async def test_the_card(demo: Demo, page: Page, take_picture: TakePicture) -> None:
    """It is found in the picker, set up in its editor, and sends an answer."""
    await demo.home.add_dashboard("my-home", "My home")
    await page.goto(f"{demo.home.url}/my-home/0?edit=1")
    await page.locator("hui-grid-section .add").first.click()
    picker = page.locator("hui-dialog-create-card")
    await picker.get_by_text("By card", exact=True).click()
    await picker.get_by_placeholder("Search cards").fill("GSM messages")
    choice = picker.locator(".card").filter(has_text="GSM messages")
    await choice.locator(".overlay").click()

    editor = page.locator("hui-dialog-edit-card")
    await editor.locator("ha-selector-select ha-picker-field").click()
    await editor.locator("ha-picker-combo-box").get_by_text("Lena").click()
    await editor.get_by_text("Field to send an SMS").first.click()
    await expect(editor.get_by_role("textbox", name="Message")).to_be_visible()
    await take_picture("messages_card")
    await editor.get_by_role("button", name="Save").click()
    await expect(editor).to_be_hidden()
    await page.goto(f"{demo.home.url}/my-home/0")
    card = page.locator("openvox-gsm-messages")
    await expect(card.get_by_text("Great, thanks!")).to_be_visible()
    await expect(card.get_by_text(TOM)).to_have_count(0)
    field = card.get_by_role("textbox", name="Message")
    await field.fill("From the card")
    await field.press("Enter")

    await expect(card.locator("li").first).to_contain_text("From the card")
    assert (await demo.sent("From the card"))["number"] == LENA
    await card.get_by_text("From the card").click()
    await expect(page.get_by_role("heading", name="Lena")).to_be_visible()


async def test_failed_ones_and_calls(demo: Demo, page: Page) -> None:
    """What wasn't sent says why; a missed call stands among the messages."""
    pane = await open_conversation(demo, page, "Tom")

    failed = message(pane, "The garage door is open.")
    await expect(failed).to_contain_text("Not sent")
    await expect(failed.locator(".reason")).to_contain_text("span 1")
    await expect(message(pane, "Missed call")).to_be_visible()


async def test_an_sms_comes_in_and_is_answered(demo: Demo, page: Page) -> None:
    """It shows at once; the answer goes out once, by the span that was asked."""
    panel = await open_page(demo, page)
    await demo.sms_comes_in(6, "+491713920051", "Are you at home?")
    await conversation(panel, "+491713920051").click()
    pane = panel.locator("openvox-gsm-pane")
    field = pane.get_by_role("textbox", name="Message")
    await field.fill("Yes, come in")
    await expect(pane).to_contain_text("Characters: 12 · SMS: 1")
    await field.fill("Yes, come in ☺")
    await expect(pane).to_contain_text("Unicode · characters: 14")
    await field.press("Enter")

    await expect(field).to_have_value("")
    await expect(message(pane, "come in")).to_contain_text("Sending…")
    await expect(pane.get_by_role("button", name="Send")).to_be_disabled()
    await expect(message(pane, "come in")).to_contain_text("Delivered")
    await expect(message(pane, "come in")).to_have_count(1)
    sent = await demo.sent("Yes, come in ☺")
    assert (sent["number"], sent["span"]) == ("+491713920051", 6)


async def test_a_text_that_is_not_sent_stays_in_the_field(
    demo: Demo, page: Page
) -> None:
    """With the reason, so that it can be sent again; the card has the reason as well."""
    await demo.next_sms(2, "failed")
    pane = await open_conversation(demo, page, "Lena")
    through = pane.get_by_label("Send through")
    # Whether it's ready or not.
    second = through.locator("option", has_text="GSM 2")
    await through.select_option(await second.get_attribute("value"))
    field = pane.get_by_role("textbox", name="Message")
    await field.fill("Not this time")
    await pane.get_by_role("button", name="Send").click()

    await expect(pane.get_by_role("alert")).to_contain_text("span 2")
    await expect(field).to_have_value("Not this time")
    await expect(message(pane, "Not this time")).to_contain_text("Not sent")
    await field.fill("")

    await page.goto(f"{demo.home.url}/{DASHBOARD}")
    card = page.locator("openvox-gsm-messages").first
    failed = card.locator("li").filter(has_text="Not this time")
    await expect(failed).to_contain_text("Not sent")
    await expect(failed.locator(".reason")).to_contain_text("span 2")


async def test_a_new_message_by_keyboard(demo: Demo, page: Page) -> None:
    """To a contact that is found by its name, and to any number."""
    panel = await open_page(demo, page)
    await panel.get_by_role("button", name="New message").first.focus()
    await page.keyboard.press("Enter")
    to = panel.get_by_role("combobox", name="To")
    await expect(to).to_be_focused()
    await page.keyboard.type("le")
    await expect(panel.get_by_role("option", name="Lena")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(panel.get_by_role("heading", name="Lena")).to_be_visible()

    await panel.get_by_role("button", name="New message").first.focus()
    await page.keyboard.press("Enter")
    await expect(to).to_be_focused()
    await page.keyboard.type("0171 392 0052")
    await page.keyboard.press("Enter")
    await page.keyboard.type("Hello,")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("who is there?")
    await page.keyboard.press("Enter")
    heading = panel.get_by_role("heading", name="+491713920052")
    await expect(heading).to_be_visible()
    await expect(message(panel, "who is there?")).to_contain_text("Delivered")


async def test_several_numbers(demo: Demo, page: Page) -> None:
    """It's said to which of them it wasn't sent; the other one's conversation opens."""
    panel = await open_page(demo, page, "#new")
    to = panel.get_by_role("combobox", name="To", exact=True)
    await to.fill("+491713920061, +491713920062")
    await panel.get_by_label("Send through").select_option("GSM 2")
    await demo.next_sms(2, "failed")
    field = panel.get_by_role("textbox", name="Message")
    await field.fill("To both")
    await field.press("Enter")

    await expect(panel.get_by_role("heading", name="+49171392006")).to_be_visible()
    await expect(message(panel, "To both")).not_to_contain_text("Not sent")
    await expect(
        page.get_by_text(re.compile(r"^.\+49171392006\d.: .*span 2"))
    ).to_be_visible()


async def test_several_numbers_that_all_fail(demo: Demo, page: Page) -> None:
    """Each has a line with its reason, and the text stays."""
    panel = await open_page(demo, page, "#new")
    to = panel.get_by_role("combobox", name="To", exact=True)
    await to.fill("+491713920063, +491713920064")
    await panel.get_by_label("Send through").select_option("GSM 2")
    for _ in range(2):
        await demo.next_sms(2, "failed")
    field = panel.get_by_role("textbox", name="Message")
    await field.fill("To nobody")
    await field.press("Enter")

    alert = panel.get_by_role("alert")
    await expect(alert).to_contain_text("+491713920064")
    assert len((await alert.inner_text()).splitlines()) == 2
    await expect(field).to_have_value("To nobody")
    await field.fill("")


async def test_an_invalid_number(demo: Demo, page: Page) -> None:
    """The action's own words say so in the user's language, and the text stays."""
    await demo.home.set_language("de")
    panel = await open_page(demo, page, "#new")
    await panel.get_by_role("combobox", name="An", exact=True).fill("12ab")
    field = panel.get_by_role("textbox", name="Nachricht")
    await field.fill("Hello")
    await field.press("Enter")

    await expect(panel.get_by_role("alert")).to_contain_text("12ab“ ist weder")
    await expect(field).to_have_value("Hello")
    await demo.home.set_language("en-GB")


async def test_senders_that_cannot_be_answered(demo: Demo, page: Page) -> None:
    """A name has no number; there is no field, but a reason."""
    pane = await open_conversation(demo, page, BANK)

    await expect(pane).to_contain_text("You can't reply to a name")
    await expect(pane.get_by_role("textbox")).to_have_count(0)


async def test_search_and_filter(demo: Demo, page: Page) -> None:
    """Both narrow down the list and the conversation; one button ends both."""
    panel = await open_page(demo, page)
    search = panel.get_by_role("searchbox", name="Search messages")
    await search.fill("MACHINE")
    await expect(conversation(panel, BANK)).to_have_count(0)
    await conversation(panel, "Lena").click()
    pane = panel.locator("openvox-gsm-pane")
    await expect(pane.locator("mark")).to_have_text("machine")
    await expect(message(pane, "Great, thanks!")).to_have_count(0)
    await pane.get_by_role("button", name="Show all").click()
    await expect(message(pane, "Great, thanks!")).to_be_visible()
    await expect(search).to_have_value("")

    filter_ = panel.get_by_role("combobox", name="Gateway and span")
    await filter_.select_option("GSM 5")
    await expect(conversation(panel, BANK)).to_be_visible()
    await expect(conversation(panel, "Lena")).to_have_count(0)
    await search.fill("nowhere")
    await expect(panel).to_contain_text("No messages found")


async def test_hostile_text(demo: Demo, page: Page) -> None:
    """It is text: nothing of it is an element or a link, neither here nor in the list."""
    await demo.sms_comes_in(6, STRANGER, HOSTILE)
    panel = await open_page(demo, page)
    await expect(conversation(panel, STRANGER)).to_contain_text("<img src=x")
    await conversation(panel, STRANGER).click()

    bubble = panel.locator(".message .bubble").last
    await expect(bubble).to_have_text(HOSTILE)
    await expect(panel.locator("img, a")).to_have_count(0)
    assert await page.title() != "1"


async def test_many_messages(demo: Demo, page: Page) -> None:
    """Older ones come as one scrolls up; only those near the screen have elements."""
    number = "+491713920053"
    for each in range(260):
        await demo.sms_comes_in(7, number, f"Message {each}")
    pane = await open_conversation(demo, page, number)
    shown = pane.locator(".message")
    await expect(message(pane, "Message 259")).to_be_visible()
    await pane.locator(".scroll").hover()
    for _ in range(400):
        await page.mouse.wheel(0, -800)
        if await pane.get_by_text("Message 0", exact=True).is_visible():
            break

    await expect(pane.get_by_text("Message 0", exact=True)).to_be_visible()
    assert await shown.count() < 260
    first = pane.get_by_text("Message 3", exact=True)
    before = await first.bounding_box()
    await demo.sms_comes_in(7, number, "One more")
    newer = pane.get_by_role("button", name="New messages")
    await expect(newer).to_be_visible()
    after = await first.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 2
    await newer.click()
    await expect(message(pane, "One more")).to_be_in_viewport()
    await expect(newer).to_be_hidden()


async def test_a_lost_connection(demo: Demo, page: Page) -> None:
    """What came in meanwhile is there when the connection is back."""
    pane = await open_conversation(demo, page, "Lena")
    await page.evaluate(
        """() => {
            const { connection } = document.querySelector("home-assistant").hass;
            const wait = new Promise((go) => (window.connectAgain = go));
            connection.suspendReconnectUntil(wait);
            connection.suspend();
        }"""
    )
    await demo.sms_comes_in(2, LENA, "Can you hear me?")
    await page.wait_for_timeout(1000)
    await expect(message(pane, "Can you hear me?")).to_have_count(0)
    await page.evaluate("window.connectAgain()")

    await expect(message(pane, "Can you hear me?")).to_be_visible()
    await demo.sms_comes_in(2, LENA, "And now?")
    await expect(message(pane, "And now?")).to_be_visible()


async def test_right_to_left(demo: Demo, page: Page) -> None:
    """What comes in is at the right then; numbers and texts keep their direction."""
    await demo.sms_comes_in(6, "+972501234567", "שלום, 123 ABC?")
    await demo.home.set_language("he")
    panel = await open_page(demo, page)
    await conversation(panel, "Lena").click()
    pane = panel.locator("openvox-gsm-pane")
    incoming = await message(pane, "Great, thanks!").bounding_box()
    outgoing = await message(pane, "The heating is on").bounding_box()
    place = await pane.bounding_box()
    assert incoming
    assert outgoing
    assert place
    assert incoming["x"] + incoming["width"] > place["x"] + place["width"] - 32
    assert outgoing["x"] < place["x"] + 32

    await conversation(panel, "+972501234567").click()
    number = pane.get_by_role("heading").locator("bdi")
    assert await number.evaluate("e => getComputedStyle(e).direction") == "ltr"
    await demo.home.set_language("en-GB")
    await open_page(demo, page, "#number=%2B972501234567")
    bubble = message(pane, "שלום").locator(".bubble")
    await expect(bubble).to_have_css("direction", "rtl")


async def test_by_keyboard_and_screen_reader(demo: Demo, page: Page) -> None:
    """Arrows go through the list, Tab goes on; everything has a name and a role."""
    panel = await open_page(demo, page)
    list_ = panel.get_by_role("list", name="Conversations")
    await panel.get_by_role("combobox", name="Gateway and span").focus()
    await page.keyboard.press("Tab")
    await expect(list_.get_by_role("button").nth(0)).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(list_.get_by_role("button").nth(1)).to_be_focused()
    await page.keyboard.press("End")
    await expect(list_.get_by_role("button").last).to_be_focused()
    await page.keyboard.press("Home")
    await page.keyboard.press("Enter")
    await expect(panel.get_by_role("textbox", name="Message")).to_be_focused()

    await conversation(panel, "Lena").click()
    pane = panel.locator("openvox-gsm-pane")
    await expect(pane.get_by_role("region", name="Messages")).to_be_visible()
    await expect(pane).to_match_aria_snapshot(
        """
        - heading "Lena" [level=2]
        - button "Delete conversation"
        - region "Messages":
          - list:
            - listitem: Today
            - listitem:
              - text: "Lena: I'm at the supermarket. Is the washing machine done?"
              - time: /\\d+:\\d+/
              - text: ·GSM 2
        - textbox "Message"
        - button "Send" [disabled]
        - combobox "Send through"
        """
    )
    await demo.sms_comes_in(2, LENA, "Are you there?")
    await expect(pane.locator("[aria-live=polite]")).to_have_text(
        "Lena: Are you there?"
    )


async def test_a_user_who_may_only_read(demo: Demo, browser: Browser) -> None:
    """Sees no page at first; then the messages, but no way to send or delete."""
    await demo.home.add_user("reader", "system-read-only")
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await log_in(page, demo.home.url, "reader", PASSWORD)
    sidebar = page.locator("ha-sidebar")
    await expect(sidebar.get_by_text("Activity", exact=True)).to_be_visible()
    await expect(sidebar.get_by_text("Messages", exact=True)).to_have_count(0)

    await demo.home.set_options(messages_for_all=True)
    await sidebar.get_by_text("Messages", exact=True).click()
    panel = page.locator("openvox-gsm-messages-panel")
    await conversation(panel, "Lena").click()
    await expect(message(panel, "Great, thanks!")).to_be_visible()
    await expect(panel).to_contain_text("you aren't allowed to send any")
    for name in ("Send", "New message", "Delete conversation", "Delete all messages"):
        await expect(panel.get_by_role("button", name=name)).to_have_count(0)
    await context.close()


async def test_a_user_who_may_control_one_span(demo: Demo, browser: Browser) -> None:
    """Is offered that span only, and it is chosen."""

    def control_span_2(heard: dict[str, Any]) -> None:
        for gateway in gateways_in(heard):
            for span in gateway["spans"]:
                span["can_send"] = span["span"] == 2

    await demo.home.set_options(messages_for_all=True)
    async with guest(demo, browser, "one-span", control_span_2) as page:
        panel = await open_page(demo, page)
        await conversation(panel, "Tom").click()
        through = panel.get_by_role("combobox", name="Send through")
        await expect(through.locator("option")).to_have_text(["GSM 2"])
        await expect(through).to_have_value(re.compile(r",2\]$"))
        await expect(panel.get_by_role("button", name="New message")).to_be_visible()


async def test_a_span_that_is_not_ready(demo: Demo, browser: Browser) -> None:
    """Isn't chosen at first, even if the conversation goes through it."""
    may_use_all = True
    not_ready = {1, 2}

    def change(heard: dict[str, Any]) -> None:
        for gateway in gateways_in(heard):
            gateway["can_send"] = may_use_all
            for span in gateway["spans"]:
                span["can_send"] = True
                span["ready"] = span["span"] not in not_ready

    async def first_choice(page: Page) -> Locator:
        panel = await open_page(demo, page)
        await conversation(panel, "Lena").click()
        through = panel.get_by_role("combobox", name="Send through")
        await expect(through.locator("option", has_text="GSM 2")).to_be_attached()
        return through.locator("option:checked")

    await demo.home.set_options(messages_for_all=True)
    async with guest(demo, browser, "unready", change) as page:
        await expect(await first_choice(page)).to_have_text("Any span")
        may_use_all = False
        await expect(await first_choice(page)).to_have_text("GSM 3")
        not_ready.clear()
        await expect(await first_choice(page)).to_have_text("GSM 2")


async def test_a_user_who_may_send_but_not_read(demo: Demo, browser: Browser) -> None:
    """Hears why, and can still send: on the card, and a new message on the page."""

    def change(heard: dict[str, Any]) -> None:
        for gateway in gateways_in(heard):
            gateway.update(can_send=True, can_read=False)
        result = heard.get("result")
        if isinstance(result, dict) and result.keys() & {"messages", "conversations"}:
            del heard["result"]
            error = {"code": "not_all_entities", "message": "No"}
            heard.update(success=False, error=error)

    await demo.home.set_options(messages_for_all=True)
    async with guest(demo, browser, "sender", change) as page:
        card = await open_card(demo, page, "for-sender", reply=True)
        await expect(card).to_contain_text(
            "allowed to view all entities of the gateway"
        )
        await expect(card.get_by_role("textbox", name="Message")).to_be_visible()
        await page.goto(f"{demo.home.url}/{MESSAGES}")
        panel = page.locator("openvox-gsm-messages-panel")
        await expect(panel).to_contain_text(
            "allowed to view all entities of the gateway"
        )
        await expect(
            panel.get_by_role("button", name="New message").first
        ).to_be_visible()


async def test_the_card_for_any_number(demo: Demo, page: Page) -> None:
    """Its field for the number keeps the same distance from both edges."""
    card = await open_card(demo, page, "any-number", reply=True)
    recipient = card.locator("openvox-gsm-recipient .field")
    await recipient.wait_for()
    inner = await recipient.bounding_box()
    outer = await card.locator("ha-card").bounding_box()
    assert inner
    assert outer
    start = inner["x"] - outer["x"]
    end = outer["width"] - inner["width"] - start
    assert end == pytest.approx(start, abs=0.5)


async def test_a_card_for_a_gateway_that_is_gone(demo: Demo, page: Page) -> None:
    """It says so, and what to do."""
    card = await open_card(demo, page, "of-gone", config_entry_id="gone")
    await expect(card).to_contain_text("This gateway was deleted or is disabled. Edit")


async def test_the_card_while_no_messages_are_kept(demo: Demo, page: Page) -> None:
    """It says so, also after the browser has loaded everything again."""
    await demo.home.set_options(messages_kept=0)
    try:
        await page.goto("about:blank")
        await page.goto(f"{demo.home.url}/{DASHBOARD}")
        card = page.locator("openvox-gsm-messages").first
        await expect(card).to_contain_text("Messages aren't kept.")
        await expect(card).to_contain_text('the option "Messages to keep"')
        await demo.home.set_options(messages_kept=500)
        await expect(card).to_contain_text("No messages yet")
    finally:
        await demo.home.set_options(messages_kept=500)
        await exchange_messages(demo.home, demo.control_port)


async def test_delete(demo: Demo, page: Page) -> None:
    """A conversation, then everything, each after a question; then it says what to do."""
    panel = await open_page(demo, page)
    await conversation(panel, "Tom").click()
    await panel.get_by_role("button", name="Delete conversation").click()
    dialog = page.locator("dialog-box")
    await expect(dialog).to_contain_text("All messages and calls with")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(conversation(panel, "Tom")).to_be_visible()
    await panel.get_by_role("button", name="Delete conversation").click()
    await dialog.get_by_role("button", name="Delete").click()
    await expect(conversation(panel, "Tom")).to_have_count(0)
    await expect(panel).to_contain_text("Choose a conversation")

    await panel.get_by_role("button", name="Delete all messages").click()
    await dialog.get_by_role("button", name="Delete").click()
    await expect(panel).to_contain_text("No messages yet")
    await expect(panel.get_by_role("button", name="Delete all messages")).to_have_count(
        0
    )
