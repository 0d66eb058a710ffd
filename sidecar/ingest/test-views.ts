/** A view that `hotitem doctor` asked for, as it came here. */
export type TestView = {
  token: string;
  id: string;
  /** By the clock of nginx, ms since 1970. */
  time: number;
};

export type TestViews = {
  /** `event`: its JSON. */
  note(token: string, event: string): void;
  /** The last few, the newest last. */
  list(): TestView[];
};

/** Any client of the shop can send some. */
const MOST = 16;

/** Remembers the result of test views, so that their sender can follow them into the index. */
export function createTestViews(): TestViews {
  let known: TestView[] = [];
  return {
    note(token, event) {
      const { id, time } = JSON.parse(event) as { id: string; time: number };
      known = [...known, { token, id, time }].slice(-MOST);
    },
    list: () => known,
  };
}
