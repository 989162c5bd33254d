// The keyboard: one table that says what each key does, where, and what the help calls it.

import { find, make } from "./elements.js";

const TYPING = "input:not([type=range]):not([type=checkbox]):not([type=radio]), select, textarea";

/**
 * Listens for the keys of a table.
 * @param table rows {keys, about, run, in}: `in` is "viewer", "grid" or missing for both; a row without `run` is only
 *   shown in the help. @param where tells which of the two is open.
 */
export function listen(table, where) {
  const rows = table.filter((row) => row.run);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(TYPING) || find("help").open) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const isOn = (row) => row.keys.includes(key) && (!row.in || row.in === where());
    const row = rows.find(isOn);
    if (!row) return;
    if ((key === "Enter" || key === " ") && event.target.closest?.("button, summary, a")) return;
    event.preventDefault();
    row.run(event);
  });
}

const SHOWN = { " ": "Space", Escape: "Esc", ArrowLeft: "\u2190", ArrowRight: "\u2192", ArrowUp: "\u2191", ArrowDown: "\u2193", Delete: "Del" };

function shown(keys) {
  const marks = keys.map((key) => make("kbd", {}, SHOWN[key] ?? key));
  return marks.length > 3 ? [marks[0], " to ", marks.at(-1)] : marks;
}

/** Fills the list of keys in the help. */
export function describe(table) {
  const entries = table.flatMap(({ keys, about }) => [
    make("dt", {}, ...shown(keys)),
    make("dd", {}, about),
  ]);
  find("keys").replaceChildren(...entries);
}
