import { describe, expect, test } from '@jest/globals';
import { verdictOf } from '../../../../page/health/verdict.ts';
import type { HealthAnswer, KafkaHealth } from '../../../../sidecar/routes/answers.ts';

const NOW = Date.UTC(2026, 10, 27, 12);
const NGINX = { started: 0, reportedAt: NOW - 500, captured: 9, buffered: 0, dropped: 0, off: false };
const FINE: HealthAnswer = {
  node: 'web-1',
  started: NOW - 60_000,
  now: NOW,
  stages: [{ name: 'captured', total: 9, perSecond: 0.9, lastAt: NOW }],
  behind: { events: 3, oldestMs: 200 },
  dead: { events: 0 },
  unaccounted: 0,
  losses: [],
  capture: 'default',
  nginx: [NGINX],
  parts: [{ name: 'spool', isReady: true }],
};

describe('the verdict of Health', () => {
  test('is that all is well where nothing else is so', () => {
    expect(verdictOf(FINE)).toMatchObject({ isFine: true, words: expect.stringContaining('All is well') });
  });

  test.each<[string, Partial<HealthAnswer>, string]>([
    ['capture is off', { capture: 'off' }, 'Capture is off'],
    [
      'no nginx follows that capture is off',
      { capture: 'off', nginx: [] },
      'Capture was set to off, but no nginx has reported',
    ],
    ['nginx includes off.conf', { nginx: [{ ...NGINX, off: true }] }, 'Capture is off'],
    [
      'nginx is silent',
      { nginx: [{ ...NGINX, reportedAt: NOW - 40_000 }] },
      'nginx has been silent for 40 s',
    ],
    [
      'nginx is silent, and reported before the clock was set back',
      { nginx: [{ ...NGINX, reportedAt: NOW + 3_600_000 }] },
      'nginx has been silent since the clock was set back',
    ],
    [
      'views are being lost',
      { losses: [{ reason: 'removed', views: 7, first: NOW, last: NOW }] },
      'Views are being lost: 7',
    ],
    ['a view is unaccounted for', { unaccounted: 2 }, 'does not balance: 2 views are unaccounted for'],
    ['views were indexed twice', { unaccounted: -2 }, 'does not balance: 2 views are there twice'],
    ['one of two nginx is off', { nginx: [NGINX, { ...NGINX, off: true }] }, 'off in 1 of 2 nginx'],
    ['views were rejected', { dead: { events: 3 } }, '3 views were rejected and are kept'],
    ['nothing is delivered', { outage: { since: NOW } }, 'Nothing is delivered since'],
    [
      'a part makes no progress',
      { parts: [{ name: 'index', isReady: false }] },
      'Not all parts make progress: index',
    ],
    ['it is behind', { behind: { events: 12, oldestMs: 61_000 } }, '12 views wait, the oldest for 1 min 1 s'],
    [
      'Kafka has views that the index lacks',
      {
        kafka: { brokers: 1, lastAt: NOW - 2_000, after: { since: NOW - 160_000, seconds: 30 } },
        newest: { time: NOW - 180_000, askedAt: NOW - 3_000 },
      },
      'The newest view in the index is 3 min 0 s old, and Kafka has newer ones',
    ],
    [
      'no sink has ever run',
      {
        kafka: { brokers: 1, lastAt: NOW, after: { since: NOW - 90_000, seconds: 30 } },
        newest: { askedAt: NOW - 3_000 },
      },
      'The index has no view yet, and Kafka has newer ones',
    ],
  ])('says so when %s', (_, change, words) => {
    expect(verdictOf({ ...FINE, ...change })).toMatchObject({
      isFine: false,
      words: expect.stringContaining(words),
    });
  });

  test.each<[string, Partial<HealthAnswer>]>([
    ['nobody viewed anything since', { kafka: { brokers: 1, lastAt: NOW - 180_000 } }],
    ['only test views and late ones came since', { kafka: { brokers: 1, lastAt: NOW - 90_000 } }],
    ['old views came late', { kafka: { brokers: 1, lastAt: NOW, behind: { events: 0, askedAt: NOW } } }],
    ['later ones came just now', { kafka: { brokers: 1, after: { since: NOW - 9_000, seconds: 9 } } }],
    ['there is no Kafka', {}],
  ])('is that all is well with an old newest view where %s', (_, change) => {
    const newest = { time: NOW - 190_000, askedAt: NOW - 3_000 };
    expect(verdictOf({ ...FINE, newest, ...change })).toMatchObject({
      isFine: true,
      words: expect.stringContaining('in the index within seconds'),
    });
  });

  test.each<[string, Pick<HealthAnswer, 'newest'>, KafkaHealth]>([
    ['did not answer', {}, { brokers: 1, lastAt: NOW }],
    [
      'was not asked for an hour, because nobody had the page open',
      { newest: { time: NOW - 3_600_000, askedAt: NOW - 3_600_000 } },
      { brokers: 1, lastAt: NOW, after: { since: NOW - 3_580_000, seconds: 3_000 } },
    ],
    ['is empty, and only test views were sent', { newest: { askedAt: NOW } }, { brokers: 1, lastAt: NOW }],
  ])('claims nothing about an index that %s', (_, newest, kafka) => {
    const { isFine, words } = verdictOf({ ...FINE, ...newest, kafka });
    expect(isFine).toBe(true);
    expect(words).toContain('Whether the index has it is not known here');
  });

  test('leaves open whether sinks are behind or rejected the only view that is missing', () => {
    const kafka = { brokers: 1, lastAt: NOW - 90_000, after: { since: NOW - 90_000, seconds: 1 } };
    const newest = { time: NOW - 180_000, askedAt: NOW - 3_000 };
    expect(verdictOf({ ...FINE, kafka, newest })).toMatchObject({ isFine: undefined, mark: 'may be behind' });
  });

  test('says that views were lost an hour ago, and that all is well now', () => {
    const losses = [{ reason: 'removed', views: 7, first: NOW - 7_200_000, last: NOW - 3_600_000 }];
    const { isFine, words } = verdictOf({ ...FINE, losses });
    expect(isFine).toBe(true);
    expect(words).toContain('7 views were lost some time ago');
  });

  test('does not say that nothing is lost where nginx does not report', () => {
    expect(verdictOf({ ...FINE, nginx: [] }).words).toContain(
      'nothing is lost behind nginx, which does not report',
    );
  });

  test('does not say that all is well before anything has come', () => {
    const stages = [{ name: 'captured', total: 0, perSecond: 0 }];
    expect(verdictOf({ ...FINE, stages, nginx: [] })).toMatchObject({
      isFine: undefined,
      words: expect.stringContaining('nginx does not report whether it lost any'),
    });
    expect(verdictOf({ ...FINE, stages }).words).toContain('No view has arrived yet');
  });
});
