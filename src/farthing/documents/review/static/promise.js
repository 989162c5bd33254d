// What is promised of the recall, and the way there: draw a sample, answer it, ask for a promise.

import { changes, promise } from "./api.js";
import { count, make, percent } from "./elements.js";

const USUAL_SAMPLE = 200;
const RECALLS = [0.8, 0.9, 0.95, 0.98];
const USUAL_RECALL = 0.95;

export class PromisePanel {
  /** @param answer called to look at the sample. @param say called with a message for the person. */
  constructor(element, { facts, pages, saver, answer, say }) {
    Object.assign(this, { element, facts, pages, saver, answer, say });
    this.drawn = pages.drawn;
    this.isWhole = this.drawn.length === pages.size;
    this.refresh();
  }

  get numAnswered() {
    return this.drawn.reduce((sum, position) => sum + (this.pages.decision[position] >= 0), 0);
  }

  get isAnswered() {
    return this.drawn.length > 0 && this.numAnswered === this.drawn.length;
  }

  refresh() {
    const { title, detail, kind } = this.facts.promise;
    this.element.dataset.kind = kind;
    this.element.replaceChildren(make("h2", {}, title), make("p", {}, detail), ...this.#step());
  }

  /** The next thing to do. */
  #step() {
    if (!this.drawn.length) return [this.#drawing()];
    if (!this.isAnswered) return this.#answering();
    const asking = this.#asking();
    if (this.facts.promise.kind === "open") return asking;
    return [make("details", {}, make("summary", {}, "Another recall, more answers"), ...asking)];
  }

  #drawing() {
    const size = make("input", { type: "number", min: 1, max: this.pages.size, "aria-label": "Pages to look at" });
    size.value = Math.min(USUAL_SAMPLE, this.pages.size);
    const send = () => this.#run(() => this.saver.submit(changes.sample(Number(size.value))), "sample");
    return form("Draw", size, "pages to answer", send);
  }

  #answering() {
    const { drawn, numAnswered } = this;
    const bar = make("progress", { max: drawn.length, value: numAnswered, "aria-label": "Answered pages of the sample" });
    const text = make("p", {}, `${count(numAnswered)} of ${count(drawn.length)} sampled pages answered`);
    return [bar, text, make("button", { type: "button", class: "primary", onclick: this.answer }, "Answer the next one")];
  }

  #asking() {
    const recalls = RECALLS.map((share) => make("option", { value: share, selected: share === USUAL_RECALL }, percent(share)));
    const recall = make("select", { "aria-label": "Recall" }, ...recalls);
    const send = () => this.#run(() => promise(Number(recall.value)), null);
    const parts = [form("Promise", recall, "recall", send)];
    if (!this.isWhole) {
      const double = () => this.#run(() => this.saver.submit(changes.sample(null)), "sample");
      parts.push(make("button", { type: "button", class: "plain", onclick: double }, "Double the sample"));
    }
    return parts;
  }

  /** Sends, then loads everything anew: a sample or a threshold changes all pages. */
  async #run(send, view) {
    for (const control of this.element.querySelectorAll("button, input, select")) control.disabled = true;
    this.element.setAttribute("aria-busy", "true");
    try {
      await send();
      if (view) location.hash = `view=${view}`;
      location.reload();
    } catch (error) {
      this.say(`Not done: ${error.message}`);
      this.element.removeAttribute("aria-busy");
      this.refresh();
    }
  }
}

function form(verb, control, noun, send) {
  const submit = (event) => {
    event.preventDefault();
    send();
  };
  const button = make("button", { type: "submit", class: "primary" }, verb);
  return make("form", { class: "ask", onsubmit: submit }, button, control, make("span", {}, noun));
}
