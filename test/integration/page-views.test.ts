import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { commandHot } from '../../cli/hot/ask-hot.ts';
import { plainText } from '../../service/plain-text.ts';
import type { ItemAnswer } from '../../sidecar/routes/answers.ts';
import { keepWindows, launchChromium, listenTo, violationsOf, type Windows } from '../parts/browser.ts';
import { FULL, firstOf } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { HOSTILE_TEXTS } from '../parts/hostile-texts.ts';
import { BROWSER } from '../parts/load.ts';
import { freePort } from '../parts/ports.ts';
import { askOnce, type Service, startService } from '../parts/service.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { addressOf, lineOf, postLines } from './post-lines.ts';
import { runHotitem } from './run-hotitem.ts';

jest.setTimeout(180_000);
const PATIENCE = { timeout: 60_000 };
/** The rest is in `npm test` as well. */
const fullTest = FULL ? test : test.skip;
/** As many as an index answers with, and in short as many as are sorted and scrolled no less. */
const MANY = FULL ? 10_000 : 2_000;
const HOUR = 3_600_000;
const DARK = { colorScheme: 'dark' as const };
const PHONE = { viewport: { width: 390, height: 844 } };
const BOT = 'Googlebot/2.1 (+http://www.google.com/bot.html)';
/** Views in ten seconds that make an item busy are 200. */
const CROWD = 600;
/** An item stays hot for as long as its test may take on a busy machine. */
const RULES = 'rules:\n  - busy:\n      dwell_seconds: 600\n';
/** What a catalogue may call an item. */
const NAMES = HOSTILE_TEXTS.map((text) => text.replaceAll(/[\u2028\u2029]/g, ' ')).filter(
  (text) => !/[\u202a-\u202e]/.test(text),
);

/** What scrolls sideways, and cells of a row whose contents lie over one another. */
const CUT_OR_COVERED = `(() => {
  const seen = (elements) => [...elements].filter((one) => one.checkVisibility());
  const cut = seen(document.querySelectorAll('nav ul, main .wide')).filter((one) => one.scrollWidth > one.clientWidth + 1);
  const boxOf = (cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return range.getBoundingClientRect();
  };
  const covers = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const covered = seen(document.querySelectorAll('main tbody tr')).slice(0, 5).flatMap((row) => {
    const cells = seen(row.children).map((cell) => ({ name: cell.className, box: boxOf(cell) }));
    return cells.flatMap((a, i) => cells.slice(i + 1).filter((b) => covers(a.box, b.box)).map((b) => a.name + ' and ' + b.name));
  });
  return [...cut.map((one) => one.outerHTML.slice(0, 80)), ...covered];
})()`;

