import type { NginxPart } from '../parts/nginx.ts';

/** A shop that several tests share, for each as if it were new. */
export type Forgotten = {
  /** Its error log has what was logged since. */
  nginx: NginxPart;
  /** Those of `allLines` that were written since. */
  lines(): Promise<string[]>;
  /** What was written and logged before is forgotten. */
  forget(): Promise<void>;
};

/** `allLines`: what nginx has written for the sidecar, no line twice. */
export function createForgotten(nginx: NginxPart, allLines: () => Promise<string[]>): Forgotten {
  let before = new Set<string>();
  let logged = 0;
  return {
    nginx: { ...nginx, errorLog: async () => (await nginx.errorLog()).slice(logged) },
    lines: async () => (await allLines()).filter((line) => !before.has(line)),
    async forget() {
      before = new Set(await allLines());
      logged = (await nginx.errorLog()).length;
    },
  };
}
