import { reasonOf } from '../service/log.ts';
import { watchFile } from '../service/watch-file.ts';
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

/**
 * Keeps a catalogue in memory, and replaces it when its file has changed. A file that cannot be used changes nothing: the catalogue before it
 * stays in effect, and the file is read again once it has changed. If the system could not read it (too many open files, an error of the
 * disk), it is tried again at each check. It never fails: everything works without a catalogue.
 */
export function watchCatalogue(options: CatalogueWatchOptions): CatalogueWatch {
  const { path, onLoaded, onFailure, everyMs, load = loadCatalogue } = options;
  const stopping = new AbortController();
  let loaded: LoadedCatalogue | undefined;
  let failure: string | undefined;
  let isLoading = true;
  const file = watchFile({ path, everyMs, read });
  const tried = file.look().finally(() => {
    isLoading = false;
  });
  return {
    loaded: () => loaded,
    failure: () => failure,
    loading: () => isLoading,
    tried,
    look: file.look,
    async close() {
      stopping.abort();
      await file.close();
    },
  };

  async function read(isNew: boolean): Promise<boolean> {
    if (stopping.signal.aborted) return false;
    try {
      loaded = await load(options, stopping.signal);
      failure = undefined;
      onLoaded(loaded);
      return false;
    } catch (error) {
      if (stopping.signal.aborted) return false;
      const reason = reasonOf(error);
      if (isNew || reason !== failure) {
        failure = reason;
        onFailure(reason);
      }
      // The system could not read it: that may pass without a change of the file.
      return error instanceof Error && 'code' in error;
    }
  }
}
