import type { Finding } from '../service/finding.ts';
import type { StatusFacts } from './facts.ts';
import { isoTime } from './iso-time.ts';

/** Whether webhooks get what is for them. */
export function telling({ sidecar }: StatusFacts): Finding[] {
  const states = 'accounts' in sidecar ? (sidecar.accounts.webhooks ?? []) : [];
  return states.flatMap(({ name, waiting, dropped, failure }): Finding[] =>
    failure === undefined
      ? []
      : [
          {
            id: 'webhook-failing',
            severity: 'warning',
            what: `the webhook ${name} accepts nothing since ${isoTime(failure.since)}: ${failure.reason}`,
            why: `${waiting} messages wait and are tried again for 15 minutes, ${dropped} were dropped since the start`,
            fix: 'correct its url or secret_file, or the receiver',
            command: `hotitem webhook test ${name}`,
          },
        ],
  );
}
