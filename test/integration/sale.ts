import { setTimeout as sleep } from 'node:timers/promises';

/** One answer to a shopper; status 0 where there was none. Times in ms since 1970. */
export type Sold = { status: number; body: string; askedAt: number; at: number };

export type Sale = {
  /** In the order in which they came. */
  pages: Sold[];
  stop(): Promise<void>;
};

const SHOPPERS = 5;
const PAUSE_MS = 20;

/** Shoppers who ask for one page again and again, until it is stopped. */
export function startSale(get: () => Promise<{ status: number; body: string }>): Sale {
  const pages: Sold[] = [];
  let isOver = false;
  const shoppers = Array.from({ length: SHOPPERS }, shop);
  return {
    pages,
    async stop() {
      isOver = true;
      await Promise.all(shoppers);
    },
  };

  async function shop(): Promise<void> {
    while (!isOver) {
      const askedAt = Date.now();
      const { status, body } = await get().catch((error: unknown) => ({ status: 0, body: String(error) }));
      pages.push({ status, body, askedAt, at: Date.now() });
      await sleep(PAUSE_MS);
    }
  }
}
