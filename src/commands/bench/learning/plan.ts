import { join } from 'node:path';
import { type Experiment, parseExperiment } from '../../../config/experiment.ts';
import { expected, UserError } from '../../../core/errors.ts';
import type { CommandArgs } from '../../command.ts';

/** What was asked for. */
export interface LearningPlan {
  seeds: number[];
  /** Labelled images of the phantom. */
  images: number;
  epochs: number;
  resolution: number;
}

/** The trainings of a seed: ours, Keras on the same batches, and ours with the images as they come. */
export const ARMS = ['ours', 'keras', 'natural'] as const;
export type Arm = (typeof ARMS)[number];

/** Share of the phantom that is validated on: with fewer positives, Dice would say little. */
export const HOLDOUT = 1 / 3;
/** Epochs at the end that are averaged. */
export const SWA_EPOCHS = 2;
/** Share of positives among the images that an epoch draws, where they are not drawn as they come. */
export const POSITIVE_FRACTION = 0.5;

const DEFAULTS = { seeds: '1,2,3', images: '360', epochs: '6', resolution: '256' };

/** Reads the words. Throws UserError for a key that the bench does not take and for a value that it cannot use. */
export function readLearningPlan(values: CommandArgs['values']): LearningPlan {
  const keys = Object.keys(DEFAULTS);
  const other = Object.keys(values).find((key) => !keys.includes(key));
  if (other !== undefined) throw new UserError(expected(keys.join(', '), 'the keys of bench learning', other));
  const { seeds, images, epochs, resolution } = { ...DEFAULTS, ...values };
  const list = seeds.split(',').map((seed) => readWhole(seed, 'seeds', 'whole numbers from 1, commas between'));
  if (new Set(list).size < list.length) throw new UserError(expected('each seed once', 'seeds', seeds));
  return {
    seeds: list,
    images: readWhole(images, 'images'),
    epochs: readWhole(epochs, 'epochs'),
    resolution: readWhole(resolution, 'resolution'),
  };
}

/**
 * The experiment of an arm: experiment.yml with the plan laid over it, its phantom and folds in a folder. Keras's arm is
 * ours, trained by another.
 */
export async function armExperiment(
  { images, epochs, resolution }: LearningPlan,
  arm: Arm,
  seed: number,
  folder: string,
): Promise<Experiment> {
  const root = join(folder, `phantom-${images}`);
  const sampled = {
    'data.sampler.positive_fraction': String(POSITIVE_FRACTION),
    swa_epochs: String(Math.min(SWA_EPOCHS, epochs)),
  };
  const words = {
    'data.root': JSON.stringify(root),
    'data.folds': JSON.stringify(`${root}.csv`),
    'data.phantom.images': String(images),
    epochs: String(epochs),
    resolution: String(resolution),
    seed: String(seed),
    ...(arm === 'natural' ? {} : sampled),
  };
  return await parseExperiment(join(import.meta.dirname, 'experiment.yml'), words);
}

function readWhole(text: string, key: string, wanted = 'a whole number from 1'): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UserError(expected(wanted, key, text));
}
