import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export type Connections = {
  /** Answers a request of that connection, which is not closed in the meantime. */
  during(socket: Socket, answer: () => Promise<void>): Promise<void>;
  /** Whether so many requests wait for an answer, or are answered by a stream, that those left are reserved. */
  isCrowded(): boolean;
};

export type ConnectionLimits = {
  most: number;
  /** Of these, for requests that must be answered whatever the others do. */
  reserved: number;
};

/**
 * Keeps at most `most` connections open and accepts every new one: the connection that was idle for longest is closed. So idle connections
 * cannot block `/livez` and `/metrics`. A connection handles one request at a time: a client that sends the next request before the answer
 * (pipelining, which no browser or proxy does) is disconnected. The number of requests that wait for an answer must be limited below `most`
 * elsewhere, or by `isCrowded`.
 */
export function createConnections(
  server: Server,
  { most, reserved }: ConnectionLimits,
  onClosed: () => void,
): Connections {
  /** The one that was idle for longest comes first. */
  const quiet = new Set<Socket>();
  const answering = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    if (quiet.size + answering.size >= most) close(quiet.values().next().value ?? socket);
    if (socket.destroyed) return;
    quiet.add(socket);
    socket.once('close', () => {
      quiet.delete(socket);
      answering.delete(socket);
    });
  });
  return {
    isCrowded: () => answering.size > most - reserved,
    async during(socket, answer) {
      if (answering.has(socket)) return close(socket);
      quiet.delete(socket);
      answering.add(socket);
      try {
        await answer();
      } finally {
        if (answering.delete(socket) && !socket.destroyed) quiet.add(socket);
      }
    },
  };

  function close(socket: Socket): void {
    quiet.delete(socket);
    socket.destroy();
    onClosed();
  }
}
