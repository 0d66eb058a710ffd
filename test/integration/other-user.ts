import { askAsAnother, askAsOwner } from '../parts/attacker.ts';

/** What a user of the host tries. `stored`: at nginx's listener for the keeper, with a word of his own. */
export type Tried = {
  list: string[];
  read: string[];
  write: string[];
  connect: string[];
  keeperPort: number;
};
/** By what was tried: `done`, or the code of the error. `keeper`: what nginx tells him that it did. */
export type Outcome = Record<string, string>;

/** Runs as it stands, by any user. */
const SCRIPT = `
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
const { list, read, write, connect: sockets, keeperPort } = JSON.parse(process.argv[1]);
const outcome = {};
const attempt = (what, work) => {
  try {
    work();
    outcome[what] = 'done';
  } catch ({ code }) {
    outcome[what] = code;
  }
};
for (const path of list) attempt('list ' + path, () => readdirSync(path));
for (const path of read) attempt('read ' + path, () => readFileSync(path));
for (const path of write) attempt('write ' + path, () => writeFileSync(path + '/planted', ''));
for (const path of sockets)
  outcome['connect ' + path] = await new Promise((resolve) => {
    const socket = connect({ path }, () => resolve('done')).on('error', ({ code }) => resolve(code));
    socket.on('connect', () => socket.destroy());
  });
outcome.keeper = await new Promise((resolve, reject) => {
  const headers = { host: 'shop.test', 'keep-alive': 'hotitem-fill=' + '0'.repeat(64) };
  const options = { host: '127.0.0.1', port: keeperPort, path: '/item/planted.html', headers };
  request(options, (response) => {
    response.resume().on('end', () => resolve(response.headers['x-hotitem-keeper'] ?? 'nothing'));
  }).on('error', reject).end();
});
process.stdout.write(JSON.stringify(outcome));
`;

export function tryAsAnother(tried: Tried): Promise<Outcome> {
  return askAsAnother<Outcome>(SCRIPT, [JSON.stringify(tried)]);
}

/** That it can be done by who may. */
export function tryAsOwner(tried: Tried): Promise<Outcome> {
  return askAsOwner<Outcome>(SCRIPT, [JSON.stringify(tried)]);
}
