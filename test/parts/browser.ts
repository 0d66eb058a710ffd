import { type Browser, chromium, type Page } from 'playwright-core';
import { CHROMIUM_FLAGS, obtainChromium } from '../provision/chromium.ts';
import { report } from './report.ts';

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
