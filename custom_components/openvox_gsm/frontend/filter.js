/** Search and the choice of gateway and span, above the list. */

import { debounce, define, fire, h, icon, ShadowElement, sheet } from "./dom.js";
import { base, fields } from "./styles.js";

const SEARCH_AFTER_MS = 300;

const styles = sheet(`
  :host { padding: 12px 16px 4px; }
  .choice {
    display: flex;
    align-items: center;
    gap: 8px;
    margin-top: 4px;
    padding-inline: 12px;
    min-height: 36px;
    color: var(--secondary-text-color);
    --mdc-icon-size: 20px;
  }
  select { flex: 1; min-width: 0; height: 36px; }
  input::-webkit-search-cancel-button { display: none; }
`);

export class Filter extends ShadowElement {
  static styles = [base, fields, styles];

  #search;
  #choice;

  #words;

  constructor({ words }) {
    super();
    this.#words = words;
    const label = words.say("list.search");
    this.#search = h("input", {
      type: "search",
      dir: "auto",
      placeholder: label,
      "aria-label": label,
      oninput: debounce(SEARCH_AFTER_MS, () => this.#changed()),
    });
    this.#choice = h("select", {
      "aria-label": words.say("list.filter"),
      onchange: () => this.#changed(),
    });
    this.shadowRoot.append(
      h("label", { class: "field" }, icon("magnify"), this.#search),
      h("div", { class: "choice" }, icon("filter-variant"), this.#choice),
    );
  }

  /** Offer these gateways and their spans; what was chosen stays if it is among them. */
  set gateways(gateways) {
    const words = this.#words;
    const { value } = this;
    const several = gateways.map((gateway) =>
      h(
        "optgroup",
        { label: gateway.title },
        option(words.say("list.all_spans_of", { gateway: gateway.title }), gateway),
        spanOptions(gateway),
      ),
    );
    this.#choice.replaceChildren(
      h("option", { value: "{}" }, words.say("list.all_spans")),
      ...(gateways.length === 1 ? spanOptions(gateways[0]) : several),
    );
    this.#choice.parentElement.hidden = this.#choice.length <= 2;
    this.value = value;
  }

  /** The chosen `{entry_id?, span?, search?}`. */
  get value() {
    const search = this.#search.value.trim();
    return { ...JSON.parse(this.#choice.value || "{}"), ...(search && { search }) };
  }

  set value({ search = "", ...choice }) {
    this.#search.value = search;
    this.#choice.value = JSON.stringify(choice);
    if (this.#choice.selectedIndex < 0) this.#choice.selectedIndex = 0;
  }

  clear() {
    this.value = {};
    this.#changed();
  }

  #changed() {
    fire(this, "filter-changed");
  }
}

const option = (label, { entry_id, span }) =>
  h("option", { value: JSON.stringify({ entry_id, span }) }, label);

const spanOptions = ({ entry_id, spans: all }) =>
  all.map(({ name, span }) => option(name, { entry_id, span }));

define("openvox-gsm-filter", Filter);
