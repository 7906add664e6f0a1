/** All messages with one number, the newest at the bottom; older ones as one scrolls up. */

import { readMessages } from "./backend.js";
import { keyOf } from "./context.js";
import { h, icon, ShadowElement, sheet } from "./dom.js";
import { messageItem, messageStyles, nameOf, statusWords } from "./message.js";
import { base, empty } from "./styles.js";

const PAGE = 50;
const LARGEST_PAGE = 200;
/** How far from the end one still counts as being there, in pixels. */
const NEAR = 16;

const styles = sheet(`
  :host { position: relative; min-height: 0; }
  /* The other way round, its origin is at the bottom: older messages move nothing. */
  .scroll {
    display: flex;
    flex-direction: column-reverse;
    height: 100%;
    overflow-y: auto;
    overscroll-behavior: contain;
    overflow-anchor: none;
  }
  .pages { padding: 8px 16px; }
  ol {
    margin: 0;
    padding: 0;
    list-style: none;
    /* A page out of sight costs no layout. */
    content-visibility: auto;
    contain-intrinsic-size: auto 3600px;
  }
  .day {
    width: fit-content;
    margin: 12px auto;
    padding: 2px 12px;
    border-radius: var(--ha-border-radius-pill, 9999px);
    background: var(--secondary-background-color);
    font-size: var(--ha-font-size-s, 12px);
    color: var(--secondary-text-color);
  }
  .newer {
    position: absolute;
    bottom: 12px;
    inset-inline: 0;
    width: fit-content;
    margin-inline: auto;
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 8px 16px;
    border: none;
    border-radius: var(--ha-border-radius-pill, 9999px);
    background: var(--primary-color);
    color: var(--text-primary-color);
    box-shadow: var(--ha-box-shadow-m, 0 2px 8px rgba(0, 0, 0, 0.3));
    --mdc-icon-size: 18px;
  }
  .empty { min-height: 100%; }
  @media (prefers-reduced-motion: no-preference) {
    .scroll.smooth { scroll-behavior: smooth; }
  }
`);

export class Conversation extends ShadowElement {
  static styles = [base, empty, messageStyles, styles];

  #context;
  #number;
  #filter;
  #items = new Map(); // id → {message, item}, in no order
  #oldest;
  #newest;
  #more = true;
  #reading = 0;

  /** Show the messages with a number (null: withheld) that a filter lets through. */
  constructor(context, number, filter) {
    super();
    this.#context = context;
    this.#number = number;
    this.#filter = filter;
    const { words } = context;
    this.#pages = h("div", { class: "pages" });
    this.#scroll = h(
      "div",
      {
        class: "scroll",
        tabindex: 0,
        role: "region",
        "aria-label": words.say("conversation.messages"),
        onscroll: () => this.#isAtEnd && (this.#newer.hidden = true),
      },
      this.#pages,
    );
    this.#newer = h(
      "button",
      { type: "button", class: "newer", hidden: true, onclick: () => this.#toEnd() },
      icon("arrow-down"),
      words.say("conversation.new_messages"),
    );
    this.#spoken = h("div", { class: "unseen", "aria-live": "polite" });
    this.shadowRoot.append(this.#scroll, this.#newer, this.#spoken);
    this.#observer = new IntersectionObserver(
      ([entry]) => entry.isIntersecting && this.#readOlder(),
      { root: this.#scroll, rootMargin: "1500px 0px" },
    );
  }

  #pages;
  #scroll;
  #newer;
  #spoken;
  #observer;

  disconnectedCallback() {
    this.#observer.disconnect();
  }

  focus() {
    this.#scroll.focus();
  }

  /** Gateway and span of the newest message. */
  get via() {
    return this.#items.get(this.#newest)?.message;
  }

  // Reading

