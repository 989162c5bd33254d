// All pages as columns, and the questions that the filters ask of them. A position is an index into the columns.

export const VIEWS = [
  { name: "kept", title: "Kept", about: "What the filter keeps, your decisions included" },
  { name: "doubtful", title: "Doubtful", about: "Near the threshold and not decided by you" },
  { name: "rejected", title: "Rejected", about: "What the filter leaves out, your decisions included" },
  { name: "sample", title: "Sample", about: "Pages drawn for calibration: each answer counts towards the promise" },
  { name: "all", title: "All", about: "Every page that could be read" },
];

export const ORDERS = [
  { name: "falling", title: "Best score first" },
  { name: "rising", title: "Lowest score first" },
  { name: "near", title: "Nearest to the threshold" },
  { name: "page", title: "As in the collection" },
];

export const ANSWERED = [
  { name: "any", title: "Any" },
  { name: "open", title: "None" },
  { name: "yes", title: "Keep" },
  { name: "no", title: "Reject" },
];

export const NUM_BINS = 50;

export class Collection {
  #orders = new Map();
  #lower = null;

  /** @param columns the answer of /api/pages. @param facts the answer of /api/facts. */
  constructor(columns, facts) {
    this.size = columns.id.length;
    this.id = Int32Array.from(columns.id);
    this.page = columns.page;
    this.width = Int32Array.from(columns.width);
    this.height = Int32Array.from(columns.height);
    this.score = Float32Array.from(columns.score);
    this.keep = Int8Array.from(columns.keep);
    this.decision = Int8Array.from(columns.decision); // -1 none, 0 reject, 1 keep
    this.sample = Int32Array.from(columns.sample); // rank in the calibration sample, -1 outside
    this.scores = new Map(facts.wanted.map((name) => [name, Float32Array.from(columns.scores[name] ?? [])]));
    this.threshold = facts.threshold;
    this.doubtful = facts.doubtful;
    this.positionOf = new Map(columns.id.map((id, position) => [id, position]));
  }

  /** Positions of the pages drawn for calibration, in the order in which they are to be looked at. */
  get drawn() {
    return this.#inOrder("sample", null).filter((position) => this.sample[position] >= 0);
  }

  /** Whether a page stays: what a person decided, else what the detector's threshold says. */
  stays(position) {
    return this.decision[position] >= 0 ? this.decision[position] === 1 : this.keep[position] === 1;
  }

  isIn(view, position) {
    switch (view) {
      case "kept":
        return this.stays(position);
      case "rejected":
        return !this.stays(position);
      case "sample":
        return this.sample[position] >= 0;
      case "doubtful": {
        const [low, high] = this.doubtful;
        const score = this.score[position];
        return this.decision[position] < 0 && score >= low && score <= high;
      }
      default:
        return true;
    }
  }

  /** The column that a class is judged by; of the whole page for null. */
  scoresOf(name) {
    return (name === null ? null : this.scores.get(name)) ?? this.score;
  }

  /** Positions that pass all filters, in order. */
  select(filter) {
    const passes = this.#test(filter);
    const order = this.#inOrder(filter.view === "sample" ? "sample" : filter.order, filter.shows);
    return order.filter((position) => this.isIn(filter.view, position) && passes(position));
  }

  /** How many pages each view would show under the other filters. */
  countViews(filter) {
    const passes = this.#test(filter);
    const counts = new Map(VIEWS.map(({ name }) => [name, 0]));
    for (let position = 0; position < this.size; position++) {
      if (!passes(position)) continue;
      for (const { name } of VIEWS) if (this.isIn(name, position)) counts.set(name, counts.get(name) + 1);
    }
    return counts;
  }

  /** How many pages of the view each class would leave; under null for every class. */
  countClasses(filter) {
    const names = [null, ...this.scores.keys()];
    const tests = names.map((shows) => this.#test({ ...filter, shows }));
    const counts = names.map(() => 0);
    for (let position = 0; position < this.size; position++) {
      if (!this.isIn(filter.view, position)) continue;
      for (let index = 0; index < tests.length; index++) if (tests[index](position)) counts[index]++;
    }
    return new Map(names.map((name, index) => [name, counts[index]]));
  }

  /** Pages of the view per bin of the score, whatever range is chosen. */
  histogram(filter) {
    const passes = this.#test({ ...filter, low: 0, high: 1 });
    const scores = this.scoresOf(filter.shows);
    const bins = new Int32Array(NUM_BINS);
    for (let position = 0; position < this.size; position++) {
      if (!this.isIn(filter.view, position) || !passes(position)) continue;
      bins[Math.min(NUM_BINS - 1, Math.floor(scores[position] * NUM_BINS))]++;
    }
    return bins;
  }

  #test({ shows, low, high, answered, text }) {
    const scores = this.scoresOf(shows);
    const needle = text.trim().toLowerCase();
    if (needle) this.#lower ??= this.page.map((name) => name.toLowerCase());
    const wanted = { any: null, open: -1, yes: 1, no: 0 }[answered];
    return (position) => {
      const score = scores[position];
      return (
        score >= low &&
        score <= high &&
        (shows === null || score > 0) &&
        (wanted === null || this.decision[position] === wanted) &&
        (!needle || this.#lower[position].includes(needle))
      );
    };
  }

  #inOrder(order, shows) {
    const key = `${order} ${shows ?? ""}`;
    if (!this.#orders.has(key)) this.#orders.set(key, this.#sorted(order, this.scoresOf(shows)));
    return this.#orders.get(key);
  }

  #sorted(order, scores) {
    const positions = Int32Array.from({ length: this.size }, (_, position) => position);
    const middle = this.threshold;
    const compare = {
      falling: (a, b) => scores[b] - scores[a] || a - b,
      rising: (a, b) => scores[a] - scores[b] || a - b,
      near: (a, b) => Math.abs(scores[a] - middle) - Math.abs(scores[b] - middle) || a - b,
      sample: (a, b) => this.sample[a] - this.sample[b] || a - b,
    }[order];
    return compare ? positions.sort(compare) : positions;
  }
}
