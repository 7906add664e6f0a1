/** What the page asks of Home Assistant: the integration's WebSocket commands, one action. */

const RETRY_MS = 3000;
/** As a right is seldom given while a page is open. */
const RETRY_FORBIDDEN_MS = 60_000;

const command = (hass, name, fields = {}) =>
  hass.callWS({ type: `openvox_gsm/messages/${name}`, ...fields });

/** Whether an error says that the user may not see messages. */
export const isForbidden = (error) => ["unauthorized", "not_all_entities"].includes(error?.code);

/** Gateways with their spans, and the contacts. */
export const readGateways = (hass) => command(hass, "gateways");

/** A page of conversations, newest first; `filter` may have entry_id, span, search. */
export const readConversations = (hass, filter) => command(hass, "conversations", filter);

/** A page of messages, newest first; a number of null means withheld numbers. */
export const readMessages = (hass, filter) => command(hass, "list", filter);

/** Delete a conversation, or without a number everything; gives how many messages. */
export const deleteMessages = async (hass, filter) =>
  (await command(hass, "delete", filter)).deleted;

/** How many characters and SMS a text takes. */
export const countText = (hass, text, entryId) =>
  command(hass, "count", { text, ...(entryId && { entry_id: entryId }) });

/** Send a text and give the outcome for each number; what the action refuses is thrown. */
export async function sendSms(hass, { number, text, entryId, span }) {
  const { response } = await hass.callService(
    "notify",
    "send_sms",
    {
      target: [number],
      message: text,
      ...(entryId && { config_entry_id: entryId }),
      ...(span && { span }),
    },
    undefined,
    false, // The compose field shows errors itself.
    true,
  );
  return response.messages;
}

/**
 * Follow all changes until the function that this gives is called.
 *
 * `onEvent` gets each event. `onStart` is called after each start, also when the
 * connection is back: what happened until then has to be read. `onError` gets an error of
 * either; it's tried again then.
 */
export function follow(hass, { onEvent, onStart, onError }) {
  const { connection } = hass;
  let stopped = false;
  let timer;
  let unsubscribe;

  const start = async () => {
    clearTimeout(timer);
    unsubscribe = undefined;
    try {
      const stop = await connection.subscribeMessage(
        (event) => stopped || onEvent(event),
        { type: "openvox_gsm/messages/subscribe" },
        // Right after a restart, the integration may not be there yet.
        { resubscribe: false },
      );
      // The connection may be gone meanwhile, and the subscription with it.
      unsubscribe = () => stop().catch(() => {});
      if (stopped) {
        unsubscribe();
        return;
      }
      await onStart();
    } catch (error) {
      if (stopped) return;
      unsubscribe?.();
      onError(error);
      timer = setTimeout(start, isForbidden(error) ? RETRY_FORBIDDEN_MS : RETRY_MS);
    }
  };

  connection.addEventListener("ready", start);
  start();
  return () => {
    stopped = true;
    clearTimeout(timer);
    connection.removeEventListener("ready", start);
    unsubscribe?.();
  };
}
