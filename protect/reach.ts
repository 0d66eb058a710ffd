import { reasonOf } from '../service/log.ts';
import type { Page } from './page.ts';

/** Whether nginx answers on its listener for the keeper, in the server of each host. */
export type Reach = {
  /** Whether nginx answered when it was last asked. */
  isThere(): boolean;
  /** Asks again, if that is due. */
  tick(): void;
  /** Why it does not answer. */
  failure(): string | undefined;
};

export type ReachOptions = {
  hosts: readonly string[];
  /** Resolves with undefined where the answer says nothing, because the keeper has nothing to do, or had in between. */
  look: (host: string) => Promise<Page | undefined>;
  now: () => number;
  onFailure: (reason: string) => void;
};

const AGAIN_EVERY_MS = 30_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export function createReach({ hosts, look, now, onFailure }: ReachOptions): Reach {
  let failure: string | undefined;
  let [reachedAt, tryAt, failures] = [Number.NEGATIVE_INFINITY, 0, 0];
  let isTrying = false;
  return {
    isThere: () => failure === undefined && reachedAt > 0,
    tick() {
      const time = now();
      const isKnown = failure === undefined && Math.abs(time - reachedAt) < AGAIN_EVERY_MS;
      const waits = time < tryAt && tryAt - time <= LONGEST_WAIT_MS;
      if (!isKnown && !isTrying && !waits) void attempt();
    },
    failure: () => failure,
  };

  async function attempt(): Promise<void> {
    isTrying = true;
    try {
      for (const host of hosts) if (!(await knowsKeeper(host))) return;
      failure = undefined;
      reachedAt = now();
      failures = 0;
    } catch (error) {
      failure = reasonOf(error);
      tryAt = now() + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures++);
      onFailure(failure);
    } finally {
      isTrying = false;
    }
  }

  /** Rejects if the server does not know it. Returns false if that was not found out. */
  async function knowsKeeper(host: string): Promise<boolean> {
    const page = await look(host);
    if (page === undefined) return false;
    const { status } = page;
    if (status === 200) return true;
    throw new Error(
      status === 404
        ? `the server of ${host} does not know the keeper: server-protect.conf is missing there, or nginx reads another hot list`
        : `the server of ${host} answers ${status}, not 200`,
    );
  }
}
