import type { FieldName, FieldsWith, ValueOf } from './fields.ts';

type Required = FieldsWith<{ required: true }>;

/** One view of an item page, as every part after the sidecar's ingestion reads it. `FIELDS` says what each field is. */
export type HotItemEvent = { [Name in Required]: ValueOf<Name> } & {
  [Name in Exclude<FieldName, Required>]?: ValueOf<Name>;
};
