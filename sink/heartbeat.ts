import { abortable } from '../service/abortable.ts';
import type { Context } from '../store/log.ts';

const EVERY_MS = 2_000;

/** Keeps the group membership while `work` takes its time. Rejects as `work` does, when a heartbeat does, or when the signal fires. */
export async function whileBeating<T>({ signal, heartbeat }: Context, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const lost = new Promise<never>((_, reject) => {
    timer = setInterval(() => heartbeat().catch(reject), EVERY_MS);
  });
  try {
    return await abortable(signal, Promise.race([work, lost]));
  } finally {
    clearInterval(timer);
    work.catch(() => {});
  }
}
