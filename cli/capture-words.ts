import type { CaptureState } from '../sidecar/nginx/switch.ts';

/** The capture mode in words. */
export function captureWords(state: CaptureState): string {
  if (state.mode === 'default') return 'as nginx is configured';
  return state.mode === 'sample' ? `1 in ${state.n}` : state.mode;
}
