import type { Part } from './part.ts';

/** A part that is already running. It is not touched: methods that would stop it throw. */
export function atAddress(describe: string): Part {
  const refuse = () => Promise.reject(new Error(`${describe} is not ours to stop`));
  return {
    describe,
    controllable: false,
    start: refuse,
    stop: refuse,
    kill: refuse,
    pause: refuse,
    resume: refuse,
    close: () => Promise.resolve(),
    log: () => '',
  };
}
