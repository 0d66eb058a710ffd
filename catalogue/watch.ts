import { signOf } from '../service/file-sign.ts';
import { reasonOf } from '../service/log.ts';
import { type CatalogueOptions, type LoadedCatalogue, loadCatalogue } from './load.ts';

export type CatalogueWatch = {
  /** The catalogue in effect; undefined before the first, and if none could be loaded yet. */
  loaded(): LoadedCatalogue | undefined;
  /** Why the current file is not in effect; undefined if it is, and while the first is being loaded. */
  failure(): string | undefined;
  /** Whether the first attempt to load the file is not over yet. */
  loading(): boolean;
  /** Resolves when the first attempt to load the file is over, whatever becomes of it. */
  tried: Promise<void>;
  /** Checks the file, and loads it if it has changed and then been unchanged since the last check. */
  look(): Promise<void>;
  close(): Promise<void>;
};

export type CatalogueWatchOptions = CatalogueOptions & {
  /** Called for each catalogue that takes effect. */
  onLoaded: (catalogue: LoadedCatalogue) => void;
  /** Called where a file is not used; the catalogue before it stays in effect. */
  onFailure: (reason: string) => void;
  everyMs?: number;
  /** Replaced in tests, for failures of a disk. */
  load?: typeof loadCatalogue;
};

const EVERY_MS = 1_000;

/**
 * Keeps a catalogue in memory, and replaces it when its file has changed. A file that cannot be used changes nothing: the catalogue before it
 * stays in effect, and the file is read again once it has changed. If the system could not read it (too many open files, an error of the
 * disk), it is tried again at each check. It never fails: everything works without a catalogue.
 */
export function watchCatalogue(options: CatalogueWatchOptions): CatalogueWatch {
  const { path, onLoaded, onFailure, everyMs = EVERY_MS, load = loadCatalogue } = options;
  const stopping = new AbortController();
  let loaded: LoadedCatalogue | undefined;
  let failure: string | undefined;
  let isLoading = true;
  /** State of the file that was read last. */
  let seen: string | undefined;
  /** The system could not read it: that may pass without a change of the file. */
  let mayPass = false;
  /** State of the file after a change; it may still be changing. */
  let found: string | undefined;
  let looking: Promise<void> | undefined;
  const tried = look().finally(() => {
    isLoading = false;
  });
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return { loaded: () => loaded, failure: () => failure, loading: () => isLoading, tried, look, close };

  function look(): Promise<void> {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function lookOnce(): Promise<void> {
    const sign = await signOf(path);
    // The first one is read at once: a start need not wait.
    const isSettled = found === undefined || sign === found;
    found = sign;
    if ((sign === seen && !mayPass) || !isSettled || stopping.signal.aborted) return;
    try {
      loaded = await load(options, stopping.signal);
      failure = undefined;
      mayPass = false;
      onLoaded(loaded);
    } catch (error) {
      if (stopping.signal.aborted) return;
      const reason = reasonOf(error);
      const isNew = sign !== seen || reason !== failure;
      failure = reason;
      mayPass = error instanceof Error && 'code' in error;
      if (isNew) onFailure(reason);
    }
    // The state from before the read: a write during the read is noticed by later checks.
    seen = sign;
  }

  async function close(): Promise<void> {
    clearInterval(timer);
    stopping.abort();
    await looking;
  }
}
