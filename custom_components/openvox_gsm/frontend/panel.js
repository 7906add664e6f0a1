/** The page *Messages*: the conversations beside the open one, or on a phone one of both. */

import { deleteMessages, follow } from "./backend.js";
import { Context } from "./context.js";
import { ConversationList } from "./conversations.js";
import { confirmDeletion } from "./dialog.js";
import { debounce, fire, h, iconButton, ShadowElement, sheet } from "./dom.js";
import { Filter } from "./filter.js";
import { canGoBack, readLocation, writeLocation } from "./location.js";
import { Pane } from "./pane.js";
import { bar, base } from "./styles.js";

/** Up to this width in pixels, list and conversation take turns. */
const ONE_PANE = 640;
const GATEWAYS_AFTER_MS = 300;

const styles = sheet(`
  :host {
    display: flex;
    /* Home Assistant leaves room for what covers the edges of a phone's screen. */
    height: calc(
      100dvh - var(--safe-area-inset-top, 0px) - var(--safe-area-inset-bottom, 0px)
    );
    background: var(--primary-background-color);
  }
  .list {
    display: flex;
    flex-direction: column;
    flex: none;
    width: clamp(280px, 33%, 400px);
    border-inline-end: 1px solid var(--divider-color);
    background: var(--sidebar-background-color, var(--card-background-color));
  }
  .list > .rest { flex: 1; min-height: 0; }
  .list h1 { flex: 1; padding-inline: 12px; }
  openvox-gsm-pane { flex: 1; }
  :host(.single) .list { width: 100%; border: none; }
  :host(.single.open) .list, :host(.single:not(.open)) openvox-gsm-pane { display: none; }
`);

export class MessagesPanel extends ShadowElement {
  static styles = [base, bar, styles];

  #hass;
  #narrow = false;
  #context;
  #shown = {};
  #starts = 0;
  #isRead = false;
  #unfollow;
  #menu;
  #actions;
  #deleteAll;
  #filter;
  #list;
  #pane;

