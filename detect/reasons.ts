import type { Reason } from './decision.ts';

/* The sentences of a decision's reason: exact counts with their windows. `about` marks an estimate, made when views are sampled. */

export function busyReason(views: {
  /** In ten seconds. */
  ten: number;
  /** Per second, in the minutes before; undefined for an item that was not seen then. */
  before?: number | undefined;
  visitors: number;
  about: boolean;
}): Reason {
  const { ten, before, about } = views;
  const was = before === undefined ? '' : ` (was ${number(before)}/s)`;
  return {
    text: `${number(ten / 10)} views/s over 10 s${was}, ${visitors(views.visitors, about)} in 10 s`,
    numbers: {
      windowSeconds: 10,
      viewsPerSecond: ten / 10,
      visitors: views.visitors,
      ...(before !== undefined && { beforePerSecond: before }),
      estimated: about,
    },
  };
}

export function surgeReason(crowd: {
  visitors: number;
  seconds: number;
  baseline: number;
  about: boolean;
}): Reason {
  const { seconds, baseline, about } = crowd;
  const times = crowd.visitors / (baseline * seconds);
  const length = `${Number(seconds.toFixed(1))} s`;
  return {
    text: `${visitors(crowd.visitors, about)} in ${length}, ${number(times)} × its baseline of ${number(baseline)}/s`,
    numbers: {
      windowSeconds: seconds,
      visitors: crowd.visitors,
      baselinePerSecond: baseline,
      estimated: about,
    },
  };
}

export function concentratedReason(views: {
  ten: number;
  visitors: number;
  /** Of the visitor with the most views; undefined if not known yet. */
  heaviest?: number | undefined;
  about: boolean;
}): Reason {
  const { ten, heaviest, about } = views;
  const by = `${number(ten / 10)} views/s over 10 s by ${visitors(views.visitors, about)}`;
  return {
    text: heaviest === undefined ? by : `${by}, ${number(heaviest)} views by the heaviest`,
    numbers: {
      windowSeconds: 10,
      viewsPerSecond: ten / 10,
      visitors: views.visitors,
      ...(heaviest !== undefined && { heaviestViews: heaviest }),
      estimated: about,
    },
  };
}

function visitors(count: number, about: boolean): string {
  return `${about ? 'about ' : ''}${number(count)} ${count === 1 ? 'visitor' : 'visitors'}`;
}

/** Three digits are enough. */
function number(value: number): string {
  if (value < 100) return String(Number(value.toPrecision(3)));
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}
