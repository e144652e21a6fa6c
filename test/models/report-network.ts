import { readFileSync } from 'node:fs';
import type { Batch } from '../../src/data/batch.ts';
import type { tf } from '../../src/engine/tf.ts';
import { modelConfig } from '../../src/models/config.ts';
import { buildModel } from '../../src/models/index.ts';
import { readWeights, setWeights } from '../../src/models/weights.ts';
import { formulaWeights, uniform } from './formula.ts';

/** What Keras makes of the report's network (golden/report-network.py). */
export const golden = JSON.parse(readFileSync(new URL('../golden/report-network.json', import.meta.url), 'utf8')) as {
  side: number;
  count: number;
  lr: number;
  parameters: number;
  /** Of the first images of the batch, by the moving statistics. */
  logits: number[];
  /** Of one update after another by the same batch. */
  losses: number[];
};

/** The same images and masks: noise, brighter in a square that is the mask. */
export function goldenBatch(): Batch {
  const { side, count } = golden;
  const noise = uniform('images', count * side * side);
  const masks = Uint8Array.from(noise, (_, i) => {
    const [image, row, column] = [Math.floor(i / side / side), Math.floor(i / side) % side, i % side];
    return Number(row >= 8 * image && row < 8 * image + 20 && column >= 10 && column < 30 + 4 * image);
  });
  const images = Uint8Array.from(noise, (u, i) => Math.floor(80 * (u + 1)) + 90 * masks[i]!);
  return { ids: Array.from({ length: count }, (_, i) => `${i}`), count, resolution: side, images, masks };
}

/** The network with the same weights, without dropout. */
export function buildReportNetwork(): tf.LayersModel {
  const config = modelConfig.parse({ encoder: 'efficientnet-b4', decoder: 'simplified-unetpp', dropout: 0 });
  const model = buildModel(config, golden.side, 1);
  const weights = readWeights(model);
  const input = [...weights].filter(([name]) => name.startsWith('gray_to_rgb/'));
  setWeights(model, new Map([...formulaWeights(weights), ...input]), 'the formula');
  return model;
}