  constructor() {
    super();
    const on = (type, act) => {
      this.shadowRoot.addEventListener(type, ({ detail }) => act(detail));
    };
    on("conversation-chosen", (shown) => this.#open(shown));
    on("back-wanted", () => this.#back());
    on("delete-wanted", (conversation) => this.#delete(conversation));
    on("filter-changed", () => this.#applyFilter());
    on("filter-unwanted", () => this.#filter.clear());
  }

  // What Home Assistant sets

  set hass(hass) {
    this.#hass = hass;
    if (this.#menu) this.#menu.hass = hass;
    if (!this.#context) return;
    this.#context.hass = hass;
    if (!this.#context.words.fit(hass)) this.#start();
  }

  set narrow(narrow) {
    this.#narrow = narrow;
    if (this.#menu) this.#menu.narrow = narrow;
  }

  connectedCallback() {
    window.addEventListener("popstate", this.#onLocation);
    this.#resizes.observe(this);
    this.#start();
  }

  disconnectedCallback() {
    window.removeEventListener("popstate", this.#onLocation);
    this.#resizes.disconnect();
    this.#unfollow?.();
  }

  #resizes = new ResizeObserver(([entry]) => {
    const isSingle = entry.contentRect.width <= ONE_PANE;
    this.classList.toggle("single", isSingle);
    this.#pane?.classList.toggle("single", isSingle);
  });

  // What it is made of

  async #start() {
    const turn = ++this.#starts;
    const drafts = this.#context?.drafts;
    this.#unfollow?.();
    const context = await Context.load(this.#hass);
    if (turn !== this.#starts || !this.isConnected) return;
    this.#context = Object.assign(context, drafts && { drafts });
    this.#isRead = false;
    this.#build();
    this.#unfollow = follow(this.#hass, {
      onStart: () => this.#read(),
      onEvent: (event) => this.#onEvent(event),
      onError: (error) => this.#list.showError(this.#context.errorWords(error)),
    });
  }

  #build() {
    const { words } = this.#context;
    this.#menu = h("ha-menu-button", { ".hass": this.#hass, ".narrow": this.#narrow });
    this.#actions = h("div", { class: "actions" });
    this.#filter = new Filter(this.#context);
    this.#list = new ConversationList(this.#context);
    this.#pane = new Pane(this.#context);
    this.#pane.classList.toggle("single", this.classList.contains("single"));
    const header = [this.#menu, h("h1", {}, words.say("sidebar.title")), this.#actions];
    this.shadowRoot.replaceChildren(
      h(
        "section",
        { class: "list", "aria-label": words.say("list.conversations") },
        h("div", { class: "bar" }, header),
        this.#filter,
        h("div", { class: "rest" }, this.#list),
      ),
      this.#pane,
    );
  }

  async #read() {
    await this.#readGateways();
    this.#list.filter = this.#filter.value;
    if (this.#isRead) {
      this.#pane.read();
      return;
    }
    this.#isRead = true;
    this.#show(readLocation());
  }

  async #readGateways() {
    const { words } = this.#context;
    await this.#context.readGateways();
    this.#filter.gateways = this.#context.gateways.filter(({ can_read }) => can_read);
    this.#actions.replaceChildren();
    if (this.#context.isAdmin) {
      const label = words.say("list.delete_all");
      this.#deleteAll = iconButton("delete-sweep-outline", label, () => this.#delete({}));
      this.#deleteAll.hidden = !this.#context.gateways.some((each) => each.has_messages);
      this.#actions.append(this.#deleteAll);
    }
    if (this.#context.canSend) {
      const label = words.say("new.title");
      const onclick = () => this.#open({ isNew: true });
      this.#actions.append(iconButton("message-plus-outline", label, onclick));
    }
  }

  // What one does

  #open(shown) {
    const isFirst = !this.classList.contains("open");
    writeLocation(shown, isFirst && this.classList.contains("single"));
    this.#show(shown);
  }

  #back() {
    if (canGoBack()) {
      history.back();
      return;
    }
    writeLocation({});
    this.#show({});
  }

  #onLocation = () => {
    const shown = readLocation();
    const isOther = ["number", "isNew"].some((key) => shown[key] !== this.#shown[key]);
    if (isOther && this.#isRead) this.#show(shown);
  };

  async #show(shown) {
    const hadOpen = this.classList.contains("open");
    const isOpen = shown.isNew === true || shown.number !== undefined;
    this.#shown = shown;
    this.classList.toggle("open", isOpen);
    this.#list.selected = shown.number;
    await this.#pane.show(shown, this.#filter.value);
    if (isOpen) this.#pane.focus();
    else if (hadOpen) this.#list.focus();
  }

  #applyFilter() {
    this.#list.filter = this.#filter.value;
    this.#pane.show(this.#shown, this.#filter.value);
  }

  /** Delete a conversation, or without a number everything. */
  async #delete({ name, number }) {
    const { hass, words } = this.#context;
    const kind = number === undefined ? "all" : "conversation";
    const isSure = await confirmDeletion(words, {
      title: words.say(`delete.${kind}_title`),
      text: words.say(`delete.${kind}_text`, { name: `\u2068${name}\u2069` }),
    });
    if (!isSure) return;
    try {
      await deleteMessages(hass, number === undefined ? {} : { number });
    } catch (error) {
      fire(this, "hass-notification", { message: error.message });
      return;
    }
    if (number !== undefined && number === this.#shown.number) this.#back();
  }

  // What happens

  #onEvent(event) {
    if (event.type === "changed") {
      if (this.#deleteAll) this.#deleteAll.hidden = false;
      this.#list.changed(event.message);
      this.#pane.changed(event.message);
    } else if (event.type === "deleted") {
      this.#list.deleted(event);
      this.#pane.deleted(event);
      if (event.all) this.#gatewaysChanged(); // perhaps none is left
    } else if (event.type === "gateways") {
      this.#gatewaysChanged();
    }
  }

  #gatewaysChanged = debounce(GATEWAYS_AFTER_MS, async () => {
    if (!this.isConnected) return;
    try {
      await this.#readGateways();
    } catch {
      return; // Without a connection, everything is read again when that is back.
    }
    this.#list.read();
    this.#pane.gatewaysChanged();
  });
}
