/** A test view of `hotitem doctor`, as it arrived here. */
export type TestView = {
  token: string;
  id: string;
  /** By nginx's clock, ms since 1970. */
  time: number;
};

export type TestViews = {
  /** `event`: its JSON. */
  note(token: string, event: string): void;
  /** The most recent ones, newest last. */
  list(): TestView[];
  /** How many there have been. */
  count(): number;
};

/** Any client of the shop can send test views. */
const MOST = 16;

/** Remembers the outcome of test views, so that `hotitem doctor` can follow them into the index. */
export function createTestViews(): TestViews {
  let known: TestView[] = [];
  let count = 0;
  return {
    note(token, event) {
      count++;
      const { id, time } = JSON.parse(event) as { id: string; time: number };
      known = [...known, { token, id, time }].slice(-MOST);
    },
    list: () => known,
    count: () => count,
  };
}
