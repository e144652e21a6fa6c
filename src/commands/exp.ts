import { type Experiment, parseExperiment } from '../config/experiment.ts';
import { readSettings, type Settings } from '../config/settings.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import type { FoldsContext } from '../jobs/train-folds.ts';
import { isAverage } from '../models/checkpoint.ts';
import { findRun } from '../tracking/runs.ts';
import { checkPlannedLineage } from '../train/contamination.ts';
import { type DryRunResult, dryRun } from '../train/dry-run.ts';
import { findEncoderFile } from '../train/initial-weights.ts';
import { findResumed, type ResumeWish, resultOf } from '../train/resume.ts';
import type { RunResult } from '../train/run-experiment.ts';
import { type ShownAugment, showAugment } from '../train/show-augment.ts';
import { superviseRun } from '../train/supervise-run.ts';
import type { Command, CommandResult } from './command.ts';
import { trainAllFolds } from './exp-folds.ts';
import { readUnit, takeUnit, type Unit } from './exp-unit.ts';
import { preparePhantom } from './prepare-phantom.ts';
import { readSwitch } from './values.ts';

/** `npm run exp <experiment.yml> [more.yml …]`: train, several files in order. */
export const expCommand: Command = {
  name: 'exp',
  summary: 'train what an experiment file declares',
  usage: '<experiment.yml> [more.yml …] [key=value …]',
  keys: {
    dry_run: 'true: check everything, measure a step, tell memory and time, and stop',
    resume: 'last or a run: go on where it stands, to the bit; last begins what has not begun',
    fork: 'true: go on by a new run, whose configuration may be another',
    retry: 'failed: with data.fold=all, go on with the folds that failed',
    run: 'the id of the run: begins it, goes on with it where it stands, or says that it has finished',
    sweep: 'with run: the sweep that it is a unit of',
    until_epoch: 'stop after that epoch, saved, to be gone on with (exit code 75)',
    show_augment: 'true: write a sheet of augmented training images to look at, and stop',
  },
  overrides: true,
  run: async ({ words, values: typed, cwd, signal }, terminal) => {
    const { dry_run: dry, show_augment: show, resume, fork, retry, run, sweep, until_epoch, ...others } = typed;
    const [dryRuns, shows] = [readSwitch('dry_run', dry), readSwitch('show_augment', show)];
    if (words.length === 0) throw new UserError('Name an experiment: `npm run exp experiments/quickstart.yml`.');
    const wish = readWish(resume, fork, words);
    const all = others['data.fold'] === 'all';
    const unit = readUnit({ run, sweep, until_epoch }, { alone: words.length === 1 && !all, wish });
    const takeUp = readTakeUp(all, wish, retry);
    // What is only looked at is looked at in the first fold.
    const values = all ? { ...others, 'data.fold': '0' } : others;
    if (shows) return await showAll(words, values, { cwd, signal }, terminal);
    const settings = await readSettings(cwd);
    if (all && !dryRuns) return await trainAllFolds(words, values, { cwd, settings, signal, takeUp }, terminal);
    // All files are checked before the first one runs: a mistake in the last one shows now, not tomorrow.
    await checkChain(words, values, { ...settings, cwd });
    if (dryRuns) return await dryRunAll(words, values, { cwd, settings, signal }, terminal);
    const results: RunResult[] = [];
    const earlier = new Map<string, string>();
    for (const file of words) {
      const experiment = await parseExperiment(file, values, cwd);
      await preparePhantom(experiment, { cwd, signal }, terminal);
      const place = { runsDir: settings.runsDir, cwd, signal };
      const resumed =
        wish === undefined
          ? await takeUnit(experiment, unit, place, terminal)
          : await findResumed(experiment, wish, place);
      const context = { file, cwd, settings, signal, earlier, resume: resumed, ...unit };
      const done = resumed?.finished === true && !resumed.fork;
      if (done) terminal.say(`${resumed.runId} has finished: nothing is left to do`);
      const result = done ? resultOf(resumed) : await superviseRun(experiment, context, terminal);
      results.push(result);
      earlier.set(experiment.name, result.run_id);
      speak(result, unit, terminal);
      if (result.status !== 'FINISHED') break;
    }
    const shown = results.map(toJson);
    const json = shown.length === 1 ? shown[0]! : { ...shown.at(-1)!, runs: shown };
    return results.at(-1)!.status === 'RUNNING' ? { json, exitCode: 75 } : { json };
  },
};

