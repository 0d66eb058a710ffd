import type { Cursor, Position } from './cursor.ts';

export type ProgressOptions = {
  cursor: Cursor;
  /** Called when the position is on disk: segments before it may be removed. */
  onStored: () => Promise<void>;
  onFailure: (error: unknown) => void;
};

/** The position of a consumer, stored with a delay: after a crash, a few batches are redelivered. */
export type Progress = {
  readonly position: Position;
  advance(to: Position): void;
  /** Stores the position, if it is not stored yet. */
  flush(): Promise<void>;
};

const STORE_MS = 200;
const RETRY_MS = 1000;

export function createProgress({ cursor, onStored, onFailure }: ProgressOptions): Progress {
  let { position } = cursor;
  let timer: NodeJS.Timeout | undefined;
  let storing: Promise<void> = Promise.resolve();
  return {
    get position() {
      return position;
    },
    advance,
    flush,
  };

  function advance(to: Position): void {
    if (to.sequence === position.sequence) return;
    position = to;
    storeIn(STORE_MS);
  }

  function storeIn(ms: number): void {
    timer ??= setTimeout(flush, ms).unref();
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    storing = storing.then(store);
    return storing;
  }

  async function store(): Promise<void> {
    const to = position;
    if (to === cursor.position) return;
    try {
      await cursor.store(to);
    } catch (error) {
      onFailure(error);
      storeIn(RETRY_MS);
      return;
    }
    await onStored();
  }
}
