import { mix } from '../event/mix.ts';
import { addTo, estimateOf, merge, REGISTERS } from './hyperloglog.ts';

/*
 * How many different visitors the hottest items had in the last minute and in the last five: a HyperLogLog for each of so many items
 * and part of a window. A period is the pair filter's: ten seconds. Six of them are a minute; each that is over is merged into its
 * minute, and five of those are the longer window. Both end with the current part, so they are up to one part shorter than their names.
 */
export type Sketches = {
  /** A visitor of an item: `pair` is their 32 scattered bits. Nothing happens for an item that has no sketch. */
  add(place: number, pair: number): void;
  /** Begins the next period. */
  turn(): void;
  /**
   * Gives sketches to the items with the most views, and takes them from those that have become cold: `at(0)` to `at(count - 1)`
   * are the items.
   */
  choose(count: number, at: (index: number) => number, viewsOf: (place: number) => number): void;
  /** The item at `place` is not tracked any more. */
  forget(place: number): void;
  /** Different visitors, or -1 where the item has had no sketch for as long. */
  minute(place: number): number;
  fiveMinutes(place: number): number;
  bytes: number;
};

const PERIODS = 6;
const MINUTES = 5;
const SLOTS = PERIODS + MINUTES;
const NONE = -1;
const INDEX_WORD = 0x5bd1e995;

export function createSketches(places: number, sketches = 512): Sketches {
  const registers = new Uint8Array(sketches * SLOTS * REGISTERS);
  const union = new Uint8Array(REGISTERS);
  const sketchOf = new Int16Array(places).fill(NONE);
  const placeOf = new Int32Array(sketches).fill(NONE);
  /** The period that a sketch is in, and the one in which its item got it. */
  const periods = new Int32Array(sketches);
  const began = new Int32Array(sketches);
  const free = Array.from({ length: sketches }, (_, i) => sketches - 1 - i);
  const ranked = new Int32Array(places);
  let period = 0;
  return {
    add(place, pair) {
      const sketch = sketchOf[place] ?? NONE;
      if (sketch === NONE) return;
      if (periods[sketch] !== period) moveOn(sketch);
      addTo(registers, slotOf(sketch, period % PERIODS), pair, mix(pair ^ INDEX_WORD));
    },
    turn: () => void period++,
    choose,
    forget,
    minute: (place) => estimate(place, PERIODS, 0, PERIODS),
    fiveMinutes: (place) => estimate(place, PERIODS * MINUTES, PERIODS, SLOTS),
    bytes: registers.byteLength,
  };

  function choose(count: number, at: (index: number) => number, viewsOf: (place: number) => number): void {
    for (let i = 0; i < count; i++) ranked[i] = viewsOf(at(i));
    const least = count <= sketches ? 0 : (ranked.subarray(0, count).sort()[count - sketches] ?? 0);
    const bar = Math.max(1, least);
    for (const place of placeOf) if (place !== NONE && 2 * viewsOf(place) < bar) forget(place);
    for (let i = 0; i < count && free.length > 0; i++) {
      const place = at(i);
      if (sketchOf[place] === NONE && viewsOf(place) >= bar) give(place);
    }
  }

  function give(place: number): void {
    const sketch = free.pop() ?? 0;
    sketchOf[place] = sketch;
    placeOf[sketch] = place;
    periods[sketch] = period;
    began[sketch] = period;
    // The other slots are emptied when they are entered, and not asked before.
    empty(slotOf(sketch, period % PERIODS));
    empty(minuteSlot(sketch, period));
  }

  function forget(place: number): void {
    const sketch = sketchOf[place] ?? NONE;
    if (sketch === NONE) return;
    sketchOf[place] = NONE;
    placeOf[sketch] = NONE;
    free.push(sketch);
  }

  /** What a sketch holds of the periods that are over goes into their minutes; the slots of new ones are empty. */
  function moveOn(sketch: number): void {
    const from = periods[sketch] ?? 0;
    const over = slotOf(sketch, from % PERIODS);
    merge(registers, minuteSlot(sketch, from), registers, over);
    for (let entered = Math.max(from + 1, period - PERIODS * MINUTES); entered <= period; entered++) {
      empty(slotOf(sketch, entered % PERIODS));
      if (entered % PERIODS === 0) empty(minuteSlot(sketch, entered));
    }
    periods[sketch] = period;
  }

  function estimate(place: number, least: number, first: number, end: number): number {
    const sketch = sketchOf[place] ?? NONE;
    if (sketch === NONE || period - (began[sketch] ?? 0) < least) return -1;
    if (periods[sketch] !== period) moveOn(sketch);
    union.fill(0);
    merge(union, 0, registers, slotOf(sketch, period % PERIODS));
    for (let slot = first; slot < end; slot++) merge(union, 0, registers, slotOf(sketch, slot));
    return estimateOf(union);
  }

  function empty(slot: number): void {
    registers.fill(0, slot, slot + REGISTERS);
  }

  function minuteSlot(sketch: number, period: number): number {
    return slotOf(sketch, PERIODS + (Math.floor(period / PERIODS) % MINUTES));
  }

  /** One slot of all sketches after the other: the current ones lie together. */
  function slotOf(sketch: number, slot: number): number {
    return (slot * sketches + sketch) * REGISTERS;
  }
}
