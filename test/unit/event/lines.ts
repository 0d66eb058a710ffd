type Changes = Partial<Record<keyof typeof PLAIN, string>>;

/** A line as nginx writes it, one character a byte, with some of its fields changed. */
export function line(changes: Changes): string {
  return Object.values({ ...PLAIN, ...changes }).join('\t');
}

/** The same as an older include writes it: without purpose and visitor. */
export function lineOfVersion1(changes: Changes): string {
  const { purpose: _, visitor: __, ...rest } = { ...PLAIN, version: '1', ...changes };
  return Object.values(rest).join('\t');
}

export const NODE = 'web-1';

/** Bytes as the text that UTF-8 makes of them. */
export function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

const PLAIN = {
  version: '2',
  msec: '1795355712.163',
  requestId: '4b6e0c700ca5c40ed36400000000abcd',
  ip: '203.0.113.7',
  method: 'GET',
  host: 'www.example.com',
  uri: '/web/item/4711.html',
  item: '4711',
  ref: 'https://www.example.com/',
  purpose: '',
  visitor: '',
  ua: 'Mozilla/5.0',
};
