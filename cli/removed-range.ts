import type { RemovedRange } from '../store/history.ts';
import { plainText } from './plain-text.ts';

/** `    collection_hot_item/3: 100 to 199`, a line below a count. */
export function removedRange({ source, first, last }: RemovedRange): string {
  return `    ${plainText(source, 260)}: ${first} to ${last}`;
}
