import { describe, expect, test } from '@jest/globals';
import { engineFindings } from '../../../../nginx-setup/check/engine-rules.ts';
import { includeFindings } from '../../../../nginx-setup/check/include-rules.ts';
import { inheritedFindings } from '../../../../nginx-setup/check/inherited-rules.ts';
import { locationFindings } from '../../../../nginx-setup/check/location-rules.ts';
import { logFindings } from '../../../../nginx-setup/check/log-rules.ts';
import { njsFindings } from '../../../../nginx-setup/check/njs-rules.ts';
import { orderFindings } from '../../../../nginx-setup/check/order-rules.ts';
import { takenFindings } from '../../../../nginx-setup/check/taken-rules.ts';
import { upstreamFindings } from '../../../../nginx-setup/check/upstream-rules.ts';
import { workerFindings } from '../../../../nginx-setup/check/worker-rules.ts';
import type { Njs } from '../../../../nginx-setup/program/njs-probe.ts';
import { factsOf, type Given, HTTP, SERVER, SHOP } from './shop-facts.ts';

const CAPTURE = 'include h/capture-subrequest.conf;';
const LOG = 'include h/capture-log.conf;';

describe('a correct configuration', () => {
  test.each<[string, Given]>([
    ['with capture by subrequest', {}],
    [
      'with capture by batch',
      { http: `${HTTP} include h/http-batch.conf;`, location: 'include h/capture-batch.conf;' },
    ],
    ['with capture by log', { http: 'include h/http-log.conf;', server: '', location: LOG }],
    ['with both, by log.conf', { http: `${HTTP} include h/log.conf;`, location: LOG }],
    ['with a set line of its own', { location: 'set $mine $hotitem_capture; rewrite ^/web(.*)$ $1 last;' }],
    [
      'with rules that let capture pass',
      { server: `if ($uri !~ ^/_hotitem/) { return 301 /x; } ${SERVER} rewrite ^/old /new last;` },
    ],
    ...[
      'if ($host = www.shop) { return 301 https://shop$request_uri; }',
      'if ( $scheme != "https" ) { rewrite ^ https://$host$request_uri permanent; }',
      'if ($host ~* ^www\\.(?<bare>.+)$) { return 301 $scheme://$bare$request_uri; }',
      'if ($http_user_agent ~* (curl|wget)) { return 403; }',
      'if ($request_method !~ ^(GET|POST|HEAD)$) { return 405; }',
      'if (-f $document_root/maintenance.html) { return 503; }',
      'if ($blocked) { return 403; }',
      'if ($arg_preview) { return 403; }',
      'if ($args ~ "preview=") { return 403; }',
      'if ($uri ~ ^/(admin|wp-login)) { return 403; }',
      'rewrite ^/old/(.*)$ /new/$1 permanent;',
      'rewrite ^/sitemap.xml$ /sitemap.php last;',
      'set $base /srv/shop;',
      'set $base /srv; if ($http_x) { break; } if ($http_y) { return 403; }',
      'set $store $blocked;',
      'set $skip 0; if ($request_method = POST) { set $skip 1; } if ($http_cookie ~ user) { set $skip 1; }',
      'set $test ""; if ($host = www.shop) { set $test A; } if ($http_dnt) { set $test $test-B; } if ($test = A-B) { return 301 /; }',
    ].map((rules): [string, Given] => [
      `with rules above server.conf that come out the same for a subrequest: ${rules}`,
      { http: `map $http_user_agent $blocked { default 0; bad 1; } ${HTTP}`, server: `${rules}\n${SERVER}` },
    ]),
    [
      'with rules of its server below server.conf',
      {
        server: `set_real_ip_from 10.0.0.1; ${SERVER} set $a 1; if ($host != a) { return 301 /; } return 404;`,
      },
    ],
    [
      'with rules of its server and capture by log',
      { http: 'include h/http-log.conf;', server: 'set $a 1;', location: LOG },
    ],
    [
      'with groups that are named, or of a rewrite',
      {
        server: `${SERVER} location ~ ^/page/(?<page>.+)$ { ${CAPTURE} alias /srv/$page; }
          location ~ \\.(htm|aspx)$ { ${CAPTURE} rewrite ^(.*)$ /index.php?u=$1 break; }`,
      },
    ],
    [
      'with locations that take no item page',
      {
        server: `${SERVER} location ~* \\.(css|js)$ { expires 1h; } location ~ \\.php$ { root /srv; }
          location ~ \\.html$ { rewrite ^ /index.php last; } location /web/ { root /srv; }`,
      },
    ],
    [
      'with a capture that regular expressions do not reach',
      {
        server: `${SERVER} location ~ \\.html$ { expires 1h; } location ^~ /item/ { ${CAPTURE} }`,
        location: '',
      },
    ],
    [
      'with as many files as its connections need',
      { main: 'events { worker_connections 768; } worker_rlimit_nofile 2048;' },
    ],
    [
      'with the same directives where they do no harm',
      {
        http: `${HTTP} include h/http-batch.conf; disable_symlinks on; open_file_cache max=9;`,
        server: `${SERVER} location /api/ { js_fetch_proxy http://a:1; rewrite_by_lua_block { return } }`,
      },
    ],
    ['with a limit where the view ends', { server: `${SERVER} location /item/ { limit_req zone=a; }` }],
  ])('%s has no finding', (_, given) => {
    expect(found(given)).toEqual([]);
  });
});

