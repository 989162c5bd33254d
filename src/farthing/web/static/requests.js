// Requests to the server that this page came from.

/** The server understood and said no; `message` is its reason, written for people. */
export class Refused extends Error {}

export async function ask(path, options = {}) {
  const response = await fetch(path, { cache: "no-store", ...options });
  if (response.ok) return response.json();
  const answer = await response.json().catch(() => ({}));
  const reason = answer.error ?? `the server answered ${response.status}`;
  throw response.status < 500 ? new Refused(reason) : new Error(reason);
}

/** A change under a key of its own, as a function that sends it: sent twice, it is made once. */
export function change(path, body, method = "POST") {
  const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  return () => ask(path, { method, headers, body: JSON.stringify(body) });
}
