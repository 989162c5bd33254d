// A grid of any length that keeps only the cells near the window in the document.

const MARGIN_ROWS = 2; // drawn above and below the window
const GAP_PX = 14;
const LINE_PX = 30; // the line of text under an image
const SHAPE = 1.3; // height over width of the space for an image
const STEP_KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);

export class Grid {
  #cells = new Map(); // index in the list -> element
  #free = [];
  #positions = new Int32Array(0);
  #active = -1;
  #columns = 1;
  #rowHeight = 1;
  #cellWidth = 1;
  #frame = 0;
  #minWidth = 200;

  /**
   * @param scroller the element that scrolls and has the focus. @param canvas its child, as high as all rows.
   * @param draw called with (cell, position, index, size) to fill a cell. @param clear called with a cell that goes.
   * @param open called when a page is opened. @param moved called after the active page changed.
   */
  constructor(scroller, canvas, { make, draw, clear, open, moved }) {
    Object.assign(this, { scroller, canvas, make, draw, clear, open, moved });
    scroller.addEventListener("scroll", () => this.#schedule(), { passive: true });
    scroller.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("click", (event) => this.#click(event, false));
    canvas.addEventListener("dblclick", (event) => this.#click(event, true));
    new ResizeObserver(() => this.#layout()).observe(scroller);
  }

  /** Position of the page that the keyboard acts on; null in an empty list. */
  get active() {
    return this.#active < 0 ? null : this.#positions[this.#active];
  }

  get activeIndex() {
    return this.#active;
  }

  get positions() {
    return this.#positions;
  }

  /** Shows another list; stays on the same page where the list has it. */
  show(positions, { isNew = true } = {}) {
    const before = this.active;
    this.#positions = positions;
    const found = before === null ? -1 : positions.indexOf(before);
    this.#active = positions.length ? Math.max(found, 0) : -1;
    for (const index of [...this.#cells.keys()]) this.#drop(index);
    this.#layout();
    if (isNew) this.scroller.scrollTop = 0;
    if (found > 0) this.#reveal();
    this.#schedule();
    this.moved();
  }

  /** Draws a page again if it is in the document. */
  refresh(position) {
    for (const [index, cell] of this.#cells) if (this.#positions[index] === position) this.#fill(cell, index);
  }

  refreshAll() {
    for (const [index, cell] of this.#cells) this.#fill(cell, index);
  }

  /** Makes cells at least this wide. */
  resize(minWidth) {
    this.#minWidth = minWidth;
    this.#layout();
    this.#reveal();
  }

  /** Goes to an index of the list; false where the list ends. */
  go(index) {
    if (index < 0 || index >= this.#positions.length) return false;
    const before = this.#active;
    this.#active = index;
    this.#reveal();
    for (const changed of [before, index]) {
      const cell = this.#cells.get(changed);
      if (cell) this.#fill(cell, changed);
    }
    this.#describe();
    this.moved();
    return true;
  }

  #key(event) {
    if (!STEP_KEYS.has(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const last = this.#positions.length - 1;
    const page = this.#columns * Math.max(1, Math.floor(this.scroller.clientHeight / this.#rowHeight));
    const steps = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -this.#columns,
      ArrowDown: this.#columns,
      PageUp: -page,
      PageDown: page,
      Home: -Infinity,
      End: Infinity,
    };
    this.go(Math.max(0, Math.min(last, this.#active + steps[event.key])));
  }

  #click(event, isDouble) {
    const cell = event.target.closest(".cell");
    if (!cell) return;
    const isOpening = isDouble || event.target.closest(".mat") !== null;
    this.go(Number(cell.dataset.index));
    if (isOpening) this.open();
  }

  #layout() {
    const width = this.canvas.clientWidth;
    if (!width) return;
    this.#columns = Math.max(1, Math.floor((width + GAP_PX) / (this.#minWidth + GAP_PX)));
    this.#cellWidth = Math.floor((width - GAP_PX * (this.#columns - 1)) / this.#columns);
    this.#rowHeight = Math.round(this.#cellWidth * SHAPE) + LINE_PX + GAP_PX;
    const rows = Math.ceil(this.#positions.length / this.#columns);
    this.canvas.style.height = `${rows * this.#rowHeight}px`;
    for (const [index, cell] of this.#cells) this.#place(cell, index);
    this.#schedule();
  }

  #reveal() {
    if (this.#active < 0) return;
    const top = Math.floor(this.#active / this.#columns) * this.#rowHeight;
    const { scrollTop, clientHeight } = this.scroller;
    const low = top + this.#rowHeight - clientHeight;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (low > scrollTop) this.scroller.scrollTop = low + GAP_PX;
    this.#render();
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => this.#render());
  }

  #render() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { scrollTop, clientHeight } = this.scroller;
    const first = Math.max(0, Math.floor(scrollTop / this.#rowHeight) - MARGIN_ROWS) * this.#columns;
    const rows = Math.ceil((scrollTop + clientHeight) / this.#rowHeight) + MARGIN_ROWS;
    const end = Math.min(this.#positions.length, rows * this.#columns);
    for (const index of [...this.#cells.keys()]) if (index < first || index >= end) this.#drop(index);
    for (let index = first; index < end; index++) if (!this.#cells.has(index)) this.#add(index);
    this.#describe();
  }

  #add(index) {
    const cell = this.#free.pop() ?? this.make();
    this.#cells.set(index, cell);
    this.#place(cell, index);
    this.#fill(cell, index);
    this.canvas.append(cell);
  }

  #drop(index) {
    const cell = this.#cells.get(index);
    this.#cells.delete(index);
    cell.remove();
    this.clear(cell);
    this.#free.push(cell);
  }

  #place(cell, index) {
    const x = (index % this.#columns) * (this.#cellWidth + GAP_PX);
    const y = Math.floor(index / this.#columns) * this.#rowHeight;
    cell.style.transform = `translate(${x}px, ${y}px)`;
    cell.style.width = `${this.#cellWidth}px`;
    cell.style.height = `${this.#rowHeight - GAP_PX}px`;
  }

  #fill(cell, index) {
    cell.id = `cell-${index}`;
    cell.dataset.index = index;
    cell.setAttribute("aria-posinset", index + 1);
    cell.setAttribute("aria-setsize", this.#positions.length);
    cell.setAttribute("aria-selected", index === this.#active);
    this.draw(cell, this.#positions[index]);
  }

  #describe() {
    if (this.#cells.has(this.#active)) this.scroller.setAttribute("aria-activedescendant", `cell-${this.#active}`);
    else this.scroller.removeAttribute("aria-activedescendant");
  }
}
