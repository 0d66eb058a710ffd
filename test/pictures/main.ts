import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { runHotitem } from '../integration/run-hotitem.ts';
import { type Started, startDemo } from '../integration/start-demo.ts';
import { launchChromium } from '../parts/browser.ts';
import { report } from '../parts/report.ts';
import { until } from '../parts/until.ts';
import { terminalPage } from './terminal-page.ts';

/*
 * `npm run pictures`: takes the pictures of the README during the demo's sale. They show only what `npm start -- --demo` shows. The demo
 * has its own folder and ports, and is stopped at the end.
 */

const FOLDER = join(import.meta.dirname, '../../docs/pictures');
const LONGEST_WAIT_MS = 180_000;
/** So long an item has been hot: its line shows how it came to that, nginx has its page, and the sale goes on for a while. */
const HOT_FOR = /for ([34]\d) s/;
const LARGEST_BYTES = 150_000;
const DESK = { viewport: { width: 1280, height: 560 } };
const HIGH = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 } };
const DARK = { colorScheme: 'dark' as const };

type Context = { browser: Browser; demo: Started; item: string };
type Picture = { name: string; take: (context: Context, path: string) => Promise<void> };

const PICTURES: Picture[] = [
  { name: 'hot-light', take: pageAt('#/hot', DESK) },
  { name: 'hot-dark', take: pageAt('#/hot', { ...DESK, ...DARK }) },
  { name: 'phone', take: pageAt('#/hot', PHONE) },
  { name: 'item', take: pageAt('ITEM', HIGH) },
  { name: 'terminal', take: terminal },
  { name: 'report', take: salesReport },
];

await main();

async function main(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const browser = await launchChromium();
  try {
    const demo = await startDemo(['--demo'], {});
    try {
      await takePictures(browser, demo);
    } finally {
      await demo.process.stop();
      demo.remove();
    }
  } finally {
    await browser.close();
  }
}

async function takePictures(browser: Browser, demo: Started): Promise<void> {
  report(
    'the sale begins 20 s after the start; the pictures are taken when its item has been hot for 45 s …',
  );
  const item = await hotItem(browser, demo);
  await Promise.all(
    PICTURES.map(async ({ name, take }) => {
      const path = join(FOLDER, `${name}.png`);
      await take({ browser, demo, item }, path);
      const { size } = statSync(path);
      report(`${path}: ${Math.round(size / 1_000)} kB`);
      if (size > LARGEST_BYTES) throw new Error(`${path} has ${size} bytes, of ${LARGEST_BYTES} at most`);
    }),
  );
}

/** Waits until an item has been hot for a while and its page is kept. Returns the address of its view. */
async function hotItem(browser: Browser, demo: Started): Promise<string> {
  const opened = await browser.newPage({ locale: 'en-GB' });
  const wait = { timeoutMs: LONGEST_WAIT_MS, detail: demo.output };
  const open = () =>
    opened.goto(`http://${demo.page}/#/hot`).then(
      () => true,
      () => false,
    );
  await until(open, { ...wait, what: 'the demo' });
  const row = opened
    .locator('#hot-rows tr')
    .filter({ hasText: HOT_FOR })
    .filter({ hasText: 'Cached, refreshed' });
  await until(async () => (await row.count()) > 0, { ...wait, what: 'an item that is hot and cached' });
  const address = await row.first().locator('.name').getAttribute('href');
  await opened.close();
  return address ?? '';
}

/** A view of the live page; `ITEM` is that of the item that is hot. */
function pageAt(view: string, options: Parameters<Browser['newContext']>[0]): Picture['take'] {
  return async ({ browser, demo, item }, path) => {
    const context = await browser.newContext({ locale: 'en-GB', ...options });
    const opened = await context.newPage();
    await opened.goto(`http://${demo.page}/${view === 'ITEM' ? `${item}?window=15m` : view}`);
    await opened.locator('#fresh', { hasText: 'Live' }).waitFor();
    if (view === 'ITEM') await opened.locator('#chart canvas').waitFor();
    await opened.screenshot({ path });
    await context.close();
  };
}

/** What `hotitem top` draws. */
async function terminal({ browser, demo }: Context, path: string): Promise<void> {
  const opened = await browser.newPage({ viewport: { width: 900, height: 400 } });
  await opened.setContent(await terminalPage({ admin: demo.page, home: demo.home, rows: 16, columns: 100 }));
  await opened.locator('pre').screenshot({ path });
  await opened.close();
}

/** The beginning of what `hotitem report` writes about the last quarter of an hour. */
async function salesReport({ browser, demo }: Context, path: string): Promise<void> {
  const file = join(demo.home, 'report.html');
  const { code, stderr } = await runHotitem(['report', '--from', '-15m', '--output', file], {
    HOTITEM_HOME: demo.home,
    HOTITEM_ADMIN_LISTEN: demo.page,
  });
  if (code !== 0) throw new Error(`hotitem report: ${stderr}`);
  const opened = await browser.newPage({ locale: 'en-GB', viewport: { width: 1000, height: 900 } });
  await opened.goto(`file://${file}`);
  await opened.screenshot({ path });
  await opened.close();
}
