import { FIELD_NAMES, type FieldName, fieldOf, isLimited, type LimitedField } from './fields.ts';
import { keyOf, type Piece } from './json-piece.ts';

/** A text of an event that is a span of its line. */
export type SpanField = { name: LimitedField; key: Piece; span: number; limit: number };

/** Those that are not left out, in the order in which they are written. */
export function spanFields(omitted: ReadonlySet<FieldName>): SpanField[] {
  return FIELD_NAMES.filter((name) => !omitted.has(name)).flatMap((name) => {
    const { span, limit } = fieldOf(name);
    if (span === undefined || limit === undefined || !isLimited(name)) return [];
    return [{ name, key: keyOf(name), span, limit }];
  });
}
