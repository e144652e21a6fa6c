import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { lowPrecision } from '../../src/engine/graph/low-precision.ts';
import { recompute } from '../../src/engine/graph/recompute.ts';
import type { Rewrite } from '../../src/engine/graph/rewrite.ts';
import { type ModelConfig, modelConfig } from '../../src/models/config.ts';
import { DECODERS, type DecoderName } from '../../src/models/decoders/choices.ts';
import type { EncoderName } from '../../src/models/encoders/names.ts';
import { buildModel } from '../../src/models/index.ts';
import { recomputedRegion } from '../../src/models/stages.ts';
import { namedVariables } from '../../src/models/weights.ts';
import { assertWithin } from '../engine/compare.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { makeBatch, makeStep, SIDE } from '../engine/steps-for-tests.ts';
import { buildSmall, CHOICES, type Choices } from './small-networks.ts';
import { checkGradients, checkTraining } from './training-contract.ts';

before(loadForTests);

const build = (keys: Partial<ModelConfig>) => buildModel(modelConfig.parse({ norm_momentum: 0.9, ...keys }), SIDE, 3);

/** The first loss, and what Adam keeps of the first gradients, of the training graph after a pass. */
function trainOnce(decoder: DecoderName, choices: Choices, train: Rewrite[]) {
  const step = makeStep(buildSmall(decoder, choices), { rewrites: { train, predict: [] } });
  const loss = step.update(makeBatch(0), 1e-3);
  const moments = [...step.readState().arrays].filter(([name]) => name.endsWith('/m'));
  const { kernels } = step;
  step.dispose();
  return { loss, gradients: moments.flatMap(([, { data }]) => [...data]), kernels };
}

/** How far two gradients point the same way, from −1 to 1. */
function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

for (const decoder of DECODERS) {
  for (const [what, choices] of Object.entries(CHOICES)) {
    test(`${decoder} keeps the contract: ${what}`, () => {
      checkTraining(() => buildSmall(decoder, choices), what);
    });
  }

  test(`${decoder} has the same gradients where its stages are computed again`, () => {
    const plain = trainOnce(decoder, {}, []);
    const again = trainOnce(decoder, {}, [recompute((layer) => recomputedRegion(true, layer))]);
    assert.ok(again.kernels > plain.kernels);
    assertWithin(1e-6, [again.loss], [plain.loss], 'the loss');
    assertWithin(1e-5, again.gradients, plain.gradients, 'a gradient');
  });

  test(`${decoder} has nearly the same gradients in bfloat16, with group norm and attention`, () => {
    const choices: Choices = { norm: 'group', attention: 'scse' };
    const plain = trainOnce(decoder, choices, []);
    const low = trainOnce(decoder, choices, [lowPrecision({ type: 'bfloat16', extent: 'products' })]);
    assert.ok(low.kernels > plain.kernels);
    assertWithin(0.02, [low.loss], [plain.loss], 'the loss');
    assert.ok(cosine(low.gradients, plain.gradients) > 0.8);
  });

  for (const encoder of ['efficientnet-b0', 'efficientnet-lite0', 'resnet18', 'seresnext50-32x4d'] as const) {
    if (!modelConfig.safeParse({ encoder, decoder }).success) continue;
    test(`${decoder} on ${encoder} trains a compiled step`, () => {
      const step = makeStep(build({ encoder, decoder }));
      assert.ok(Number.isFinite(step.update(makeBatch(0), 1e-4)));
      checkGradients(step);
      step.dispose();
    });
  }
}

const { parameters } = JSON.parse(readFileSync(new URL('../golden/decoders-torch.json', import.meta.url), 'utf8')) as {
  parameters: Record<EncoderName, Record<string, number>>;
};
for (const [encoder, byDecoder] of Object.entries(parameters)) {
  for (const [name, wanted] of Object.entries(byDecoder)) {
    test(`${name} on ${encoder} has as many weights as segmentation_models.pytorch trains`, () => {
      const [decoder, attention = 'none'] = name.split(' ');
      const model = build({ encoder, decoder, attention } as Partial<ModelConfig>);
      const trained = namedVariables(model).filter(({ trainable }) => trainable);
      assert.equal(
        trained.reduce((sum, { variable }) => sum + variable.size, 0),
        wanted,
      );
      model.dispose();
    });
  }
}
