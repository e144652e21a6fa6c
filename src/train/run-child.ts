import { answerParent } from '../core/answer-parent.ts';
import { openTerminal } from '../core/terminal.ts';
import { explainDisk } from './out-of-disk.ts';
import { type RunNews, runExperiment } from './run-experiment.ts';
import type { RunQuestion } from './supervise-run.ts';

await answerParent<RunQuestion>(async ({ experiment, context }, { signal, tell }) => {
  let runDir: string | undefined;
  const listen = (news: RunNews) => {
    runDir = news.runDir ?? runDir;
    tell(news);
  };
  try {
    return await runExperiment(experiment, { ...context, signal, tell: listen }, openTerminal(process.stdout));
  } catch (error) {
    throw await explainDisk(error, runDir);
  }
});
