import { oneIn } from './one-in.ts';

/**
 * Whether this view is captured: by the mode that the sidecar last sent (`hotitem capture …`), otherwise by the operator's setting. 0: no.
 * 1: yes. -1: yes, but not through the zone (see divert.ts). A view that is captured as one of N gets `/N` in its line.
 */
export function wanted(r: NginxHTTPRequest, counters: NgxSharedDict<number> | undefined): number {
  let n = counters?.get('one_in');
  if (n === undefined) n = oneIn(r.variables.hotitem_mode_default);
  if (n === 1 || n === -1) return n;
  const many = Math.abs(n);
  if (many === 0 || !isChosen(r.variables.request_id, many)) return 0;
  // Before anything evaluates the line.
  r.variables.hotitem_sampled = `/${many}`;
  return n < 0 ? -1 : 1;
}

/** By nginx's own random id, not by Math.random: under njs, each request has its own generator. */
function isChosen(requestId: string | undefined, n: number): boolean {
  return parseInt((requestId || '').slice(0, 8), 16) % n === 0;
}
