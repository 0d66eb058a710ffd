/** Records of one partition that cannot be decoded: a complete batch as fetched. */
export type Undecodable = {
  /** First and last offset, inclusive. If the batch has no plausible last offset, `last` is the first. */
  first: bigint;
  last: bigint;
  /** The reason, for people. */
  reason: string;
  /** The batch as Kafka stores it. */
  bytes: Buffer;
};

const known = new WeakMap<Buffer, Undecodable>();

/** Encodes such a batch as the value of a record, for clients that know only records. */
export function placeholderFor(undecodable: Undecodable): Buffer {
  known.set(undecodable.bytes, undecodable);
  return undecodable.bytes;
}

/** Decodes such a value; undefined for any other. */
export function undecodableIn(value: Buffer | null | undefined): Undecodable | undefined {
  return value == null ? undefined : known.get(value);
}

/** Splits records into runs that can be read, and placeholders, each alone. */
export function* readableRuns<Message extends { value?: Buffer | null | undefined }>(
  messages: Message[],
  undecodableOf: (message: Message) => Undecodable | undefined = ({ value }) => undecodableIn(value),
): Generator<Message[]> {
  let from = 0;
  for (const [at, message] of messages.entries()) {
    if (undecodableOf(message) === undefined) continue;
    if (from < at) yield messages.slice(from, at);
    yield [message];
    from = at + 1;
  }
  if (from === 0) yield messages;
  else if (from < messages.length) yield messages.slice(from);
}

/** How many records are missing with it: Kafka numbers them without a gap unless a topic is compacted. */
export function recordsIn({ first, last }: Undecodable): number {
  return Number(last - first) + 1;
}

/** Its position within the partition: `120-619`. */
export function offsetsOf({ first, last }: Undecodable): string {
  return first === last ? String(first) : `${first}-${last}`;
}