describe.each<[string, string, Given, number?]>([
  ['include-twice', 'http.conf is included twice', { http: `${HTTP}\n${HTTP}` }, 4],
  ['include-twice', 'both http.conf and off.conf are included', { http: `${HTTP}\ninclude h/off.conf;` }, 4],
  ['include-twice', 'server.conf is included twice in server shop', { server: `${SERVER}\n${SERVER}` }, 7],
  ['include-misplaced', 'http.conf is in main', { main: HTTP, http: '' }, 1],
  ['include-misplaced', 'capture-subrequest.conf is in server', { server: `${SERVER} ${CAPTURE}` }, 6],
  ['include-misplaced', 'server.conf is in location', { server: '', location: `${SERVER} ${CAPTURE}` }, 9],
  ['include-missing', 'server.conf is missing in server shop', { server: '' }, 4],
  [
    'include-missing',
    'server.conf is missing in server shop',
    { server: '', location: 'set $a $hotitem_capture;' },
    4,
  ],
  ['include-missing', 'http.conf is missing in http', { http: '' }, 2],
  ['include-missing', 'http-batch.conf is missing in http', { location: 'include h/capture-batch.conf;' }, 2],
  ['include-not-found', 'h/gone.conf does not exist', { http: `${HTTP}\ninclude h/gone.conf;` }, 4],
  ['nothing-captured', 'no location captures views', { location: '' }, 3],
  ['nothing-captured', 'no location captures views', { http: '', server: '', location: '' }],
  ['nginx-too-old', 'http.conf needs nginx 1.22 or newer, this is 1.18.0', { nginx: '1.18.0' }, 3],
  ['capture-off', 'capture is off', { http: 'include h/off.conf;' }, 3],
  ['engine-mismatch', 'the script for the engine njs runs on qjs', { http: `js_engine qjs;\n${HTTP}` }, 3],
  [
    'engine-mismatch',
    'the script for the engine qjs runs on njs',
    { http: `${HTTP} js_import h from /x/hotitem.qjs.js;` },
    3,
  ],
  ...[
    'set $app $request_filename',
    'if ($uri != /a) { return 301 /; }',
    'if ($args !~ page) { return 301 /; }',
    'if ($is_args != on) { return 301 /; }',
    'if (!-e $request_filename) { rewrite ^(.+)$ /index.php?q=$1 last; }',
    'if ($http_user_agent ~ mobile) { rewrite ^(.*)$ /m$1 last; }',
    'if ($unknown) { return 403; }',
    'if ($uri ~ ^/(?<first>[^/]+)) { break; }',
    'set $skip 0',
    'set $skip 0; if ($args) { set $skip 1; }',
    'set $path $uri',
    'set $lang en',
    'if ($late = 1) { return 405; } set $late 1',
    'set $volatile_one $by_uri',
    'rewrite ^(.*)$ /i.php?q=$1 last',
    'return 301 /x',
    "set_by_lua $app 'return 1'",
  ].map((rule): [string, string, Given, number] => [
    'server-conf-too-late',
    `${rule.replace(/( \{|;).*/, '').replaceAll(/['"]/g, '')} is above server.conf in server shop`,
    {
      http: `map $uri $by_uri { volatile; default 0; } ${HTTP}`,
      server: `${rule.endsWith('}') ? rule : `${rule};`}\n${SERVER} location ~ ^/(?<lang>de)/ { set $skip 1; }`,
    },
    6,
  ]),
  ...[
    'rewrite ^/old(.*)$ /item$1 last;',
    'if ($http_user_agent ~ mobile) { rewrite ^/old(.*)$ /m$1 break; }',
    'if ($uri ~ ^/old) { break; }',
  ].flatMap((end): [string, string, Given, number][] => [
    [
      'server-conf-too-late',
      'set $after 1 is above server.conf in server shop',
      { server: `${end}\nset $after 1;\n${SERVER}` },
      7,
    ],
    [
      'server-conf-too-late',
      'if ($http_after) is above server.conf in server shop',
      { server: `${end}\nif ($http_after) { return 403; }\n${SERVER}` },
      7,
    ],
  ]),
  [
    'server-conf-old',
    'server.conf in server shop does not protect the subrequest from the rules of that server',
    { server: 'location = /_hotitem/capture { internal; }' },
    6,
  ],
  ...[
    ['location ~* \\.(css|html)$ { expires 1h; }', '/web/item/4.html', 6],
    ['location ^~ /web/item/4 { root /srv; }', '/web/item/4.html', 6],
    ['location = /web/item/4711 { return 204; }', '/web/item/4711', 6],
  ].map(([taker, uri, line]): [string, string, Given, number] => [
    'item-taken',
    `${`${taker}`.replace(/ \{.*/, '')} takes ${uri} from location /web/item/`,
    { server: `${SERVER} ${taker}` },
    Number(line),
  ]),
  [
    'item-taken',
    'location ~ \\.html$ takes /web/item/4.html from location /web/item/',
    { location: `${CAPTURE}\nlocation ~ \\.html$ { expires 1h; }` },
    10,
  ],
  [
    'item-taken',
    'location /shop/ takes /shop/4 from location /',
    {
      http: `${HTTP} map $uri $hotitem_item { "~^/shop/(?<slug>[^/]+)$" $slug; default "-"; }`,
      server: `${SERVER} location / { ${CAPTURE} } location /shop/ { root /srv; }`,
      location: '',
    },
    6,
  ],
  [
    'captures-replaced',
    'alias /srv/$1 uses a numbered capture group, and location ~ ^/page/(.+)$ captures views',
    { server: `${SERVER} location ~ ^/page/(.+)$ { ${CAPTURE}\nalias /srv/$1; }` },
    7,
  ],
  [
    'captures-replaced',
    'root /sites/$2 uses a numbered capture group',
    { server: `${SERVER} server_name ~^(www\\.)?(.+)$;\nroot /sites/$2;` },
    7,
  ],
  [
    'include-by-pattern',
    'include conf.d/*.conf includes all 2 files of hotitem at once',
    { http: 'include conf.d/*.conf;' },
    3,
  ],
  [
    'include-too-late',
    'http.conf is below server early, which needs it',
    { http: `server { server_name early; ${SERVER} location / { ${CAPTURE} } }\n${HTTP}` },
    4,
  ],
  [
    'below-a-map',
    'map_hash_bucket_size is below http.conf',
    { http: `${HTTP}\nmap_hash_bucket_size 128;` },
    4,
  ],
  [
    'few-descriptors',
    'a worker may open 1024 files (the default limit) and has 4096 connections',
    {
      main: 'events { worker_connections 4096; }',
      http: 'include h/http-log.conf;',
      server: '',
      location: LOG,
    },
    1,
  ],
  [
    'few-descriptors',
    'a worker may open 600 files and has 512 connections',
    { main: 'worker_rlimit_nofile 600;' },
    1,
  ],
  [
    'views-to-proxy',
    'js_fetch_proxy http://a:1 also applies to http-batch.conf',
    { http: `${HTTP} include h/http-batch.conf;\njs_fetch_proxy http://a:1;` },
    4,
  ],
  ...(['rewrite_by_lua_block', 'header_filter_by_lua_block', 'log_by_lua_block'] as const).map(
    (name): [string, string, Given, number] => [
      'sees-the-subrequest',
      `${name} also runs for the subrequest of each view`,
      { http: `${HTTP}\n${name} { return }` },
      4,
    ],
  ),
  [
    'sees-the-subrequest',
    'modsecurity also runs for the subrequest',
    { server: `${SERVER}\nmodsecurity on;` },
    7,
  ],
  [
    'symlinks-disabled',
    'disable_symlinks if_not_owner from=/srv in location /web/item/, which captures by log',
    { http: 'include h/http-log.conf;', server: 'disable_symlinks if_not_owner from=/srv;', location: LOG },
    6,
  ],
  [
    'full-is-cached',
    'open_file_cache in server shop also applies to log-limit.conf',
    {
      http: 'include h/http-log.conf;\nopen_file_cache max=9;',
      server: 'include h/log-limit.conf;',
      location: LOG,
    },
    4,
  ],
  [
    'capture-too-late',
    'rewrite is above the capture in location /web/item/',
    { location: `rewrite ^/web(.*)$ $1 last;\n${CAPTURE}` },
    9,
  ],
  [
    'capture-in-if',
    'the capture in if ($hotitem_item) of location /web/item/ disables try_files',
    { location: `if ($hotitem_item) {\n${CAPTURE} } try_files $uri /index.php;` },
    9,
  ],
  [
    'never-reached',
    'limit_req in location /web/item/ has no effect',
    { location: `${CAPTURE} limit_req zone=a; rewrite ^/web(.*)$ $1 last;` },
    9,
  ],
  [
    'line-to-syslog',
    "hotitem's line is sent to syslog",
    { http: `${HTTP}\naccess_log syslog:server=a hotitem;` },
    4,
  ],
  [
    'line-to-syslog',
    "hotitem's line is sent to syslog",
    { http: `${HTTP} log_format b '1 $hotitem_line';\naccess_log syslog:server=a b;` },
    4,
  ],
  [
    'line-buffered',
    'buffer=4k on a log with a variable in its name',
    { http: `${HTTP} open_log_file_cache max=1;\naccess_log /a/$b hotitem buffer=4k;` },
    4,
  ],
  [
    'log-cache-off',
    'open_log_file_cache is off',
    { http: `${HTTP}\nopen_log_file_cache off; access_log /a/$b hotitem;` },
    4,
  ],
  [
    'log-cache-off',
    'open_log_file_cache is off',
    { http: `${HTTP}\naccess_log /a/$b hotitem_shared if=$hotitem_shared;` },
    4,
  ],
  [
    'line-not-logged',
    'location /web/item/ captures by log',
    { http: `${HTTP} include h/log.conf;`, location: `${LOG}\naccess_log off;` },
    10,
  ],
  ['line-not-logged', 'location /web/item/ captures by log', { location: LOG }, 8],
  [
    'line-not-logged',
    'location /web/item/ captures by log',
    { http: `include h/http-log.conf;\naccess_log off;`, location: LOG },
    4,
  ],
  [
    'line-not-logged',
    'views of location /web/item/ that end in location /item/ are not logged',
    {
      http: 'include h/http-log.conf;',
      server: 'location /item/ { access_log /var/log/a combined; }',
      location: `${LOG} rewrite ^/web(.*)$ $1 last;`,
    },
    6,
  ],
  [
    'events-zone-timeout',
    'the zone hotitem_events has timeout=60s',
    { http: `${HTTP}\njs_shared_dict_zone zone=hotitem_events:1m timeout=60s evict;` },
    4,
  ],
  ['shutdown-too-short', 'worker_shutdown_timeout is 500ms', { main: 'worker_shutdown_timeout 500ms;' }, 1],
  [
    'trusts-everybody',
    'set_real_ip_from 0.0.0.0/0 trusts every client',
    { http: `${HTTP}\nset_real_ip_from 0.0.0.0/0;` },
    4,
  ],
  [
    'socket-differs',
    'nginx posts to /run/h.sock, but the sidecar listens on /run/other.sock',
    { socket: '/run/other.sock' },
  ],
  [
    'no-breaker',
    'upstream hotitem_sidecar has no backup',
    { http: 'upstream hotitem_sidecar { server unix:/run/h.sock; }' },
    3,
  ],
  [
    'breaker-not-loopback',
    "the breaker's address 10.0.0.1:9 is not on loopback",
    {
      http: 'upstream hotitem_sidecar { server unix:/run/h.sock; server 10.0.0.1:9 backup; } server { listen 10.0.0.1:9; return 503; }',
    },
    3,
  ],
  [
    'breaker-own-port',
    'the breaker has a port of its own, 127.0.0.1:9189',
    { http: `${HTTP}\nserver { listen 80 default_server; }` },
  ],
  [
    'breaker-own-port',
    'the breaker has a port of its own, 127.0.0.1:9189',
    { http: `${HTTP}\nserver { listen 203.0.113.1:80; }` },
  ],
  [
    'breaker-taken',
    'server other answers at',
    { http: `server { listen 127.0.0.1:9189; server_name other; }\n${HTTP}` },
    3,
  ],
  [
    'breaker-taken',
    'no server listens at',
    { http: 'upstream hotitem_sidecar { server unix:/run/h.sock; server 127.0.0.1:9 backup; }' },
    3,
  ],
  [
    'module-not-loaded',
    'the njs module is not loaded',
    { njs: { reason: 'unknown directive "js_import"' } },
    1,
  ],
  [
    'module-does-not-load',
    'the njs module does not load: not binary compatible',
    { main: 'load_module a/ngx_http_js_module.so;', njs: { reason: 'not binary compatible' } },
    1,
  ],
  [
    'njs-too-old',
    'http-batch.conf needs njs 0.8.1 or newer, this is 0.7.9',
    { http: `${HTTP}\ninclude h/http-batch.conf;`, njs: njs('0.7.9') },
    4,
  ],
  [
    'njs-without-quickjs',
    'engine-qjs.conf needs an njs built with QuickJS',
    { http: `${HTTP}\ninclude h/engine-qjs.conf;`, njs: njs('1.0.2') },
    4,
  ],
  ['njs-engine-deprecated', "the script runs on njs' own engine", { njs: njs('1.0.2') }, 3],
])('%s', (id, what, given, line) => {
  test(`is reported if ${what}`, () => {
    const findings = [...all(given)];
    expect(findings.map((finding) => `${finding.id}: ${finding.what}`)).toContainEqual(
      expect.stringContaining(`${id}: ${what}`),
    );
    const finding = findings.find((one) => one.id === id && one.what.includes(what));
    if (line !== undefined) expect(finding?.where).toEqual({ file: SHOP, line });
    expect([finding?.why, finding?.fix]).toEqual([expect.stringMatching(/./), expect.stringMatching(/./)]);
  });
});

