/*
 * Since when Kafka has had views that the index may lack. Counters do not tell: test views, and spilled ones that arrive late, pass too,
 * and do not change which event is the newest. Looks once a second, and costs nothing per event.
 */

export type ForwardedViews = {
  /** To be called once a second. */
  look(): void;
  /**
   * Those viewed later than `time`: when the first of them was forwarded, and in how many different seconds they came; undefined if there
   * are none. Forgets the others.
   */
  after(time: number): { since: number; seconds: number } | undefined;
};

export type ForwardedViewsOptions = {
  /** Views that were accepted as they came; those of files are late, and test views are none. */
  live: () => number;
  /** Events accepted since the start, and those that wait, from before the start too. */
  accepted: () => number;
  waiting: () => number;
  now: () => number;
};

/** What nginx sends arrives earlier. */
const ARRIVES_WITHIN_MS = 10_000;
/** Seconds with views; beyond that every second one is enough. */
const MOST = 10_000;

export function createForwardedViews({
  live,
  accepted,
  waiting,
  now,
}: ForwardedViewsOptions): ForwardedViews {
  let counted = 0;
  let waits: { at: number; accepted: number }[] = [];
  let forwarded: { at: number; since: number }[] = [];
  return {
    look() {
      const at = now();
      const [total, passed] = [accepted(), accepted() - waiting()];
      if (live() > counted) waits = thin([...waits, { at, accepted: total }]);
      // A test view is known before it is accepted.
      counted = Math.max(counted, live());
      const gone = waits.filter((one) => one.accepted <= passed);
      if (gone.length === 0) return;
      waits = waits.filter((one) => one.accepted > passed);
      forwarded = thin([...forwarded, ...gone.map((one) => ({ at: one.at, since: at }))]);
    },
    after(time) {
      forwarded = forwarded.filter(({ at }) => at > time + ARRIVES_WITHIN_MS);
      const [first] = forwarded;
      return first && { since: first.since, seconds: forwarded.length };
    },
  };
}

function thin<Mark>(marks: Mark[]): Mark[] {
  return marks.length > MOST ? marks.filter((_, i) => i % 2 === 0) : marks;
}
