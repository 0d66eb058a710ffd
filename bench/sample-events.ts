import { fromLine } from '../event/from-line.ts';
import { sampleLine } from './sample-line.mjs';

/** The events that the sidecar makes of the lines that it is sent, as it spools them. */
export function sampleEvents(count: number): string[] {
  return Array.from({ length: count }, (_, i) => JSON.stringify(fromLine(sampleLine(i).trimEnd(), 'web-1')));
}
