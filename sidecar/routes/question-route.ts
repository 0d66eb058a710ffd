import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { json, type Reply, type Route } from '../../service/admin/admin.ts';
import { reasonOf } from '../../service/log.ts';
import { type EventIndex, IndexUnavailable } from '../../store/event-index.ts';
import { WrongParameter } from './parameters.ts';
import { NotAnswered, type Questions } from './questions.ts';

export type QuestionOptions = {
  /** Undefined in a sidecar without an index. */
  index: EventIndex | undefined;
  questions: Questions<Reply>;
  now: () => number;
  warn: (key: string, message: string, fields?: object) => void;
};

/** A question as the queue takes it; two with the same `key` have the same answer. */
export type Asked = {
  key: string;
  cost: number;
  answer: (index: EventIndex, signal: AbortSignal) => Promise<object>;
};

const RETRY_AFTER_SECONDS = '2';
/** Ten thousand items are a megabyte and more, a tenth of it compressed. */
const LARGE_BYTES = 32 * 1024;
const compress = promisify(gzip);

/** A route that asks the index what `read` makes of the address; `read` may throw a `WrongParameter`. */
export function createQuestionRoute(
  { index, questions, warn }: QuestionOptions,
  read: (url: URL) => Asked,
): Route {
  if (index === undefined) return noIndex;
  return async (url, asker) => {
    try {
      const { key, cost, answer } = read(url);
      const work = async (signal: AbortSignal) => shared(await answer(index, signal));
      return await questions.ask({ key: `${url.pathname} ${key}`, cost, work }, asker);
    } catch (error) {
      if (error instanceof WrongParameter) return error.reply;
      if (error instanceof IndexUnavailable) {
        if (error.why === 'refused')
          warn('question', 'the page has no numbers from the index until that is fixed', {
            reason: reasonOf(error),
          });
        return unavailable('the index is unavailable, try again');
      }
      if (error instanceof NotAnswered) return { ...unavailable(error.message), refused: error.reason };
      throw error;
    }
  };
}

/** One answer for all identical concurrent requests, as shared bytes; a large one is compressed once as well. */
async function shared(answer: object): Promise<Reply> {
  const reply = json(200, answer);
  const body = Buffer.from(reply.body);
  return body.length < LARGE_BYTES
    ? { ...reply, body }
    : { ...reply, body, gzip: await compress(body, { level: 1 }) };
}

function unavailable(error: string): Reply {
  return { ...json(503, { error }), headers: { 'retry-after': RETRY_AFTER_SECONDS } };
}

function noIndex(): Reply {
  return json(404, { error: 'this sidecar has no index: set elasticsearch.node to show items here' });
}
