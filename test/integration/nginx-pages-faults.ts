import type { PageRequest, PageServer } from './nginx-pages-site.ts';

const GET = (target: string, ...headers: string[]): PageRequest => ({ target, headers });

/** Pages that were not what they are without us, each in the smallest server that shows it. */
export const FAULTS: PageServer[] = [
  {
    name: 'an upstream that the location chose is not that of the server, with limit_req and burst',
    http: 'limit_req_zone $server_name zone=l@N@_@T@:32k rate=50r/s;',
    server: `set $app @OTHER@;
      location /item/ {
        @CAPTURE@
        limit_req zone=l@N@_@T@ burst=10;
        set $app @RIGHT@;
        proxy_pass http://$app;
      }`,
    variables: ['$app'],
    requests: [Array.from({ length: 6 }, () => GET('/item/1'))],
  },
  {
    name: 'a preview is not stored for the next shopper',
    http: 'proxy_cache_path @FOLDER@/cache/c@N@_@T@ keys_zone=c@N@_@T@:32k;',
    server: `set $skip 0;
      if ($arg_preview) { set $skip 1; }
      location /item/ {
        @CAPTURE@
        proxy_cache c@N@_@T@;
        proxy_cache_key $uri;
        proxy_cache_valid 200 1m;
        proxy_ignore_headers Set-Cookie;
        proxy_no_cache $skip;
        proxy_cache_bypass $skip;
        proxy_pass http://@RIGHT@;
      }`,
    variables: ['$skip'],
    requests: [[GET('/item/1?preview=1', 'Cookie: secret=1')], [GET('/item/1')], [GET('/item/1?preview=1')]],
  },
  {
    name: 'a front controller is asked once for a view, and never by POST with the cookie of the shopper',
    server: `rewrite ^/(.*)$ /index.php?q=$1 last;
      location = /index.php {
        @CAPTURE@
        proxy_pass http://@RIGHT@;
      }`,
    requests: [[GET('/item/1?a=b', 'Cookie: session=secret')]],
  },
  {
    name: 'a front controller for what is no file is asked once, too',
    server: `if (!-e $request_filename) { rewrite ^ /index.php last; }
      location = /index.php { @CAPTURE@ proxy_pass http://@RIGHT@; }
      location /item/ { @CAPTURE@ }`,
    requests: [[GET('/shop/1', 'Cookie: session=secret')], [GET('/item/1.html')]],
  },
  {
    name: 'a header that the server chose by the page stays that of the page',
    server: `set $kind other;
      if ($uri ~ ^/item/) { set $kind item; }
      location /item/ {
        @CAPTURE@
        add_header X-Kind $kind always;
        proxy_pass http://@RIGHT@;
      }`,
    variables: ['$kind'],
    requests: [[GET('/item/1')]],
  },
  {
    name: 'a map by the page is not evaluated for the URI of ours',
    http: 'map $uri $page@N@ { ~^/item/ item; default other; }',
    server: `set $never 0;
      if ($page@N@ = other) { set $never 1; }
      location /item/ { @CAPTURE@ proxy_pass http://@RIGHT@; }`,
    variables: ['$never', '$page@N@'],
    requests: [[GET('/item/1')], [GET('/')]],
  },
  {
    name: 'a limit of the server does not count for a page that a return answers',
    http: 'limit_req_zone $server_name zone=l@N@_@T@:32k rate=1r/m;',
    server: `limit_req zone=l@N@_@T@;
      location /item/ { @CAPTURE@ return 200 "page"; }
      location / { proxy_pass http://@RIGHT@; }`,
    requests: [[GET('/item/1')], [GET('/')]],
  },
  {
    name: 'a limit by a map of the page does not evaluate it for the URI of ours',
    http: `map $uri $key@N@ { ~^/item/ item; default other; }
      limit_req_zone $key@N@ zone=l@N@_@T@:32k rate=100r/s;
      limit_conn_zone $key@N@ zone=n@N@_@T@:32k;`,
    server: `limit_req zone=l@N@_@T@ burst=5;
      limit_conn n@N@_@T@ 5;
      location /item/ { @CAPTURE@ return 200 "page"; }`,
    variables: ['$key@N@'],
    requests: [[GET('/item/1')]],
  },
  {
    name: 'who asks for a location of ours gets what the rules of the shop say',
    server: `set $app @RIGHT@;
      error_page 404 = @shop;
      location @shop { proxy_pass http://$app; }
      location /item/ { @CAPTURE@ proxy_pass http://$app; }`,
    variables: ['$app'],
    requests: [
      [GET('/_hotitem/other', 'Cookie: a=b')],
      [GET('/_hotitem/')],
      [GET('/_hotitem/captured')],
      [GET('/item/../_hotitem/x')],
    ],
  },
];
