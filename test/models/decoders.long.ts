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
import { deviation } from '../engine/compare.ts';
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
  const moments = [...step.readOptimizer().slots].filter(([name]) => name.endsWith('/m'));
  const { kernels } = step;
  step.dispose();
  return { loss, gradients: moments.flatMap(([, { data }]) => [...data]), kernels };
}

for (const decoder of DECODERS) {
  for (const [what, choices] of Object.entries(CHOICES)) {
    test(`${decoder} keeps the contract: ${what}`, () => {
      checkTraining(() => buildSmall(decoder, choices), what);
    });
  }

  test(`${decoder} has the same gradients where its stages are computed again, and nearly so in bfloat16`, () => {
    for (const choices of [{}, CHOICES['attention, up-sampling to the nearest, group norm']!]) {
      const plain = trainOnce(decoder, choices, []);
      const again = trainOnce(decoder, choices, [recompute((layer) => recomputedRegion(true, layer))]);
      assert.ok(again.kernels > plain.kernels);
      assert.ok(deviation([again.loss], [plain.loss]) <= 1e-6);
      assert.ok(deviation(again.gradients, plain.gradients) <= 1e-5);
      const low = trainOnce(decoder, choices, [lowPrecision({ type: 'bfloat16', extent: 'products' })]);
      assert.ok(low.kernels > plain.kernels);
      assert.ok(deviation([low.loss], [plain.loss]) <= 0.02);
      assert.ok(low.gradients.every(Number.isFinite));
    }
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
