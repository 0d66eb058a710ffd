import { describe, expect, test } from '@jest/globals';
import { includeFindings } from '../../../../nginx-setup/check/include-rules.ts';
import { orderFindings } from '../../../../nginx-setup/check/order-rules.ts';
import { protectFindings } from '../../../../nginx-setup/check/protect-rules.ts';
import { rerunFindings } from '../../../../nginx-setup/check/rerun-rules.ts';
import { takenFindings } from '../../../../nginx-setup/check/taken-rules.ts';
import { factsOf, type Given, HTTP, SERVER } from './shop-facts.ts';

const HOT_HTTP = `${HTTP} include h/http-hot.conf; include h/http-protect.conf;`;
const LISTEN = 'listen 443 ssl; listen 127.0.0.1:9188 ssl;';
const LOOKS = `${SERVER} include h/server-hot.conf; include h/server-protect.conf; include h/server-actions.conf;`;
const CAPTURE = 'include h/capture-subrequest.conf;';
const CACHE = `${CAPTURE} include h/cache.conf; proxy_pass http://shop;`;
const PHP = `${CAPTURE} include h/cache-fastcgi.conf; fastcgi_pass unix:/php; fastcgi_param REQUEST_URI $request_uri;`;
const ISOLATE = `${CAPTURE} include h/isolate.conf; proxy_pass http://shop;`;
const LIMIT = `${CAPTURE} include h/limit.conf; proxy_pass http://shop;`;
const GOOD: Given = { http: HOT_HTTP, server: `${LISTEN} ${LOOKS}`, location: CACHE };

describe('a correct configuration has no findings', () => {
  test.each<[string, Given]>([
    ['of proxied pages', GOOD],
    ['of pages in PHP', { ...GOOD, location: PHP }],
    ['over http', { ...GOOD, server: `listen 80; listen 127.0.0.1:9188; ${LOOKS}` }],
    [
      'with a limit that exempts the keeper',
      {
        ...GOOD,
        http: `${HOT_HTTP} map $hotitem_keeper $shop_limit_key { "" $binary_remote_addr; default ""; } limit_req_zone $shop_limit_key zone=all:10m rate=10r/s;`,
        server: `limit_req zone=all; ${GOOD.server}`,
      },
    ],
    ['with the PROXY protocol', { ...GOOD, server: `real_ip_header proxy_protocol; ${GOOD.server}` }],
    ['over both', { ...GOOD, server: `listen 80; ${LISTEN} ${LOOKS}` }],
    [
      'with the keeper’s header beside others',
      {
        ...GOOD,
        location: `${CACHE} add_header X-A a; add_header X-Hotitem-Keeper $hotitem_keeper_told always;`,
      },
    ],
    [
      'with limit.conf alone, behind a load balancer that is known',
      { ...GOOD, server: `listen 80 proxy_protocol; set_real_ip_from 192.0.2.10; ${LOOKS}`, location: LIMIT },
    ],
    [
      'with limit.conf and a key for visitors',
      {
        ...GOOD,
        http: `${HOT_HTTP} map $cookie_session $hotitem_visitor { default $cookie_session; }`,
        server: `listen 80 proxy_protocol; ${LOOKS}`,
        location: LIMIT,
      },
    ],
    [
      'with outer headers repeated',
      {
        ...GOOD,
        server: `proxy_set_header Host $host; ${GOOD.server}`,
        location: `${CACHE} include h/announce.conf; proxy_set_header Host $host;`,
      },
    ],
    [
      'with a guard repeated',
      {
        ...GOOD,
        server: `${GOOD.server} location @hotitem_isolated { auth_basic a; include h/isolated.conf; proxy_pass http://hot; }`,
        location: `auth_basic a; ${ISOLATE}`,
      },
    ],
  ])('%s', (_, given) => {
    expect(found(given)).toEqual([]);
  });
});

