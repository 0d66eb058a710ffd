import { isBusy } from './busy.ts';
import { CAPTURE, SPILL } from './locations.ts';
import { wanted } from './wanted.ts';
import { countersZone } from './zones.ts';

/**
 * Hands the view over to the sidecar by a detached subrequest; the page does not wait for it.
 * The value of `$hotitem_capture`: `1` when sent, empty when the view is not captured or `$hotitem_line` is
 * empty, which is how a configuration excludes a request.
 */
export function subrequest(r: NginxHTTPRequest): string {
  const counters = countersZone();
  if (wanted(r, counters) === 0) return '';
  // Evaluated here on purpose: the line is cached from now on with the page's own $uri and time of arrival. First
  // evaluated in the subrequest it would carry that one's.
  if (!r.variables.hotitem_line) return '';

  handOver(r, counters);
  return '1';
}

/** To the sidecar; straight to the spill file while it is known to be unavailable or busy. Needs the line evaluated. */
export function handOver(r: NginxHTTPRequest, counters: NgxSharedDict<number> | undefined): void {
  const spared = counters !== undefined && (counters.get('away') !== undefined || isBusy(counters));
  if (counters) counters.incr(spared ? 'diverted' : 'handed', 1);
  const location = spared ? SPILL : CAPTURE;
  // server.conf knows the subrequest by it; variables are those of the page.
  r.variables.hotitem_subrequest = location;
  r.subrequest(location, { detached: true, method: 'POST' });
}
