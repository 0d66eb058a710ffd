/** Since when nothing is delivered, ms since 1970, and why. */
export type OutageState = { since: number; reason: string; hint?: string | undefined };

/** Whether delivery works: set by the part that delivers, read by those that show it. */
export type Outage = {
  /** An attempt has failed. */
  fails(reason: string, hint?: string): void;
  works(): void;
  /** Undefined while all is well, as far as anybody has tried. */
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
