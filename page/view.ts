import type { Address } from './address.ts';
import type { LiveView } from './live-stream.ts';

/** What is known about the moment: the live state, and whether it is still so. */
export type Moment = { live: LiveView; isStale: boolean };

export type View = {
  /** Its address was opened, or changed. */
  show(address: Address): void;
  hide(): void;
  /** The live state changed. Also while the view is hidden. */
  update(moment: Moment): void;
  hold(isHeld: boolean): void;
  /** What the title of the page calls it. */
  title(): string;
};
