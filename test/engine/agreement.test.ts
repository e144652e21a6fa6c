import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { recompute } from '../../src/engine/graph/recompute.ts';
import { tf } from '../../src/engine/tf.ts';
import { recomputedRegion } from '../../src/models/stages.ts';
import type { StepOptions } from '../../src/train/step.ts';
import { assertWithin, EXECUTIONS } from './compare.ts';
import { loadForTests } from './load-for-tests.ts';
import { efficientNetUnet, makeBatch, makeStep, smallUnet, train } from './steps-for-tests.ts';

before(loadForTests);

/** What tfjs holds. */
function takeStock() {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return { numTensors, numDataBuffers, numBytes };
}

/** Losses of a run, and what it ends with. */
function run(model: tf.LayersModel, updates: number, lr: number, options: Partial<StepOptions> = {}) {
  const step = makeStep(model, options);
  const losses = train(step, updates, lr);
  const result = { losses, weights: step.readWeights(), optimizer: step.readState(), kernels: step.kernels };
  step.dispose();
  return result;
}

/** Relative differences: of the first five losses at most `five`, of all at most `all`. */
function assertLossesAgree(graph: number[], eager: number[], { five, all }: { five: number; all: number }): void {
  graph.forEach((loss, update) => {
    const difference = Math.abs(loss - eager[update]!) / Math.abs(eager[update]!);
    const allowed = update < 5 ? five : all;
    assert.ok(difference <= allowed, `losses ${loss} and ${eager[update]} at update ${update} differ by ${difference}`);
  });
}

test('thirty updates of a small network give the same losses compiled and kernel by kernel', () => {
  const [graph, eager] = (['graph', 'eager'] as const).map(
    (execution) => run(smallUnet(), 30, 1e-3, { execution }).losses,
  );
  assertLossesAgree(graph!, eager!, { five: 1e-5, all: 1e-4 });
  assert.ok(graph!.at(-1)! < graph![0]! / 2, `${graph![0]} to ${graph!.at(-1)}`);
});

/*
 * From random weights Adam, which divides by the size of each gradient, makes of gradients that are all rounding updates of
 * size lr, and eighty normalizations by a few pixels' statistics make more of it: there two compiled runs whose first
 * weights differ by 1e-7 of themselves part as far as a compiled run and an eager one do (after thirty updates at lr 1e-4:
 * 9e-2 and 7e-2). So both go on from weights that have learnt for a while, where gradients are more than rounding: there the
 * losses, of a hundredth by then, are apart by 1.3e-3 of themselves at most.
 */
test('thirty updates of EfficientNet-B0 with U-Net give the same losses compiled and kernel by kernel', () => {
  const drop = 0.2;
  const { weights } = run(efficientNetUnet({ drop }), 40, 1e-3);
  const [graph, eager] = (['graph', 'eager'] as const).map((execution) => {
    const step = makeStep(efficientNetUnet({ drop }), { execution });
    step.writeWeights(weights);
    const losses = train(step, 30, 1e-4);
    step.dispose();
    return losses;
  });
  assertLossesAgree(graph!, eager!, { five: 1e-4, all: 5e-3 });
});

test("every parameter's gradient is the same compiled and kernel by kernel", () => {
  const [graph, eager] = (['graph', 'eager'] as const).map(
    (execution) => run(smallUnet(), 1, 1e-3, { execution }).optimizer.arrays,
  );
  // After one update Adam's first moment is a tenth of the gradient.
  const moments = [...eager!].filter(([name]) => name.endsWith('/m'));
  assert.equal(moments.length, 13);
  for (const [name, { data }] of moments) assertWithin(1e-5, graph!.get(name)!.data, data, `the gradient of ${name}`);
});

test('a compiled run repeats to the bit, and recomputing changes no bit of it', () => {
  const regionOf = (layer: string) => recomputedRegion(true, layer);
  const plain = run(efficientNetUnet({ drop: 0.2 }), 3, 1e-3);
  const again = run(efficientNetUnet({ drop: 0.2 }), 3, 1e-3);
  const rewrites = { train: [recompute(regionOf)], predict: [] };
  const recomputed = run(efficientNetUnet({ drop: 0.2 }), 3, 1e-3, { rewrites });
  assert.deepEqual(again, plain);
  assert.ok(recomputed.kernels > plain.kernels, `${recomputed.kernels} and ${plain.kernels} kernels`);
  assert.deepEqual({ ...recomputed, kernels: plain.kernels }, plain);
});

for (const execution of ['graph', 'eager'] as const) {
  test(`one call updates as accumulating and applying do, ${execution}`, () => {
    // Gathered gradients are multiplied by the images and divided again: exact for two, a rounding for three.
    for (const count of [2, 3]) {
      const [whole, parts] = [false, true].map((accumulates) =>
        makeStep(smallUnet(), { execution, batchSize: count, accumulates }),
      );
      const losses = [0, 1, 2].map((update) => {
        const batch = makeBatch(update, count);
        const gathered = parts!.accumulate(batch);
        parts!.apply(1e-3);
        return [whole!.update(batch, 1e-3), gathered];
      });
      for (const [loss, wanted] of losses) assertWithin(count === 2 ? 0 : 1e-6, [loss!], [wanted!], 'the loss');
      const wanted = parts!.readWeights();
      for (const [name, { data }] of whole!.readWeights()) {
        // A weight that began at zero has made three steps of lr: a rounding of the step is more of it.
        assertWithin(count === 2 ? 0 : 1e-5, data, wanted.get(name)!.data, `${name} by ${count} images`);
      }
      whole!.dispose();
      parts!.dispose();
    }
  });

  test(`nothing is left of steps that are disposed of, ${execution}`, () => {
    const before = takeStock();
    for (const validationBatchSize of [1, 3]) {
      const step = makeStep(smallUnet(), { execution, validationBatchSize });
      train(step, 1, 1e-3);
      step.evaluate(makeBatch(1, 1));
      step.dispose();
    }
    assert.deepEqual(takeStock(), before);
  });

  test(`nothing is left of updates and of fifty validations, smaller last batches among them, ${execution}`, () => {
    const step = makeStep(smallUnet(), { execution, validationBatchSize: 3 });
    train(step, 1, 1e-3);
    const before = takeStock();
    for (let round = 0; round < 50; round++) step.evaluate(makeBatch(round % 4, round % 5 === 4 ? 2 : 3));
    train(step, 3, 1e-3);
    assert.deepEqual(takeStock(), before);
    step.dispose();
  });

  test(`a function may give back what it is fed, ${execution}`, () => {
    const program = EXECUTIONS[execution]([]);
    program.define('f', { x: { shape: [2], dtype: 'float32' } }, ({ x }) => ({ y: x! }));
    program.load();
    assert.deepEqual([...program.run('f', { x: Float32Array.of(1, 2) }).y!], [1, 2]);
    program.dispose();
  });
}
