import { type Experiment, parseExperiment } from '../config/experiment.ts';
import type { Settings } from '../config/settings.ts';
import type { Terminal } from '../core/terminal.ts';
import { experimentOfFold, listFolds, nameOfFold } from '../jobs/fold-experiments.ts';
import { findFoldsRun } from '../jobs/folds-run.ts';
import { listPlaces } from '../jobs/places.ts';
import { type FoldOutcome, type FoldsContext, type FoldsResult, trainFolds } from '../jobs/train-folds.ts';
import { checkPlannedLineage } from '../train/contamination.ts';
import type { CommandResult } from './command.ts';
import { PHANTOM_FOLDS, preparePhantom } from './prepare-phantom.ts';

/** The surroundings of `npm run exp … data.fold=all`. */
interface FoldsCommand {
  cwd: string;
  settings: Settings;
  signal: AbortSignal;
  takeUp: FoldsContext['takeUp'];
}

/** `npm run exp <experiment.yml> [more.yml …] data.fold=all`: every fold of every file in order, a fold going on from its own. */
export async function trainAllFolds(
  files: readonly string[],
  values: Readonly<Record<string, string>>,
  { cwd, settings, signal, takeUp }: FoldsCommand,
  terminal: Terminal,
): Promise<CommandResult> {
  const experiments = await checkFolds(files, values, { cwd, settings, signal }, terminal);
  // Of a chain that failed the later files never began.
  if (takeUp === 'failed') await findFoldsRun(experiments[0]!.experiment, settings.runsDir);
  const results: FoldsResult[] = [];
  const earlier = new Map<string, string>();
  for (const [index, { experiment, folds }] of experiments.entries()) {
    const before = experiments.slice(0, index).map((one) => one.experiment.name);
    const places = await listPlaces(experiment.device, settings.foldProcesses);
    const context = { file: files[index]!, cwd, settings, signal, folds, takeUp, earlier, before, places };
    const result = await trainFolds(experiment, context, terminal);
    results.push(result);
    for (const { fold, run_id } of result.folds) {
      if (run_id !== undefined) earlier.set(nameOfFold(experiment.name, fold), run_id);
    }
    speak(experiment, result, terminal);
    if (result.status !== 'FINISHED') break;
  }
  const shown = results.map(toJson);
  const failed = results.some(({ status }) => status === 'FAILED');
  const json = shown.length === 1 ? shown[0]! : { ...shown.at(-1)!, runs: shown };
  return { json, exitCode: failed ? 1 : 0 };
}

/** All files and all their folds are right before the first one is trained: a mistake shows now, not tomorrow. */
async function checkFolds(
  files: readonly string[],
  values: Readonly<Record<string, string>>,
  { cwd, settings, signal }: Pick<FoldsCommand, 'cwd' | 'settings' | 'signal'>,
  terminal: Terminal,
): Promise<{ experiment: Experiment; folds: number[] }[]> {
  const experiments: { experiment: Experiment; folds: number[] }[] = [];
  for (const file of files) {
    const experiment = await parseExperiment(file, { ...values, 'data.fold': '0' }, cwd);
    await preparePhantom(experiment, { cwd, signal, folds: PHANTOM_FOLDS }, terminal);
    experiments.push({ experiment, folds: await listFolds(experiment, cwd) });
  }
  const names = experiments.map(({ experiment }) => experiment.name);
  for (const fold of new Set(experiments.flatMap(({ folds }) => folds))) {
    const ofFold = experiments.map(({ experiment }, index) =>
      experimentOfFold(experiment, fold, { before: names.slice(0, index), runsDir: settings.runsDir }),
    );
    await checkPlannedLineage(await Promise.all(ofFold), { cwd, runsDir: settings.runsDir });
  }
  return experiments;
}

function speak({ name }: Experiment, result: FoldsResult, terminal: Terminal): void {
  terminal.say(`\n${name}, by fold:`);
  const figure = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(4)).padStart(7);
  for (const outcome of result.folds) terminal.say(`  ${describe(outcome, figure)}`);
  for (const [key, value] of Object.entries(result.metrics)) terminal.say(`  ${key.padEnd(20)} ${value.toFixed(4)}`);
  terminal.say(`\nrun          ${result.run_id} ${result.status}`);
  terminal.say(`logs         ${result.run_dir}/fold-<n>.log`);
  if (result.mlflow_run_id !== undefined) {
    terminal.say(`MLflow       ${result.tracking_uri}, run ${result.mlflow_run_id}`);
  }
  if (result.status === 'FAILED')
    terminal.say('Next: the same command with retry=failed goes on with the folds that failed.');
  else if (result.status !== 'FINISHED') terminal.say('Next: the same command with resume=last goes on with it.');
  else terminal.say(`Next: npm run compare ${result.folds.map(({ run_id }) => run_id).join(' ')}`);
}

function describe(outcome: FoldOutcome, figure: (value: number | undefined) => string): string {
  const { fold, status, run_id, chosen, error } = outcome;
  const scores = `Dice ${figure(chosen?.metrics['val/dice'])}, on positives ${figure(chosen?.metrics['val/dice_positive'])}`;
  const why = error === undefined ? '' : `: ${error.split('\n')[0]}`;
  return `fold ${fold}  ${status.padEnd(8)}  ${chosen === undefined ? '' : `${scores}  `}${run_id ?? 'not begun'}${why}`;
}

function toJson({ folds, ...result }: FoldsResult): Record<string, unknown> {
  const shown = folds.map(({ chosen, ...fold }) => ({ ...fold, checkpoint: chosen?.id, metrics: chosen?.metrics }));
  return { ...result, folds: shown };
}
