import { answerParent } from '../core/answer-parent.ts';
import { openTerminal } from '../core/terminal.ts';
import { runExperiment } from './run-experiment.ts';
import type { RunQuestion } from './supervise-run.ts';

await answerParent<RunQuestion>(async ({ experiment, context }, { signal, tell }) => {
  return await runExperiment(experiment, { ...context, signal, tell }, openTerminal(process.stdout));
});
