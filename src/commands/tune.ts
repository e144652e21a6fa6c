import { relative, resolve } from 'node:path';
import Table from 'cli-table3';
import { didYouMean } from '../config/nearest.ts';
import { readSettings } from '../config/settings.ts';
import { parseUntuned } from '../config/submission.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { MASK_SIZE } from '../core/competition.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { counted, range, signed } from '../pages/numbers.ts';
import { describePostprocess, type PostprocessConfig } from '../postprocess/index.ts';
import { probabilitySource } from '../predict/predict-run.ts';
import { expandFolds } from '../submit/expand-folds.ts';
import { stepWords, tunePage } from '../submit/tune/page.ts';
import { planTune } from '../submit/tune/plan.ts';
import { idleSteps, type TuneReport, tuneReport } from '../submit/tune/report.ts';
import { GRID, STEPS, type Step } from '../submit/tune/space.ts';
import { tune } from '../submit/tune/tune.ts';
import type { Command } from './command.ts';
import { readWhole } from './values.ts';

/** `npm run tune <submission.yml>`: post-processing and weights for a submission's members, on their validation images. */
export const tuneCommand: Command = {
  name: 'tune',
  summary: 'search post-processing and weights on stored validation probabilities',
  usage: '<submission.yml> [key=value …]',
  keys: {
    steps: `which of ${STEPS.join(',')} are tuned; default: all that the members allow`,
    parts: 'into how many parts the images are cut for the honest figure (5)',
    seed: 'of the parts and the intervals (42)',
    report: 'the page to write, its JSON beside it (reports/tune-<name>.html)',
  },
  overrides: true,
  run: async ({ words, values, cwd, signal }, terminal) => {
    const { steps, parts: partsText = '5', seed: seedText = '42', report: page, ...overrides } = values;
    const parts = readWhole('parts', partsText, 2, 20);
    const seed = readWhole('seed', seedText, 0, 2 ** 31 - 1);
    const wanted = steps === undefined ? undefined : readSteps(steps);
    const settings = await readSettings(cwd);
    const submission = await expandFolds(await parseUntuned(words[0]!, overrides, cwd), settings.runsDir);
    const html = readPage(page ?? `reports/tune-${submission.name}.html`, cwd);
    const source = probabilitySource({ settings, cwd, signal }, terminal);
    const plan = await planTune(submission, wanted, source, terminal);
    terminal.say(`tuning       ${plan.steps.join(', ')}; on ${counted(plan.images.length, 'validation image')}`);
    const result = await tune(plan, { source, parts, seed, size: MASK_SIZE, grid: GRID, signal }, terminal);
    const report = tuneReport(plan, result, { name: submission.name, seed, grid: GRID });
    const json = html.replace(/\.html$/, '.json');
    await writeFileAtomic(json, `${JSON.stringify(report, null, 1)}\n`);
    await writeFileAtomic(html, await tunePage(report, relative(cwd, json)));
    sayReport(report, terminal);
    const { idle, others } = idleSteps(report);
    if (idle.length > 0 && others.length > 0) {
      terminal.say(
        `idle         cross-fitted ${idle.join(', ')} gain nothing; steps=${others.join(',')} tunes without`,
      );
    }
    terminal.say(`page         ${relative(cwd, html)}`);
    terminal.say(`settings     ${relative(cwd, json)}`);
    terminal.say(`Next: npm run submit ${words[0]} stage=1 'postprocess={ from: ${relative(cwd, json)} }'`);
    const { postprocess, weights, dice, optimistic, rungs, limits, images } = report;
    return { json: { report: json, page: html, images, weights, postprocess, dice, optimistic, rungs, limits } };
  },
};

function sayReport({ rungs, postprocess, weights, members, dice, optimistic, limits }: TuneReport, terminal: Terminal) {
  const head = ['', 'Dice', '95 % interval', 'gain', '95 % interval'];
  const table = new Table({
    style: { head: [], border: [] },
    colAligns: head.map((_, place) => (place === 0 ? 'left' : 'right')),
  });
  table.push(head);
  for (const { step, dice: each, gain } of rungs) {
    const gained = gain === undefined ? ['', ''] : [signed(gain.mean), range(gain, signed)];
    table.push([stepWords(step), each.mean.toFixed(4), range(each), ...gained]);
  }
  terminal.say(table.toString());
  terminal.say(`found        ${describePostprocess(postprocess as PostprocessConfig)}`);
  if (members.length > 1) terminal.say(`weights      ${weights.join(' : ')}`);
  terminal.say(
    `Dice         ${dice.mean.toFixed(4)} cross-fitted by patient; ${optimistic.toFixed(4)} on what it was tuned on`,
  );
  const [gate, segmenter] = [limits.perfect_gate.mean, limits.perfect_segmenter.mean];
  terminal.say(`limits       ${gate.toFixed(4)} with a perfect gate, ${segmenter.toFixed(4)} with a perfect segmenter`);
}

function readSteps(text: string): Step[] {
  return text.split(',').map((word) => {
    const step = STEPS.find((each) => each === word.trim());
    if (step !== undefined) return step;
    throw new UserError(expected(`one of ${STEPS.join(', ')}`, 'steps', word, didYouMean(word, STEPS)));
  });
}

function readPage(text: string, cwd: string): string {
  if (text.endsWith('.html')) return resolve(cwd, text);
  throw new UserError(expected('a name that ends in .html', 'report', text));
}
