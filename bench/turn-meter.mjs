// For `node --import`: tells on SIGUSR2, in the file $TURN_METER, the CPU time that the longest turn of the event loop has taken since the
// SIGUSR2 before, in milliseconds. Unlike the time on the clock it does not depend on who else uses the machine.
import { readFileSync, writeFileSync } from 'node:fs';

const EVERY_MS = 5;
const NANOSECONDS_A_MS = 1e6;

const path = process.env.TURN_METER;
if (path !== undefined) meter(path);

function meter(file) {
  let last = cpuMs();
  let longest = 0;
  setInterval(() => {
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
  }, EVERY_MS).unref();
  process.on('SIGUSR2', () => {
    writeFileSync(file, String(longest));
    longest = 0;
    last = cpuMs();
  });
}

/** Of the thread of the event loop; see "schedstat" in the kernel's documentation. */
function cpuMs() {
  const [nanoseconds = ''] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ');
  return Number(nanoseconds) / NANOSECONDS_A_MS;
}
