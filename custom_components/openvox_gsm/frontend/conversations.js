/** The list of conversations, the newest first. */

import { readConversations } from "./backend.js";
import { debounce, define, fire, h, icon, setAttribute, ShadowElement, sheet } from "./dom.js";
import { keyOf } from "./context.js";
import { isTrouble, marked, nameOf, statusIcon, statusWords } from "./message.js";
import { base, empty } from "./styles.js";

const PAGE = 50;
const READ_AGAIN_MS = 400;
/** How many characters show before a place that was found. */
const LEAD = 12;

const styles = sheet(`
  :host { height: 100%; overflow-y: auto; overscroll-behavior: contain; }
  ul { margin: 0; padding: 4px 8px; list-style: none; }
  ul:empty { display: none; }
  .item {
    display: flex;
    align-items: center;
    gap: 12px;
    width: 100%;
    padding: 8px;
    border: none;
    border-radius: var(--ha-border-radius-lg, 12px);
    background: none;
    text-align: start;
  }
  .item:hover { background: var(--secondary-background-color); }
  .item[aria-current="true"] {
    background: color-mix(in srgb, var(--primary-color) 14%, transparent);
  }
  .avatar {
    display: grid;
    flex: none;
    place-items: center;
    width: 40px;
    height: 40px;
    border-radius: 50%;
    background: var(--secondary-background-color);
    color: var(--secondary-text-color);
    font-weight: var(--ha-font-weight-medium, 500);
    font-size: var(--ha-font-size-l, 16px);
    --mdc-icon-size: 22px;
  }
  .item:hover .avatar { background: var(--divider-color); }
  .lines { flex: 1; min-width: 0; line-height: 1.5; color: var(--secondary-text-color); }
  .line { display: flex; align-items: center; gap: 8px; }
  .line > bdi {
    flex: 1;
    min-width: 0;
    overflow: hidden;
    text-align: -webkit-match-parent;
    text-align: match-parent;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .name { color: var(--primary-text-color); font-weight: var(--ha-font-weight-medium, 500); }
  time { flex: none; font-size: var(--ha-font-size-s, 12px); }
  .line > ha-icon { flex: none; --mdc-icon-size: 16px; }
  .trouble .line > ha-icon { color: var(--error-color); }
  mark { background: var(--warning-color); color: #000; border-radius: 2px; }
  .end { height: 1px; }
`);

export class ConversationList extends ShadowElement {
  static styles = [base, empty, styles];

  #context;
  #filter = {};
  #known = new Map(); // key of the number → {conversation, item}
  #more = false;
  #reading = 0;
  #selected;

