import {
  createRows,
  HIGH,
  IS_BOT,
  LOW,
  NAMED_WORDS,
  ROW_BITS,
  VISITOR,
  type Views,
  WEIGHT,
} from '../detect/views.ts';
import type { BotTest } from '../event/bot-test.ts';
import { cutText } from '../event/field-text.ts';
import type { HeatView } from '../event/heat-view.ts';
import type { Line } from '../event/line.ts';
import { itemField } from '../event/line-item.ts';
import { lineKind } from '../event/line-kind.ts';
import type { NewViews, ViewBatch } from '../sidecar/ingest/new-views.ts';

/*
 * The views of one intake request, stored as numbers until it is certain that they are new: lines are filtered again if one may be a
 * duplicate, and are resent if they cannot be written. A view is a row of words and its time. Its item's name is read from the bytes of the
 * lines only when the item becomes tracked.
 */

export type ViewBatchesOptions = {
  view: HeatView;
  isBot: BotTest;
  /** Called with a batch that counts. */
  count: (batch: CountedViews) => void;
};

export type CountedViews = Views & {
  /** The name of the item, as in events. */
  name(index: number): string;
  /** Host, and path and query as the client wrote them, a character a byte; undefined where the line has them in another form. */
  address(index: number): { host: string; target: string } | undefined;
};

/** `$host` and `$request_uri` in a line. */
const HOST_COLUMN = 5;
const TARGET_COLUMN = 6;
const NEWLINE = 0x0a;
/** Where the item's name is in the bytes of the lines. */
const BEGIN = NAMED_WORDS;
const END = NAMED_WORDS + 1;

/** Initial size: nginx posts one line, or up to a thousand. */
const USUAL_VIEWS = 16;
/** The usual number of concurrent requests. */
const SPARE = 8;
/** Largest batch that is reused: 256 KB. */
const LARGEST_SPARE_VIEWS = 8_192;

export function createViewBatches({ view, isBot, count }: ViewBatchesOptions): NewViews {
  const spare: Batch[] = [];
  return {
    begin(lines) {
      const batch = spare.pop() ?? createBatch();
      batch.begin(lines);
      return batch;
    },
  };

  function createBatch(): Batch {
    let { words, times } = createRows(USUAL_VIEWS);
    let lines: Buffer = Buffer.alloc(0);
    let length = 0;
    /** Names of items that do not appear literally in the bytes of the lines. */
    const odd = new Map<number, string>();
    const counted: CountedViews = {
      get length() {
        return length;
      },
      get words() {
        return words;
      },
      get times() {
        return times;
      },
      name,
      address,
    };
    const batch: Batch = {
      begin(from) {
        lines = from;
        clear();
      },
      add,
      clear,
      count() {
        if (length > 0) count(counted);
        letGo();
      },
      drop: letGo,
    };
    return batch;

    function add(line: Line): void {
      // These kinds heat nothing: prefetch, HEAD, part, test.
      if (lineKind(line) !== undefined) return;
      if (length === times.length) grow();
      view.look(line);
      const at = length << ROW_BITS;
      words[at + HIGH] = view.item(0);
      words[at + LOW] = view.item(1);
      words[at + VISITOR] = view.visitor();
      words[at + WEIGHT] = line.weight();
      words[at + IS_BOT] = isBot(line) ? 1 : 0;
      times[length] = line.time();
      const field = itemField(line);
      if (line.odd[field] === 0 && line.lines() === lines) {
        words[at + BEGIN] = line.begin[field] ?? 0;
        words[at + END] = line.end[field] ?? 0;
      } else odd.set(length, view.name());
      length++;
    }

    function name(index: number): string {
      const at = index << ROW_BITS;
      const text = odd.get(index) ?? lines.toString('latin1', words[at + BEGIN], words[at + END]);
      return cutText('item', text);
    }

    function address(index: number): { host: string; target: string } | undefined {
      if (odd.has(index)) return undefined;
      const at = words[(index << ROW_BITS) + BEGIN] ?? 0;
      const begin = lines.lastIndexOf(NEWLINE, at) + 1;
      const columns = lines.toString('latin1', begin, at).split('\t');
      const { [HOST_COLUMN]: host, [TARGET_COLUMN]: target } = columns;
      return host === undefined || target === undefined ? undefined : { host, target };
    }

    function grow(): void {
      const larger = createRows(2 * times.length);
      larger.words.set(words);
      larger.times.set(times);
      ({ words, times } = larger);
    }

    function clear(): void {
      length = 0;
      if (odd.size > 0) odd.clear();
    }

    function letGo(): void {
      clear();
      lines = NO_LINES;
      if (spare.length < SPARE && times.length <= LARGEST_SPARE_VIEWS) spare.push(batch);
    }
  }
}

type Batch = ViewBatch & { begin(lines: Buffer): void };

const NO_LINES = Buffer.alloc(0);
