import type { Change } from '../detect/decisions.ts';
import type { BotTest } from '../event/bot-test.ts';
import { type HeatService, startHeat } from '../heat/heat.ts';
import { createHotActions } from '../heat/hot-actions.ts';
import {
  createHotControlRoute,
  createHotItemRoute,
  createHotPageRoute,
  createHotReadRoute,
} from '../heat/hot-routes.ts';
import { createLiveFeed, MOST_CLIENTS } from '../heat/live-feed.ts';
import { HEAT_METRICS } from '../heat/metrics.ts';
import { RulesError } from '../heat/parse-rules.ts';
import { SHOPPER_METRICS } from '../protect/metrics.ts';
import { createShoppers } from '../protect/shoppers.ts';
import type { Route } from '../service/admin/admin.ts';
import type { Actions } from '../service/admin/admin-actions.ts';
import { ConfigError } from '../service/config/config.ts';
import { reasonOf } from '../service/log.ts';
import { createMetrics } from '../service/metrics.ts';
import type { IntakeRoute } from '../sidecar/ingest/intake.ts';
import { groupId } from '../sidecar/socket/group-id.ts';
import type { SocketRoute } from '../sidecar/socket/socket-route.ts';
import type { Core } from './core.ts';
import { wireControl } from './wire-control.ts';
import type { Outlet } from './wire-decisions.ts';
import { wireKeeper } from './wire-keeper.ts';
import { type Webhooks, wireWebhooks } from './wire-webhooks.ts';

export type OnHotChange = (change: Change) => void;

export type WireHeatOptions = {
  outlet: Outlet;
  isBot: BotTest;
  /** Of the page. */
  build: string;
  onChange?: OnHotChange | undefined;
};

const MESSAGES: Record<Change['change'], string> = {
  enters: 'an item turned hot',
  changes: 'other rules apply to a hot item',
  leaves: 'an item is no longer hot',
};

/** Heat detection, and where it answers. */
export type Heat = Pick<HeatService, 'newViews' | 'sawShoppers' | 'state' | 'explain'> & {
  /** Open streams of the page. */
  streams: () => { open: number; most: number };
  /** Of the admin listener, the control socket, and the intake. */
  routes: Record<string, Route>;
  controlRoutes: Record<string, SocketRoute>;
  intakeRoutes: Record<string, IntakeRoute>;
  /** Undefined where none is configured. */
  webhooks: Webhooks | undefined;
  /** Undefined where control is not configured. */
  actions: Actions | undefined;
};

/**
 * Starts heat detection, which is stopped after what shows views to it. Decisions go to `outlet`; `onChange` is told as well. Throws a
 * `ConfigError` where its rules cannot be used.
 */
export async function wireHeat(
  core: Core,
  { outlet, isBot, build, onChange }: WireHeatOptions,
): Promise<Heat> {
  const { config, registry, shutdown, log, warn, now } = core;
  const { socket_group: group } = config.intake;
  const metrics = createMetrics(registry, HEAT_METRICS);
  const shopperMetrics = createMetrics(registry, SHOPPER_METRICS);
  const catalogue = config.catalogue.file === undefined ? undefined : core.catalogue();
  const webhooks = wireWebhooks(core);
  const heat = await startHeat({
    config: config.heat,
    home: config.home,
    node: config.node,
    gid: group === undefined ? undefined : groupId(group),
    metrics,
    outbox: outlet,
    warn,
    now,
    isBot,
    keeper: wireKeeper(core),
    shoppers: (isStale) => createShoppers({ isStale, metrics: shopperMetrics, now }),
    catalogue,
    onChange(change) {
      const { item, signal, reason, rule, dryRun } = change;
      log.info({ item, signal, reason, rule, dryRun }, MESSAGES[change.change]);
      webhooks?.tell(change);
      onChange?.(change);
    },
    onHeld({ item, signal, reason, rule }) {
      log.info({ item, signal, reason, rule }, 'the cap holds an item back');
    },
    onRules({ rules, pins, bans }) {
      log.info(
        { file: config.heat.rules, rules: rules.length, pins: pins.length, bans: bans.length },
        'the rules for hot items have changed and are in force',
      );
    },
  }).catch((error: unknown) => {
    throw error instanceof RulesError ? new ConfigError(error.problems, config.heat.rules) : error;
  });
  catalogue?.onLoaded(heat.useCatalogue);
  shutdown.add('heat', heat.close);
  const feed = createLiveFeed(
    () => heat.live(build),
    (reason) => metrics.of('live_ended_total', { reason }).add(),
    (error) => warn('live page', 'the live page has nothing to show', { reason: reasonOf(error) }),
  );
  metrics.of('live_clients').follow(feed.clients);
  shutdown.add('live page', async () => feed.close());
  const actions = wireControl(core, createHotActions(heat), heat.noteRefused);
  return {
    newViews: heat.newViews,
    sawShoppers: heat.sawShoppers,
    state: heat.state,
    actions,
    webhooks,
    explain: heat.explain,
    streams: () => ({ open: feed.clients(), most: MOST_CLIENTS }),
    routes: { '/api/v1/hot': createHotPageRoute(heat), '/api/v1/live': feed.route },
    controlRoutes: { '/v1/hot': createHotControlRoute(heat), '/v1/hot/item': createHotItemRoute(heat) },
    intakeRoutes: { '/v1/hot': createHotReadRoute(heat) },
  };
}
