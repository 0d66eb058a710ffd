import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';

const rules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          annotations: z.object({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
});

export type AlertRule = z.output<typeof rules>['groups'][number]['rules'][number];

/** The rules of prometheus/hotitem-alerts.yml. */
export function alertRules(): AlertRule[] {
  const text = readFileSync(join(import.meta.dirname, '../../prometheus/hotitem-alerts.yml'), 'utf8');
  return rules.parse(parse(text)).groups.flatMap((group) => group.rules);
}
