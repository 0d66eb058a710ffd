// The lines that line-sender.mjs posts: what a shop sees, some browsers, many addresses, some hundred items. The last two octets of an address
// begin with 1 and have three digits.
const BROWSERS = 60;
const ITEMS = 500;

/** The line of view `i`, with an id of zeros unless said, ended by a line feed. `browser`: the number of its browser. */
export function sampleLine(
  i,
  {
    msec = '1795355712.163',
    id = '0'.repeat(32),
    item = 1000 + ((i * 7) % ITEMS),
    ip = `198.51.${100 + (i % 100)}.${100 + ((i * 13) % 100)}`,
    browser = i,
  } = {},
) {
  const agent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + (browser % BROWSERS)}.0.0.0 Safari/537.36`;
  const fields = [
    '2',
    msec,
    id,
    ip,
    'GET',
    'www.example.com',
    `/web/item/${item}.html`,
    String(item),
    'https://www.example.com/sale',
    '',
    '',
    agent,
  ];
  return `${fields.join('\t')}\n`;
}
