import type { Consumer, FetchOptions, ListCommitsOptions, Offsets } from '@platformatic/kafka';

type Response = Awaited<ReturnType<Consumer['fetch']>>;
type Callback<T> = (error: Error | null, answer?: T) => void;

/**
 * After a rebalance, each member continues at the committed offsets. So does a stream of @platformatic/kafka, but a fetch that was in
 * flight then still advances the stream, past records that nobody has committed. This makes the response to such a fetch empty. Calls
 * `onShare` for each assignment, before anything of it is fetched. Returns the number of the current one.
 */
export function followShares(consumer: Consumer, onShare: () => void): () => number {
  let share = 0;
  /** The assignment whose committed offsets the stream knows. */
  let begun = -1;
  const list = consumer.listCommittedOffsets.bind(consumer);
  const fetch = consumer.fetch.bind(consumer);
  consumer.on('consumer:group:join', () => {
    share++;
    onShare();
  });
  Object.assign(consumer, {
    listCommittedOffsets(options: ListCommitsOptions, callback: Callback<Offsets>) {
      const mine = share;
      list(options, (error, offsets) => {
        if (error === null) begun = mine;
        callback(error, offsets);
      });
    },
    fetch(options: FetchOptions<Buffer, Buffer, Buffer, Buffer>, callback?: Callback<Response>) {
      // Not the stream: it is no longer used.
      if (callback === undefined) return fetch(options);
      const mine = begun;
      return fetch(options, (error, response) =>
        callback(error, response && mine !== share ? { ...response, responses: [] } : response),
      );
    },
  });
  return () => share;
}
