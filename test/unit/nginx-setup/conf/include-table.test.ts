import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { INCLUDES } from '../../../../nginx-setup/conf/include-table.ts';

const NGINX = join(import.meta.dirname, '../../../../nginx');
const THERE = readdirSync(NGINX).filter((name) => name.endsWith('.conf'));

describe('the table of includes', () => {
  test('has every include', () => {
    expect(THERE.filter((name) => !(name in INCLUDES))).toEqual([]);
  });

  test.each(THERE.filter((name) => name in INCLUDES))('agrees with the first lines of %s', (name) => {
    const [first = ''] = readFileSync(join(NGINX, name), 'utf8').split('\n');
    const { context = [], njs, nginx } = INCLUDES[name] ?? {};
    const [, where = '', needs = ''] = /^# Context: (.*?)\. Needs: (.*)$/.exec(first) ?? [];
    for (const block of context) expect(where).toContain(block);
    expect(/\bnjs (\d+(?:\.\d+)+)/.exec(needs)?.[1]).toBe(njs);
    expect(/\bnginx (?:from )?(\d+(?:\.\d+)+)/.exec(needs)?.[1]).toBe(nginx);
  });
});
