// Changes go to the server one after another. A change that did not arrive is sent again until it does.

import { Refused } from "./requests.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Saver {
  #jobs = [];
  #running = false;
  #tell;

  /** @param tell called with "saving", "saved" or "failed", and how many changes wait. */
  constructor(tell) {
    this.#tell = tell;
    addEventListener("beforeunload", (event) => {
      if (this.#jobs.length) event.preventDefault();
    });
  }

  /** How many changes are not on the disk yet. */
  get waiting() {
    return this.#jobs.length;
  }

  /** Sends a change after those before it; resolves with the server's answer once it is on the disk. */
  submit(send) {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ send, resolve, reject });
      this.#run();
    });
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    let wait = FIRST_PAUSE_MS;
    while (this.#jobs.length) {
      const job = this.#jobs[0];
      this.#tell("saving", this.#jobs.length);
      try {
        const answer = await job.send();
        this.#jobs.shift();
        job.resolve(answer);
        wait = FIRST_PAUSE_MS;
      } catch (error) {
        if (error instanceof Refused) {
          this.#jobs.shift();
          job.reject(error);
          continue;
        }
        this.#tell("failed", this.#jobs.length);
        await pause(wait);
        wait = Math.min(wait * 2, LONGEST_PAUSE_MS);
      }
    }
    this.#running = false;
    this.#tell("saved", 0);
  }
}
