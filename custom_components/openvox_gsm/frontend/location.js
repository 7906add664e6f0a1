/** What the page shows, in the part of its address that never leaves the browser. */

/** Read it: `{number}` for a conversation (null: withheld), `{isNew}`, or nothing. */
export function readLocation() {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (parts.has("number")) return { number: parts.get("number") };
  if (parts.has("withheld")) return { number: null };
  return parts.has("new") ? { isNew: true } : {};
}

export function addressOf({ isNew, number }) {
  if (isNew) return "#new";
  if (number === null) return "#withheld";
  return number === undefined ? "" : `#${new URLSearchParams({ number })}`;
}

/** Change the address; with `push`, the browser's Back leads to the one before. */
export function writeLocation(shown, push) {
  const address = location.pathname + addressOf(shown);
  if (push) history.pushState({ openvoxMessages: true }, "", address);
  else history.replaceState(history.state, "", address);
}

/** Whether the browser's Back leads to this page's list. */
export const canGoBack = () => history.state?.openvoxMessages === true;
