/** A visitor in a message of the article's format, and every value that identifies it. */
export const VISITOR = { ip: '203.0.113.77', token: 'c2VzYW1lb3Blbg' };
export const ARTICLE = {
  uri: 'http://shop.example.com/web/item/4711.html',
  ip: VISITOR.ip,
  token: VISITOR.token,
  actime: '2026-05-22 19:11:42',
};
/** Values of which no two adjacent bytes occur in another record. */
const TRACES = ['203.0.113', 'c2VzYW1l', 'sesame'];

type Wrap = (record: Buffer) => Buffer;

const text =
  (wrap: (json: string) => string): Wrap =>
  (record) =>
    Buffer.from(wrap(record.toString('utf8')));

/** How producers, forwarders and editors wrap a message. They may be nested. */
export const WRAPS: Record<string, Wrap> = {
  'as it is': (record) => record,
  'a byte order mark': text((json) => `\ufeff${json}`),
  'a list in a list': text((json) => `[[${json}]]`),
  'an envelope': text((json) => JSON.stringify({ '@timestamp': '2026-05-22', message: json, tags: ['x'] })),
  'encoded twice': text((json) => JSON.stringify(json)),
  'as a key': text((json) => JSON.stringify({ [json]: 1 })),
  'cut off': (record) => record.subarray(0, -3),
  'cut in front': (record) => record.subarray(3),
  'in an event of ours': text((json) =>
    JSON.stringify({ v: 1, id: 'a', time: 1, uri: json, item: 7, ip: VISITOR.ip }),
  ),
  'UTF-16': text((json) => Buffer.from(json, 'utf16le').toString('latin1')),
  'with escapes': text((json) =>
    json.replace(/[a-z0-9]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`),
  ),
  'in a form': text((json) => `message=${encodeURIComponent(json)}`),
  'in XML': text((json) => `<message>${json.replaceAll('"', '&quot;')}</message>`),
  'in base64': text((json) => Buffer.from(json).toString('base64')),
  'two in a record': text((json) => `${json}\n${json}`),
  'behind a time': text((json) => `2026-05-22T19:11:42Z ${json}`),
  'not UTF-8': (record) => Buffer.concat([record, Buffer.from([0xff, 0xfe, 0x00])]),
};

/** Deeper than the stack of a recursive parser, in 40 KB. */
const DEPTH = 20_000;
const PIT = '['.repeat(DEPTH) + ']'.repeat(DEPTH);
const OBJECTS = `${'{"a":'.repeat(DEPTH / 4)}1${'}'.repeat(DEPTH / 4)}`;

/** Endlessly nested JSON in every position. None of these is an event. */
export const PITS: Record<string, string> = {
  'the version of an event': `{"v":${PIT}}`,
  'the weight of an event': `{"v":1,"id":"pit","time":1,"uri":"/a","item":"a","weight":${PIT}}`,
  'a field that nobody knows': `{"v":1,"id":"pit","time":1,"uri":"/a","item":"a","x":${PIT}}`,
  'objects in objects': `{"v":1,"id":"pit","time":1,"uri":"/a","item":"a","x":${OBJECTS}}`,
  'the path of a message': `{"uri":${PIT},"ip":"","token":"","actime":"2026-05-22 19:11:42"}`,
  'the token of a message': `{"uri":"/item/1","ip":"","token":${PIT},"actime":"2026-05-22 19:11:42"}`,
  'the time of a message': `{"uri":"/item/1","ip":"","token":"","actime":${PIT}}`,
  'a field of a message that is no view': `{"uri":"item/1","token":"c2VzYW1l","actime":"","x":${PIT}}`,
  'a list': PIT,
  'an event in a list': `[{"v":${PIT}}]`,
};

/** Whether the text contains anything of the visitor, wrapped in any of these ways up to three levels deep. */
export function tracesIn(stored: string, traces: string[] = TRACES): string[] {
  const seen = new Set<string>();
  let forms = [stored];
  for (let depth = 0; depth < 3; depth++) {
    forms = forms.flatMap(unwrapped);
    for (const form of forms) for (const trace of traces) if (form.includes(trace)) seen.add(trace);
  }
  return [...seen];
}

function unwrapped(stored: string): string[] {
  return [
    stored,
    stored.replaceAll('\0', ''),
    stored.replace(/\\+u00([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    stored.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    ...(stored.match(/[A-Za-z0-9+/]{16,}/g) ?? []).flatMap((run) =>
      [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), 'base64').toString('latin1')),
    ),
  ];
}
