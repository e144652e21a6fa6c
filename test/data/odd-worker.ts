import { parentPort } from 'node:worker_threads';

/** A thread that does what its job says. */
parentPort!.on('message', (job: 'speak' | 'throw' | 'leave' | 'sleep') => {
  if (job === 'speak') parentPort!.postMessage(undefined);
  if (job === 'throw') throw new TypeError('no such thing');
  if (job === 'leave') process.exit(7);
  if (job === 'sleep') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
