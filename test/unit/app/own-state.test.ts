import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { requireOwnState } from '../../../app/own-state.ts';
import { testAsRoot } from '../../parts/as-root.ts';
import { ANOTHER_USER } from '../../parts/attacker.ts';
import { temporaryFolder } from '../../parts/guard.ts';

testAsRoot.each(['nginx-accounting.json', 'nginx-books.json'])(
  'a state file of another user prevents the start: %s',
  (name) => {
    const { path: home, remove } = temporaryFolder('state');
    const file = join(home, name);
    writeFileSync(file, '{}');
    chownSync(file, ANOTHER_USER, ANOTHER_USER);
    const places = { home, spool: { dir: join(home, 'spool') }, duckdb: { path: join(home, 'x.duckdb') } };
    try {
      expect(() => requireOwnState(places)).toThrow(`${file} belongs to the user ${ANOTHER_USER}`);
    } finally {
      remove();
    }
  },
);
