import type { BadLine } from './bad-line.ts';
import type { DailyHash } from './daily-hash.ts';
import type { HotItemEvent } from './event.ts';
import { createEventWriter } from './event-writer.ts';
import { createLine } from './line.ts';
import { createVisitorHash } from './visitor.ts';

const line = createLine();
const UNSALTED = createVisitorHash();

/**
 * The event of a line from nginx, with all its fields, or why it is not an event. Never throws, and depends on
 * nothing but its arguments: the same line read twice is the same event.
 *
 * `text` holds one character a byte (latin1), without the newline, because what a shopper sends need not be UTF-8.
 */
export function fromLine(
  text: string,
  node: string,
  hashVisitor: DailyHash = UNSALTED,
): HotItemEvent | BadLine {
  const writer = createEventWriter({ node, hashVisitor, isBot: () => false, ip: { mode: 'full' }, omit: [] });
  if (!line.read(Buffer.from(text, 'latin1'), 0)) return line.bad();
  const out = Buffer.alloc(writer.mostBytes(line));
  return JSON.parse(out.toString('utf8', 0, writer.write(line, out, 0, { oneIn: 1, bare: false })));
}
