import { existsSync } from 'node:fs';
import type { Experiment } from '../config/experiment.ts';
import { resolvePath } from '../config/paths.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { readFolds } from '../data/folds.ts';
import { findRun } from '../tracking/runs.ts';
import type { EarlierRuns } from './initial-weights.ts';
import { readTrainedOn, type TrainedOn, trainedFurther, UNTRAINED } from './trained-on.ts';

/** Where a run's weights come from, as far as its validation is concerned. */
export interface Lineage {
  before: TrainedOn;
  /** What the run says of it: the run that it started from, and the marks of a validation that is not what it seems. */
  tags: Record<string, string>;
}

/**
 * What the weights that an experiment starts from were trained on, by the run of `init.from` and those before it.
 * Throws UserError where the experiment would validate on some of these images, unless it allows that; warns where it
 * does, and where a run before keeps no record.
 * @param validation the ids to validate on.
 */
export async function traceLineage(
  experiment: Experiment,
  validation: readonly string[],
  { runsDir, earlier }: { runsDir: string; earlier: EarlierRuns },
  terminal: Terminal,
): Promise<Lineage> {
  const { init } = experiment;
  if (init?.from === undefined) return { before: UNTRAINED, tags: {} };
  const run = await findRun(runsDir, earlier.get(init.from) ?? init.from);
  const before = await readTrainedOn(run);
  const count = refuseContamination(experiment, validation, run.run_id, before);
  const tags: Record<string, string> = { 'init.run_id': run.run_id };
  if (count > 0) {
    tags['validation.contaminated'] = String(count);
    terminal.warn(
      `${count} of the ${validation.length} validation images were trained on by ${run.run_id} or a run before it: ` +
        'the validation figures are flattered, and the run is marked (validation.contaminated).',
    );
  }
  if (before.unknown.length > 0) {
    tags['validation.unrecorded'] = before.unknown.join(', ');
    terminal.warn(
      `${before.unknown.join(', ')}: an earlier version trained this and kept no record of the images. Whether the run ` +
        'validates on some of them cannot be told; it is marked (validation.unrecorded).',
    );
  }
  return { before, tags };
}

/**
 * The same for files that will be trained in order, as far as their folds files tell before anything runs: a mistake in
 * the last one shows now. Throws UserError as traceLineage does.
 */
export async function checkPlannedLineage(
  experiments: readonly Experiment[],
  { runsDir, cwd }: { runsDir: string; cwd: string },
): Promise<void> {
  const planned = new Map<string, TrainedOn>();
  for (const experiment of experiments) {
    const { name, init, data } = experiment;
    let before = init?.from === undefined ? UNTRAINED : planned.get(init.from);
    before ??= await readTrainedOn(await findRun(runsDir, init!.from!));
    const path = resolvePath(data.folds, cwd);
    // Folds that will be drawn together with a phantom are not there yet: the run itself is held against them.
    const rows = existsSync(path) ? await readFolds(path) : [];
    const idsOf = (held: boolean) => rows.filter(({ fold }) => (fold === data.fold) === held).map((row) => row.imageId);
    refuseContamination(experiment, idsOf(true), init?.from ?? '', before);
    planned.set(name, trainedFurther(before, idsOf(false)));
  }
}

/** How many validation images were trained on. Throws UserError where there are any and the experiment does not allow it. */
function refuseContamination(
  { allow_contaminated_validation: allowed }: Experiment,
  validation: readonly string[],
  source: string,
  { images }: TrainedOn,
): number {
  const seen = new Set(images);
  const count = validation.filter((id) => seen.has(id)).length;
  if (count === 0 || allowed === true) return count;
  throw new UserError(
    expected(
      `validation images that ${source} and the runs before it were not trained on`,
      'init.from',
      `${count} of ${validation.length} that they were`,
      'Use the data.folds and data.fold of that run; or set allow_contaminated_validation: true, which marks this run.',
    ),
  );
}