suiteWith(['chromium'])('the views of the live page, in a browser', () => {
  let browser: Browser;
  let windows: Windows;
  let sidecar: Service;
  let home: { path: string; remove: () => void };
  let page: Page;
  let complaints: string[];
  /** The URLs of all requests of the page. */
  let asked: string[];

  beforeAll(async () => {
    browser = await launchChromium();
    windows = keepWindows(browser);
    home = temporaryFolder('views');
    const admin = `127.0.0.1:${await freePort()}`;
    const catalogue = join(home.path, 'catalogue.ndjson');
    writeFileSync(catalogue, hostileCatalogue());
    const rules = join(home.path, 'rules.yml');
    writeFileSync(rules, RULES);
    const env = {
      HOTITEM_HOME: home.path,
      HOTITEM_ADMIN_LISTEN: admin,
      HOTITEM_CATALOGUE_FILE: catalogue,
      HOTITEM_CATALOGUE_IMAGE_HOSTS: 'img.example',
      HOTITEM_HEAT_RULES: rules,
    };
    sidecar = await startService({ args: ['sidecar'], env, admin, logFile: join(home.path, 'sidecar.log') });
  });
  afterEach(() => windows?.clear());
  afterAll(async () => {
    await browser?.close();
    await sidecar?.stop();
    home?.remove();
  });

  test('an item that takes off rises, is hot with its reason, and its own view says where people came from', async () => {
    const now = Date.now();
    const before = Array.from({ length: 12 }, (_, i) => seen('4711', i, { time: now - 40 * 60_000 }));
    const people = Array.from({ length: CROWD }, (_, i) =>
      seen('4711', 100 + i, {
        referrer: i % 3 === 0 ? 'https://www.google.com/search?q=x' : '',
        host: 'shop.example',
      }),
    );
    const bots = Array.from({ length: 20 }, () => lineOf({ item: '4711', agent: BOT }));
    await post([...before, ...people, ...bots]);

    await open('rising');
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: '4711', exact: true }) });
    await row.getByText('■ busy since').waitFor(PATIENCE);
    await page
      .locator('#rising-lead', {
        hasText: /There is no whole hour to compare with before \d\d:\d\d: the first view is of \d\d:\d\d\.$/,
      })
      .waitFor(PATIENCE);
    expect(await row.textContent()).not.toMatch(/×|new/);
    await post([seen('usual', 1, { time: now - 72 * 60_000 })]);
    // 600 now, and 12 in an hour are 2 in ten minutes.
    await row.getByText('300 ×').waitFor(PATIENCE);
    expect(await page.title()).toBe('1 hot: Rising – hotitem');
    await row.getByRole('link').click();

    await page.getByRole('heading', { name: '4711' }).waitFor(PATIENCE);
    await page.locator('#item-views', { hasText: '612' }).waitFor(PATIENCE);
    // The index has them one batch after the other.
    await page.locator('#item-visitors', { hasText: /^612$/ }).waitFor(PATIENCE);
    await page.locator('#item-bots', { hasText: /^20$/ }).waitFor(PATIENCE);
    expect(await page.locator('#item-links').isVisible()).toBe(false);
    await page.getByText(/the totals may be higher than the sums below/).waitFor(PATIENCE);
    expect(await page.locator('#item-why').textContent()).toMatch(/views\/s over 10 s/);
    await page.locator('#periods tr').first().getByText('now', { exact: true }).waitFor(PATIENCE);
    expect(await page.locator('#periods tr').first().textContent()).toMatch(/■ busy.*views\/s over 10 s/);
    expect(await tableOf('#referrers')).toEqual([
      ['no referrer', '412', '67%'],
      ['www.google.com', '200', '33%'],
    ]);
    expect((await tableOf('#hosts'))[0]).toEqual(['shop.example', '600', '98%']);
    await until(isDrawn, { timeoutMs: PATIENCE.timeout, what: 'the chart to be drawn' });
    expect(page.url()).toMatch(/#\/item\/4711$/);
    expect(complaints).toEqual([]);
  });

  test('an item that nobody views says so, and any address can be opened at once', async () => {
    await open('item/nothing%20at%20all?window=24h');
    await page.getByText(/^No view of it from /).waitFor(PATIENCE);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('nothing at all');
    expect(await page.locator('#item-window').inputValue()).toBe('24h');
    expect(await page.title()).toMatch(/nothing at all – hotitem$/);
    await page.locator('#item-window').selectOption('31d');
    await page.waitForURL(/nothing%20at%20all\?window=31d$/);
    expect(complaints).toEqual([]);
  });

  test.each([
    [
      'summer time',
      '2026-03-29',
      ['29 Mar 2026, 03:30:00', '29 Mar 2026, 01:30:00', '28 Mar 2026, 23:30:00'],
    ],
    [
      'winter time',
      '2026-10-25',
      ['25 Oct 2026, 02:30:00', '25 Oct 2026, 02:30:00', '25 Oct 2026, 00:30:00'],
    ],
  ])('a day over midnight and over the change to %s has its hours where they were', async (_, day, times) => {
    const item = `changed ${day}`;
    const change = Date.parse(`${day}T01:00:00Z`);
    await post(
      [change - 2.5 * HOUR, change - 0.5 * HOUR, change + 0.5 * HOUR].map((time) => seen(item, 1, { time })),
    );
    await sizeOf(item, 3, change + 2 * HOUR);
    const labels = `
      window.labels = [];
      const { fillText } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
        window.labels.push(text);
        return fillText.call(this, text, ...rest);
      };`;
    await open(`item/${encodeURIComponent(item)}?window=24h&to=${change + 2 * HOUR}`, {
      timezoneId: 'Europe/Berlin',
      script: labels,
    });
    await page.getByText('The numbers of this chart').click();
    await page.locator('#numbers-rows tr').nth(2).waitFor(PATIENCE);
    expect((await tableOf('#numbers-rows')).map(([time]) => time)).toEqual(times);
    await until(isDrawn, { timeoutMs: PATIENCE.timeout, what: 'the chart to be drawn' });
    const drawn = (await page.evaluate('window.labels')) as string[];
    const midnight = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' }).format(
      Date.parse(day),
    );
    expect(drawn.filter((text) => text.startsWith(midnight))).not.toEqual([]);
    // A clock in Berlin never shows this hour on that day, and the other twice.
    if (day === '2026-03-29') expect(drawn).not.toContain('02:00');
  });

  test(`${MANY} items scroll, sort and are found, with a few rows in the page`, async () => {
    const items = Array.from({ length: MANY }, (_, i) => seen(`many-${i}`, i));
    await post([...items, ...Array.from({ length: 2 * CROWD }, (_, i) => seen('most', i))]);
    await open('items?window=1h');
    const table = page.locator('#items-table');
    const rows = page.locator('#items tr');
    // Its views are the last that are indexed.
    await rows.first().getByText('most', { exact: true }).waitFor(PATIENCE);
    const count = Number(await table.getAttribute('aria-rowcount'));
    expect(count).toBeGreaterThan(MANY);
    expect(await rows.count()).toBeLessThan(100);

    // To the end by keyboard alone, from a row that is then out of sight: the list keeps the focus.
    await rows.first().getByRole('link').focus();
    await page.keyboard.press('End');
    await page.locator(`#items tr[aria-rowindex="${count}"]`).waitFor(PATIENCE);
    expect(await rows.count()).toBeLessThan(100);
    expect(await page.evaluate('document.activeElement.id')).toBe('items-scroll');

    await page.getByRole('searchbox').fill('many-');
    await table.getByRole('button', { name: 'Item' }).press('Enter');
    await page.locator('#sort-item[aria-sort="ascending"]').waitFor(PATIENCE);
    await page.locator('#items tr[aria-rowindex="2"] bdi', { hasText: /^many-0$/ }).waitFor(PATIENCE);
    await page.locator('#items tr[aria-rowindex="12"] bdi', { hasText: /^many-10$/ }).waitFor(PATIENCE);
    await table.getByRole('button', { name: 'Item' }).press('Enter');
    await page.locator('#sort-item[aria-sort="descending"]').waitFor(PATIENCE);
    await page
      .locator('#items tr[aria-rowindex="2"] bdi', { hasText: new RegExp(`^many-${MANY / 100 - 1}\\d\\d$`) })
      .waitFor(PATIENCE);

    await page.getByRole('searchbox').fill('MANY-1242');
    await page.locator('#items-table[aria-rowcount="2"]').waitFor(PATIENCE);
    await page.waitForURL(/#\/items\?window=1h&find=MANY-1242&sort=-item$/);
    await page.reload();
    await page.locator('#items-table[aria-rowcount="2"] bdi', { hasText: /^many-1242$/ }).waitFor(PATIENCE);
    expect(complaints).toEqual([]);
  });

  test('which categories sell now is a choice of all items, and each leads to its items', async () => {
    await post([
      ...[1, 2, 3].map((n) => seen('cup', n)),
      seen('mug', 1),
      seen('plain', 1),
      seen('hat', 1),
      seen('hat', 2, { agent: BOT }),
    ]);
    await open('items?window=1h');
    await page.locator('#items bdi', { hasText: 'Hat <b>' }).waitFor(PATIENCE);
    await page.getByRole('combobox', { name: 'List' }).selectOption('category');
    await page.getByText(/^As of .*: 3 categories$/).waitFor(PATIENCE);
    const rows = async () =>
      (await tableOf('#category-rows'))
        .filter(([name]) => name !== 'no category')
        .map(([name, views, , visitors, all]) => [name, views, visitors, all]);
    const expected = [
      ['Cups & <i>mugs</i>', '4', '3', '4'],
      ['Hats', '1', '1', '2'],
    ];
    await until(async () => isDeepStrictEqual(await rows(), expected), {
      timeoutMs: PATIENCE.timeout,
      what: 'the categories',
      detail: async () => JSON.stringify(await rows()),
    });
    expect(await page.locator('#items-scroll').isVisible()).toBe(false);
    expect(await violationsOf(page)).toEqual([]);
    const { width = 0, height = 0 } = page.viewportSize() ?? {};
    await page.setViewportSize({ width: 320, height });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
    await page.setViewportSize({ width, height });
    await page.locator('#rank').selectOption('all');
    await page.waitForURL(/#\/items\?window=1h&by=category&rank=all$/);
    await page.reload();
    await page.getByRole('link', { name: 'Hats' }).click();
    await page.locator('#items-table[aria-rowcount="2"] bdi', { hasText: 'Hat <b>' }).waitFor(PATIENCE);
    expect(await page.locator('#category').inputValue()).toBe('Hats');
    expect(complaints).toEqual([]);
  });

  test('visitors that are estimated are marked', async () => {
    await post([1, 2, 3].map((n) => seen('guessed', n)));
    await open('hot');
    // An index estimates those of a million views and more.
    await page.route(/api\/v1\/item/, async (route) => {
      const answer = await route.fetch();
      const body = (await answer.text()).replaceAll('"visitors":3,', '"visitors":3,"estimated":true,');
      await route.fulfill({ response: answer, body });
    });
    await page.goto(`http://${sidecar.admin}/#/items?window=10m&find=guessed`);
    const row = page.locator('#items tr', { hasText: 'guessed' });
    await row.locator('.c-visitors', { hasText: /^≈ 3$/ }).waitFor(PATIENCE);
    await row.getByRole('link').click();
    await page.locator('#item-visitors', { hasText: /^≈ 3$/ }).waitFor(PATIENCE);
    expect(complaints).toEqual([]);
  });

  test('what is chosen is never shown with the numbers of what was chosen before', async () => {
    await post([seen('chosen', 1)]);
    await open('item/chosen');
    await page.locator('#item-views', { hasText: /^1$/ }).waitFor(PATIENCE);
    // Never answered.
    await page.route(/window=(24h|7d|31d)/, () => {});
    await page.locator('#item-window').selectOption('24h');
    await page.locator('#item-lead', { hasText: 'Loading…' }).waitFor(PATIENCE);
    expect(await page.locator('#item-found').isVisible()).toBe(false);
    await page.goto(`http://${sidecar.admin}/#/items?find=chosen`);
    await page.locator('#items bdi', { hasText: 'chosen' }).waitFor(PATIENCE);
    await page.locator('#window').selectOption('7d');
    await page.locator('#items-table[aria-rowcount="1"]').waitFor(PATIENCE);
    await page.locator('#state', { hasText: 'Loading…' }).waitFor(PATIENCE);
    await page.getByRole('button', { name: 'Hold' }).click();
    await page.locator('#state', { hasText: 'The page is held' }).waitFor(PATIENCE);
    await page.locator('#window').selectOption('31d');
    await page.locator('#state', { hasText: 'The page is held' }).waitFor(PATIENCE);

    // The link past the head of the page leads nowhere else.
    const url = page.url();
    await page.locator('.skip').press('Enter');
    await until(async () => (await page.evaluate('document.activeElement.id')) === 'main', {
      timeoutMs: PATIENCE.timeout,
      what: 'the focus to go there',
    });
    expect(page.url()).toBe(url);
    expect(complaints).toEqual([]);
  });

  test('the first answer is in the order that was asked for, also under the pointer', async () => {
    // Early in the alphabet: of items with as many views, the index answers with the first ten thousand.
    await post([seen('early-a', 1), seen('early-b', 1), seen('early-b', 2)]);
    await open('hot');
    let go = () => {};
    const moved = new Promise<void>((resolve) => {
      go = resolve;
    });
    await page.route(/api\/v1\/items/, async (route) => {
      await moved;
      await route.continue();
    });
    await page.goto(`http://${sidecar.admin}/#/items?window=10m&find=early-&sort=item`);
    await page.locator('#items-scroll').hover();
    go();
    await page.locator('#items-table[aria-rowcount="3"]').waitFor(PATIENCE);
    expect(await page.locator('#items bdi').allTextContents()).toEqual(['early-a', 'early-b']);
  });

  fullTest('the order of all items holds while a reader points at it, and its numbers go on', async () => {
    await post([seen('held-a', 1), seen('held-a', 2), seen('held-b', 1)]);
    await open('items?window=10m&find=held-');
    await page.locator('#items-table[aria-rowcount="3"]').waitFor(PATIENCE);
    const names = () => page.locator('#items bdi').allTextContents();
    expect(await names()).toEqual(['held-a', 'held-b']);
    await page.locator('#items-scroll').hover();
    await post([seen('held-b', 3), seen('held-b', 4), seen('held-b', 5)]);
    await page
      .locator('#items tr', { hasText: 'held-b' })
      .locator('.c-views', { hasText: /^4$/ })
      .waitFor(PATIENCE);
    expect(await names()).toEqual(['held-a', 'held-b']);
    await page.mouse.move(0, 0);
    await page.locator('#items tr:first-child', { hasText: 'held-b' }).waitFor(PATIENCE);
    // The focus is on a heading: that is not in the list.
    await page.locator('#sort-views button').focus();
    await post([3, 4, 5, 6, 7].map((visitor) => seen('held-a', visitor)));
    await page.locator('#items tr:first-child', { hasText: 'held-a' }).waitFor(PATIENCE);
  });

  fullTest('what rises stays where it is while a reader points at it, and its numbers go on', async () => {
    await post([1, 2, 3].flatMap((n) => [seen('up-a', n), seen('up-b', n)]));
    await post(Array.from({ length: 30 }, (_, i) => seen(i < 20 ? 'up-a' : 'up-b', 10 + i)));
    await open('rising');
    const names = async () =>
      (await page.locator('#rising-rows bdi').allTextContents()).filter((name) => name.startsWith('up-'));
    const row = page.locator('#rising-rows tr', { hasText: 'up-b' });
    await row.hover();
    expect(await names()).toEqual(['up-a', 'up-b']);
    await post(Array.from({ length: 40 }, (_, i) => seen('up-b', 50 + i)));
    await row.getByText('53', { exact: true }).waitFor(PATIENCE);
    expect(await names()).toEqual(['up-a', 'up-b']);
    await page.mouse.move(0, 0);
    await until(async () => (await names())[0] === 'up-b', {
      timeoutMs: PATIENCE.timeout,
      what: 'the order of now',
    });
  });

  test('what shoppers send is shown as text in every view, whatever it looks like', async () => {
    const names = HOSTILE_TEXTS;
    await post(
      names.flatMap((text, i) => [
        ...Array.from({ length: 12 }, (_, n) =>
          seen(text, n, { referrer: text, host: text, target: targetOf(text, i) }),
        ),
        // Whether that is a bot's is not to be known.
        seen(text, 99, {
          referrer: text,
          host: text,
          agent: `${BROWSER} ${text}`,
          target: targetOf(text, i),
        }),
      ]),
    );
    await pin(HOSTILE_TEXTS[0] ?? '', HOSTILE_TEXTS[1] ?? '');
    const last = names.at(-1) ?? '';
    await open('items?window=10m');
    for (const [view, list] of Object.entries({
      rising: '#rising-rows',
      items: '#items',
      hot: '#hot-rows',
    })) {
      await page.goto(`http://${sidecar.admin}/#/${view}${view === 'items' ? '?window=10m&find=x' : ''}`);
      const text = view === 'hot' ? (names[0] ?? '') : last;
      await page.locator(`${list} bdi`, { hasText: text }).first().waitFor(PATIENCE);
    }
    for (const text of firstOf(3, names)) {
      await page.goto(`http://${sidecar.admin}/#/item/${encodeURIComponent(text)}`);
      await page.locator('#item-all', { hasText: /^13$/ }).waitFor(PATIENCE);
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(text);
      expect((await tableOf('#referrers'))[0]?.[1]).toMatch(/^1[23]$/);
      const [[source, bySource] = []] = await tableOf('#utm-sources');
      expect(source).toBe(text.slice(0, 100));
      expect(bySource).toMatch(/^1[23]$/);
      await until(async () => (await page.title()).includes(text.trim().slice(0, 5)), {
        timeoutMs: PATIENCE.timeout,
        what: 'the title',
      });
    }
    await expectNothingRan();
  });

  test('what a catalogue says is shown as text in every view, and loads nothing', async () => {
    const wrong = ['priced', 'stocked'].flatMap((kind) => HOSTILE_TEXTS.map((_, i) => `${kind}-${i}`));
    const items = [...NAMES.map((_, i) => `named-${i}`), ...wrong];
    await post(items.flatMap((item) => Array.from({ length: 12 }, (_, n) => seen(item, n))));
    const pinned = firstOf(1, NAMES);
    for (const i of pinned.keys()) await pin(`named-${i}`, 'campaign');
    await open('hot');
    for (const [i, name] of pinned.entries()) {
      const link = page.locator(`#hot-rows a[href="#/item/named-${i}"]`);
      await link.waitFor(PATIENCE);
      expect(await link.textContent()).toBe(name);
    }
    expect(await page.locator('#hot-rows').textContent()).toContain(`${categoryOf(0)} · named-0 · 1 EUR`);

    await page.goto(`http://${sidecar.admin}/#/rising`);
    const rising = page.locator('#rising-rows a[href*="named-"]');
    await rising.first().waitFor(PATIENCE);
    for (const link of await rising.all()) {
      const [, i] = /named-(\d+)$/.exec((await link.getAttribute('href')) ?? '') ?? [];
      expect(await link.textContent()).toBe(NAMES[Number(i)]);
    }
    await page.goto(`http://${sidecar.admin}/#/items?window=10m&find=named-&sort=item`);
    await page.locator(`#items-table[aria-rowcount="${NAMES.length + 1}"]`).waitFor(PATIENCE);
    const categories = await page.locator('#category option').allTextContents();
    expect(categories).toEqual(expect.arrayContaining(NAMES.map((_, i) => categoryOf(i))));
    for (const i of FULL ? NAMES.keys() : [0]) {
      await page.locator('#category').selectOption({ label: categoryOf(i) });
      await page.locator('#items bdi', { hasText: NAMES[i] ?? '' }).waitFor(PATIENCE);
      expect(await page.locator('#items .meta').allTextContents()).toContain(
        `${categoryOf(i)} · named-${i} · 1 EUR · ${i === 0 ? 'sold out' : `${i} in stock`}`,
      );
    }
    for (const i of FULL ? NAMES.keys() : [1]) {
      await page.goto(`http://${sidecar.admin}/#/item/named-${i}`);
      await page.locator('#item-name', { hasText: NAMES[i] ?? '' }).waitFor(PATIENCE);
      expect(await page.locator('#item-name').textContent()).toBe(NAMES[i]);
      expect(await page.locator('#item-meta').textContent()).toContain(categoryOf(i));
    }
    // A price or a stock that is none costs its row, and nothing of it is shown.
    await page.goto(`http://${sidecar.admin}/#/items?window=10m&find=ed-1&sort=item`);
    await page.locator('#items bdi', { hasText: 'priced-1' }).first().waitFor(PATIENCE);
    await page.locator('#items bdi', { hasText: 'stocked-1' }).first().waitFor(PATIENCE);
    await page.goto(`http://${sidecar.admin}/#/item/priced-0`);
    await page.locator('#item-all', { hasText: /^12$/ }).waitFor(PATIENCE);
    expect(await page.locator('#item-name').textContent()).toBe('priced-0');
    expect(await page.locator('#item-meta').textContent()).toBe('not in the catalogue');
    await page.goto(`http://${sidecar.admin}/#/health`);
    await page.locator('#health-found').waitFor(PATIENCE);

    await expectNothingRan();
    expectOwnRequests();
  });

  test('a report asks for nothing, fits everybody, shows as text what shoppers send, and prints', async () => {
    const [name = '', reason = ''] = HOSTILE_TEXTS.slice(1);
    await pin(name, reason);
    await post(
      HOSTILE_TEXTS.flatMap((text, i) =>
        Array.from({ length: 40 }, (_, n) => seen(text, n, { target: `/item/${i}` })),
      ),
    );
    const last = HOSTILE_TEXTS.at(-1) ?? '';
    const viewsOf = async () =>
      (await sidecar.json<ItemAnswer>(`/api/v1/item?item=${encodeURIComponent(last)}&window=1h`)).views
        ?.views ?? 0;
    await until(async () => (await viewsOf()) >= 40, { timeoutMs: PATIENCE.timeout, what: 'the views' });
    const periodsOf = async () =>
      (await sidecar.json<ItemAnswer>(`/api/v1/item?item=${encodeURIComponent(name)}&window=1h`)).periods;
    await until(async () => (await periodsOf()).length > 0, { timeoutMs: PATIENCE.timeout, what: 'the pin' });
    const path = join(home.path, 'report.html');
    const args = ['report', '--from', '-1h', '--output', path, '--rules-seconds', '1'];
    const { code, stderr } = await runHotitem(args, {
      HOTITEM_HOME: home.path,
      HOTITEM_ADMIN_LISTEN: sidecar.admin,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

    for (const options of FULL ? [{}, DARK, PHONE] : [{ ...DARK, ...PHONE }]) {
      await windows.clear();
      page = await (await windows.open({ locale: 'en-GB', ...options })).newPage();
      complaints = [];
      listenTo(page, (text) => complaints.push(text));
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      await page.goto(`file://${path}`);
      expect(await violationsOf(page)).toEqual([]);
      expect(asked).toEqual([`file://${path}`]);
      const width = (await page.evaluate('document.documentElement.scrollWidth')) as number;
      expect(width).toBeLessThanOrEqual(page.viewportSize()?.width ?? 0);
    }
    const shown = await page.locator('tbody th').allTextContents();
    for (const text of HOSTILE_TEXTS) expect(shown).toContain(plainText(text));
    const pinned = page.locator('tbody tr', { hasText: '● pinned' }).filter({ hasText: name });
    expect((await pinned.allTextContents()).join()).toContain(reason);
    expect(await page.evaluate('window.taken')).toBeUndefined();
    expect(await page.locator('img, iframe, script, animate, a, link').count()).toBe(0);
    // Between the margins of A4: what is wider is cut off on paper.
    await page.emulateMedia({ media: 'print', colorScheme: 'light' });
    await page.setViewportSize({ width: 688, height: 1000 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(688);
    expect((await page.pdf({ preferCSSPageSize: true })).subarray(0, 5).toString()).toBe('%PDF-');
    expect(complaints).toEqual([]);
  });

  test('health shows the way of a view with the age of each number, and that no nginx follows that capture is off', async () => {
    await post([seen('healthy', 1)]);
    await open('health');
    await page.getByText(/^All is well: /).waitFor(PATIENCE);
    const catalogue = page.locator('#health-parts tr', { hasText: 'Catalogue' });
    expect(await catalogue.textContent()).toMatch(
      /^Catalogue[\d,]+ itemsits file was written .* ago.*✓ fine$/,
    );
    expect(await page.locator('#flow .what').allTextContents()).toEqual(['Captured', 'Spooled', 'Indexed']);
    await page
      .locator('#flow li')
      .first()
      .getByText(/^last .* ago$/)
      .waitFor(PATIENCE);
    const numbers = () => page.locator('#flow b').allTextContents();
    await until(async () => new Set((await numbers()).slice(0, 2)).size === 1, {
      timeoutMs: PATIENCE.timeout,
      what: 'as many spooled as captured',
      detail: async () => (await numbers()).join(' '),
    });
    await hotitemCapture('off');
    await page
      .getByText('Capture was set to off, but no nginx has reported that it follows')
      .waitFor(PATIENCE);
    await page.locator('#n-health', { hasText: /^✕ capture not followed$/ }).waitFor(PATIENCE);
    await hotitemCapture('on');
    await page.getByText(/^All is well: /).waitFor(PATIENCE);
  });

  fullTest('every view says how it was once the sidecar is gone, and goes on when it is back', async () => {
    await post([seen('healthy', 1)]);
    await open('health');
    await page.getByText(/^All is well: /).waitFor(PATIENCE);
    await sidecar.stop();
    await page.getByText(/^Not known: .* What follows is how it was at /).waitFor(PATIENCE);
    await page.locator('#health-where').getByText('✓ was fine').first().waitFor(PATIENCE);
    expect(await page.locator('#n-health').textContent()).toBe('✕ not known');
    for (const view of ['rising', 'items', 'item/healthy']) {
      await page.goto(`http://${sidecar.admin}/#/${view}`).catch(() => {});
      await page
        .locator('.lead.wrong:visible', { hasText: 'Not up to date: the sidecar does not answer.' })
        .waitFor(PATIENCE);
    }
    await sidecar.start();
    await page.locator('.lead:not(.wrong):visible', { hasText: 'As of' }).waitFor(PATIENCE);
  });

  test('a hidden tab has no stream and asks for nothing, and goes on when it is looked at', async () => {
    await open('items?find=meanwhile');
    await page.locator('#fresh', { hasText: 'Live' }).waitFor(PATIENCE);
    await page.locator('#state', { hasText: 'As of' }).waitFor(PATIENCE);
    await hide(true);
    await until(async () => (await sidecar.metric('hotitem_live_clients')) === 0, {
      timeoutMs: PATIENCE.timeout,
      what: 'the stream to be closed',
    });
    asked = [];
    await page.locator('#fresh', { hasText: 'Paused' }).waitFor(PATIENCE);
    expect(await page.title()).toBe('Paused – hotitem');
    expect(asked).toEqual([]);
    await post([1, 2, 3].map((visitor) => seen('meanwhile', visitor)));
    await hide(false);
    await page.locator('#fresh', { hasText: 'Live' }).waitFor(PATIENCE);
    await page.locator('#items bdi', { hasText: 'meanwhile' }).waitFor(PATIENCE);
  });

  fullTest(
    'no request leaves the page for anywhere else, and nothing but its own files may run',
    async () => {
      await open('hot');
      for (const view of ['rising', 'items', 'item/4711', 'health', 'hot']) {
        await page.goto(`http://${sidecar.admin}/#/${view}`);
        await page.locator('.lead:visible').waitFor({ ...PATIENCE, state: 'attached' });
      }
      await page.reload();
      await page.locator('#fresh', { hasText: 'Live' }).waitFor(PATIENCE);
      expectOwnRequests();
      const { headers } = await askOnce(`http://${sidecar.admin}/`);
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|https?:/);
    },
  );

  fullTest('numbers and times are those of the reader', async () => {
    await post(Array.from({ length: 1_234 }, (_, i) => seen('locale', i)));
    await open('item/locale', { locale: 'de-DE' });
    await page.locator('#item-views', { hasText: '1.234' }).waitFor(PATIENCE);
  });

  (FULL ? test : test.skip)(
    'pictures of each view are kept in var/pictures: light, dark and phone, and nothing is cut or covered',
    async () => {
      const folder = join(import.meta.dirname, '../../var/pictures');
      mkdirSync(folder, { recursive: true });
      const kinds = {
        light: { viewport: { width: 1440, height: 900 } },
        dark: { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' as const },
        phone: { viewport: { width: 390, height: 844 } },
        narrow: { viewport: { width: 320, height: 640 } },
      };
      await post(Array.from({ length: CROWD }, (_, i) => seen('4711', i)));
      for (const [kind, options] of Object.entries(kinds)) {
        await windows.clear();
        await open('hot', options);
        for (const view of ['hot', 'rising', 'items', 'item/4711', 'health']) {
          await page.goto(`http://${sidecar.admin}/#/${view}`);
          await page.locator('.lead:visible:not(:has-text("Loading"))').waitFor(PATIENCE);
          const width = (await page.evaluate('document.documentElement.scrollWidth')) as number;
          expect(width).toBeLessThanOrEqual(options.viewport.width);
          expect([kind, view, await page.evaluate(CUT_OR_COVERED)]).toEqual([kind, view, []]);
          await page.screenshot({ path: join(folder, `${view.replace(/\W.*/, '')}-${kind}.png`) });
        }
      }
    },
  );

  function expectOwnRequests(): void {
    expect(new Set(asked.map((url) => new URL(url).host))).toEqual(new Set([sidecar.admin]));
  }

  /** Of what was shown, nothing was taken for markup. */
  async function expectNothingRan(): Promise<void> {
    expect(await page.evaluate('window.taken')).toBeUndefined();
    expect(
      await page
        .locator('main img, main iframe, main script, main svg animate, main a[href^="javascript"]')
        .count(),
    ).toBe(0);
    expect(complaints).toEqual([]);
  }

  type Opening = Parameters<Browser['newContext']>[0] & { script?: string };

  async function open(view: string, { script, ...options }: Opening = {}): Promise<void> {
    complaints = [];
    page = await (await windows.open({ locale: 'en-GB', ...options })).newPage();
    if (script !== undefined) await page.addInitScript({ content: script });
    listenTo(page, (text) => complaints.push(text));
    asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`http://${sidecar.admin}/#/${view}`);
  }

  function seen(item: string, visitor: number, fields: Parameters<typeof lineOf>[0] = {}): string {
    return lineOf({ item, ip: addressOf(visitor), ...fields });
  }

  async function post(lines: string[]): Promise<void> {
    for (let i = 0; i < lines.length; i += 1_000)
      await postLines(join(home.path, 'run/intake.sock'), lines.slice(i, i + 1_000));
  }

  /** Until so many views of an item up to `to` are in the index. */
  async function sizeOf(item: string, views: number, to: number): Promise<void> {
    const path = `/api/v1/item?item=${encodeURIComponent(item)}&window=24h&to=${to}`;
    await until(
      async () => (await sidecar.json<{ views?: { views: number } }>(path)).views?.views === views,
      {
        timeoutMs: PATIENCE.timeout,
        what: `${views} views of ${item}`,
      },
    );
  }

  function tableOf(body: string): Promise<string[][]> {
    return page
      .locator(`${body} tr`)
      .evaluateAll((rows) =>
        rows.map((row) => [...row.querySelectorAll('th, td')].map((cell) => cell.textContent ?? '')),
      );
  }

  /** Whether the chart has anything on it. */
  function isDrawn(): Promise<boolean> {
    return page.evaluate(`(() => {
      const canvas = document.querySelector('#chart canvas');
      if (canvas === null || canvas.width === 0) return false;
      return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte > 0);
    })()`) as Promise<boolean>;
  }

  /** As a browser does where another tab is in front, which one without a screen never says. */
  async function hide(isHidden: boolean): Promise<void> {
    await page.evaluate(`
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} });
      document.dispatchEvent(new Event('visibilitychange'));`);
  }

  async function pin(item: string, reason: string): Promise<void> {
    await commandHot(join(home.path, 'run/control.sock'), { do: 'pin', item, reason, by: 'a test' });
  }

  async function hotitemCapture(mode: string): Promise<void> {
    // Nothing listens there that could say that no nginx follows.
    const env = { HOTITEM_HOME: home.path, HOTITEM_ADMIN_LISTEN: '127.0.0.1:1' };
    const { code, stderr } = await runHotitem(['capture', mode], env);
    if (code !== 0) throw new Error(stderr);
  }
});

/** A link of a campaign that is called like this. */
function targetOf(text: string, i: number): string {
  return `/item/${i}?utm_source=${encodeURIComponent(text)}`;
}

/** A category has 128 characters at most. */
function categoryOf(i: number): string {
  return (NAMES[i] ?? '').slice(0, 128);
}

/** Rows with what may stand in each column; those with a price or a stock like that are left out. */
function hostileCatalogue(): string {
  const rows = [
    ...NAMES.map((name, i) => ({
      id: `named-${i}`,
      name,
      category: categoryOf(i),
      price: '1 EUR',
      stock: i,
      image: `https://img.example/${name}`,
    })),
    { id: 'cup', name: 'Cup', category: 'Cups & <i>mugs</i>' },
    { id: 'mug', name: 'Mug', category: 'Cups & <i>mugs</i>' },
    { id: 'hat', name: 'Hat <b>', category: 'Hats' },
    ...HOSTILE_TEXTS.map((price, i) => ({ id: `priced-${i}`, name: price, price })),
    ...HOSTILE_TEXTS.map((stock, i) => ({ id: `stocked-${i}`, name: stock, stock })),
  ];
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}
