// Asks each URL 50 times a second, over connections of their own, until its input ends. Then prints, as JSON, the milliseconds that
// each answer took, by URL; a failure is as long as the longest wait.
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 20;
const LONGEST_MS = 30_000;

const urls = process.argv.slice(2);
let going = true;
process.stdin.on('end', () => {
  going = false;
});
process.stdin.resume();
process.stdout.write(`${JSON.stringify(await Promise.all(urls.map(probe)))}\n`);
process.exit(0);

async function probe(url) {
  const took = [];
  while (going) {
    took.push(await ask(url));
    await sleep(PAUSE_MS);
  }
  return took;
}

function ask(url) {
  const began = performance.now();
  return new Promise((resolve) => {
    const asked = request(url, { agent: false, timeout: LONGEST_MS }, (response) => {
      response.resume();
      response.on('end', () => resolve(performance.now() - began));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(LONGEST_MS));
    asked.end();
  });
}
