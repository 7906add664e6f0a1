/** The field *To*: a contact from the list, or any number. */

import { define, h, icon, setAttribute, ShadowElement, sheet } from "./dom.js";
import { base, fields } from "./styles.js";

const styles = sheet(`
  :host { position: relative; }
  ul {
    position: absolute;
    inset-inline: 0;
    top: calc(100% + 4px);
    z-index: 2;
    max-height: 40vh;
    overflow-y: auto;
    margin: 0;
    padding: 8px 0;
    list-style: none;
    border-radius: var(--ha-border-radius-lg, 12px);
    background: var(--card-background-color);
    box-shadow: var(--ha-box-shadow-l, 0 4px 16px rgba(0, 0, 0, 0.25));
  }
  li { padding: 6px 16px; cursor: pointer; }
  li[aria-selected="true"], li:hover { background: var(--secondary-background-color); }
  li > span { display: block; }
  .number { color: var(--secondary-text-color); font-size: var(--ha-font-size-s, 12px); }
`);

export class Recipient extends ShadowElement {
  static styles = [base, fields, styles];

  #contacts;
  #chosen = null;
  #active = -1;
  #shown = [];

  /** `onchoose` gets the contact that was picked. */
  constructor({ words, contacts }, onchoose) {
    super();
    this.#contacts = contacts;
    this.onchoose = onchoose;
    this.#input = h("input", {
      role: "combobox",
      type: "text",
      autocomplete: "off",
      spellcheck: "false",
      dir: "auto",
      "aria-label": words.say("new.to"),
      "aria-autocomplete": "list",
      "aria-controls": "contacts",
      "aria-expanded": "false",
      placeholder: words.say("new.hint"),
      oninput: () => this.#typed(),
      onfocus: () => this.#open(),
      onblur: () => this.#close(),
      onkeydown: (event) => this.#key(event),
    });
    this.#list = h("ul", {
      id: "contacts",
      role: "listbox",
      hidden: true,
      "aria-label": words.say("new.contacts"),
      // The field keeps the focus.
      onmousedown: (event) => event.preventDefault(),
    });
    this.shadowRoot.append(h("label", { class: "field" }, icon("account"), this.#input), this.#list);
  }

  #input;
  #list;

  /** The number to send to: that of the contact, or what was typed. */
  get number() {
    return this.#chosen?.number ?? this.#input.value.trim();
  }

  focus() {
    this.#input.focus();
  }

  clear() {
    this.#chosen = null;
    this.#input.value = "";
  }

  #typed() {
    this.#chosen = null;
    this.#open();
    this.dispatchEvent(new Event("input"));
  }

  #open() {
    const typed = this.#input.value.trim().toLowerCase();
    const digits = typed.replace(/[^\d]/g, "");
    this.#shown = this.#contacts.filter(
      ({ name, number }) =>
        name.toLowerCase().includes(typed) || (digits && number.includes(digits)),
    );
    if (this.#chosen) this.#shown = [];
    this.#list.replaceChildren(
      ...this.#shown.map((contact, index) =>
        h(
          "li",
          {
            id: `contact-${index}`,
            role: "option",
            "aria-selected": "false",
            onclick: () => this.#choose(contact),
          },
          h("span", {}, h("bdi", {}, contact.name)),
          h("span", { class: "number" }, h("bdi", { dir: "ltr" }, contact.number)),
        ),
      ),
    );
    this.#list.hidden = this.#shown.length === 0;
    this.#input.setAttribute("aria-expanded", String(!this.#list.hidden));
    this.#activate(-1);
  }

  #close() {
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#activate(-1);
  }

  #activate(index) {
    this.#active = index;
    [...this.#list.children].forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === index));
      if (at === index) option.scrollIntoView({ block: "nearest" });
    });
    setAttribute(this.#input, "aria-activedescendant", index < 0 ? null : `contact-${index}`);
  }

  #choose(contact) {
    this.#chosen = contact;
    this.#input.value = contact.name;
    this.#close();
    this.dispatchEvent(new Event("input"));
    this.onchoose?.(contact);
  }

  #key(event) {
    const count = this.#shown.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.#list.hidden) this.#open();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (count) this.#activate((this.#active + step + count + (this.#active < 0 && step < 0)) % count);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (this.#active >= 0) this.#choose(this.#shown[this.#active]);
      else this.dispatchEvent(new Event("done"));
    } else if (event.key === "Escape" && !this.#list.hidden) {
      event.stopPropagation();
      this.#close();
    }
  }
}

define("openvox-gsm-recipient", Recipient);
