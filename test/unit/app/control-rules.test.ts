import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { controlFindings } from '../../../app/rules/control-rules.ts';
import { wireControl } from '../../../app/wire-control.ts';
import { type Config, loadConfig } from '../../../service/config/config.ts';
import { createLog } from '../../../service/log.ts';
import { testAsRoot } from '../../parts/as-root.ts';
import { ANOTHER_USER } from '../../parts/attacker.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const log = createLog('error', { write: () => {} });

let folder: string;
let remove: () => void;
let token: string;
let secret: string;
beforeEach(() => {
  ({ path: folder, remove } = temporaryFolder('control-rules'));
  [token, secret] = [join(folder, 'token'), join(folder, 'secret')];
  writeFileSync(token, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  writeFileSync(secret, `whsec_${randomBytes(32).toString('base64')}\n`, { mode: 0o640 });
  mkdirSync(join(folder, 'home'));
});
afterEach(() => remove());

test('a token that cannot be used stops no sidecar: control is refused, with a reason', () => {
  rmSync(token);
  const warned: unknown[] = [];
  const warn = (...words: unknown[]) => warned.push(words);
  const actions = wireControl({ config: config(), now: Date.now, log, warn }, {}, () => {});
  expect(actions).toBeDefined();
  expect(() => actions?.token()).toThrow('ENOENT');
  expect(warned).toEqual([
    [
      'control token',
      'admin.control_token_file cannot be used: control is refused',
      { file: token, reason: expect.stringContaining('ENOENT') },
    ],
  ]);
});

test('check says nothing of a token and secrets that can be used', () => {
  expect(controlFindings(config())).toEqual([]);
});

test('check says why a token or a secret cannot be used', () => {
  chmodSync(token, 0o644);
  writeFileSync(secret, 'x');
  expect(controlFindings(config())).toMatchObject([
    { id: 'control-token', severity: 'error', what: expect.stringContaining('must have mode 0600') },
    { id: 'webhook-secret', severity: 'error', what: expect.stringContaining('orders') },
  ]);
});

test('check says that control and webhooks do nothing without the detection of hot items', () => {
  expect(controlFindings(config({ enabled: false }))).toMatchObject([
    { id: 'heat-off', what: 'admin.control_token_file has no effect, because heat.enabled is false' },
    { id: 'heat-off', what: 'webhooks has no effect, because heat.enabled is false' },
  ]);
});

testAsRoot('check as root reads as the user of the service does', () => {
  chownSync(join(folder, 'home'), ANOTHER_USER, ANOTHER_USER);
  const ids = () => controlFindings(config()).map(({ id, severity }) => `${id} ${severity}`);
  expect(ids()).toEqual(['control-token warning', 'webhook-secret warning']);
  chownSync(token, ANOTHER_USER, ANOTHER_USER);
  chownSync(secret, 0, ANOTHER_USER);
  expect(ids()).toEqual([]);
});

function config(heat: { enabled?: boolean } = {}): Config {
  const file = join(folder, 'hotitem.yml');
  const webhooks = [{ name: 'orders', url: 'https://shop.internal/', secret_file: secret }];
  const admin = { control_token_file: token };
  writeFileSync(file, JSON.stringify({ home: join(folder, 'home'), admin, webhooks, heat }), { mode: 0o600 });
  return loadConfig({ env: {}, flags: {}, file });
}
