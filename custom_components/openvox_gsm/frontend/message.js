/** One message or call as an item of a conversation, and what became of it in words. */

import { h, icon, sheet } from "./dom.js";

const STATUS_ICONS = {
  incomplete: "puzzle-outline",
  late: "clock-alert-outline",
  sending: "clock-outline",
  sent: "check",
  delivered: "check-all",
  undelivered: "alert-circle-outline",
  failed: "alert-circle",
  unknown: "help-circle-outline",
};

const CALL_ICONS = {
  ringing: "phone-ring",
  answered: "phone-in-talk",
  missed: "phone-missed",
  busy: "phone-remove",
  no_answer: "phone-remove",
  failed: "phone-remove",
};

const TROUBLE = new Set([
  "incomplete",
  "undelivered",
  "failed",
  "unknown",
  "missed",
  "busy",
  "no_answer",
]);

/** Whether something went wrong that a person should see. */
export const isTrouble = (message) => TROUBLE.has(message.status);

/** Who a conversation is with: contact, number, or the words for a withheld one. */
export function nameOf({ contact, number }, words) {
  return contact ?? number ?? words.say("list.withheld");
}

/** What became of a message, or what kind of call it was; empty for one just received. */
export function statusWords(message, words) {
  if (message.kind === "call") return words.say(`call.${message.direction}_${message.status}`);
  return message.status === "received" ? "" : words.say(`status.${message.status}`);
}

export function statusIcon(message) {
  if (message.kind !== "call") return STATUS_ICONS[message.status];
  const usual = message.direction === "in" ? "phone-incoming" : "phone-outgoing";
  return CALL_ICONS[message.status] ?? usual;
}

/** A text as nodes, with what was searched for marked. */
export function marked(text, search) {
  const wanted = search?.toLowerCase();
  const found = text.toLowerCase();
  // Where lower case has another length, positions would not fit.
  if (!wanted || found.length !== text.length) return [text];
  const nodes = [];
  let end = 0;
  for (let at = found.indexOf(wanted); at >= 0; at = found.indexOf(wanted, end)) {
    nodes.push(text.slice(end, at));
    end = at + wanted.length;
    nodes.push(h("mark", {}, text.slice(at, end)));
  }
  return [...nodes, text.slice(end)];
}

/** Make the item of a conversation that shows a message. */
export function messageItem(message, { words, spanName }, search) {
  const { kind, direction, number, parts, reason } = message;
  const time = new Date(message.time);
  const isCall = kind === "call";
  const who = direction === "out" ? words.say("list.you") : nameOf(message, words);
  const name = statusIcon(message);

  const bubble = isCall
    ? h("div", { class: "bubble" }, icon(name), statusWords(message, words), duration(message, words))
    : h("div", { class: "bubble", dir: "auto" }, marked(message.text ?? "", search));
  const notes = [
    h("time", { datetime: message.time, title: words.dateAndTime(time) }, words.time(time)),
    spanName(message) && h("span", {}, h("bdi", {}, spanName(message))),
    parts > 1 && h("span", {}, words.say("message.parts", { parts: words.number(parts) })),
    !isCall && name && h("span", { class: "status" }, icon(name), statusWords(message, words)),
  ];
  const classes = ["message", direction, kind, isTrouble(message) && "trouble"];
  return h(
    "li",
    { class: classes.filter(Boolean).join(" "), "data-id": message.id },
    h("span", { class: "unseen" }, h("bdi", {}, who), ": "),
    bubble,
    h("div", { class: "notes" }, notes),
    reason && h("div", { class: "reason", dir: "auto" }, reason),
  );
}

function duration(message, words) {
  if (!message.duration) return null;
  return h("span", { class: "duration" }, words.duration(message.duration));
}

export const messageStyles = sheet(`
  .message {
    display: flex;
    flex-direction: column;
    align-items: flex-start;
    width: fit-content;
    max-width: min(85%, 560px);
    margin-block: 4px 10px;
  }
  .message.out { margin-inline-start: auto; align-items: flex-end; }
  .bubble {
    max-width: 100%;
    padding: 8px 12px;
    border-radius: var(--ha-border-radius-xl, 16px);
    font-size: var(--ha-font-size-l, 16px);
    line-height: 1.4;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    unicode-bidi: plaintext;
    /* Stacked accents stay inside. */
    overflow: clip;
  }
  .in > .bubble {
    border-end-start-radius: 4px;
    background: var(--secondary-background-color);
  }
  .out > .bubble {
    border-end-end-radius: 4px;
    background: var(
      --ha-color-fill-primary-normal-resting,
      color-mix(in srgb, var(--primary-color) 20%, transparent)
    );
  }
  .out.trouble.sms > .bubble {
    background: none;
    box-shadow: inset 0 0 0 1px var(--error-color);
  }
  .call > .bubble {
    display: flex;
    align-items: center;
    gap: 8px;
    background: none;
    box-shadow: inset 0 0 0 1px var(--divider-color);
    --mdc-icon-size: 20px;
  }
  .call > .bubble > ha-icon { color: var(--secondary-text-color); }
  .call.trouble > .bubble > ha-icon { color: var(--error-color); }
  .duration { color: var(--secondary-text-color); }
  mark { background: var(--warning-color); color: #000; border-radius: 2px; }

  .notes {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    padding-inline: 4px;
    margin-top: 2px;
    font-size: var(--ha-font-size-s, 12px);
    color: var(--secondary-text-color);
    --mdc-icon-size: 14px;
  }
  .notes > * + *::before { content: "·"; margin-inline: 5px; }
  .status { display: inline-flex; align-items: center; }
  .status > ha-icon { margin-inline-end: 3px; }
  .trouble .status > ha-icon { color: var(--error-color); }
  .reason {
    padding-inline: 4px;
    font-size: var(--ha-font-size-s, 12px);
    line-height: 1.4;
    color: var(--ha-color-on-danger-normal, var(--error-color));
    overflow-wrap: anywhere;
  }
`);
