import type { Njs } from '../../provision/njs-probe.ts';
import type { IncludeSettings } from '../nginx-includes.ts';
import type { Build } from './build.ts';
import type { Capture } from './captures.ts';
import type { Site } from './site.ts';
import type { Worker } from './worker.ts';

/** All that the checks look at. */
export type Facts = {
  build: Build;
  site: Site;
  captures: Capture[];
  /** The njs that this nginx runs with this configuration, or why it runs none. */
  njs: Njs | { reason: string };
  /** A module of njs that lies on the disk and could be loaded. */
  moduleFile: string | undefined;
  worker: Worker;
  /** What the sidecar's configuration says. */
  sidecar: IncludeSettings;
};
