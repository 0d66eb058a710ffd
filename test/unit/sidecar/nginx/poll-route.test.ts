import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { IntakeRoute } from '../../../../sidecar/ingest/intake.ts';
import { createPollRoute } from '../../../../sidecar/nginx/poll-route.ts';
import { type Control, createControl } from '../../../../sidecar/nginx/switch.ts';

let folder: string;
let control: Control;
let route: IntakeRoute;
let order: string[];

beforeEach(() => {
  order = [];
  folder = mkdtempSync(join(tmpdir(), 'hotitem-control-'));
  control = createControl(join(folder, 'capture.json'), () => {});
  const accounting = {
    report: () => {},
    accounts: () => undefined,
    isSpillBarred: () => false,
    missing: () => undefined,
  };
  route = createPollRoute({ control, accounting, warn: () => {} });
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each(['POST', 'PUT', 'DELETE'])('%s is not for the workers of nginx', async (method) => {
  const gone = new AbortController().signal;
  expect(await route({ method, query: new URLSearchParams('mode=off'), gone })).toMatchObject({
    status: 405,
  });
  expect(control.state()).toEqual({ version: 0, mode: 'default' });
});

test('a repeated poll answers the previous poll of that nginx, and of no other one', async () => {
  const first = poll('instance=7&wait=4000', 'first of 7');
  const other = poll('instance=8&wait=1000', '8');
  await poll('instance=7&wait=0', 'last of 7');
  await Promise.all([first, other]);

  expect(order.at(-1)).toBe('8');
  expect(order).toHaveLength(3);
});

test('a poll ends when its nginx is gone', async () => {
  const gone = new AbortController();
  const answer = route({
    method: 'GET',
    query: new URLSearchParams('version=0&wait=5000'),
    gone: gone.signal,
  });
  gone.abort();
  expect(await answer).toEqual({ status: 204 });
});

async function poll(query: string, name: string): Promise<void> {
  const gone = new AbortController().signal;
  const question = { method: 'GET', query: new URLSearchParams(`version=0&started=1&${query}`), gone };
  expect(await route(question)).toEqual({ status: 204 });
  order.push(name);
}
