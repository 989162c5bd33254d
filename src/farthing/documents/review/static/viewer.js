// One page alone: its image as large as the window allows, its boxes to correct, its scores, the decision.

import { imageOf } from "./api.js";
import { BoxEditor } from "./editor.js";
import { find, make, percent, words } from "./elements.js";

const AHEAD = [1, 2, 3, -1]; // neighbours whose images are fetched beforehand, next first
const MOST_FETCHED = 8;
const ZOOMS = [1, 1.5, 2, 3, 4, 6];
const LARGE_FROM = 1.5;

export class Viewer {
  #position = null;
  #zoom = 0; // index in ZOOMS
  #fetched = new Map();

  /** @param actions {decide, step, saveBoxes, closed}. @param look as for `Cells`, with `labels`: names that a box may have. */
  constructor(pages, marks, look, actions) {
    Object.assign(this, { pages, marks, look, actions });
    this.dialog = find("viewer");
    this.stage = find("stage");
    this.picture = find("picture");
    this.editor = new BoxEditor(find("boxes"), {
      classIndex: look.classIndex,
      changed: (boxes) => this.#edited(boxes),
      selected: () => this.#listBoxes(),
    });
    this.editor.label = look.labels[0];
    this.editor.threshold = pages.threshold;
    find("close").onclick = () => this.dialog.close();
    find("previous").onclick = () => actions.step(-1);
    find("next").onclick = () => actions.step(1);
    find("keep").onclick = () => actions.decide(true);
    find("reject").onclick = () => actions.decide(false);
    this.picture.addEventListener("load", () => this.dialog.classList.remove("is-loading", "is-broken"));
    this.picture.addEventListener("error", () => this.dialog.classList.add("is-broken"));
    this.dialog.addEventListener("close", () => this.#closed());
    this.stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => this.#fit()).observe(this.stage);
  }

  get isOpen() {
    return this.dialog.open;
  }

  /** Shows the page at a position of the collection, `index` of `total` in the list. */
  show(position, index, total) {
    const isOther = position !== this.#position;
    this.#position = position;
    find("position").textContent = `${(index + 1).toLocaleString("en")} of ${total.toLocaleString("en")}`;
    find("previous").disabled = index === 0;
    find("next").disabled = index === total - 1;
    if (!this.dialog.open) this.dialog.showModal();
    if (isOther) this.#load();
    this.refresh();
  }

  /** Shows again what the collection says about the page. */
  refresh() {
    if (!this.isOpen) return;
    const { pages } = this;
    const position = this.#position;
    const decision = pages.decision[position];
    find("page-name").textContent = pages.page[position];
    find("verdict").textContent = this.#verdict();
    find("verdict").dataset.state = decision < 0 ? (this.#isHidden() ? "open" : "model") : decision ? "yes" : "no";
    find("keep").setAttribute("aria-pressed", decision === 1);
    find("reject").setAttribute("aria-pressed", decision === 0);
    this.#listScores();
    this.redrawBoxes();
  }

  /** Shows the boxes again, after they or the wish to see them changed. */
  redrawBoxes() {
    if (!this.isOpen || this.editor.isBusy) return;
    const boxes = this.#isHidden() || !this.look.areShown() ? null : (this.marks.peek(this.#id) ?? null);
    const size = { width: this.pages.width[this.#position], height: this.pages.height[this.#position] };
    this.editor.show(boxes, size);
    this.#listBoxes();
  }

  /** Fetches the images and boxes of pages that come soon. */
  prefetch(positions, index) {
    for (const distance of AHEAD) {
      const position = positions[index + distance];
      if (position === undefined) continue;
      const id = this.pages.id[position];
      this.marks.get(id);
      if (this.#fetched.has(id)) continue;
      const picture = new Image();
      picture.src = imageOf(id, "medium");
      this.#fetched.set(id, picture);
    }
    for (const id of this.#fetched.keys()) {
      if (this.#fetched.size <= MOST_FETCHED) break;
      this.#fetched.delete(id);
    }
  }

  /** Zooms in (1), out (-1) or back to the whole page (0), keeping the middle of the window in place. */
  zoom(direction) {
    const { stage } = this;
    const next = direction === 0 ? 0 : Math.min(Math.max(this.#zoom + direction, 0), ZOOMS.length - 1);
    if (next === this.#zoom) return;
    const x = (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth;
    const y = (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight;
    this.#zoom = next;
    this.#fit();
    stage.scrollTo(x * stage.scrollWidth - stage.clientWidth / 2, y * stage.scrollHeight - stage.clientHeight / 2);
    const size = ZOOMS[next] >= LARGE_FROM ? "large" : "medium";
    if (size === "large") this.picture.src = imageOf(this.#id, size);
  }

  get #id() {
    return this.pages.id[this.#position];
  }

  /** Whether the detector's opinion is kept from a person who should form their own. */
  #isHidden() {
    return this.look.isBlind() && this.pages.decision[this.#position] < 0;
  }

  #load() {
    const id = this.#id;
    const frame = find("frame");
    this.#zoom = 0;
    this.dialog.classList.add("is-loading");
    frame.style.backgroundImage = `url("${imageOf(id, "small")}")`;
    this.picture.src = imageOf(id, "medium");
    this.picture.alt = this.pages.page[this.#position];
    this.#fit();
    if (!this.marks.peek(id)) this.marks.get(id).then(() => id === this.#id && this.redrawBoxes());
  }

  #fit() {
    if (this.#position === null) return;
    const width = this.pages.width[this.#position];
    const height = this.pages.height[this.#position];
    const style = getComputedStyle(this.stage);
    const room = {
      width: this.stage.offsetWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight),
      height: this.stage.offsetHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom),
    };
    const scale = Math.min(room.width / width, room.height / height) * ZOOMS[this.#zoom];
    const frame = find("frame");
    frame.style.width = `${Math.round(width * scale)}px`;
    frame.style.height = `${Math.round(height * scale)}px`;
  }

  #wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? 1 : -1);
  }

  #closed() {
    this.#position = null;
    this.picture.removeAttribute("src");
    this.actions.closed();
  }

  #verdict() {
    const { pages } = this;
    const decision = pages.decision[this.#position];
    if (decision >= 0) return decision ? "You kept this page" : "You rejected this page";
    if (this.#isHidden()) return this.look.question;
    const state = pages.stays(this.#position) ? "Kept" : "Rejected";
    const compared = `${pages.score[this.#position].toFixed(2)}, threshold ${pages.threshold.toFixed(2)}`;
    return `${state} by the detector: score ${compared}`;
  }

  #listScores() {
    const rows = [...this.pages.scores].map(([name, scores]) => {
      const score = scores[this.#position];
      const bar = make("span", { class: `bar class-${this.look.classIndex(name)}` });
      bar.style.setProperty("--share", percent(score, 1).replace(" ", ""));
      return make("li", {}, make("span", {}, words(name)), bar, make("b", {}, score.toFixed(2)));
    });
    const title = make("h3", {}, "Scores");
    find("class-scores").replaceChildren(...(this.#isHidden() || rows.length < 2 ? [] : [title, make("ul", {}, ...rows)]));
  }

  #listBoxes() {
    const { editor } = this;
    const rows = editor.boxes.map((box, index) => this.#boxRow(box, index));
    find("box-list").hidden = find("box-hint").hidden = editor.isLocked;
    find("box-hint").textContent = rows.length
      ? "Click a box to select it, drag it to move it, its corners to resize it. Drag elsewhere to draw another."
      : "No boxes. Drag over the page to draw one.";
    const isTouched = make("input", {
      type: "checkbox",
      checked: editor.isTouchable,
      onchange: (event) => this.#touch(event.target.checked),
    });
    const touch = make("label", { class: "check touch-only" }, isTouched, "Edit with a finger");
    find("box-list").replaceChildren(make("h3", {}, "Boxes"), touch, make("ul", {}, ...rows));
  }

  #boxRow(box, index) {
    const { editor, look } = this;
    const options = look.labels.map((name) => make("option", { value: name, selected: name === box.label }, words(name)));
    return make(
      "li",
      { class: index === editor.selected ? "is-selected" : "", onclick: () => editor.select(index) },
      make("span", { class: `swatch class-${look.classIndex(box.label)}` }),
      make(
        "select",
        {
          "aria-label": `Class of box ${index + 1}`,
          onclick: (event) => event.stopPropagation(),
          onchange: (event) => editor.relabel(index, event.target.value),
        },
        ...options,
      ),
      make("b", {}, box.score === null ? "yours" : box.score.toFixed(2)),
      make("button", {
        type: "button",
        class: "plain icon remove",
        "aria-label": `Delete box ${index + 1}`,
        title: "Delete (Del)",
        onclick: (event) => {
          event.stopPropagation();
          editor.remove(index);
        },
      }),
    );
  }

  #touch(isOn) {
    this.editor.isTouchable = isOn;
    find("boxes").classList.toggle("is-touchable", isOn);
  }

  #edited(boxes) {
    this.actions.saveBoxes(this.#position, boxes);
  }
}
