// Requests to the server that this page came from.

const CONFIDENCE = 0.95; // of promises; the command line takes others

/** The server understood and said no; `message` is its reason, written for people. */
export class Refused extends Error {}

async function ask(path, options = {}) {
  const response = await fetch(path, { cache: "no-store", ...options });
  if (response.ok) return response.json();
  const answer = await response.json().catch(() => ({}));
  const reason = answer.error ?? `the server answered ${response.status}`;
  throw response.status < 500 ? new Refused(reason) : new Error(reason);
}

/** A change under a key of its own: sent twice, it is made once. */
function change(method, path, body) {
  const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  return () => ask(path, { method, headers, body: JSON.stringify(body) });
}

export const api = {
  facts: () => ask("/api/facts"),
  pages: () => ask("/api/pages"),
  boxes: (ids) => ask(`/api/boxes?pages=${ids.join(",")}`),
};

/** Sets the threshold with this recall; resolves with the promise that can be made. */
export const promise = (recall) => change("POST", "/api/calibration", { recall, confidence: CONFIDENCE })();

/** Changes, to be given to a `Saver`: each is a function that sends it, and may be called again. */
export const changes = {
  decide: (page, contains) => change("POST", "/api/decisions", { page, contains }),
  undo: () => change("POST", "/api/undo", {}),
  boxes: (page, boxes) => change("PUT", `/api/boxes/${page}`, { boxes }),
  sample: (pages) => change("POST", "/api/sample", { pages }),
};

/** Address of a page's image: "small" in the grid, "medium" alone, "large" zoomed in. */
export const imageOf = (id, size) => `/image/${id}/${size}`;
