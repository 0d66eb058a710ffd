import { cutText, toText } from './field-text.ts';
import type { Line } from './line.ts';
import { ITEM, PATH } from './line-fields.ts';

/** The field that a line's item is in: the path where the shop named none. */
export function itemField({ begin, end }: Line): typeof ITEM | typeof PATH {
  return begin[ITEM] === end[ITEM] ? PATH : ITEM;
}

/** The item of a line as its event names it, and as long as it may be. */
export function itemText(line: Line): string {
  const field = itemField(line);
  if (field === PATH && line.odd[PATH] !== 0) return cutText('item', line.resolvedPath());
  return cutText('item', toText(line.lines().toString('latin1', line.begin[field], line.end[field])));
}
