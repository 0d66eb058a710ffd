import type { Site } from '../conf/site.ts';
import type { Worker } from '../conf/worker.ts';
import type { IncludeSettings } from '../includes.ts';
import type { Build } from '../program/build.ts';
import type { Njs } from '../program/njs-probe.ts';
import type { Capture } from './captures.ts';

/** All that the checks look at. */
export type Facts = {
  build: Build;
  site: Site;
  captures: Capture[];
  /** The njs that this nginx runs with this configuration, or why it runs none. */
  njs: Njs | { reason: string };
  /** A module of njs on disk that could be loaded. */
  moduleFile: string | undefined;
  worker: Worker;
  /** What the sidecar's configuration says. */
  sidecar: IncludeSettings;
};