  constructor(context) {
    super();
    this.#context = context;
    this.#list = h("ul", {
      "aria-label": context.words.say("list.conversations"),
      onkeydown: (event) => this.#key(event),
    });
    this.#empty = h("div", { class: "empty", role: "status", hidden: true });
    const end = h("div", { class: "end" });
    this.shadowRoot.append(this.#list, this.#empty, end);
    this.#observer = new IntersectionObserver(
      ([entry]) => entry.isIntersecting && this.#readMore(),
      { root: this, rootMargin: "400px" },
    );
    this.#end = end;
  }

  #list;
  #empty;
  #end;
  #observer;

  connectedCallback() {
    this.#observer.observe(this.#end);
  }

  disconnectedCallback() {
    this.#observer.disconnect();
  }

  set filter(filter) {
    this.#filter = filter;
    this.read();
  }

  /** Mark the open conversation; undefined: none. */
  set selected(number) {
    this.#selected = keyOf(number);
    for (const [key, { item }] of this.#known) {
      setAttribute(item.firstChild, "aria-current", key === this.#selected && "true");
    }
    this.#makeOneReachable();
  }

  focus() {
    (this.#list.querySelector("[tabindex='0']") ?? this.#list).focus();
  }

  /** Read the list from its beginning, as far as it was shown. */
  async read() {
    const limit = Math.min(200, Math.max(PAGE, this.#known.size));
    const page = await this.#page({ limit });
    if (!page) return;
    this.#known.clear();
    this.#list.replaceChildren();
    this.#append(page);
  }

  #readSoon = debounce(READ_AGAIN_MS, () => this.isConnected && this.read());

  async #readMore() {
    if (!this.#more) return;
    this.#more = false;
    const oldest = [...this.#known.values()].at(-1)?.conversation.last.id;
    const page = await this.#page({ before: oldest, limit: PAGE });
    if (page) this.#append(page);
  }

  /** Read a page; null if a later call has overtaken this one. */
  async #page(fields) {
    const turn = ++this.#reading;
    try {
      const page = await readConversations(this.#context.hass, { ...this.#filter, ...fields });
      return turn === this.#reading ? page : null;
    } catch (error) {
      // Without a connection, it is read again when that is back.
      if (turn === this.#reading && error?.message) this.showError(this.#context.errorWords(error));
      return null;
    }
  }

  #append({ conversations, more }) {
    for (const conversation of conversations) {
      if (!this.#known.has(keyOf(conversation.number))) this.#show(conversation, null);
    }
    this.#more = more;
    this.#showEmpty();
    this.#makeOneReachable();
    // It reports changes only, and the end may still be in sight.
    this.#observer.unobserve(this.#end);
    this.#observer.observe(this.#end);
  }

  #show(conversation, before) {
    const item = h("li", {}, this.#button(conversation));
    this.#list.insertBefore(item, before);
    this.#known.set(keyOf(conversation.number), { conversation, item });
  }

  #button(conversation) {
    const { words } = this.#context;
    const { last, number } = conversation;
    const time = new Date(last.time);
    const name = last.direction === "out" || isTrouble(last) ? statusIcon(last) : null;
    return h(
      "button",
      {
        type: "button",
        class: isTrouble(last) ? "item trouble" : "item",
        tabindex: -1,
        "aria-current": keyOf(number) === this.#selected && "true",
        onclick: () => fire(this, "conversation-chosen", { number }),
      },
      avatar(conversation),
      h(
        "span",
        { class: "lines" },
        h(
          "span",
          { class: "line" },
          h("bdi", { class: "name" }, nameOf(conversation, words)),
          h("time", { datetime: last.time, title: words.dateAndTime(time) }, words.short(time)),
        ),
        h(
          "span",
          { class: "line" },
          h("bdi", {}, this.#snippet(last)),
          name && icon(name),
          name && last.kind === "sms" && h("span", { class: "unseen" }, statusWords(last, words)),
        ),
      ),
    );
  }

  #snippet(last) {
    const { words } = this.#context;
    if (last.kind === "call") return statusWords(last, words);
    const text = marked(last.text ?? "", this.#filter.search);
    // So that the first place found is in sight
    if (text.length > 1 && text[0].length > LEAD) text[0] = `…${text[0].slice(-LEAD)}`;
    return last.direction === "out" ? [`${words.say("list.you")}: `, ...text] : text;
  }

  #showEmpty() {
    const { words } = this.#context;
    const { entry_id, search } = this.#filter;
    this.#empty.hidden = this.#known.size > 0;
    if (!this.#empty.hidden) {
      const key = entry_id || search ? "nothing_found" : "empty";
      this.#empty.replaceChildren(
        icon(key === "empty" ? "message-text-outline" : "magnify"),
        h("h2", {}, words.say(`list.${key}`)),
        h("p", {}, words.say(`list.${key}_hint`)),
      );
    }
  }

  /** Say why nothing can be read. */
  showError(text) {
    this.#empty.hidden = this.#known.size > 0;
    this.#empty.replaceChildren(icon("alert-circle-outline"), h("p", {}, text));
  }

  // Changes

  /** Show a message that is new or has changed. */
  changed(message) {
    if (this.#filter.search) {
      this.#readSoon();
      return;
    }
    const { contact, id, number } = message;
    const key = keyOf(number);
    const known = this.#known.get(key);
    const lastId = known?.conversation.last.id ?? "";
    if (id < lastId || !this.#context.passes(message, this.#filter)) return;

    // A call can get its number later, and then belongs to another conversation.
    const moved = [...this.#known].find(([, { conversation }]) => conversation.last.id === id);
    if (moved && moved[0] !== key) this.#readSoon();

    const hadFocus = known?.item.contains(this.shadowRoot.activeElement);
    const next = known?.item.nextSibling;
    known?.item.remove();
    if (id > lastId) {
      // The map keeps the order of the list.
      const others = [...this.#known].filter(([each]) => each !== key);
      this.#known = new Map([[key, null], ...others]);
    }
    this.#show({ contact, number, last: message }, id > lastId ? this.#list.firstChild : next);
    this.#showEmpty();
    this.#makeOneReachable();
    if (hadFocus) this.#known.get(key).item.firstChild.focus();
  }

  /** Read again what deleted messages may have left. */
  deleted({ all, ids }) {
    const gone = new Set(ids);
    const isShown = [...this.#known.values()].some(({ conversation }) =>
      gone.has(conversation.last.id),
    );
    if (all || isShown) this.#readSoon();
  }

  // Keyboard

  /** Let Tab reach one item; arrows go on from there. */
  #makeOneReachable() {
    const buttons = this.#buttons();
    const wanted = this.#known.get(this.#selected)?.item.firstChild ?? buttons[0];
    for (const button of buttons) button.tabIndex = button === wanted ? 0 : -1;
  }

  #buttons() {
    return [...this.#list.children].map((item) => item.firstChild);
  }

  #key(event) {
    const buttons = this.#buttons();
    const at = buttons.indexOf(this.shadowRoot.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    buttons[next]?.focus();
  }
}

/** The first letter of a contact; a sign for others. */
function avatar({ contact, number }) {
  const [letter] = contact ?? "";
  const sign = number === null ? "incognito" : /^[+\d]/.test(number) ? "account" : "storefront";
  return h("span", { class: "avatar", "aria-hidden": "true" }, letter?.toUpperCase() ?? icon(sign));
}

define("openvox-gsm-conversations", ConversationList);
