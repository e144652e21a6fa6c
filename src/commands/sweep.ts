import { join } from 'node:path';
import { parseExperiment } from '../config/experiment.ts';
import { readSettings, type Settings } from '../config/settings.ts';
import { formatConfig } from '../config/show-config.ts';
import { parseSweep, type Sweep } from '../config/sweep.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { createExecutor } from '../jobs/executors.ts';
import { type CheckedUnit, checkUnits, planUnits } from '../jobs/plan-sweep.ts';
import { startDriver } from '../jobs/start-driver.ts';
import { type SweepPlan, writePlan } from '../jobs/sweep-plan.ts';
import { makeRunDirectory } from '../train/run-folder.ts';
import type { Command } from './command.ts';
import { PHANTOM_FOLDS, preparePhantom } from './prepare-phantom.ts';
import { estimate } from './sweep-estimate.ts';
import { followAndTell } from './sweep-result.ts';
import { readSwitch } from './values.ts';

/** `npm run sweep <sweep.yml>`: many runs, on this machine, Ray or Slurm. */
export const sweepCommand: Command = {
  name: 'sweep',
  summary: 'train what a sweep’s file declares: many runs, here or on Ray or Slurm',
  usage: '<sweep.yml> [key=value …]',
  keys: {
    dry_run: 'true: check everything, list the units, estimate their time, and stop',
    follow: 'false: begin it and return; npm run jobs shows how it goes on',
  },
  overrides: true,
  run: async ({ words: [file], values, cwd, signal }, terminal) => {
    const { dry_run: dry, follow, ...overrides } = values;
    const [dryRuns, follows] = [readSwitch('dry_run', dry), readSwitch('follow', follow ?? 'true')];
    const settings = await readSettings(cwd);
    const sweep = await parseSweep(file!, overrides, cwd);
    if (!dryRuns) checkShared(sweep, settings);
    await prepare(sweep, { cwd, signal }, terminal);
    const { trials, units } = await checkUnits(sweep, { file: file!, cwd, runsDir: settings.runsDir });
    const executor = await createExecutor(sweep.jobs, { sweep: sweep.name, terminal });
    const context = { cwd, settings, signal, atOnce: executor.atOnce };
    if (dryRuns) return { json: await estimate(sweep, units, context, terminal) };
    await executor.check();
    const { runId, runDir } = await makeRunDirectory(sweep.name, settings.runsDir);
    const plan: SweepPlan = {
      format: 1,
      name: sweep.name,
      run_id: runId,
      file: file!,
      cwd,
      experiment: units[0]!.experiment.mlflow_experiment,
      trials,
      units: planUnits(units, runId),
      jobs: sweep.jobs,
      retries: sweep.retries,
      ...(sweep.halving === undefined ? {} : { halving: sweep.halving }),
    };
    await writeFileAtomic(join(runDir, 'config.yml'), formatConfig(sweep));
    await writePlan(runDir, plan, { ...process.env, PNEUMOTHORAX_RUNS: settings.runsDir });
    tell(plan, units, terminal);
    await startDriver(runDir);
    if (!follows) {
      terminal.say(`Next: npm run jobs ${runId}`);
      return { json: { run_id: runId, run_dir: runDir, status: 'RUNNING', units: plan.units.length } };
    }
    return await followAndTell(runDir, plan, { runsDir: settings.runsDir, signal }, terminal);
  },
};

/** On several machines everybody logs to one server and writes into one folder. */
function checkShared({ jobs }: Sweep, { trackingUri }: Settings): void {
  if (jobs.executor === 'local' || trackingUri !== undefined) return;
  const next = 'Other machines do not reach a server that is started here: see docs/how-to/sweeps.md.';
  throw new UserError(
    expected(`an MLflow server for jobs.executor=${jobs.executor}`, 'MLFLOW_TRACKING_URI', 'none', next),
  );
}

/** What is absent of a synthetic competition is made once, before units ask for it at the same time. */
async function prepare(sweep: Sweep, context: { cwd: string; signal: AbortSignal }, terminal: Terminal): Promise<void> {
  for (const file of sweep.base) {
    const experiment = await parseExperiment(file, {}, context.cwd);
    const folds = sweep.folds === undefined ? {} : { folds: PHANTOM_FOLDS };
    await preparePhantom(experiment, { ...context, ...folds }, terminal);
  }
}

function tell({ run_id, trials, jobs }: SweepPlan, units: readonly CheckedUnit[], terminal: Terminal): void {
  terminal.say(`sweep ${run_id}: ${trials.length} trials, ${units.length} runs, on ${jobs.executor}`);
  for (const { id, changes } of trials) {
    const shown = Object.entries(changes).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    terminal.say(`  ${id}  ${shown.join(' ')}`);
  }
  terminal.say(`It goes on when this ends: npm run jobs ${run_id} shows it, with cancel=true it is cancelled.`);
}
