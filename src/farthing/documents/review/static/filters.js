// The controls that choose which pages are shown: views on top, classes, score, decisions, order and name at the side.

import { ANSWERED, NUM_BINS, ORDERS, VIEWS } from "./collection.js";
import { count, find, make, words } from "./elements.js";

const SVG = "http://www.w3.org/2000/svg";
const STEPS = 100; // of the score's range inputs
export const NO_FILTER = { shows: null, low: 0, high: 1, answered: "any", order: "falling", text: "" };

export class Filters {
  #frame = 0;
  #isChanged = false;

  /** @param changed called, at most once a frame, after a control changed. */
  constructor(pages, { view, classIndex, hasSample, changed }) {
    Object.assign(this, { pages, classIndex, changed });
    this.views = hasSample ? VIEWS : VIEWS.filter(({ name }) => name !== "sample");
    this.value = { view, ...NO_FILTER, ...this.#remembered() };
    this.#build();
    this.refresh();
  }

  /** Chooses other pages, from the next frame on. */
  set(change) {
    Object.assign(this.value, change);
    this.#isChanged = true;
    this.recount();
  }

  /** Counts anew, in the next frame. */
  recount() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.refresh();
      if (this.#isChanged) this.changed();
      this.#isChanged = false;
    });
  }

  /** Counts anew and shows what is chosen. */
  refresh() {
    const { value, pages } = this;
    const views = pages.countViews(value);
    for (const { name } of this.views) {
      const button = find(`view-${name}`);
      if (name === value.view && button.getAttribute("aria-pressed") !== "true") button.scrollIntoView({ block: "nearest" });
      button.setAttribute("aria-pressed", name === value.view);
      button.querySelector(".count").textContent = count(views.get(name));
    }
    for (const [name, number] of pages.countClasses(value)) {
      const label = find(`class-${name ?? ""}`);
      label.querySelector("input").checked = name === value.shows;
      label.querySelector(".count").textContent = count(number);
    }
    for (const input of find("answered").querySelectorAll("input")) input.checked = input.value === value.answered;
    find("low").value = Math.round(value.low * STEPS);
    find("high").value = Math.round(value.high * STEPS);
    find("score-range").textContent = `${value.low.toFixed(2)} to ${value.high.toFixed(2)}`;
    find("order").value = value.order;
    history.replaceState(null, "", `#${this.#address()}`);
    find("order").disabled = value.view === "sample";
    if (find("text").value !== value.text) find("text").value = value.text;
    find("reset").disabled = Object.entries(NO_FILTER).every(([name, off]) => value[name] === off);
    this.#drawHistogram();
  }

  /** What is chosen, as it stands in the address: a page that is loaded again shows the same. */
  #address() {
    const { view, ...rest } = this.value;
    const chosen = Object.entries(rest).filter(([name, value]) => value !== NO_FILTER[name]);
    return new URLSearchParams([["view", view], ...chosen]).toString();
  }

  #remembered() {
    const told = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    const among = (name, names) => (names.includes(told[name]) ? { [name]: told[name] } : {});
    const share = (name) => (Number(told[name]) > 0 && Number(told[name]) < 1 ? { [name]: Number(told[name]) } : {});
    return {
      ...among("view", this.views.map(({ name }) => name)),
      ...among("shows", [...this.pages.scores.keys()]),
      ...among("answered", ANSWERED.map(({ name }) => name)),
      ...among("order", ORDERS.map(({ name }) => name)),
      ...(told.text ? { text: told.text } : {}),
      ...share("low"),
      ...share("high"),
    };
  }

  #build() {
    find("views").replaceChildren(
      ...this.views.map(({ name, title, about }) =>
        make(
          "button",
          { type: "button", id: `view-${name}`, title: about, onclick: (event) => this.#choose(name, event) },
          make("span", {}, title),
          make("span", { class: "count" }),
        ),
      ),
    );
    find("classes").append(...[null, ...this.pages.scores.keys()].map((name) => this.#classChoice(name)));
    find("answered").append(...ANSWERED.map(({ name, title }) => choice("answered", name, false, make("span", {}, title))));
    find("order").append(...ORDERS.map(({ name, title }) => make("option", { value: name }, title)));
    find("answered").onchange = (event) => this.set({ answered: event.target.value });
    find("order").onchange = (event) => this.set({ order: event.target.value });
    find("text").oninput = (event) => this.set({ text: event.target.value });
    find("low").oninput = (event) => this.#setRange({ low: event.target.value / STEPS });
    find("high").oninput = (event) => this.#setRange({ high: event.target.value / STEPS });
    find("reset").onclick = () => this.set(NO_FILTER);
  }

  /** Shows a view; a click hands the keyboard to its pages, a key press leaves it here. */
  #choose(view, event) {
    this.set({ view });
    if (event.detail > 0) find("grid").focus();
  }

  #classChoice(name) {
    const swatch = make("span", { class: name === null ? "swatch" : `swatch class-${this.classIndex(name)}` });
    const text = make("span", { class: "text" }, name === null ? "anything wanted" : words(name));
    const label = choice("shows", name ?? "", name === null, swatch, text, make("span", { class: "count" }));
    label.id = `class-${name ?? ""}`;
    label.querySelector("input").onchange = () => this.set({ shows: name });
    return label;
  }

  /** Keeps the two ends in order: the one that moved pushes the other. */
  #setRange(change) {
    const { low, high } = { ...this.value, ...change };
    if (low <= high) this.set({ low, high });
    else this.set("low" in change ? { low, high: low } : { low: high, high });
  }

  #drawHistogram() {
    const { pages, value } = this;
    const bins = pages.histogram(value);
    const highest = Math.sqrt(Math.max(1, ...bins));
    const { low, high } = value;
    const bars = Array.from(bins, (number, index) => {
      const height = (36 * Math.sqrt(number)) / highest; // square roots: rare scores stay visible beside common ones
      const isIn = (index + 1) / NUM_BINS > low && index / NUM_BINS <= high;
      return shape("rect", { x: index + 0.1, y: 40 - height, width: 0.8, height, class: isIn ? "in" : "out" });
    });
    const x = pages.threshold * NUM_BINS;
    find("histogram").replaceChildren(...bars, shape("line", { x1: x, x2: x, y1: 0, y2: 40 }));
  }
}

function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** A radio button that looks as the style says, with its text. */
function choice(group, value, isChosen, ...content) {
  return make("label", {}, make("input", { type: "radio", name: group, value, checked: isChosen }), ...content);
}
