/** The bytes of all requests that are being received or written. */
export type InHand = {
  /**
   * Counts as many bytes more, until they are let go. Where that is too much, requests that are still being received give way,
   * those that take longest first. False where that is not enough either, and then nothing is counted.
   */
  take(bytes: number): boolean;
  letGo(bytes: number): void;
  /** A request that has taken bytes and is being received; `giveWay` lets them go. Returns what takes that back. */
  receiving(giveWay: () => void): () => void;
};

/**
 * Honest requests arrive within milliseconds, so a client that holds requests open, to fill the memory or block others,
 * is the one who loses them.
 */
export function createInHand(mostBytes: number): InHand {
  let inHand = 0;
  /** In the order in which they began. */
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
