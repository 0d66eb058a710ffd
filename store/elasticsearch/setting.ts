/** Index settings by their full names: `index.refresh_interval`. */
export function inIndex(settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [`index.${name}`, value]));
}

/** Elasticsearch returns numbers and booleans as text. */
export function toTexts(values: Record<string, unknown>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, textOf(value)]));
}

export function textOf(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}

const UNIT_MS: Record<string, number> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  micros: 1e-3,
  nanos: 1e-6,
};

/** A duration as Elasticsearch writes it, `30d`; undefined if it is not one. */
export function toMs(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+)([a-z]+)$/.exec(text) ?? [];
  const each = Object.hasOwn(UNIT_MS, unit) ? UNIT_MS[unit] : undefined;
  return each === undefined ? undefined : Number(number) * each;
}
