import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadForTests } from './load-for-tests.ts';
import { efficientNetUnet, makeBatch, makeStep, smallUnet } from './steps-for-tests.ts';

before(loadForTests);

/** Growth that is allowed, as a share of what is held once everything has been made. */
const GROWTH = 0.02;

/** What the process holds in memory, in MiB (proc(5), VmRSS). */
function readResident(): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
  return Number(kibibytes) / 1024;
}

/** So that what waits to be collected is not taken for a leak: a step is made of many short-lived objects. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Samples once in `every` rounds after the first `settling`. */
async function watch(
  rounds: number,
  { settling, every }: { settling: number; every: number },
  work: (round: number) => void,
): Promise<number[]> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    work(round);
    // As the training loop does: whatever waits for a turn of Node's gets one.
    await setImmediate();
    if (round + 1 >= settling && (round + 1) % every === 0) samples.push(readResident());
  }
  return samples;
}

/** Medians of four windows, since a garbage collector's sawtooth is no growth: none is far above the first. */
function assertFlat(samples: readonly number[], say: (message: string) => void): void {
  const length = Math.floor(samples.length / 4);
  const [first, ...later] = [0, 1, 2, 3].map((window) => median(samples.slice(window * length, (window + 1) * length)));
  const growth = Math.max(...later) / first! - 1;
  say(
    `${first!.toFixed(0)} MiB, then ${later.map((value) => value.toFixed(0)).join(', ')}: ${(100 * growth).toFixed(1)} %`,
  );
  assert.ok(growth <= GROWTH, `grows by ${(100 * growth).toFixed(1)} %: ${samples.map((value) => value.toFixed(0))}`);
}

test('two thousand updates of EfficientNet-B0 with U-Net hold no more memory than fifty', async (t) => {
  const step = makeStep(efficientNetUnet({ drop: 0.2 }));
  const batches = [0, 1, 2, 3].map((seed) => makeBatch(seed));
  const samples = await watch(2000, { settling: 50, every: 50 }, (round) => {
    step.update(batches[round % 4]!, 1e-4);
  });
  assertFlat(samples, (message) => t.diagnostic(message));
  step.dispose();
});

test('two hundred steps made for validation batches of two sizes in turn hold no more than fifty', async (t) => {
  const batches = [1, 2, 3].map((count) => makeBatch(count, count));
  const samples = await watch(200, { settling: 50, every: 5 }, (round) => {
    const step = makeStep(smallUnet(), { validationBatchSize: 2 + (round % 2) });
    step.update(batches[1]!, 1e-4);
    for (const batch of batches.slice(0, 2 + (round % 2))) step.evaluate(batch);
    step.dispose();
    collectGarbage();
  });
  assertFlat(samples, (message) => t.diagnostic(message));
});
