/**
 * Messages in the order of their time, in pages of which only those near the screen have
 * content. The others keep their height, so that thousands of messages scroll smoothly.
 */

import { h } from "./dom.js";

const PAGE = 50;
/** How far around the visible part pages have content, in pixels. */
const AROUND = "2000px 0px";

export class Timeline {
  element = h("div", { class: "timeline" });

  #show;
  #pages = []; // {messages, element, isFilled}, all the oldest first
  #pageOf = new Map(); // ID of a message → its page
  #observer;

  /**
   * `show` makes the elements of a message: its item with `data-id`, and before that
   * perhaps a heading. It also gets the message before, or undefined.
   * `scroller` is the element that scrolls.
   */
  constructor(scroller, show) {
    this.#show = show;
    this.#observer = new IntersectionObserver((entries) => this.#onNear(entries), {
      root: scroller,
      rootMargin: AROUND,
    });
  }

  get size() {
    return this.#pageOf.size;
  }

  get oldest() {
    return this.#pages[0]?.messages[0];
  }

  get newest() {
    return this.#pages.at(-1)?.messages.at(-1);
  }

  /** Replace everything. */
  set(messages) {
    this.#observer.disconnect();
    this.#pages = [];
    this.#pageOf.clear();
    this.element.replaceChildren();
    // From the newest, so that older pages can be added as they come.
    for (let end = messages.length; end > 0; end -= PAGE) {
      this.prepend(messages.slice(Math.max(0, end - PAGE), end));
    }
  }

  /** Add a page of older messages. */
  prepend(messages) {
    const fresh = messages.filter(({ id }) => !this.#pageOf.has(id));
    if (!fresh.length) return;
    const next = this.#pages[0];
    this.#add(fresh, 0);
    // Its first message may no longer be the first of its day.
    if (next?.isFilled) this.#showAgain(next, next.messages[0], fresh.at(-1));
  }

  append(message) {
    const last = this.#pages.at(-1);
    if (!last || last.messages.length >= PAGE) {
      this.#add([message], this.#pages.length);
      return;
    }
    const before = last.messages.at(-1);
    last.messages.push(message);
    this.#pageOf.set(message.id, last);
    if (last.isFilled) last.element.append(...this.#show(message, before));
  }

  /** Put a message in the place of the one with its ID; gives that, if there is one. */
  replace(message) {
    const page = this.#pageOf.get(message.id);
    const at = page?.messages.findIndex(({ id }) => id === message.id) ?? -1;
    if (at < 0) return undefined;
    const [old] = page.messages.splice(at, 1, message);
    if (page.isFilled) this.#showAgain(page, message, page.messages[at - 1] ?? this.#lastBefore(page));
    return old;
  }

  remove(ids) {
    const changed = new Set();
    for (const id of ids) {
      const page = this.#pageOf.get(id);
      if (!page) continue;
      page.messages = page.messages.filter((message) => message.id !== id);
      this.#pageOf.delete(id);
      changed.add(page);
    }
    for (const page of changed) {
      if (!page.messages.length) this.#drop(page);
      else if (page.isFilled) this.#fill(page);
    }
  }

  #add(messages, at) {
    const page = { messages, element: h("ol"), isFilled: false };
    this.element.insertBefore(page.element, this.#pages[at]?.element ?? null);
    this.#pages.splice(at, 0, page);
    for (const { id } of messages) this.#pageOf.set(id, page);
    this.#fill(page);
    this.#observer.observe(page.element);
  }

  #drop(page) {
    this.#observer.unobserve(page.element);
    page.element.remove();
    this.#pages.splice(this.#pages.indexOf(page), 1);
  }

  #fill(page) {
    let before = this.#lastBefore(page);
    const items = page.messages.flatMap((message) => {
      const shown = this.#show(message, before);
      before = message;
      return shown;
    });
    page.element.replaceChildren(...items);
    page.element.style.height = "";
    page.isFilled = true;
  }

  /** Replace what a message has in a filled page: its item, and a heading before it. */
  #showAgain(page, message, before) {
    const item = page.element.querySelector(`[data-id="${CSS.escape(message.id)}"]`);
    if (!item.previousElementSibling?.dataset.id) item.previousElementSibling?.remove();
    item.replaceWith(...this.#show(message, before));
  }

  #lastBefore(page) {
    return this.#pages[this.#pages.indexOf(page) - 1]?.messages.at(-1);
  }

  #onNear(entries) {
    for (const { boundingClientRect, isIntersecting, target } of entries) {
      const page = this.#pages.find(({ element }) => element === target);
      if (!page || page.isFilled === isIntersecting) continue;
      if (isIntersecting) this.#fill(page);
      else {
        target.style.height = `${boundingClientRect.height}px`;
        target.replaceChildren();
        page.isFilled = false;
      }
    }
  }
}
