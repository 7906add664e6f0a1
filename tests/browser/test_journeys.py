"""What a user does in the pages, and what they then see."""

import re

from playwright.async_api import Locator, Page, expect

from demo.home import DASHBOARD

from .conftest import Demo, TakePicture

INTEGRATION = "config/integrations/integration/openvox_gsm"


def field(form: Locator, label: str) -> Locator:
    """Find a field by its label, which has a star where the field is required."""
    name = form.page.get_by_text(re.compile(rf"^{re.escape(label)} ?\*?$"))
    return form.locator("ha-selector").filter(has=name)


async def fill(form: Locator, values: dict[str, str]) -> None:
    """Fill the fields that have these labels."""
    for label, value in values.items():
        await field(form, label).locator("input").fill(value)


def device_row(page: Page, name: str) -> Locator:
    """Find an entity on a device's page by its name."""
    rows = page.locator("ha-config-device-page hui-generic-entity-row")
    return rows.filter(has=page.get_by_text(name, exact=True))


async def pick(page: Page, button: str, search: str, description: str) -> None:
    """Add a trigger or an action in the editor of automations."""
    await page.locator("ha-automation-editor").get_by_text(button, exact=True).click()
    dialog = page.locator("add-automation-element-dialog")
    await dialog.locator("input:visible").first.fill(search)
    await dialog.get_by_text(description).click()


async def test_dashboard(demo: Demo, page: Page, take_picture: TakePicture) -> None:
    """The dashboard shows every span, and a message as soon as it comes in."""
    await page.goto(f"{demo.home.url}/{DASHBOARD}")
    tiles = page.locator("hui-tile-card")
    for number in range(1, 9):
        name = page.get_by_text(f"GSM {number}", exact=True)
        await expect(tiles.filter(has=name)).to_be_visible()
    await expect(tiles.get_by_text("No SIM", exact=True)).to_be_visible()

    message = page.locator("openvox-gsm-messages").get_by_text("Hello house")
    await expect(message).to_have_count(0)
    await demo.sms_comes_in(2, "+491713920099", "Hello house")

    await expect(message).to_be_visible()
    await page.locator("hui-button-card").get_by_text("Query now").click()
    await expect(tiles.get_by_text("12.50 EUR")).to_be_visible()
    await expect(page.locator("hui-error-card, hui-warning")).to_have_count(0)
    await take_picture("dashboard")


async def test_device_page_of_a_span(
    demo: Demo, page: Page, take_picture: TakePicture
) -> None:
    """From the integration's page, a click leads to a span and all it tells."""
    await page.goto(f"{demo.home.url}/{INTEGRATION}")
    await page.get_by_text("GSM 1", exact=True).click()

    for name, state in (
        ("Signal strength", "-65 dBm"),
        ("Network status", "Registered, home network"),
        ("Operator", "Telekom.de"),
    ):
        await expect(device_row(page, name)).to_contain_text(state)
    await take_picture("span")


async def test_send_an_sms(demo: Demo, page: Page, take_picture: TakePicture) -> None:
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
    await take_picture("send_sms")
    await page.get_by_text("Perform action", exact=True).click()

    sent = await demo.sent(text)
    assert sent["number"] == "+491713920001"


async def test_add_a_gateway_and_delete_it(
    demo: Demo, page: Page, other_gateway: str, take_picture: TakePicture
) -> None:
    """The form says what is wrong, then adds the gateway and its spans as devices."""
    await page.goto(f"{demo.home.url}/config/integrations/dashboard")
    await page.get_by_text("Add integration", exact=True).click()
    await page.locator("dialog-add-integration input").first.fill("OpenVox")
    name = "OpenVox GSM Gateway"
    await page.locator("ha-integration-list-item").get_by_text(name).click()

    form = page.locator("step-flow-form")
    await fill(form, {"Host": other_gateway, "Password": "mistyped"})
    await take_picture("add_integration")
    submit = page.get_by_role("button", name="Submit")
    await submit.click()
    await expect(form).to_contain_text("refused the username or password")
    await fill(form, {"Password": "admin"})
    await submit.click()

    await page.get_by_role("button", name="Skip and finish").click()
    await page.goto(f"{demo.home.url}/{INTEGRATION}")
    name = f"OpenVox {other_gateway}"
    title = page.get_by_text(name, exact=True)
    entry = page.locator("ha-config-entry-row").filter(has=title)
    for device in ("GSM 1", "GSM 2"):
        await expect(entry.get_by_text(device, exact=True)).to_be_visible()
    await expect(entry.get_by_text("GSM 3", exact=True)).to_have_count(0)

    await entry.get_by_role("button", name="Menu").first.click()
    await entry.get_by_text("Delete", exact=True).first.click()
    await page.locator("dialog-box").get_by_text("Delete", exact=True).click()
    await expect(entry).to_have_count(0)


