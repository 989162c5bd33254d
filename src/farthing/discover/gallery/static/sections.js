// One section per class: its name, what can be done with it, its images, and the classes that look like it.

import { api, imageOf } from "./api.js";
import { count, make, percent, plural } from "./elements.js";

const PAGE = 200; // images asked for at a time

export const UNSORTED = -1;

export function picture(id) {
  const image = make("img", { src: imageOf(id), alt: "", loading: "lazy", decoding: "async", draggable: "false" });
  image.addEventListener("error", () => image.parentElement?.classList.add("is-broken"));
  return image;
}

export class Sections {
  #sections = new Map(); // id -> {element, row, shown: ids of images in it}

  /**
   * @param list the element that holds all sections. @param act what buttons do: {confirm, name, merge, split, goTo,
   *   join, select, look, activate}.
   */
  constructor(list, act) {
    Object.assign(this, { list, act, byId: new Map(), order: [] });
    list.addEventListener("click", (event) => this.#click(event));
    list.addEventListener("dblclick", (event) => {
      const cell = event.target.closest(".image");
      if (cell) act.look(Number(cell.dataset.image));
    });
  }

  /** Shows these classes in this order; what did not change stays as it is in the document. */
  show(rows, byId) {
    this.byId = byId;
    this.order = rows.map(({ id }) => id);
    const wanted = new Set(this.order);
    for (const [id, { element }] of this.#sections) {
      if (wanted.has(id)) continue;
      element.remove();
      this.#sections.delete(id);
    }
    let before = null;
    for (const row of rows) {
      const { element } = this.#section(row);
      const place = before ? before.nextElementSibling : this.list.firstElementChild;
      if (place !== element) this.list.insertBefore(element, place);
      before = element;
    }
  }

  element(id) {
    return this.#sections.get(id)?.element;
  }

  images(id) {
    return this.#sections.get(id)?.shown ?? [];
  }

  /** Puts a field in the place of a class's name; `done` gets what was typed, unless it was given up. */
  edit(id, names, done) {
    const { element, row } = this.#sections.get(id);
    const title = element.querySelector("h3");
    if (title.hidden) return;
    const field = make("input", { value: row.is_settled ? row.name : "", placeholder: row.name, maxlength: 200, list: "names", "aria-label": `Name of ${row.name}`, autocomplete: "off", spellcheck: "false" });
    const options = make("datalist", { id: "names" }, ...names.map((name) => make("option", { value: name })));
    let isOver = false; // removing the field blurs it
    const end = (isDone) => {
      if (isOver) return;
      isOver = true;
      const text = field.value.trim();
      title.hidden = false;
      options.remove();
      field.remove();
      if (isDone && text) done(text);
      else this.list.focus({ preventScroll: true });
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
      event.stopPropagation();
    });
    field.addEventListener("blur", () => end(false));
    title.hidden = true;
    title.after(field, options);
    field.focus();
  }

  /** Shows all images of a class, or the first rows again. */
  async toggle(id) {
    const section = this.#sections.get(id);
    section.element.classList.toggle("is-open");
    this.#foot(section);
    if (section.element.classList.contains("is-open")) await this.#load(section);
  }

