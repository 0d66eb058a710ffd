import { expect, test } from '@jest/globals';
import { asksForLogin } from '../../../page/login.ts';

const HTML = { 'content-type': 'text/html; charset=utf-8' };
const JSON_TYPE = { 'content-type': 'application/json' };

test.each<[string, Response['type'], number, Record<string, string>, boolean]>([
  ['a redirect to a login', 'opaqueredirect', 0, {}, true],
  ['a password that is asked for', 'basic', 401, HTML, true],
  ['a form in place of the answer', 'basic', 200, HTML, true],
  ['a form of oauth2-proxy', 'basic', 403, HTML, true],
  ['an answer', 'basic', 200, JSON_TYPE, false],
  ['a rejected site', 'basic', 403, JSON_TYPE, false],
  ['a page.conf without this URL', 'basic', 404, HTML, false],
  ['an nginx without a sidecar', 'basic', 502, HTML, false],
])('%s: %s, %d', (_, type, status, headers, isLogin) => {
  expect(asksForLogin({ type, status, headers: new Headers(headers) })).toBe(isLogin);
});
