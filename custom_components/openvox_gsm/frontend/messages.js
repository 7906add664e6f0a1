/** The module that Home Assistant loads: the page *Messages* and its card. */

import { MessagesCard, offerInPicker } from "./card.js";
import { define } from "./dom.js";
import { MessagesPanel } from "./panel.js";

define("openvox-gsm-messages-panel", MessagesPanel);
define("openvox-gsm-messages", MessagesCard);
offerInPicker("openvox-gsm-messages");
