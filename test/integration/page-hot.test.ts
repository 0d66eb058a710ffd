import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { keepWindows, launchChromium, listenTo, violationsOf, type Windows } from '../parts/browser.ts';
import { FULL } from '../parts/full.ts';
import { openGate } from '../parts/gate.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { BROWSER } from '../parts/load.ts';
import { freePort } from '../parts/ports.ts';
import { askOnce, type Service, startService } from '../parts/service.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { addressOf, lineOf, postLines } from './post-lines.ts';

jest.setTimeout(180_000);
const PATIENCE = { timeout: 60_000 };
/** Views in ten seconds that make an item busy are 200; the more are there for a machine that is slow. */
const CROWD = 600;
/** An item stays hot for as long as its test may take on a busy machine. */
const RULES = 'rules:\n  - busy:\n      dwell_seconds: 600\n';
const TABS = FULL ? 8 : 3;
const PHONE = { viewport: { width: 390, height: 844 } };
const DARK = { colorScheme: 'dark' as const };
const VIEWS = ['hot', 'rising', 'items', 'item/4711', 'health'];
/** What axe looks at: in short, each view on a desktop or dark on a phone, by turns. */
const LOOKS = FULL ? [{}, DARK, PHONE] : [{}, { ...DARK, ...PHONE }];
const TOKEN = randomBytes(32).toString('base64url');