describe('check --nginx', () => {
  test.each<[string, string, Given]>([
    [
      'include-missing',
      'http-protect.conf is missing',
      { ...GOOD, http: `${HTTP} include h/http-hot.conf;` },
    ],
    [
      'include-missing',
      'server-protect.conf is missing',
      { ...GOOD, server: `${LISTEN} ${SERVER} include h/server-hot.conf;` },
    ],
    [
      'include-missing',
      'server-hot.conf is missing',
      { ...GOOD, server: `${LISTEN} ${SERVER} include h/server-protect.conf;` },
    ],
    [
      'include-missing',
      'server-actions.conf is missing',
      {
        ...GOOD,
        server: `${LISTEN} ${SERVER} include h/server-hot.conf; include h/server-protect.conf;`,
        location: `${CACHE} include h/limit.conf;`,
      },
    ],
    [
      'protect-too-early',
      'server-actions.conf is above',
      { ...GOOD, server: `${LISTEN} ${SERVER} include h/server-actions.conf; include h/server-hot.conf;` },
    ],
    [
      'protect-too-early',
      'is above',
      { ...GOOD, server: `${LISTEN} ${SERVER} include h/server-protect.conf; include h/server-hot.conf;` },
    ],
    [
      'keeper-not-heard',
      'does not listen on 127.0.0.1:9188',
      { ...GOOD, server: `listen 443 ssl; ${LOOKS}` },
    ],
    [
      'keeper-exposed',
      'on all addresses: listen 9188',
      { ...GOOD, server: `listen 80; listen 9188; ${LOOKS}` },
    ],
    [
      'keeper-scheme',
      'speaks https to shoppers',
      { ...GOOD, server: `listen 443 ssl; listen 127.0.0.1:9188; ${LOOKS}` },
    ],
    [
      'keeper-limited',
      'limit_req zone=all burst=5',
      {
        ...GOOD,
        http: `${HOT_HTTP} limit_req_zone $binary_remote_addr zone=all:10m rate=10r/s;`,
        server: `limit_req zone=all burst=5; ${GOOD.server}`,
      },
    ],
    [
      'keeper-limited',
      'limit_conn each 2',
      {
        ...GOOD,
        http: `${HOT_HTTP} limit_conn_zone $remote_addr zone=each:10m;`,
        location: `${CACHE} limit_conn each 2;`,
      },
    ],
    [
      'keeper-behind',
      'real_ip_header X-Forwarded-For',
      { ...GOOD, server: `real_ip_header X-Forwarded-For; ${GOOD.server}` },
    ],
    [
      'keeper-behind',
      'proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto',
      { ...GOOD, location: `${CACHE} proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;` },
    ],
    ['cache-taken', 'proxy_cache shop', { ...GOOD, server: `proxy_cache shop; ${GOOD.server}` }],
    ['cache-taken', 'beside proxy_cache mine', { ...GOOD, location: `proxy_cache mine; ${CACHE}` }],
    ['cache-unbuffered', 'proxy_buffering off', { ...GOOD, location: `${CACHE} proxy_buffering off;` }],
    [
      'cache-ignores-cookies',
      'Set-Cookie',
      { ...GOOD, location: `${CACHE} proxy_ignore_headers Set-Cookie;` },
    ],
    ['keeper-not-told', 'add_header X-A', { ...GOOD, server: `add_header X-A a; ${GOOD.server}` }],
    [
      'protect-replaces',
      'proxy_ignore_headers X-Accel-Redirect',
      { ...GOOD, server: `proxy_ignore_headers X-Accel-Redirect; ${GOOD.server}` },
    ],
    [
      'protect-replaces',
      'fastcgi_param A b',
      {
        ...GOOD,
        server: `fastcgi_param A b; ${GOOD.server}`,
        location: `${CAPTURE} include h/cache-fastcgi.conf; fastcgi_pass unix:/php;`,
      },
    ],
    [
      'protect-replaces',
      'proxy_set_header Host $host',
      {
        ...GOOD,
        server: `proxy_set_header Host $host; ${GOOD.server}`,
        location: `${CACHE} include h/announce.conf;`,
      },
    ],
    [
      'protect-replaces',
      'limit_req zone=all',
      { ...GOOD, server: `limit_req zone=all; ${GOOD.server}`, location: `${CACHE} include h/limit.conf;` },
    ],
    [
      'protect-not-passed',
      'without fastcgi_pass',
      { ...GOOD, location: `${CAPTURE} include h/cache-fastcgi.conf; proxy_pass http://shop;` },
    ],
    [
      'limit-mixed',
      'limit_req zone=mine',
      { ...GOOD, location: `${CACHE} limit_req zone=mine; include h/limit.conf;` },
    ],
    ['limit-one-visitor', 'no set_real_ip_from applies there', { ...GOOD, location: LIMIT }],
    [
      'limit-one-visitor',
      'by a load balancer (listen 443 ssl proxy_protocol)',
      { ...GOOD, server: `listen 443 ssl proxy_protocol; ${LOOKS}`, location: LIMIT },
    ],
    [
      'limit-one-visitor',
      'by a load balancer (proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto)',
      { ...GOOD, location: `${LIMIT} proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;` },
    ],
    [
      // Of another server.
      'limit-one-visitor',
      'no set_real_ip_from applies there',
      { ...GOOD, http: `${HOT_HTTP} server { set_real_ip_from 192.0.2.10; }`, location: LIMIT },
    ],
    ['isolated-missing', '@hotitem_isolated', { ...GOOD, location: ISOLATE }],
    [
      'isolated-unguarded',
      'auth_basic closed',
      {
        ...GOOD,
        server: `${GOOD.server} location @hotitem_isolated { proxy_pass http://hot; }`,
        location: `auth_basic closed; ${ISOLATE}`,
      },
    ],
    [
      'isolated-unguarded',
      'deny all of location /item/deep/',
      {
        ...GOOD,
        server: `${GOOD.server} location @hotitem_isolated { proxy_pass http://hot; }`,
        location: `deny all; location /item/deep/ { ${ISOLATE} }`,
      },
    ],
    [
      'protect-off',
      'does not act on hot items',
      { ...GOOD, http: `${HTTP} include h/http-hot.conf; include h/off-protect.conf;` },
    ],
  ])('says %s: %s', (id, what, given) => {
    const one = found(given).find((finding) => finding.id === id && finding.what.includes(what));
    expect(one ?? found(given)).toMatchObject({ id });
  });
});

