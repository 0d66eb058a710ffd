import type { Site } from '../conf/site.ts';
import type { Worker } from '../conf/worker.ts';
import type { IncludeSettings } from '../includes.ts';
import type { Build } from '../program/build.ts';
import type { Njs } from '../program/njs-probe.ts';
import type { Capture } from './captures.ts';

/** Everything that the rules read. */
export type Facts = {
  build: Build;
  site: Site;
  captures: Capture[];
  /** The njs that this nginx runs with this configuration, or why it does not. */
  njs: Njs | { reason: string };
  /** The path of an njs module on this host that could be loaded. */
  moduleFile: string | undefined;
  worker: Worker;
  /** From the sidecar's configuration. */
  sidecar: IncludeSettings;
};
