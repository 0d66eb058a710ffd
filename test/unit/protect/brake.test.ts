import { beforeEach, expect, test } from '@jest/globals';
import { type Brake, createBrake, createUsual } from '../../../protect/brake.ts';

const USUAL_MS = 20;

let time: number;
let brake: Brake;

beforeEach(() => {
  time = 1_795_355_710_000;
  brake = createBrake(() => time);
});

test('an origin that takes twice as long as usual is slow, until ten seconds after the last slow page', () => {
  ask(120, () => 20 + 10 * Math.random());
  expect(brake.isOn()).toBe(false);
  ask(5, () => 90);
  expect(brake.isOn()).toBe(true);
  ask(8, () => 25);
  expect(brake.isOn()).toBe(true);
  ask(2, () => 25);
  expect(brake.isOn()).toBe(false);
});

test.each([
  ['one page that takes long', (i: number) => (i === 590 ? 900 : 25)],
  ['pages of a moment that are not longer than the noise of this host', (i: number) => (i < 500 ? 1 : 15)],
])('%s is no slow origin', (_, ms) => {
  for (let i = 0; i < 600; i++) ask(1, () => ms(i), ms(0) === 1 ? 1 : USUAL_MS);
  expect(brake.isOn()).toBe(false);
});

test('an origin of which a tenth of the pages is always slow is not slow for ever', () => {
  for (let i = 0; i < 1_200; i++) ask(1, () => (i % 10 === 0 ? 200 : 20));
  expect(brake.isOn()).toBe(false);
});

test('what is slow for ten minutes is usual then', () => {
  ask(600, () => 20);
  ask(540, () => 200);
  expect(brake.isOn()).toBe(true);
  ask(120, () => 200);
  expect(brake.isOn()).toBe(false);
  ask(20, () => 900);
  expect(brake.isOn()).toBe(true);
});

test('a clock that is set back leaves no brake on', () => {
  ask(120, () => 20);
  ask(5, () => 200);
  time -= 3_600_000;
  expect(brake.isOn()).toBe(false);
});

test('what a page usually takes is known after a few requests, and a slow minute does not change it much', () => {
  const usual = createUsual();
  for (let i = 0; i < 7; i++) usual.add(20);
  expect(usual.ms()).toBeUndefined();
  for (let i = 0; i < 600; i++) usual.add(20);
  for (let i = 0; i < 60; i++) usual.add(200);
  expect(usual.ms()).toBeGreaterThan(20);
  expect(usual.ms()).toBeLessThan(45);
});

function ask(seconds: number, ms: (second: number) => number, usualMs = USUAL_MS): void {
  for (let i = 0; i < seconds; i++) {
    time += 1_000;
    brake.saw(ms(i), usualMs);
  }
}
