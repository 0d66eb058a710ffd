import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { alertRules } from '../../integration/alert-rules.ts';
import { documented, namesIn } from '../../integration/exported-metrics.ts';

const ROOT = join(import.meta.dirname, '../../..');
const RUNBOOK = read('docs/runbook.md');

type RuleTest = { alertname: string; exp_alerts: object[] };

describe('each alert', () => {
  test.each(alertRules().map(({ alert, annotations }) => [alert, annotations.runbook]))(
    '%s names its section of the run-book',
    (alert, runbook) => {
      expect(runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
      expect(RUNBOOK).toContain(`\n## ${alert}\n`);
    },
  );

  test.each(alertRules().map(({ alert }) => [alert]))('%s has a unit test in which it fires', (alert) => {
    const { tests } = parse(read('prometheus/hotitem-alerts.test.yml')) as {
      tests: { alert_rule_test: RuleTest[] }[];
    };
    const own = tests.flatMap((one) => one.alert_rule_test).filter(({ alertname }) => alertname === alert);
    expect(own.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true);
  });

  test.each(alertRules().map(({ alert, expr }) => [alert, expr]))(
    '%s asks for metrics that exist',
    (_, expr) => {
      const known = documented();
      const names = namesIn(expr.replaceAll(/__name__=~"[^"]+"/g, ''));
      expect(names.filter((name) => !known.has(name))).toEqual([]);
    },
  );
});

test('the run-book has no section of an alert that does not exist', () => {
  const sections = [...RUNBOOK.matchAll(/^## (Hotitem\w+)$/gm)].map(([, name]) => name);
  expect(sections).toEqual(alertRules().map(({ alert }) => alert));
});

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
