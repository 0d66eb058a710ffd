/** Since when nothing is delivered, ms since 1970, and why. */
export type OutageState = { since: number; reason: string; hint?: string | undefined };

/** The state of delivery: set by the part that delivers, read by those that report it. */
export type Outage = {
  /** An attempt failed. */
  fails(reason: string, hint?: string): void;
  works(): void;
  /** Undefined while no attempt has failed. */
  state(): OutageState | undefined;
};

export function createOutage(now: () => number): Outage {
  let state: OutageState | undefined;
  return {
    fails(reason, hint) {
      state = { since: state?.since ?? now(), reason, hint };
    },
    works() {
      state = undefined;
    },
    state: () => state,
  };
}
