import { randomUUID } from 'node:crypto';
import type { Change } from '../detect/decisions.ts';
import type { Check } from '../service/admin/admin.ts';
import type { Config } from '../service/config/config.ts';
import { createMetrics } from '../service/metrics.ts';
import { createDeliveries, type Deliveries, type DeliveryState } from '../webhooks/deliveries.ts';
import { WEBHOOK_METRICS } from '../webhooks/metrics.ts';
import { post } from '../webhooks/post.ts';
import type { Message, Webhook } from '../webhooks/webhook.ts';
import type { Core } from './core.ts';

type Settings = Config['webhooks'][number];

export type Webhooks = {
  /** Never throws and never waits. */
  tell(change: Change): void;
  states(): DeliveryState[];
  /** One for each webhook; none of them makes the sidecar unready. */
  checks: Check[];
};

/** Tells the configured webhooks what turns hot. */
export function wireWebhooks({ config, registry, shutdown, warn, now }: Core): Webhooks | undefined {
  const settings = config.webhooks.filter(({ enabled }) => enabled);
  const metrics = createMetrics(registry, WEBHOOK_METRICS);
  if (settings.length === 0) return undefined;
  const all = settings.map((one): { one: Settings; deliveries: Deliveries } => {
    const webhook = webhookOf(one);
    const deliver = (message: Message, stopping: AbortSignal) => post(webhook, message, now(), stopping);
    return { one, deliveries: createDeliveries({ name: one.name, deliver, metrics, warn, now }) };
  });
  shutdown.add('webhooks', async () => {
    await Promise.all(all.map(({ deliveries }) => deliveries.close()));
  });
  return {
    tell(change) {
      const wanted = all.filter(({ one }) => isWanted(one, change));
      if (wanted.length === 0) return;
      const message = messageOf(`hot_item.${change.change}`, dataOf(change, config.node), now());
      for (const { deliveries } of wanted) deliveries.add(message);
    },
    states: () => all.map(({ deliveries }) => deliveries.state()),
    checks: all.map(({ one: { name }, deliveries }) => ({
      name: `webhook ${name}`,
      ready: () => deliveries.state().failure?.reason ?? true,
      isNote: true,
    })),
  };
}

export function webhookOf({ name, url, secret_file: secretFile }: Settings): Webhook {
  return { name, url, secretFile };
}

/** In the form of the Standard Webhooks specification: a type, a time, and what it is about. */
export function messageOf(type: string, data: object, now: number): Message {
  const body = JSON.stringify({ type, timestamp: new Date(now).toISOString(), data });
  return { id: `msg_${randomUUID()}`, body, at: now };
}

/** Nothing is done on trial, so nothing is told. */
function isWanted({ signals, rules, changes }: Settings, { signal, rule, change, dryRun }: Change): boolean {
  return (
    !dryRun &&
    signals.includes(signal) &&
    changes.includes(change) &&
    (rules.length === 0 || rules.includes(rule))
  );
}

function dataOf({ item, signal, reason, rule, actions, since, until }: Change, node: string): object {
  return {
    item,
    signal,
    reason,
    rule,
    actions,
    since: new Date(since).toISOString(),
    ...(until !== undefined && { until: new Date(until).toISOString() }),
    node,
  };
}
