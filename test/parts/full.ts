/** Whether this is the full run: `npm run test:full`. */
export const FULL: boolean = process.env.HOTITEM_TEST_FULL === '1';

/** How many examples a property is tried with: `count` by a full run, a fourth by others. Each run has other examples. */
export function runs(count: number): number {
  return FULL ? count : Math.ceil(count / 4);
}