  /** Read everything that was shown again, or the newest messages for the first time. */
  async read() {
    const wanted = Math.max(PAGE, this.#items.size);
    const messages = [];
    let more = true;
    while (more && messages.length < wanted) {
      const limit = Math.min(LARGEST_PAGE, wanted - messages.length);
      const page = await this.#page(messages.at(-1)?.id, limit);
      if (!page) return;
      messages.push(...page.messages);
      more = page.more;
    }
    const fromEnd = this.#scroll.scrollTop;
    this.#items.clear();
    this.#pages.replaceChildren();
    this.#oldest = this.#newest = undefined;
    for (let at = 0; at < messages.length; at += PAGE) this.#prepend(messages.slice(at, at + PAGE));
    this.#scroll.scrollTop = fromEnd;
    this.#more = more;
    if (!messages.length) this.#showEmpty();
    this.#watch();
  }

  async #readOlder() {
    if (!this.#more || !this.#oldest) return;
    this.#more = false;
    const page = await this.#page(this.#oldest, PAGE);
    if (!page) return;
    this.#prepend(page.messages);
    this.#more = page.more;
    this.#watch();
  }

  /** Read a page; null if a later call has overtaken this one, or it can't be read. */
  async #page(before, limit) {
    const turn = ++this.#reading;
    const filter = { ...this.#filter, number: this.#number, limit, ...(before && { before }) };
    try {
      const page = await readMessages(this.#context.hass, filter);
      return turn === this.#reading ? page : null;
    } catch {
      // The list says why; without a connection, it is read again when that is back.
      return null;
    }
  }

  /** Look for the first page to come near. */
  #watch() {
    this.#observer.disconnect();
    if (this.#pages.firstChild) this.#observer.observe(this.#pages.firstChild);
  }

  // Showing

  /** Add a page of older messages, the newest of them first. */
  #prepend(messages) {
    const page = h("ol");
    let day;
    for (const message of messages.toReversed()) {
      if (this.#items.has(message.id)) continue;
      const own = this.#day(message);
      if (own !== day) page.append(this.#heading(message));
      day = own;
      page.append(this.#item(message));
      this.#note(message);
    }
    if (!page.firstChild) return;
    const next = this.#pages.querySelector(".day");
    if (next?.dataset.day === day) next.remove();
    this.#pages.prepend(page);
  }

  #append(message) {
    this.#pages.querySelector(".empty")?.remove();
    let page = this.#pages.lastChild;
    if (!page || page.childElementCount >= PAGE) {
      page = h("ol");
      this.#pages.append(page);
    }
    const previous = this.#items.get(this.#newest)?.message;
    if (!previous || this.#day(previous) !== this.#day(message)) {
      page.append(this.#heading(message));
    }
    page.append(this.#item(message));
    this.#note(message);
  }

  #item(message) {
    const item = messageItem(message, this.#context, this.#filter.search);
    this.#items.set(message.id, { message, item });
    return item;
  }

  #note({ id }) {
    if (!this.#oldest || id < this.#oldest) this.#oldest = id;
    if (!this.#newest || id > this.#newest) this.#newest = id;
  }

  #heading(message) {
    const { words } = this.#context;
    const day = this.#day(message);
    return h("li", { class: "day", "data-day": day }, words.day(new Date(message.time)));
  }

  #day(message) {
    return this.#context.words.dayKey(new Date(message.time));
  }

  #showEmpty() {
    this.#pages.replaceChildren(
      h("div", { class: "empty" }, icon("message-text-outline"), h("h2", {}, this.#context.words.say("list.empty"))),
    );
  }

  // Changes

  /** Show a message that is new or has changed. */
  changed(message) {
    const known = this.#items.get(message.id);
    if (keyOf(message.number) !== keyOf(this.#number)) {
      // A call can get its number later, and then belongs to another conversation.
      if (known) this.deleted({ ids: [message.id] });
      return;
    }
    if (known) {
      const old = known.item;
      old.replaceWith(this.#item(message));
      if (message.direction === "out" && message.status !== known.message.status) {
        this.#say(statusWords(message, this.#context.words), message.reason);
      }
    } else if (this.#context.passes(message, this.#filter)) {
      this.#arrive(message);
    }
  }

  #arrive(message) {
    if (message.id < (this.#oldest ?? "")) return; // One scrolls up to it.
    if (message.id < (this.#newest ?? "")) {
      this.read();
      return;
    }
    const wasAtEnd = this.#isAtEnd;
    const before = this.#scroll.scrollHeight;
    this.#append(message);
    if (message.direction === "out") this.#toEnd();
    else if (!wasAtEnd) {
      // What one reads stays where it is.
      this.#scroll.scrollTop -= this.#scroll.scrollHeight - before;
      this.#newer.hidden = false;
    }
    if (message.direction === "in") {
      const { words } = this.#context;
      this.#say(nameOf(message, words), message.text ?? statusWords(message, words));
    }
  }

  /** Take deleted messages away. */
  deleted({ all, ids = [] }) {
    if (all) {
      this.read();
      return;
    }
    for (const id of ids) {
      this.#items.get(id)?.item.remove();
      this.#items.delete(id);
    }
    if (ids.includes(this.#oldest) || ids.includes(this.#newest)) {
      const left = [...this.#items.keys()].sort();
      [this.#oldest, this.#newest] = [left.at(0), left.at(-1)];
    }
    for (const day of this.#pages.querySelectorAll(".day")) {
      if (!day.nextElementSibling?.matches(".message")) day.remove();
    }
    if (!this.#items.size) this.#showEmpty();
  }

  /** Let a screen reader say something. */
  #say(...texts) {
    this.#spoken.textContent = texts.filter(Boolean).join(": ");
  }

  // Scrolling

  get #isAtEnd() {
    return this.#scroll.scrollTop >= -NEAR;
  }

  #toEnd() {
    this.#scroll.classList.add("smooth");
    this.#scroll.scrollTop = 0;
    this.#scroll.classList.remove("smooth");
    this.#newer.hidden = true;
  }
}

customElements.get("openvox-gsm-conversation") ??
  customElements.define("openvox-gsm-conversation", Conversation);
