import { join } from 'node:path';
import { TICK_MS } from '../detect/clock.ts';
import { type Change, createDecisions, type Decision } from '../detect/decisions.ts';
import { createHeat } from '../detect/heat.ts';
import { type Catalogue, compileRules, type Rules } from '../detect/rules.ts';
import { type BotTest, createBotTest } from '../event/bot-test.ts';
import type { CatalogueLookup } from '../event/catalogue-item.ts';
import { createHeatView } from '../event/heat-view.ts';
import type { Keeper } from '../protect/keeper.ts';
import type { Shoppers } from '../protect/shoppers.ts';
import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import type { NewViews } from '../sidecar/ingest/new-views.ts';
import { createAddressSamples } from './address-samples.ts';
import { createAudit } from './audit-file.ts';
import { followMetrics } from './follow-metrics.ts';
import { createFrozenFile } from './frozen-file.ts';
import { createHeatStorage } from './heat-storage.ts';
import { createHotAnswers, type HotAnswers } from './hot-answers.ts';
import { createHotFolder } from './hot-folder.ts';
import { createVersions } from './hot-list.ts';
import type { HotSource } from './hot-routes.ts';
import { needCatalogue, ruleOptionsOf } from './item-rules.ts';
import { decisionsOf, type KeptBaselines, type KeptHeat } from './kept-heat.ts';
import type { Happened } from './live.ts';
import type { HEAT_METRICS } from './metrics.ts';
import { createNginxView } from './nginx-view.ts';
import { createOperator } from './operator.ts';
import { createOutbox, type OutboxOptions } from './outbox.ts';
import { createOverrides, overridesOf } from './overrides.ts';
import type { RulesFile } from './rules-schema.ts';
import { watchRules } from './rules-watch.ts';
import { createShopRate } from './shop-rate.ts';
import { createTeller } from './teller.ts';
import { type CountedViews, createViewBatches } from './view-batches.ts';

/*
 * Heat detection in a sidecar. Views come in through `newViews`. Decisions go to the folder that nginx reads, to the sockets and the admin
 * listener, to the audit log, and to disk for the next start. A failure here never affects ingestion.
 */

export type HeatServiceOptions = {
  config: { dir: string; rules?: string | undefined; cap: number };
  /** Folder of all state. */
  home: string;
  node: string;
  /** Group of nginx's workers, if it differs from that of this process. */
  gid: number | undefined;
  metrics: Metrics<typeof HEAT_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
  now: () => number;
  /** That of ingestion: a verdict that it has just remembered is known here. */
  isBot?: BotTest;
  /** Makes what has nginx keep pages, and tells when it does. Without it none is kept. */
  keeper?: ((onChange: () => void) => Keeper) | undefined;
  /** Makes what counts requests for hot items, as nginx logs them; `isStale`: whether the page that nginx shows of an item is too old. */
  shoppers?: ((isStale: (item: string) => boolean) => Shoppers) | undefined;
  /** Called for each change. */
  onChange?: ((change: Change) => void) | undefined;
  /** Called when the cap begins to hold an item back. */
  onHeld?: ((held: Decision) => void) | undefined;
  /** Called when a changed rules file has been put in force. */
  onRules?: ((rules: RulesFile) => void) | undefined;
  /** Where decisions go; without it they are told to nobody but those who ask. */
  outbox?: Pick<OutboxOptions, 'append' | 'metrics'> | undefined;
  /** The catalogue of the shop, where one is configured. */
  catalogue?: { items(): Catalogue | undefined; lookUp: CatalogueLookup } | undefined;
  /** False: the caller calls `tick`. */
  ticks?: boolean;
};

export type HeatService = HotSource &
  HotAnswers & {
    newViews: NewViews;
    /** Counts what nginx did with requests for hot items, from lines of log-shared.conf. */
    sawShoppers: Shoppers['take'] | undefined;
    /** The periodic work, due every `TICK_MS`. Never throws. */
    tick(): void;
    /** The catalogue has changed: applies again the rules that depend on it. */
    useCatalogue(): void;
    /** A command that was refused to a client at the address `from`, for the audit log. */
    noteRefused(path: string, from: string): void;
    /** Checks the rules file once, as the timer does every second. */
    readRules(): Promise<void>;
    close(): Promise<void>;
  };

/**
 * More versions than a crash can lose. The first version is also at least the time in ms, which grows faster than versions do: a version
 * must not be used twice even if the file is lost, because readers wait for a different one.
 */
