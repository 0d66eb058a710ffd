import type { PageServer } from './nginx-pages-site.ts';

/**
 * What an http or server block may hold for its pages, and our locations inherit: each as the lines of one server.
 * `unproxied`: a page that is proxied would be a matter of luck with it.
 */
type Inherited = { lines: string; unproxied?: true; without?: string[] };

const ZONES = `limit_req_zone $server_name zone=r@N@_@T@:32k rate=1r/m;
  limit_conn_zone $server_name zone=n@N@_@T@:32k;
  proxy_cache_path @FOLDER@/cache/c@N@_@T@ keys_zone=c@N@_@T@:32k;
  map $uri $by@N@ { ~^/_hotitem ours; default 0; }`;

const INHERITED: Inherited[] = [
  // proxy
  ...[
    'proxy_method GET;',
    'proxy_method $by@N@;',
    'proxy_pass_request_body off;',
    'proxy_pass_request_headers on;',
    'proxy_pass_request_headers off;',
    'proxy_set_body other;',
    'proxy_set_header X-Other 1;',
    'proxy_http_version 1.0;',
    'proxy_http_version 1.1;',
    'proxy_buffering off;',
    'proxy_request_buffering off;',
    'proxy_buffer_size 128k; proxy_buffers 4 128k; proxy_busy_buffers_size 256k;',
    'proxy_max_temp_file_size 0; proxy_temp_file_write_size 16k;',
    'proxy_next_upstream off;',
    'proxy_next_upstream http_404 http_500 non_idempotent;',
    'proxy_next_upstream_tries 1;',
    'proxy_ignore_client_abort off;',
    'proxy_intercept_errors on;',
    'proxy_intercept_errors on; error_page 404 500 502 503 504 /page/1.html;',
    'proxy_cache c@N@_@T@; proxy_cache_valid any 1m; proxy_cache_methods POST; proxy_cache_key k; proxy_ignore_headers Set-Cookie;',
    'proxy_cache c@N@_@T@; proxy_cache_valid any 1m; proxy_cache_lock on; proxy_cache_use_stale error updating; proxy_cache_background_update on;',
    'proxy_cache_convert_head off; proxy_cache_min_uses 2; proxy_cache_revalidate on;',
    'proxy_store on; proxy_store_access all:r;',
    'proxy_temp_path @FOLDER@/other_temp 2 2;',
    'proxy_redirect off;',
    'proxy_hide_header ETag; proxy_pass_header Server;',
    'proxy_ignore_headers X-Accel-Redirect Set-Cookie;',
    'proxy_force_ranges on;',
    'proxy_socket_keepalive on;',
    'proxy_cookie_path / /other;',
    'proxy_headers_hash_max_size 1024;',
  ].map((lines): Inherited => ({ lines })),
  ...[
    'proxy_buffer_size 60; proxy_buffers 4 60; proxy_busy_buffers_size 60;',
    'proxy_connect_timeout 1ms; proxy_send_timeout 1ms; proxy_read_timeout 1ms;',
    'proxy_limit_rate 1;',
    'proxy_next_upstream_timeout 1ms;',
    'proxy_bind 192.0.2.1;',
    'proxy_bind $by@N@;',
  ].map((lines): Inherited => ({ lines, unproxied: true })),
  // The log transport writes where a page ends, by its settings: check says so.
  ...['disable_symlinks on;', 'disable_symlinks if_not_owner;', 'root /nonexistent;'].map(
    (lines): Inherited => ({ lines, without: ['log'] }),
  ),
  // core
  ...[
    'client_max_body_size 1;',
    'client_body_buffer_size 1;',
    'client_body_in_file_only clean;',
    'client_body_in_single_buffer on;',
    'error_page 404 413 429 500 502 503 504 /page/1.html;',
    'error_page 413 429 500 502 503 504 =200 /page/1.html; recursive_error_pages on;',
    'error_page 404 = /_hotitem/capture;',
    'log_subrequest on;',
    'log_not_found on;',
    'open_file_cache max=10; open_file_cache_errors on; open_file_cache_valid 30s;',
    'limit_rate 1000k;',
    'limit_rate $by@N@;',
    'default_type text/html;',
    'sendfile on; directio 1; output_buffers 1 1k;',
    'keepalive_timeout 0;',
    'keepalive_requests 1;',
    'lingering_close always;',
    'chunked_transfer_encoding off;',
    'reset_timedout_connection on;',
    'subrequest_output_buffer_size 1;',
    'try_files /nonexistent =404;',
    'max_ranges 0;',
    'absolute_redirect off;',
    'tcp_nodelay off; tcp_nopush on;',
    'if_modified_since before; etag off;',
    'types { }',
    'merge_slashes off;',
    'underscores_in_headers on; ignore_invalid_headers off;',
    // log, rewrite
    'rewrite_log on; uninitialized_variable_warn off;',
    // limits, access, subrequests
    'limit_req zone=r@N@_@T@;',
    'limit_req zone=r@N@_@T@; limit_req_status 404; limit_req_log_level info;',
    'limit_conn n@N@_@T@ 1;',
    'deny all;',
    'satisfy any; deny all; auth_basic shop; auth_basic_user_file "@FOLDER@/users";',
    'auth_basic shop; auth_basic_user_file "@FOLDER@/users";',
    'auth_basic $by@N@; auth_basic_user_file "@FOLDER@/users";',
    'auth_request /sub;',
    'auth_request /none;',
    'mirror /sub;',
    'post_action /sub;',
    'set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;',
    // filters
    'gzip on; gzip_min_length 1; gzip_types *; gzip_vary on;',
    'gunzip on; gzip_static always;',
    'add_header X-By "$by@N@" always; add_trailer X-T $by@N@;',
    'expires epoch;',
    'charset utf-8; override_charset on;',
    'ssi on; ssi_types *;',
    'sub_filter page PAGE; sub_filter_types *;',
    'slice 1m;',
    'add_before_body /sub; add_after_body /sub; addition_types *;',
    'autoindex on; index other.html;',
    'dav_methods PUT DELETE;',
    'userid log;',
    'secure_link $arg_a; secure_link_md5 $uri;',
    'valid_referers none shop.invalid;',
  ].map((lines): Inherited => ({ lines })),
];