test('what a load balancer adds may be named', () => {
  const given: Given = { ...GOOD, server: `real_ip_header X-Forwarded-For; ${GOOD.server}` };
  const facts = factsOf(given);
  const keeperHeaders = ['X-Forwarded-Proto: https'];
  expect(protectFindings({ ...facts, sidecar: { ...facts.sidecar, keeperHeaders } })).toEqual([]);
});

test('visitors who are limited by the address of a load balancer are a warning where one is known, and advice elsewhere', () => {
  const of = (given: Given, keeperHeaders: string[]) => {
    const facts = factsOf(given);
    return protectFindings({ ...facts, sidecar: { ...facts.sidecar, keeperHeaders } });
  };
  const given = { ...GOOD, location: LIMIT };
  const advice = { id: 'limit-one-visitor', fix: expect.stringContaining('set_real_ip_from') };
  expect(of(given, [])).toEqual([expect.objectContaining({ ...advice, severity: 'note' })]);
  expect(of(given, ['X-Forwarded-Proto: https'])).toEqual([
    expect.objectContaining({
      ...advice,
      severity: 'warning',
      what: expect.stringContaining('(protect.headers: X-Forwarded-Proto: https)'),
    }),
  ]);
});

test('off.conf may be below http-protect.conf', () => {
  const http = `${HOT_HTTP.replace(HTTP, '')} include h/off.conf;`;
  expect(orderFindings(factsOf({ ...GOOD, http }))).toEqual([]);
});

function found(given: Given) {
  const facts = factsOf(given);
  return [includeFindings, orderFindings, rerunFindings, takenFindings, protectFindings].flatMap((rule) =>
    rule(facts),
  );
}
