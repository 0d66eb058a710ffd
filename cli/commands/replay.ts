import { createCore } from '../../app/core.ts';
import { openHistory } from '../../app/open-history.ts';
import { openLookup } from '../../app/open-lookup.ts';
import { recordReader } from '../../app/record-reader.ts';
import { type Replayed, replay as replayEvents } from '../../reconcile/replay.ts';
import { plainText } from '../../service/plain-text.ts';
import type { TimeRange } from '../../store/history.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { UsageError } from '../parse-command-line.ts';
import { parseRange, RANGE_OPTIONS } from '../parse-range.ts';
import { parseSource, SOURCE_OPTION } from '../parse-source.ts';
import { createProgress } from '../progress.ts';
import { removedRange } from '../removed-range.ts';
import { print, printJson } from '../terminal.ts';

export const replay: Command = {
  about: 'indexes past events from Kafka or the spool; events that are already indexed stay unchanged',
  options: {
    ...RANGE_OPTIONS,
    ...SOURCE_OPTION,
    'dry-run': { type: 'boolean', about: 'only print what would be created' },
    json: { type: 'boolean', about: 'print JSON' },
  },
  configured: true,
  async run(context) {
    const { from, to, source, 'dry-run': dryRun, json, ...flags } = context.flags;
    if (from === undefined) throw new UsageError('replay: needs --from, for example --from -2h');
    const core = createCore(configure({ ...context, flags }));
    const range = parseRange({ from, to }, core.now());
    const history = await openHistory(core, parseSource({ source }, core.parts));
    const progress = createProgress('read');
    try {
      const lookup = await openLookup(core);
      const replayed = await replayEvents({
        history,
        lookup,
        read: recordReader(core.config),
        range,
        dryRun: dryRun === true,
        onRead: progress.show,
      }).finally(lookup.close);
      progress.end();
      const answer = {
        ...toIso(range),
        log: history.name,
        index: lookup.name,
        dryRun: dryRun === true,
        ...replayed,
      };
      if (json === true) printJson(answer);
      else print(table(answer));
      return isComplete(range, replayed) ? 0 : 1;
    } finally {
      progress.end();
      await history.close();
    }
  },
};

type Answer = Replayed & { from: string; to: string; log: string; index: string; dryRun: boolean };

function table(answer: Answer): string {
  const { read, created, existing, dead, examples, removedBefore } = answer;
  const rows: [string, number][] = [
    ['read', read],
    [answer.dryRun ? 'would be created' : 'created', created],
    ['already there', existing],
    ['dead', dead],
  ];
  return [
    `views from ${answer.from} to ${answer.to}`,
    `${answer.log} -> ${answer.index}`,
    ...rows.map(([label, count]) => `  ${label.padEnd(18)}${String(count).padStart(12)}`),
    ...examples.map(({ origin, reason }) => `    ${plainText(origin, 80)}  ${plainText(reason, 120)}`),
    ...(isCut({ from: Date.parse(answer.from) }, answer)
      ? [
          `the log reaches back to ${new Date(removedBefore ?? 0).toISOString()} only: older events are no longer in it`,
        ]
      : []),
    ...(answer.removedUnread.length > 0
      ? ['removed from the log before the sink had read them:', ...answer.removedUnread.map(removedRange)]
      : []),
    ...(answer.damage === undefined ? [] : [answer.damage]),
    '',
  ].join('\n');
}

function isComplete(range: TimeRange, replayed: Replayed): boolean {
  const { dead, removedUnread, damage } = replayed;
  return dead === 0 && removedUnread.length === 0 && damage === undefined && !isCut(range, replayed);
}

function isCut({ from }: { from: number }, { removedBefore }: Pick<Replayed, 'removedBefore'>): boolean {
  return removedBefore !== undefined && from < removedBefore;
}

function toIso({ from, to }: TimeRange): { from: string; to: string } {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}
