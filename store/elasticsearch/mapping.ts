import type { estypes } from '@elastic/elasticsearch';
import type { SettingChange } from '../../service/change.ts';

type Properties = Record<string, estypes.MappingProperty>;

/** A field that a mapping lacks, or has with another type. */
export type LackingField = { path: string; from: string; to: string };

/** The fields of `wanted` that `found` lacks, or has with another type. Other parameters are not compared. */
export function lackingFields(found: unknown, wanted: Properties, above: string[] = []): LackingField[] {
  return Object.entries(wanted).flatMap(([name, field]) => {
    const path = [...above, name];
    const there = at(found, name);
    if (!('type' in field) && 'properties' in field && field.properties !== undefined)
      return typeOf(there) === 'object' || there === undefined
        ? lackingFields(at(there, 'properties'), field.properties, path)
        : [{ path: path.join('.'), from: typeOf(there), to: 'object' }];
    const [from, to] = [typeOf(there), typeOf(field)];
    return from === to ? [] : [{ path: path.join('.'), from, to }];
  });
}

/** `found` with those fields of `wanted` that it lacks. Fields with the right type are not changed. */
export function withFields(found: unknown, wanted: Properties): Properties {
  const merged: Properties = { ...asProperties(found) };
  for (const [name, field] of Object.entries(wanted)) {
    const there = at(found, name);
    if (!('type' in field) && 'properties' in field && field.properties !== undefined) {
      const inner = withFields(at(there, 'properties'), field.properties);
      merged[name] = { ...(isRecord(there) ? there : {}), properties: inner };
    } else if (typeOf(there) !== typeOf(field)) merged[name] = field;
  }
  return merged;
}

export function toChanges(lacking: LackingField[]): SettingChange[] {
  return lacking.map(({ path, from, to }) => ({ name: path, from, to }));
}

function typeOf(field: unknown): string {
  const type = at(field, 'type');
  if (typeof type === 'string') return type;
  return isRecord(field) ? 'object' : 'not set';
}

function asProperties(value: unknown): Properties {
  return isRecord(value) ? (value as Properties) : {};
}

function at(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
