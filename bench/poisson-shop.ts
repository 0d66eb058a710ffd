import { createRandom } from '../demo/random.ts';
import { TICK_MS } from '../detect/clock.ts';
import { type Change, createDecisions } from '../detect/decisions.ts';
import { createHeat } from '../detect/heat.ts';
import { compileRules } from '../detect/rules.ts';
import { mix } from '../event/mix.ts';
import { wordsOf } from './zipf-stream.ts';

/** Views that are not the shop's usual ones, at random times. */
export type Stream = {
  name: string;
  /** Its place in the shop's popularity, 0 the most popular; a new item without. */
  rank?: number;
  perSecond: number;
  /** s since the start. */
  from: number;
  until: number;
  /** How many different visitors there are; a new one for each view without. */
  visitors?: number;
};

export type ShopOptions = {
  items: number;
  perSecond: number;
  seconds: number;
  /** What part of `perSecond` there is at a time, s since the start. */
  shape?: (seconds: number) => number;
  streams?: Stream[];
  seed?: number;
};

export type ShopOutcome = {
  views: number;
  /** Usual items that became a surge. */
  falseAlarms: Change[];
  /** s until each stream's item became a surge; undefined for one that did not. */
  detectedAfter: Map<string, number | undefined>;
};

const START = 1_795_355_700_000;

/** A shop whose views come at random times (a Poisson process), its items as popular as 1/rank, from a fixed seed. */
export function runShop({
  items,
  perSecond,
  seconds,
  shape = () => 1,
  streams = [],
  seed = 1,
}: ShopOptions): ShopOutcome {
  const changes: Change[] = [];
  const decisions = createDecisions({
    rules: compileRules([], { cap: 1_000 }),
    onChange: (change) => changes.push(change),
  });
  let item = 0;
  const heat = createHeat({ now: START, nameOf: () => String(item), decisions });
  const random = createRandom(seed);
  const popularity = cumulative(items);
  const places = streams.map(({ rank }, i) => rank ?? items + i);
  let visitor = 1;
  let views = 0;
  for (let tick = 1; tick <= (seconds * 1_000) / TICK_MS; tick++) {
    const time = (tick * TICK_MS) / 1_000;
    const now = START + tick * TICK_MS;
    heat.advance(now);
    const usual = poisson((perSecond * shape(time) * TICK_MS) / 1_000, random);
    for (let i = 0; i < usual; i++) view(rankAt(popularity, random()), visitor++, now);
    for (const [i, { perSecond: rate, from, until, visitors }] of streams.entries()) {
      if (time < from || time >= until) continue;
      const count = poisson((rate * TICK_MS) / 1_000, random);
      for (let k = 0; k < count; k++)
        view(
          places[i] ?? 0,
          visitors === undefined ? visitor++ : -1 - i * 1_000_000 - Math.floor(random() * visitors),
          now,
        );
    }
    heat.decide();
  }
  return { views, ...judge() };

  function view(which: number, who: number, now: number): void {
    views++;
    item = which;
    const [high, low] = wordsOf(which);
    heat.observe(high, low, mix(who), 1, false, now);
  }

  function judge(): Pick<ShopOutcome, 'falseAlarms' | 'detectedAfter'> {
    const surges = changes.filter(({ signal, change }) => signal === 'surge' && change === 'enters');
    const own = new Set(places.map(String));
    const detectedAfter = streams.map(({ name, from }, i): [string, number | undefined] => {
      const found = surges.find(({ item }) => item === String(places[i]));
      return [name, found === undefined ? undefined : (found.since - START) / 1_000 - from];
    });
    return {
      falseAlarms: surges.filter(({ item }) => !own.has(item)),
      detectedAfter: new Map(detectedAfter),
    };
  }
}

function cumulative(items: number): Float64Array {
  const sums = new Float64Array(items);
  let sum = 0;
  for (let rank = 0; rank < items; rank++) {
    sum += 1 / (rank + 1);
    sums[rank] = sum;
  }
  return sums.map((one) => one / sum);
}

function rankAt(popularity: Float64Array, share: number): number {
  let low = 0;
  let high = popularity.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((popularity[middle] ?? 1) < share) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** D. Knuth's, in parts where the mean is large: e^-mean would be too small a number. */
function poisson(mean: number, random: () => number): number {
  let count = 0;
  for (let left = mean; left > 0; left -= 30) {
    const least = Math.exp(-Math.min(left, 30));
    for (let product = random(); product > least; product *= random()) count++;
  }
  return count;
}