  #section(row) {
    let section = this.#sections.get(row.id);
    const state = JSON.stringify([row, row.near.map(({ id }) => this.byId.get(id))]);
    if (section?.state === state) return section;
    if (!section) {
      const parts = { head: make("header"), strip: make("div", { class: "strip" }), foot: make("footer") };
      const element = make("section", { "data-class": row.id }, parts.head, parts.strip, parts.foot);
      section = { element, ...parts, shown: [] };
      this.#sections.set(row.id, section);
    }
    const isSame = section.row?.size === row.size && String(section.row.images) === String(row.images);
    Object.assign(section, { row, state });
    this.#head(section);
    if (!isSame) {
      this.#fill(section, row.images);
      if (section.element.classList.contains("is-open")) this.#load(section);
    }
    this.#foot(section);
    return section;
  }

  #head({ element, head, row }) {
    const isUnsorted = row.id === UNSORTED;
    const kind = isUnsorted ? "no class" : row.is_settled ? (row.is_new ? "named by you" : "known, agreed") : row.is_new ? "new" : "known";
    const flags = { "is-known": !row.is_new && !isUnsorted, "is-unsorted": isUnsorted, "is-settled": row.is_settled };
    element.className = ["class", ...["is-open", "is-active"].filter((name) => element.classList.contains(name))].join(" ");
    for (const [name, isOn] of Object.entries(flags)) element.classList.toggle(name, isOn);
    element.setAttribute("aria-label", `${row.name}, ${plural(row.size, "image")}, ${kind}`);
    const button = (action, text, key, about) =>
      make("button", { type: "button", class: "plain", "data-act": action, title: about }, text, make("kbd", {}, key));
    const actions = isUnsorted
      ? []
      : [
          ...(row.is_settled ? [] : [button("confirm", "Agree", "c", "The name is right and the images belong here")]),
          ...(row.is_new ? [button("name", "Name", "n", "Give it a name; one that exists merges")] : []),
          button("merge", "Merge", "m", "Put it together with another class"),
          button("split", "Split", "s", "Make two classes of it"),
        ];
    head.replaceChildren(
      make(
        "div",
        { class: "title" },
        make("h3", {}, row.name),
        make("span", { class: "kind" }, kind),
        make("span", { class: "size" }, plural(row.size, "image")),
        ...(isUnsorted ? [] : [make("span", { class: "quiet" }, `sure ${percent(row.probability)} \u00b7 novelty ${row.novelty.toFixed(2)}`)]),
      ),
      make("div", { class: "actions" }, ...actions),
    );
  }

  #foot({ element, foot, row, shown }) {
    const isOpen = element.classList.contains("is-open");
    const chips = row.near.filter(({ id }) => this.byId.has(id)).map(({ id, similarity }) => this.#chip(row, this.byId.get(id), similarity));
    const isWhole = row.size <= shown.length;
    const more = [];
    if (isOpen && !isWhole) more.push(make("button", { type: "button", class: "plain more", "data-act": "more" }, `${count(row.size - shown.length)} more`));
    const columns = Math.max(1, Math.floor((this.list.clientWidth - 30) / (parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--cell")) + 7)));
    if (isOpen || row.size > 2 * columns) {
      const text = isOpen ? "Show less" : `Show all ${count(row.size)}`;
      more.push(make("button", { type: "button", class: "plain more", "data-act": "toggle", "aria-expanded": String(isOpen) }, text));
    }
    foot.replaceChildren(...(chips.length ? [make("span", { class: "quiet" }, "looks like"), ...chips] : []), ...more);
    foot.hidden = !foot.childElementCount;
  }

  #chip(row, other, similarity) {
    const canJoin = row.is_new || other.is_new;
    const go = make("button", { type: "button", class: "go", "data-act": "goTo", "data-other": other.id, title: `Go to ${other.name}` });
    go.append(...other.images.slice(0, 3).map(picture), make("span", {}, other.name), make("span", { class: "quiet" }, similarity.toFixed(2)));
    const join = make("button", { type: "button", class: "join", "data-act": "join", "data-other": other.id, "aria-label": `Merge with ${other.name}` }, "merge");
    return make("span", { class: "chip" }, go, ...(canJoin ? [join] : []));
  }

  #fill(section, ids) {
    section.shown = [...ids];
    section.strip.replaceChildren(...ids.map((id) => this.#cell(id)));
  }

  #cell(id) {
    const isSelected = this.act.isSelected(id);
    return make("button", { type: "button", class: "image", "data-image": id, "aria-pressed": String(isSelected), "aria-label": `Image ${id}`, tabindex: "-1" }, picture(id));
  }

  async #load(section) {
    const { row, shown, strip } = section;
    if (shown.length >= row.size) return;
    const rows = await api.images(row.id === UNSORTED ? null : row.id, shown.length, PAGE);
    if (section.row !== row) return;
    const known = new Set(shown);
    const fresh = rows.map(({ id }) => id).filter((id) => !known.has(id));
    section.shown.push(...fresh);
    strip.append(...fresh.map((id) => this.#cell(id)));
    this.#foot(section);
  }

  #click(event) {
    const element = event.target.closest(".class");
    if (!element) return;
    const id = Number(element.dataset.class);
    this.act.activate(id, { isQuiet: true }); // a page that scrolls under a double click opens another image
    const cell = event.target.closest(".image");
    if (cell) return this.act.select(id, Number(cell.dataset.image), event.shiftKey);
    const button = event.target.closest("[data-act]");
    if (!button) return event.target.closest("h3") && this.act.name(id);
    if (button.dataset.act === "toggle") return this.toggle(id);
    if (button.dataset.act === "more") return this.#load(this.#sections.get(id));
    return this.act[button.dataset.act](id, Number(button.dataset.other));
  }
}
