import type { SeenShoppers } from '../protect/shoppers.ts';
import { type Check, json, type Route } from '../service/admin/admin.ts';
import { isRecent } from '../service/is-recent.ts';
import type { Loss } from '../service/losses.ts';
import type { OutageState } from '../service/outage.ts';
import type { SidecarAccounts } from '../sidecar/accounting.ts';
import { createFlow, type Stage } from '../sidecar/flow.ts';
import { createForwardedViews } from '../sidecar/forwarded-views.ts';
import type { HealthAnswer, KafkaHealth } from '../sidecar/routes/answers.ts';
import type { Nginx } from '../sidecar/sidecar.ts';
import type { EventIndex } from '../store/event-index.ts';
import type { Core } from './core.ts';
import type { CatalogueState } from './wire-catalogue.ts';
import type { SinkAccounts } from './wire-sink.ts';

export type HealthOptions = {
  nginx: () => Nginx;
  /** Looked at each second: the whole of the accounting would be much more. */
  sidecar: () => SidecarAccounts;
  /** Views accepted as they came, without test views. */
  live: () => number;
  sink: (() => SinkAccounts) | undefined;
  /** Why nothing is delivered; undefined while it is, as far as anybody has tried. */
  outage: () => OutageState | undefined;
  losses: () => Loss[];
  checks: () => Check[];
  index: EventIndex | undefined;
  shoppers?: (() => SeenShoppers | undefined) | undefined;
  /** What is known about Kafka, but for what passes it; undefined without it. */
  kafka?: (() => Omit<KafkaHealth, 'lastAt' | 'after'>) | undefined;
  /** Open streams of the page. */
  streams?: (() => NonNullable<HealthAnswer['streams']>) | undefined;
};

const LOOK_EVERY_MS = 1_000;
/** The index is asked no more often for its newest event. */
const ASK_EVERY_MS = 5_000;

/** `GET /api/v1/health`. */
export function wireHealth(core: Core, options: HealthOptions): Route {
  const { nginx, sidecar, live, sink, outage, losses, checks, index, shoppers, kafka, streams } = options;
  const { now, shutdown, parts } = core;
  const spool = { accepted: () => sidecar().accepted, waiting: () => sidecar().waiting, now };
  const flow = createFlow({ stages: stages(), ...spool });
  const forwarded = createForwardedViews({ live, ...spool });
  const newest = createNewest(index, now);
  const timer = setInterval(look, LOOK_EVERY_MS);
  shutdown.add('health', async () => clearInterval(timer));
  return () => json(200, answer());

  function look(): void {
    flow.look();
    if (kafka !== undefined) forwarded.look();
  }

  function stages(): Stage[] {
    return [
      { name: 'captured', total: () => capturedOf(sidecar()) },
      { name: 'spooled', total: () => sidecar().accepted },
      ...(parts.kafka ? [{ name: 'forwarded', total: () => sidecar().delivered }] : []),
      ...(sink === undefined ? [] : [{ name: 'indexed', total: () => indexedOf(sink()) }]),
      { name: 'dead', total: () => deadOf(sidecar(), sink?.()) },
    ];
  }

  function answer(): HealthAnswer {
    const [ofSidecar, ofSink, unavailable, ofNginx] = [sidecar(), sink?.(), outage(), nginx()];
    const oldestMs = flow.oldestMs();
    const states = flow.stages();
    const lastOf = (stage: string) => states.find(({ name }) => name === stage)?.lastAt;
    const [deadAt, forwardedAt] = [lastOf('dead'), lastOf('forwarded')];
    const known = newest();
    const after = known && forwarded.after(known.time ?? Number.NEGATIVE_INFINITY);
    return {
      node: core.config.node,
      started: core.about().started,
      now: now(),
      stages: states.filter(({ name }) => name !== 'dead'),
      behind: { events: ofSidecar.waiting, ...(oldestMs !== undefined && { oldestMs }) },
      dead: { events: deadOf(ofSidecar, ofSink), ...(deadAt !== undefined && { lastAt: deadAt }) },
      unaccounted: ofSidecar.unaccounted + (ofSink?.unaccounted ?? 0),
      losses: losses().map(({ reason, views, first, last }) => ({ reason, views, first, last })),
      ...(unavailable !== undefined && { outage: { since: unavailable.since } }),
      ...(kafka !== undefined && {
        kafka: {
          ...kafka(),
          ...(forwardedAt !== undefined && { lastAt: forwardedAt }),
          ...(after !== undefined && { after }),
        },
      }),
      capture: ofNginx.capture.mode,
      nginx: (ofNginx.accounts?.instances ?? []).map(
        ({ started, reportedAt, captured, buffered, dropped, off }) => ({
          started,
          reportedAt,
          captured,
          buffered,
          dropped,
          off,
        }),
      ),
      parts: checks().map(({ name, ready }) => ({ name, isReady: ready() === true })),
      ...(known !== undefined && { newest: known }),
      ...hotOf(shoppers?.()),
      ...catalogueOf(core.catalogue().state()),
      ...(streams !== undefined && { streams: streams() }),
    };
  }
}

function hotOf(counts: SeenShoppers | undefined): Pick<HealthAnswer, 'hot'> {
  if (counts === undefined) return {};
  const { shared, stale, own, missing, unkept, at } = counts;
  return { hot: { cached: shared + stale, origin: own + missing + unkept, at } };
}

function catalogueOf(state: CatalogueState | undefined): Pick<HealthAnswer, 'catalogue'> {
  if (state === undefined) return {};
  const { rows, modified, loading, failure } = state;
  const known = { ...(modified !== undefined && { modified }), ...(loading && { loading }) };
  return { catalogue: { items: rows, ...known, ...(failure !== undefined && { failed: true as const }) } };
}

function capturedOf({ received, duplicate }: SidecarAccounts): number {
  return received - duplicate;
}

function indexedOf({ indexed, existing }: SinkAccounts): number {
  return indexed + existing;
}

function deadOf(sidecar: SidecarAccounts, sink: SinkAccounts | undefined): number {
  return sidecar.dead + (sink?.dead ?? 0);
}

/** The last answer; asks again without making anybody wait, as the index may not answer. */
function createNewest(index: EventIndex | undefined, now: () => number): () => HealthAnswer['newest'] {
  let known: HealthAnswer['newest'];
  let askedAt = Number.NEGATIVE_INFINITY;
  let isAsking = false;
  return () => {
    if (index !== undefined && !isAsking && !isRecent(askedAt, now(), ASK_EVERY_MS)) void ask(index);
    return known;
  };

  async function ask(of: EventIndex): Promise<void> {
    isAsking = true;
    askedAt = now();
    known = await of.newest().then(
      (time) => ({ askedAt: now(), ...(time !== undefined && { time }) }),
      () => undefined,
    );
    isAsking = false;
  }
}
