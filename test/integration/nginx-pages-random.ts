import fc from 'fast-check';
import type { PageRequest, PageServer } from './nginx-pages-site.ts';

/**
 * Servers as shops have them, put together at random: what a server sets and rewrites, maps, limits, caches and logins,
 * locations of every kind, each of which may capture.
 * Left out: $1 … of a `location ~` or a server's name, which docs/nginx.md tells to name.
 */
export function randomServers(seed: number, count: number): PageServer[] {
  return fc
    .sample(server, { seed, numRuns: count })
    .map((one, i) => ({ ...one, name: `seed ${seed}, server ${i}` }));
}

const text = fc.constantFrom(
  'a',
  'b',
  '1',
  '0',
  '$uri',
  '$arg_a',
  '$m@N@',
  '$request_method',
  'x$args',
  '""',
);
const app = fc.constantFrom('@RIGHT@', '@OTHER@', '$to@N@');
const condition = fc.constantFrom(
  '$arg_preview',
  '$arg_a = 1',
  '$request_method = POST',
  '$request_method != GET',
  '$uri ~ ^/item/',
  '$uri !~ ^/item/',
  '$uri ~* \\.html$',
  '$http_cookie ~ session',
  '-f $request_filename',
  '!-e $request_filename',
  '$m@N@ = item',
  '$s@N@ = a',
  '$is_args',
);

const setting = fc.oneof(
  text.map((value) => `set $s@N@ ${value};`),
  app.map((value) => `set $app@N@ ${value};`),
);
const rewriting = fc.constantFrom(
  'rewrite ^/shop/(.*)$ /item/$1 last;',
  'rewrite ^/shop/(.*)$ /item/$1?from=$s@N@ break;',
  'rewrite ^/old /item/1 permanent;',
  'rewrite ^/old(.*)$ /item$1 redirect;',
  'rewrite ^/item/(\\d+)$ /item/$1.html;',
  'rewrite ^/item/2 /front?u=$uri last;',
);
const ending = fc.constantFrom(
  'return 302 /page/1.html?s=$s@N@;',
  'return 403;',
  'return 404;',
  'return 200 "$uri $s@N@ $m@N@";',
  'rewrite ^ /front?u=$uri last;',
  'rewrite ^ /front?u=$uri break;',
  'break;',
);
const branch = fc
  .tuple(condition, fc.oneof({ weight: 3, arbitrary: setting }, { weight: 1, arbitrary: ending }))
  .map(([when, then]) => `if (${when}) { ${then} }`);
const rule = fc.oneof(
  { weight: 3, arbitrary: setting },
  { weight: 3, arbitrary: branch },
  { weight: 1, arbitrary: rewriting },
);

const EXTRAS = [
  'limit_req zone=few@N@_@T@ burst=1 nodelay;',
  'limit_req zone=many@N@_@T@ burst=9;',
  'limit_conn n@N@_@T@ 5;',
  'auth_basic shop; auth_basic_user_file "@FOLDER@/users";',
  'auth_request /auth;',
  'auth_request /auth; satisfy any; deny all;',
  'allow 127.0.0.1; deny all;',
  'mirror /mirror;',
  'add_header X-S "$s@N@ $m@N@" always;',
  'add_header X-To $to@N@;',
  'expires epoch;',
  'sub_filter item ITEM; sub_filter_once off;',
  'gzip on; gzip_min_length 1;',
  'ssi on;',
  'error_page 403 404 503 = @fallback;',
  'error_page 401 403 404 /error.html;',
  'error_page 404 =200 /front; recursive_error_pages on;',
  'proxy_set_header X-S $s@N@;',
  'proxy_hide_header ETag;',
  'proxy_method GET;',
  'client_max_body_size 1;',
];
const extra = fc.constantFrom(...EXTRAS, '@ACCESSLOG@ @LOG@');
const cache = fc
  .tuple(
    fc.constantFrom('$uri', '$uri$is_args$args', '$s@N@$uri'),
    fc.constantFrom('$s@N@', '$arg_preview', '0'),
  )
  .map(
    ([key, skip]) =>
      `proxy_cache c@N@_@T@; proxy_cache_key "${key}"; proxy_cache_valid 1m; proxy_ignore_headers Set-Cookie; proxy_no_cache ${skip}; proxy_cache_bypass ${skip};`,
  );
