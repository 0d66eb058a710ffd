import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { FAULTS } from './nginx-pages-faults.ts';
import { randomServers } from './nginx-pages-random.ts';
import { comparePages, type Outcome } from './nginx-pages-site.ts';

const RUN_MS = 600_000;
/** Another seed, other servers; hundreds in a full run. */
const SEEDS = FULL ? [1, 2, 3, 4, 5, 6, 7, 8] : [1];
const SERVERS = 40;
/** By `npm test` the oldest and the newest have fewer. */
const FEW = 15;

describe.each<[Suite, 'njs' | 'qjs']>([
  ['bookworm', 'njs'],
  ['trixie', 'njs'],
  ...(FULL ? [['sid', 'njs'] satisfies [Suite, 'njs']] : []),
  ['sid', 'qjs'],
])('a page is what it is without us, on nginx of %s with %s', (suite, engine) => {
  suiteWith(['nginx'])('in the servers that were not', () => {
    let outcomes: Map<string, Outcome>;
    beforeAll(async () => {
      const found = await comparePages({ suite, engine, servers: FAULTS });
      outcomes = new Map(found.map((outcome) => [outcome.server.name, outcome]));
    }, RUN_MS);

    test.each(FAULTS.map(({ name }) => name))('%s', (name) => {
      const outcome = outcomes.get(name);
      expect(outcome?.captured.length).toBeGreaterThan(0);
      expect(outcome && captured(outcome)).toEqual(outcome && unchanged(outcome));
    });
  });

  suiteWith(['nginx'])('in servers put together at random', () => {
    const count = FULL || suite === 'trixie' ? SERVERS : FEW;
    test.each(SEEDS)(
      `seed %d, ${count} servers`,
      async (seed) => {
        const outcomes = await comparePages({ suite, engine, servers: randomServers(seed, count) });
        const changed = outcomes.find((outcome) => !isDeepStrictEqual(captured(outcome), unchanged(outcome)));

        if (changed !== undefined)
          report(`${changed.server.name}:\n${JSON.stringify(changed.server, null, 2)}`);
        expect(changed && captured(changed)).toEqual(changed && unchanged(changed));
        const all = outcomes.flatMap((outcome) => outcome.captured);
        expect(all.flatMap(({ views }) => views).length).toBeGreaterThan(count);
        expect(all.reduce((sum, { hot }) => sum + hot, 0)).toBeGreaterThan(count);
      },
      RUN_MS,
    );
  });
});

function captured({ captured }: Outcome) {
  return captured.map(({ transport, seen, lines }) => ({ transport, ...seen, lines }));
}

/** What `captured` is to be. */
function unchanged({ plain, captured }: Outcome) {
  return captured.map(({ transport, views }) => ({ transport, ...plain, lines: views }));
}
