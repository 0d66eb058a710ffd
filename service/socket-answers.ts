import { connect } from 'node:net';

/**
 * Whether a process listens on the unix socket at `path`. Anything but a refused connection counts as yes: a full backlog, or a socket of
 * another user, does not prove that it is dead.
 */
export function socketAnswers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}
