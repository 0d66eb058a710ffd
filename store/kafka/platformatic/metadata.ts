import type { Broker, ConnectionPool, Consumer } from '@platformatic/kafka';

/**
 * @platformatic/kafka only detects new partitions when it joins its group. This reports them when the metadata is refreshed, every
 * `METADATA_MS`. To be read they must be assigned, so the member has to rejoin.
 */
export function onNewPartitions(consumer: Consumer, topic: string, tell: (error: Error) => void): void {
  let known: number | undefined;
  consumer.on('client:metadata', ({ topics }) => {
    const now = topics.get(topic)?.partitionsCount;
    if (now === undefined) return;
    if (known !== undefined && now > known)
      tell(new Error(`topic ${topic} has ${now} partitions instead of ${known}: joining the group again`));
    known = now;
  });
}

/**
 * If a broker has just disappeared from the metadata, @platformatic/kafka connects to undefined and throws where nobody can catch it, which
 * ends the process. This turns it into an ordinary error.
 */
export function refuseUnknownBrokers(pool: ConnectionPool): void {
  const get = pool.get.bind(pool);
  Object.assign(pool, {
    get(broker: Broker | undefined, callback: (error: Error | null, connection?: unknown) => void) {
      if (broker !== undefined) return get(broker, callback);
      return callback(new Error('the broker is not in the metadata of the cluster'));
    },
  });
}