suiteWith(['chromium'])('the live page, in a browser', () => {
  let browser: Browser;
  let windows: Windows;
  let sidecar: Service;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];
  let home: ReturnType<typeof temporaryFolder>;
  /** Dialogs that axe has examined. In the short form of the tests, each is examined once. */
  const judged = new Set<string>();
  /** Elements that got the focus by Tab without a visible sign of it. */
  const unseenFocus: string[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
    windows = keepWindows(browser);
    home = temporaryFolder('page-hot');
    const path = join(home.path, 'token');
    writeFileSync(path, TOKEN, { mode: 0o600 });
    const rules = join(home.path, 'rules.yml');
    writeFileSync(rules, RULES);
    const admin = `127.0.0.1:${await freePort()}`;
    const env = {
      HOTITEM_HOME: home.path,
      HOTITEM_ADMIN_LISTEN: admin,
      HOTITEM_ADMIN_CONTROL_TOKEN_FILE: path,
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

  test('says that nothing is hot, which item is the busiest, and when surges can be told', async () => {
    await open();
    await page.getByRole('heading', { name: 'Nothing is hot now, and that is fine.' }).waitFor(PATIENCE);
    const busiest = page.getByText(
      /The busiest item, calm, gets 0\.\d\/s from \d visitors\. Surges can be detected in/,
    );
    // Again where a busy machine shows them when they are no longer of the last ten seconds.
    const isSaid = async () => {
      await visit('calm', 3);
      return busiest.waitFor({ timeout: 5_000 }).then(
        () => true,
        () => false,
      );
    };
    await until(isSaid, { timeoutMs: PATIENCE.timeout, what: 'the busiest item' });
    await titled(/^Hot now – hotitem$/);
    expect(complaints).toEqual([]);
  });

  test('shows an item that turns hot, with rates, reason and what nginx is told, and takes it out when it is banned', async () => {
    await open();
    await visit('4711', CROWD);
    const row = page.getByRole('row').filter({ hasText: '4711' });
    await row.waitFor(PATIENCE);
    expect(await row.locator('.c-people').textContent()).toMatch(/^\d+\/s$/);
    expect(await row.locator('.col-item').textContent()).toContain('■ busy');
    expect(await row.locator('.col-why').textContent()).toMatch(/views\/s over 10 s.* visitors in 10 s/);
    expect(await row.locator('.col-does').textContent()).toBe(
      'nginx was told: tell the application, cache it',
    );
    await titled(/^1 hot – hotitem$/);
    await page
      .locator('#happened')
      .getByText(/^4711 turned hot \(busy\)/)
      .waitFor(PATIENCE);
    await control('ban', '4711');
    await row.waitFor({ ...PATIENCE, state: 'detached' });
    await page
      .locator('#happened')
      .getByText(/^4711 is no longer hot/)
      .waitFor(PATIENCE);
    expect(complaints).toEqual([]);
  });

  test('bots beside people are seen, and are not taken for people', async () => {
    await open();
    const row = page.getByRole('row').filter({ hasText: 'crowd' });
    const shares = async () => {
      // Again and again: rates are those of ten seconds.
      await visit('crowd', CROWD / 2);
      await visit('crowd', CROWD / 2, 'Googlebot/2.1 (+http://www.google.com/bot.html)');
      const [people, all] = await Promise.all([rate(row, '.c-people'), rate(row, '.c-all')]);
      return all > 0 && people < 0.6 * all;
    };
    await until(shares, { timeoutMs: PATIENCE.timeout, what: 'people beside all', everyMs: 500 });
  });

  test('a name that looks like markup is shown as text', async () => {
    const name = '"><img src=x onerror=document.title=1><script>document.title=2</script>';
    await control('pin', name, '<b>by hand</b>');
    await open();
    await page.getByRole('row').filter({ hasText: name }).getByText('<b>by hand</b>').waitFor(PATIENCE);
    await titled(/^\d hot – hotitem$/);
    // And in what asks before something is done.
    await page.getByRole('button', { name: `Control… ${name}` }).click();
    await page.getByRole('heading', { name: 'Control needs the token' }).waitFor(PATIENCE);
    await page.keyboard.type(TOKEN);
    await page.keyboard.press('Tab');
    await page.keyboard.type('<b>anna</b>');
    await page.keyboard.press('Enter');
    await choose(`Control ${name}`, 'ArrowDown', name);
    await page.getByText(`Because: “${name}”. Signed: <b>anna</b>.`).waitFor(PATIENCE);
    expect(await page.locator('main img, main b b, main script, dialog img, dialog script').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('says that the list is frozen', async () => {
    await control('freeze');
    await open();
    await page
      .getByRole('alert')
      .getByText(/^Frozen since .*: nginx acts on no hot item\./)
      .waitFor(PATIENCE);
    await control('thaw');
    await page.getByRole('alert').waitFor({ ...PATIENCE, state: 'hidden' });
  });

  test('says since when it is stale where the sidecar is gone, in the past tense, and recovers by itself', async () => {
    await control('pin', 'kept');
    await open();
    await page.getByRole('row').filter({ hasText: 'kept' }).waitFor(PATIENCE);
    // One that hangs closes nothing.
    sidecar.pause();
    await page.getByRole('alert').getByText('Stale since').waitFor(PATIENCE);
    await page.locator('#n-health', { hasText: /^✕ not known$/ }).waitFor(PATIENCE);
    sidecar.resume();
    await page.locator('#fresh', { hasText: 'Live' }).waitFor(PATIENCE);
    await page.locator('#n-health', { hasText: /✓ fine|✕ (?!not known)/ }).waitFor(PATIENCE);
    await sidecar.stop();
    await page.getByRole('alert').getByText('Stale since').waitFor(PATIENCE);
    await page
      .locator('#hot-lead', { hasText: /hot at .*What is hot now is not known\.$/ })
      .waitFor(PATIENCE);
    await titled(/^Stale – hotitem$/);
    await sidecar.start();
    await page.locator('#fresh', { hasText: 'Live' }).waitFor(PATIENCE);
    await page.getByRole('row').filter({ hasText: 'kept' }).waitFor(PATIENCE);
  });

  test('a stream that falls silent and is not closed, as after a sleep or in another network, is opened again', async () => {
    const gate = await openGate(`http://${sidecar.admin}`);
    await control('pin', 'before');
    context = await browser.newContext({ locale: 'en-GB' });
    context.setDefaultTimeout(PATIENCE.timeout);
    page = await context.newPage();
    await page.clock.install();
    await page.goto(`${gate.address}/#/hot`);
    await page.getByRole('row').filter({ hasText: 'before' }).waitFor(PATIENCE);
    gate.freeze('GET /api/v1/live ');
    await control('pin', 'afterwards');
    await page.clock.fastForward(20_000);
    await page.getByRole('row').filter({ hasText: 'afterwards' }).waitFor(PATIENCE);
    await page.locator('#fresh', { hasText: 'Live' }).waitFor(PATIENCE);
    await context.close();
    await gate.shut();
  });

  test('all tabs have one stream, and another tab takes it over', async () => {
    await open();
    const tabs = [page];
    while (tabs.length < TABS) tabs.push(await openTab());
    for (const tab of tabs) await tab.locator('#fresh', { hasText: 'Live' }).waitFor(PATIENCE);
    const streams = async (is: number) => (await sidecar.metric('hotitem_live_clients')) === is;
    await until(() => streams(1), { timeoutMs: PATIENCE.timeout, what: 'one stream' });
    await control('pin', 'for all');
    for (const tab of tabs) await tab.getByRole('row').filter({ hasText: 'for all' }).waitFor(PATIENCE);
    await tabs[0]?.close();
    await control('pin', 'for the others');
    for (const tab of tabs.slice(1))
      await tab.getByRole('row').filter({ hasText: 'for the others' }).waitFor(PATIENCE);
    await until(() => streams(1), { timeoutMs: PATIENCE.timeout, what: 'one stream again' });
  });

  test.each(VIEWS)('axe finds nothing in the view %s, in any size or colour', async (view) => {
    const looks = FULL ? LOOKS : LOOKS.filter((_, i) => i === VIEWS.indexOf(view) % LOOKS.length);
    for (const options of looks) {
      await windows.clear();
      await open(view, options);
      await page.locator('#fresh', { hasText: 'Live' }).waitFor(PATIENCE);
      expect(await violationsOf(page)).toEqual([]);
    }
  });

  test('what borders and backgrounds say is seen in forced colors, which replace them', async () => {
    await open();
    await page.emulateMedia({ forcedColors: 'active' });
    await page.getByRole('button', { name: 'Hold' }).press('Enter');
    const isInvisible = (await page.evaluate(`(() => {
      const canvas = getComputedStyle(document.body).backgroundColor;
      const is = (selector, property) => getComputedStyle(document.querySelector(selector))[property] === canvas;
      return {
        otherView: is('nav a:not([aria-current])', 'borderBottomColor'),
        thisView: is('nav a[aria-current]', 'borderBottomColor'),
        people: is('.key.people', 'backgroundColor'),
        hot: is('.key.hot', 'backgroundColor'),
        held: is('#hold', 'backgroundColor'),
      };
    })()`)) as Record<string, boolean>;
    expect(isInvisible).toEqual({ otherView: true, thisView: false, people: false, hot: false, held: false });
  });

  test('says so where the sidecar has another version of the page than the one that is open', async () => {
    await open();
    await page.locator('#fresh', { hasText: 'Live' }).waitFor(PATIENCE);
    // Another tab has it from a sidecar that was upgraded, and leads.
    await page.evaluate(`
      window.forged = new BroadcastChannel('hotitem-live');
      forged.onmessage = ({ data: { kind, view } }) => {
        if (kind !== 'state') return;
        const state = { ...view.state, head: { ...view.state.head, build: 'another' } };
        forged.postMessage({ from: '0', kind, view: { ...view, state } });
      };`);
    await page
      .getByRole('alert')
      .getByText('hotitem has another version since this page was opened: reload it.')
      .waitFor(PATIENCE);
    await page.reload();
    await page.locator('#fresh', { hasText: 'Live' }).waitFor(PATIENCE);
    expect(await page.locator('#banner').isVisible()).toBe(false);
  });

  test('held, it stays as it is, and goes on when it is let go', async () => {
    await open();
    await page.locator('#fresh', { hasText: 'Live' }).waitFor(PATIENCE);
    await page.getByRole('button', { name: 'Hold' }).press('Enter');
    await page.locator('#fresh', { hasText: 'Held at' }).waitFor(PATIENCE);
    await control('pin', 'later');
    await until(async () => (await hotList()).includes('later'), {
      timeoutMs: PATIENCE.timeout,
      what: 'the pin',
    });
    // By now this one would show it as well: the tab that leads shows it before it passes it on.
    const other = await openTab();
    await other.getByRole('row').filter({ hasText: 'later' }).waitFor(PATIENCE);
    expect(await page.getByRole('row').filter({ hasText: 'later' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Hold' }).press('Enter');
    await page.getByRole('row').filter({ hasText: 'later' }).waitFor(PATIENCE);
  });

  test('an item is banned, and everything frozen and thawed, by keyboard alone, by who has the token', async () => {
    await control('pin', 'keys');
    await open();
    await page.getByRole('row').filter({ hasText: 'keys' }).waitFor(PATIENCE);
    await page.getByRole('region', { name: 'Control' }).waitFor(PATIENCE);
    await tabTo('Control… keys');
    await page.keyboard.press('Enter');
    await identify('x'.repeat(43), 'anna');
    await choose('Control keys', 'ArrowDown', 'price is wrong');
    await page.getByText('You ban “keys” from the hot list for one hour.').waitFor(PATIENCE);
    await page.getByText('Because: “price is wrong”. Signed: anna.').waitFor(PATIENCE);
    await hasFocus('No, go back');
    expect(await violationsOf(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await choose('Control keys', 'ArrowDown', 'price is wrong');
    await sayYes('Yes, ban it');
    await page.getByRole('alert').getByText('Not done: the token is wrong.').waitFor(PATIENCE);

    await identify(TOKEN, 'anna');
    await choose('Control keys', 'ArrowDown', 'price is wrong');
    await sayYes('Yes, ban it');
    await page.getByText('keys is banned from the hot list for one hour.').waitFor(PATIENCE);
    await page
      .getByRole('row')
      .filter({ hasText: 'keys' })
      .waitFor({ ...PATIENCE, state: 'detached' });
    await headingFocused();

    await tabTo('Freeze everything…');
    await page.keyboard.press('Enter');
    await choose('Freeze everything', undefined, 'in doubt');
    await sayYes('Yes, freeze everything');
    await page
      .getByRole('alert')
      .getByText(/^Frozen since .*: nginx acts on no hot item\./)
      .waitFor(PATIENCE);
    await tabTo('Thaw…');
    await page.keyboard.press('Enter');
    await choose('Thaw', undefined, 'all is well');
    await sayYes('Yes, thaw it');
    await page.getByText('Thawed: nginx sees hot items.').waitFor(PATIENCE);

    const kept = await page.evaluate(
      '[location.href, document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage)]',
    );
    expect(kept).toEqual([expect.not.stringContaining(TOKEN), '', '{}', expect.stringContaining(TOKEN)]);
    await tabTo('Forget the token');
    await page.keyboard.press('Enter');
    await until(async () => (await page.evaluate('JSON.stringify(sessionStorage)')) === '{}', {
      timeoutMs: PATIENCE.timeout,
      what: 'the token to be forgotten',
    });
    await control('clear', 'keys');
  });

  test('an item is pinned by keyboard alone; the focus is seen at each step, and goes back to where it was', async () => {
    await open();
    await page.locator('#fresh', { hasText: 'Live' }).waitFor(PATIENCE);
    await page.getByRole('region', { name: 'Control' }).waitFor(PATIENCE);
    await tabTo('An item…');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Control needs the token' }).waitFor(PATIENCE);
    await page.keyboard.press('Escape');
    await hasFocus('An item…');
    await page.keyboard.press('Enter');
    await identify(TOKEN, 'anna');
    await page.getByRole('heading', { name: 'Control an item' }).waitFor(PATIENCE);
    await page.keyboard.type('by keys');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.type('feature of the week');
    await page.keyboard.press('Enter');
    await page.getByText('You pin “by keys” as hot for one hour.').waitFor(PATIENCE);
    await sayYes('Yes, pin it');
    await page.getByText('by keys is pinned for one hour.').waitFor(PATIENCE);
    await hasFocus('An item…');
    const row = page.getByRole('row').filter({ hasText: 'by keys' });
    await row.getByText('feature of the week').waitFor(PATIENCE);
    expect(await row.locator('.col-item').textContent()).toContain('pinned');
    await tabTo('Control… by keys');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Control by keys' }).waitFor(PATIENCE);
    // The last of the choices, from the first one up.
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Tab');
    await page.keyboard.type('the week is over');
    await page.keyboard.press('Enter');
    await page.getByText('You remove the pin or ban of “by keys”.').waitFor(PATIENCE);
    await sayYes('Yes, remove it');
    await row.waitFor({ ...PATIENCE, state: 'detached' });
    await headingFocused();
    // No visible focus would be as bad as none.
    expect(unseenFocus).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('the focus stays while rows go and move, and goes to the heading where its own row goes', async () => {
    for (const item of ['above', 'below']) await control('pin', item);
    await open();
    for (const item of ['above', 'below'])
      await page.getByRole('row').filter({ hasText: item }).waitFor(PATIENCE);
    await tabTo('Control… below');
    await control('clear', 'above');
    await page
      .getByRole('row')
      .filter({ hasText: 'above' })
      .waitFor({ ...PATIENCE, state: 'detached' });
    await hasFocus('Control… below');
    // Also where that goes while it is asked what to do with it.
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor(PATIENCE);
    await control('clear', 'below');
    await page
      .locator('#hot-rows tr')
      .filter({ hasText: 'below' })
      .waitFor({ ...PATIENCE, state: 'detached' });
    await page.keyboard.press('Escape');
    await headingFocused();
  });

  /** Presses Tab until what has that name has the focus. */
  async function tabTo(name: string): Promise<void> {
    const isThere = async () => {
      if ((await focused()) === name) return true;
      await page.keyboard.press('Tab');
      if (!(await isFocusSeen())) unseenFocus.push(await focused());
      return (await focused()) === name;
    };
    await until(isThere, { timeoutMs: PATIENCE.timeout, what: `the focus to reach ${name}`, everyMs: 1 });
  }

  function focused(): Promise<string> {
    return page.evaluate(
      `document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? ''`,
    );
  }

  function headingFocused(): Promise<void> {
    return hasFocus('Hot now');
  }

  async function hasFocus(name: string): Promise<void> {
    await until(async () => (await focused()) === name, {
      timeoutMs: PATIENCE.timeout,
      what: `the focus on ${name}`,
      detail: focused,
    });
  }

  async function titled(title: RegExp): Promise<void> {
    await until(async () => title.test(await page.title()), {
      timeoutMs: PATIENCE.timeout,
      what: `the title ${title}`,
      detail: () => page.title(),
    });
  }

  /** Whether the focused element is in sight, with a ring around it. A heading gets the focus if the focused row has gone. */
  function isFocusSeen(): Promise<boolean> {
    return page.evaluate(`(() => {
      const { activeElement } = document;
      const { left, top, right, bottom } = activeElement.getBoundingClientRect();
      const { outlineStyle, outlineWidth } = getComputedStyle(activeElement);
      const isInSight = right > 0 && bottom > 0 && left < innerWidth && top < innerHeight;
      return activeElement.tabIndex < 0 || (isInSight && outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2);
    })()`);
  }

  async function identify(token: string, name: string): Promise<void> {
    await page.getByRole('heading', { name: 'Control needs the token' }).waitFor(PATIENCE);
    await judge('Control needs the token');
    await page.keyboard.type(token);
    await page.keyboard.press('Tab');
    await page.keyboard.type(name);
    await page.keyboard.press('Enter');
  }

  async function judge(dialog: string): Promise<void> {
    if (FULL || !judged.has(dialog)) expect(await violationsOf(page)).toEqual([]);
    judged.add(dialog);
  }

  async function choose(title: string, key: string | undefined, reason: string): Promise<void> {
    await page.getByRole('heading', { name: title }).waitFor(PATIENCE);
    if (key !== undefined) {
      await page.keyboard.press(key);
      await page.keyboard.press('Tab');
    }
    await judge(title);
    await page.keyboard.type(reason);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Is this right?' }).waitFor(PATIENCE);
  }

  async function sayYes(words: string): Promise<void> {
    await tabTo(words);
    await page.keyboard.press('Enter');
  }

  async function open(view = 'hot', options: Parameters<Browser['newContext']>[0] = {}): Promise<void> {
    context = await windows.open({ locale: 'en-GB', ...options });
    complaints = [];
    page = await openTab(view);
  }

  async function openTab(view = 'hot'): Promise<Page> {
    const opened = await context.newPage();
    listenTo(opened, (text) => complaints.push(text));
    await opened.goto(`http://${sidecar.admin}/#/${view}`);
    return opened;
  }

  /** That many visitors view an item. */
  function visit(item: string, visitors: number, browserName = BROWSER): Promise<void> {
    const lines = Array.from({ length: visitors }, (_, i) =>
      lineOf({ item, ip: addressOf(i), agent: browserName }),
    );
    return postLines(join(home.path, 'run/intake.sock'), lines);
  }

  async function rate(row: ReturnType<Page['getByRole']>, cell: string): Promise<number> {
    return Number.parseFloat((await row.locator(cell).textContent()) ?? '');
  }

  async function hotList(): Promise<string[]> {
    const { hot } = await sidecar.json<{ hot: { item: string }[] }>('/api/v1/hot');
    return hot.map(({ item }) => item);
  }

  /** What somebody else with the token does. */
  async function control(
    action: 'pin' | 'ban' | 'clear' | 'freeze' | 'thaw',
    item?: string,
    reason = 'campaign',
  ): Promise<void> {
    const answer = await askOnce(`http://${sidecar.admin}/api/v1/hot/${action}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ item, reason, by: 'bob' }),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }
});
