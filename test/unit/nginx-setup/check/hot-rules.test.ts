import { describe, expect, test } from '@jest/globals';
import { hotFindings } from '../../../../nginx-setup/check/hot-rules.ts';
import { includeFindings } from '../../../../nginx-setup/check/include-rules.ts';
import { orderFindings } from '../../../../nginx-setup/check/order-rules.ts';
import { rerunFindings } from '../../../../nginx-setup/check/rerun-rules.ts';
import { factsOf, type Given, HTTP, SERVER } from './shop-facts.ts';

const HOT_HTTP = `${HTTP} include h/http-hot.conf;`;
const LOOK = 'include h/server-hot.conf;';
const USE = 'include h/hot.conf;';
const CAPTURE = 'include h/capture-subrequest.conf;';
const GOOD: Given = { http: HOT_HTTP, server: `${SERVER} ${LOOK}`, location: `${CAPTURE} ${USE}` };

describe('a correct configuration of the hot list', () => {
  test.each<[string, Given]>([
    ['by subrequest', GOOD],
    [
      'without njs',
      {
        ...GOOD,
        http: 'include h/http-log.conf; include h/http-hot.conf;',
        server: LOOK,
        location: `include h/capture-log.conf; ${USE}`,
      },
    ],
    // For the subrequest of a view it comes out the same.
    ['above server.conf', { ...GOOD, server: `${LOOK} ${SERVER}` }],
    ['with http-hot.conf above http.conf', { ...GOOD, http: `include h/http-hot.conf; ${HTTP}` }],
    [
      'below rewrites that go on',
      { ...GOOD, server: `${SERVER} rewrite ^/de(/.*)$ $1; if ($arg_x) { rewrite ^/x(/.*)$ $1; } ${LOOK}` },
    ],
    [
      'above redirects',
      { ...GOOD, server: `${SERVER} ${LOOK} rewrite ^/old /new permanent; if ($host = a) { return 301 /; }` },
    ],
    [
      'beside a location that rewrites elsewhere',
      { ...GOOD, server: `${SERVER} ${LOOK} location /old/ { rewrite ^/old/(.*)$ /new/$1 last; }` },
    ],
    [
      'with a rewrite behind its capture',
      { ...GOOD, location: `${CAPTURE} ${USE} rewrite ^/web(/item/.*)$ $1 last;` },
    ],
    [
      'with open_file_cache where files are served',
      { ...GOOD, server: `${SERVER} ${LOOK} location /css/ { open_file_cache max=10; }` },
    ],
    ['with off-hot.conf in the place of http-hot.conf', { ...GOOD, http: `${HTTP} include h/off-hot.conf;` }],
  ])('has no findings: %s', (_, given) => {
    expect(found(given).filter(({ severity }) => severity !== 'note')).toEqual([]);
  });

  test('is optional', () => {
    expect(found({})).toEqual([]);
  });
});

describe('check of the hot list', () => {
  test.each<[string, string, Given]>([
    ['include-missing', 'http-hot.conf is missing', { ...GOOD, http: HTTP }],
    ['include-missing', 'server-hot.conf is missing in server shop', { ...GOOD, server: SERVER }],
    ['include-missing', 'http.conf is missing', { ...GOOD, http: 'include h/http-hot.conf;' }],
    ['include-misplaced', 'hot.conf is in server', { ...GOOD, server: `${SERVER} ${LOOK} ${USE}` }],
    ['include-misplaced', 'hot.conf is in if', { ...GOOD, location: `${CAPTURE} if ($arg_a) { ${USE} }` }],
    [
      'include-misplaced',
      'server-hot.conf is in location',
      { ...GOOD, location: `${CAPTURE} ${LOOK} ${USE}` },
    ],
    [
      'hot-before-rewrite',
      'rewrite ^/de(/.*)$ $1 is below',
      { ...GOOD, server: `${SERVER} ${LOOK} rewrite ^/de(/.*)$ $1;` },
    ],
    [
      'hot-before-rewrite',
      'rewrite ^/de(/.*)$ $1 last is below',
      { ...GOOD, server: `${SERVER} ${LOOK} if ($arg_a) { rewrite ^/de(/.*)$ $1 last; }` },
    ],
    [
      'hot-never-looked',
      'rewrite ^/de(/.*)$ $1 last ends',
      { ...GOOD, server: `${SERVER} rewrite ^/de(/.*)$ $1 last; ${LOOK}` },
    ],
    [
      'hot-item-early',
      'location /de/ rewrites to where location /web/item/ captures',
      { ...GOOD, server: `${SERVER} ${LOOK} location /de/ { rewrite ^/de/(.*)$ /web/item/$1 last; }` },
    ],
    [
      'hot-item-early',
      'location ~ x rewrites',
      { ...GOOD, server: `${SERVER} ${LOOK} location /de/ { location ~ x { rewrite ^/de(/.*)$ $1; } }` },
    ],
    [
      'hot-is-cached',
      'open_file_cache max=100 also applies',
      { ...GOOD, http: `open_file_cache max=100; ${HOT_HTTP}` },
    ],
    [
      'hot-too-late',
      'rewrite is above hot.conf in location /web/item/',
      { ...GOOD, location: `${CAPTURE} rewrite ^/web(.*)$ $1 last; ${USE}` },
    ],
    ['hot-off', 'no item is ever hot', { ...GOOD, http: `${HTTP} include h/off-hot.conf;` }],
    ['hot-off', 'no item is ever hot', { ...GOOD, http: 'include h/http-hot.conf; include h/off.conf;' }],
    [
      'captures-replaced',
      'root /srv/$1 uses a numbered group of server_name',
      { ...GOOD, server: `server_name ~^(.+)\\.example$; root /srv/$1; ${SERVER} ${LOOK}` },
    ],
  ])('says %s: %s', (id, what, given) => {
    const one = found(given).find((finding) => finding.id === id && finding.what.includes(what));
    expect(one ?? found(given)).toMatchObject({ id });
  });
});

function found(given: Given) {
  const facts = factsOf(given);
  return [includeFindings, orderFindings, rerunFindings, hotFindings].flatMap((rule) => rule(facts));
}
