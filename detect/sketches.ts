import { mix } from '../event/mix.ts';
import { addTo, estimateOf, merge, REGISTERS } from './ultraloglog.ts';

/*
 * Counts the distinct visitors of the hottest items in the last minute and in the last five: one UltraLogLog per item and part of a window.
 * A period is ten seconds, that of the pair filter. Six of them are a minute; each completed period is merged into its minute, and five
 * minutes are the longer window. Both windows end with the current part, so they are up to one part shorter than their names.
 */
export type Sketches = {
  /** Adds a visitor of an item: `pair` is 32 scattered bits of both. Does nothing for an item without a sketch. */
  add(place: number, pair: number): void;
  /** Begins the next period. */
  turn(): void;
  /**
   * Assigns sketches to the items with the most views, and takes them from those that became cold: `at(0)` to `at(count - 1)` are the
   * items.
   */
  choose(count: number, at: (index: number) => number): void;
  /**
   * Assigns a sketch to an item at once, without waiting for the next choice, if `heat` is as high as that of items with a sketch. Returns
   * by how much it is too low; undefined if that does not matter before the next choice.
   */
  offer(place: number, heat: number): number | undefined;
  /** Stops tracking the item at `place`. */
  forget(place: number): void;
  /** Distinct visitors, or -1 if the sketch covers too little of the window, because it was assigned later. */
  minute(place: number): number;
  fiveMinutes(place: number): number;
  bytes: number;
};

const PERIODS = 6;
const MINUTES = 5;
const SLOTS = PERIODS + MINUTES;
const NONE = -1;
const INDEX_WORD = 0x5bd1e995;
const WAITING = 64;

/** Reserved for items that arrive between two choices. */
const KEPT_FREE = 1 / 8;
/** The maximum part of a window that a sketch may have missed. */
const MISSED = 0.02;

export type SketchesOptions = {
  places: number;
  sketches?: number;
  /** Views in ten seconds, one minute and five minutes. */
  viewsOf: (place: number, window: 'ten' | 'minute' | 'fiveMinutes') => number;
};

