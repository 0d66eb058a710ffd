import { openSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { createDestination, createLog, createRepeatedWarning, reasonOf } from '../../../service/log.ts';

describe('the log', () => {
  test('on a full disk loses its lines, and nothing else', () => {
    const log = createLog('info', createDestination({ dest: openSync('/dev/full', 'w') }));
    expect(() => {
      for (let i = 0; i < 10; i++) log.warn('no space left');
    }).not.toThrow();
  });

  test('reports repeated events once a minute, with their number', () => {
    const lines: string[] = [];
    let now = 0;
    const log = createLog('info', { write: (line) => void lines.push(line) });
    const warn = createRepeatedWarning(log, { now: () => now });
    for (let second = 0; second < 121; second++) {
      now = second * 1000;
      warn('kafka', 'Kafka is away');
    }
    expect(lines.map((line) => JSON.parse(line).repeated)).toEqual([undefined, 59, 59]);
  });

  test('goes on reporting when the clock is set back', () => {
    const lines: string[] = [];
    let now = 7_200_000;
    const log = createLog('info', { write: (line) => void lines.push(line) });
    const warn = createRepeatedWarning(log, { now: () => now });
    warn('kafka', 'Kafka is away');
    now = 0;
    for (; now < 121_000; now += 1_000) warn('kafka', 'Kafka is away');
    expect(lines.map((line) => JSON.parse(line).repeated)).toEqual([undefined, undefined, 59, 59]);
  });

  test('sends no escape sequence to a terminal, and loses no text', () => {
    const evil = 'x\x1b[2J\x9b31m\x7f\u202e\ud800';
    const lines: string[] = [];
    const log = createLog('info', { write: (line) => void lines.push(line) }).child({ part: evil });
    log.warn({ reason: evil, [evil]: [evil], err: new Error(evil) }, evil);
    const [line = ''] = lines;
    expect(line).toMatch(/^\P{C}+\n$/u);
    expect(JSON.parse(line)).toMatchObject({ msg: evil, reason: evil, part: evil, [evil]: [evil] });
  });

  test('has the complete reason on one line', () => {
    const error = new Error('cannot write', {
      cause: new Error('connection\nrefused', { cause: 'ECONNREFUSED' }),
    });
    expect(reasonOf(error)).toBe('cannot write: connection refused: ECONNREFUSED');
  });
});
