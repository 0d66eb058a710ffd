import { ROW } from './client.ts';

/** Numbers the rows of one client, from any number on, over all requests: a row goes to the partition after the last one's. */
export type Rows = {
  /** Counts the rows of a request of so many messages. What it returns gives the row that message `i` of it is in. */
  take(messages: number): (i: number) => number;
};

export function createRows(): Rows {
  // Not from 0: many processes that start at once would all begin with the same partition.
  let next = Math.floor(Math.random() * 1000);
  return {
    take(messages) {
      const first = next;
      next += Math.ceil(messages / ROW);
      return (i) => first + Math.floor(i / ROW);
    },
  };
}
