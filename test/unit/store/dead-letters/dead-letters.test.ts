import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createDeadLetterFile, createDeadLetterTopic } from '../../../../store/dead-letters/dead-letters.ts';
import { createDeadLetterFileBox } from '../../../../store/dead-letters/file.ts';
import type { KafkaClient, KafkaMessage } from '../../../../store/kafka/client.ts';
import { KafkaError } from '../../../../store/kafka/error.ts';
import { tempFolder } from '../spool/folder.ts';

describe('a dead letter that is larger than its topic takes', () => {
  test.each([
    [5_000, 'x'.repeat(300)],
    [1_000, 'x'.repeat(300)],
    // Its headers alone are too large.
    [250, 'ü'.repeat(1_000)],
  ])('is cut until %i bytes hold it, its headers too', async (limit, reason) => {
    const { client, sent } = topicOf(limit);
    await createDeadLetterTopic(client, 'dead', () => 0).add([
      { value: Buffer.alloc(100_000, 'v'), reason, origin: 't/0/1' },
    ]);
    expect(sent).toHaveLength(1);
    expect(sizeOf(sent[0])).toBeLessThanOrEqual(limit);
    expect(sizeOf(sent[0])).toBeGreaterThan(limit / 3);
    expect(sent[0]?.headers).toMatchObject({
      origin: 't/0/1',
      reason: expect.stringMatching(/, cut from 100000 to \d+ bytes$/),
    });
  });

  test('is an error where nothing is left to cut, and where something else is wrong', async () => {
    const letter = { value: Buffer.alloc(10), reason: 'r', origin: 't/0/1' };
    await expect(createDeadLetterTopic(topicOf(10).client, 'dead', () => 0).add([letter])).rejects.toThrow(
      'too large',
    );
    const client = { ...topicOf(10).client, send: () => Promise.reject(new Error('unreachable')) };
    await expect(createDeadLetterTopic(client, 'dead', () => 0).add([letter])).rejects.toThrow('unreachable');
  });
});

describe('the file of dead letters', () => {
  test('counts the letters that a third file costs, and not the notes among them', async () => {
    const path = join(tempFolder(), 'dead-letters.ndjson');
    const dropped: number[] = [];
    const letters = createDeadLetterFile({
      path,
      now: () => 0,
      largest: 100,
      onDropped: (count) => dropped.push(count),
    });
    await letters.add([letter('a'), letter('b'), letter('c')]);
    await createDeadLetterFileBox(path).markReplayed(['abc']);
    await letters.add([letter('d')]);
    expect(existsSync(`${path}.1`)).toBe(true);
    expect(dropped).toEqual([]);
    await letters.add([letter('e')]);
    expect(dropped).toEqual([3]);
    expect(readFileSync(`${path}.1`, 'utf8')).toContain('"origin":"d"');
  });

  test('keeps the time of the record', async () => {
    const path = join(tempFolder(), 'dead-letters.ndjson');
    const letters = createDeadLetterFile({ path, now: () => 2_000, onDropped: () => {} });
    await letters.add([{ ...letter('a'), recorded: 1_000 }, letter('b')]);
    const times: unknown[] = [];
    await createDeadLetterFileBox(path).read(({ time, recorded }) => void times.push([time, recorded]));
    expect(times).toEqual([
      [2_000, 1_000],
      [2_000, undefined],
    ]);
  });

  function letter(origin: string) {
    return { origin, reason: 'event: is not JSON', value: Buffer.from('x'.repeat(100)) };
  }
});

/** A topic that takes messages of so many bytes. */
function topicOf(limit: number): { client: KafkaClient; sent: KafkaMessage[] } {
  const sent: KafkaMessage[] = [];
  const client: KafkaClient = {
    async send(_, messages) {
      if (sizeOf(messages[0]) > limit)
        throw new KafkaError('too large', { cause: undefined, failure: 'too_large' });
      sent.push(...messages);
    },
    consume: () => Promise.reject(new Error('not here')),
    setup: () => Promise.reject(new Error('not here')),
    close: async () => {},
  };
  return { client, sent };
}

function sizeOf(message: KafkaMessage | undefined): number {
  const headers = Object.entries(message?.headers ?? {}).map(
    ([name, value]) => name.length + Buffer.byteLength(value),
  );
  return headers.reduce((sum, size) => sum + size, message?.value.length ?? 0);
}
