import { readFileSync } from 'node:fs';
import { toJson } from '../../service/json-text.ts';
import { createMutex } from '../../service/mutex.ts';
import { replaceFile } from '../../service/replace-file.ts';
import { createWaiters } from '../../service/waiters.ts';

/** What nginx captures: every view, none, or one in `n`. */
export type CaptureMode = { mode: 'on' | 'off' } | { mode: 'sample'; n: number };

/** Version 0: never set, nginx uses its own configuration. */
export type CaptureState = { version: number } & (CaptureMode | { mode: 'default' });

export type Control = {
  state(): CaptureState;
  /** Resolves when it is on disk; from then on it is sent to nginx. */
  set(mode: CaptureMode): Promise<CaptureState>;
  /** Resolves when the version is not `version`, or when `signal` is aborted. */
  changed(version: number, signal: AbortSignal): Promise<void>;
};

const LEAST_SAMPLE = 2;
const MOST_SAMPLE = 10_000;

/** The capture mode, stored in the file `path`. A missing or damaged file means that no mode is set. */
export function createControl(
  path: string,
  warn: (key: string, message: string, fields?: object) => void,
): Control {
  let state = load(path, warn);
  const oneByOne = createMutex();
  const waiters = createWaiters();
  return {
    state: () => state,
    set: (mode) => oneByOne(() => set(mode)),
    changed: (version, signal) => (state.version === version ? waiters.wait(signal) : Promise.resolve()),
  };

  async function set(mode: CaptureMode): Promise<CaptureState> {
    const next = { version: state.version + 1, ...mode };
    await replaceFile(path, JSON.stringify(next), { durable: true });
    state = next;
    waiters.wake();
    return next;
  }
}

/** Parses a mode from a request or a file; undefined if it is invalid. */
export function toCaptureMode(value: unknown): CaptureMode | undefined {
  if (typeof value !== 'object' || value === null || !('mode' in value)) return undefined;
  if (value.mode === 'on' || value.mode === 'off') return { mode: value.mode };
  if (value.mode !== 'sample' || !('n' in value) || typeof value.n !== 'number') return undefined;
  const { n } = value;
  return Number.isInteger(n) && n >= LEAST_SAMPLE && n <= MOST_SAMPLE ? { mode: 'sample', n } : undefined;
}

function load(path: string, warn: (key: string, message: string, fields?: object) => void): CaptureState {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return none();
  }
  const state = toState(text);
  if (state === undefined)
    warn('capture mode', 'the capture mode cannot be read: nginx uses its configured one', { path });
  return state ?? none();
}

function toState(text: string): CaptureState | undefined {
  const value = toJson(text);
  const mode = toCaptureMode(value);
  if (mode === undefined || typeof value !== 'object' || value === null || !('version' in value))
    return undefined;
  return Number.isSafeInteger(value.version) ? { version: Number(value.version), ...mode } : undefined;
}

function none(): CaptureState {
  return { version: 0, mode: 'default' };
}
