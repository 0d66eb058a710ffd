/** Whether this is the full run: `npm run test:full`. */
export const FULL: boolean = process.env.HOTITEM_TEST_FULL === '1';

/** How many examples a property is tried with: `count` by a full run, a tenth by others. Each run has other examples. */
export function runs(count: number): number {
  return FULL ? count : Math.ceil(count / 10);
}

/** Of what is tried one by one, such as the rows of a table: all in a full run, the first `count` in others. */
export function firstOf<const Row>(count: number, rows: readonly Row[]): readonly Row[] {
  return FULL ? rows : rows.slice(0, count);
}
