import type { Experiment } from '../config/experiment.ts';
import { resolvePath } from '../config/paths.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import type { Dataset } from '../data/dataset.ts';
import { type FoldSplit, readFolds, splitFold } from '../data/folds.ts';
import { openDataset } from '../data/open-dataset.ts';

/**
 * The images of an experiment at its resolution, and which of them it trains and validates on.
 * Throws UserError where data or folds are not there, do not fit one another, or do not do for the experiment.
 */
export async function openData(
  experiment: Experiment,
  { cwd, signal }: { cwd: string; signal: AbortSignal },
  terminal: Terminal,
): Promise<{ dataset: Dataset; split: FoldSplit }> {
  const { resolution, data } = experiment;
  const dataset = await openDataset({ root: resolvePath(data.root, cwd), resolution, signal }, terminal);
  const split = splitFold(await readFolds(resolvePath(data.folds, cwd)), dataset.images, data.fold);
  checkSplit(split, dataset, experiment, terminal);
  return { dataset, split };
}

/** Throws UserError where there is nothing to train on; says who takes no part. */
function checkSplit(
  { train, validation, unassigned }: FoldSplit,
  dataset: Dataset,
  experiment: Experiment,
  terminal: Terminal,
) {
  const { data, batch_size: batchSize } = experiment;
  if (train.length < batchSize) {
    throw new UserError(expected(`at least one batch of ${batchSize} training images`, data.folds, train.length));
  }
  const positives = train.filter((index) => dataset.images[index]!.truth!.length > 0).length;
  if (data.sampler !== undefined && (positives === 0 || positives === train.length)) {
    const where = 'data.sampler.positive_fraction';
    throw new UserError(
      expected('positive and empty training images', where, `${positives} of ${train.length} positive`),
    );
  }
  if (unassigned.length > 0) {
    terminal.warn(`${unassigned.length} labelled images are not in ${data.folds} and take no part.`);
  }
  terminal.say(`${train.length} images to train on, ${validation.length} to validate on (fold ${data.fold})`);
}
