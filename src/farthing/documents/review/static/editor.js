// Boxes over one image: select, move, resize, draw, relabel, delete, with the mouse, a finger or the keyboard.

import { make, words } from "./elements.js";
import { isWeak } from "./marks.js";

const HANDLES = ["n", "ne", "e", "se", "s", "sw", "w", "nw"];
const LEAST_PX = 5; // a shorter drag is a click
const LEAST_SIDE = 2; // page pixels
const STEP_SHARE = 0.005; // of the page's long side, per key press

export class BoxEditor {
  boxes = [];
  selected = -1;
  label = "illustration"; // of the next box that is drawn
  threshold = 0; // boxes of the detector below it do not count
  isLocked = true; // while the boxes of the page are not known or not shown: an edit would replace unseen ones
  isTouchable = false; // whether a finger edits; otherwise it scrolls
  #drag = null;
  #size = { width: 1, height: 1 };

  /** @param layer lies exactly over the image. @param changed called with the boxes after each edit. */
  constructor(layer, { classIndex, changed, selected }) {
    Object.assign(this, { layer, classIndex, changed, told: selected });
    layer.addEventListener("pointerdown", (event) => this.#down(event));
    layer.addEventListener("pointermove", (event) => this.#move(event));
    layer.addEventListener("pointerup", (event) => this.#up(event));
    layer.addEventListener("pointercancel", () => this.#cancel());
    layer.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Shows the boxes of a page of this size; the list is copied. Null shows none and lets none be drawn. */
  show(boxes, size) {
    this.#drag = null;
    this.#size = size;
    this.isLocked = boxes === null;
    this.layer.classList.toggle("is-locked", this.isLocked);
    this.boxes = (boxes ?? []).map((box) => ({ ...box }));
    this.selected = -1;
    this.#draw();
  }

  /** Marks one box, or none for -1. */
  select(index, { focus = false } = {}) {
    this.selected = index;
    if (index >= 0) this.label = this.boxes[index].label;
    this.#draw();
    if (focus && index >= 0) this.layer.querySelector(`[data-index="${index}"]`)?.focus();
    this.told();
  }

  relabel(index, label) {
    this.label = label;
    if (index < 0 || this.boxes[index].label === label) return;
    this.#replace(index, { label });
    this.#commit();
  }

  remove(index) {
    this.boxes.splice(index, 1);
    this.selected = -1;
    this.#commit();
  }

  /** Whether a drag is under way. */
  get isBusy() {
    return this.#drag !== null;
  }

  /** Ends a drag as if it had not begun. */
  #cancel() {
    if (!this.#drag) return;
    this.boxes = this.#drag.before;
    this.#drag = null;
    this.select(-1);
  }

  #point(event) {
    const area = this.layer.getBoundingClientRect();
    const clamp = (value, most) => Math.min(Math.max(value, 0), most);
    return {
      x: clamp(((event.clientX - area.left) / area.width) * this.#size.width, this.#size.width),
      y: clamp(((event.clientY - area.top) / area.height) * this.#size.height, this.#size.height),
    };
  }

  #down(event) {
    if (this.isLocked || event.button !== 0 || (event.pointerType === "touch" && !this.isTouchable)) return;
    event.preventDefault();
    const on = event.target.closest(".box");
    const index = on ? Number(on.dataset.index) : -1;
    const handle = event.target.dataset.side;
    const kind = handle ? "resize" : index >= 0 && index === this.selected ? "move" : "draw";
    this.#drag = {
      kind,
      index,
      side: handle,
      start: this.#point(event),
      screen: [event.clientX, event.clientY],
      isMoved: false,
      before: this.boxes.map((box) => ({ ...box })),
    };
    this.layer.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const drag = this.#drag;
    if (!drag) return;
    const distance = Math.hypot(event.clientX - drag.screen[0], event.clientY - drag.screen[1]);
    if (!drag.isMoved && distance < LEAST_PX) return;
    if (!drag.isMoved && drag.kind === "draw") {
      drag.index = this.boxes.push({ label: this.label, x0: 0, y0: 0, x1: 0, y1: 0, score: null, source: "person" }) - 1;
      this.selected = drag.index;
    }
    drag.isMoved = true;
    this.#replace(drag.index, this.#dragged(drag, this.#point(event)));
    this.#draw();
  }

  #dragged(drag, point) {
    if (drag.kind === "draw") return ordered(drag.start, point);
    const box = drag.before[drag.index];
    if (drag.kind === "move") return this.#shifted(box, point.x - drag.start.x, point.y - drag.start.y);
    const corners = [
      { x: drag.side.includes("w") ? point.x : box.x0, y: drag.side.includes("n") ? point.y : box.y0 },
      { x: drag.side.includes("e") ? point.x : box.x1, y: drag.side.includes("s") ? point.y : box.y1 },
    ];
    return ordered(...corners);
  }

  #shifted(box, dx, dy) {
    const x = Math.min(Math.max(dx, -box.x0), this.#size.width - box.x1);
    const y = Math.min(Math.max(dy, -box.y0), this.#size.height - box.y1);
    return { x0: box.x0 + x, x1: box.x1 + x, y0: box.y0 + y, y1: box.y1 + y };
  }

  #up(event) {
    const drag = this.#drag;
    if (!drag) return;
    this.#drag = null;
    if (!drag.isMoved) {
      this.select(this.#nextBelow(event, drag.index), { focus: true });
      return;
    }
    const box = this.boxes[drag.index];
    if (box.x1 - box.x0 < LEAST_SIDE || box.y1 - box.y0 < LEAST_SIDE) {
      this.boxes = drag.before;
      this.select(-1);
      return;
    }
    this.#commit();
    this.select(drag.index, { focus: true });
  }

  /** A second click on the same place chooses the box beneath. */
  #nextBelow(event, index) {
    if (index < 0 || index !== this.selected) return index;
    const under = document.elementsFromPoint(event.clientX, event.clientY).filter((element) => element.matches(".box"));
    const place = under.findIndex((element) => Number(element.dataset.index) === index);
    return Number(under[(place + 1) % under.length]?.dataset.index ?? -1);
  }

  #key(event) {
    const index = this.selected;
    if (index < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (direction) {
      const step = STEP_SHARE * Math.max(this.#size.width, this.#size.height);
      this.#nudge(index, direction[0] * step, direction[1] * step, event.shiftKey);
    } else if (event.key === "Delete" || event.key === "Backspace") this.remove(index);
    else if (event.key === "Escape") this.select(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #nudge(index, dx, dy, isResizing) {
    const box = this.boxes[index];
    const { width, height } = this.#size;
    const grown = {
      x1: Math.min(Math.max(box.x1 + dx, box.x0 + LEAST_SIDE), width),
      y1: Math.min(Math.max(box.y1 + dy, box.y0 + LEAST_SIDE), height),
    };
    this.#replace(index, isResizing ? grown : this.#shifted(box, dx, dy));
    this.#commit();
    this.select(index, { focus: true });
  }

  /** A box that a person changed is a person's; its corners are whole tenths of a pixel. */
  #replace(index, change) {
    const box = { ...this.boxes[index], ...change, score: null, source: "person" };
    for (const corner of ["x0", "y0", "x1", "y1"]) box[corner] = Math.round(10 * box[corner]) / 10;
    this.boxes[index] = box;
  }

  #commit() {
    this.#draw();
    this.changed(this.boxes.map((box) => ({ ...box })));
    this.told();
  }

  #draw() {
    const drawn = this.boxes.map((box, index) => ({ box, index, area: (box.x1 - box.x0) * (box.y1 - box.y0) }));
    drawn.sort((a, b) => b.area - a.area); // small boxes lie over large ones
    this.layer.replaceChildren(...drawn.map(({ box, index }) => this.#element(box, index)));
  }

  #element(box, index) {
    const isSelected = index === this.selected;
    const text = box.score === null ? words(box.label) : `${words(box.label)} ${box.score.toFixed(2)}`;
    const looks = `${isSelected ? " is-selected" : ""}${isWeak(box, this.threshold) ? " is-weak" : ""}`;
    const element = make(
      "div",
      {
        class: `box class-${this.classIndex(box.label)}${looks}`,
        "data-index": index,
        tabindex: "0",
        role: "group",
        "aria-label": `${text}${isSelected ? ", selected" : ""}`,
        onfocus: () => this.selected !== index && !this.#drag && this.select(index, { focus: true }),
      },
      make("span", { class: "tag" }, text),
      ...(isSelected ? HANDLES.map((side) => make("i", { class: `handle ${side}`, "data-side": side })) : []),
    );
    const { width, height } = this.#size;
    element.style.left = `${(100 * box.x0) / width}%`;
    element.style.top = `${(100 * box.y0) / height}%`;
    element.style.width = `${(100 * (box.x1 - box.x0)) / width}%`;
    element.style.height = `${(100 * (box.y1 - box.y0)) / height}%`;
    return element;
  }
}

function ordered(a, b) {
  return { x0: Math.min(a.x, b.x), y0: Math.min(a.y, b.y), x1: Math.max(a.x, b.x), y1: Math.max(a.y, b.y) };
}
