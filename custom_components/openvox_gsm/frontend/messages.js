/** The module that Home Assistant loads: the page *Messages* and its card. */

import { MessagesCard, offerInPicker } from "./card.js";
import { MessagesPanel } from "./panel.js";

const define = (name, element) => {
  // After an update without a reload, the old one is there already.
  if (!customElements.get(name)) customElements.define(name, element);
};

define("openvox-gsm-messages-panel", MessagesPanel);
define("openvox-gsm-messages", MessagesCard);
offerInPicker("openvox-gsm-messages");
