import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../parts/browser.ts';
import { FULL } from '../parts/full.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type Started, startDemo } from './start-demo.ts';

jest.setTimeout(600_000);
/** The sale begins after 20 s and lasts for a minute; an item cools when it has been below its thresholds for a minute more. */
const PATIENCE = { timeout: 240_000 };

suiteWith(['nginx', 'chromium'])('the demo sale, on the live page', () => {
  let browser: Browser;
  let demo: Started;
  let page: Page;

  beforeAll(async () => {
    if (!FULL) return;
    browser = await launchChromium();
    demo = await startDemo(['--demo'], {});
    const isReady = () =>
      fetch(`http://${demo.page}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isReady, { timeoutMs: PATIENCE.timeout, what: 'the demo', detail: demo.output });
    page = await browser.newPage({ locale: 'en-GB', viewport: { width: 1440, height: 900 } });
  });
  afterAll(async () => {
    await browser?.close();
    await demo?.process.stop();
    demo?.remove();
  });

  (FULL ? test : test.skip)(
    'an item takes off, turns hot with its reason, is cached, and cools; its own view keeps the period',
    async () => {
      await page.goto(`http://${demo.page}/#/hot`);
      // What is usual is not known so soon after a start: the item is busy, and not yet a surge.
      const busy = page.locator('#hot-rows tr').filter({ hasText: 'busy' }).first();
      await busy.waitFor(PATIENCE);
      const link = busy.locator('.name');
      const name = (await link.textContent()) ?? '';
      const item = `${await link.getAttribute('href')}`;
      const row = page.locator('#hot-rows tr').filter({ hasText: name });
      expect(await row.locator('.col-why').textContent()).toMatch(/views\/s over 10 s/);
      await row.getByText(/^Cached, refreshed /).waitFor(PATIENCE);
      mkdirSync(join(import.meta.dirname, '../../var/pictures'), { recursive: true });
      await page.screenshot({ path: join(import.meta.dirname, '../../var/pictures/sale-light.png') });

      await page.goto(`http://${demo.page}/${item}`);
      await page
        .locator('#periods tr')
        .filter({ hasText: 'busy' })
        .getByText('now', { exact: true })
        .waitFor(PATIENCE);
      await page.goto(`http://${demo.page}/#/rising`);
      await page.locator('#rising-rows tr').filter({ hasText: name }).waitFor(PATIENCE);

      await page.goto(`http://${demo.page}/#/hot`);
      await page
        .locator('#happened')
        .getByText(new RegExp(`^${name} is no longer hot \\(busy\\)`))
        .waitFor(PATIENCE);
      await page.goto(`http://${demo.page}/${item}`);
      const period = page.locator('#periods tr').filter({ hasText: 'busy' });
      await period.first().waitFor(PATIENCE);
      // Its end is in the index a moment later.
      const end = period.first().locator('td').nth(1);
      await end.filter({ hasText: /^\d\d:\d\d:\d\d$/ }).waitFor(PATIENCE);
    },
  );
});
