import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../../service/replace-file.ts';

export type Fsync = 'always' | '1s' | 'never';

export type SegmentFileOptions = {
  path: string;
  fsync: Fsync;
  /** For an fsync that is not awaited. */
  onFsyncFailure: (error: unknown) => void;
};

/** The active segment. */
export type SegmentFile = {
  /** Writes all of `buffer` at byte `position`; with `always`, it is then fsynced. */
  write(buffer: Buffer, position: number): Promise<void>;
  truncate(bytes: number): Promise<void>;
  /** Fsyncs what is pending, and closes. */
  close(): Promise<void>;
};

/** Creates segments on disk; tests substitute one that fails. */
export type SegmentFiles = {
  /** Creates an empty segment, replacing one that a failed attempt left. */
  create(options: SegmentFileOptions): Promise<SegmentFile>;
  open(options: SegmentFileOptions): Promise<SegmentFile>;
};

const FSYNC_MS = 1000;

export const segmentFiles: SegmentFiles = { create: createSegmentFile, open: openSegmentFile };

async function createSegmentFile(options: SegmentFileOptions): Promise<SegmentFile> {
  const handle = await open(options.path, 'w+', 0o640);
  if (options.fsync !== 'never') await syncFolder(dirname(options.path));
  return toSegmentFile(handle, options);
}

async function openSegmentFile(options: SegmentFileOptions): Promise<SegmentFile> {
  return toSegmentFile(await open(options.path, 'r+'), options);
}

function toSegmentFile(handle: FileHandle, { fsync, onFsyncFailure }: SegmentFileOptions): SegmentFile {
  let timer: NodeJS.Timeout | undefined;
  let dirty = false;
  let closing = false;
  return { write, truncate: (bytes) => handle.truncate(bytes), close };

  async function write(buffer: Buffer, position: number): Promise<void> {
    for (let at = 0; at < buffer.length; ) {
      const { bytesWritten } = await handle.write(buffer, at, buffer.length - at, position + at);
      at += bytesWritten;
    }
    if (fsync === 'always') await handle.datasync();
    if (fsync === '1s') syncSoon();
  }

  function syncSoon(): void {
    dirty = true;
    timer ??= setTimeout(syncNow, FSYNC_MS).unref();
  }

  async function syncNow(): Promise<void> {
    dirty = false;
    try {
      await handle.datasync();
    } catch (error) {
      onFsyncFailure(error);
      dirty = true;
    }
    timer = undefined;
    if (dirty && !closing) syncSoon();
  }

  async function close(): Promise<void> {
    closing = true;
    clearTimeout(timer);
    if (dirty) await handle.datasync().catch(onFsyncFailure);
    // Waits for a running `syncNow`.
    await handle.close();
  }
}
