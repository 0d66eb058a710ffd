import { setTimeout as sleep } from 'node:timers/promises';
import { openPlainLookup } from '../app/open-lookup.ts';
import type { Config } from '../service/config/config.ts';
import type { Finding } from '../service/finding.ts';
import { reasonOf } from '../service/log.ts';
import { plainText } from '../service/plain-text.ts';
import type { TestView } from '../sidecar/ingest/test-views.ts';
import { askService } from '../status/ask-service.ts';
import type { PlainLookup } from '../store/event-lookup.ts';
import { clockDiffers, SAME_TIME_MS } from './clock-rules.ts';
import type { SentView } from './send-test-view.ts';

export type Followed = {
  /** How far the view got, as text for people. */
  text: string;
  findings: Finding[];
};

/** batch sends five times a second; a spill file is read within a second, after up to five seconds in the zone. */
const INGESTED_MS = 12_000;
/** Batches of spool, Kafka and index, and the index refresh. */
const INDEXED_MS = 30_000;
/** `followTestView` takes no longer. */
export const FOLLOW_MS = INGESTED_MS + INDEXED_MS;
const EVERY_MS = 200;

export type FollowOptions = {
  config: Config;
  /** When it was sent, ms since 1970. */
  sentAt: number;
  /** Whether another finding blocks events after the spool: then do not wait for the index. */
  isDelivered: boolean;
};

/** Follows a test view through the sidecar into the index. */
export async function followTestView(view: SentView, options: FollowOptions): Promise<Followed> {
  const { config, sentAt, isDelivered } = options;
  const asked = `asked for ${plainText(view.url, 200)} (${view.status ?? plainText(view.problem ?? '', 200)})`;
  if (view.problem !== undefined) return { text: asked, findings: [notAnswered(view)] };
  const came = await ingested(config, view.token);
  if (came === undefined)
    return { text: `${asked}, not ingested within ${INGESTED_MS / 1000} s`, findings: [notIngested(view)] };
  const drift = came.time - sentAt;
  const clock =
    Math.abs(drift) < SAME_TIME_MS
      ? []
      : [
          clockDiffers(
            `nginx's time of a view is ${seconds(drift)} ${drift > 0 ? 'ahead of' : 'behind'} this host`,
          ),
        ];
  if (!isDelivered)
    return { text: `${asked}, ingested; it waits because of another finding`, findings: clock };
  const outcome = await indexed(config, came.id);
  return {
    text: `${asked}, ingested, ${outcome.text}`,
    findings: [...clock, ...outcome.findings],
  };
}

async function ingested({ admin }: Config, token: string): Promise<TestView | undefined> {
  return within(INGESTED_MS, async () => {
    const sidecar = await askService(admin.listen, 'admin.listen');
    return 'accounts' in sidecar ? sidecar.accounts.tests?.find((one) => one.token === token) : undefined;
  });
}

async function indexed(config: Config, id: string): Promise<Followed> {
  const began = Date.now();
  let lookup: PlainLookup | undefined;
  try {
    lookup = await openPlainLookup(config);
    const found = await within(INDEXED_MS, async () => {
      await lookup?.refresh();
      const [count = 0] = (await lookup?.count([id])) ?? [];
      return count > 0 ? count : undefined;
    });
    if (found === undefined)
      return { text: `not in the index within ${INDEXED_MS / 1000} s`, findings: [notIndexed(lookup.name)] };
    const text = `in ${lookup.name} after ${((Date.now() - began) / 1000).toFixed(1)} s`;
    const isNow = (await lookup.isNow?.(id, SAME_TIME_MS)) ?? true;
    return {
      text,
      findings: isNow ? [] : [clockDiffers(`Elasticsearch's clock differs from that of this host`)],
    };
  } catch (error) {
    return { text: `not searched in the index: ${plainText(reasonOf(error), 200)}`, findings: [] };
  } finally {
    await lookup?.close();
  }
}

async function within<T>(ms: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined || performance.now() > end) return found;
    await sleep(EVERY_MS);
  }
}

function notAnswered({ url, problem }: SentView): Finding {
  return {
    id: 'page-not-served',
    severity: 'error',
    what: `nginx does not serve ${plainText(url, 200)}: ${plainText(problem ?? '', 200)}`,
    why: 'so no view can be captured',
    fix: 'start nginx, or set an item page: hotitem doctor --url http://127.0.0.1/web/item/1',
    command: 'systemctl start nginx',
  };
}

function notIngested({ url }: SentView): Finding {
  return {
    id: 'view-not-ingested',
    severity: 'error',
    what: `a test view of ${plainText(url, 200)} did not reach the sidecar`,
    why: 'its location does not capture, capture samples, or nginx reaches neither the socket nor the spill folder',
    fix: "hotitem check --nginx names the cause, or nginx's error log does ('grep hotitem')",
    command: 'hotitem check --nginx',
  };
}

function notIndexed(name: string): Finding {
  return {
    id: 'view-not-indexed',
    severity: 'error',
    what: `a test view that was ingested is not in ${name}`,
    why: 'it waits in the spool or in Kafka, or became a dead letter',
    fix: 'see hotitem dead-letters list, and the log of the sink',
    command: 'hotitem dead-letters list',
  };
}

function seconds(ms: number): string {
  return `${Math.round(Math.abs(ms) / 1000)} s`;
}
