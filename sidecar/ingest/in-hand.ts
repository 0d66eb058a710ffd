/** Counts the bytes of all requests that are being received or written. */
export type InHand = {
  /**
   * Counts more bytes, until they are released. If the limit is exceeded, requests that are still being received are dropped, the oldest
   * first. Returns false, and counts nothing, if that is not enough.
   */
  take(bytes: number): boolean;
  letGo(bytes: number): void;
  /** Registers a request that holds bytes and is being received; `giveWay` releases them. Returns a function that unregisters it. */
  receiving(giveWay: () => void): () => void;
};

/**
 * Honest requests arrive within milliseconds. So a client that holds requests open, to fill the memory or block others, is the one that
 * loses them.
 */
export function createInHand(mostBytes: number): InHand {
  let inHand = 0;
  /** In order of arrival. */
  const received = new Set<() => void>();
  return {
    take(bytes) {
      for (const giveWay of received) {
        if (inHand + bytes <= mostBytes) break;
        giveWay();
      }
      if (inHand + bytes > mostBytes) return false;
      inHand += bytes;
      return true;
    },
    letGo(bytes) {
      inHand -= bytes;
    },
    receiving(giveWay) {
      received.add(giveWay);
      return () => void received.delete(giveWay);
    },
  };
}
