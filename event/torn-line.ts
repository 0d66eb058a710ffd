/** What follows the version in a line: `$msec`, `$request_id`. */
const START = /\d{9,11}\.\d{3}\t[0-9a-f]{32}\t/y;
/** What a power cut leaves if the file system had stored the size of a file, but not yet its bytes. */
const NULS = /\0+/;
/** Tabs before the user agent, in a line of version 1 and of version 2. The user agent itself may contain tabs. */
const TABS = 9;
const TABS_2 = 11;

/**
 * Where a second line begins in a line that nginx could not complete: a full disk took a part of it, without its newline, and the next line
 * followed directly. -1 if there is none. Only the text before the user agent is searched: from there on, anything may be what a shopper
 * sent. `line` as `fromLine` takes it.
 */
export function afterTear(line: string): number {
  // The same version, with its tab: what was torn may end in digits of its own.
  const version = line.slice(0, line.indexOf('\t') + 1);
  const end = userAgentOf(line);
  if (version === '') return -1;
  for (
    let at = line.indexOf(version, version.length);
    at !== -1 && at < end;
    at = line.indexOf(version, at + 1)
  ) {
    START.lastIndex = at + version.length;
    if (START.test(line)) return at;
  }
  return -1;
}

/** Where the user agent begins; the end where there are fewer tabs before it. */
function userAgentOf(line: string): number {
  let at = 0;
  const most = line.startsWith('2') ? TABS_2 : TABS;
  for (let tabs = 0; tabs < most; tabs++) {
    at = line.indexOf('\t', at) + 1;
    if (at === 0) return line.length;
  }
  return at;
}

/** The parts of a line that NULs tear apart, the first and the last perhaps empty; NULs are in no line of nginx. */
export function betweenNuls(line: string): string[] {
  return line.includes('\0') ? line.split(NULS) : [line];
}

/** What follows the version of a line: a second line in a user agent comes from a full disk, or is a forgery. */
const ANOTHER = /[12](?:\/\d+)?\t\d{9,11}\.\d{3}\t[0-9a-f]{32}\t/;

/** The user agent without the line after it, which has another client's address and visitor. */
export function withoutAnother(ua: string): string {
  const at = ua.includes('\t') ? ua.search(ANOTHER) : -1;
  return at === -1 ? ua : ua.slice(0, at);
}
