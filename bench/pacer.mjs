// The clock of an open-loop sender, in a thread of its own: says when each request is due. A timer of the event loop is
// a millisecond coarse; Atomics.wait sleeps to within some tens of microseconds, and blocks nobody here.
import { parentPort, workerData } from 'node:worker_threads';

const { ratePerSecond, total } = workerData;
const never = new Int32Array(new SharedArrayBuffer(4));
const began = now();
parentPort.postMessage(began);

for (let i = 0; i < total; i++) {
  const wait = began + (i / ratePerSecond) * 1000 - now();
  if (wait > 0) Atomics.wait(never, 0, 0, wait);
  parentPort.postMessage(i);
}

// performance.now() counts from the start of the thread; this is the same in all threads.
function now() {
  return performance.timeOrigin + performance.now();
}
