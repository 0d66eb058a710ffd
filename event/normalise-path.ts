const SLASH = 0x2f;
const PERCENT = 0x25;
/** Something that nginx may change, or a byte beyond ASCII. */
const NOT_PLAIN = /%|\/[/.]|[^ -~]/;

/**
 * The path as nginx sees it in `$uri` (ngx_http_parse_complex_uri with merge_slashes on): percent-decoded once, `//`
 * merged, `.` and `..` resolved, the encoded ones and an encoded slash as well. Bytes that are not UTF-8 become U+FFFD.
 *
 * `path` holds one character a byte, without query and fragment. Empty, it is the root: `GET http://shop?a=1` has none.
 */
export function normalisePath(path: string): string {
  if (path === '') return '/';
  if (!NOT_PLAIN.test(path)) return path;
  return resolve(decode(path)).toString('utf8');
}

function decode(path: string): Buffer {
  const from = Buffer.from(path, 'latin1');
  let to = 0;
  for (let i = 0; i < from.length; i++) {
    const byte = from[i] === PERCENT ? hexByte(path, i + 1) : -1;
    if (byte === -1) {
      from[to++] = from[i] as number;
    } else {
      from[to++] = byte;
      i += 2;
    }
  }
  return from.subarray(0, to);
}

function hexByte(path: string, at: number): number {
  const digits = path.slice(at, at + 2);
  return /^[0-9A-Fa-f]{2}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
}

/** Works on bytes: a byte of a longer UTF-8 sequence is never 0x2e or 0x2f. */
function resolve(path: Buffer): Buffer {
  const out = Buffer.allocUnsafe(path.length + 1);
  let end = 0;
  let segment = 0;
  for (let i = 0; i <= path.length; i++) {
    const byte = i === path.length ? SLASH : (path[i] as number);
    if (byte !== SLASH) {
      out[end++] = byte;
      continue;
    }
    const name = out.toString('latin1', segment, end);
    const last = i === path.length;
    if (name === '..') end = parent(out, segment);
    else if (name === '.') end = segment;
    else if (!last && (name !== '' || end === 0)) out[end++] = SLASH;
    segment = end;
  }
  return out.subarray(0, end);
}

/** Where the segment before the one that begins at `segment` begins; the root's parent is the root. */
function parent(out: Buffer, segment: number): number {
  if (segment <= 1) return segment;
  return out.lastIndexOf(SLASH, segment - 2) + 1;
}
