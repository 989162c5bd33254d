// The gallery page: loads the classes, wires the parts together, and makes every change.

import { api, changes, imageOf } from "./api.js";
import { count, find, make, plural } from "./elements.js";
import { describe, listen } from "./keys.js";
import { tellSaved, toast } from "./messages.js";
import { Picker } from "./picker.js";
import { Saver } from "./saving.js";
import { Sections, UNSORTED } from "./sections.js";
import { Side, imageFacts } from "./side.js";

const PHONE_CELL_PX = 72;

const [facts, first] = await Promise.all([api.facts(), api.classes()]).catch((error) => {
  tellSaved("failed", 0, `Cannot load: ${error.message}`);
  throw error;
});
let sorting = first;
let rank = []; // ids in the order in which they are shown; a change does not move what is on the screen
let active = null;
let cursor = null; // the image that the keyboard acts on
const chosen = { of: null, images: new Set(), last: null };

const saver = new Saver(tellSaved);
const picker = new Picker();
const sections = new Sections(find("classes"), {
  confirm,
  name,
  merge: askMerge,
  split,
  join,
  goTo,
  look,
  activate,
  select,
  isSelected: (id) => chosen.images.has(id),
});
const side = new Side(facts, { recut, goTo });

// ---- what is shown

const VIEWS = {
  all: { title: "All", has: () => true },
  new: { title: "New", has: (row) => row.is_new && row.id !== UNSORTED },
  known: { title: "Known", has: (row) => !row.is_new && row.id !== UNSORTED },
  open: { title: "To name", has: (row) => row.is_new && !row.is_settled && row.id !== UNSORTED },
  unsorted: { title: "Unsorted", has: (row) => row.id === UNSORTED },
};
let view = "all";

const nearest = (row) => row.near[0]?.similarity ?? -1;
const ORDERS = {
  size: (a, b) => b.size - a.size,
  small: (a, b) => a.size - b.size,
  novelty: (a, b) => b.novelty - a.novelty,
  doubt: (a, b) => a.probability - b.probability,
  alike: (a, b) => nearest(b) - nearest(a),
  name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
};

function allRows() {
  const { unsorted, unsorted_images: images } = sorting;
  const none = { id: UNSORTED, name: "Unsorted", is_new: true, is_settled: false, size: unsorted, probability: 0, novelty: 0, near: [], images };
  return unsorted ? [...sorting.classes, none] : sorting.classes;
}

/** Shows the classes; `isNew` sorts them afresh. */
function show({ isNew = false } = {}) {
  const rows = allRows();
  const byId = new Map(rows.map((row) => [row.id, row]));
  if (isNew) rank = rows.filter(({ id }) => id !== UNSORTED).sort(ORDERS[find("order").value]).map(({ id }) => id);
  else rank = withNew(rank.filter((id) => byId.has(id)), sorting.classes);
  const text = find("text").value.trim().toLowerCase();
  const listed = [...rank, ...(byId.has(UNSORTED) ? [UNSORTED] : [])].map((id) => byId.get(id));
  const shown = listed.filter((row) => VIEWS[view].has(row) && row.name.toLowerCase().includes(text));
  sections.show(shown, byId);
  side.show(sorting.classes);
  showViews(rows);
  find("empty").hidden = shown.length > 0;
  find("empty").textContent = view === "open" ? "Every new class has a name." : "No class here.";
  find("undo").disabled = sorting.num_changes === 0;
  if (!sections.element(active)) activate(shown[0]?.id ?? null, { isQuiet: true });
  else activate(active, { isQuiet: true });
}

/** New classes stand behind the active one, where they came from. */
function withNew(ids, rows) {
  const known = new Set(ids);
  const fresh = rows.map(({ id }) => id).filter((id) => !known.has(id));
  const place = ids.indexOf(active);
  return fresh.length > 3 || place < 0 ? [...ids, ...fresh] : [...ids.slice(0, place + 1), ...fresh, ...ids.slice(place + 1)];
}

function showViews(rows) {
  const buttons = Object.entries(VIEWS)
    .map(([key, { title, has }]) => [key, title, rows.filter((row) => has(row) && (key === "unsorted" || row.id !== UNSORTED)).length])
    .filter(([key, , number]) => number || key === view || key === "all")
    .map(([key, title, number]) => {
      const text = key === "unsorted" ? sorting.unsorted : number;
      const pressed = { type: "button", id: `view-${key}`, "aria-pressed": String(key === view), onclick: () => setView(key) };
      return make("button", pressed, title, make("span", { class: "count" }, count(text)));
    });
  find("views").replaceChildren(...buttons);
}

