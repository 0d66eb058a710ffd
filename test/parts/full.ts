/** Whether this run tries everything: `npm run test:full`. */
export const FULL: boolean = process.env.HOTITEM_TEST_FULL === '1';
