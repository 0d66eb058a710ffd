import { describe, expect, test } from '@jest/globals';
import { upstreamFindings } from '../../../../nginx-setup/check/upstream-rules.ts';
import { guardedAddresses, isShared, sharedAddresses } from '../../../../nginx-setup/conf/shared-port.ts';
import { factsOf, HTTP } from '../check/shop-facts.ts';

describe('a port that the breaker can share', () => {
  test.each([
    ['a port', 'listen 8080;', ['127.0.91.89:8080']],
    ['every address of it', 'listen *:80 default_server reuseport;', ['127.0.91.89:80']],
    ['zeros', 'listen 0.0.0.0:443 ssl;', ['127.0.91.89:443']],
    ['several', 'listen 443 ssl; listen 80; listen 80;', ['127.0.91.89:80', '127.0.91.89:443']],
    ['one address', 'listen 203.0.113.1:80;', []],
    ['IPv6', 'listen [::]:80 ipv6only=off;', []],
    ['a socket', 'listen unix:/run/shop.sock;', []],
    ['UDP', 'listen 443 quic;', []],
  ])('is one on which the shop listens with %s', (_, listen, addresses) => {
    expect(sharedAddresses(factsOf({ server: `${listen} include h/server.conf;` }).site)).toEqual(addresses);
  });

  test.each([
    ['an address', 'listen 203.0.113.1:80;', ['127.0.91.89:80']],
    ['an address without a port', 'listen 203.0.113.1;', ['127.0.91.89:80']],
    ['a name', 'listen shop.example:443 ssl;', ['127.0.91.89:443']],
    ['an address of IPv6', 'listen [2001:db8::1]:80;', ['127.0.91.89:80']],
    ['all of IPv6', 'listen [::]:80;', ['127.0.91.89:80']],
    ['all of both', 'listen [::]:80 ipv6only=off;', []],
    ['one that anybody can take', 'listen 203.0.113.1:8080;', []],
    ['UDP', 'listen 203.0.113.1:443 quic;', []],
    ['a socket', 'listen unix:/run/shop.sock;', []],
    ['a port on all addresses', 'listen 80;', []],
    ['zeros', 'listen 0.0.0.0:80;', []],
  ])('or one below 1024, on which the shop listens with %s', (_, listen, addresses) => {
    expect(guardedAddresses(factsOf({ server: `${listen} include h/server.conf;` }).site)).toEqual(addresses);
  });

  test('is not one of a stream server', () => {
    const { site } = factsOf({ main: 'stream { server { listen 80; } }' });
    expect(sharedAddresses(site)).toEqual([]);
  });

  test("is recognised as shared, and its answer as the breaker's, although another server is the default of that port", () => {
    const facts = factsOf({
      http: `upstream hotitem_sidecar { server unix:/run/h.sock; server 127.0.91.89:80 backup; }
        server { listen 80 default_server; server_name shop; }
        server { listen 127.0.91.89:80; return 503; }`,
    });
    expect(isShared(facts.site, '127.0.91.89:80')).toBe(true);
    expect(upstreamFindings(facts)).toEqual([]);
  });

  test('is not a port that only the breaker uses', () => {
    expect(
      isShared(factsOf({ http: `${HTTP} server { listen 9189; return 503; }` }).site, '127.0.0.1:9189'),
    ).toBe(false);
  });
});
