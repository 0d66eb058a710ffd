import { expect, test } from '@jest/globals';
import { createDashboard } from '../../../monitoring/dashboard.ts';
import { ROWS } from '../../../monitoring/panels.ts';
import { documented, namesIn } from '../../integration/exported-metrics.ts';

const { panels = [], uid, templating } = createDashboard();
const placed = panels.flatMap(({ gridPos, title = '' }) =>
  gridPos === undefined ? [] : [{ title, ...gridPos }],
);

test('has fixed ids, so that a later import replaces it', () => {
  expect(uid).toBe('hotitem');
  expect(templating?.list?.map(({ name }) => name)).toEqual(['datasource', 'instance']);
});

test('shows every panel, none over another, on a grid of 24 columns', () => {
  expect(placed).toHaveLength(ROWS.length + ROWS.flatMap((row) => row.panels).length);
  for (const { x, w } of placed) expect(x + w).toBeLessThanOrEqual(24);
  const cells = placed.flatMap(({ x, y, w, h }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
});

test('asks only for metrics that exist', () => {
  const known = documented();
  const exprs = ROWS.flatMap((row) => row.panels).flatMap(({ queries }) => queries.map(({ expr }) => expr));
  const unknown = exprs.flatMap(namesIn).filter((name) => !known.has(name.replace(/_bucket$/, '')));
  expect(unknown).toEqual([]);
});

test('has the queries of its panels, for the chosen services of the chosen Prometheus', () => {
  const targets = panels.flatMap((panel) => ('targets' in panel ? (panel.targets ?? []) : []));
  const queries = ROWS.flatMap((row) => row.panels).flatMap((panel) => panel.queries);
  expect(targets).toHaveLength(queries.length);
  for (const target of targets) {
    expect(target).toMatchObject({
      expr: expect.stringContaining('instance=~"$instance"'),
      datasource: { type: 'prometheus', uid: '$datasource' },
    });
  }
});

test('makes no link and no markup of a label, which may be anybody’s text', () => {
  const text = JSON.stringify(createDashboard());
  expect(text).not.toMatch(/\$\{?__(value|field|data|series)|"type":"(text|html)"/);
  expect(text).not.toMatch(/"links":\[[^\]]/);
});
