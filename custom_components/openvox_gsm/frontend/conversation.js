/** All messages with one number, the newest at the bottom; older ones load as the user scrolls up. */

import { readMessages } from "./backend.js";
import { keyOf } from "./context.js";
import { define, h, icon, ShadowElement, sheet } from "./dom.js";
import { messageItem, messageStyles, nameOf, statusWords } from "./message.js";
import { base, empty } from "./styles.js";
import { Timeline } from "./timeline.js";

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
  .timeline { padding: 8px 16px; }
  ol { display: flow-root; margin: 0; padding: 0; list-style: none; }
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
`);

export class Conversation extends ShadowElement {
  static styles = [base, empty, messageStyles, styles];

  #context;
  #number;
  #filter;
  #more = true;
  #reading = 0;
  /** What changed since reading everything began, as that may not have it; else null. */
  #meanwhile = null;
  #scroll;
  #timeline;
  #top;
  #empty;
  #newer;
  #spoken;
  #observer;

  /** Show the messages with a number (null: withheld) that a filter lets through. */
  constructor(context, number, filter) {
    super();
    this.#context = context;
    this.#number = number;
    this.#filter = filter;
    const { words } = context;
    this.#scroll = h("div", {
      class: "scroll",
      tabindex: 0,
      role: "region",
      "aria-label": words.say("conversation.messages"),
      onscroll: () => this.#isAtEnd && (this.#newer.hidden = true),
    });
    this.#timeline = new Timeline(this.#scroll, (...messages) => this.#show(...messages));
    this.#top = h("div");
    this.#scroll.append(h("div", {}, this.#top, this.#timeline.element));
    this.#empty = h(
      "div",
      { class: "empty", hidden: true },
      icon("message-text-outline"),
      h("h3", {}, words.say("list.empty")),
    );
    this.#newer = h(
      "button",
      { type: "button", class: "newer", hidden: true, onclick: () => this.#toEnd() },
      icon("arrow-down"),
      words.say("conversation.new_messages"),
    );
    this.#spoken = h("div", { class: "unseen", "aria-live": "polite" });
    this.shadowRoot.append(this.#empty, this.#scroll, this.#newer, this.#spoken);
    this.#observer = new IntersectionObserver(
      ([entry]) => entry.isIntersecting && this.#readOlder(),
      { root: this.#scroll, rootMargin: "1500px 0px" },
    );
  }

  disconnectedCallback() {
    this.#observer.disconnect();
  }

  focus() {
    this.#scroll.focus();
  }

  /** The newest message; its gateway and span are those to answer through. */
  get newest() {
    return this.#timeline.newest;
  }

  // Reading

  /** Read everything that was shown again, or the newest messages for the first time. */
  async read() {
    const wanted = Math.max(PAGE, this.#timeline.size);
    const messages = [];
    let more = true;
    this.#more = false;
    this.#meanwhile = [];
    while (more && messages.length < wanted) {
      const limit = Math.min(LARGEST_PAGE, wanted - messages.length);
      const page = await this.#page(messages.at(-1)?.id, limit);
      if (!page) return;
      messages.push(...page.messages);
      more = page.more;
    }
    const fromEnd = this.#scroll.scrollTop;
    this.#timeline.set(messages.reverse());
    this.#scroll.scrollTop = fromEnd;
    this.#more = more;
    this.#changed();
    this.#watchTop();
    const missed = this.#meanwhile;
    this.#meanwhile = null;
    for (const message of missed) this.changed(message);
  }

  async #readOlder() {
    const { oldest } = this.#timeline;
    if (!this.#more || !oldest) return;
    this.#more = false;
    const page = await this.#page(oldest.id, PAGE);
    // Without a connection, everything is read again when that is back.
    if (!page) return;
    this.#timeline.prepend(page.messages.reverse());
    this.#more = page.more;
    this.#watchTop();
  }

  /** Read a page; null if a later call has overtaken this one, or it can't be read. */
  async #page(before, limit) {
    const turn = ++this.#reading;
    const filter = { ...this.#filter, number: this.#number, limit, ...(before && { before }) };
    try {
      const page = await readMessages(this.#context.hass, filter);
      return turn === this.#reading ? page : null;
    } catch {
      // The list says why.
      return null;
    }
  }

  /** Look for the top coming near; it may be in sight already. */
  #watchTop() {
    this.#observer.disconnect();
    this.#observer.observe(this.#top);
  }

  // Showing

  /** Make the elements of a message: itself, and a heading if its day begins with it. */
  #show(message, before) {
    const { words } = this.#context;
    const time = new Date(message.time);
    const item = messageItem(message, this.#context, this.#filter.search);
    const isSameDay = before && words.dayKey(new Date(before.time)) === words.dayKey(time);
    return isSameDay ? [item] : [h("li", { class: "day" }, words.day(time)), item];
  }

  #changed() {
    this.#empty.hidden = this.#timeline.size > 0;
  }

  // Changes

  /** Show a message that is new or has changed. */
  changed(message) {
    this.#meanwhile?.push(message);
    if (keyOf(message.number) !== keyOf(this.#number)) {
      // A call can get its number later, and then belongs to another conversation.
      this.#timeline.remove([message.id]);
      this.#changed();
      return;
    }
    const old = this.#timeline.replace(message);
    if (!old && this.#context.passes(message, this.#filter)) this.#arrive(message);
    else if (old && message.direction === "out" && old.status !== message.status) {
      this.#say(statusWords(message, this.#context.words), message.reason);
    }
  }

  #arrive(message) {
    const { newest, oldest } = this.#timeline;
    if (oldest && message.id < oldest.id && this.#more) return; // It shows when the user scrolls up.
    if (newest && message.id < newest.id) {
      this.read();
      return;
    }
    const wasAtEnd = this.#isAtEnd;
    const height = this.#scroll.scrollHeight;
    this.#timeline.append(message);
    this.#changed();
    if (message.direction === "out") this.#toEnd();
    else if (!wasAtEnd) {
      // What one reads stays where it is.
      this.#scroll.scrollTop -= this.#scroll.scrollHeight - height;
      this.#newer.hidden = false;
    }
    if (message.direction === "in") {
      const { words } = this.#context;
      this.#say(nameOf(message, words), message.text ?? statusWords(message, words));
    }
  }

  /** Take deleted messages away. */
  deleted({ all, ids }) {
    if (all) this.read();
    else {
      this.#timeline.remove(ids);
      this.#changed();
    }
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
    const { matches: isCalm } = matchMedia("(prefers-reduced-motion: reduce)");
    this.#scroll.scrollTo({ top: 0, behavior: isCalm ? "instant" : "smooth" });
    this.#newer.hidden = true;
  }
}

define("openvox-gsm-conversation", Conversation);