/** Every file's sheet of augmented images, in order; the JSON of several is the last one's with all of them as `runs`. */
async function showAll(
  files: readonly string[],
  values: Readonly<Record<string, string>>,
  context: { cwd: string; signal: AbortSignal },
  terminal: Terminal,
): Promise<CommandResult> {
  const experiments: Experiment[] = [];
  for (const file of files) experiments.push(await parseExperiment(file, values, context.cwd));
  const shown: ShownAugment[] = [];
  for (const experiment of experiments) {
    await preparePhantom(experiment, context, terminal);
    shown.push(await showAugment(experiment, context, terminal));
  }
  terminal.say(`\nNext: the same command without show_augment=true.`);
  return { json: shown.length === 1 ? { ...shown[0]! } : { ...shown.at(-1)!, runs: shown } };
}

/** What `resume` and `fork` ask for; undefined where every file begins anew. */
function readWish(resume: string | undefined, fork: string | undefined, files: readonly string[]) {
  const wish = { resume: resume ?? '', fork: readSwitch('fork', fork) };
  if (resume === undefined && !wish.fork) return undefined;
  if (resume === undefined) throw new UserError(expected('resume=<run> with fork=true', 'resume', 'none'));
  if (resume === 'last' || files.length === 1) return wish;
  throw new UserError(expected('resume=last with several files', 'resume', resume, 'Or name one file.'));
}

/** What `resume` or `retry` ask for of all folds; undefined where they begin anew. */
function readTakeUp(all: boolean, wish: ResumeWish | undefined, retry: string | undefined): FoldsContext['takeUp'] {
  if (retry !== undefined && retry !== 'failed') throw new UserError(expected('failed', 'retry', retry));
  if (retry !== undefined && !all)
    throw new UserError(expected('data.fold=all with retry=failed', 'data.fold', 'one fold'));
  if (!all) return undefined;
  if (wish !== undefined && (wish.resume !== 'last' || wish.fork)) {
    throw new UserError(expected('resume=last with data.fold=all', 'resume', wish.fork ? 'fork=true' : wish.resume));
  }
  if (retry !== undefined) return 'failed';
  return wish === undefined ? undefined : 'unfinished';
}

/** Every file's dry run, in order; the JSON of several is the last one's with all of them as `runs`. */
async function dryRunAll(
  files: readonly string[],
  values: Readonly<Record<string, string>>,
  context: { cwd: string; settings: Settings; signal: AbortSignal },
  terminal: Terminal,
): Promise<CommandResult> {
  const shown: DryRunResult[] = [];
  for (const file of files) {
    const experiment = await parseExperiment(file, values, context.cwd);
    const earlier = new Set(shown.map(({ name }) => name));
    shown.push(await dryRun(experiment, { ...context, earlier }, terminal));
  }
  terminal.say(`\nNext: the same command without dry_run=true.`);
  return { json: shown.length === 1 ? { ...shown[0]! } : { ...shown.at(-1)!, runs: shown } };
}

/** All files are right; what a later one starts from is there or comes before it, and was not trained on its validation. */
async function checkChain(
  files: readonly string[],
  values: Readonly<Record<string, string>>,
  { cwd, runsDir, cacheDir }: { cwd: string; runsDir: string; cacheDir: string },
): Promise<void> {
  const experiments: Experiment[] = [];
  for (const file of files) {
    const experiment = await parseExperiment(file, values, cwd);
    const { init } = experiment;
    if (init?.from !== undefined && !experiments.some(({ name }) => name === init.from))
      await findRun(runsDir, init.from);
    if (init?.encoder !== undefined) findEncoderFile(init.encoder, experiment.model.encoder, { cwd, cacheDir });
    experiments.push(experiment);
  }
  await checkPlannedLineage(experiments, { cwd, runsDir });
}

function speak(
  { run_id, run_dir, status, chosen, mlflow_run_id, tracking_uri }: RunResult,
  unit: Unit,
  terminal: Terminal,
): void {
  if (chosen !== undefined) {
    terminal.say(`\ncheckpoint ${chosen.id} on the validation images:`);
    for (const [name, value] of Object.entries(chosen.metrics))
      terminal.say(`  ${name.padEnd(20)} ${value.toFixed(4)}`);
  }
  terminal.say(`\nrun          ${run_id} ${status}`);
  terminal.say(`files        ${run_dir}`);
  if (mlflow_run_id !== undefined) terminal.say(`MLflow       ${tracking_uri}, run ${mlflow_run_id}`);
  const how = unit.runId === undefined ? 'the same command with resume=last' : 'the same command';
  const further = unit.untilEpoch === undefined ? '' : ', as far as until_epoch says';
  if (status !== 'FINISHED') terminal.say(`Next: ${how} goes on with it${further}.`);
  if (chosen === undefined) return;
  const checkpoint = isAverage(chosen.id) ? chosen.id : 'best-dice';
  const member = `{run: ${run_id}, checkpoint: ${checkpoint}, weight: 1}`;
  terminal.say(`Next: npm run submit submissions/quickstart.yml stage=1 'members=[${member}]'`);
}

function toJson({ chosen, ...result }: RunResult) {
  return { ...result, checkpoint: chosen?.id, metrics: chosen?.metrics };
}
