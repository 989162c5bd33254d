// The review page: loads the collection, wires the parts together, and makes every change.

import { api, changes, Refused } from "./api.js";
import { Cells } from "./cells.js";
import { Collection } from "./collection.js";
import { count, find, make, percent, words } from "./elements.js";
import { Filters } from "./filters.js";
import { Grid } from "./grid.js";
import { describe, listen } from "./keys.js";
import { Marks } from "./marks.js";
import { Saver } from "./saving.js";
import { Viewer } from "./viewer.js";

const TOAST_MS = 6000;

const [facts, columns] = await Promise.all([api.facts(), api.pages()]).catch((error) => {
  tellSaved("failed", 0, `Cannot load: ${error.message}`);
  throw error;
});
const pages = new Collection(columns, facts);
const marks = new Marks();
const saver = new Saver(tellSaved);
const mine = []; // changes made in this tab that can be taken back, the last one last

const look = {
  areShown: () => find("show-boxes").checked,
  shows: () => filters.value.shows,
  isBlind: () => filters.value.view === "sample",
  classIndex: (name) => facts.classes.indexOf(name) % 9,
  question: () => list(facts.wanted.map(words)),
  labels: facts.classes,
};

const hasSample = pages.sample.some((place) => place >= 0);
const filters = new Filters(pages, {
  view: "all",
  classIndex: look.classIndex,
  hasSample,
  changed: () => show(),
});
const cells = new Cells(pages, marks, look);
const grid = new Grid(find("grid"), find("canvas"), { ...cells, open, moved });
const viewer = new Viewer(pages, marks, look, { decide, step, saveBoxes, closed: () => find("grid").focus() });

// ---- what is shown

function show() {
  grid.show(pages.select(filters.value));
  find("found").textContent = `${count(grid.positions.length)} ${grid.positions.length === 1 ? "page" : "pages"}`;
  find("empty").hidden = grid.positions.length > 0;
  find("grid").hidden = grid.positions.length === 0;
  if (!grid.positions.length) find("empty").textContent = "No page passes these filters.";
}

function refresh(position) {
  grid.refresh(position);
  viewer.refresh();
  filters.refresh();
}

function open() {
  if (grid.active === null) return;
  viewer.show(grid.active, grid.activeIndex, grid.positions.length);
  viewer.prefetch(grid.positions, grid.activeIndex);
}

function moved() {
  if (viewer?.isOpen) open();
}

function step(distance) {
  if (!grid.go(grid.activeIndex + distance)) toast(distance > 0 ? "That was the last page here." : "That is the first page here.");
}

/** Goes to a page if the list has it. */
function goTo(position) {
  const index = grid.positions.indexOf(position);
  if (index >= 0) grid.go(index);
}

// ---- changes

/** Records a decision about the active page and goes on to the next one. */
function decide(contains) {
  const position = grid.active;
  if (position === null) return;
  const before = { decision: pages.decision[position], keep: pages.keep[position] };
  put(position, { decision: contains ? 1 : 0, keep: contains ? 1 : 0 });
  mine.push({ kind: "decision", position });
  saver.submit(changes.decide(pages.id[position], contains)).catch((error) => {
    mine.splice(mine.findLastIndex((change) => change.position === position), 1);
    put(position, before);
    toast(`Not saved: ${error.message}`);
  });
  grid.go(grid.activeIndex + 1);
}

function saveBoxes(position, boxes) {
  const id = pages.id[position];
  mine.push({ kind: "boxes", position, before: marks.peek(id) ?? [] });
  sendBoxes(position, boxes);
}

function sendBoxes(position, boxes) {
  const id = pages.id[position];
  const before = marks.peek(id);
  marks.set(id, boxes);
  grid.refresh(position);
  saver.submit(changes.boxes(id, boxes)).catch((error) => {
    if (before) marks.set(id, before);
    viewer.redrawBoxes();
    grid.refresh(position);
    toast(`Boxes not saved: ${error.message}`);
  });
}

/** Takes back the last change: of this tab, or the last decision in the store. */
async function undo() {
  const last = mine.pop();
  if (last?.kind === "boxes") {
    goTo(last.position);
    sendBoxes(last.position, last.before);
    viewer.redrawBoxes();
    return;
  }
  try {
    const { undone } = await saver.submit(changes.undo());
    if (!undone) return toast("Nothing to undo.");
    const position = pages.positionOf.get(undone.page);
    put(position, { decision: undone.decision === null ? -1 : Number(undone.decision), keep: Number(undone.keep) });
    goTo(position);
    toast(`Taken back: ${pages.page[position]}`);
  } catch (error) {
    toast(`Not undone: ${error.message}`);
  }
}

function put(position, { decision, keep }) {
  pages.decision[position] = decision;
  pages.keep[position] = keep;
  refresh(position);
}

// ---- messages

function tellSaved(state, waiting, message) {
  const time = new Date().toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
  const text = {
    saved: `Saved ${time}`,
    saving: waiting > 1 ? `Saving ${waiting}` : "Saving",
    failed: `Not saved yet: ${waiting} waiting, trying again`,
  };
  find("saved").dataset.state = state;
  find("saved").querySelector(".text").textContent = message ?? text[state];
}

