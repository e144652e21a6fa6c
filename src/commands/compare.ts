import { relative } from 'node:path';
import { resolvePath } from '../config/paths.ts';
import { readSettings } from '../config/settings.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import type { Terminal } from '../core/terminal.ts';
import { writingTo } from '../data/disk.ts';
import { chooseRuns } from '../leaderboard/choose-runs.ts';
import { type Comparison, compareRuns } from '../leaderboard/comparison.ts';
import { comparisonJson } from '../leaderboard/comparison-json.ts';
import { comparisonMarkdown, introduceSet, type Shown } from '../leaderboard/comparison-markdown.ts';
import { comparisonPage } from '../leaderboard/comparison-page.ts';
import { differenceTable, parametersTable, runsTable, seedsTable } from '../leaderboard/comparison-tables.ts';
import { scoreRun } from '../leaderboard/fold-scores.ts';
import { readPatients } from '../leaderboard/patients.ts';
import type { ScoredRun } from '../leaderboard/run-scores.ts';
import { readTruths } from '../leaderboard/truth.ts';
import type { Command } from './command.ts';
import { sayTable } from './say-table.ts';
import { readWhole } from './values.ts';

/** `npm run compare [run…]`: which run is better, and is it more than noise? */
export const compareCommand: Command = {
  name: 'compare',
  summary: 'say which runs are better, and whether it is more than noise',
  usage: '[run…] [key=value …]',
  keys: {
    sort: 'the metric to sort by (val/dice); `dice` is `val/dice`',
    baseline: 'the run that the others are held against (the best)',
    limit: 'so many runs are shown here and in the tables of differences (25)',
    images: 'so many images on which they disagree (12)',
    out: 'where the report goes, without its ending (reports/compare)',
  },
  overrides: true,
  run: async ({ words, values, cwd, signal }, terminal) => {
    const { sort = 'val/dice', baseline, limit = '25', images = '12', out = 'reports/compare', ...filters } = values;
    const shown: Shown = { contenders: readWhole('limit', limit, 0), images: readWhole('images', images, 0) };
    const { runsDir } = await readSettings(cwd);
    const runs = await chooseRuns(runsDir, { words, filters });
    const truthOf = readTruths(cwd, terminal);
    const scored: ScoredRun[] = [];
    for (const run of runs) {
      signal.throwIfAborted();
      scored.push(await scoreRun(run, truthOf, terminal));
    }
    const comparison = await compareRuns(scored, {
      metric: sort.includes('/') ? sort : `val/${sort}`,
      baseline,
      most: shown.contenders,
      patientsOf: ({ run }, ids) => readPatients(run, ids, cwd),
    });
    sayComparison(comparison, shown, terminal);
    const json = comparisonJson(comparison, shown.images);
    const base = resolvePath(out, cwd);
    const files = { page: `${base}.html`, markdown: `${base}.md`, data: `${base}.json` };
    await writingTo(base, async () => {
      await writeFileAtomic(files.page, await comparisonPage(comparison, shown, cwd, terminal));
      await writeFileAtomic(files.markdown, comparisonMarkdown(comparison, shown));
      await writeFileAtomic(files.data, `${JSON.stringify(json, null, 1)}\n`);
    });
    terminal.say(`report       ${relative(cwd, files.page)} (and .md, .json)`);
    return { json: { ...json, ...files } };
  },
};

/** Of more contenders a terminal shows the differences on all images alone. */
const MANY = 9;

function sayComparison(comparison: Comparison, shown: Shown, terminal: Terminal): void {
  const { runs, metric, parameters, sets } = comparison;
  sayTable(runsTable({ ...comparison, runs: runs.slice(0, shown.contenders) }), terminal);
  if (runs.length > shown.contenders) terminal.say(`… and ${runs.length - shown.contenders} more (limit=…)`);
  const few = parameters.length > 0 && parameters.length <= 8 && runs.length <= shown.contenders;
  if (few) sayTable(parametersTable(comparison), terminal);
  for (const set of sets) {
    const seeds = seedsTable(set, metric);
    if (seeds !== undefined) sayTable(seeds, terminal);
    if (set.contenders.length < 2) continue;
    terminal.say(`\n${introduceSet(set, shown)}`);
    const parts = set.contenders.length > MANY ? 'all images' : 'every part';
    sayTable(differenceTable(set, shown.contenders, parts), terminal);
    if (parts === 'all images') terminal.say('on positives and on empties: in the report');
  }
}
