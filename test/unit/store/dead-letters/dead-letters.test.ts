import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createDeadLetterFile, createDeadLetterTopic } from '../../../../store/dead-letters/dead-letters.ts';
import { createDeadLetterFileBox } from '../../../../store/dead-letters/file.ts';
import type { KafkaClient, KafkaMessage } from '../../../../store/kafka/client.ts';
import { KafkaError } from '../../../../store/kafka/error.ts';
import { tempFolder } from '../spool/folder.ts';

describe('a dead letter that is too large for its topic', () => {
  test.each([
    [5_000, 'x'.repeat(300)],
    [1_000, 'x'.repeat(300)],
    // Its headers alone are too large.
    [250, 'ü'.repeat(1_000)],
  ])('is truncated to %i bytes, including headers', async (limit, reason) => {
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

  test('is an error if nothing is left to truncate, or something else is wrong', async () => {
    const letter = { value: Buffer.alloc(10), reason: 'r', origin: 't/0/1' };
    await expect(createDeadLetterTopic(topicOf(10).client, 'dead', () => 0).add([letter])).rejects.toThrow(
      'too large',
    );
    const client = { ...topicOf(10).client, send: () => Promise.reject(new Error('unreachable')) };
    await expect(createDeadLetterTopic(client, 'dead', () => 0).add([letter])).rejects.toThrow('unreachable');
  });
});

describe('many dead letters', () => {
  test('need few requests, in order, each letter once', async () => {
    const { client, sent, requests } = topicOf(1_000_000);
    await createDeadLetterTopic(client, 'dead', () => 0).add(many(5_000, 100));
    expect(originsOf(sent)).toEqual(many(5_000, 100).map(({ origin }) => origin));
    expect(requests()).toBeLessThanOrEqual(10);
  });

  test('that are too large together for their topic are written once each, and complete', async () => {
    const { client, sent } = topicOf(3_000);
    await createDeadLetterTopic(client, 'dead', () => 0).add(many(100, 1_000));
    expect(originsOf(sent)).toEqual(many(100, 1_000).map(({ origin }) => origin));
    expect(sent.every(({ value }) => value.length === 1_000)).toBe(true);
  });

  test("are split into requests within Kafka's limit", async () => {
    const { client, largest } = topicOf(1024 * 1024);
    await createDeadLetterTopic(client, 'dead', () => 0).add([...many(30, 100_000), ...many(2, 2_000_000)]);
    expect(largest()).toBeLessThan(950_000);
  });

  function many(count: number, size: number) {
    return Array.from({ length: count }, (_, i) => ({
      origin: `t/0/${i}`,
      reason: 'event: is not JSON',
      value: Buffer.alloc(size, 'v'),
    }));
  }

  function originsOf(messages: KafkaMessage[]) {
    return messages.map(({ headers }) => headers?.origin);
  }
});

describe('the file of dead letters', () => {
  test('counts the letters that rotation deletes, and not the notes among them', async () => {
    const { path, dropped, letters } = rotatingFile();
    await letters.add([letter('a'), letter('b'), letter('c')]);
    await createDeadLetterFileBox(path).markReplayed(['abc']);
    await letters.add([letter('d')]);
    expect(existsSync(`${path}.1`)).toBe(true);
    expect(dropped).toEqual([]);
    await letters.add([letter('e')]);
    expect(dropped).toEqual([3]);
    expect(readFileSync(`${path}.1`, 'utf8')).toContain('"origin":"d"');
  });

  test('loses none if two sinks append at once', async () => {
    const { path, dropped, letters } = rotatingFile();
    await letters.add([letter('a')]);
    await Promise.all(['b', 'c', 'd'].map((origin) => letters.add([letter(origin)])));
    const kept = [path, `${path}.1`].flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'));
    expect(kept.map((line) => JSON.parse(line).origin)).toEqual(['d', 'c']);
    expect(dropped).toEqual([1, 1]);
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

/** A topic that takes messages of so many bytes, together. */
function topicOf(limit: number) {
  const sent: KafkaMessage[] = [];
  const sizes: number[] = [];
  const client: KafkaClient = {
    async send(_, messages) {
      const size = messages.reduce((sum, message) => sum + sizeOf(message), 0);
      sizes.push(size);
      if (size > limit) throw new KafkaError('too large', { cause: undefined, failure: 'too_large' });
      sent.push(...messages);
    },
    consume: () => Promise.reject(new Error('not here')),
    setup: () => Promise.reject(new Error('not here')),
    close: async () => {},
  };
  return { client, sent, requests: () => sizes.length, largest: () => Math.max(...sizes) };
}

function sizeOf(message: KafkaMessage | undefined): number {
  const headers = Object.entries(message?.headers ?? {}).map(
    ([name, value]) => name.length + Buffer.byteLength(value),
  );
  return headers.reduce((sum, size) => sum + size, message?.value.length ?? 0);
}

/** One that is rotated after each letter or two. */
function rotatingFile() {
  const path = join(tempFolder(), 'dead-letters.ndjson');
  const dropped: number[] = [];
  const onDropped = (count: number) => dropped.push(count);
  return { path, dropped, letters: createDeadLetterFile({ path, now: () => 0, largest: 100, onDropped }) };
}
