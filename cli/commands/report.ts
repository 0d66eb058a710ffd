import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createCore } from '../../app/core.ts';
import { MOST_POINTS } from '../../report/from-index.ts';
import { intervalOf } from '../../report/intervals.ts';
import type { Report } from '../../report/report.ts';
import { toHtml } from '../../report/to-html.ts';
import { toMarkdown } from '../../report/to-markdown.ts';
import { terminalJson } from '../../service/json-text.ts';
import { reasonOf } from '../../service/log.ts';
import { replaceFile } from '../../service/replace-file.ts';
import { Trouble } from '../../service/trouble.ts';
import type { Command, Flags } from '../command.ts';
import { configure } from '../configure.ts';
import { UsageError } from '../parse-command-line.ts';
import { parseCount } from '../parse-count.ts';
import { parseRange } from '../parse-range.ts';
import { makeReport } from '../report/make-report.ts';
import { print } from '../terminal.ts';

const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;
const RULES_SECONDS = 60;
const MOST_RULES_SECONDS = 3_600;

const RENDER = {
  html: toHtml,
  md: toMarkdown,
  json: (report: Report) => `${terminalJson(JSON.stringify(report))}\n`,
} as const;
type Format = keyof typeof RENDER;

export const report: Command = {
  about:
    'writes a report about a period: views over time, hot items and why, losses, rules that would have helped',
  options: {
    from: {
      type: 'string',
      placeholder: 'TIME',
      about: 'from when: ISO 8601, or like -4h (a day before --to)',
    },
    to: { type: 'string', placeholder: 'TIME', about: 'until when (now)' },
    format: { type: 'string', placeholder: 'html|md|json', about: 'html (default), md (Markdown), or json' },
    output: { type: 'string', placeholder: 'FILE', about: 'file of the report (standard output)' },
    'time-zone': {
      type: 'string',
      placeholder: 'ZONE',
      about: 'zone of the times in the report, like Europe/Berlin (that of this host)',
    },
    'rules-seconds': {
      type: 'string',
      placeholder: 'N',
      about: `how long to test other rules, at most; 0: do not test (${RULES_SECONDS})`,
    },
  },
  configured: true,
  async run(context) {
    const { from, to, format, output, 'time-zone': zone, 'rules-seconds': seconds, ...flags } = context.flags;
    const render = RENDER[parseFormat(format)];
    const timeZone = parseZone(zone);
    const limits = { least: 0, most: MOST_RULES_SECONDS };
    const rulesMs = 1_000 * parseCount('rules-seconds', String(seconds ?? RULES_SECONDS), limits);
    if (render === toHtml && output === undefined && process.stdout.isTTY)
      throw new UsageError('report: HTML is for a file: add --output report.html, or --format md');
    const core = createCore(configure({ ...context, flags }));
    const range = rangeOf({ from, to }, core.now());
    if (typeof output === 'string') requireWritable(output);
    const made = await makeReport(core, { range, timeZone, rulesMs });
    const text = render(made);
    if (typeof output === 'string') await write(output, text);
    else print(text);
    return 0;
  },
};

function parseFormat(format: Flags[string] = 'html'): Format {
  const known = Object.keys(RENDER).find((name): name is Format => name === format);
  if (known !== undefined) return known;
  throw new UsageError(`--format: must be html, md or json (got ${JSON.stringify(format)})`);
}

function parseZone(zone: Flags[string]): string {
  if (zone === undefined) return zoneOfHost();
  try {
    return zoneNamed(String(zone));
  } catch {
    throw new UsageError(
      `--time-zone: must be like Europe/Berlin or UTC (got ${JSON.stringify(String(zone).slice(0, 60))})`,
    );
  }
}

/** UTC where TZ is empty or wrong: Node counts in UTC then, but names a zone that it does not accept, or none. */
function zoneOfHost(): string {
  try {
    return zoneNamed(String(new Intl.DateTimeFormat().resolvedOptions().timeZone));
  } catch {
    return 'UTC';
  }
}

/** As Node spells it. Throws a `RangeError` if there is none. */
function zoneNamed(timeZone: string): string {
  return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
}

/**
 * The day before its end by default. What is still to come is not in it. It begins at a whole interval of the curve: another begin would cut
 * other intervals, and so show another peak.
 */
function rangeOf({ from, to }: Flags, now: number): Report['range'] {
  const asked = parseRange({ from, to }, now);
  const begin = from === undefined ? asked.to - DAY_MS : asked.from;
  if (begin >= now) throw new UsageError('--from: is in the future');
  const end = Math.min(asked.to, now);
  return { from: wholeInterval(begin, end), to: end, isRunning: asked.to > now };
}

/** At most 15 minutes earlier. All time zones begin their quarter hours together, longer intervals differ. */
function wholeInterval(from: number, to: number): number {
  const floor = (stepMs: number) => from - (from % Math.min(stepMs, QUARTER_MS));
  const begin = floor(intervalOf(to - from, MOST_POINTS));
  // That much longer, it may have longer intervals.
  return floor(intervalOf(to - begin, MOST_POINTS));
}

/** Before minutes of work. */
function requireWritable(path: string): void {
  if (path === '') throw new UsageError('--output: must be a file (got "")');
  try {
    accessSync(isReplaced(path) ? dirname(path) : path, constants.W_OK);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error('is a folder');
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** A link, a device or a pipe is written to, not replaced. */
function isReplaced(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
}

async function write(path: string, text: string): Promise<void> {
  try {
    if (isReplaced(path)) await replaceFile(path, text);
    else await writeFile(path, text);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

function cannotWrite(path: string, error: unknown): Trouble {
  return new Trouble(`--output: cannot write ${path}: ${reasonOf(error)}`);
}
