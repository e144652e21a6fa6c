import type { NamedTensors } from '../core/safetensors.ts';
import type { Batch } from '../data/batch.ts';
import { createProgram } from '../engine/graph/program.ts';
import { tf } from '../engine/tf.ts';
import { foldBatchNorm } from '../models/fold-batch-norm.ts';
import { namedVariables, setWeights } from '../models/weights.ts';
import { applyView, type TtaView } from './tta.ts';

/** A network compiled for prediction alone, batch normalization folded into its convolutions. */
export interface Predictor {
  /** Mean of the probabilities over the views, [N,R,R] float32, of a batch of up to the size it was made for. */
  predict(batch: Pick<Batch, 'images' | 'count'>): Float32Array;
  dispose(): void;
}

export interface PredictorOptions {
  batchSize: number;
  resolution: number;
  tta: readonly TtaView[];
}

/**
 * Compiles a network with these weights for prediction; the model is used up by it.
 * Throws when a weight is missing or of another shape; `where` says whose weights they are.
 */
export function createPredictor(
  model: tf.LayersModel,
  weights: NamedTensors,
  { batchSize, resolution, tta }: PredictorOptions,
  where: string,
): Predictor {
  setWeights(model, weights, where);
  setWeights(model, foldBatchNorm(model, weights), where);
  const program = createProgram(namedVariables(model));
  const input = { shape: [batchSize, resolution, resolution, 1], dtype: 'uint8' as const };
  program.define('predict', { images: input }, ({ images }) => {
    const pixels = images!.toFloat() as tf.Tensor4D;
    const views = tta.map((view) => {
      const logits = model.apply(applyView(view, pixels), { training: false }) as tf.Tensor4D;
      return applyView(view, tf.sigmoid(logits));
    });
    return { probabilities: views.length === 1 ? views[0]! : tf.addN(views).div(views.length) };
  });
  program.load();
  const area = resolution * resolution;
  return {
    predict: ({ images, count }) => {
      // A last batch may be smaller than the graph's: what is missing is filled with zeros and left out again.
      const full = count === batchSize ? images : new Uint8Array(batchSize * area);
      if (count !== batchSize) full.set(images);
      return (program.run('predict', { images: full }).probabilities as Float32Array).subarray(0, count * area);
    },
    dispose: () => {
      program.dispose();
      model.dispose();
    },
  };
}
