import type { Consumer, FetchOptions, ListCommitsOptions, Offsets } from '@platformatic/kafka';

type Response = Awaited<ReturnType<Consumer['fetch']>>;
type Callback<T> = (error: Error | null, answer?: T) => void;

/**
 * After a rebalance, each member continues at the committed offsets. A stream of @platformatic/kafka does so as well,
 * but a fetch that was on its way then still moves the stream on, behind records that nobody has committed. With this the answer to such a
 * fetch is empty. Calls `onShare` for each share, before anything of it is fetched. Returns the number of the current one.
 */
export function followShares(consumer: Consumer, onShare: () => void): () => number {
  let share = 0;
  /** The share whose committed offsets are known to the stream. */
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
