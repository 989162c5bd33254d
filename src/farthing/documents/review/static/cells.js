// One page in the grid: its image, its boxes, its state and its score.

import { imageOf } from "./api.js";
import { make } from "./elements.js";
import { drawMarks, telling } from "./marks.js";

const SVG = "http://www.w3.org/2000/svg";
const PATIENCE_MS = 70; // cells that scroll by faster than this ask for nothing

export class Cells {
  /** @param pages the collection. @param marks its boxes. @param look which boxes to show: {areShown, shows, isBlind}. */
  constructor(pages, marks, look) {
    Object.assign(this, { pages, marks, look });
  }

  make = () => {
    const picture = make("img", { alt: "", decoding: "async", draggable: "false" });
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "marks");
    svg.setAttribute("aria-hidden", "true");
    const cell = make(
      "div",
      { class: "cell", role: "option" },
      make("div", { class: "mat" }, picture, svg, make("span", { class: "broken" }, "cannot be shown")),
      make(
        "div",
        { class: "caption" },
        make("span", { class: "state" }),
        make("span", { class: "name" }, make("bdi", { dir: "ltr" })),
        make("span", { class: "score" }),
      ),
    );
    picture.addEventListener("error", () => cell.classList.add("is-broken"));
    picture.addEventListener("load", () => cell.classList.add("is-loaded"));
    return cell;
  };

  draw = (cell, position) => {
    const { pages, look } = this;
    const id = pages.id[position];
    const isHidden = look.isBlind() && pages.decision[position] < 0;
    cell.dataset.state = this.stateOf(position, isHidden);
    cell.querySelector("bdi").textContent = pages.page[position];
    cell.querySelector(".score").textContent = isHidden ? "" : pages.scoresOf(look.shows())[position].toFixed(2);
    cell.title = pages.page[position];
    cell.setAttribute("aria-label", this.describe(position, isHidden));
    if (cell.dataset.page !== String(id)) {
      this.clear(cell);
      cell.dataset.page = id;
      cell.timer = setTimeout(() => this.#load(cell, position), PATIENCE_MS);
    }
    this.#overlay(cell, position);
  };

  clear = (cell) => {
    clearTimeout(cell.timer);
    delete cell.dataset.page;
    cell.classList.remove("is-broken", "is-loaded");
    cell.querySelector("img").removeAttribute("src"); // also ends a transfer that nobody waits for any more
    cell.querySelector("svg").replaceChildren();
  };

  stateOf(position, isHidden) {
    const { pages } = this;
    if (pages.decision[position] >= 0) return pages.decision[position] ? "yes" : "no";
    if (isHidden) return "open";
    return pages.stays(position) ? "kept" : "rejected";
  }

  describe(position, isHidden) {
    const state = { yes: "kept by you", no: "rejected by you", open: "not answered", kept: "kept", rejected: "rejected" };
    const { pages } = this;
    const score = isHidden ? "" : `, score ${pages.score[position].toFixed(2)}`;
    return `${pages.page[position]}${score}, ${state[this.stateOf(position, isHidden)]}`;
  }

  #load(cell, position) {
    const id = this.pages.id[position];
    cell.querySelector("img").src = imageOf(id, "small");
    if (this.look.areShown()) this.marks.get(id).then(() => this.#overlay(cell, position));
  }

  #overlay(cell, position) {
    const { pages, marks, look } = this;
    const id = pages.id[position];
    if (cell.dataset.page !== String(id)) return;
    const isHidden = look.isBlind() && pages.decision[position] < 0;
    const boxes = look.areShown() && !isHidden ? marks.peek(id) : [];
    if (boxes === undefined) {
      marks.get(id).then(() => this.#overlay(cell, position));
      return;
    }
    const shown = boxes.filter((box) => look.shows() === null || box.label === look.shows());
    const page = { width: pages.width[position], height: pages.height[position] };
    const { threshold } = pages;
    drawMarks(cell.querySelector("svg"), telling(shown, threshold), { ...page, threshold, classIndex: look.classIndex });
  }
}
