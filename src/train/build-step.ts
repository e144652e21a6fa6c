import type { Experiment } from '../config/experiment.ts';
import { expected, UserError } from '../core/errors.ts';
import { lowPrecision } from '../engine/graph/low-precision.ts';
import { recompute } from '../engine/graph/recompute.ts';
import type { Rewrite } from '../engine/graph/rewrite.ts';
import { buildLoss } from '../losses/index.ts';
import { buildModel } from '../models/index.ts';
import { recomputedRegion } from '../models/stages.ts';
import { buildOptimizer } from '../optim/index.ts';
import { createStep, type TrainStep } from './step.ts';

export type StepKeys = Pick<
  Experiment,
  | 'model'
  | 'loss'
  | 'optimizer'
  | 'resolution'
  | 'execution'
  | 'precision'
  | 'seed'
  | 'batch_size'
  | 'validation_batch_size'
  | 'accumulation_steps'
> &
  Partial<Pick<Experiment, 'gradient_clip' | 'encoder_lr_factor' | 'freeze_encoder_epochs' | 'ema'>>;

/**
 * The network of an experiment, its loss and its optimizer, ready to run on the device that computes.
 * Throws UserError where the device cannot compute in the precision that is asked for.
 */
export function buildStep(experiment: StepKeys, device: 'cpu' | 'gpu'): TrainStep {
  const { model, loss, optimizer, resolution, execution, precision, seed } = experiment;
  const low = lowerPrecision(precision, device);
  const regionOf = (layer: string) => recomputedRegion(model.recompute, layer);
  return createStep(
    buildModel(model, resolution, seed),
    buildLoss(Array.isArray(loss) ? loss : [loss]),
    buildOptimizer(optimizer),
    {
      execution,
      resolution,
      seed,
      batchSize: experiment.batch_size,
      validationBatchSize: experiment.validation_batch_size,
      accumulates: experiment.accumulation_steps > 1,
      averages: experiment.ema !== undefined,
      freezes: (experiment.freeze_encoder_epochs ?? 0) > 0,
      gradientClip: experiment.gradient_clip,
      encoderLrFactor: experiment.encoder_lr_factor ?? 1,
      scalesLoss: precision === 'mixed_float16',
      rewrites: { train: [...(model.recompute === false ? [] : [recompute(regionOf)]), ...low], predict: low },
    },
  );
}

/** On a GPU activations are kept in 16 bits too; a processor has fast products in bfloat16, and nothing else. */
function lowerPrecision(precision: Experiment['precision'], device: 'cpu' | 'gpu'): Rewrite[] {
  if (precision === 'float32') return [];
  if (precision === 'mixed_float16' && device === 'cpu') {
    const next = 'Use mixed_bfloat16 here: it has the range of float32 and needs no loss scaling.';
    throw new UserError(expected('float32 or mixed_bfloat16 on the processor', 'precision', precision, next));
  }
  const type = precision === 'mixed_float16' ? 'float16' : 'bfloat16';
  return [lowPrecision({ type, extent: device === 'gpu' ? 'activations' : 'products' })];
}
