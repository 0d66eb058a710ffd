import type { Finding } from '../service/finding.ts';
import type { StatusFacts } from './facts.ts';
import { isoTime } from './iso-time.ts';

type DeliveryState = NonNullable<
  Extract<StatusFacts['sidecar'], { accounts: unknown }>['accounts']['webhooks']
>[number];

/** Whether webhooks get what is for them. */
export function telling({ sidecar }: StatusFacts): Finding[] {
  const states = 'accounts' in sidecar ? (sidecar.accounts.webhooks ?? []) : [];
  return states.flatMap((state) => [...failing(state), ...rejecting(state)]);
}

function failing({ name, waiting, dropped, failure }: DeliveryState): Finding[] {
  if (failure === undefined) return [];
  return [
    {
      id: 'webhook-failing',
      severity: 'warning',
      what: `the webhook ${name} accepts nothing since ${isoTime(failure.since)}: ${failure.reason}`,
      why: `${waiting} messages wait and are retried for 15 minutes, ${dropped} were dropped since the start`,
      fix: 'correct its url or secret_file, or the receiver',
      command: `hotitem webhook test ${name}`,
    },
  ];
}

function rejecting({ name, dropped, rejected }: DeliveryState): Finding[] {
  if (rejected === undefined) return [];
  return [
    {
      id: 'webhook-rejecting',
      severity: 'warning',
      what: `the webhook ${name} rejected a message at ${isoTime(rejected.at)}: ${rejected.reason}`,
      why: `a rejected message is not retried; ${dropped} were dropped since the start`,
      fix: 'correct its url, or the receiver',
      command: `hotitem webhook test ${name}`,
    },
  ];
}
