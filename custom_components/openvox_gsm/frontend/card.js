/** The card `custom:openvox-gsm-messages`: the last messages, and a field to send one. */

import { follow, isForbidden, readGateways, readMessages } from "./backend.js";
import { Compose } from "./compose.js";
import { Context } from "./context.js";
import { debounce, fire, h, icon, ShadowElement, sheet } from "./dom.js";
import { addressOf } from "./location.js";
import { isTrouble, nameOf, statusIcon, statusWords } from "./message.js";
import { base, empty } from "./styles.js";
import { loadTexts, PREFIX } from "./words.js";

const PAGE = "openvox-gsm-messages";
const DEFAULT_COUNT = 5;
const MOST = 50;
const READ_AGAIN_MS = 200;

const styles = sheet(`
  :host { height: 100%; }
  ha-card { display: flex; flex-direction: column; height: 100%; overflow: hidden; }
  .rows { flex: 1; min-height: 0; overflow-y: auto; }
  ul { margin: 0; padding: 8px; list-style: none; }
  ul:empty { display: none; }
  .row {
    display: grid;
    grid-template-columns: 24px 1fr auto;
    column-gap: 12px;
    width: 100%;
    padding: 8px;
    border: none;
    border-radius: var(--ha-border-radius-lg, 12px);
    background: none;
    text-align: start;
    --mdc-icon-size: 20px;
  }
  button.row:hover { background: var(--secondary-background-color); }
  .row > ha-icon { grid-row: span 2; margin-top: 2px; color: var(--state-icon-color); }
  .trouble > ha-icon { color: var(--error-color); }
  .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 500; }
  time, .status { font-size: var(--ha-font-size-s, 12px); color: var(--secondary-text-color); }
  .text {
    grid-column: 2 / -1;
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
    overflow: hidden;
    overflow-wrap: anywhere;
    color: var(--secondary-text-color);
    line-height: 1.4;
  }
  .trouble .status { color: var(--ha-color-on-danger-normal, var(--error-color)); }
  footer { padding: 8px 8px 12px 16px; border-top: 1px solid var(--divider-color); }
`);

export class MessagesCard extends ShadowElement {
  static styles = [base, empty, styles];

  #config;
  #hass;
  #context;
  #starts = 0;
  #unfollow;
  #messages = [];
  #rows;
  #list;
  #empty;
  #footer;

  // What Home Assistant asks of a card

  static getStubConfig() {
    return { count: DEFAULT_COUNT, reply: false };
  }

  static async getConfigForm() {
    const number = { select: { mode: "dropdown", custom_value: true, options: await contactOptions() } };
    return {
      schema: [
        { name: "title", selector: { text: {} } },
        { name: "number", selector: number },
        { name: "config_entry_id", selector: { config_entry: { integration: "openvox_gsm" } } },
        { name: "span", selector: { number: { min: 1, mode: "box" } } },
        { name: "count", selector: { number: { min: 1, max: MOST, mode: "box" } } },
        { name: "reply", selector: { boolean: {} } },
      ],
      computeLabel: ({ name }, localize) => editorWords(localize, `labels.${name}`),
      computeHelper: ({ name }, localize) => editorWords(localize, `helpers.${name}`),
    };
  }

  setConfig(config) {
    check(config.count ?? DEFAULT_COUNT, "count", isWhole(1, MOST), `a whole number from 1 to ${MOST}`);
    check(config.span ?? 1, "span", isWhole(1, Infinity), "the number of a span, such as 1");
    for (const name of ["title", "number", "config_entry_id"]) {
      check(config[name] ?? "", name, isText, 'a text; put a number in quotes ("+49…")');
    }
    check(config.reply ?? false, "reply", isFlag, "true or false");
    this.#config = config;
    if (this.isConnected && this.#hass) this.#start();
  }

  set hass(hass) {
    const isFirst = !this.#hass;
    this.#hass = hass;
    if (isFirst && this.isConnected) this.#start();
    if (!this.#context) return;
    this.#context.hass = hass;
    if (!this.#context.words.fit(hass)) this.#start();
  }

  getCardSize() {
    return 1 + (this.#config?.count ?? DEFAULT_COUNT) + (this.#config?.reply ? 2 : 0);
  }

  getGridOptions() {
    return { columns: 12, min_columns: 6, min_rows: 3 };
  }

  connectedCallback() {
    if (this.#hass) this.#start();
  }

  disconnectedCallback() {
    this.#unfollow?.();
  }

  // Building and reading

  async #start() {
    const turn = ++this.#starts;
    this.#unfollow?.();
    const context = await Context.load(this.#hass);
    if (turn !== this.#starts || !this.isConnected) return;
    this.#context = context;
    this.#build();
    this.#unfollow = follow(this.#hass, {
      onStart: () => this.#read(),
      onEvent: (event) => this.#onEvent(event),
      onError: (error) => this.#showError(error),
    });
  }

  #build() {
    this.#list = h("ul", { "aria-label": this.#context.words.say("sidebar.title") });
    this.#empty = h("div", { class: "empty", hidden: true });
    this.#rows = h("div", { class: "rows", "aria-live": "polite" }, this.#list, this.#empty);
    this.#footer = h("footer", { hidden: true });
    const { title } = this.#config;
    const card = h("ha-card", { ".header": title }, this.#rows, this.#footer);
    this.shadowRoot.replaceChildren(card);
  }

  async #read() {
    const context = this.#context;
    const { count = DEFAULT_COUNT } = this.#config;
    await context.readGateways();
    const filter = { ...this.#filter, limit: count };
    try {
      const { messages } = await readMessages(context.hass, filter);
      if (context !== this.#context) return;
      this.#messages = messages;
      this.#show();
    } catch (error) {
      // Who may only send still can.
      if (context === this.#context && context.canSend && isForbidden(error)) this.#showReply();
      throw error;
    }
    this.#showReply();
  }

  #readSoon = debounce(READ_AGAIN_MS, async () => {
    if (!this.isConnected) return;
    try {
      await this.#read();
    } catch (error) {
      // Without a connection, it is read again when that is back.
      if (error?.message) this.#showError(error);
    }
  });

  /** What the card shows; a contact is a name for a number. */
  get #filter() {
    const { config_entry_id, span } = this.#config;
    return {
      ...(config_entry_id && { entry_id: config_entry_id }),
      ...(span && { span }),
      ...(this.#number && { number: this.#number }),
    };
  }

  get #number() {
    const { number } = this.#config;
    const contact = this.#context.contacts.find(({ name }) => name === number);
    const isNumber = /^[+\d\s()/.-]+$/.test(number ?? "");
    return contact?.number ?? ((isNumber ? number.replace(/[^+\d]/g, "") : number) || undefined);
  }

  /** Whether any of the gateways that the card is for keeps messages. */
  get #areKept() {
    const { config_entry_id } = this.#config;
    return this.#context.gateways.some(
      ({ can_read, entry_id, kept }) =>
        can_read && kept > 0 && (!config_entry_id || entry_id === config_entry_id),
    );
  }

  #show() {
    this.#list.replaceChildren(...this.#messages.map((message) => this.#row(message)));
    this.#empty.hidden = this.#messages.length > 0;
    if (this.#messages.length) return;
    const { words } = this.#context;
    const text = this.#areKept ? words.say("list.empty") : words.say("list.not_kept");
    this.#showEmpty("message-text-outline", text);
  }

  #showEmpty(name, text) {
    this.#list.replaceChildren();
    this.#empty.replaceChildren(icon(name), h("p", {}, text));
    this.#empty.hidden = false;
  }

