import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readSecrets } from '../../../webhooks/secrets.ts';
import { testAsRoot } from '../../parts/as-root.ts';
import { ANOTHER_USER } from '../../parts/attacker.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const KEY = randomBytes(32);
const SECRET = `whsec_${KEY.toString('base64')}`;

let folder: string;
let remove: () => void;
let file: string;
beforeEach(() => {
  ({ path: folder, remove } = temporaryFolder('secrets'));
  file = join(folder, 'secret');
  writeFileSync(file, `${SECRET}\n`, { mode: 0o640 });
});
afterEach(() => remove());

describe('the secrets of a webhook', () => {
  test('are one, or two while they are rotated', () => {
    expect(read(file)).toEqual([KEY]);
    const next = randomBytes(64);
    writeFileSync(file, `${SECRET}\r\n\nwhsec_${next.toString('base64')}`);
    expect(read(file)).toEqual([KEY, next]);
  });

  test.each([
    ['nothing', '', 'got 0 lines'],
    ['three', `${SECRET}\n${SECRET}\n${SECRET}`, 'got 3 lines'],
    ['no prefix', KEY.toString('base64'), 'must hold whsec_'],
    ['a short key', `whsec_${randomBytes(31).toString('base64')}`, '32 to 64'],
    ['a long key', `whsec_${randomBytes(65).toString('base64')}`, '32 to 64'],
    ['no base64', `whsec_${'ü'.repeat(50)}`, 'base64'],
    ['a large file', 'x'.repeat(5_000), 'too large'],
  ])('are refused: %s', (_, text, problem) => {
    writeFileSync(file, text);
    expect(() => read(file)).toThrow(problem);
  });

  test('are not read where others can read them, and are never shown', () => {
    chmodSync(file, 0o644);
    expect(() => read(file)).toThrow('must not be readable by others: chmod 640 (got 0644)');
    writeFileSync(file, `${SECRET}?`);
    chmodSync(file, 0o600);
    expect(() => read(file)).not.toThrow(KEY.toString('base64'));
    mkdirSync(join(folder, 'folder'));
    expect(() => read(join(folder, 'folder'))).toThrow('is not a regular file');
  });

  testAsRoot('are not read from a file of another user', () => {
    chownSync(file, ANOTHER_USER, ANOTHER_USER);
    expect(() => read(file)).toThrow('belongs to the user 65534');
    expect(readSecrets(file, ANOTHER_USER)).toEqual([KEY]);
  });
});

function read(path: string): Buffer[] {
  return readSecrets(path, process.getuid?.() ?? 0);
}
