/** Whether this is the full run: `npm run test:full`. */
export const FULL: boolean = process.env.HOTITEM_TEST_FULL === '1';

/** How many examples a property is tried with: `count` by a full run, a tenth by others. Each run has other examples. */
export function runs(count: number): number {
  return FULL ? count : Math.ceil(count / 10);
}

/** The rows of a table of tests: all of them in a full run, the first `count` in others. */
export function firstOf<const Row>(count: number, rows: readonly Row[]): readonly Row[] {
  return FULL ? rows : rows.slice(0, count);
}
