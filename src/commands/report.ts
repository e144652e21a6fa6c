import { relative } from 'node:path';
import { resolvePath } from '../config/paths.ts';
import { readSettings } from '../config/settings.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { writingTo } from '../data/disk.ts';
import { scoreRun } from '../leaderboard/fold-scores.ts';
import { readPatients } from '../leaderboard/patients.ts';
import { describeImages, runPage } from '../leaderboard/run-page.ts';
import { readTruths } from '../leaderboard/truth.ts';
import { decimal, range } from '../pages/numbers.ts';
import { findRun } from '../tracking/runs.ts';
import type { Command } from './command.ts';

/** So many of the images that cost most. */
const WORST = 24;

/** `npm run report <run>`: a run's own page. */
export const reportCommand: Command = {
  name: 'report',
  summary: 'write a run’s own page: figures, curves, its worst images',
  usage: '<run> [out=…]',
  keys: { out: 'where the page goes (reports/run-<run id>.html)' },
  overrides: false,
  run: async ({ words, values, cwd }, terminal) => {
    const { runsDir } = await readSettings(cwd);
    const run = await findRun(runsDir, words[0]!);
    const scored = await scoreRun(run, readTruths(cwd, terminal), terminal);
    const ids = scored.images?.map(({ id }) => id) ?? [];
    const figures = describeImages(scored, await readPatients(run, ids, cwd), WORST);
    const path = resolvePath(values.out ?? `reports/run-${run.run_id}.html`, cwd);
    const text = await runPage(scored, figures, cwd, terminal);
    await writingTo(path, () => writeFileAtomic(path, text));
    const { intervals, confusion, worst } = figures;
    const interval = intervals === undefined ? '' : ` (${range(intervals.dice)})`;
    terminal.say(`${run.run_id} ${run.status}: Dice ${decimal(scored.metrics['val/dice'], 4)}${interval}`);
    terminal.say(`report       ${relative(cwd, path)}`);
    const { run_id, name, status } = run;
    const known = { run_id, name, status, checkpoint: scored.checkpoint ?? null, metrics: scored.metrics };
    return { json: { ...known, intervals: intervals ?? null, confusion: confusion ?? null, worst, page: path } };
  },
};
