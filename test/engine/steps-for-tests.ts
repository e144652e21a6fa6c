import { createRng } from '../../src/core/random.ts';
import type { Batch } from '../../src/data/batch.ts';
import { concatenateLayer, upSamplingLayer } from '../../src/engine/layers/convolution.ts';
import { Dropout } from '../../src/engine/layers/dropout.ts';
import { nameScopes } from '../../src/engine/layers/scopes.ts';
import { tf } from '../../src/engine/tf.ts';
import { buildLoss } from '../../src/losses/index.ts';
import {
  batchNormActivation,
  convolution,
  depthwiseConvolution,
  dropBranch,
  type Feature,
  grayToRgb,
} from '../../src/models/blocks.ts';
import { modelConfig } from '../../src/models/config.ts';
import { buildModel } from '../../src/models/index.ts';
import { buildOptimizer } from '../../src/optim/index.ts';
import { createStep, type StepOptions, type TrainStep } from '../../src/train/step.ts';

/** The side of every batch's images here: the smallest at which the deepest features of a U-Net are more than a pixel. */
export const SIDE = 64;

/** Noise, with a bright square where the mask is. */
export function makeBatch(seed: number, count = 2): Batch {
  const rng = createRng(seed, 'batch');
  const images = Uint8Array.from({ length: count * SIDE * SIDE }, () => rng.integer(0, 180));
  const masks = new Uint8Array(images.length);
  const inside = (place: number) => place % SIDE < SIDE / 3;
  for (let i = 0; i < images.length; i++) {
    if (!inside(i) || !inside(Math.floor(i / SIDE))) continue;
    masks[i] = 1;
    images[i]! += 75;
  }
  return { ids: Array.from({ length: count }, (_, i) => `${seed}-${i}`), count, resolution: SIDE, images, masks };
}

/** EfficientNet-B0 with the U-Net's decoder; `drop` is the rate of its dropout and its drop-connect. */
export function efficientNetUnet({ drop = 0 } = {}): tf.LayersModel {
  const config = modelConfig.parse({ encoder: 'efficientnet-b0', dropout: drop, drop_connect: drop });
  return buildModel(config, SIDE, 3);
}

/** A U-Net of one level with every kind of layer that the networks have, dropout of both kinds among them. */
export function smallUnet(): tf.LayersModel {
  const options = { seed: 1, normMomentum: 0.9 };
  const name = (part: string) => ({ norm: `${part}_bn`, activation: `${part}_activation` });
  const input = tf.input({ shape: [SIDE, SIDE, 1] });
  const rgb = grayToRgb(input, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]);
  const stem = convolution(rgb, 'stem', 8, 3, options);
  const skip = batchNormActivation(stem, name('stem'), 'swish', options);
  let deep = depthwiseConvolution(skip, 'deep_depthwise', 5, { ...options, strides: 2 });
  deep = batchNormActivation(deep, name('deep'), 'swish', options);
  const branch = dropBranch(convolution(deep, 'branch', 8, 1, { ...options, bias: 0 }), 'branch_drop', 0.25, options);
  deep = tf.layers.add({ name: 'branch_add' }).apply([branch, deep]) as Feature;
  const up = upSamplingLayer('up').apply(deep) as Feature;
  let x = concatenateLayer('concat').apply([up, skip]) as Feature;
  x = convolution(x, 'joined', 8, 3, options);
  x = batchNormActivation(x, name('joined'), 'relu', options);
  x = new Dropout({ name: 'drop', rate: 0.25, stream: 7 }).apply(x) as Feature;
  const model = tf.model({ inputs: input, outputs: convolution(x, 'logits', 1, 3, { ...options, bias: -1 }) });
  nameScopes(model);
  return model;
}

/** The step of a network with Adam and the sum of cross-entropy and Dice, one batch of two an update. */
export function makeStep(model: tf.LayersModel, options: Partial<StepOptions> = {}): TrainStep {
  const loss = buildLoss([
    { name: 'bce', weight: 1, pos_weight: 1 },
    { name: 'dice', weight: 1, smooth: 1, per: 'image' },
  ]);
  const adam = buildOptimizer({ name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
  const defaults: StepOptions = {
    execution: 'graph',
    batchSize: 2,
    validationBatchSize: 2,
    resolution: SIDE,
    accumulates: false,
    seed: 5,
    scalesLoss: false,
    rewrites: { train: [], predict: [] },
  };
  return createStep(model, loss, adam, { ...defaults, ...options });
}

/** The losses of updates by four batches in turn. */
export function train(step: TrainStep, updates: number, lr: number): number[] {
  return Array.from({ length: updates }, (_, update) => step.update(makeBatch(update % 4), lr));
}
