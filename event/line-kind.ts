import { type Kind, kindOf } from './kind.ts';
import type { Line } from './line.ts';
import { METHOD, PURPOSE } from './line-fields.ts';
import { testToken } from './test-view.ts';

const [G, E, T] = Buffer.from('GET');

/** What the request of a line was; undefined for a view. A test stays one whatever its method. */
export function lineKind(line: Line): Kind | undefined {
  if (testToken(line) !== undefined) return 'test';
  const { begin, end } = line;
  if (begin[PURPOSE] === end[PURPOSE] && isGet(line)) return undefined;
  return kindOf(textOf(line, METHOD), textOf(line, PURPOSE));
}

function isGet({ lines, begin, end }: Line): boolean {
  const bytes = lines();
  const at = begin[METHOD] ?? 0;
  return end[METHOD] === at + 3 && bytes[at] === G && bytes[at + 1] === E && bytes[at + 2] === T;
}

function textOf({ lines, begin, end }: Line, field: number): string {
  return lines().toString('latin1', begin[field], end[field]);
}
