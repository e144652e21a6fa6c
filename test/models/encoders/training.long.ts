import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { recompute } from '../../../src/engine/graph/recompute.ts';
import { modelConfig } from '../../../src/models/config.ts';
import { ENCODERS, type EncoderName } from '../../../src/models/encoders/names.ts';
import { buildModel } from '../../../src/models/index.ts';
import { recomputedRegion } from '../../../src/models/stages.ts';
import { readWeights } from '../../../src/models/weights.ts';
import type { StepOptions } from '../../../src/train/step.ts';
import { assertWithin } from '../../engine/compare.ts';
import { loadForTests } from '../../engine/load-for-tests.ts';
import { makeBatch, makeStep, SIDE } from '../../engine/steps-for-tests.ts';

before(loadForTests);

/** One of each family, and both kinds of block of ResNet; the larger ones have the same layers and more of them. */
const TRAINED: readonly EncoderName[] = ['efficientnet-lite0', 'resnet18', 'seresnext50-32x4d'];

function train(encoder: EncoderName, options: Partial<StepOptions>) {
  const config = modelConfig.parse({ encoder, norm_momentum: 0.9, drop_connect: 0.2 });
  const step = makeStep(buildModel(config, SIDE, 3), options);
  // The same batch again and again: its loss goes down.
  const losses = [0, 1, 2, 3].map(() => step.update(makeBatch(1), 1e-3));
  const { kernels } = step;
  const { loss } = step.evaluate(makeBatch(1));
  step.dispose();
  return { losses, loss, kernels };
}

for (const encoder of TRAINED) {
  test(`a U-Net of ${encoder} learns, to the bit the same when it is trained again, and as kernel by kernel or recomputing`, () => {
    const [graph, eager] = (['graph', 'eager'] as const).map((execution) => train(encoder, { execution }));
    const { losses } = graph!;
    assert.ok(losses.at(-1)! < losses[0]!, losses.join());
    assertWithin(1e-5, losses.slice(0, 1), eager!.losses.slice(0, 1), 'the first loss');
    assertWithin(1e-2, losses, eager!.losses, 'losses');
    assert.deepEqual(train(encoder, { execution: 'graph' }), graph);
    const region = (layer: string) => recomputedRegion(true, layer);
    const recomputed = train(encoder, { rewrites: { train: [recompute(region)], predict: [] } });
    assert.ok(recomputed.kernels > graph!.kernels, `${recomputed.kernels} and ${graph!.kernels} kernels`);
    assert.deepEqual(recomputed.losses, losses);
  });
}

test('every encoder can be chosen', () => {
  for (const encoder of ENCODERS) assert.equal(modelConfig.parse({ encoder }).encoder, encoder);
});

test('a network’s weights are the same at every resolution, so that runs go on from one another', () => {
  const shapesAt = (encoder: EncoderName, decoder: string, side: number) => {
    const model = buildModel(modelConfig.parse({ encoder, decoder }), side, 1);
    const shapes = [...readWeights(model)].map(([name, { shape }]) => `${name} ${shape}`);
    model.dispose();
    return shapes;
  };
  for (const encoder of [...TRAINED, 'efficientnet-b0'] as const) {
    assert.deepEqual(shapesAt(encoder, 'unet', 96), shapesAt(encoder, 'unet', 32));
  }
  const unetpp = [96, 32].map((side) => shapesAt('efficientnet-b0', 'simplified-unetpp', side));
  assert.deepEqual(unetpp[0], unetpp[1]);
});
