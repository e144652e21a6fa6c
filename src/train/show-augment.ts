import { join, relative } from 'node:path';
import { type AugmentConfig, augment } from '../augment/index.ts';
import type { Experiment } from '../config/experiment.ts';
import { flattenConfig } from '../config/show-config.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { expected, UserError } from '../core/errors.ts';
import { createRng } from '../core/random.ts';
import { areaOfRuns } from '../core/rle.ts';
import type { Terminal } from '../core/terminal.ts';
import type { Dataset } from '../data/dataset.ts';
import { maskAtResolution } from '../data/training-mask.ts';
import { drawContactSheet, type SheetRow } from '../pages/contact-sheet.ts';
import { openData } from './open-data.ts';

/** Variants beside each original. */
const VARIANTS = 6;
/** Which of the positives are shown, by rank of the mask's area; the first one also shows every step alone. */
const RANKS = [0.9, 0.5, 0.1];
const EMPTIES = 1;

/** What `show_augment=true` tells, as `json=true` prints it. */
export interface ShownAugment {
  name: string;
  /** The PNG file. */
  sheet: string;
  images: string[];
}

/**
 * Writes `reports/augment-<name>.png`: training images beside what an experiment's augmentation makes of them, every
 * step alone and all together, with their masks' outlines. Nothing is trained, and TensorFlow is not needed.
 * Throws UserError where the experiment augments nothing, or its data is not there.
 */
export async function showAugment(
  experiment: Experiment,
  context: { cwd: string; signal: AbortSignal },
  terminal: Terminal,
): Promise<ShownAugment> {
  const { name, augment: steps } = experiment;
  if (steps.length === 0) throw new UserError(expected('steps to show', `augment of ${name}`, steps));
  const { dataset, split } = await openData(experiment, context, terminal);
  try {
    const chosen = chooseImages(dataset, split.train);
    const rows = listRows(experiment, dataset, chosen);
    const columns = ['as it is', ...Array.from({ length: VARIANTS }, (_, variant) => `variant ${variant + 1}`)];
    const sheet = join(context.cwd, 'reports', `augment-${name}.png`);
    await writeFileAtomic(sheet, await drawContactSheet(columns, rows));
    terminal.say(`${relative(context.cwd, sheet)}: from the top`);
    for (const { label } of rows) terminal.say(`  ${label}`);
    return { name, sheet, images: chosen.map((index) => dataset.images[index]!.id) };
  } finally {
    dataset.close();
  }
}

/** Positives with large, middling and small masks, and an image without one, as far as there are any. */
function chooseImages(dataset: Dataset, indices: readonly number[]): number[] {
  const areas = indices.map((index) => ({ index, area: areaOfRuns(dataset.images[index]!.truth!) }));
  const positives = areas.filter(({ area }) => area > 0).sort((a, b) => a.area - b.area || a.index - b.index);
  const ranked = RANKS.map((rank) => positives[Math.floor(rank * positives.length)]);
  const empties = areas.filter(({ area }) => area === 0).slice(0, EMPTIES);
  return [...new Set([...ranked, ...empties].flatMap((image) => (image === undefined ? [] : [image.index])))];
}

/** Each step alone, for certain, on the first image; then all steps as they are declared, on each. */
function listRows(experiment: Experiment, dataset: Dataset, chosen: readonly number[]): SheetRow[] {
  const { augment: steps, seed } = experiment;
  const alone = listSingleSteps(steps).map((step) => ({ label: describeStep(step), steps: [{ ...step, p: 1 }] }));
  const together = chosen.map((index) => ({ label: `all steps: ${dataset.images[index]!.id}`, steps, index }));
  const rows = [...alone.map((row) => ({ ...row, index: chosen[0]! })), ...together];
  return rows.map(({ label, steps, index }) => ({ label, pictures: drawVariants(dataset, index, steps, seed) }));
}

/** Those of a choice one by one. */
function listSingleSteps(steps: readonly AugmentConfig[]): AugmentConfig[] {
  return steps.flatMap((step): AugmentConfig[] => (step.name === 'one_of' ? step.steps : [step]));
}

/** `gamma: gamma_limit 80 120` */
function describeStep({ name, p: _, ...keys }: AugmentConfig): string {
  const settings = Object.entries(keys).map(
    ([key, value]) => `${key} ${Object.values(flattenConfig({ value })).join(' ')}`,
  );
  return settings.length === 0 ? name : `${name}: ${settings.join(', ')}`;
}

function drawVariants(dataset: Dataset, index: number, steps: readonly AugmentConfig[], seed: number) {
  const { resolution: size } = dataset;
  const truth = dataset.images[index]!.truth!;
  return Array.from({ length: 1 + VARIANTS }, (_, variant) => {
    const sample = { size, image: dataset.readPixels(index), mask: maskAtResolution(truth, size) };
    if (variant > 0) augment(steps, sample, createRng(seed, 'augment', variant, index));
    const square = { width: size, height: size };
    return { image: { ...square, data: sample.image }, mask: { ...square, data: sample.mask } };
  });
}