async def test_options(demo: Demo, page: Page, take_picture: TakePicture) -> None:
    """The options say what is wrong in a field; what is right is kept."""
    await page.goto(f"{demo.home.url}/{INTEGRATION}")
    configure = page.get_by_role("button", name="Configure", exact=True)
    submit = page.get_by_role("button", name="Submit")
    form = page.locator("step-flow-form")
    await configure.click()
    # Home Assistant's own country is there already.
    await expect(form).to_contain_text("Germany")
    # The only text of the form is an allowed destination.
    allowed = form.locator("ha-selector-text input:visible").first
    await form.get_by_text("Add Allowed destination").click()
    await allowed.fill("Anna")
    await submit.click()
    await expect(form).to_contain_text("Enter a phone number or the first digits")
    await allowed.fill("0049")
    await submit.click()
    await page.get_by_role("button", name="Finish").click()

    await configure.click()
    await expect(allowed).to_have_value("+49")
    await take_picture("options")


async def test_contact(demo: Demo, page: Page, take_picture: TakePicture) -> None:
    """A contact is added by its button, and SMS can be sent to it at once."""
    await page.goto(f"{demo.home.url}/{INTEGRATION}")
    await page.get_by_role("button", name="Add contact").first.click()
    form = page.locator("step-flow-form")
    await fill(form, {"Name": "Anna", "Phone number": "+49 171 3920002"})
    await take_picture("contact")
    await page.get_by_role("button", name="Submit").click()
    await page.get_by_role("button", name="Finish").click()
    row = page.locator("ha-config-sub-entry-row").filter(has_text="Anna")
    await expect(row).to_contain_text("Contact")

    header = page.locator("ha-config-integration-page a")
    await header.filter(has_text="entities").first.click()
    table = page.locator("ha-data-table")
    await page.get_by_placeholder(re.compile(r"^Search .* entities$")).fill("Anna")
    await expect(table.get_by_text("Anna", exact=True)).to_be_visible()
    await demo.home.action(
        "notify.send_message", entity_id="notify.anna", message="Come home!"
    )
    assert (await demo.sent("Come home!"))["number"] == "+491713920002"


async def test_ussd_query(demo: Demo, page: Page) -> None:
    """A USSD query is added by its button; its own button asks, its sensor tells."""
    await page.goto(f"{demo.home.url}/{INTEGRATION}")
    await page.get_by_role("button", name="Add USSD query").first.click()
    form = page.locator("step-flow-form")
    await fill(form, {"Name": "Credit", "Code": "*101#"})
    await form.locator("ha-picker-field").click()
    await form.locator("ha-dropdown-item").filter(has_text="GSM 5").click()
    await fill(form, {"Regular expression": "balance is ([0-9.,]+)", "Unit": "EUR"})
    await demo.network_answers(5, "*101#", "Your balance is 9,80 EUR.")
    await page.get_by_role("button", name="Submit").click()
    await page.get_by_role("button", name="Finish").click()
    row = page.locator("ha-config-sub-entry-row").filter(has_text="Credit")
    await expect(row).to_contain_text("USSD query")

    await page.get_by_text("GSM 5", exact=True).click()
    await expect(device_row(page, "Credit")).to_contain_text("Unknown")
    await device_row(page, "Query Credit now").get_by_text("Press").click()
    # By itself it asks half a minute after it was added.
    await expect(device_row(page, "Credit")).to_contain_text("9.80 EUR", timeout=15_000)


async def test_automation_with_the_trigger(
    demo: Demo, page: Page, take_picture: TakePicture
) -> None:
    """An automation is clicked together, and runs for the SMS that it names alone."""
    await page.goto(f"{demo.home.url}/config/automation/edit/new")
    await pick(page, "Add trigger", "SMS received", "Triggers when an SMS comes in")
    sidebar = page.locator("ha-automation-sidebar")
    await sidebar.get_by_text("Add target", exact=True).click()
    targets = sidebar.locator("ha-picker-combo-box")
    await targets.locator("input").fill("GSM 2")
    # Its entities tell its name as well, below their own.
    await targets.locator('[slot="headline"]').get_by_text("GSM 2").click()
    name = page.get_by_text("Text", exact=True)
    text = sidebar.locator("ha-settings-row").filter(has=name)
    await text.locator("ha-checkbox").click()
    await text.locator("ha-selector input").fill("garage")
    await sidebar.get_by_text("Triggers when").scroll_into_view_if_needed()
    await take_picture("trigger")

    await pick(page, "Add action", "Send an SMS", "Sends a text message to")
    message = "You asked: {{ trigger.message }}"
    await sidebar.locator("textarea").first.fill(message)
    await sidebar.get_by_text("Add", exact=True).first.click()
    numbers = sidebar.locator("ha-selector-text input:visible")
    await numbers.first.fill("+491713920003")
    editor = page.locator("ha-automation-editor")
    await editor.get_by_role("button", name="Save").click()
    dialog = page.locator("ha-dialog-automation-save, dialog-automation-save")
    await dialog.locator("input").first.fill("Garage by SMS")
    await dialog.get_by_role("button", name="Save").click()
    await editor.get_by_text("Traces", exact=True).wait_for()

    for wrong_span, wrong_text in ((1, "garage"), (2, "garden")):
        await demo.sms_comes_in(wrong_span, "+491713920099", wrong_text)
    await demo.sms_comes_in(2, "+491713920099", "Garage")
    assert (await demo.sent("You asked: Garage"))["number"] == "+491713920003"
    await editor.get_by_text("Traces", exact=True).click()
    trace = page.locator("ha-automation-trace")
    await expect(trace.get_by_text("SMS received", exact=True)).to_be_visible()
