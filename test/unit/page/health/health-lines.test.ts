import { expect, test } from '@jest/globals';
import { partsOf } from '../../../../page/health/health-lines.ts';
import type { HealthAnswer, KafkaHealth } from '../../../../sidecar/routes/answers.ts';

const NOW = Date.UTC(2026, 10, 27, 12);
const ANSWER: HealthAnswer = {
  node: 'web-1',
  started: NOW - 60_000,
  now: NOW,
  stages: [],
  behind: { events: 0 },
  dead: { events: 0 },
  unaccounted: 0,
  losses: [],
  capture: 'default',
  nginx: [],
  parts: [],
};

test.each<[string, KafkaHealth, object]>([
  [
    'reachable, with how far the sinks are behind and the age of both numbers',
    { brokers: 3, lastAt: NOW - 2_000, behind: { events: 1_234, askedAt: NOW - 12_000 } },
    {
      number: '1,234 not in the index yet',
      age: 'accepted the last view 2.0 s ago, asked 12 s ago',
      means: '3 brokers are named',
      isFine: true,
      state: 'reachable',
    },
  ],
  [
    'unavailable, since when',
    { brokers: 1, lastAt: NOW - 200_000, unavailableSince: NOW - 180_000 },
    {
      number: '',
      age: 'accepted the last view 3 min 20 s ago',
      means: '1 broker is named',
      isFine: false,
      state: 'accepts nothing for 3 min 0 s',
    },
  ],
  [
    'not known to be reachable where the last view was accepted 3 h ago',
    { brokers: 1, lastAt: NOW - 3 * 3_600_000 },
    { isFine: undefined, state: 'accepted what was sent last' },
  ],
  [
    'reachable where a sink has just asked it, however old the last view is',
    { brokers: 1, lastAt: NOW - 3 * 3_600_000, behind: { events: 0, askedAt: NOW - 5_000 } },
    { isFine: true, state: 'reachable' },
  ],
  [
    'not known before anything was sent',
    { brokers: 1 },
    { age: '', isFine: undefined, state: 'nothing was sent to it yet' },
  ],
])('Kafka is %s', (_, kafka, expected) => {
  const lines = partsOf({ ...ANSWER, kafka }, false);
  expect(lines.find(({ key }) => key === 'kafka')).toMatchObject({ what: 'Kafka', ...expected });
});

test('Kafka has no line where there is none, and was reachable where nobody answers any more', () => {
  const kafka = { brokers: 1, lastAt: NOW };
  expect(partsOf(ANSWER, false).map(({ key }) => key)).not.toContain('kafka');
  expect(partsOf({ ...ANSWER, kafka }, true).find(({ key }) => key === 'kafka')?.state).toBe('was reachable');
});

test('an index without views is neither fine nor wrong', () => {
  const lines = partsOf({ ...ANSWER, newest: { askedAt: NOW - 3_000 } }, false);
  expect(lines.find(({ key }) => key === 'newest')).toMatchObject({
    age: 'asked 3.0 s ago',
    isFine: undefined,
    state: 'none yet',
  });
});

test.each([
  [2_000, true, 'fine', '2.0 s'],
  [180_000, undefined, 'nothing is hot, or nginx does not log it', '3 min 0 s'],
])(
  'requests for hot items have an age, and are fine while they come: the last %i ms ago',
  (ms, isFine, state, ago) => {
    const lines = partsOf({ ...ANSWER, hot: { cached: 1_200, origin: 3, at: NOW - ms } }, false);
    expect(lines.find(({ key }) => key === 'hot')).toMatchObject({
      number: '1,200 from the cache',
      age: `the last ${ago} ago`,
      isFine,
      state,
    });
  },
);

test.each<[string, HealthAnswer['catalogue'], object | undefined]>([
  [
    'its age where it is in effect',
    { items: 1_234, modified: NOW - 3 * 3_600_000 },
    { isFine: true, state: 'fine' },
  ],
  ['that it is being loaded', { items: 0, loading: true }, { isFine: undefined, state: 'is being loaded' }],
  [
    'that the one before stays where the file cannot be used',
    { items: 1_234, modified: NOW - 3 * 3_600_000, failed: true },
    { isFine: false, state: 'the file of now cannot be used: the one before it stays' },
  ],
  [
    'that there is none where no file could be used',
    { items: 0, failed: true },
    { isFine: false, state: 'the file of now cannot be used', age: '' },
  ],
  ['nothing where none is configured', undefined, undefined],
])('Health says of the catalogue %s', (_, catalogue, expected) => {
  const lines = partsOf({ ...ANSWER, ...(catalogue !== undefined && { catalogue }) }, false);
  const line = lines.find(({ key }) => key === 'catalogue');
  if (expected === undefined) expect(line).toBeUndefined();
  else expect(line).toMatchObject({ what: 'Catalogue', ...expected });
  if (catalogue?.modified !== undefined)
    expect(line).toMatchObject({ number: '1,234 items', age: 'its file was written 3 h 0 min ago' });
});
