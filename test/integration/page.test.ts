import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { obtainNginx } from '../../provision/nginx.ts';
import { keepWindows, launchChromium, listenTo, type Windows } from '../parts/browser.ts';
import { views } from '../parts/load.ts';
import { record } from '../parts/record.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type Chain, startChain } from './chain.ts';
import { type Elsewhere, servePage, serveProxy } from './page-elsewhere.ts';

jest.setTimeout(180_000);
const PATIENCE = { timeout: 60_000 };
/** Says the page once it has an answer. */
const LIVE = { hasText: 'Live' };
const HOVER = { 'Sec-Purpose': 'prefetch' };
const BOT = { 'User-Agent': 'Googlebot/2.1 (+http://www.google.com/bot.html)' };

suiteWith(['nginx', 'chromium'])('the page, in a browser', () => {
  let browser: Browser;
  let windows: Windows;
  let chain: Chain;
  let page: Page;
  let complaints: string[];
  const others: Elsewhere[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
    windows = keepWindows(browser);
    record(`Chromium ${browser.version()}`);
    chain = await startChain({ build: await obtainNginx({ suite: 'trixie', report }) });
  });
  afterEach(async () => {
    await page?.close();
    await windows?.clear();
    await Promise.all(others.splice(0).map((other) => other.close()));
  });
  afterAll(async () => {
    await browser?.close();
    await chain?.close();
  });

  test('shows the ranking, and new views without being asked again', async () => {
    await view('/web/item/1.html', '/web/item/2.html', '/web/item/2.html');
    await open();
    await page.locator('#items tr').nth(1).waitFor(PATIENCE);
    await page.locator('#items tr:first-child td:nth-child(3)', { hasText: /^2$/ }).waitFor(PATIENCE);
    await shown([
      ['1', '2', '2', '1', '0', '0', '0', '2'],
      ['2', '1', '1', '1', '0', '0', '0', '1'],
    ]);
    await view('/web/item/1.html', '/web/item/1.html');
    await page.locator('#items tr:first-child td:nth-child(3)', { hasText: /^3$/ }).waitFor(PATIENCE);
    await shown([['1', '1', '3', '1', '0', '0', '0', '3']]);
    expect(complaints).toEqual([]);
  });

  test('omits items that no person viewed, shows their number, and ranks by all views on request', async () => {
    await view('/web/item/3.html');
    await views({ port: chain.port, paths: ['/web/item/3.html', '/web/item/4.html'], headers: HOVER });
    await views({ port: chain.port, paths: Array(9).fill('/web/item/4.html'), headers: BOT });
    await open();
    const cell = (row: string, column: number) =>
      page.locator(`#items tr:has(bdi:text-is("${row}")) td:nth-child(${column})`);
    await cell('3', 6).filter({ hasText: /^1$/ }).waitFor(PATIENCE);
    expect(await cell('4', 1).count()).toBe(0);
    await page.locator('#rank').selectOption('all');
    await cell('4', 8).filter({ hasText: /^10$/ }).waitFor(PATIENCE);
    await shown([['1', '4', '0', '0', '9', '1', '0', '10']]);
    expect(complaints).toEqual([]);
  });

  test('shows input of shoppers as text', async () => {
    await view(
      '/web/item/%3Cimg%20src=x%20onerror=document.title=1%3E',
      '/web/item/%3Cscript%3Ealert(1)%3C/script%3E',
    );
    await open();
    const marked = '/web/item/<img src=x onerror=document.title=1>';
    await page.getByText(marked).waitFor(PATIENCE);
    expect(await page.locator('#items img, #items script').count()).toBe(0);
    expect(await page.title()).toBe('All items – hotitem');
    expect(complaints).toEqual([]);
  });

  test('says so when the sidecar does not answer, and recovers by itself', async () => {
    await open();
    await page.locator('#state', { hasText: 'As of' }).waitFor(PATIENCE);
    await chain.sidecar.stop();
    await page
      .locator('#state.wrong', { hasText: 'Not up to date: the sidecar does not answer.' })
      .waitFor(PATIENCE);
    await chain.sidecar.start();
    await page.locator('#state:not(.wrong)', { hasText: 'As of' }).waitFor(PATIENCE);
  });

  test('cannot run anything from elsewhere', async () => {
    await open();
    const ran = await page.evaluate(`
      const script = document.createElement('script');
      script.textContent = 'document.title = "taken over"';
      document.body.append(script);
      document.title`);
    expect(ran).toBe('All items – hotitem');
    expect(complaints.join()).toContain('Content Security Policy');
  });

  test.each([
    ['of another host', 'localhost'],
    ['of another port of this host', '127.0.0.1'],
  ])('rejects requests of a page %s, and opens when a link to it is followed', async (_, host) => {
    const admin = `http://${chain.sidecar.admin}`;
    const refusedBefore = await chain.sidecar.metric('hotitem_admin_refused_total');
    const images = [1, 2, 3, 4].map((limit) => `${admin}/api/v1/items?window=31d&limit=${limit}`);
    const other = await servePage(`
      ${images.map((url) => `<img src="${url}">`).join('')}
      <script src="${admin}/page.js"></script>
      <iframe src="${admin}/metrics"></iframe>
      <a id="api" href="${admin}/api/v1/items">numbers</a>
      <a id="page" href="${admin}/">the ranking</a>`);
    others.push(other);
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE.timeout);
    await page.goto(`http://${host}:${other.port}/`);
    const refused = async () => (await chain.sidecar.metric('hotitem_admin_refused_total')) - refusedBefore;
    await until(async () => (await refused()) === images.length + 2, {
      timeoutMs: PATIENCE.timeout,
      what: 'images, script and frame to be refused',
    });

    await page.locator('#api').click();
    await page.locator('body', { hasText: 'requests of another site' }).waitFor(PATIENCE);
    await page.goBack();
    await page.locator('#page').click();
    await page.locator('#fresh', LIVE).waitFor(PATIENCE);
  });

  test('opens behind a proxy that has its own name, after a login on another host, and says when that has ended', async () => {
    const proxy: Elsewhere = await serveProxy(chain.sidecar.admin, () => `http://127.0.0.1:${login.port}/`);
    const login = await servePage(`<a href="http://localhost:${proxy.port}/?welcome">log in</a>`);
    others.push(login, proxy);
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE.timeout);
    await page.goto(`http://localhost:${proxy.port}/`);
    await page.getByText('log in').click();
    await page.locator('#fresh', LIVE).waitFor(PATIENCE);
    await page.context().clearCookies();
    await page.evaluate("location.hash = '#/items'");
    await page
      .locator('#state.wrong', { hasText: 'Not up to date: your login has ended: reload this page.' })
      .waitFor(PATIENCE);
    proxy.cut();
    await page
      .getByRole('alert')
      .getByText(/^Stale since .*: your login has ended: reload this page\. /)
      .waitFor(PATIENCE);
    // Its URL is that of a login that has just succeeded.
    await page.reload();
    await page.locator('#fresh', LIVE).waitFor(PATIENCE);
  });

  async function open(): Promise<void> {
    page = await (await windows.open()).newPage();
    complaints = [];
    listenTo(page, (text) => complaints.push(text));
    await page.goto(`http://${chain.sidecar.admin}/#/items`);
  }

  /** Waits until these are the first rows: views come to the index one after the other. */
  async function shown(rows: string[][]): Promise<void> {
    await until(async () => isDeepStrictEqual((await cells()).slice(0, rows.length), rows), {
      timeoutMs: PATIENCE.timeout,
      what: JSON.stringify(rows),
      detail: async () => JSON.stringify(await cells()),
    });
  }

  /** Of each row all but the time. */
  function cells(): Promise<string[][]> {
    return page
      .locator('#items tr')
      .evaluateAll((rows) =>
        rows.map((row) =>
          [...row.querySelectorAll('th, td')].slice(0, 8).map((cell) => cell.textContent ?? ''),
        ),
      );
  }

  async function view(...paths: string[]): Promise<void> {
    await views({ port: chain.port, paths });
  }
});
