import { agentText } from './field-text.ts';
import type { Line } from './line.ts';
import { UA } from './line-fields.ts';

/** A view of `hotitem doctor`: its user agent begins so, and a token of 32 hex digits follows. It ranks nowhere. */
export const TEST_AGENT = 'hotitem-doctor/';

const [FIRST] = Buffer.from(TEST_AGENT);
const TOKEN = /^hotitem-doctor\/([0-9a-f]{32})$/;

/** The token of a test view; undefined for every other view. One byte tells nearly all of them. */
export function testToken(line: Line): string | undefined {
  if (line.lines()[line.begin[UA] ?? 0] !== FIRST) return undefined;
  return TOKEN.exec(agentText(line))?.[1];
}
