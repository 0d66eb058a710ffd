import { stat } from 'node:fs/promises';
import type { PastEvents } from '../heat/past-events.ts';
import { readLines } from '../heat/read-lines.ts';
import { reasonOf } from '../service/log.ts';
import { Trouble } from '../service/trouble.ts';
import { LARGEST_RECORD } from '../sink/read-record.ts';
import { SKEW_MS } from '../store/history.ts';
import { readMerged } from '../store/kafka/merged.ts';
import { hasTime, rangesSince } from '../store/kafka/ranges-since.ts';
import type { TopicRecord } from '../store/kafka/topic-reader.ts';
import { bytesSince, readSpool } from '../store/spool/history.ts';
import { listSegments, type Segment } from '../store/spool/segments.ts';
import { recordsIn } from '../store/undecodable.ts';
import { connectReader } from './connect-kafka.ts';
import type { Core } from './core.ts';

/** Where events of the past are read, for those who look at each once. */
export type Past = {
  /** For people. */
  name: string;
  /** Passes all that is there when it is called and may be of the range. */
  read(options: ReadPastOptions): Promise<PastReach>;
  close(): Promise<void>;
};

export type ReadPastOptions = {
  range: { from: number; to: number };
  take: PastEvents['take'];
  refuse: PastEvents['refuse'];
  /** How much is read, of how much, as far as that is known: in bytes, or in records. */
  onRead: (done: number, of: number | undefined) => void;
};

/** What is there and cannot be read, in words; undefined where there is nothing. */
export type PastReach = { damage: string | undefined };

const NEWLINE = 0x0a;
const HINT = 'Is spool.dir that of the sidecar?';
/** How an event of the sidecar begins, and how long its id is, after which its time comes. */
const BEGIN = '{"v":1,"id":"';
const ID_DIGITS = 32;
const TIME_AT = BEGIN.length + ID_DIGITS + '","time":'.length;
const TIME_DIGITS = 13;

/** `from`: `spool`, `kafka`, or a file; `-` is standard input. Rejects with a `Trouble` where there is nothing to be read. */
export async function openPast(core: Core, from: string): Promise<Past> {
  if (from === 'spool') return openSpool(core.config.spool.dir);
  if (from === 'kafka') return openTopic(core);
  return openFile(from);
}

async function openFile(path: string): Promise<Past> {
  if (path !== '-') {
    const found = await stat(path).catch((error: unknown) => {
      throw new Trouble(`--from: cannot read ${path}: ${reasonOf(error)}`);
    });
    if (found.isDirectory()) throw new Trouble(`--from: ${path} is a folder, not a file of events`);
  }
  return {
    name: path === '-' ? 'standard input' : path,
    async read({ take, refuse, onRead }) {
      await readLines({
        path,
        longest: LARGEST_RECORD,
        // An empty line is none: many texts end with one.
        onLine: (bytes, at, until, number) => {
          if (until > at) take(bytes, at, until, undefined, () => `line ${number}`);
        },
        onLongLine: (number) => refuse(`longer than ${LARGEST_RECORD} bytes`, () => `line ${number}`),
        onRead,
      });
      return { damage: undefined };
    },
    close: async () => {},
  };
}

/** Only looks: the sidecar that has the spool does not notice. */
function openSpool(dir: string): Past {
  return {
    name: `spool ${dir}`,
    async read({ range, take, onRead }) {
      const segments = await segmentsIn(dir);
      const from = Math.max(0, range.from - SKEW_MS);
      const of = bytesSince(segments, from);
      let done = 0;
      let damaged = 0;
      const onDamage = ({ bytes }: { bytes: number }) => {
        damaged += bytes;
      };
      for await (const { first, received, lines } of readSpool({ dir, from, segments, onDamage })) {
        done += lines.length;
        // Whenever they came: a spill is read long after its views were seen.
        takeLines(lines, first, received);
        onRead(done, of);
      }
      return { damage: damaged === 0 ? undefined : `${damaged} bytes of the spool are damaged` };

      function takeLines(bytes: Buffer, sequence: number, received: number): void {
        let number = sequence;
        let at = 0;
        for (let until = bytes.indexOf(NEWLINE); until !== -1; until = bytes.indexOf(NEWLINE, at)) {
          const place = number++;
          take(bytes, at, until, received, () => `spool ${place}`);
          at = until + 1;
        }
      }
    },
    close: async () => {},
  };
}

async function segmentsIn(dir: string): Promise<Segment[]> {
  const segments = await listSegments(dir).catch((error: unknown) => {
    throw new Trouble(`there is no spool in ${dir}: ${reasonOf(error)}`, HINT);
  });
  if (segments.length === 0) throw new Trouble(`there is no spool in ${dir}`, HINT);
  return segments;
}

/** By the client that needs no consumer group at all, whatever is configured. */
async function openTopic(core: Core): Promise<Past> {
  const { topic } = core.config.kafka;
  const reader = await connectReader(core, 'platformatic');
  return {
    name: `Kafka topic ${topic}`,
    async read({ range, take, onRead }) {
      const there = await reader.bounds(topic);
      // To the end: what waited for Kafka for hours came long after it was seen.
      const ranges = await rangesSince({ reader, topic, time: range.from, there });
      const of = ranges.reduce((sum, { from, to }) => sum + Number(to - from), 0);
      let done = 0;
      let undecodable = 0;
      await readMerged({ reader, topic, ranges, timeOf }, (record) => {
        done++;
        onRead(done, of);
        if (record.undecodable !== undefined) undecodable += recordsIn(record.undecodable);
        else takeRecord(record);
      });
      return {
        damage: undecodable === 0 ? undefined : `${undecodable} records of the topic cannot be decoded`,
      };

      function takeRecord(record: TopicRecord): void {
        const { value, partition, offset, time } = record;
        const received = hasTime(record) ? time : undefined;
        take(value, 0, value.length, received, () => `${topic}/${partition} ${offset}`);
      }
    },
    close: () => reader.close(),
  };
}

/** Of the event, which most say at the same place; else of the record. */
function timeOf({ value, time }: TopicRecord): number {
  const said = value.toString('latin1', TIME_AT, TIME_AT + TIME_DIGITS);
  return /^\d{13}$/.test(said) ? Number(said) : time;
}
