// The boxes of pages: fetched in batches, kept for the pages looked at last, drawn over small images.

import { api } from "./api.js";

const MOST_KEPT = 4000;
const MOST_ASKED = 100;
const SVG = "http://www.w3.org/2000/svg";

export class Marks {
  #kept = new Map(); // page id -> boxes, the page looked at last is the last
  #asked = new Map(); // page id -> [promise, resolve]
  #timer = 0;

  /** The boxes of a page if they are here, else undefined. */
  peek(id) {
    return this.#kept.get(id);
  }

  /** The boxes of a page; asked for together with those of other pages. */
  async get(id) {
    const here = this.#kept.get(id);
    if (here) {
      this.#kept.delete(id);
      this.#kept.set(id, here);
      return here;
    }
    if (!this.#asked.has(id)) {
      const entry = {};
      entry.promise = new Promise((resolve) => (entry.resolve = resolve));
      this.#asked.set(id, entry);
      this.#timer ||= setTimeout(() => this.#ask(), 20);
    }
    return this.#asked.get(id).promise;
  }

  set(id, boxes) {
    this.#kept.delete(id);
    this.#kept.set(id, boxes);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
  }

  async #ask() {
    const batch = [...this.#asked].filter(([, entry]) => !entry.sent).slice(0, MOST_ASKED);
    for (const [, entry] of batch) entry.sent = true;
    this.#timer = 0;
    if (!batch.length) return;
    if (this.#asked.size > batch.length) this.#timer = setTimeout(() => this.#ask(), 0);
    const answer = await api.boxes(batch.map(([id]) => id)).catch(() => ({}));
    for (const [id, entry] of batch) {
      if (answer[id]) this.set(id, answer[id]);
      this.#asked.delete(id);
      entry.resolve(answer[id] ?? []);
    }
  }
}

/** Whether a box scores too low to count: only what a person drew or the threshold lets pass does. */
export const isWeak = (box, threshold) => box.score !== null && box.score < threshold;

/** The boxes that count; where none does, the best one, which is all there is. */
export function telling(boxes, threshold) {
  const counting = boxes.filter((box) => !isWeak(box, threshold));
  return counting.length ? counting : boxes.slice(0, 1);
}

/** Draws boxes into an `svg` that lies over an image of a page of this size, fitted alike. */
export function drawMarks(svg, boxes, { width, height, classIndex, threshold }) {
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const name = (box) => `class-${classIndex(box.label)}${isWeak(box, threshold) ? " is-weak" : ""}`;
  svg.replaceChildren(
    ...["halo", "edge"].flatMap((kind) => boxes.map((box) => rectangle(box, `${kind} ${name(box)}`))),
  );
}

function rectangle(box, name) {
  const element = document.createElementNS(SVG, "rect");
  element.setAttribute("class", name);
  element.setAttribute("x", box.x0);
  element.setAttribute("y", box.y0);
  element.setAttribute("width", Math.max(0, box.x1 - box.x0));
  element.setAttribute("height", Math.max(0, box.y1 - box.y0));
  return element;
}
