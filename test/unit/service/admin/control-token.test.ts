import crypto from 'node:crypto';
import { afterEach, expect, jest, test } from '@jest/globals';
import { isToken } from '../../../../service/admin/control-token.ts';

const TOKEN = 'Zm9yIGEgdGVzdC4gMzIgcmFuZG9tIGJ5dGVzIG9yIG1vcmU';

afterEach(() => {
  jest.restoreAllMocks();
});

test.each([
  [TOKEN, true],
  [TOKEN.slice(0, -1), false],
  [`${TOKEN}x`, false],
  [`x${TOKEN.slice(1)}`, false],
  ['', false],
  ['x'.repeat(100_000), false],
])('a token is compared as a hash, in constant time, whatever is given: %.20s', (given, isRight) => {
  const compared = jest.spyOn(crypto, 'timingSafeEqual');
  expect(isToken(given, TOKEN)).toBe(isRight);
  const hashes = [given, TOKEN].map((text) => crypto.createHash('sha256').update(text).digest());
  expect(compared.mock.calls).toEqual([hashes]);
});