const handler = fc.oneof(
  { weight: 4, arbitrary: fc.constant('proxy_pass http://$app@N@;') },
  {
    weight: 2,
    arbitrary: cache.map((cached) => `${cached} proxy_pass http://$app@N@;`),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      'proxy_pass http://@RIGHT@;',
      'return 200 "$uri $s@N@ $m@N@";',
      'return 301 /page/1.html?$s@N@;',
      'rewrite ^/item/(.*)$ /page/$1 last;',
      'rewrite ^/item/(.*)$ /page/$1?s=$s@N@ break;',
      'try_files $uri $uri/ @fallback;',
      'try_files $uri /front?u=$uri;',
      '',
    ),
  },
);
const capture = fc.constantFrom('@CAPTURE@', '@CAPTURE@', '');

const body = fc
  .record({
    capture,
    rules: fc.array(rule, { maxLength: 2 }),
    extras: fc.uniqueArray(extra, { maxLength: 3, selector: directiveOf }),
    handler,
  })
  .map((parts) => [parts.capture, ...parts.rules, ...parts.extras, parts.handler].join('\n        '));

const NAMES = ['/', '/item/', '^~ /page/', '= /item/1', '~ \\.html$', '~* \\.(css|gif)$', '/shop/', '/front'];
const locations = fc
  .tuple(
    fc.subarray(NAMES, { minLength: 3 }),
    fc.array(body, { minLength: NAMES.length, maxLength: NAMES.length }),
  )
  .chain(([names, bodies]) =>
    fc.option(body, { nil: undefined }).map((nested) =>
      names.map((name, i) => {
        const inner = nested === undefined || name !== '/item/' ? '' : `location ~ \\.html$ {\n${nested}\n}`;
        return `location ${name} {\n        ${bodies[i]}\n${inner}}`;
      }),
    ),
  );

// No body: nginx itself forwards its length without it after an error page, and an application waits for ever.
const request: fc.Arbitrary<PageRequest> = fc.record(
  {
    method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST'),
    target: fc.constantFrom(
      '/item/1',
      '/item/1',
      '/item/1?preview=1',
      '/item/1?a=1',
      '/item/1.html',
      '/item/1.html?preview=1&a=1',
      '/item/2.css',
      '/item/3?a=%2F%3F',
      '/item/',
      '/page/1.html',
      '/page/ssi.html',
      '/shop/1',
      '/old',
      '/',
      '/nothing',
      '/front?u=1',
      '/_hotitem/other',
    ),
    headers: fc.subarray(['Cookie: session=secret', 'Authorization: Basic dTpw', 'Accept-Encoding: gzip']),
  },
  { requiredKeys: ['target', 'headers'] },
);

const server: fc.Arbitrary<PageServer> = fc
  .record({
    rules: fc.array(rule, { maxLength: 5 }),
    extras: fc.uniqueArray(fc.constantFrom(...EXTRAS), { maxLength: 2, selector: directiveOf }),
    locations,
    // One after the other: what a cache holds of requests at once is anybody's guess.
    requests: fc.array(
      request.map((one) => [one]),
      { minLength: 4, maxLength: 10, size: 'max' },
    ),
  })
  .map(({ rules, extras, locations: blocks, requests }) => ({
    name: '',
    http: `map $uri $m@N@ { ~^/item/ item; ~^/page/ page; default other; }
      map $arg_a $to@N@ { 1 @OTHER@; default @RIGHT@; }
      limit_req_zone $server_name zone=few@N@_@T@:32k rate=1r/m;
      limit_req_zone $m@N@ zone=many@N@_@T@:32k rate=200r/s;
      limit_conn_zone $server_name zone=n@N@_@T@:32k;
      proxy_cache_path @FOLDER@/cache/c@N@_@T@ keys_zone=c@N@_@T@:32k;`,
    server: `set $s@N@ ""; set $app@N@ @RIGHT@;
      ${rules.join('\n      ')}
      ${extras.join('\n      ')}
      ${blocks.join('\n      ')}
      location @fallback { proxy_pass http://$app@N@; }
      location = /auth { internal; auth_request off; auth_basic off; satisfy all; if ($http_cookie) { return 204; } return 403; }
      location = /mirror { internal; proxy_pass http://@OTHER@/mirrored; }`,
    variables: ['$s@N@', '$app@N@', '$m@N@', '$to@N@'],
    requests,
  }));

/** nginx takes each of them once a block. */
function directiveOf(line: string): string {
  const [name = ''] = line.split(' ');
  return name.startsWith('auth') || name === 'allow' ? 'access' : name.startsWith('proxy') ? line : name;
}