function setView(key) {
  view = key;
  clear();
  show({ isNew: true });
  document.querySelector("main").scrollTop = 0;
}

function rowOf(id) {
  return allRows().find((row) => row.id === id);
}

// ---- where the keyboard is

function activate(id, { isQuiet = false } = {}) {
  if (id !== active) setCursor(null);
  sections.element(active)?.classList.remove("is-active");
  active = id;
  const element = sections.element(id);
  element?.classList.add("is-active");
  if (element && !isQuiet) element.scrollIntoView({ block: "nearest" });
}

function step(distance) {
  const { order } = sections;
  const place = Math.max(0, Math.min(order.length - 1, order.indexOf(active) + distance));
  if (order.length) activate(order[place]);
}

function goTo(id, other) {
  const target = other || other === 0 ? other : id;
  if (!sections.element(target)) {
    view = "all";
    find("text").value = "";
    show();
  }
  activate(target);
  sections.element(target)?.scrollIntoView({ block: "start" });
}

function setCursor(image, { isQuiet = false } = {}) {
  document.querySelector(".is-cursor")?.classList.remove("is-cursor");
  cursor = image;
  const cell = image === null ? null : sections.element(active)?.querySelector(`[data-image="${image}"]`);
  cell?.classList.add("is-cursor");
  if (!isQuiet) cell?.scrollIntoView({ block: "nearest" });
}

function stepImage(distance) {
  const ids = sections.images(active);
  if (!ids.length) return;
  const place = cursor === null ? (distance > 0 ? 0 : ids.length - 1) : ids.indexOf(cursor) + distance;
  setCursor(ids[Math.max(0, Math.min(ids.length - 1, place))]);
}

// ---- the selection

function select(of, image, isRange) {
  if (chosen.of !== of) clear();
  chosen.of = of;
  const ids = sections.images(of);
  const [from, to] = [ids.indexOf(chosen.last), ids.indexOf(image)].sort((a, b) => a - b);
  if (isRange && from >= 0) for (const id of ids.slice(from, to + 1)) chosen.images.add(id);
  else if (!chosen.images.delete(image)) chosen.images.add(image);
  chosen.last = image;
  setCursor(image, { isQuiet: true });
  showSelection();
}

function clear() {
  chosen.images.clear();
  showSelection();
}

function showSelection() {
  for (const cell of document.querySelectorAll(".image")) {
    cell.setAttribute("aria-pressed", String(chosen.images.has(Number(cell.dataset.image))));
  }
  find("selection").hidden = chosen.images.size === 0;
  find("selected").textContent = count(chosen.images.size);
  find("wrong").disabled = chosen.of === UNSORTED;
  find("take-out").disabled = chosen.of === UNSORTED;
}

/** The selected images, or the one under the cursor. */
function meant() {
  if (chosen.images.size) return [...chosen.images];
  if (cursor !== null) return [cursor];
  toast("Select images first: click, or arrow keys and space.");
  return null;
}

// ---- changes

async function submit(change, message) {
  try {
    sorting = await saver.submit(change);
    clear();
    show();
    if (message) toast(message);
    return true;
  } catch (error) {
    toast(`Not done: ${error.message}`);
    sorting = await api.classes().catch(() => sorting);
    show();
    return false;
  }
}

const isClass = () => active !== null && active !== UNSORTED;

async function confirm(id) {
  const row = rowOf(id);
  if (await submit(changes.rename(id, row.name), `Agreed: ${row.name}`)) step(1);
}

function name(id) {
  const row = rowOf(id);
  if (id === UNSORTED) return;
  if (!row.is_new) return toast("A known class has the name on its labels.");
  sections.edit(id, sorting.classes.map((other) => other.name), (text) => {
    const other = sorting.classes.find((found) => found.name === text && found.id !== id);
    submit(changes.rename(id, text), other ? `Merged into ${text} (u takes it back)` : `Named: ${text}`);
    find("classes").focus({ preventScroll: true });
  });
}

/** All classes but one, those that look like it first. */
function others(id) {
  const similar = new Map((rowOf(id)?.near ?? []).map((near) => [near.id, near.similarity]));
  return sorting.classes.filter((row) => row.id !== id).sort((a, b) => (similar.get(b.id) ?? -1) - (similar.get(a.id) ?? -1));
}

function askMerge(id) {
  const row = rowOf(id);
  const possible = others(id).filter((other) => row.is_new || other.is_new);
  picker.ask(`Merge ${row.name} with`, possible, (other) => join(id, other.id));
}

function join(id, other) {
  const into = rowOf(other);
  active = into.id;
  submit(changes.merge(id, into.id), `Merged with ${into.name} (u takes it back)`);
}

