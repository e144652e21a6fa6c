/**
 * Preloaded into a process that trains (NODE_OPTIONS): kills it, as nothing can be caught, at one moment that the variable
 * KILL_AT names, `<what>:<count>[:<how>]`: before the count-th call of `what`, or `after` it, or `half` through it. `full` kills
 * nothing: half through it the disk is full, as the operating system would say.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';

const require = createRequire(import.meta.url);
const [what, count, how = 'before'] = (process.env.KILL_AT ?? '').split(':');
// Only the process that trains: the one that watches it has no channel to a parent.
if (what !== '' && process.send !== undefined) arm();

function arm() {
  const fs = require('node:fs');
  const promises = require('node:fs/promises');
  const timers = require('node:timers/promises');
  let calls = 0;
  const isNow = () => ++calls === Number(count);
  const wrap = (object, name, half, counts = () => true) => {
    const original = object[name];
    object[name] = function (...args) {
      if (!counts(args) || !isNow()) return original.apply(this, args);
      if (how === 'half' || how === 'full') half?.call(this, original, args);
      if (how === 'full') throw noSpace();
      if (how !== 'after') die();
      const result = original.apply(this, args);
      if (typeof result?.then !== 'function') die();
      return result.then(die);
    };
  };
  const wrapHandles = (name, isMeant) => {
    const { open } = promises;
    promises.open = async (path, ...how) => {
      const handle = await open(path, ...how);
      if (isMeant(path)) wrap(handle, name);
      return handle;
    };
  };
  const targets = {
    rename: () => wrap(promises, 'rename'),
    rm: () => wrap(promises, 'rm'),
    // A checkpoint's files, half of whose bytes are there.
    write: () =>
      wrap(promises, 'writeFile', (_, [path, data]) => fs.writeFileSync(path, data.slice(0, data.length / 2))),
    // The journal's lines, torn; what is said on stdout takes the same way.
    line: () => {
      const isLine = ([, bytes]) => String(bytes).startsWith('{"type":');
      wrap(fs, 'writeSync', (write, [file, bytes]) => write(file, bytes.subarray(0, bytes.length / 2)), isLine);
    },
    // Probabilities.
    append: () => wrapHandles('appendFile', () => true),
    // The checkpoints' index, written aside.
    index: () => wrapHandles('writeFile', (path) => path.includes('index.json')),
    // The journal's.
    sync: () => wrap(fs, 'fsyncSync'),
    // Between two batches, in training, validation and statistics alike.
    batch: () => wrap(timers, 'setImmediate'),
    // A request to the tracking server.
    request: () => wrap(require('node:http'), 'request'),
  };
  targets[what]();
  syncBuiltinESMExports();
}

function noSpace() {
  const facts = { code: 'ENOSPC', errno: -28, syscall: 'write' };
  return Object.assign(new Error('ENOSPC: no space left on device, write'), facts);
}

function die() {
  if (process.env.KILL_PARENT === 'true') process.kill(process.ppid, 'SIGKILL');
  process.kill(process.pid, 'SIGKILL');
  // Until the signal is there nothing else happens.
  for (;;);
}
