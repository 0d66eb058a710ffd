/* The sentences of a decision's reason: exact counts with their windows. `about` marks an estimate, made when views are sampled. */

export function busyReason(views: {
  /** In ten seconds. */
  ten: number;
  /** Per second, in the minutes before; undefined for an item that was not seen then. */
  before?: number | undefined;
  visitors: number;
  about: boolean;
}): string {
  const was = views.before === undefined ? '' : ` (was ${number(views.before)}/s)`;
  return `${number(views.ten / 10)} views/s over 10 s${was}, ${visitors(views.visitors, views.about)} in 10 s`;
}

export function surgeReason(crowd: {
  visitors: number;
  seconds: number;
  baseline: number;
  about: boolean;
}): string {
  const times = crowd.visitors / (crowd.baseline * crowd.seconds);
  const length = `${Number(crowd.seconds.toFixed(1))} s`;
  return `${visitors(crowd.visitors, crowd.about)} in ${length}, ${number(times)} × its baseline of ${number(crowd.baseline)}/s`;
}

export function concentratedReason(views: {
  ten: number;
  visitors: number;
  /** Of the visitor with the most views; undefined if not known yet. */
  heaviest?: number | undefined;
  about: boolean;
}): string {
  const by = `${number(views.ten / 10)} views/s over 10 s by ${visitors(views.visitors, views.about)}`;
  return views.heaviest === undefined ? by : `${by}, ${number(views.heaviest)} views by the heaviest`;
}

function visitors(count: number, about: boolean): string {
  return `${about ? 'about ' : ''}${number(count)} ${count === 1 ? 'visitor' : 'visitors'}`;
}

/** Three digits are enough. */
function number(value: number): string {
  if (value < 100) return String(Number(value.toPrecision(3)));
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}
