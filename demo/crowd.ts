import { readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../service/package-root.ts';
import { createZipf } from './zipf.ts';

export type Crowd = { close(): Promise<void> };

const VIEWS_PER_SECOND = 40;
const SALE_VIEWS_PER_SECOND = 200;
const SALE_AFTER_MS = 20_000;
const SALE_SHARE = 0.8;
const TICK_MS = 50;
const VISITORS = 100;
const SEED = 4711;

/**
 * Visitors of the demo shop: they follow Zipf's law over its catalogue, and after 20 s most of them want one item that
 * was among the least viewed. The same seed, the same crowd.
 */
export function startCrowd({ shop }: { shop: string }): Crowd {
  const items = catalogue();
  const zipf = createZipf(items.length, SEED);
  const favourite = items.at(-1) ?? '4711.html';
  // All of 127.0.0.0/8 is this machine: each visitor has an address of its own.
  const visitors = Array.from({ length: VISITORS }, (_, i) => ({
    agent: new Agent({ keepAlive: true, maxSockets: 2 }),
    localAddress: `127.0.1.${i + 1}`,
    headers: {
      'user-agent': `Mozilla/5.0 (X11; Linux x86_64; rv:${100 + i}.0) Gecko/20100101 Firefox/${100 + i}.0`,
    },
  }));
  const began = performance.now();
  let due = 0;
  const timer = setInterval(tick, TICK_MS);
  return {
    async close() {
      clearInterval(timer);
      for (const { agent } of visitors) agent.destroy();
    },
  };

  function tick(): void {
    const sale = performance.now() - began > SALE_AFTER_MS;
    due += ((sale ? SALE_VIEWS_PER_SECOND : VIEWS_PER_SECOND) * TICK_MS) / 1000;
    for (; due >= 1; due--) {
      const wanted = sale && zipf.random() < SALE_SHARE ? favourite : items[zipf.next()];
      view(wanted ?? favourite, visitors[Math.floor(zipf.random() * VISITORS)]);
    }
  }

  function view(item: string, visitor: (typeof visitors)[number] | undefined): void {
    const call = request(`http://${shop}/web/item/${item}?from=demo`, { ...visitor }, (reply) =>
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
