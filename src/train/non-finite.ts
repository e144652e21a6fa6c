import { basename, join } from 'node:path';
import type { Experiment } from '../config/experiment.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { messageOf } from '../core/errors.ts';
import type { Batch } from '../data/batch.ts';
import type { Journal } from '../tracking/journal.ts';
import { findNonFiniteLayer, type LayerReport } from './find-non-finite-layer.ts';
import type { Checkpoints } from './keep-checkpoints.ts';
import { checkpointIdOf, type Progress } from './progress.ts';
import type { TrainStep } from './step.ts';
import type { NonFinite } from './step-state.ts';

/** In a run's folder: where training came to something that is no number. */
export const NON_FINITE_FILE = 'non-finite.json';

/** What a run works with that ends so. */
interface Ending {
  runDir: string;
  experiment: Experiment;
  step: TrainStep;
  checkpoints: Checkpoints;
  journal: Journal;
}

/**
 * Ends training that has come to too many batches in a row whose loss or gradients are no numbers: saves the weights, which none
 * of them has touched, and writes the last batch's ids and the layer where it arose to `non-finite.json`. Always throws.
 */
export async function endAtNonFinite(
  { runDir, experiment, step, checkpoints, journal }: Ending,
  batch: Batch,
  progress: Progress,
): Promise<never> {
  const broken = step.nonFinite()!;
  await checkpoints.saveState(progress);
  const layer = look(experiment, step, batch, broken);
  const { epoch, update, batch: place } = progress;
  const report = { epoch: epoch + 1, batch: place, update, ids: batch.ids, ...toJson(broken), layer };
  await writeFileAtomic(join(runDir, NON_FINITE_FILE), `${JSON.stringify(report, null, 2)}\n`);
  journal.artifact(NON_FINITE_FILE, NON_FINITE_FILE);
  const run = basename(runDir);
  const next = [
    `In the last one ${describeNonFinite(broken)}; ${describeLayer(layer, broken)}.`,
    `Its images: ${batch.ids.join(', ')}. All of it is in ${NON_FINITE_FILE}.`,
    `Checkpoint ${checkpointIdOf(progress)} holds the weights from before them: go on with resume=${run} fork=true and a lower`,
    'lr_schedule.lr, a warm-up or gradient_clip; or, where these are spoilt already, from an earlier one by init.from.',
  ].join(' ');
  throw new Error(
    `Expected a finite loss and gradients for training (nan_tolerance ${experiment.nan_tolerance}) but received ` +
      `${progress.broken} batches in a row without. ${next}`,
  );
}

/** What was no number, as a part of a sentence. */
export function describeNonFinite({ loss, gradients }: Pick<NonFinite, 'loss' | 'gradients'>): string {
  const [first] = gradients;
  const more = gradients.length > 1 ? ` and of ${gradients.length - 1} more weights` : '';
  const ofWeights = first === undefined ? '' : `the gradient of ${first}${more} is no number`;
  if (!Number.isFinite(loss)) return `the loss is ${loss}`;
  return ofWeights === '' ? 'a gradient overflowed in float16' : ofWeights;
}

function describeLayer(layer: LayerReport | string, { gradients }: NonFinite): string {
  if (typeof layer === 'string') return layer;
  if (layer.layer !== undefined) {
    const { min, max } = layer.input;
    return `it arose in layer ${layer.layer}, from inputs of ${figure(min)} to ${figure(max)}`;
  }
  const last = gradients.at(-1);
  const where = last === undefined ? 'in the loss itself' : `on the way back, at ${last}`;
  return `in float32 every layer’s output is a number, so it arose ${where}`;
}

/** The eager pass needs memory that may not be there: what went wrong in the first place must be said all the same. */
function look(experiment: Experiment, step: TrainStep, batch: Batch, { seed }: NonFinite): LayerReport | string {
  try {
    return findNonFiniteLayer(experiment, step.readWeights(), batch, seed);
  } catch (error) {
    return `the layer could not be found (${messageOf(error)})`;
  }
}

/** JSON has no NaN and no infinities. */
function toJson({ loss, gradients }: NonFinite) {
  return { loss: Number.isFinite(loss) ? loss : String(loss), gradients };
}

function figure(value: number | undefined): string {
  return value === undefined ? 'nothing' : value.toPrecision(3);
}
