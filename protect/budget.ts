import type { Page } from './page.ts';

/*
 * What the keeper may take of the origin, over all items and purges: so many requests at once, and on average so many requests, bytes and
 * seconds of the origin's time per second. Each of these is a bucket that holds one second's worth. A request begins while none is empty.
 * Bytes and seconds are known afterwards: a bucket may go below zero, and then delays those that follow.
 */

export type Budget = {
  /** Whether a request would begin at once. */
  hasRoom(): boolean;
  /** Makes the request when its turn comes, first come, first served. Rejects with its error, and from `close` on at once. */
  spend(request: () => Promise<Page>): Promise<Page>;
  /** Begins what waits for a bucket; due several times a second. */
  tick(): void;
  close(): void;
};

export type BudgetOptions = {
  requestsPerSecond: number;
  now: () => number;
};

/** Requests at once. */
export const AT_ONCE = 4;
const BYTES_PER_SECOND = 20_000_000;
/** Of the origin's time: as much as two of its places. */
const BUSY_SECONDS_PER_SECOND = 2;

export function createBudget({ requestsPerSecond, now }: BudgetOptions): Budget {
  const requests = createBucket(requestsPerSecond, now);
  const bytes = createBucket(BYTES_PER_SECOND, now);
  const seconds = createBucket(BUSY_SECONDS_PER_SECOND, now);
  const buckets = [requests, bytes, seconds];
  let waiting: { begin: () => void; refuse: (error: Error) => void }[] = [];
  let running = 0;
  let isClosed = false;
  return { hasRoom, spend, tick: beginWaiting, close };

  function hasRoom(): boolean {
    return waiting.length === 0 && mayBegin();
  }

  function mayBegin(): boolean {
    return running < AT_ONCE && !buckets.some((bucket) => bucket.isEmpty());
  }

  function spend(request: () => Promise<Page>): Promise<Page> {
    if (isClosed) return Promise.reject(stops());
    return new Promise((resolve, reject) => {
      waiting.push({ begin: () => void run(request).then(resolve, reject), refuse: reject });
      beginWaiting();
    });
  }

  async function run(request: () => Promise<Page>): Promise<Page> {
    running++;
    requests.take(1);
    const began = now();
    try {
      const page = await request();
      bytes.take(page.bytes);
      return page;
    } finally {
      running--;
      seconds.take(Math.max(0, now() - began) / 1_000);
      beginWaiting();
    }
  }

  function beginWaiting(): void {
    while (mayBegin()) {
      const next = waiting.shift();
      if (next === undefined) return;
      next.begin();
    }
  }

  function close(): void {
    isClosed = true;
    const left = waiting;
    waiting = [];
    for (const { refuse } of left) refuse(stops());
  }
}

function stops(): Error {
  return new Error('the sidecar stops');
}

type Bucket = { isEmpty(): boolean; take(amount: number): void };

/** Full at the start. A clock that is set back fills nothing, one that is set forward fills it once. */
function createBucket(perSecond: number, now: () => number): Bucket {
  let [level, filledAt] = [perSecond, now()];
  return {
    isEmpty() {
      const time = now();
      level = Math.min(perSecond, level + (Math.max(0, time - filledAt) / 1_000) * perSecond);
      filledAt = time;
      return level <= 0;
    },
    take(amount) {
      level -= amount;
    },
  };
}
