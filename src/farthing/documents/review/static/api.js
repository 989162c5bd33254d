// The questions and changes of the review page.

import { ask, change } from "./requests.js";

const CONFIDENCE = 0.95; // of promises; the command line takes others

export const api = {
  facts: () => ask("/api/facts"),
  pages: () => ask("/api/pages"),
  boxes: (ids) => ask(`/api/boxes?pages=${ids.join(",")}`),
};

/** Sets the threshold with this recall; resolves with the promise that can be made. */
export const promise = (recall) => change("/api/calibration", { recall, confidence: CONFIDENCE })();

/** Changes, to be given to a `Saver`: each is a function that sends it, and may be called again. */
export const changes = {
  decide: (page, contains) => change("/api/decisions", { page, contains }),
  undo: () => change("/api/undo", {}),
  boxes: (page, boxes) => change(`/api/boxes/${page}`, { boxes }, "PUT"),
  sample: (pages) => change("/api/sample", { pages }),
};

/** Address of a page's image: "small" in the grid, "medium" alone, "large" zoomed in. */
export const imageOf = (id, size) => `/image/${id}/${size}`;
