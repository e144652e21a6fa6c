import type { NamedTensors } from '../core/safetensors.ts';
import type { Batch } from '../data/batch.ts';
import { createProgram } from '../engine/graph/program.ts';
import { tf } from '../engine/tf.ts';
import { applyModel } from '../models/apply-model.ts';
import { foldBatchNorm } from '../models/fold-batch-norm.ts';
import { namedVariables, setWeights } from '../models/weights.ts';
import { sideOf, type TtaView, viewOf } from './tta.ts';

/** Means over the views, in [0, 1]. */
export interface Prediction {
  /** Of the pixels, [N,R,R]. */
  probabilities: Float32Array;
  /** Of each image having a mask, [N]; undefined where the network has no presence head. */
  presence: Float32Array | undefined;
}

/** A network compiled for prediction alone, batch normalization folded into its convolutions. */
export interface Predictor {
  /** Of a batch of up to the size it was made for. */
  predict(batch: Pick<Batch, 'images' | 'count'>): Prediction;
  dispose(): void;
}

export interface PredictorOptions {
  batchSize: number;
  resolution: number;
  tta: readonly TtaView[];
}

/**
 * Compiles a network with these weights for prediction. Views of another size have networks of their own, with the same weights.
 * Throws when a weight is missing or of another shape; `where` says whose weights they are.
 * @param build makes the network for images of a side
 */
export function createPredictor(
  build: (side: number) => tf.LayersModel,
  weights: NamedTensors,
  { batchSize, resolution, tta }: PredictorOptions,
  where: string,
): Predictor {
  const sides = [...new Set(tta.map((view) => sideOf(view, resolution)))];
  const models = new Map(sides.map((side) => [side, folded(build(side), weights, where)]));
  const variables = [...models].flatMap(([side, model]) =>
    namedVariables(model).map((entry) => ({ ...entry, name: `${side}/${entry.name}` })),
  );
  const program = createProgram(variables);
  const input = { shape: [batchSize, resolution, resolution, 1], dtype: 'uint8' as const };
  program.define('predict', { images: input }, ({ images }) => {
    const pixels = images!.toFloat() as tf.Tensor4D;
    const views = tta.map((name) => {
      const view = viewOf(name, resolution);
      const { masks, presence } = applyModel(models.get(view.side)!, view.see(pixels), false);
      return { probabilities: view.back(tf.sigmoid(masks)), presence: presence && tf.sigmoid(presence) };
    });
    const presences = views.flatMap(({ presence }) => presence ?? []);
    const probabilities = meanOf(views.map((view) => view.probabilities));
    return { probabilities, ...(presences.length === 0 ? {} : { presence: meanOf(presences) }) };
  });
  program.load();
  const area = resolution * resolution;
  return {
    predict: ({ images, count }) => {
      // A last batch may be smaller than the graph's: what is missing is filled with zeros and left out again.
      const full = count === batchSize ? images : new Uint8Array(batchSize * area);
      if (count !== batchSize) full.set(images);
      const { probabilities, presence } = program.run('predict', { images: full }) as Record<string, Float32Array>;
      return { probabilities: probabilities!.subarray(0, count * area), presence: presence?.subarray(0, count) };
    },
    dispose: () => {
      program.dispose();
      for (const model of models.values()) model.dispose();
    },
  };
}

/** A network with these weights, batch normalization in its convolutions. */
function folded(model: tf.LayersModel, weights: NamedTensors, where: string): tf.LayersModel {
  setWeights(model, weights, where);
  setWeights(model, foldBatchNorm(model, weights), where);
  return model;
}

function meanOf(tensors: readonly tf.Tensor[]): tf.Tensor {
  return tensors.length === 1 ? tensors[0]! : tf.addN([...tensors]).div(tensors.length);
}
