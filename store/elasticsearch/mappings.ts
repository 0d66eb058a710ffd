import type { estypes } from '@elastic/elasticsearch';
import type { DecisionField } from '../../event/decision-fields.ts';
import { FIELD_NAMES, type Field, fieldOf } from '../../event/fields.ts';

export type Properties = Record<string, estypes.MappingProperty>;
/** How a field is indexed, of an event or of a decision. */
type MappedField = NonNullable<Field['ecs'] | DecisionField['ecs']>;

/** What a document has beside the fields of an event, made of them. */
const MADE: readonly { path: string; mapping: estypes.MappingProperty }[] = [
  { path: 'event.dataset', mapping: { type: 'keyword' } },
  { path: 'event.created', mapping: { type: 'date' } },
  { path: 'url.original', mapping: { type: 'keyword', ignore_above: 8191 } },
  { path: 'client.ip', mapping: { type: 'ip', ignore_malformed: true } },
  { path: 'source.ip', mapping: { type: 'ip', ignore_malformed: true } },
  // Only counted, never searched for.
  { path: 'hot_item.visitor_number', mapping: { type: 'long', index: false } },
];

/** Every field that `toOperation` writes. Lucene refuses terms above 32 KB, hence a limit wherever a text may be long. */
export const MAPPINGS = { dynamic: false, properties: properties() } satisfies estypes.MappingTypeMapping;

function properties(): Properties {
  const found: Properties = {};
  for (const name of FIELD_NAMES) {
    const { ecs } = fieldOf(name);
    if (ecs !== undefined) put(found, ecs.path.split('.'), mappingOf(ecs));
  }
  for (const { path, mapping } of MADE) put(found, path.split('.'), mapping);
  return found;
}

export function mappingOf({ type, ignore_above }: MappedField): estypes.MappingProperty {
  return type === 'keyword' && ignore_above !== undefined ? { type, ignore_above } : { type };
}

/** Adds a field by its path to `into`. */
export function put(
  into: Properties,
  [name = '', ...inner]: string[],
  mapping: estypes.MappingProperty,
): void {
  if (inner.length === 0) {
    into[name] = mapping;
    return;
  }
  const found = into[name];
  const there = found !== undefined && 'properties' in found ? (found.properties ?? {}) : {};
  put(there, inner, mapping);
  into[name] = { properties: there };
}
