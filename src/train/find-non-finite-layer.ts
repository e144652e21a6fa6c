import type { Experiment } from '../config/experiment.ts';
import type { NamedTensors } from '../core/safetensors.ts';
import type { Batch } from '../data/batch.ts';
import { withStepSeed } from '../engine/kernels/random.ts';
import { tf } from '../engine/tf.ts';
import { applyModel } from '../models/apply-model.ts';
import { buildModel } from '../models/index.ts';
import { setWeights } from '../models/weights.ts';

/** What an array holds. Extremes and mean are of its finite values; undefined where there are none. */
export interface ArrayStatistics {
  shape: number[];
  min: number | undefined;
  max: number | undefined;
  mean: number | undefined;
  /** Values that are infinite or no number. */
  non_finite: number;
}

/** The first layer, from the images on, whose output is not all numbers; no `layer` where every output is. */
export type LayerReport =
  | { layer: undefined; output: ArrayStatistics }
  | { layer: string; input: ArrayStatistics; output: ArrayStatistics; weights: Record<string, ArrayStatistics> };

/**
 * Runs a batch [N,R,R,1] forward through the network of an experiment, as in training but layer by layer and in float32, and says
 * where the first value arises that is no number.
 * @param seed what dropout draws from, [2]
 * Throws where weights do not fit, and what TensorFlow throws where memory runs out.
 */
export function findNonFiniteLayer(
  { model: config, resolution, seed: firstWeights }: Pick<Experiment, 'model' | 'resolution' | 'seed'>,
  weights: NamedTensors,
  { images, count }: Batch,
  seed: Int32Array,
): LayerReport {
  const model = buildModel(config, resolution, firstWeights);
  setWeights(model, weights, 'the network that is looked into');
  let found: LayerReport | undefined;
  for (const layer of model.layers) watch(layer, (report) => (found = report));
  let output: ArrayStatistics | undefined;
  try {
    tf.tidy(() => {
      const pixels = tf.tensor4d(Float32Array.from(images), [count, resolution, resolution, 1]);
      const { masks } = withStepSeed(tf.tensor1d(seed, 'int32'), () => applyModel(model, pixels, true));
      output = statisticsOf(masks);
    });
  } catch (error) {
    if (found === undefined) throw error;
  } finally {
    model.dispose();
  }
  return found ?? { layer: undefined, output: output! };
}

/** Ends the pass, by an error, at a layer whose output is not all numbers. */
function watch(layer: tf.layers.Layer, report: (found: LayerReport) => void): void {
  const call = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => {
    const outputs = call(inputs, kwargs);
    const [output] = [outputs].flat() as [tf.Tensor];
    if (output.dtype !== 'float32' || tf.tidy(() => output.isFinite().all().dataSync()[0]) === 1) return outputs;
    const named = layer.weights.map((weight) => [weight.originalName, statisticsOf(weight.read())] as const);
    report({
      layer: layer.name,
      input: statisticsOf([inputs].flat()[0] as tf.Tensor),
      output: statisticsOf(output),
      weights: Object.fromEntries(named),
    });
    throw new Error(`Expected numbers from ${layer.name}.`);
  };
}

function statisticsOf(tensor: tf.Tensor): ArrayStatistics {
  let [min, max, sum, finite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const value of tensor.dataSync()) {
    if (!Number.isFinite(value)) continue;
    [min, max, sum, finite] = [Math.min(min, value), Math.max(max, value), sum + value, finite + 1];
  }
  const known = finite === 0 ? { min: undefined, max: undefined, mean: undefined } : { min, max, mean: sum / finite };
  return { shape: [...tensor.shape], ...known, non_finite: tensor.size - finite };
}
