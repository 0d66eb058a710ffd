import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics of a service, in one list: docs/metrics.md is tested against it. */
export type MetricList = Record<string, Metric>;
type Metric =
  | { kind: 'counter' | 'gauge'; help: string; labels?: readonly string[] }
  /** `buckets`: their upper bounds. */
  | { kind: 'histogram'; help: string; labels?: readonly []; buckets: readonly number[] };

/** One number of a service, for one set of label values. */
export type Meter = {
  add(by?: number): void;
  set(value: number): void;
  /** From now on its value is what `read` returns, called at each scrape. */
  follow(read: () => number): void;
  value(): number;
};

export type Metrics<L extends MetricList> = {
  /** The meter with that name, without the prefix `hotitem_`. Labels have few values, chosen by us. */
  of(name: keyof L & string, labels?: Record<string, string>): Meter;
  /** The sum over all labels. */
  sum(name: keyof L & string): number;
  /** Adds a value to a histogram. For rare events: the registry counts it. */
  observe(name: HistogramsOf<L>, value: number): void;
};

type HistogramsOf<L extends MetricList> = {
  [Name in keyof L & string]: L[Name]['kind'] extends 'histogram' ? Name : never;
}[keyof L & string];

export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  // Gauges that are named like counters. The same figures are there by type.
  for (const name of ['handles', 'requests', 'resources'])
    registry.removeSingleMetric(`nodejs_active_${name}_total`);
  return registry;
}

/** The same numbers of decisions: exported with `decisions_` before their names. */
export const DECISIONS = 'decisions_';

/** A list of what is counted of events, in words for decisions. */
export function aboutDecisions<L extends MetricList>(list: L): L {
  const about = Object.entries(list).map(([name, metric]) => {
    const help = metric.help.replaceAll('events', 'decisions').replaceAll('Events', 'Decisions');
    return [name, { ...metric, help }];
  });
  return Object.fromEntries(about) as L;
}

/**
 * Makes every metric of `list` known to `registry` under the name `hotitem_…`, with `prefix` before what is its own. A meter is a plain
 * number, so that counting an event costs an addition; the registry reads it when it is scraped.
 */
export function createMetrics<L extends MetricList>(registry: Registry, list: L, prefix = ''): Metrics<L> {
  const meters = new Map<string, Family>();
  const histograms = new Map<string, Histogram>();
  for (const [name, metric] of Object.entries(list)) {
    const exported = `${prefix}${name}`;
    if (metric.kind === 'histogram') histograms.set(name, publishHistogram(registry, exported, metric));
    else meters.set(name, publish(registry, exported, metric));
  }
  return {
    of: (name, labels = {}) => family(name).of(labels),
    sum: (name) => family(name).sum(),
    observe: (name, value) => histograms.get(name)?.observe(value),
  };

  function family(name: string): Family {
    const found = meters.get(name);
    if (found === undefined) throw new Error(`no metric named ${name}`);
    return found;
  }
}

type Child = { labels: Record<string, string>; meter: Meter };

/** All meters with one name. */
type Family = { of(labels: Record<string, string>): Meter; sum(): number };

type CounterOrGauge = Exclude<Metric, { kind: 'histogram' }>;

function publish(registry: Registry, name: string, { kind, help, labels = [] }: CounterOrGauge): Family {
  const children = new Map<string, Child>();
  const Kind = kind === 'counter' ? Counter : Gauge;
  new Kind({
    name: `hotitem_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      for (const child of children.values()) this.inc(child.labels, child.meter.value());
    },
  });
  if (labels.length === 0) of({});
  return { of, sum: () => [...children.values()].reduce((sum, { meter }) => sum + meter.value(), 0) };

  function of(values: Record<string, string>): Meter {
    const key = JSON.stringify(values);
    const child = children.get(key) ?? { labels: values, meter: createMeter() };
    children.set(key, child);
    return child.meter;
  }
}

function publishHistogram(
  registry: Registry,
  name: string,
  { help, buckets }: Extract<Metric, { kind: 'histogram' }>,
): Histogram {
  return new Histogram({ name: `hotitem_${name}`, help, buckets: [...buckets], registers: [registry] });
}

function createMeter(): Meter {
  let current = 0;
  let read = () => current;
  return {
    add(by = 1) {
      current += by;
    },
    set(value) {
      current = value;
    },
    follow(source) {
      read = source;
    },
    value: () => read(),
  };
}
