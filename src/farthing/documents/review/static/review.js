// The review page: loads the collection, wires the parts together, and makes every change.

import { api, changes } from "./api.js";
import { Cells } from "./cells.js";
import { Collection } from "./collection.js";
import { count, find, make, words } from "./elements.js";
import { Filters, NO_FILTER } from "./filters.js";
import { Grid } from "./grid.js";
import { describe, listen } from "./keys.js";
import { Marks } from "./marks.js";
import { tellSaved, toast } from "./messages.js";
import { PromisePanel } from "./promise.js";
import { Saver } from "./saving.js";
import { Viewer } from "./viewer.js";

const NUM_COLORS = 9; // in the style sheet
const NARROW_CELL_PX = 160; // two beside each other on a phone

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
  classIndex: (name) => facts.classes.indexOf(name) % NUM_COLORS,
  question: facts.question,
  labels: facts.classes,
};

const filters = new Filters(pages, {
  view: "kept",
  classIndex: look.classIndex,
  hasSample: pages.drawn.length > 0,
  changed: () => show(),
});
const cells = new Cells(pages, marks, look);
const grid = new Grid(find("grid"), find("canvas"), { ...cells, open, moved });
const viewer = new Viewer(pages, marks, look, { decide, step, saveBoxes, closed: () => find("grid").focus() });
const promise = new PromisePanel(find("promise"), { facts, pages, saver, answer, say: toast });

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
  filters.recount();
  if (pages.sample[position] >= 0) promise.refresh();
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
  if (!grid.go(grid.activeIndex + 1)) atEnd();
}

function atEnd() {
  if (filters.value.view !== "sample" || !promise.isAnswered) return toast("That was the last page here.");
  viewer.dialog.close();
  return toast("Every sampled page is answered: now ask for a promise.");
}

/** Shows the first page of the sample that waits for an answer. */
function answer() {
  showFilters(false);
  filters.set({ ...NO_FILTER, view: "sample" });
  requestAnimationFrame(() => {
    const next = grid.positions.findIndex((position) => pages.decision[position] < 0);
    if (next >= 0 && grid.go(next)) open();
  });
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
  { keys: ["Escape"], about: "Back to the pages" },
  { keys: ["b"], about: "Show or hide boxes", run: toggleBoxes },
  { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], about: "Class of the selected or next box", run: label, in: "viewer" },
  { keys: ["Delete"], about: "Delete the selected box", run: removeBox, in: "viewer" },
  { keys: ["+", "="], about: "Zoom in", run: () => viewer.zoom(1), in: "viewer" },
  { keys: ["-"], about: "Zoom out", run: () => viewer.zoom(-1), in: "viewer" },
  { keys: ["0"], about: "Whole page", run: () => viewer.zoom(0), in: "viewer" },
  { keys: ["/"], about: "Search by name", run: () => find("text").focus(), in: "grid" },
  { keys: ["?"], about: "This help", run: () => find("help").showModal() },
];

/** What the keys act on. */
function place() {
  if (find("help").open) return null;
  return viewer.isOpen ? "viewer" : "grid";
}

// ---- start

/** On a narrow window the filters lie over the pages. */
function showFilters(isOpen) {
  document.body.classList.toggle("has-filters", isOpen);
  find("open-filters").setAttribute("aria-expanded", isOpen);
}

function showFacts() {
  document.title = `${facts.name} - review`;
  find("name").textContent = facts.name;
  find("facts").textContent = `${count(facts.num_pages)} pages`;
  find("facts").title = `Filtered for ${facts.wanted.map(words).join(", ")}`;
  if (facts.num_failed) {
    const details = find("unreadable");
    details.hidden = false;
    details.querySelector("summary").textContent = `${count(facts.num_failed)} could not be read`;
    const rows = facts.failed.map(({ page, reason }) => make("li", {}, make("b", {}, page), make("span", {}, reason)));
    if (facts.num_failed > rows.length) rows.push(make("li", {}, "The rest is listed in failed.csv."));
    details.querySelector("ul").replaceChildren(...rows);
  }
}

for (const button of document.querySelectorAll(".undo")) button.onclick = undo;
find("show-boxes").onchange = () => {
  grid.refreshAll();
  viewer.redrawBoxes();
};
find("size").oninput = (event) => grid.resize(Number(event.target.value));
find("open-help").onclick = () => find("help").showModal();
find("open-filters").onclick = () => showFilters(!document.body.classList.contains("has-filters"));
find("grid").addEventListener("pointerdown", () => showFilters(false));
describe(KEYS);
listen(KEYS, place);
if (matchMedia("(max-width: 860px)").matches) find("size").value = NARROW_CELL_PX;
grid.resize(Number(find("size").value));
showFacts();
show();
tellSaved("saved", 0, "All saved");
find("grid").focus();
document.documentElement.dataset.ready = "";
