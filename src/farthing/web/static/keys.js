// The keyboard: one table that says what each key does and what the help calls it.

import { find, make } from "./elements.js";

const TYPING = "input:not([type=range]):not([type=checkbox]):not([type=radio]), select, textarea";
const SHOWN = { " ": "Space", Escape: "Esc", ArrowLeft: "\u2190", ArrowRight: "\u2192", ArrowUp: "\u2191", ArrowDown: "\u2193", Delete: "Del" };

/**
 * Listens for the keys of a table; not while a person types, nor where a dialog is open that has keys of its own.
 * @param table rows {keys, about, run, in}. A row without `run` is only shown in the help, one without `about` is not;
 *   one with `in` acts there alone.
 * @param where tells what is open, as `in` names it; null where no key of the table acts.
 */
export function listen(table, where = () => (document.querySelector("dialog[open]") ? null : "page")) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = where();
    if (event.target.closest?.(TYPING) || place === null) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const row = table.find((row) => row.run && row.keys.includes(key) && (!row.in || row.in === place));
    if (!row) return;
    if ((key === "Enter" || key === " ") && event.target.closest?.("button, summary, a")) return;
    if (key.startsWith("Arrow") && event.target.closest?.("[type=range]")) return;
    event.preventDefault();
    row.run(event);
  });
}

/** The keys of a row as marks; many are told by the first and the last. */
function shown(keys) {
  const marks = keys.map((key) => make("kbd", {}, SHOWN[key] ?? key));
  return marks.length > 3 ? [marks[0], " to ", marks.at(-1)] : marks;
}

/** Fills the list of keys in the help. */
export function describe(table) {
  const entries = table
    .filter(({ about }) => about)
    .flatMap(({ keys, about }) => [make("dt", {}, ...shown(keys)), make("dd", {}, about)]);
  find("keys").replaceChildren(...entries);
}
