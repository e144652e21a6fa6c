import { parseExperiment } from '../config/experiment.ts';
import { readSettings } from '../config/settings.ts';
import { UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { type RunResult, runExperiment } from '../train/run-experiment.ts';
import type { Command } from './command.ts';
import { preparePhantom } from './prepare-phantom.ts';

/** `npm run exp <experiment.yml> [more.yml …]`: train, several files in order. */
export const expCommand: Command = {
  name: 'exp',
  summary: 'train what an experiment file declares',
  usage: '<experiment.yml> [more.yml …] [key=value …]',
  keys: {},
  overrides: true,
  run: async ({ words, values, cwd, signal }, terminal) => {
    if (words.length === 0) throw new UserError('Name an experiment: `npm run exp experiments/quickstart.yml`.');
    const settings = await readSettings(cwd);
    // All files are checked before the first one runs: a mistake in the last one shows now, not tomorrow.
    for (const file of words) await parseExperiment(file, values, cwd);
    const results: RunResult[] = [];
    for (const file of words) {
      const experiment = await parseExperiment(file, values, cwd);
      await preparePhantom(experiment, { cwd, signal }, terminal);
      const result = await runExperiment(experiment, { file, cwd, settings, signal }, terminal);
      results.push(result);
      speak(result, terminal);
      if (result.status === 'KILLED') break;
    }
    const shown = results.map(toJson);
    return { json: shown.length === 1 ? shown[0]! : { ...shown.at(-1)!, runs: shown } };
  },
};

function speak({ run_id, run_dir, status, chosen, mlflow_run_id, tracking_uri }: RunResult, terminal: Terminal): void {
  if (chosen !== undefined) {
    terminal.say(`\ncheckpoint ${chosen.id} on the validation images:`);
    for (const [name, value] of Object.entries(chosen.metrics))
      terminal.say(`  ${name.padEnd(20)} ${value.toFixed(4)}`);
  }
  terminal.say(`\nrun          ${run_id} ${status}`);
  terminal.say(`files        ${run_dir}`);
  if (mlflow_run_id !== undefined) terminal.say(`MLflow       ${tracking_uri}, run ${mlflow_run_id}`);
  if (status === 'FINISHED') terminal.say('Next: npm run submit submissions/quickstart.yml stage=1');
}

function toJson({ chosen, ...result }: RunResult) {
  return { ...result, checkpoint: chosen?.id, metrics: chosen?.metrics };
}