function split(id) {
  submit(changes.split(id, null), "Split in two (u takes it back)");
}

function takeOut() {
  if (chosen.of === UNSORTED) return;
  submit(changes.split(chosen.of, [...chosen.images]), "A new class (u takes it back)");
}

function splitOrTakeOut() {
  if (chosen.images.size) takeOut();
  else if (isClass()) split(active);
}

function wrong() {
  const images = meant();
  if (images && active !== UNSORTED) submit(changes.move(images, null), `${plural(images.length, "image")} taken out`);
}

function askMove() {
  const images = meant();
  if (!images) return;
  picker.ask(`Move ${plural(images.length, "image")} to`, others(chosen.images.size ? chosen.of : active), (row) =>
    submit(changes.move(images, row.id), `Moved to ${row.name}`),
  );
}

function recut(number) {
  submit(changes.recut(number), `Cut into ${plural(number, "class")}`).then((isDone) => isDone && show({ isNew: true }));
}

async function undo() {
  if (sorting.num_changes === 0) return toast("Nothing to take back.");
  if (await submit(changes.undo())) toast("Taken back.");
}

// ---- one image alone

async function look(image) {
  const ids = sections.images(active);
  const place = ids.indexOf(image);
  const [row] = await api.images(active === UNSORTED ? null : active, place, 1);
  if (!row) return;
  find("large-name").textContent = row.name;
  find("large-image").src = imageOf(row.id, "large");
  find("large-facts").replaceChildren(...imageFacts(row));
  setCursor(image);
  if (!find("large").open) find("large").showModal();
}

find("large").addEventListener("keydown", (event) => {
  const distance = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!distance) return;
  stepImage(distance);
  look(cursor);
});

// ---- keyboard

const onClass = (act) => () => isClass() && act(active);

const KEYS = [
  { keys: ["j", "ArrowDown"], about: "Next class", run: () => step(1) },
  { keys: ["k", "ArrowUp"], about: "Previous class", run: () => step(-1) },
  { keys: ["c"], about: "Agree with the class, go on", run: onClass(confirm) },
  { keys: ["n"], about: "Name the class", run: onClass(name) },
  { keys: ["m"], about: "Merge it with another", run: onClass(askMerge) },
  { keys: ["s"], about: "Split it, or make a class of the selected images", run: splitOrTakeOut },
  { keys: ["a"], about: "Show all of its images, or fewer", run: () => active !== null && sections.toggle(active) },
  { keys: ["ArrowRight"], about: "Next image", run: () => stepImage(1) },
  { keys: ["ArrowLeft"], about: "Previous image", run: () => stepImage(-1) },
  { keys: [" "], about: "Select the image", run: (event) => cursor !== null && select(active, cursor, event.shiftKey) },
  { keys: ["Enter"], about: "Look at the image", run: () => cursor !== null && look(cursor) },
  { keys: ["x"], about: "The images are wrong here", run: wrong },
  { keys: ["g"], about: "Move the images to another class", run: askMove },
  { keys: ["u"], about: "Undo the last change", run: undo },
  { keys: ["/"], about: "Search by name", run: () => find("text").focus() },
  { keys: ["Escape"], about: "Clear the selection", run: clear },
  { keys: ["?"], about: "This help", run: () => find("help").showModal() },
];

// ---- start

/** On a narrow window the options lie over the classes. */
function showSide(isOpen) {
  document.body.classList.toggle("has-side", isOpen);
  find("open-side").setAttribute("aria-expanded", isOpen);
}

function resize() {
  document.documentElement.style.setProperty("--cell", `${find("size").value}px`);
}

find("order").onchange = () => show({ isNew: true });
find("text").oninput = () => show();
find("size").oninput = resize;
find("undo").onclick = undo;
find("wrong").onclick = wrong;
find("move").onclick = askMove;
find("take-out").onclick = takeOut;
find("clear").onclick = clear;
find("open-help").onclick = () => find("help").showModal();
find("open-side").onclick = () => showSide(!document.body.classList.contains("has-side"));
document.querySelector("main").addEventListener("pointerdown", () => showSide(false));
describe(KEYS);
listen(KEYS);
document.title = `${facts.name} - gallery`;
find("name").textContent = facts.name;
find("facts").textContent = plural(facts.num_images, "image");
if (matchMedia("(max-width: 860px)").matches) find("size").value = PHONE_CELL_PX;
resize();
show({ isNew: true });
tellSaved("saved", 0, "All saved");
find("classes").focus({ preventScroll: true });
document.documentElement.dataset.ready = "";
