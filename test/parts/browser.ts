import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { CHROMIUM_FLAGS, obtainChromium } from '../provision/chromium.ts';
import { report } from './report.ts';

/** For what a page does; a busy machine is slow. */
const PATIENCE_MS = 60_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag2aaa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export async function launchChromium(tell: (line: string) => void = report): Promise<Browser> {
  return chromium.launch({ executablePath: await obtainChromium({ report: tell }), args: CHROMIUM_FLAGS });
}

/** The windows of one browser: one for each set of options. */
export type Windows = {
  /** The window of these options, without a tab, and as a reader has it who comes for the first time. */
  open(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** Closes all tabs. */
  clear(): Promise<void>;
};

/**
 * Keeps a window with an empty tab once it was opened: each new one starts a process of its own, which costs more than a test does
 * in it. What a tab stores goes with the tab, and the rest is empty: there are no cookies, and a test shows that the page stores nothing.
 */
export function keepWindows(browser: Browser): Windows {
  const kept = new Map<string, { window: BrowserContext; empty: Page }>();
  return { open, clear };

  async function open(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const key = JSON.stringify(options);
    const known = kept.get(key);
    if (known !== undefined) return known.window;
    const window = await browser.newContext(options);
    window.setDefaultTimeout(PATIENCE_MS);
    kept.set(key, { window, empty: await window.newPage() });
    return window;
  }

  async function clear(): Promise<void> {
    const tabs = [...kept.values()].flatMap(({ window, empty }) =>
      window.pages().filter((tab) => tab !== empty),
    );
    await Promise.all(tabs.map((tab) => tab.close()));
  }
}

/** Calls `complain` for each error and warning of the page, such as of its content security policy. */
export function listenTo(page: Page, complain: (text: string) => void): void {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complain(message.text());
  });
  page.on('pageerror', (error) => complain(String(error)));
}

/** What axe finds in a page. */
export function violationsOf(page: Page): Promise<string[]> {
  return page.evaluate(`${AXE}; axe.run({ runOnly: ${JSON.stringify(AXE_TAGS)} })
    .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`);
}