describe('njs', () => {
  test.each([
    ['0.7.8', true],
    ['0.7.9', false],
    ['0.8.0', true],
    ['0.8.1', false],
    ['0.8.9', false],
    ['0.9.1', false],
    ['0.9.2', true],
    ['0.9.3', false],
    ['0.9.5', true],
    ['0.9.9', true],
    ['1.0.0', false],
    ['1.0.2', false],
  ])('%s is dangerous: %s', (version, dangerous) => {
    expect(found({ njs: njs(version) }).includes('njs-version')).toBe(dangerous);
  });

  test('is not checked if no script runs', () => {
    const given = { http: 'include h/http-log.conf;', server: '', location: LOG };
    expect(found({ ...given, njs: { reason: 'none' } })).toEqual([]);
    expect(found({ ...given, njs: njs('0.9.9') })).toEqual([]);
  });
});

test("a shop's file with the same name is not treated as ours", () => {
  expect(found({ http: `${HTTP} include theirs/http.conf; include theirs/http.conf;` })).toEqual([]);
});

function all(given: Given) {
  const facts = factsOf(given);
  return [
    ...njsFindings(facts),
    ...includeFindings(facts),
    ...engineFindings(facts),
    ...locationFindings(facts),
    ...inheritedFindings(facts),
    ...takenFindings(facts),
    ...orderFindings(facts),
    ...workerFindings(facts),
    ...logFindings(facts),
    ...upstreamFindings(facts),
  ];
}

function found(given: Given): string[] {
  return all(given).map(({ id }) => id);
}

function njs(version: string): Njs {
  return { version, quickjs: false };
}
