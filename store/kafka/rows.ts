import { ROW } from './client.ts';

/** Numbers the rows of one client, across requests: each row goes to the partition after that of the previous row. */
export type Rows = {
  /** Reserves the rows for a request of this many messages. Returns a function that gives the row of message `i`. */
  take(messages: number): (i: number) => number;
};

export function createRows(): Rows {
  // A random start: otherwise many processes that start at once would all begin with the same partition.
  let next = Math.floor(Math.random() * 1000);
  return {
    take(messages) {
      const first = next;
      next += Math.ceil(messages / ROW);
      return (i) => first + Math.floor(i / ROW);
    },
  };
}
