/** Home Assistant's own question before something is lost. */

/** Ask whether to delete; gives true if the user is sure. */
export async function confirmDeletion(words, { title, text }) {
  const helpers = await window.loadCardHelpers?.();
  if (!helpers?.showConfirmationDialog) return window.confirm(`${title}\n\n${text}`);
  return helpers.showConfirmationDialog(document.querySelector("home-assistant"), {
    title,
    text,
    confirmText: words.common("delete"),
    dismissText: words.common("cancel"),
    destructive: true,
  });
}