let toastTimer = 0;

function toast(text) {
  clearTimeout(toastTimer);
  find("toast").textContent = text;
  find("toast").hidden = false;
  // An alert outside an open dialog would be inert and hidden behind it.
  (viewer.isOpen ? viewer.dialog : document.body).append(find("toast"));
  toastTimer = setTimeout(() => (find("toast").hidden = true), TOAST_MS);
}

function list(names) {
  if (names.length < 2) return `a ${names[0] ?? "wanted object"}`;
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

// ---- keyboard

function toggleBoxes() {
  find("show-boxes").checked = !find("show-boxes").checked;
  find("show-boxes").dispatchEvent(new Event("change"));
}

function label(event) {
  const name = facts.classes[Number(event.key) - 1];
  if (!name) return;
  viewer.editor.label = name;
  if (viewer.editor.selected >= 0) viewer.editor.relabel(viewer.editor.selected, name);
  else toast(`The next box you draw: ${words(name)}`);
}

function removeBox() {
  if (viewer.editor.selected >= 0) viewer.editor.remove(viewer.editor.selected);
}

const KEYS = [
  { keys: ["k"], about: "Keep the page, go on", run: () => decide(true) },
  { keys: ["r"], about: "Reject the page, go on", run: () => decide(false) },
  { keys: ["u"], about: "Undo the last decision or box", run: undo },
  { keys: ["ArrowRight", "n"], about: "Next page", run: () => step(1), in: "viewer" },
  { keys: ["ArrowLeft", "p"], about: "Previous page", run: () => step(-1), in: "viewer" },
  { keys: ["n"], about: null, run: () => step(1), in: "grid" },
  { keys: ["p"], about: null, run: () => step(-1), in: "grid" },
  { keys: ["Enter", " "], about: "Open the page", run: open, in: "grid" },
  { keys: ["Escape"], about: "Back to all pages" },
  { keys: ["b"], about: "Show or hide boxes", run: toggleBoxes },
  { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], about: "Class of the selected or next box", run: label, in: "viewer" },
  { keys: ["Delete"], about: "Delete the selected box", run: removeBox, in: "viewer" },
  { keys: ["+", "="], about: "Zoom in", run: () => viewer.zoom(1), in: "viewer" },
  { keys: ["-"], about: "Zoom out", run: () => viewer.zoom(-1), in: "viewer" },
  { keys: ["0"], about: "Whole page", run: () => viewer.zoom(0), in: "viewer" },
  { keys: ["/"], about: "Search by name", run: () => find("text").focus(), in: "grid" },
  { keys: ["?"], about: "This help", run: () => find("help").showModal() },
];

// ---- start

function showFacts() {
  document.title = `${facts.name} - review`;
  find("name").textContent = facts.name;
  const wanted = list(facts.wanted.map(words)).replace(/^a /, "");
  find("facts").textContent = `${count(facts.num_pages)} pages filtered for ${wanted}`;
  if (facts.num_failed) {
    const details = find("unreadable");
    details.hidden = false;
    details.querySelector("summary").textContent = `${count(facts.num_failed)} could not be read`;
    const rows = facts.failed.map(({ page, reason }) => make("li", {}, make("b", {}, page), make("span", {}, reason)));
    if (facts.num_failed > rows.length) rows.push(make("li", {}, "The rest is listed in failed.csv."));
    details.querySelector("ul").replaceChildren(...rows);
  }
}

function showPromise() {
  const { promise } = facts;
  const drawn = pages.sample.reduce((sum, place) => sum + (place >= 0), 0);
  const answered = pages.sample.reduce((sum, place, position) => sum + (place >= 0 && pages.decision[position] >= 0), 0);
  const said = promise
    ? [make("h2", {}, `Recall at least ${percent(promise.recall_lower_bound, 1)}`), make("p", {}, promise.text)]
    : [make("h2", {}, "No recall is promised yet"), make("p", {}, "A sample of pages with your answers makes a promise possible.")];
  const progress = make("progress", { max: drawn, value: answered, "aria-label": "Answered pages of the sample" });
  const share = make("p", { class: "quiet" }, `${count(answered)} of ${count(drawn)} sample pages answered`);
  find("promise").replaceChildren(...said, ...(drawn ? [progress, share] : []));
}

find("show-boxes").onchange = () => {
  grid.refreshAll();
  viewer.redrawBoxes();
};
find("size").oninput = (event) => grid.resize(Number(event.target.value));
find("open-help").onclick = () => find("help").showModal();
find("open-filters").onclick = () => {
  const isOpen = document.body.classList.toggle("has-filters");
  find("open-filters").setAttribute("aria-expanded", isOpen);
};
describe(KEYS.filter(({ about }) => about));
listen(KEYS, () => (viewer.isOpen ? "viewer" : "grid"));
grid.resize(Number(find("size").value));
showFacts();
showPromise();
show();
tellSaved("saved", 0, "All saved");
find("grid").focus();
document.documentElement.dataset.ready = "";
