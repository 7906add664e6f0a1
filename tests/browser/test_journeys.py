"""What a user does in the pages, and what they then see."""

from playwright.async_api import Page, expect

from demo.home import DASHBOARD

from .conftest import Demo, take_picture


async def test_dashboard(demo: Demo, page: Page) -> None:
    """The dashboard shows every span, and a message as soon as it comes in."""
    await page.goto(f"{demo.home.url}/{DASHBOARD}")
    tiles = page.locator("hui-tile-card")
    for number in range(1, 9):
        name = page.get_by_text(f"GSM {number}", exact=True)
        await expect(tiles.filter(has=name)).to_be_visible()
    await expect(tiles.get_by_text("No SIM", exact=True)).to_be_visible()

    message = page.locator("hui-markdown-card").get_by_text("Hello house")
    await expect(message).to_have_count(0)
    await demo.sms_comes_in(2, "+491713920099", "Hello house")

    await expect(message).to_be_visible()
    await expect(page.locator("hui-error-card, hui-warning")).to_have_count(0)
    await take_picture(page, "dashboard")


async def test_device_page_of_a_span(demo: Demo, page: Page) -> None:
    """From the integration's page, a click leads to a span and all it tells."""
    await page.goto(f"{demo.home.url}/config/integrations/integration/openvox_gsm")
    await page.get_by_text("GSM 1", exact=True).click()

    device = page.locator("ha-config-device-page")
    rows = device.locator("hui-generic-entity-row")
    for name, state in (
        ("Signal quality", "77%"),
        ("Network registration", "Registered"),
        ("Operator", "Telekom.de"),
    ):
        row = rows.filter(has=page.get_by_text(name, exact=True))
        await expect(row).to_contain_text(state)
    await take_picture(page, "span")


async def test_send_an_sms(demo: Demo, page: Page) -> None:
    """The form of the action in the developer tools sends an SMS."""
    text = "The washing machine is done."
    await page.goto(f"{demo.home.url}/config/tools/action")
    picker = page.locator("ha-service-picker")
    await picker.click()
    # A letter typed before the field has the focus is a shortcut of the page.
    await picker.locator("input:visible").fill("Send an SMS")
    await page.get_by_text("notify.send_sms", exact=True).click()

    form = page.locator("ha-service-control")
    await form.locator("textarea").first.fill(text)
    await form.get_by_text("Add", exact=True).first.click()
    await form.locator("ha-selector-text input:visible").first.fill("+49 171 3920001")
    await take_picture(page, "send_sms")
    await page.get_by_text("Perform action", exact=True).click()

    sent = await demo.sent(text)
    assert sent["number"] == "+491713920001"
