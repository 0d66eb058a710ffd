import { type AddressMaskOptions, createAddressMask } from './address-mask.ts';
import type { HotItemEvent } from './event.ts';
import { FIELD_NAMES, isRequired, isText, type Omittable } from './fields.ts';

export type RedactionOptions = {
  ip: AddressMaskOptions;
  /** Fields that are left out. */
  omit: readonly Omittable[];
};

/** The part of an event that is kept. Does not change the given event. */
export type Redaction = (event: HotItemEvent) => HotItemEvent;

/** Whether everything may be kept. */
export function keepsEverything({ ip, omit }: RedactionOptions): boolean {
  return ip.mode === 'full' && omit.length === 0;
}

/** Removes from events what must not be stored. Throws if addresses are to be hashed and there is no salt. */
export function createRedaction(options: RedactionOptions): Redaction {
  const { ip, omit } = options;
  const mask = createAddressMask(ip);
  if (keepsEverything(options)) return (event) => event;
  const omitted = new Set<string>(omit);
  const keepsBot = !omitted.has('bot');
  const texts = FIELD_NAMES.filter(isText).filter(
    (field) => !isRequired(field) && !omitted.has(field) && field !== 'ip',
  );
  return (event) => {
    const { v, id, time, uri, item } = event;
    const kept: HotItemEvent = { v, id, time, uri, item };
    const address = event.ip === undefined ? undefined : mask(event.ip, time);
    if (address !== undefined) kept.ip = address;
    for (const field of texts) {
      const text = event[field];
      if (text !== undefined) kept[field] = text;
    }
    if (event.kind !== undefined) kept.kind = event.kind;
    if (keepsBot && event.bot !== undefined) kept.bot = event.bot;
    if (event.weight !== undefined) kept.weight = event.weight;
    const cut = event.cut?.filter((field) => !omitted.has(field)) ?? [];
    if (cut.length > 0) kept.cut = cut;
    return kept;
  };
}
