import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Suite } from '../../provision/versions.ts';
import { suiteWith } from '../parts/suite.ts';
import { FAULTS } from './nginx-pages-faults.ts';
import { comparePages, type Outcome } from './nginx-pages-site.ts';

const RUN_MS = 600_000;

describe.each<[Suite, 'njs' | 'qjs']>([
  ['bookworm', 'njs'],
  ['trixie', 'njs'],
  ['sid', 'njs'],
  ['sid', 'qjs'],
])('a page is what it is without us, on nginx of %s with %s', (suite, engine) => {
  suiteWith(['nginx'])('in the servers that were not', () => {
    let outcomes: Map<string, Outcome>;
    beforeAll(async () => {
      const found = await comparePages({ suite, engine, servers: FAULTS });
      outcomes = new Map(found.map((outcome) => [outcome.server.name, outcome]));
    }, RUN_MS);

    test.each(FAULTS.map(({ name }) => name))('%s', (name) => {
      const { plain, captured } = outcomes.get(name) ?? { captured: [] };
      for (const { transport, seen, views, lines } of captured) {
        expect({ transport, ...seen, lines }).toEqual({ transport, ...plain, lines: views });
      }
    });
  });
});
