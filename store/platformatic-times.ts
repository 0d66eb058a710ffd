import type { Consumer, FetchOptions } from '@platformatic/kafka';

type Fetched = {
  responses: {
    partitions: {
      records?: {
        attributes: number;
        firstTimestamp: bigint;
        maxTimestamp: bigint;
        records: { timestampDelta: bigint }[];
      }[];
    }[];
  }[];
};
type Callback = (error: Error | null, response: Fetched) => void;
type Fetch = (options: FetchOptions<Buffer, Buffer, Buffer, Buffer>, callback: Callback) => void;

/** Attribute of a batch in a topic with `message.timestamp.type=LogAppendTime`. */
const TIME_OF_BROKER = 0x08;

/**
 * @platformatic/kafka gives to each record the time that its producer said, also where the topic has the broker's instead. With
 * this a record has one time, whichever client reads it: the id of a message in the article's format is made from that.
 */
export function heedTimesOfBroker(consumer: Consumer<Buffer, Buffer, Buffer, Buffer>): void {
  const fetch: Fetch = consumer.fetch.bind(consumer);
  const stamped: Fetch = (options, callback) =>
    fetch(options, (error, response) => {
      if (!error) stamp(response);
      callback(error, response);
    });
  Object.assign(consumer, { fetch: stamped });
}

function stamp({ responses }: Fetched): void {
  const batches = responses.flatMap(({ partitions }) => partitions.flatMap(({ records = [] }) => records));
  for (const batch of batches) {
    if ((batch.attributes & TIME_OF_BROKER) === 0) continue;
    batch.firstTimestamp = batch.maxTimestamp;
    for (const record of batch.records) record.timestampDelta = 0n;
  }
}
