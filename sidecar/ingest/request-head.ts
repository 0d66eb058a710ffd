/** The head of a request (RFC 9112). */
export type Head = {
  method: string;
  path: string;
  /** What follows the first `?`. */
  query: string;
  /** Length of the body. */
  length: number;
  /** Whether the client sends nothing more after it. */
  isLast: boolean;
  /** Number of bytes before the body. */
  size: number;
};

/** The status to answer if there is no valid head. */
export type HeadProblem = 400 | 411 | 417 | 431;

/** nginx sends a few hundred bytes. */
const LONGEST_HEAD = 2048;
const END = '\r\n\r\n';
const START = /^([A-Z]{1,16}) (\/[\x21-\x7e]*) HTTP\/1\.([01])$/;
const FIELD = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
const LENGTH = /^\d{1,10}$/;
const METHOD_BEGUN = /^[A-Z]{1,16}(?: |$)/;
const BARE_NEWLINE = /(?:^|[^\r])\n/;
const LONGEST_METHOD = 17;

/**
 * The request head at the start of `bytes`; undefined while it is incomplete. Strict: anything that two parsers could read differently is
 * an error, and so is a chunked body or `Expect: 100-continue`, neither of which nginx sends.
 */
export function readHead(bytes: Buffer): Head | HeadProblem | undefined {
  const end = bytes.subarray(0, LONGEST_HEAD + END.length).indexOf(END, 0, 'latin1');
  if (end === -1) return problemOfBegun(bytes);
  const [start = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const [, method, target, minor] = START.exec(start) ?? [];
  if (method === undefined || target === undefined) return 400;
  const fields = fieldsOf(lines);
  if (fields === undefined || (minor === '1' && !fields.has('host'))) return 400;
  if (fields.has('transfer-encoding')) return fields.has('content-length') ? 400 : 411;
  if (fields.has('expect')) return 417;
  const length = fields.get('content-length') ?? '0';
  if (!LENGTH.test(length)) return 400;
  const question = target.indexOf('?');
  return {
    method,
    path: question === -1 ? target : target.slice(0, question),
    query: question === -1 ? '' : target.slice(question + 1),
    length: Number(length),
    isLast: minor === '0' || /\bclose\b/i.test(fields.get('connection') ?? ''),
    size: end + END.length,
  };
}

function problemOfBegun(bytes: Buffer): HeadProblem | undefined {
  if (bytes.length > LONGEST_HEAD) return 431;
  if (!METHOD_BEGUN.test(bytes.toString('latin1', 0, LONGEST_METHOD))) return 400;
  return BARE_NEWLINE.test(bytes.toString('latin1')) ? 400 : undefined;
}

/** By lower-case names; undefined if one is malformed, or is repeated and must not be. */
function fieldsOf(lines: string[]): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    const key = name.toLowerCase();
    if (fields.has(key) && (key === 'content-length' || key === 'host')) return undefined;
    fields.set(key, value);
  }
  return fields;
}
