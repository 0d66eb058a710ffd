import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { renderShop, type ShopOptions } from '../../../demo/shop.ts';

let folder: string;
let options: ShopOptions;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotitem-shop-'));
  const [socket, spill] = [join(folder, 'intake.sock'), join(folder, 'var', 'spill')];
  options = { folder, socket, spill, listen: '127.0.0.1:8080' };
});
afterEach(() => rmSync(folder, { recursive: true }));

test('omits the user and module lines if neither is given', async () => {
  const { conf } = await renderShop(options);

  expect(readFileSync(conf, 'utf8')).not.toMatch(/^(user|load_module) /m);
});

test('names the user and the module if given', async () => {
  const { conf } = await renderShop({ ...options, user: 'www-data', module: '/usr/lib/js.so' });

  expect(readFileSync(conf, 'utf8').match(/^(user|load_module) .*/gm)).toEqual([
    'load_module "/usr/lib/js.so";',
    'user www-data;',
  ]);
});

test('creates the folders that nginx expects', async () => {
  const { pidFile } = await renderShop(options);

  expect([join(pidFile, '..'), options.spill].filter(existsSync)).toHaveLength(2);
});

test.each([
  ['user', 'root; include /etc/shadow'],
  ['listen', '8080 default_server'],
  ['listen', 'unix:/tmp/a'],
  ['pages', 'pages'],
  ['module', '/lib/a b.so'],
  ['workers', 0],
])('rejects the option %s with the value %j, and writes nothing', async (option, value) => {
  await expect(renderShop({ ...options, [option]: value })).rejects.toThrow(new RegExp(`^${option}: `));
  expect(existsSync(join(folder, 'nginx.conf'))).toBe(false);
});
