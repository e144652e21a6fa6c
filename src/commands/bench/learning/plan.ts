import { join } from 'node:path';
import { type Experiment, parseExperiment } from '../../../config/experiment.ts';
import { expected, UserError } from '../../../core/errors.ts';
import { ENCODER_STRIDE } from '../../../models/config.ts';
import type { CommandArgs } from '../../command.ts';

/** What was asked for. */
export interface LearningPlan {
  seeds: number[];
  /** Labelled images of the phantom. */
  images: number;
  /** Of the first stage, which begins with random weights, and of the second, which begins with the first one's average. */
  epochs: [first: number, second: number];
  /** Of the second stage; the first has half of it. */
  resolution: number;
}

/** One training of a seed. Keras trains the experiment of ours; natural takes images as they come. */
export interface Arm {
  stage: 'first' | 'second' | 'averaged';
  by: 'ours' | 'keras' | 'natural';
}

/** Share of the phantom that is validated on: with fewer positives, Dice would say little. */
export const HOLDOUT = 1 / 3;
/** Share of positives among the images that an epoch draws, where they are not drawn as they come. */
export const POSITIVE_FRACTION = 0.4;
/** The second stage's first learning rate: a half of the first one's. */
const SECOND_LR = 5e-4;
/** Averaging as it was published: a rate that stays, and every epoch is averaged. */
export const AVERAGED = { lr: 5e-4, epochs: 5 };

const DEFAULTS = { seeds: '1,2,3', images: '360', epochs: '8,3', resolution: '256' };

/** Reads the words. Throws UserError for a key that the bench does not take and for a value that it cannot use. */
export function readLearningPlan(values: CommandArgs['values']): LearningPlan {
  const keys = Object.keys(DEFAULTS);
  const other = Object.keys(values).find((key) => !keys.includes(key));
  if (other !== undefined) throw new UserError(expected(keys.join(', '), 'the keys of bench learning', other));
  const words = { ...DEFAULTS, ...values };
  const seeds = readList(words.seeds, 'seeds');
  if (new Set(seeds).size < seeds.length) throw new UserError(expected('each seed once', 'seeds', words.seeds));
  const epochs = readList(words.epochs, 'epochs');
  const [first, second, ...more] = epochs;
  // The last two of each stage are averaged.
  if (first === undefined || second === undefined || more.length > 0 || Math.min(...epochs) < 2) {
    throw new UserError(expected('two numbers from 2, a comma between', 'epochs', words.epochs));
  }
  const resolution = readWhole(words.resolution, 'resolution');
  if (resolution % (2 * ENCODER_STRIDE) !== 0) {
    throw new UserError(expected(`a multiple of ${2 * ENCODER_STRIDE}`, 'resolution', resolution));
  }
  return { seeds, images: readWhole(words.images, 'images'), epochs: [first, second], resolution };
}

/** The experiment of an arm: experiment.yml with the plan laid over it, its phantom and folds in a folder. */
export async function armExperiment(
  { images, epochs: [first, second], resolution }: LearningPlan,
  { stage, by }: Arm,
  seed: number,
  folder: string,
): Promise<Experiment> {
  const root = join(folder, `phantom-${images}`);
  const half = String(resolution / 2);
  const stages: Record<Arm['stage'], Record<string, string>> = {
    first: { epochs: String(first), resolution: half },
    second: { epochs: String(second), resolution: String(resolution), 'lr_schedule.lr': String(SECOND_LR) },
    averaged: {
      epochs: String(AVERAGED.epochs),
      resolution: half,
      lr_schedule: `{ name: constant, lr: ${AVERAGED.lr} }`,
      swa_epochs: String(AVERAGED.epochs),
    },
  };
  const words = {
    'data.root': JSON.stringify(root),
    'data.folds': JSON.stringify(`${root}.csv`),
    'data.phantom.images': String(images),
    ...(by === 'natural' ? {} : { 'data.sampler.positive_fraction': String(POSITIVE_FRACTION) }),
    ...stages[stage],
    seed: String(seed),
  };
  return await parseExperiment(join(import.meta.dirname, 'experiment.yml'), words);
}

function readList(text: string, key: string): number[] {
  return text.split(',').map((part) => readWhole(part, key, 'whole numbers from 1, commas between'));
}

function readWhole(text: string, key: string, wanted = 'a whole number from 1'): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UserError(expected(wanted, key, text));
}
