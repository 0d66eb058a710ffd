import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';
import { CHROMIUM_FLAGS, obtainChromium } from '../provision/chromium.ts';
import { report } from './report.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag2aaa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export async function launchChromium(tell: (line: string) => void = report): Promise<Browser> {
  return chromium.launch({ executablePath: await obtainChromium({ report: tell }), args: CHROMIUM_FLAGS });
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
