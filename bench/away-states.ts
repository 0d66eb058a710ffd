import { rm, symlink } from 'node:fs/promises';
import type { BenchSidecar } from './sidecar.ts';
import { startSlowSocket } from './slow-socket.ts';

/** What a sidecar can be while pages are served. */
export type State = 'up' | 'down' | 'hanging' | 'slow';

const SLOW_MS = 1_000;

export type States = {
  /** The sidecar is up, and nginx reaches it in the way that the state needs. Before nginx starts. */
  prepare(state: State): Promise<void>;
  begin(state: State): Promise<void>;
  /** The sidecar is up again. */
  end(): Promise<void>;
  close(): void;
};

/** nginx reaches the sidecar by a link, which leads by way of the slow socket where it is to become slow. */
export async function createStates(options: {
  sidecar: BenchSidecar;
  link: string;
  slow: string;
}): Promise<States> {
  const { sidecar, link, slow } = options;
  const slowly = await startSlowSocket({ socket: slow, behind: sidecar.socket });
  const begins = {
    up: () => {},
    down: sidecar.kill,
    hanging: sidecar.pause,
    slow: () => slowly.delay(SLOW_MS),
  };
  return {
    async prepare(state) {
      await rm(link, { force: true });
      await symlink(state === 'slow' ? slow : sidecar.socket, link);
    },
    begin: async (state) => begins[state](),
    async end() {
      slowly.delay(0);
      sidecar.resume();
      await sidecar.start();
    },
    close: slowly.close,
  };
}
