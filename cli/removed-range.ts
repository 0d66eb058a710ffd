import { plainText } from '../service/plain-text.ts';
import type { RemovedRange } from '../store/history.ts';

/** `    collection_hot_item/3: 100 to 199`, a line below a count. */
export function removedRange({ source, first, last }: RemovedRange): string {
  return `    ${plainText(source, 260)}: ${first} to ${last}`;
}