const VERSIONS_APART = 1_000;

/** Changes shown on the page. */
const MOST_HAPPENED = 20;

/** Starts heat detection. Rejects with a `RulesError` if no valid rules are available. */
export async function startHeat(options: HeatServiceOptions): Promise<HeatService> {
  const { config, home, node, gid, metrics, warn, now, isBot = createBotTest(), ticks = true } = options;
  const audit = createAudit({ path: join(home, 'heat-audit.ndjson'), now, warn });
  const frozen = createFrozenFile(join(home, 'heat-frozen.json'), now);
  const watch = await watchRules({
    path: config.rules,
    keptPath: join(home, 'heat-rules.kept.yml'),
    hasCatalogue: options.catalogue !== undefined,
    now,
    warn,
    onRules: useRules,
  });
  const storage = createHeatStorage({
    home,
    now: now(),
    warn,
    readHeat: keptHeat,
    readBaselines: keptBaselines,
    onStored: ({ untold = [] }) => void outbox?.stored(untold),
  });
  const kept = storage.heat;
  const outbox =
    options.outbox &&
    createOutbox({ ...options.outbox, pending: kept?.untold ?? [], onChange: storage.changed, warn });
  const overrides = createOverrides(kept?.overrides ?? []);
  overrides.setFile(overridesOf(watch.rules()));
  const versions = createVersions(Math.max(now(), (kept?.version ?? 0) + VERSIONS_APART));
  const rules = rulesOf(watch.rules());
  const decisions = createDecisions({
    rules,
    onChange,
    onHeld,
    ...(kept !== undefined && {
      stored: { state: decisionsOf(kept, overrides.pinsAndBans(), now()), now: now() },
    }),
  });
  const teller = outbox && createTeller({ node, now, decisions, overrides, outbox });
  /** The batch of which is decided just now. */
  let naming: CountedViews | undefined;
  let isChanged = true;
  /** The operator, or `file`, who causes the current changes. */
  let speaker: string | undefined;
  let tickAt = 0;
  const heat = createHeat({
    now: now(),
    nameOf: (index) => naming?.name(index) ?? '',
    decisions,
    rules,
    ...(storage.baselines !== undefined && { stored: storage.baselines }),
  });
  const folder = createHotFolder({ dir: config.dir, gid, now, warn });
  const keeper = options.keeper?.(() => guarded(publish));
  const shoppers = options.shoppers?.((item) => keeper?.isStale(item) === true);
  const nginx = createNginxView({ folder, frozen, keeper, shoppers });
  const addresses = createAddressSamples(keeper);
  const shop = createShopRate();
  let happened: Happened[] = [];
  const answers = createHotAnswers({
    node,
    now,
    heat,
    decisions,
    overrides,
    frozen,
    watch,
    nginx,
    versions,
    shop,
    happened: () => happened,
    cap: () => capOf(watch.rules()),
    lookUp: options.catalogue?.lookUp,
  });
  const operator = createOperator({
    now,
    audit,
    frozen,
    overrides,
    nginx,
    apply: (by) => saidBy(by, applyOverrides),
    publish,
    save: storage.saveNow,
  });
  const newViews = createViewBatches({ view: createHeatView(), isBot, count });
  followMetrics(metrics, { heat, decisions, folder, frozen, watch });
  teller?.begin(kept?.hot ?? []);
  applyOverrides();
  publish();
  const timer = ticks ? setInterval(tick, TICK_MS).unref() : undefined;
  return {
    ...answers,
    ...operator,
    version: versions.current,
    changed: versions.changed,
    newViews,
    sawShoppers: shoppers?.take,
    tick,
    useCatalogue,
    noteRefused: (path, from) =>
      audit.note({ who: `api, from ${from}`, what: 'refused', reason: 'the token is wrong', path }),
    readRules: watch.look,
    close,
  };

  /** Counts the views of one intake request. Never throws. */
  function count(views: CountedViews): void {
    guarded(() => {
      advance(now());
      shop.add(views, now());
      naming = views;
      try {
        heat.observeAll(views);
        heat.decide();
      } finally {
        naming = undefined;
      }
      if (isChanged) publish();
      addresses.look(views);
    });
  }

  function tick(): void {
    guarded(() => {
      const time = now();
      advance(time);
      if (overrides.expire(time)) applyOverrides();
      if (isChanged) publish();
      nginx.tick();
      storage.tick(time);
      teller?.tick(time);
      outbox?.tick(time);
    });
  }

  /** Advances only if a new tick has begun. */
  function advance(time: number): void {
    const tickOfTime = Math.floor(time / TICK_MS);
    if (tickOfTime === tickAt) return;
    tickAt = tickOfTime;
    const began = performance.now();
    heat.advance(time);
    const seconds = (performance.now() - began) / 1_000;
    metrics.of('heat_tick_seconds').set(seconds);
    const longest = metrics.of('heat_tick_longest_seconds');
    if (seconds > longest.value()) longest.set(seconds);
  }

  function guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      metrics.of('heat_failures_total').add();
      warn('heat', 'an error in heat detection; ingestion is not affected', {
        reason: reasonOf(error),
      });
    }
  }

  function onChange(change: Change): void {
    const { signal, item, since, rule, reason, actions, dryRun } = change;
    isChanged = true;
    metrics.of('heat_decisions_total', { signal, change: change.change }).add();
    if (change.change === 'enters' && naming !== undefined)
      metrics.observe('heat_decision_seconds', Math.max(0, now() - oldestOf(naming)) / 1_000);
    const who = speaker ?? (signal === 'pin' ? (overrides.of(item)?.by ?? 'its end') : `rule ${rule}`);
    teller?.tell(change, who);
    audit.note({ who, what: change.change, item, reason, signal, actions, dryRun });
    happened = [...happened, { at: now(), item, signal, change: change.change, since, reason }].slice(
      -MOST_HAPPENED,
    );
    options.onChange?.(change);
  }

  function onHeld(held: Decision): void {
    const { signal, item, rule, reason, actions, dryRun } = held;
    metrics.of('heat_decisions_total', { signal, change: 'held' }).add();
    teller?.tell({ ...held, change: 'held' }, `rule ${rule}`);
    audit.note({ who: `rule ${rule}`, what: 'held', item, reason, signal, actions, dryRun });
    options.onHeld?.(held);
  }

  /** Shows nginx what is hot, and wakes readers that wait for a new version. */
  function publish(): void {
    isChanged = false;
    nginx.show(decisions.hot());
    versions.next();
    storage.changed();
  }

  function keptBaselines(): KeptBaselines {
    return { format: 1, ...heat.state() };
  }

  function keptHeat(): KeptHeat {
    const { hot, version } = decisions.state();
    return {
      format: 1,
      at: now(),
      version: versions.current(),
      decided: version,
      hot,
      overrides: overrides.byHand(),
      ...(outbox !== undefined && { untold: outbox.pending() }),
    };
  }

  function useRules(rules: RulesFile): void {
    guarded(() => {
      overrides.setFile(overridesOf(rules));
      audit.note({ who: 'file', what: 'rules', reason: `${config.rules} has changed` });
      saidBy('file', () => {
        heat.setRules(rulesOf(rules));
        applyOverrides();
      });
      publish();
      options.onRules?.(rules);
    });
  }

  function useCatalogue(): void {
    if (!needCatalogue(watch.rules())) return;
    guarded(() => {
      saidBy('catalogue', () => heat.setRules(rulesOf(watch.rules())));
      publish();
    });
  }

  function rulesOf(rules: RulesFile): Rules {
    const catalogue = options.catalogue?.items();
    return compileRules(ruleOptionsOf(rules), {
      cap: capOf(rules),
      ...(catalogue !== undefined && { catalogue }),
    });
  }

  function capOf({ cap = config.cap }: RulesFile): number {
    return cap;
  }

  function applyOverrides(): void {
    decisions.setOverrides(overrides.pinsAndBans(), now());
  }

  function saidBy(who: string, change: () => void): void {
    speaker = who;
    try {
      change();
    } finally {
      speaker = undefined;
    }
  }

  /** Hot items are stored for the next start. */
  async function close(): Promise<void> {
    clearInterval(timer);
    watch.close();
    await nginx.close();
    await Promise.all([storage.close(), audit.written()]);
    await outbox?.settled();
    // What has gone out by now need not go again.
    if (outbox !== undefined) await storage.saveNow().catch(() => {});
  }
}

function oldestOf({ length, times }: CountedViews): number {
  return times.subarray(0, length).reduce((oldest, time) => Math.min(oldest, time), Number.POSITIVE_INFINITY);
}
