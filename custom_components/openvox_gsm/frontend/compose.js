/** The field that sends a message: text, count of SMS, the span to send through. */

import { countText, sendSms } from "./backend.js";
import { debounce, define, fire, h, icon, iconButton, setAttribute, ShadowElement, sheet } from "./dom.js";
import { Recipient } from "./recipient.js";
import { base, fields } from "./styles.js";

const COUNT_AFTER_MS = 150;
/** Only digits make a number that can be answered; names such as MyBank can't. */
const NUMBER = /^[+*#\d]+$/;
/** The value of *Any span*: neither a gateway nor a span of it. */
const ANY_SPAN = "[]";

const styles = sheet(`
  form { display: flex; flex-direction: column; gap: 8px; }
  .row { display: flex; align-items: flex-end; gap: 4px; }
  /* It ends where the sign in the button below it does. */
  openvox-gsm-recipient { margin-inline-end: 8px; }
  /* A long word, such as a link, breaks instead of widening the page. */
  .field.text { flex: 1; min-width: 0; align-items: flex-start; border-radius: 20px; padding-inline: 16px; }
  textarea { resize: none; max-height: 160px; field-sizing: content; }
  .send > ha-icon { transform: scaleX(var(--scale-direction, 1)); }
  .send { color: var(--primary-color); --ha-icon-button-size: 40px; --mdc-icon-button-size: 40px; }
  .send[disabled] { color: var(--disabled-text-color); }
  .foot {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0 16px;
    padding-inline: 16px 8px;
    min-height: 20px;
    font-size: var(--ha-font-size-s, 12px);
    color: var(--secondary-text-color);
  }
  .error {
    color: var(--ha-color-on-danger-normal, var(--error-color));
    overflow-wrap: anywhere;
    white-space: pre-line; /* one for each number */
  }
  [role="alert"] { padding-inline: 16px; font-size: var(--ha-font-size-s, 12px); }
  [role="alert"]:empty { display: none; }
  .through { display: flex; align-items: center; gap: 4px; --mdc-icon-size: 16px; }
  .note {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 8px 16px;
    color: var(--secondary-text-color);
    --mdc-icon-size: 20px;
  }
  .note > ha-icon { flex: none; }
`);

export class Compose extends ShadowElement {
  static styles = [base, fields, styles];

  #context;
  #number;
  #via;
  #onchoose;
  /** What the user has chosen to send through, as the value of its option. */
  #chosen = null;
  /** Why one can't send; undefined before anything is shown. */
  #obstructedBy;
  #recipient = null;
  #counted = 0;
  #sending = false;
  #textarea;
  #send;
  #through;
  #count;
  #error;

  /**
   * Send to `number`, or with undefined to the one in the field *To*. `via` is the
   * `{entry_id, span}` to offer first. `onchoose` gets a contact that was picked, `onsent`
   * the number a message went to.
   */
  constructor(context, number, { via, onchoose, onsent } = {}) {
    super();
    this.#context = context;
    this.#number = number;
    this.onsent = onsent;
    this.#via = via;
    this.#onchoose = onchoose;
    this.gatewaysChanged();
  }

  /** Offer the spans as they are now, or say why one can't send. */
  gatewaysChanged() {
    const obstacle = this.#obstacle();
    if (obstacle !== null || this.#obstructedBy !== null) this.#build(obstacle);
    else {
      const through = this.#spans();
      this.#through.replaceWith(through);
      this.#through = through;
    }
    this.#obstructedBy = obstacle;
  }

  /** Why one can't send here at all; null if one can. */
  #obstacle() {
    if (this.#number === null) return "withheld";
    if (this.#number !== undefined && !NUMBER.test(this.#number)) return "no_number";
    if (this.#context.canSend) return null;
    // An administrator may send through every gateway that is loaded.
    return this.#context.isAdmin ? "no_gateway" : "read_only";
  }

  #build(obstacle) {
    const { words, drafts } = this.#context;
    if (obstacle) {
      const note = words.say(`compose.${obstacle}`);
      this.shadowRoot.replaceChildren(
        h("div", { class: "note" }, icon("information-outline"), note),
      );
      return;
    }
    const label = words.say("compose.label");
    if (this.#number === undefined) {
      this.#recipient = new Recipient(this.#context, this.#onchoose);
      this.#recipient.addEventListener("input", () => this.#update());
      this.#recipient.addEventListener("done", () => this.#textarea.focus());
    }
    this.#textarea = h("textarea", {
      rows: 1,
      dir: "auto",
      placeholder: label,
      "aria-label": label,
      "aria-describedby": "count",
      ".value": drafts.get(this.#number) ?? "",
      oninput: () => this.#update(),
      onkeydown: (event) => this.#key(event),
    });
    this.#send = iconButton("send", words.say("compose.send"), () => this.#submit());
    this.#send.classList.add("send");
    this.#through = this.#spans();
    this.#count = h("span", { id: "count" });
    this.#error = h("div", { role: "alert", class: "error", dir: "auto" });
    this.shadowRoot.replaceChildren(
      h(
        "form",
        { onsubmit: (event) => event.preventDefault() },
        this.#recipient,
        this.#error,
        h("div", { class: "row" }, h("label", { class: "field text" }, this.#textarea), this.#send),
        h(
          "div",
          { class: "foot" },
          h("span", { class: "through" }, icon("sim-outline"), this.#through),
          this.#count,
        ),
      ),
    );
    this.#update();
  }

  /** The choice of the span; by default the one that `via` names, as long as it's ready. */
  #spans() {
    const { canSendThroughAny, gateways, words } = this.#context;
    const via = this.#via;
    const sending = gateways
      .map((gateway) => ({ ...gateway, spans: gateway.spans.filter((span) => span.can_send) }))
      .filter((gateway) => gateway.spans.length);
    const valueOf = ({ entry_id }, { span }) => JSON.stringify([entry_id, span]);
    const options = sending.flatMap((gateway) => {
      const spans = gateway.spans.map((span) => {
        const { name, ready } = span;
        const label = ready ? name : words.say("compose.not_ready", { span: name });
        return h("option", { value: valueOf(gateway, span) }, label);
      });
      return sending.length > 1 ? h("optgroup", { label: gateway.title }, spans) : spans;
    });
    const ready = sending.flatMap((gateway) =>
      gateway.spans.filter((span) => span.ready).map((span) => valueOf(gateway, span)),
    );
    const wanted = via && valueOf(via, via);
    const other = canSendThroughAny ? ANY_SPAN : ready[0];
    const through = h(
      "select",
      {
        "aria-label": words.say("compose.through"),
        onchange: ({ target }) => (this.#chosen = target.value),
      },
      canSendThroughAny && h("option", { value: ANY_SPAN }, words.say("compose.any_span")),
      options,
    );
    through.value = this.#chosen;
    if (through.selectedIndex < 0) through.value = ready.includes(wanted) ? wanted : other;
    if (through.selectedIndex < 0) through.selectedIndex = 0;
    return through;
  }

  focus() {
    (this.#recipient ?? this.#textarea)?.focus();
  }

  #update() {
    const { value } = this.#textarea;
    this.#context.drafts.set(this.#number, value);
    this.#error.replaceChildren();
    const isReady = value.trim() && this.#recipient?.number !== "" && !this.#sending;
    setAttribute(this.#send, "disabled", !isReady);
    if (!CSS.supports("field-sizing", "content")) {
      this.#textarea.style.height = "auto";
      this.#textarea.style.height = `${this.#textarea.scrollHeight}px`;
    }
    this.#countSoon(value);
  }

  #countSoon = debounce(COUNT_AFTER_MS, async (text) => {
    const { hass, words } = this.#context;
    const turn = ++this.#counted;
    let shown = "";
    let isError = false;
    if (text) {
      try {
        const [entryId] = JSON.parse(this.#through.value);
        const { encoding, characters, left, parts } = await countText(hass, text, entryId);
        const numbers = { characters, left, parts };
        for (const key in numbers) numbers[key] = words.number(numbers[key]);
        shown = words.say(`compose.count_${encoding}`, numbers);
      } catch (error) {
        // Without a connection, there is no count.
        isError = error?.code === "invalid_text";
        shown = isError ? error.message : "";
      }
    }
    // The last text wins, whatever comes in last.
    if (turn !== this.#counted) return;
    this.#count.replaceChildren(shown);
    this.#count.classList.toggle("error", isError);
  });

  #key(event) {
    // As in Home Assistant's own chat; Shift+Enter begins a line.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  async #submit() {
    const text = this.#textarea.value;
    const number = this.#recipient ? this.#recipient.number : this.#number;
    if (this.#sending || !text.trim() || !number) return;
    const [entryId, span] = JSON.parse(this.#through.value);
    this.#sending = true;
    this.#textarea.value = "";
    this.#update();
    const { outcomes = [], error } = await this.#try({ number, text, entryId, span });
    this.#sending = false;
    // Perhaps it was sent: a text that comes back invites to send it twice.
    const [sent] = outcomes.filter(({ status }) => status !== "failed");
    if (sent) this.#recipient?.clear();
    else this.#giveBack(text);
    this.#update();
    if (sent) this.onsent?.(sent.target);
    const trouble = error ?? troubleOf(outcomes);
    if (trouble) this.#show(trouble);
  }

  async #try(sms) {
    const { hass, words } = this.#context;
    try {
      return { outcomes: await sendSms(hass, sms) };
    } catch (error) {
      // Home Assistant's library rejects with a number when the connection ends.
      const isLost = typeof error === "number";
      if (isLost) return { error: words.say("compose.connection_lost") };
      return { error: await words.refusal(hass, error) };
    }
  }

  /** Put a text that was not sent back into the field, above what was typed since. */
  #giveBack(text) {
    const { drafts } = this.#context;
    const typed = this.isConnected ? this.#textarea.value : drafts.get(this.#number);
    this.#textarea.value = [text, typed].filter(Boolean).join("\n");
  }

  #show(error) {
    if (this.isConnected) this.#error.replaceChildren(error);
    else fire(document.querySelector("home-assistant"), "hass-notification", { message: error });
  }
}

/** Why it wasn't sent, or not to everybody: one may type several numbers. */
function troubleOf(outcomes) {
  const isOne = outcomes.length === 1;
  return outcomes
    .filter(({ error }) => error)
    .map(({ contact, error, target }) => (isOne ? error : `\u2068${contact ?? target}\u2069: ${error}`))
    .join("\n");
}

define("openvox-gsm-compose", Compose);
