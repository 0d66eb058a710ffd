import { readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../service/package-root.ts';
import { createZipf } from './zipf.ts';

export type Crowd = { close(): Promise<void> };

const VIEWS_PER_SECOND = 40;
const SALE_VIEWS_PER_SECOND = 200;
const SALE_AFTER_MS = 20_000;
const TICK_MS = 50;
const SEED = 4711;

/**
 * Visitors of the demo shop: they follow Zipf's law over its catalogue, and after 20 s most of them want one item that
 * was among the least viewed. The same seed, the same crowd.
 */
export function startCrowd({ shop }: { shop: string }): Crowd {
  const items = catalogue();
  const zipf = createZipf(items.length, SEED);
  const favourite = items.at(-1) ?? '4711.html';
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  const began = performance.now();
  let due = 0;
  const timer = setInterval(tick, TICK_MS);
  return {
    async close() {
      clearInterval(timer);
      agent.destroy();
    },
  };

  function tick(): void {
    const sale = performance.now() - began > SALE_AFTER_MS;
    due += ((sale ? SALE_VIEWS_PER_SECOND : VIEWS_PER_SECOND) * TICK_MS) / 1000;
    for (; due >= 1; due--) {
      view(sale && zipf.random() < 0.8 ? favourite : (items[zipf.next()] ?? favourite));
    }
  }

  function view(item: string): void {
    const headers = { 'user-agent': `demo visitor ${Math.floor(zipf.random() * 500)}` };
    const call = request(`http://${shop}/web/item/${item}?from=demo`, { agent, headers }, (reply) =>
      reply.resume(),
    );
    call.on('error', () => {});
    call.end();
  }
}

function catalogue(): string[] {
  return readdirSync(join(PACKAGE_ROOT, 'nginx/examples/pages/item'))
    .filter((name) => name.endsWith('.html'))
    .sort();
}
