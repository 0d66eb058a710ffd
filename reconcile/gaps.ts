import type { Place } from '../store/history.ts';

/** Events `first` to `last` of one spool that a log does not contain. */
export type Gap = { node: string; boot: string; first: number; last: number };

export type SequenceGaps = {
  /** `received`: when the log received it, ms since 1970. */
  add(place: Place, received: number): void;
  /** The outcome of this event is known: not a gap. */
  excuse(place: Place): void;
  /**
   * Missing ranges between the observed sequences; undefined if they are too scattered to remember. Events arrive on several partitions, in
   * requests that overtake each other. So an event received soon after `since` (unless that is 0, when everything was read) or shortly
   * before `until` may have neighbours that were not read, and does not bound a gap.
   */
  find(window: { since: number; until: number }): Gap[] | undefined;
};

/** Sequences per chunk, one bit each: 8 KiB. */
const CHUNK = 65_536;
/** Maximum number of incomplete chunks: 32 MiB. A complete one takes no memory. */
const MOST_OPEN_CHUNKS = 4096;
const MINUTE_MS = 60_000;
/** For all spools together: a year of one spool, 100 bytes each. The producer chooses times and spools. */
const MOST_MINUTES = 600_000;
/** How much one request of a forwarder may overtake another. */
const SETTLE_MS = 30_000;

type Spool = Omit<Place, 'sequence'> & {
  chunks: Map<number, Chunk | 'whole'>;
  /** Lowest and highest sequence by the minute of receipt. */
  minutes: Map<number, { low: number; high: number }>;
};

type Chunk = { bits: Uint8Array; count: number };

/** Remembers which sequences of each spool were seen. */
export function createSequenceGaps(): SequenceGaps {
  const spools = new Map<string, Spool>();
  let open = 0;
  let minutes = 0;
  let overflown = false;
  return { add, excuse, find };

  function add({ node, boot, sequence }: Place, received: number): void {
    const name = nameOf(node, boot);
    const spool = spools.get(name) ?? { node, boot, chunks: new Map(), minutes: new Map() };
    const minute = Math.floor(received / MINUTE_MS);
    const edge = spool.minutes.get(minute);
    if (edge === undefined && ++minutes > MOST_MINUTES) {
      overflown = true;
      return;
    }
    spools.set(name, spool);
    const { low = sequence, high = sequence } = edge ?? {};
    spool.minutes.set(minute, { low: Math.min(low, sequence), high: Math.max(high, sequence) });
    mark(spool, sequence);
  }

  function excuse({ node, boot, sequence }: Place): void {
    const spool = spools.get(nameOf(node, boot));
    if (spool !== undefined) mark(spool, sequence);
  }

  function mark({ chunks }: Spool, sequence: number): void {
    const number = Math.floor(sequence / CHUNK);
    const chunk = chunks.get(number) ?? begin(chunks, number);
    if (chunk === 'whole' || chunk === undefined) return;
    const bit = sequence % CHUNK;
    const before = chunk.bits[bit >> 3] ?? 0;
    const after = before | (1 << (bit & 7));
    if (after === before) return;
    chunk.bits[bit >> 3] = after;
    chunk.count++;
    if (chunk.count < CHUNK) return;
    chunks.set(number, 'whole');
    open--;
  }

  function begin(chunks: Spool['chunks'], number: number): Chunk | undefined {
    if (open === MOST_OPEN_CHUNKS) {
      overflown = true;
      return undefined;
    }
    open++;
    const chunk = { bits: new Uint8Array(CHUNK / 8), count: 0 };
    chunks.set(number, chunk);
    return chunk;
  }

  function find({ since, until }: { since: number; until: number }): Gap[] | undefined {
    if (overflown) return undefined;
    return [...spools.values()].flatMap((spool) => {
      const minutes = [...spool.minutes];
      // A time in the future is wrong, and does not say when the record was received.
      const late = minutes.filter(
        ([minute]) => since === 0 || (minute * MINUTE_MS >= since + SETTLE_MS && minute * MINUTE_MS <= until),
      );
      const early = minutes.filter(([minute]) => (minute + 1) * MINUTE_MS <= until - SETTLE_MS);
      const low = late.reduce((least, [, edge]) => Math.min(least, edge.low), Number.POSITIVE_INFINITY);
      const high = early.reduce((most, [, edge]) => Math.max(most, edge.high), Number.NEGATIVE_INFINITY);
      return [...gapsBetween(spool, low, high)];
    });
  }
}

function nameOf(node: string, boot: string): string {
  return `${boot} ${node}`;
}

function* gapsBetween({ node, boot, chunks }: Spool, low: number, high: number): Generator<Gap> {
  let first: number | undefined;
  const numbers = [...chunks.keys()].sort((a, b) => a - b);
  let next = 0;
  for (let sequence = low; sequence <= high; sequence++) {
    const number = Math.floor(sequence / CHUNK);
    const chunk = chunks.get(number);
    if (isIn(chunk, sequence)) {
      if (first !== undefined) yield { node, boot, first, last: sequence - 1 };
      first = undefined;
    } else first ??= sequence;
    // The rest of a complete chunk is present; nothing is present up to the next chunk, however far away that is.
    if (chunk === 'whole') sequence = (number + 1) * CHUNK - 1;
    if (chunk !== undefined) continue;
    while ((numbers[next] ?? number + 1) <= number) next++;
    sequence = (numbers[next] ?? number + 1) * CHUNK - 1;
  }
}

function isIn(chunk: Chunk | 'whole' | undefined, sequence: number): boolean {
  if (chunk === undefined || chunk === 'whole') return chunk === 'whole';
  const bit = sequence % CHUNK;
  return ((chunk.bits[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}
