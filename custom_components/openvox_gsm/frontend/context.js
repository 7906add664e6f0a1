/** What all parts of the page share: Home Assistant, words, gateways, unsent texts. */

import { readGateways } from "./backend.js";
import { Words } from "./words.js";

/** What the numbers of a conversation have in common: the case of a name doesn't matter. */
export const keyOf = (number) => number?.toLowerCase() ?? number;

const contains = (search) => (text) => text?.toLowerCase().includes(search.toLowerCase());

/** The words for what Home Assistant answers; for all else, it is tried again. */
const ERRORS = {
  unauthorized: "not_allowed",
  not_all_entities: "not_all_entities",
  not_found: "no_gateway",
};

/** Whether the user may send through a whole gateway, or through a span. */
const canSend = ({ can_send }) => can_send;

export class Context {
  gateways = [];
  contacts = [];
  /** What was typed and not sent, for each number. */
  drafts = new Map();

  /** Load what does not change while the page is open. */
  static async load(hass) {
    return new Context(hass, await Words.load(hass));
  }

  #hass;

  constructor(hass, words) {
    this.#hass = hass;
    this.words = words;
  }

  get hass() {
    return this.#hass;
  }

  set hass(hass) {
    this.#hass = hass;
    this.words.localize = hass.localize;
  }

  async readGateways() {
    const { contacts, gateways } = await readGateways(this.hass);
    const { compare } = new Intl.Collator(this.words.language);
    this.gateways = gateways;
    this.contacts = contacts.sort((one, other) => compare(one.name, other.name));
  }

  get isAdmin() {
    return this.hass.user?.is_admin === true;
  }

  /** Whether the user may send through any gateway, or only some of its spans. */
  get canSend() {
    return this.canSendThroughAny || this.gateways.some(({ spans }) => spans.some(canSend));
  }

  /** Whether the user may leave the choice of the span to a gateway. */
  get canSendThroughAny() {
    return this.gateways.some(canSend);
  }

  /** The name of the span a message came or went through; null if it has none yet. */
  spanName = ({ entry_id, span }) => {
    if (span === null) return null;
    const gateway = this.gateways.find((each) => each.entry_id === entry_id);
    const name = gateway?.spans.find((each) => each.span === span)?.name ?? `GSM ${span}`;
    return this.gateways.length > 1 && gateway ? `${name}, ${gateway.title}` : name;
  };

  /** Why something can't be read. */
  errorWords(error) {
    const key = ERRORS[error?.code] ?? "unreadable";
    return this.words.say(`error.${key}`);
  }

  /** Whether a filter lets a message through. */
  passes(message, { entry_id, number, search, span }) {
    return (
      (!entry_id || entry_id === message.entry_id) &&
      (!span || span === message.span) &&
      (number === undefined || keyOf(number) === keyOf(message.number)) &&
      (!search || [message.text, message.number, message.contact].some(contains(search)))
    );
  }
}
