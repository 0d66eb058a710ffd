import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { CHROMIUM_FLAGS, obtainChromium } from '../provision/chromium.ts';
import { type Started, startDemo } from './start-demo.ts';

jest.setTimeout(600_000);
/** The sale begins after 20 s and lasts for a minute; an item cools when it has been below its thresholds for a minute more. */
const PATIENCE = { timeout: 240_000 };
const FULL = process.env.HOTITEM_TEST_FULL === '1';

suiteWith(['nginx', 'chromium'])('the demo sale, on the live page', () => {
  let browser: Browser;
  let demo: Started;
  let page: Page;

  beforeAll(async () => {
    if (!FULL) return;
    const executablePath = await obtainChromium({ report });
    browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
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
      const row = page.locator('#hot-rows tr').filter({ hasText: 'surge' });
      await row.first().waitFor(PATIENCE);
      const item = (await row.first().locator('.name').textContent()) ?? '';
      expect(await row.first().locator('.col-why').textContent()).toMatch(/visitors in/);
      await row
        .first()
        .getByText(/^Cached, refreshed /)
        .waitFor(PATIENCE);
      mkdirSync(join(import.meta.dirname, '../../var/pictures'), { recursive: true });
      await page.screenshot({ path: join(import.meta.dirname, '../../var/pictures/sale-light.png') });

      await page.goto(`http://${demo.page}/#/item/${encodeURIComponent(item)}`);
      await page
        .locator('#periods tr')
        .filter({ hasText: 'surge' })
        .getByText('now', { exact: true })
        .waitFor(PATIENCE);
      await page.goto(`http://${demo.page}/#/rising`);
      await page.locator('#rising-rows tr').filter({ hasText: item }).waitFor(PATIENCE);

      await page.goto(`http://${demo.page}/#/hot`);
      await page
        .locator('#happened')
        .getByText(new RegExp(`^${item} is not hot any more \\(surge\\)`))
        .waitFor(PATIENCE);
      await page.goto(`http://${demo.page}/#/item/${encodeURIComponent(item)}`);
      const period = page.locator('#periods tr').filter({ hasText: 'surge' });
      await period.first().waitFor(PATIENCE);
      expect(await period.first().locator('td').nth(1).textContent()).toMatch(/^\d\d:\d\d:\d\d$/);
    },
  );
});
