// Choosing a class from a list: the nearest first, or those whose name holds what is typed.

import { find, make, plural } from "./elements.js";
import { picture } from "./sections.js";

const MOST_SHOWN = 60;

export class Picker {
  #rows = [];
  #shown = [];
  #active = 0;
  #done = null;

  constructor() {
    this.dialog = find("picker");
    find("picker-text").addEventListener("input", () => this.#filter());
    find("picker-text").addEventListener("keydown", (event) => this.#key(event));
    find("picker-list").addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (item) this.#choose(this.#shown[Number(item.dataset.place)]);
    });
  }

  /** Asks for one of the classes; `done` gets it, unless the dialog is closed. */
  ask(title, rows, done) {
    this.#rows = rows;
    this.#done = done;
    find("picker-title").textContent = title;
    find("picker-text").value = "";
    this.#filter();
    this.dialog.showModal();
    find("picker-text").focus();
  }

  #filter() {
    const text = find("picker-text").value.trim().toLowerCase();
    this.#shown = this.#rows.filter(({ name }) => name.toLowerCase().includes(text)).slice(0, MOST_SHOWN);
    this.#active = 0;
    const items = this.#shown.map((row, place) =>
      make(
        "li",
        { role: "option", id: `pick-${place}`, "data-place": place },
        ...row.images.slice(0, 4).map(picture),
        make("span", { class: "what" }, row.name),
        make("span", { class: "quiet" }, plural(row.size, "image")),
      ),
    );
    find("picker-list").replaceChildren(...items);
    this.#mark();
  }

  #mark() {
    const items = [...find("picker-list").children];
    for (const [place, item] of items.entries()) item.setAttribute("aria-selected", String(place === this.#active));
    items[this.#active]?.scrollIntoView({ block: "nearest" });
    find("picker-text").setAttribute("aria-activedescendant", items.length ? `pick-${this.#active}` : "");
  }

  #key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      event.preventDefault();
      this.#active = Math.max(0, Math.min(this.#shown.length - 1, this.#active + steps[event.key]));
      this.#mark();
    }
    if (event.key === "Enter") {
      event.preventDefault();
      this.#choose(this.#shown[this.#active]);
    }
  }

  #choose(row) {
    if (!row) return;
    this.dialog.close();
    this.#done(row);
  }
}