export function createSketches({ places, sketches = 256, viewsOf }: SketchesOptions): Sketches {
  const registers = new Uint8Array(sketches * SLOTS * REGISTERS);
  const union = new Uint8Array(REGISTERS);
  const sketchOf = new Int16Array(places).fill(NONE);
  const placeOf = new Int32Array(sketches).fill(NONE);
  /** The current period of a sketch, and the period in which its item received it. */
  const periods = new Int32Array(sketches);
  const began = new Int32Array(sketches);
  /** Views of the five minutes before that. */
  const missed = new Int32Array(sketches);
  const free = Array.from({ length: sketches }, (_, i) => sketches - 1 - i);
  const ranked = new Int32Array(places);
  const chosen = sketches - Math.floor(sketches * KEPT_FREE);
  /** Visitors to be added, in a loop that does nothing else: the processor fetches the memory of dozens of them at the same time. */
  const pairs = new Int32Array(WAITING);
  const slots = new Int32Array(WAITING);
  let waiting = 0;
  let period = 0;
  let bar = 1;
  return {
    add(place, pair) {
      const sketch = sketchOf[place] ?? NONE;
      if (sketch === NONE) return;
      if (periods[sketch] !== period) moveOn(sketch);
      if (waiting === WAITING) addWaiting();
      slots[waiting] = slotOf(sketch, period % PERIODS);
      pairs[waiting++] = pair;
    },
    turn() {
      addWaiting();
      period++;
    },
    choose,
    offer(place, heat) {
      if (sketchOf[place] !== NONE || free.length === 0) return undefined;
      if (heat < bar) return bar - heat;
      give(place);
      return undefined;
    },
    forget,
    minute: (place) => (knows(place, PERIODS, 'minute') ? minute(sketchOf[place] ?? NONE) : -1),
    fiveMinutes: (place) =>
      knows(place, PERIODS * MINUTES, 'fiveMinutes') ? fiveMinutes(sketchOf[place] ?? NONE) : -1,
    bytes: registers.byteLength,
  };

  function choose(count: number, at: (index: number) => number): void {
    for (let i = 0; i < count; i++) ranked[i] = heatOf(at(i));
    const least = count <= chosen ? 0 : (ranked.subarray(0, count).sort()[count - chosen] ?? 0);
    bar = Math.max(1, least);
    for (const place of placeOf) if (place !== NONE && 2 * heatOf(place) < bar) forget(place);
    keepSomeFree();
    for (let i = 0; i < count && free.length > sketches - chosen; i++) {
      const place = at(i);
      if (sketchOf[place] === NONE && heatOf(place) >= bar) give(place);
    }
  }

  /** More items may have a sketch than are chosen: the bar to keep one is lower than the bar to get one. Takes it from the coldest. */
  function keepSomeFree(): void {
    const short = sketches - chosen - free.length;
    if (short <= 0) return;
    const held = [...placeOf]
      .filter((place) => place !== NONE)
      .map((place) => ({ place, heat: heatOf(place) }));
    for (const { place } of held.sort((a, b) => a.heat - b.heat).slice(0, short)) forget(place);
  }

  function heatOf(place: number): number {
    return heatOfViews(viewsOf(place, 'ten'), viewsOf(place, 'minute'));
  }

  function knows(place: number, periodsOfWindow: number, window: 'minute' | 'fiveMinutes'): boolean {
    const sketch = sketchOf[place] ?? NONE;
    if (sketch === NONE) return false;
    const isOlder = period - (began[sketch] ?? 0) >= periodsOfWindow;
    return isOlder || (missed[sketch] ?? 0) <= MISSED * viewsOf(place, window);
  }

  function addWaiting(): void {
    for (let i = 0; i < waiting; i++) {
      const pair = pairs[i] ?? 0;
      addTo(registers, slots[i] ?? 0, pair, mix(pair ^ INDEX_WORD));
    }
    waiting = 0;
  }

  function give(place: number): void {
    addWaiting();
    const sketch = free.pop() ?? 0;
    sketchOf[place] = sketch;
    placeOf[sketch] = place;
    periods[sketch] = period;
    began[sketch] = period;
    missed[sketch] = viewsOf(place, 'fiveMinutes');
    // The other slots are cleared when they are entered, and not read before.
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

  /** Merges completed periods into their minutes, and clears the slots of new ones. */
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

  function minute(sketch: number): number {
    beginUnion(sketch);
    for (let one = Math.max(began[sketch] ?? 0, period - PERIODS + 1); one < period; one++)
      merge(union, 0, registers, slotOf(sketch, one % PERIODS));
    return estimateOf(union);
  }

  function fiveMinutes(sketch: number): number {
    beginUnion(sketch);
    const first = Math.max(began[sketch] ?? 0, period - PERIODS * (MINUTES - 1));
    // The minute of the first, and each minute after it.
    for (let one = first - (first % PERIODS); one <= period; one += PERIODS)
      merge(union, 0, registers, minuteSlot(sketch, one));
    return estimateOf(union);
  }

  /** Includes what is not merged into its minute yet. */
  function beginUnion(sketch: number): void {
    addWaiting();
    if (periods[sketch] !== period) moveOn(sketch);
    union.fill(0);
    merge(union, 0, registers, slotOf(sketch, period % PERIODS));
  }

  function empty(slot: number): void {
    registers.fill(0, slot, slot + REGISTERS);
  }

  function minuteSlot(sketch: number, period: number): number {
    return slotOf(sketch, PERIODS + (Math.floor(period / PERIODS) % MINUTES));
  }

  /** Slot by slot, each with all sketches: the current ones are adjacent in memory. */
  function slotOf(sketch: number, slot: number): number {
    return (slot * sketches + sketch) * REGISTERS;
  }
}

/** Views in ten seconds, or the average of the last minute if that is higher: such an item is still among the hottest of the minute. */
export function heatOfViews(ofTen: number, ofMinute: number): number {
  return Math.max(ofTen, ofMinute / 6);
}
