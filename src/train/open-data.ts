import type { Experiment } from '../config/experiment.ts';
import { resolvePath } from '../config/paths.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import type { Dataset } from '../data/dataset.ts';
import { type FoldSplit, readFolds, splitFold } from '../data/folds.ts';
import { compareLabels } from '../data/folds-record.ts';
import { openDataset } from '../data/open-dataset.ts';
import { needsEmpties } from '../data/sampler.ts';

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
  const { normalisation } = data;
  const extra = data.extra.map(({ root, labels, weight }) => ({
    root: resolvePath(root, cwd),
    ...(labels === undefined ? {} : { labels: resolvePath(labels, cwd) }),
    weight,
  }));
  const options = { root: resolvePath(data.root, cwd), resolution, normalisation, extra, signal };
  const dataset = await openDataset(options, terminal);
  const own = dataset.images.filter(({ weight }) => weight === undefined);
  const path = resolvePath(data.folds, cwd);
  const rows = await readFolds(path);
  const split = splitFold(rows, own, data.fold);
  await compareLabels(path, rows, own, terminal);
  // Extra images come behind the own ones and are only ever trained on.
  for (let index = own.length; index < dataset.images.length; index++) split.train.push(index);
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
  const { sampler } = data;
  const empties = train.length - positives;
  if (sampler !== undefined && (positives === 0 || (empties === 0 && needsEmpties(sampler)))) {
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