  #showError(error) {
    this.#showEmpty("alert-circle-outline", this.#context.errorWords(error));
  }

  #row(message) {
    const { hass, words } = this.#context;
    const { direction, kind, number, reason, text } = message;
    const time = new Date(message.time);
    const sign = direction === "in" ? "message-arrow-left" : "message-arrow-right";
    const status = statusWords(message, words);
    const hasPage = PAGE in hass.panels;
    const attributes = { class: isTrouble(message) ? "row trouble" : "row" };
    if (hasPage) Object.assign(attributes, { type: "button", onclick: () => openPage(number) });
    return h(
      "li",
      {},
      h(
        hasPage ? "button" : "div",
        attributes,
        icon(kind === "call" ? statusIcon(message) : sign),
        h("bdi", { class: "name" }, nameOf(message, words)),
        h("time", { datetime: message.time, title: words.dateAndTime(time) }, words.short(time)),
        h("span", { class: "text", dir: "auto" }, kind === "call" ? status : text),
        kind === "sms" && status && h("span", { class: "text status" }, status),
        reason && h("span", { class: "text status reason", dir: "auto", title: reason }, reason),
      ),
    );
  }

  #showReply() {
    const old = this.#footer.firstChild;
    this.#footer.hidden = !this.#config.reply;
    if (!this.#config.reply) return;
    if (old) old.gatewaysChanged();
    else {
      const { config_entry_id, span } = this.#config;
      const last = this.#number ? this.#messages[0] : undefined;
      const via = config_entry_id && span ? { entry_id: config_entry_id, span } : last;
      this.#footer.append(new Compose(this.#context, this.#number, { via }));
    }
  }

  #onEvent(event) {
    const isOurs = event.type !== "changed" || this.#context.passes(event.message, this.#filter);
    if (isOurs) this.#readSoon();
  }
}

/** Put the card into the picker of cards. */
export function offerInPicker(type) {
  window.customCards ??= [];
  if (window.customCards.some((card) => card.type === type)) return;
  const words = (key) => editorWords(homeAssistant().localize, key);
  window.customCards.push({
    type,
    preview: true,
    get name() {
      return words("name") || "GSM messages";
    },
    get description() {
      return words("description");
    },
  });
  loadEditorWords();
}

const homeAssistant = () => document.querySelector("home-assistant")?.hass;

/** Load the words for the picker, at the latest when the user starts to edit a dashboard. */
function loadEditorWords() {
  const hass = homeAssistant();
  if (hass) loadTexts(hass);
  else window.addEventListener("location-changed", loadEditorWords, { once: true });
}

function openPage(number) {
  history.pushState(null, "", `/${PAGE}${addressOf({ number })}`);
  fire(window, "location-changed", { replace: false });
}

/** The names of the contacts, to choose one. */
async function contactOptions() {
  const { contacts } = await readGateways(homeAssistant()).catch(() => ({ contacts: [] }));
  return contacts.map(({ name }) => name);
}

const editorWords = (localize, key) => localize(`${PREFIX}card.${key}`);

// What a configuration may say

const isText = (value) => typeof value === "string";
const isFlag = (value) => typeof value === "boolean";
const isWhole = (least, most) => (value) => Number.isInteger(value) && value >= least && value <= most;

function check(value, name, fits, what) {
  if (!fits(value)) throw new Error(`"${name}" must be ${what}.`);
}
