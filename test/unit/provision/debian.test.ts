import { expect, test } from '@jest/globals';
import { bytesIn } from '../../../provision/debian.ts';

test('the sizes that apt names are added up', () => {
  const uris = `Reading package lists...
'http://deb.debian.org/debian/pool/main/n/nginx/nginx_1.26.3-3_amd64.deb' nginx_1.26.3-3_amd64.deb 605512 SHA256:ab
'http://deb.debian.org/debian/pool/main/p/pcre2/libpcre2-8-0_10.45-1_amd64.deb' libpcre2-8-0_10.45-1_amd64.deb 298000 SHA256:cd
`;
  expect(bytesIn(uris)).toBe(903_512);
});
