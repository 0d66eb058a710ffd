import { METRIC_GROUPS } from '../../monitoring/metric-lists.ts';
import { ROWS } from '../../monitoring/panels.ts';

export type Exported = { kind: string; help: string; labels: Set<string> };

/** What hotitem exports, by name, as a text of `/metrics` says. */
export function exportedIn(text: string): Map<string, Exported> {
  const found = new Map<string, Exported>();
  const of = (name: string): Exported => {
    const one = found.get(name) ?? { kind: '', help: '', labels: new Set<string>() };
    found.set(name, one);
    return one;
  };
  for (const line of text.split('\n')) {
    const [, what = '', name = '', rest = ''] = /^# (HELP|TYPE) (hotitem_\w+) (.*)$/.exec(line) ?? [];
    if (what === 'HELP') of(name).help = rest.replaceAll('\\\\', '\\');
    if (what === 'TYPE') of(name).kind = rest;
    const [, sample = '', labels = ''] = /^(hotitem_\w+)\{(.*)\}/.exec(line) ?? [];
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) {
      if (label !== 'le') of(sample).labels.add(label);
    }
  }
  return found;
}

/** The same, as docs/metrics.md says. */
export function documented(): Map<string, Exported> {
  const entries = METRIC_GROUPS.flatMap(({ list, prefix = '' }) =>
    Object.entries(list).map(([name, { kind, help, labels = [] }]): [string, Exported] => [
      `hotitem_${prefix}${name}`,
      { kind, help, labels: new Set(labels) },
    ]),
  );
  return new Map(entries);
}

/** Every query of Grafana's dashboard, with its variables filled in as Grafana does for all services. */
export function dashboardQueries(): string[] {
  return ROWS.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries))
    .map(({ expr }) => expr)
    .map((expr) => expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '30s'))
    .map((expr) => expr.replaceAll('$__range', '1m'));
}

/** The names of our metrics in a query. */
export function namesIn(expr: string): string[] {
  return [...expr.matchAll(/hotitem_\w+/g)].map(([name]) => name);
}
