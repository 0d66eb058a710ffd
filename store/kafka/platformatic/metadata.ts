import type { Broker, ConnectionPool, Consumer } from '@platformatic/kafka';

/**
 * @platformatic/kafka looks for new partitions only when it joins its group. With this it is told of them when its metadata is renewed, which it
 * then is every `METADATA_MS`; to be read, they must be assigned, so the member has to join again.
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
 * Where the metadata does not hold a broker that has just gone, @platformatic/kafka asks for a connection to undefined, and throws where nobody
 * can catch it: the process ends. With this it is an error like any other.
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
