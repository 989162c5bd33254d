// What a page tells: whether changes are saved, and short messages that go away by themselves.

import { find } from "./elements.js";

const TOAST_MS = 6000;

/** How saving stands, for a `Saver`: "saved", "saving" or "failed", and how many changes wait. */
export function tellSaved(state, waiting, message) {
  const time = new Date().toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
  const text = {
    saved: `Saved ${time}`,
    saving: waiting > 1 ? `Saving ${waiting}` : "Saving",
    failed: `Not saved yet: ${waiting} waiting, trying again`,
  };
  find("saved").dataset.state = state;
  find("saved").querySelector(".text").textContent = message ?? text[state];
}

let timer = 0;

/** Shows a text for a while: in the open dialog if there is one, which would hide what lies outside of it. */
export function toast(text) {
  clearTimeout(timer);
  find("toast").textContent = text;
  find("toast").hidden = false;
  (document.querySelector("dialog[open]") ?? document.body).append(find("toast"));
  timer = setTimeout(() => (find("toast").hidden = true), TOAST_MS);
}
