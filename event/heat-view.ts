import { createAddressHash } from './address-hash.ts';
import { FIELDS } from './fields.ts';
import type { Line } from './line.ts';
import { IP, VISITOR } from './line-fields.ts';
import { itemField, itemText } from './line-item.ts';
import { createSpanHash, MOST_HASHED } from './span-hash.ts';

/**
 * Item and visitor of a line as numbers, for heat: no text is created for a view. The rest is `line.weight()`, `line.time()`, a `BotTest`
 * and `lineKind`.
 */
export type HeatView = {
  /** Selects a line. The other functions are about it, until the `Line` reads the next. */
  look(line: Line): void;
  /** Two words of 32 scattered bits, signed: equal for two lines whose events have the same `item`, in each process others. */
  item(word: 0 | 1): number;
  /**
   * 32 scattered bits: of the visitor key if there is one, else of address (`createAddressHash`) and user agent. The same whatever `privacy.ip` and `event.omit`
   * are. If nginx withholds the address too, all visitors with one user agent are one.
   */
  visitor(): number;
  /** The item's name, as the event has it. */
  name(): string;
};

export function createHeatView(): HeatView {
  const items = createSpanHash();
  const keys = createSpanHash();
  const addresses = createAddressHash();
  const encoded = Buffer.alloc(MOST_HASHED);
  let viewed: Line | undefined;
  return {
    look(line) {
      viewed = line;
      hashItem(line);
    },
    item: items.bits,
    visitor: () => (viewed === undefined ? 0 : visitorBits(viewed)),
    name: () => (viewed === undefined ? '' : itemText(viewed)),
  };

  function hashItem(line: Line): void {
    const field = itemField(line);
    const at = line.begin[field] ?? 0;
    const until = line.end[field] ?? 0;
    if (line.odd[field] === 0 && until - at <= FIELDS.item.limit) items.hash(line.lines(), at, until);
    else items.hash(encoded, 0, encoded.write(itemText(line)));
  }

  function visitorBits(line: Line): number {
    const { begin, end } = line;
    const lines = line.lines();
    if (begin[VISITOR] === end[VISITOR])
      return addresses(lines, begin[IP] ?? 0, end[IP] ?? 0) ^ line.agentBits(0);
    keys.hash(lines, begin[VISITOR] ?? 0, end[VISITOR] ?? 0);
    return keys.bits(0);
  }
}
