import { randomBytes } from 'node:crypto';
import type { HotItemEvent } from '../event/event.ts';
import { fromLine } from '../event/from-line.ts';

const UA = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101';
const ITEMS = 5_000;

/** Events as a sidecar makes them of a shop's views, about 220 bytes each: `count` different ones. Their ids are random like nginx's: how well a topic is compressed depends on it. */
export function loadEvents(count: number): HotItemEvent[] {
  const began = Date.now() - count;
  return Array.from({ length: count }, (_, i) => {
    const time = ((began + i) / 1000).toFixed(3);
    const requestId = randomBytes(16).toString('hex');
    const item = (i * 7919) % ITEMS;
    const line = `2\t${time}\t${requestId}\t203.0.113.${i % 250}\tGET\tshop\t/web/item/${item}.html\t${item}\t\t\t\t${UA}`;
    const event = fromLine(line, 'web-1');
    if (!('id' in event)) throw new Error(`no event: ${line}`);
    return event;
  });
}
