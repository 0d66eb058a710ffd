import { reasonOf } from '../service/log.ts';
import type { Page } from './page.ts';

/** Whether nginx answers on its listener for the keeper, in the server of each host. */
export type Reach = {
  /** Whether nginx answered for that host when it was last asked. */
  isThere(host: string): boolean;
  /** It may not: that host is asked again now, and is not there until it answers. */
  doubt(host: string): void;
  /** nginx did not answer a request for a page, or did. No page is dropped for that: nginx may be restarted. */
  missed(reason: string): void;
  heard(): void;
  /** Asks again for each host for which that is due. */
  tick(): void;
  /** Why it does not answer for that host. */
  failure(host: string): string | undefined;
};

export type ReachOptions = {
  hosts: readonly string[];
  /** Resolves with undefined where the answer says nothing, because the keeper has nothing to do, or had in between. */
  look: (host: string) => Promise<Page | undefined>;
  now: () => number;
  onFailure: (reason: string, hosts: readonly string[]) => void;
};

type Known = { failure?: string; reachedAt: number; tryAt: number; failures: number };

const NEVER_ASKED: Known = { reachedAt: Number.NEGATIVE_INFINITY, tryAt: 0, failures: 0 };
const AGAIN_EVERY_MS = 30_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export function createReach({ hosts, look, now, onFailure }: ReachOptions): Reach {
  const known = new Map(hosts.map((host): [string, Known] => [host, NEVER_ASKED]));
  let isTrying = false;
  let silence: string | undefined;
  return {
    isThere(host) {
      const { failure, reachedAt = 0 } = known.get(host) ?? {};
      return failure === undefined && reachedAt > 0;
    },
    doubt(host) {
      if (known.get(host)?.failure === undefined) known.set(host, NEVER_ASKED);
    },
    tick() {
      const time = now();
      const due = [...known].filter(([, one]) => isDue(one, time)).map(([host]) => host);
      if (due.length > 0 && !isTrying) void attempt(due);
    },
    missed(reason) {
      silence = reason;
    },
    heard() {
      silence = undefined;
    },
    failure: (host) => known.get(host)?.failure ?? silence,
  };

  function isDue({ failure, reachedAt, tryAt }: Known, time: number): boolean {
    const isKnown = failure === undefined && Math.abs(time - reachedAt) < AGAIN_EVERY_MS;
    const waits = time < tryAt && tryAt - time <= LONGEST_WAIT_MS;
    return !isKnown && !waits;
  }

  async function attempt(due: readonly string[]): Promise<void> {
    isTrying = true;
    try {
      for (const host of due) {
        const page = await look(host);
        if (page === undefined) return;
        // What is wrong with the server of one host says nothing of the others.
        if (page.status === 200) reached(host);
        else failed(whyUnknown(host, page.status), [host]);
      }
    } catch (error) {
      failed(reasonOf(error), hosts);
    } finally {
      isTrying = false;
    }
  }

  function reached(host: string): void {
    silence = undefined;
    known.set(host, { reachedAt: now(), tryAt: 0, failures: 0 });
  }

  function failed(failure: string, which: readonly string[]): void {
    for (const host of which) {
      const { reachedAt = Number.NEGATIVE_INFINITY, failures = 0 } = known.get(host) ?? {};
      const tryAt = now() + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
      known.set(host, { failure, reachedAt, tryAt, failures: failures + 1 });
    }
    onFailure(failure, which);
  }
}

function whyUnknown(host: string, status: number): string {
  return status === 404
    ? `the server of ${host} does not know the keeper: server-protect.conf is missing there, or nginx reads another hot list`
    : `the server of ${host} answers ${status}, not 200`;
}
