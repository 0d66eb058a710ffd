/**
 * Lines in the shared zone. The zone holds text only, but a line may contain any byte: one that is not UTF-8 is stored as base64 with a
 * prefix. A line begins with its version, never with that prefix.
 */
const MARK = '=';
const MARK_CODE = 61;

/** njs replaces bytes that are not UTF-8 by this. */
const REPLACEMENT = '\uFFFD';

/** The line of a view as the zone stores it; empty if there is none. */
export function zoneLineOf(r: NginxHTTPRequest): string {
  const line = r.variables.hotitem_line || '';
  if (!hasReplacement(line)) return line;
  const raw = r.rawVariables.hotitem_line;
  return raw ? MARK + raw.toString('base64') : line;
}

/** The lines of some zone entries as sent to the sidecar: the original bytes, each with a newline. */
export function linesToBody(entries: [string, string][]): string | Buffer {
  const texts: string[] = [];
  let isText = true;
  for (let i = 0; i < entries.length; i++) {
    const text = (entries[i] as [string, string])[1];
    if (text.charCodeAt(0) === MARK_CODE) isText = false;
    texts.push(text);
  }
  // join, not +=: the njs engine would keep every intermediate string, hundreds of megabytes.
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

/** The fastest test for each engine: indexOf compares at every character in both. */
function hasReplacement(line: string): boolean {
  if (QUICKJS) return line.replace(REPLACEMENT, '').length < line.length;
  return Buffer.byteLength(line) > line.length && line.indexOf(REPLACEMENT) >= 0;
}
