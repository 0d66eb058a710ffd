import { expect, test } from '@jest/globals';
import { capturesOf } from '../../../../nginx-setup/check/captures.ts';
import { testRequests } from '../../../../nginx-setup/check/test-request.ts';
import { dumpSource, readConfiguration } from '../../../../nginx-setup/conf/configuration.ts';
import { createSite } from '../../../../nginx-setup/conf/site.ts';

const CAPTURE = 'set $hotitem_captured $hotitem_capture;';

test.each<[string, string, string, object | undefined]>([
  ['a prefix', 'listen 8080;', 'location /web/item/', { path: '/web/item/hotitem-doctor', tls: false }],
  ['an exact path', 'listen 8080;', 'location = /product', { path: '/product' }],
  ['a prefix without a slash', 'listen 8080;', 'location ^~ /p', { path: '/p/hotitem-doctor' }],
  ['a pattern', 'listen 8080;', 'location ~ ^/p/[0-9]+$', { path: '/p/4' }],
  ['no listen', '', 'location /i/', { listen: { host: '127.0.0.1', port: 80 } }],
  ['an address', 'listen 192.0.2.1;', 'location /i/', { listen: { host: '192.0.2.1', port: 80 } }],
  ['every address', 'listen *:81;', 'location /i/', { listen: { host: '127.0.0.1', port: 81 } }],
  ['IPv6', 'listen [::]:81;', 'location /i/', { listen: { host: '::1', port: 81 } }],
  ['TLS', 'listen 443 ssl;', 'location /i/', { listen: { host: '127.0.0.1', port: 443 }, tls: true }],
  ['a socket', 'listen unix:/run/n.sock;', 'location /i/', { listen: { socketPath: '/run/n.sock' } }],
  ['a listener for proxies alone', 'listen 80 proxy_protocol;', 'location /i/', undefined],
  [
    'one for proxies and one for all',
    'listen 80 proxy_protocol; listen 8080;',
    'location /i/',
    { listen: { host: '127.0.0.1', port: 8080 } },
  ],
  ['a name', 'server_name ~^a$ *.b shop.example;', 'location /i/', { name: 'shop.example' }],
  ['no name of its own', 'server_name _;', 'location /i/', { name: undefined }],
])('for a server with %s requests a page that it captures', (_, server, location, wanted) => {
  const conf = `http { server { ${server} ${location} { ${CAPTURE} } } }`;
  const site = createSite(readConfiguration('/n.conf', dumpSource(new Map([['/n.conf', conf]]))));
  const [found] = testRequests(site, capturesOf(site));

  if (wanted === undefined) expect(found).toBeUndefined();
  else expect(found).toMatchObject(wanted);
});

test('does not request a page that another location would serve', () => {
  const conf = `http { server { listen 80; location /i/ { ${CAPTURE} } location ~ . { return 204; } } }`;
  const site = createSite(readConfiguration('/n.conf', dumpSource(new Map([['/n.conf', conf]]))));

  expect(testRequests(site, capturesOf(site))).toEqual([]);
});
