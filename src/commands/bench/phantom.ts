import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import Table from 'cli-table3';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import { expected, UserError } from '../../core/errors.ts';
import { createRng } from '../../core/random.ts';
import { areaOfRuns } from '../../core/rle.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { Dataset } from '../../data/dataset.ts';
import { drawFolds, splitFold } from '../../data/folds.ts';
import { ingest } from '../../data/ingest.ts';
import { openDataset } from '../../data/open-dataset.ts';
import { writePhantom } from '../../data/phantom/index.ts';
import { maskAtResolution } from '../../data/training-mask.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { readWhole } from '../values.ts';
import { fitPatchLogistic } from './patch-logistic.ts';
import { diceAtBestThreshold, type Example, type ScoreMap } from './score-maps.ts';

/** The baselines see what a quickstart's network sees. */
const RESOLUTION = 128;
const HOLDOUT = 0.15;
/** What a baseline that looks at no structure may reach, for a phantom to be worth learning. */
const MOST = 0.25;

/** Dice on the positives among held-out patients. */
export interface BaselineDice {
  threshold: number;
  mean_mask: number;
  patch_logistic: number;
}

/**
 * `npm run bench phantom [data=…] [images=240] [seed=42]`: how far three baselines that look at no structure get on a
 * phantom, a fresh one or the ingested one at `data`. Writes `reports/bench-phantom.md`.
 */
export async function benchPhantom({ values, cwd, signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  refuseOthers(values);
  const images = readWhole('images', values.images ?? '240', 0);
  const seed = readWhole('seed', values.seed ?? '42', 0);
  const measure = (root: string) => measureBaselines(root, seed, signal, terminal);
  const measured =
    values.data === undefined
      ? await withFreshPhantom({ images, seed, signal }, terminal, measure)
      : await measure(resolve(cwd, values.data));
  const words = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  const command = ['npm run bench phantom', ...words].join(' ');
  const report = resolve(cwd, 'reports/bench-phantom.md');
  await writeFileAtomic(report, reportOf(command, measured));
  terminal.say(tableOf(measured.dice));
  terminal.say(`${relative(cwd, report)} has the same numbers.`);
  const { dice, ...counts } = measured;
  return { json: { ...dice, ...counts } };
}

interface Measured {
  dice: BaselineDice;
  trained_on: number;
  held_out: number;
  held_out_positives: number;
}

async function withFreshPhantom<T>(
  { images, seed, signal }: { images: number; seed: number; signal: AbortSignal },
  terminal: Terminal,
  work: (root: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-phantom-'));
  try {
    const root = join(folder, 'phantom');
    await writePhantom({ root, images, seed, signal }, terminal);
    await ingest({ root, signal }, terminal);
    return await work(root);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureBaselines(
  root: string,
  seed: number,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<Measured> {
  const dataset = await openDataset({ root, resolution: RESOLUTION, stage: 1, signal }, terminal);
  try {
    const { train, held } = splitByPatient(dataset, seed);
    const [trainPositives, heldPositives] = [onlyPositives(train), onlyPositives(held)];
    if (trainPositives.length === 0 || heldPositives.length === 0) {
      const counts = `${trainPositives.length} and ${heldPositives.length}`;
      throw new UserError(expected('positives', 'both parts of the split', counts, 'Take more images.'));
    }
    const dice = (scoreOf: ScoreMap) => diceAtBestThreshold(trainPositives, heldPositives, scoreOf);
    const darkness: ScoreMap = ({ pixels }) => pixels.map((grey) => 255 - grey);
    const baselines = {
      threshold: dice(darkness),
      mean_mask: dice(meanMaskOf(train)),
      patch_logistic: dice(fitPatchLogistic(train, RESOLUTION, createRng(seed, 'patch-logistic'))),
    };
    const counts = { trained_on: train.length, held_out: held.length, held_out_positives: heldPositives.length };
    return { dice: baselines, ...counts };
  } finally {
    dataset.close();
  }
}

function splitByPatient(dataset: Dataset, seed: number): { train: Example[]; held: Example[] } {
  const labelled = dataset.images.flatMap(({ id, patientId, truth }) =>
    truth === undefined ? [] : [{ id, patientId, positive: truth.length > 0, maskArea: areaOfRuns(truth) }],
  );
  const folds = drawFolds(labelled, { holdout: HOLDOUT, group: 'patient', seed });
  const { train, validation } = splitFold(folds, dataset.images, 0);
  const exampleOf = (index: number): Example => {
    const truth = dataset.images[index]!.truth!;
    return { pixels: dataset.readPixels(index), mask: maskAtResolution(truth, RESOLUTION) };
  };
  return { train: train.map(exampleOf), held: validation.map(exampleOf) };
}

function onlyPositives(examples: readonly Example[]): Example[] {
  return examples.filter(({ mask }) => mask.includes(1));
}

/** How often each pixel is inside, scaled to 255 where that is most often. */
function meanMaskOf(examples: readonly Example[]): ScoreMap {
  const often = new Float64Array(RESOLUTION * RESOLUTION);
  for (const { mask } of examples) for (let i = 0; i < mask.length; i++) often[i] = often[i]! + mask[i]!;
  const most = often.reduce((a, b) => Math.max(a, b), 1);
  const scores = Uint8Array.from(often, (count) => Math.round((255 * count) / most));
  return () => scores;
}

function rowsOf(dice: BaselineDice): [string, string][] {
  return [
    ['global intensity threshold', dice.threshold.toFixed(3)],
    ['mean training mask', dice.mean_mask.toFixed(3)],
    ['logistic regression on 15×15 patches', dice.patch_logistic.toFixed(3)],
  ];
}

function tableOf(dice: BaselineDice): string {
  const table = new Table({ head: ['looks at no structure', 'Dice on positives'], style: { head: [], border: [] } });
  table.push(...rowsOf(dice));
  return table.toString();
}

function reportOf(command: string, { dice, ...counts }: Measured): string {
  const rows = rowsOf(dice).map(([name, value]) => `| ${name} | ${value} |`);
  return `# Is the phantom worth learning?

\`${command}\`

Three baselines that look at no structure, at ${RESOLUTION}², each with the threshold that is best on the positives it was
trained on: ${counts.trained_on} images to train on, ${counts.held_out} of other patients held out, of which
${counts.held_out_positives} are positive. A phantom is worth learning while all of them stay at or below ${MOST}.

| baseline | Dice on held-out positives |
|---|---|
${rows.join('\n')}
`;
}

function refuseOthers(values: CommandArgs['values']): void {
  const other = Object.keys(values).find((key) => !['data', 'images', 'seed'].includes(key));
  if (other !== undefined) throw new UserError(expected('data, images or seed', 'the keys of bench phantom', other));
}
