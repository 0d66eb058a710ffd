import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chooseBreaker } from '../../../nginx-setup/breaker.ts';
import { temporaryFolder } from '../../parts/guard.ts';

describe('the address of the breaker', () => {
  let folder: { path: string; remove: () => void };
  let dir: string;
  beforeEach(() => {
    folder = temporaryFolder('breaker');
    dir = join(folder.path, 'hotitem');
    mkdirSync(dir);
  });
  afterEach(() => folder.remove());

  test('uses a port of the shop, found in the nginx.conf beside the folder and its includes', () => {
    writeFileSync(join(folder.path, 'nginx.conf'), `http { include ${folder.path}/sites/*; }`);
    mkdirSync(join(folder.path, 'sites'));
    writeFileSync(join(folder.path, 'sites/shop'), 'server { listen 80; listen [::]:80; }');
    expect(chooseBreaker(dir).address).toBe('127.0.91.89:80');
  });

  test('has its own port if the shop is unknown, or has only ports that any user can bind', () => {
    expect(chooseBreaker(dir).address).toBe('127.0.0.1:9189');
    writeFileSync(join(folder.path, 'nginx.conf'), 'http { server { listen 203.0.113.1:8080; } }');
    expect(chooseBreaker(dir)).toEqual({
      address: '127.0.0.1:9189',
      about: expect.stringContaining(
        `${join(folder.path, 'nginx.conf')} has no server that listens on all addresses or`,
      ),
    });
  });

  test('uses a port below 1024 of a shop that names its addresses', () => {
    writeFileSync(join(folder.path, 'nginx.conf'), 'http { server { listen 203.0.113.1:443 ssl; } }');
    expect(chooseBreaker(dir)).toEqual({
      address: '127.0.91.89:443',
      about: 'at a port below 1024 of the shop, which only root could take there',
    });
  });

  test('is the configured one', () => {
    writeFileSync(join(folder.path, 'nginx.conf'), 'http { server { listen 80; } }');
    expect(chooseBreaker(dir, '127.0.0.1:9300').address).toBe('127.0.0.1:9300');
  });
});
