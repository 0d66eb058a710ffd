/**
 * Lines in the shared zone. The zone holds text only, and a line may hold any byte: one that is not UTF-8 is kept as base64
 * behind a mark. No line begins with the mark, it begins with its version.
 */
const MARK = '=';
const MARK_CODE = 61;

/** What njs makes of bytes that are not UTF-8. */
const REPLACEMENT = '\uFFFD';

/** The line of a view as the zone keeps it; empty where there is none. */
export function zoneLineOf(r: NginxHTTPRequest): string {
  const line = r.variables.hotitem_line || '';
  if (!hasReplacement(line)) return line;
  const raw = r.rawVariables.hotitem_line;
  return raw ? MARK + raw.toString('base64') : line;
}

/** What the lines of some entries of the zone are on the wire: each as it came and a newline behind it. */
export function linesToBody(entries: [string, string][]): string | Buffer {
  const texts: string[] = [];
  let isText = true;
  for (let i = 0; i < entries.length; i++) {
    const text = (entries[i] as [string, string])[1];
    if (text.charCodeAt(0) === MARK_CODE) isText = false;
    texts.push(text);
  }
  // Joined, not added one to the other: the njs engine would keep every intermediate string, hundreds of megabytes.
  return isText ? `${texts.join('\n')}\n` : toBytes(texts);
}

function toBytes(texts: string[]): Buffer {
  const newline = Buffer.from('\n');
  const parts: Buffer[] = [];
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i] as string;
    const marked = text.charCodeAt(0) === MARK_CODE;
    parts.push(marked ? Buffer.from(text.slice(1), 'base64') : Buffer.from(text));
    parts.push(newline);
  }
  return Buffer.concat(parts);
}

/** Each engine by its quickest way: indexOf compares at every character in both. */
function hasReplacement(line: string): boolean {
  if (QUICKJS) return line.replace(REPLACEMENT, '').length < line.length;
  return Buffer.byteLength(line) > line.length && line.indexOf(REPLACEMENT) >= 0;
}
