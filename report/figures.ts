import { isKnown, lostIn, type Report } from './report.ts';
import { durationOf, visitorsIn, type Words } from './words.ts';

const DAY = 86_400_000;

export type Figure = { name: string; value: string; beside: string };

/** The numbers at the head of a report. */
export function figuresOf(report: Report, words: Pick<Words, 'number' | 'time'>): Figure[] {
  const { number } = words;
  const { totals, range, held, periods } = report;
  const told = held.list.length + held.more;
  const long = `in ${durationOf(range.to - range.from)}`;
  return [
    { name: 'Views by people', value: number(totals.people), beside: long },
    { name: 'All views', value: number(totals.all), beside: long },
    { name: 'Visitors', value: visitorsIn(totals, number), beside: visitorsBeside(report) },
    savedFigure(report, words),
    lostFigure(report, number),
    {
      name: 'Held back by the cap',
      value: told === 0 ? 'none recorded' : `at least ${number(told)}`,
      beside: `the most at once by one signal: ${number(periods.mostAtOnce)} of ${number(periods.cap)}`,
    },
  ];
}

/** A visitor of two days may count twice: keys of visitors are hashed with another salt each day, and addresses change. */
function visitorsBeside({ range }: Report): string {
  return range.to - range.from > DAY ? 'who came on two days may count twice' : 'by people';
}

/** What nginx counted, where all of it is of this time; otherwise what it is at most. */
function savedFigure(
  { saved: { atMost, counted }, totals }: Report,
  { number, time }: Pick<Words, 'number' | 'time'>,
): Figure {
  const name = 'Requests saved at the origin';
  if (isKnown(counted) && counted.isWithin) {
    const all = counted.cached + counted.origin;
    return {
      name,
      value: number(counted.cached),
      beside: `of ${number(all)} for hot items since ${time(counted.since)}, counted by nginx of this host`,
    };
  }
  const share = totals.all === 0 ? '' : `, ${Math.round((100 * atMost) / totals.all)}% of all`;
  return {
    name,
    value: `at most ${number(atMost)}`,
    beside: `views while nginx was told to cache, less refreshes${share}`,
  };
}

function lostFigure({ accounting: { lost } }: Report, number: Words['number']): Figure {
  const name = 'Lost';
  if (!isKnown(lost)) return { name, value: 'not known', beside: lost.unknown };
  const { views, isSure } = lostIn(lost);
  return {
    name,
    value: `${isSure || views === 0 ? '' : 'up to '}${number(views)}`,
    beside: lost.notAsked.length === 0 ? 'on this host' : `on this host; ${lost.notAsked.join('; ')}`,
  };
}

/** What a reader who gets the file later must know. */
export function footerOf({ made, timeZone, index }: Report, time: Words['time']): string {
  return `Made by hotitem at ${time(made)} from ${index}. Times are in ${timeZone}. “By people” leaves out known bots. Visitors are different keys of the shop, or address and browser pairs; “≈”: estimated, usually within a tenth. Rates name their window. Orders are not known here: hotitem sees views.`;
}
