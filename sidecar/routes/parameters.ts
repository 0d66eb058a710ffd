import { json, type Reply } from '../../service/admin/admin.ts';

/** A parameter of a query that cannot be used. */
export class WrongParameter extends Error {
  override name = 'WrongParameter';
  readonly reply: Reply;

  constructor(field: string, problem: string, value: string) {
    const text = `${field}: ${problem} (got ${JSON.stringify(value.slice(0, 100))})`;
    super(text);
    this.reply = json(400, { error: text });
  }
}

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_WINDOW_MS = 31 * 86_400_000;
/** The end of the year 9999. */
const LATEST = 253_402_300_799_999;

/** `window`, in ms. Throws a `WrongParameter`, as all of these do. */
export function windowOf(url: URL, fallback: string): { window: string; windowMs: number } {
  const window = url.searchParams.get('window') ?? fallback;
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(window) ?? [];
  const windowMs = Number(digits) * (UNITS[unit ?? ''] ?? Number.NaN);
  if (windowMs >= 1 && windowMs <= LONGEST_WINDOW_MS) return { window, windowMs };
  throw new WrongParameter('window', 'must be like 90s, 5m, 24h or 7d, at most 31d', window);
}

export function limitOf(url: URL, fallback: number, most: number): number {
  const asked = url.searchParams.get('limit') ?? String(fallback);
  const limit = Number(asked);
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return limit;
  throw new WrongParameter('limit', `must be a whole number from 1 to ${most}`, asked);
}

/** One of `choices`, the first by default. */
export function choiceOf<Choice extends string>(url: URL, name: string, choices: readonly Choice[]): Choice {
  const asked = url.searchParams.get(name) ?? choices[0];
  const chosen = choices.find((choice) => choice === asked);
  if (chosen !== undefined) return chosen;
  throw new WrongParameter(name, `must be ${choices.join(' or ')}`, asked ?? '');
}

/** A text that must be there. */
export function textOf(url: URL, name: string, longest: number): string {
  const text = url.searchParams.get(name) ?? '';
  if (text !== '' && text.length <= longest) return text;
  throw new WrongParameter(name, `must be there, with at most ${longest} characters`, text);
}

const LONGEST_FILTER = 128;
const CONTROL = /\p{Cc}/u;

/** A text that may be missing, or empty. */
export function filterOf(url: URL, name: string): string | undefined {
  const text = url.searchParams.get(name) ?? '';
  if (text.length > LONGEST_FILTER || CONTROL.test(text))
    throw new WrongParameter(
      name,
      `must be up to ${LONGEST_FILTER} characters, none of them a control character`,
      text,
    );
  return text === '' ? undefined : text;
}

/** A time in ms since 1970; undefined if none is given. */
export function timeOf(url: URL, name: string): number | undefined {
  const asked = url.searchParams.get(name);
  if (asked === null) return undefined;
  const time = Number(asked);
  if (asked !== '' && Number.isInteger(time) && time >= 0 && time <= LATEST) return time;
  throw new WrongParameter(name, 'must be whole milliseconds since 1970', asked);
}
