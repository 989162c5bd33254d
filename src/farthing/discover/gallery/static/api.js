// The questions and changes of the gallery.

import { ask, change } from "./requests.js";

export const api = {
  facts: () => ask("/api/facts"),
  classes: () => ask("/api/classes"),
  images: (of, offset, limit) =>
    ask(`/api/images?offset=${offset}&limit=${limit}${of === null ? "" : `&of=${of}`}`),
};

/** Changes, to be given to a `Saver`; each answers with all classes as they are then. */
export const changes = {
  rename: (of, name) => change("/api/rename", { of, name }),
  merge: (of, into) => change("/api/merge", { of, into }),
  split: (of, images) => change("/api/split", { of, images }),
  move: (images, into) => change("/api/move", { images, into }),
  recut: (count) => change("/api/recut", { num_classes: count }),
  undo: () => change("/api/undo", {}),
};

/** Address of an image: "small" in a class, "large" alone. */
export const imageOf = (id, size = "small") => `/image/${id}/${size}`;
