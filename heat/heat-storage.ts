import { join } from 'node:path';
import { createKeptFile } from './kept-file.ts';
import { type KeptBaselines, type KeptHeat, keptBaselines, keptHeat } from './kept-heat.ts';

/** What heat detection stores for the next start: hot items, pins and bans in one file, the baselines in another. */
export type HeatStorage = {
  /** As read at the start; undefined if there is no usable file. */
  heat: KeptHeat | undefined;
  baselines: KeptBaselines | undefined;
  /** Hot items, pins or bans have changed: a tick writes them, at most once a second. */
  changed(): void;
  tick(now: number): void;
  /** Writes hot items, pins and bans, and resolves when they are on disk. Rejects if they cannot be written. */
  saveNow(): Promise<void>;
  /** Writes everything, and resolves when it is done. */
  close(): Promise<void>;
};

export type HeatStorageOptions = {
  /** Folder of all state. */
  home: string;
  now: number;
  warn: (key: string, message: string, fields?: object) => void;
  /** Called when the file is written. */
  readHeat: () => KeptHeat;
  readBaselines: () => KeptBaselines;
  /** Told what is on disk, after each write of the first. */
  onStored?: (kept: KeptHeat) => void;
};

const MOST_BYTES = 64 * 1024 * 1024;
/** Baselines change slowly. */
const ALL_EVERY_MS = 60_000;
/** Hot items may change with each batch, and each write is an fsync. */
const HEAT_EVERY_MS = 1_000;

export function createHeatStorage(options: HeatStorageOptions): HeatStorage {
  const { home, now, warn, readHeat, readBaselines, onStored } = options;
  const heat = createKeptFile<KeptHeat>({
    path: join(home, 'heat.json'),
    schema: keptHeat,
    what: 'hot items, pins and bans',
    mostBytes: MOST_BYTES,
    ...(onStored !== undefined && { onWritten: onStored }),
    warn,
  });
  const baselines = createKeptFile<KeptBaselines>({
    path: join(home, 'heat-baselines.json'),
    schema: keptBaselines,
    what: 'baselines of items',
    mostBytes: MOST_BYTES,
    warn,
  });
  let hasChanged = false;
  let heatAt = now;
  let allAt = now;
  return {
    heat: heat.load(),
    baselines: baselines.load(),
    changed() {
      hasChanged = true;
    },
    tick(time) {
      if (Math.abs(time - allAt) >= ALL_EVERY_MS) {
        allAt = time;
        saveHeat(time);
        baselines.save(readBaselines);
      } else if (hasChanged && Math.abs(time - heatAt) >= HEAT_EVERY_MS) saveHeat(time);
    },
    saveNow: () => heat.saveNow(readHeat),
    async close() {
      heat.save(readHeat);
      baselines.save(readBaselines);
      await Promise.all([heat.settled(), baselines.settled()]);
    },
  };

  function saveHeat(time: number): void {
    hasChanged = false;
    heatAt = time;
    heat.save(readHeat);
  }
}
