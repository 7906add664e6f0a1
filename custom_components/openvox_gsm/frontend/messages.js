/* The page Messages of OpenVox GSM gateways. */

class OpenVoxMessagesPanel extends HTMLElement {}

if (!customElements.get("openvox-gsm-messages-panel")) {
  customElements.define("openvox-gsm-messages-panel", OpenVoxMessagesPanel);
}
