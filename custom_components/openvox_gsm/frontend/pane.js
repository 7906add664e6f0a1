/** The open conversation with its heading and the field to answer, or a new message. */

import { Compose } from "./compose.js";
import { keyOf } from "./context.js";
import { Conversation } from "./conversation.js";
import { define, fire, h, icon, iconButton, ShadowElement, sheet } from "./dom.js";
import { nameOf } from "./message.js";
import { bar, base, empty } from "./styles.js";

const styles = sheet(`
  :host {
    display: flex;
    flex-direction: column;
    min-width: 0;
    height: 100%;
    background: var(--primary-background-color);
  }
  .content { flex: 1; min-height: 0; }
  .content > * { height: 100%; }
  .titles { flex: 1; min-width: 0; padding-inline: 12px; line-height: 1.3; }
  .titles > * { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .number { font-size: var(--ha-font-size-s, 12px); color: var(--secondary-text-color); }
  .filtered {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 8px;
    padding-inline: 16px 8px;
    border-bottom: 1px solid var(--divider-color);
    background: var(--secondary-background-color);
  }
  .filtered > .text-button { flex: none; }
  .compose {
    padding: 8px 8px 12px 12px;
    border-top: 1px solid var(--divider-color);
    background: var(--card-background-color);
  }
  .new { border: none; padding-top: 16px; }
  .back { display: none; }
  .back > ha-icon { transform: scaleX(var(--scale-direction, 1)); }
  :host(.single) .back { display: block; }
`);

export class Pane extends ShadowElement {
  static styles = [base, bar, empty, styles];

  #context;
  #shown = {};
  #conversation = null;
  #compose = null;
  #heading;

  constructor(context) {
    super();
    this.#context = context;
  }

  /** Show `{number}`, `{isNew}` or nothing, with the messages that a filter lets through. */
  async show(shown, filter) {
    this.#shown = shown;
    this.#conversation = this.#compose = null;
    if (shown.isNew) this.#showNew();
    else if (shown.number === undefined) this.#showNothing();
    else await this.#showConversation(filter);
  }

  focus() {
    const { classList } = this;
    // On a phone, the field would bring up the keyboard.
    if (this.#shown.isNew || !classList.contains("single")) this.#compose?.focus();
    else this.#conversation?.focus();
  }

  changed(message) {
    this.#conversation?.changed(message);
  }

  deleted(event) {
    this.#conversation?.deleted(event);
  }

  /** Read again what is shown. */
  read() {
    this.#conversation?.read();
    this.#compose?.gatewaysChanged();
  }

  /** Names, spans or contacts have changed. */
  gatewaysChanged() {
    const { number } = this.#shown;
    const old = this.#heading;
    if (number !== undefined) old.replaceWith(this.#conversationHeader(number));
    else if (!this.#shown.isNew) this.#showNothing();
    this.read();
  }

  #showNothing() {
    const { canSend, words } = this.#context;
    this.shadowRoot.replaceChildren(
      h("div", { class: "bar" }),
      h(
        "div",
        { class: "content" },
        h(
          "div",
          { class: "empty" },
          icon("message-text-outline"),
          h("h2", {}, words.say("conversation.choose")),
          canSend && h("p", {}, words.say("conversation.choose_hint")),
          canSend && this.#newButton(),
        ),
      ),
    );
  }

  #newButton() {
    const onclick = () => fire(this, "conversation-chosen", { isNew: true });
    const label = this.#context.words.say("new.title");
    return h("button", { type: "button", class: "text-button", onclick }, label);
  }

  #showNew() {
    const { words } = this.#context;
    this.#compose = new Compose(this.#context, undefined, {
      onchoose: ({ number }) => fire(this, "conversation-chosen", { number }),
      onsent: (number) => fire(this, "conversation-chosen", { number }),
    });
    this.shadowRoot.replaceChildren(
      this.#header(h("div", { class: "titles" }, h("h2", {}, words.say("new.title")))),
      h("div", { class: "compose new" }, this.#compose),
      h("div", { class: "content" }),
    );
  }

  async #showConversation(filter) {
    const { number } = this.#shown;
    const conversation = new Conversation(this.#context, number, filter);
    const footer = h("div", { class: "compose" });
    this.#conversation = conversation;
    this.shadowRoot.replaceChildren(
      this.#conversationHeader(number),
      ...(Object.keys(filter).length ? [this.#filteredNote()] : []),
      h("div", { class: "content" }, conversation),
      footer,
    );
    await conversation.read();
    if (this.#conversation !== conversation) return;
    this.#compose = new Compose(this.#context, number, { via: conversation.newest });
    footer.append(this.#compose);
  }

  #conversationHeader(number) {
    const { contacts, isAdmin, words } = this.#context;
    const contact = contacts.find((each) => keyOf(each.number) === keyOf(number))?.name;
    return this.#header(
      h(
        "div",
        { class: "titles" },
        h("h2", {}, h("bdi", {}, nameOf({ contact, number }, words))),
        contact && h("div", { class: "number" }, h("bdi", { dir: "ltr" }, number)),
      ),
      isAdmin &&
        iconButton("delete-outline", words.say("conversation.delete"), () =>
          fire(this, "delete-wanted", { number, name: nameOf({ contact, number }, words) }),
        ),
    );
  }

  #header(...content) {
    const back = iconButton("arrow-left", this.#context.words.say("conversation.back"), () =>
      fire(this, "back-wanted"),
    );
    back.classList.add("back");
    this.#heading = h("div", { class: "bar" }, back, content);
    return this.#heading;
  }

  #filteredNote() {
    const { words } = this.#context;
    const onclick = () => fire(this, "filter-unwanted");
    return h(
      "div",
      { class: "filtered", role: "note" },
      words.say("conversation.filtered"),
      h("button", { type: "button", class: "text-button", onclick }, words.say("conversation.show_all")),
    );
  }
}

define("openvox-gsm-pane", Pane);