export const INHERITED_SERVERS: PageServer[] = INHERITED.map(({ lines, unproxied, without = [] }) => ({
  without,
  name: lines,
  http: ZONES,
  server: `${lines}
    location /item/ { @CAPTURE@ return 200 "page"; }
    location /page/ { @CAPTURE@ }
    location /web/ { @CAPTURE@ rewrite ^/web(/.*)$ $1 last; }
    location /app/ { @CAPTURE@ ${unproxied ? 'return 301 /page/;' : 'proxy_pass http://@RIGHT@;'} }
    location = /sub { internal; log_subrequest off; return 204; }
    location = /none { internal; log_subrequest off; return 403; }`,
  variables: ['$by@N@'],
  requests: [
    [{ target: '/item/1' }],
    [{ target: '/page/1.html', headers: ['Cookie: session=secret', 'X-Forwarded-For: 192.0.2.9'] }],
    [{ target: '/web/page/1.html' }],
    [{ target: '/app/1', headers: ['Authorization: Basic dTpw'] }],
    [{ method: 'POST', target: '/app/1', headers: ['Cookie: session=secret'] }],
  ],
}));

/** What an http block may hold, with it what serves nobody: the breaker, and where the periodics run. */
export const HTTP_BLOCK = `keepalive_timeout 0;
  keepalive_requests 1;
  limit_req_zone $host zone=all:32k rate=1r/m;
  limit_req zone=all;
  limit_conn_zone $host zone=allc:32k;
  limit_conn allc 1;
  auth_basic shop;
  auth_basic_user_file "@FOLDER@/users";
  auth_request /sub;
  deny all;
  satisfy all;
  mirror /sub;
  post_action /sub;
  error_page 404 413 429 500 502 503 504 =200 /sub;
  recursive_error_pages on;
  add_header Connection close always;
  client_max_body_size 1;
  client_body_timeout 1s;
  lingering_close always;
  open_file_cache max=10;
  open_file_cache_errors on;
  disable_symlinks on;
  proxy_method GET;
  proxy_http_version 1.0;
  proxy_next_upstream off;
  proxy_intercept_errors on;
  log_subrequest on;
  ssi on;
  gzip on;`;

export const HTTP_SERVER: PageServer = {
  name: 'http block',
  without: ['log'],
  server: `location /item/ { @CAPTURE@ return 200 "page"; }
    location /page/ { @CAPTURE@ limit_req zone=many burst=100; auth_request off; auth_basic off; allow all; }
    location = /sub { internal; log_subrequest off; return 204; }`,
  http: 'limit_req_zone $server_name zone=many:32k rate=1000r/s;',
  requests: Array.from({ length: 20 }, (_, i) => [{ target: i % 2 === 0 ? '/item/1' : '/page/1.html' }]),
};
