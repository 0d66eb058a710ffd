import { readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../service/package-root.ts';
import { createZipf } from './zipf.ts';

export type Crowd = { close(): Promise<void> };

const VIEWS_PER_SECOND = 40;
const SALE_VIEWS_PER_SECOND = 300;
const SALE_AFTER_MS = 20_000;
const SALE_MS = 60_000;
const SALE_SHARE = 0.8;
const TICK_MS = 50;
const ADDRESSES = 100;
/** Several people may share an address, each with a browser of their own. */
const BROWSERS = 40;
const SEED = 4711;
const BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
const SCRAPER = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:115.0) Gecko/20100101 Firefox/115.0';
/** The requests per second of the bot, and of the scraper. */
const AUTOMATIC_VIEWS_PER_SECOND = 5;

/**
 * Visitors of the demo shop. Their views follow Zipf's law over the catalogue; after 20 s, most of them view one of the least viewed
 * items for a minute. A bot and a scraper crawl the catalogue meanwhile. The same seed gives the same crowd.
 */
export function startCrowd({ shop }: { shop: string }): Crowd {
  const items = catalogue();
  const zipf = createZipf(items.length, SEED);
  const favourite = items.at(-1) ?? '4711.html';
  // All of 127.0.0.0/8 is this host, so each visitor can have its own address.
  const places = Array.from({ length: ADDRESSES }, (_, i) => ({
    agent: new Agent({ keepAlive: true, maxSockets: 2 }),
    localAddress: `127.0.1.${i + 1}`,
  }));
  const began = performance.now();
  let due = 0;
  let automaticDue = 0;
  let automatic = 0;
  const timer = setInterval(tick, TICK_MS);
  return {
    async close() {
      clearInterval(timer);
      for (const { agent } of places) agent.destroy();
    },
  };

  function tick(): void {
    const passed = performance.now() - began;
    const sale = passed > SALE_AFTER_MS && passed < SALE_AFTER_MS + SALE_MS;
    due += ((sale ? SALE_VIEWS_PER_SECOND : VIEWS_PER_SECOND) * TICK_MS) / 1000;
    for (; due >= 1; due--) {
      const wanted = sale && zipf.random() < SALE_SHARE ? favourite : items[zipf.next()];
      view(wanted ?? favourite, Math.floor(zipf.random() * ADDRESSES), browser());
    }
    automaticDue += (AUTOMATIC_VIEWS_PER_SECOND * TICK_MS) / 1000;
    for (; automaticDue >= 1; automaticDue--) {
      const item = items[automatic++ % items.length] ?? favourite;
      view(item, 0, BOT);
      view(item, 1, SCRAPER);
    }
  }

  function browser(): string {
    const version = 100 + Math.floor(zipf.random() * BROWSERS);
    return `Mozilla/5.0 (X11; Linux x86_64; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`;
  }

  function view(item: string, place: number, agent: string): void {
    const options = { ...places[place], headers: { 'user-agent': agent } };
    const call = request(`http://${shop}/web/item/${item}?utm_source=demo`, options, (reply) =>
      reply.resume(),
    );
    call.on('error', () => {});
    call.end();
  }
}

function catalogue(): string[] {
  const pages = readdirSync(join(PACKAGE_ROOT, 'nginx/examples/pages/item'));
  return pages.filter((name) => name.endsWith('.html')).sort();
}
