import type { Bench, Case, Target } from './bench.ts';
import { runShop, type ShopOptions, type Stream } from './poisson-shop.ts';
import { median, round } from './statistics.ts';
import { atMost } from './target.ts';

/** `limits`: s within which a stream must be a surge, the median over all seeds; null for one that must be none with any. */
type Scenario = ShopOptions & {
  name: string;
  limits?: Record<string, number | null>;
  seeds?: number;
  long?: boolean;
};

const DAY = 86_400;
const KNOWN = 900;
const at = (name: string, perSecond: number, more: Partial<Stream> = {}): Stream => ({
  name,
  perSecond,
  from: KNOWN,
  until: KNOWN + 200,
  ...more,
});

const SCENARIOS: Scenario[] = [
  {
    name: '10/s shop, a day, seven times as many by day',
    items: 2_000,
    perSecond: 10,
    seconds: DAY,
    shape: (time) => 0.15 + 0.85 * Math.sin((Math.PI * time) / DAY) ** 2,
    long: true,
  },
  {
    name: '1,000/s shop, three times as many within ten minutes',
    items: 50_000,
    perSecond: 1_000,
    seconds: 3_600,
    shape: (time) => (time < 900 ? 0.33 : Math.min(1, 0.33 + (0.67 * (time - 900)) / 600)),
    long: true,
  },
  {
    name: '1,000/s shop, five times as many within ten seconds',
    items: 50_000,
    perSecond: 1_000,
    seconds: 1_500,
    shape: (time) => (time < 900 ? 0.2 : Math.min(1, 0.2 + 0.08 * (time - 900))),
  },
  { name: '1,000/s shop, cold start', items: 50_000, perSecond: 1_000, seconds: 900 },
  {
    name: '10/s shop',
    items: 2_000,
    perSecond: 10,
    seconds: 1_500,
    streams: [
      at('a new item, 2/s', 2, { until: 1_200 }),
      at('0.06/s, then 1/s more', 1, { rank: 20, until: 1_200 }),
      at('a new item, 0.5/s', 0.5, { until: 1_200 }),
    ],
    limits: { 'a new item, 2/s': 10, '0.06/s, then 1/s more': 30, 'a new item, 0.5/s': 45 },
    seeds: 9,
  },
  {
    name: '1,000/s shop',
    items: 50_000,
    perSecond: 1_000,
    seconds: 1_200,
    streams: [
      at('a new item, 50/s', 50),
      at('a new item, 500/s', 500),
      at('4/s, then 20/s more', 20, { rank: 20 }),
      at('the first item doubles', 86, { rank: 0 }),
      at('one scraper, 500/s', 500, { visitors: 1 }),
      at('2,000 shoppers behind one address, 30 browsers', 3, { visitors: 30 }),
      at('200 bots with addresses of their own', 20),
    ],
    limits: {
      'a new item, 50/s': 0.5,
      'a new item, 500/s': 0.2,
      '4/s, then 20/s more': 2.5,
      'the first item doubles': null,
      'one scraper, 500/s': null,
      '2,000 shoppers behind one address, 30 browsers': null,
      '200 bots with addresses of their own': 1,
    },
    seeds: 3,
  },
  {
    name: '50,000/s shop, a million items',
    items: 1_000_000,
    perSecond: 50_000,
    seconds: 240,
    streams: [
      at('a new item, 500/s', 500, { from: 200, until: 230 }),
      at('a new item, 50/s', 50, { from: 200, until: 230 }),
    ],
    limits: { 'a new item, 500/s': 1.5, 'a new item, 50/s': null },
    long: true,
  },
];

export const rules: Bench = {
  about:
    'the rules that need no file, on shops from fixed seeds: false alarms, and seconds until a rush is a surge',
  async run({ report, quick }) {
    const alarms: Case[] = [];
    const delays: Case[] = [];
    const targets: Target[] = [];
    for (const scenario of SCENARIOS.filter(({ long }) => !quick || long !== true)) {
      const { name, seconds, limits = {}, seeds = 1 } = scenario;
      const runs = Array.from({ length: quick ? 1 : seeds }, (_, i) => runShop({ ...scenario, seed: i + 1 }));
      const falseAlarms = runs.flatMap((run) => run.falseAlarms);
      const views = runs.reduce((sum, run) => sum + run.views, 0);
      report(
        `${name}: ${falseAlarms.length} false alarms ${falseAlarms.map(({ reason }) => reason).join('; ')}`,
      );
      alarms.push({
        case: name,
        views,
        hours: round((runs.length * seconds) / 3_600, 2),
        false_alarms: falseAlarms.length,
      });
      targets.push(atMost(`${name}: false alarms`, falseAlarms.length, 0));
      for (const [stream, limit] of Object.entries(limits)) {
        const delaysOfStream = runs.map((run) => run.detectedAfter.get(stream) ?? Number.POSITIVE_INFINITY);
        const surges = delaysOfStream.filter(Number.isFinite).length;
        const middle = median(delaysOfStream);
        delays.push({
          case: `${name}: ${stream}`,
          runs: runs.length,
          surges,
          median_s: Number.isFinite(middle) ? round(middle, 1) : 'none',
        });
        targets.push(
          limit === null
            ? atMost(`${name}: ${stream}: surges`, surges, 0)
            : atMost(`${name}: ${stream}: s until a surge`, middle, limit),
        );
      }
    }
    return {
      tables: [
        { title: 'false alarms', cases: alarms },
        { title: 'seconds until a rush is a surge', cases: delays },
      ],
      targets,
    };
  },
};
