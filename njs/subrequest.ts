import { isBusy } from './busy.ts';
import { CAPTURE, SPILL } from './locations.ts';
import { wanted } from './wanted.ts';
import { countersZone } from './zones.ts';

/**
 * Sends the view to the sidecar by a detached subrequest; the page does not wait for it. This is the value of `$hotitem_capture`: `1` if
 * sent, empty if the view is not captured or `$hotitem_line` is empty, which is how a configuration excludes a request.
 */
export function subrequest(r: NginxHTTPRequest): string {
  const counters = countersZone();
  if (wanted(r, counters) === 0) return '';
  // Evaluated here on purpose: this caches the line with the page's own $uri and time of arrival. If it were evaluated first in the
  // subrequest, it would contain those of the subrequest.
  if (!r.variables.hotitem_line) return '';

  handOver(r, counters);
  return '1';
}

/** To the sidecar, or directly to the spill file while it is known to be unavailable or busy. The line must be evaluated. */
export function handOver(r: NginxHTTPRequest, counters: NgxSharedDict<number> | undefined): void {
  const spared = counters !== undefined && (counters.get('away') !== undefined || isBusy(counters));
  if (counters) counters.incr(spared ? 'diverted' : 'handed', 1);
  const location = spared ? SPILL : CAPTURE;
  // server.conf recognizes the subrequest by it; variables are those of the page.
  r.variables.hotitem_subrequest = location;
  r.subrequest(location, { detached: true, method: 'POST' });
}
