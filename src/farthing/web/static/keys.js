// The keyboard: one table that says what each key does and what the help calls it.

import { find, make } from "./elements.js";

const TYPING = "input:not([type=range]):not([type=checkbox]):not([type=radio]), select, textarea";
const SHOWN = { " ": "Space", Escape: "Esc", ArrowLeft: "\u2190", ArrowRight: "\u2192", ArrowUp: "\u2191", ArrowDown: "\u2193" };

/**
 * Listens for the keys of a table; not while a person types, nor while a dialog is open that has keys of its own.
 * @param table rows {keys, about, run}. A row without `run` is only shown in the help, one without `about` is not.
 */
export function listen(table) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const row = table.find(({ keys, run }) => run && keys.includes(key));
    if (!row) return;
    if ((key === "Enter" || key === " ") && event.target.closest?.("button, summary, a")) return;
    if (key.startsWith("Arrow") && event.target.closest?.("[type=range]")) return;
    event.preventDefault();
    row.run(event);
  });
}

/** Fills the list of keys in the help. */
export function describe(table) {
  const entries = table
    .filter(({ about }) => about)
    .flatMap(({ keys, about }) => [
      make("dt", {}, ...keys.map((key) => make("kbd", {}, SHOWN[key] ?? key))),
      make("dd", {}, about),
    ]);
  find("keys").replaceChildren(...entries);
}
