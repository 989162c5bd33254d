// Beside the classes: how many there are, how large, how many have a name.

import { count, find, make, percent } from "./elements.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 1.6; // the slider reaches so far beyond the plausible numbers

export class Side {
  /** @param facts of the run. @param recut called with a number of classes. @param goTo called with a class. */
  constructor(facts, { recut, goTo }) {
    Object.assign(this, { facts, recut, goTo });
    find("cut").hidden = !facts.can_recut;
    find("no-cut").hidden = facts.can_recut;
    find("no-cut").textContent = "This run keeps its number of classes; merge and split change it.";
    if (facts.can_recut) this.#slider();
  }

  /** Shows the classes as they are. */
  show(rows) {
    const { facts } = this;
    find("k").textContent = count(rows.length);
    const numNew = rows.filter((row) => row.is_new).length;
    find("k-detail").textContent = `${count(rows.length - numNew)} known, ${count(numNew)} new`;
    if (facts.can_recut && document.activeElement !== find("cut-to")) find("cut-to").value = rows.length;
    const named = rows.filter((row) => row.is_settled).length;
    find("progress").value = rows.length ? named / rows.length : 0;
    find("progress-text").textContent = `${count(named)} of ${count(rows.length)}`;
    this.#sizes(rows);
  }

  #slider() {
    const { facts } = this;
    const slider = find("cut-to");
    slider.min = Math.max(1, facts.num_known, Math.floor(facts.k_low / MARGIN));
    slider.max = Math.max(Number(slider.min) + 1, Math.min(facts.num_images, Math.ceil(facts.k_high * MARGIN)));
    const place = (number) => (number - slider.min) / (slider.max - slider.min);
    find("plausible").style.setProperty("--low", place(facts.k_low));
    find("plausible").style.setProperty("--high", place(facts.k_high));
    const plausible = `plausible: ${count(facts.k_low)} to ${count(facts.k_high)}`;
    find("cut-about").textContent = plausible;
    slider.addEventListener("input", () => {
      find("k").textContent = count(Number(slider.value));
    });
    slider.addEventListener("change", () => this.recut(Number(slider.value)));
  }

  /** A bar per class, largest first, as high as the logarithm of its size. */
  #sizes(rows) {
    const sorted = [...rows].sort((a, b) => b.size - a.size);
    const most = Math.log(1 + (sorted[0]?.size ?? 1));
    const svg = find("sizes");
    svg.setAttribute("viewBox", `0 0 ${Math.max(sorted.length, 8)} 100`);
    const bars = sorted.map((row, place) => {
      const height = (100 * Math.log(1 + row.size)) / most;
      const bar = document.createElementNS(SVG, "rect");
      const values = { x: place + 0.08, y: 100 - height, width: 0.84, height };
      for (const [name, value] of Object.entries(values)) bar.setAttribute(name, value);
      bar.setAttribute("class", row.is_settled ? "is-settled" : row.is_new ? "is-new" : "is-known");
      const title = document.createElementNS(SVG, "title");
      title.textContent = `${row.name}: ${count(row.size)}`;
      bar.append(title);
      bar.addEventListener("click", () => this.goTo(row.id));
      return bar;
    });
    svg.replaceChildren(...bars);
  }
}

/** What is said of one image when it is shown alone. */
export function imageFacts(image) {
  const rows = [
    ["Probability", image.is_given ? "its label was given" : percent(image.probability, 1)],
    ["Novelty", image.novelty.toFixed(3)],
    ...(image.second ? [["Second choice", image.second]] : []),
  ];
  return rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
}
