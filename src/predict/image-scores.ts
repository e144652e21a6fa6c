import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { expected, messageOf } from '../core/errors.ts';
import type { Mask } from '../core/image.ts';
import { maskToRuns } from '../core/rle.ts';
import { type ImageScore, scoreImage } from '../metrics/dice.ts';
import { thresholdMap } from '../postprocess/threshold-map.ts';
import type { TruthImage } from './probability-source.ts';
import type { ProbabilityStore } from './probability-store.ts';

/** Masks are cut here during training; only a submission looks for a better place. */
const THRESHOLD = 0.5;

/** What a checkpoint scores on each validation image, as its validation counted it: so that runs can be compared. */
export interface CheckpointScores {
  /** SHA-256 of the weights. */
  checkpoint: string;
  images: ImageScore[];
}

const file = z.strictObject({
  format: z.literal(1),
  checkpoint: z.string(),
  ids: z.array(z.string()),
  dice: z.array(z.number()),
  iou: z.array(z.number()),
  /** 1 where the truth has a pixel inside, else 0; and where the prediction has. */
  positive: z.array(z.union([z.literal(0), z.literal(1)])),
  predicted_positive: z.array(z.union([z.literal(0), z.literal(1)])),
});

/** The mask of stored probabilities that training scores: no TTA, no post-processing. */
export function validationMask(probabilities: Uint8Array, resolution: number): Mask {
  return thresholdMap([{ probabilities, resolution, weight: 1 }], THRESHOLD);
}

/** Scores one image's stored probabilities as validation does. */
export function scoreStored(probabilities: Uint8Array, resolution: number, { id, truth }: TruthImage): ImageScore {
  return scoreImage(id, maskToRuns(validationMask(probabilities, resolution)), truth);
}

/** Scores every image of a store; `truthOf` gives an image's truth. */
export function scoreStore(store: ProbabilityStore, truthOf: (id: string) => TruthImage['truth']): CheckpointScores {
  const { checkpoint, resolution, ids } = store;
  const images = ids.map((id) => scoreStored(store.read(id), resolution, { id, truth: truthOf(id) }));
  return { checkpoint, images };
}

/** Where the scores of a store's images are kept: beside it. */
export function imageScoresPath(storePath: string): string {
  return storePath.replace(/\.probs$/, '.scores.json');
}

/** Keeps scores in one step. */
export async function writeImageScores(path: string, { checkpoint, images }: CheckpointScores): Promise<void> {
  const column = <K extends keyof ImageScore>(key: K) => images.map((image) => image[key]);
  const content: z.infer<typeof file> = {
    format: 1,
    checkpoint,
    ids: column('id'),
    dice: column('dice'),
    iou: column('iou'),
    positive: images.map(({ positive }) => (positive ? 1 : 0)),
    predicted_positive: images.map(({ predictedPositive }) => (predictedPositive ? 1 : 0)),
  };
  await writeFileAtomic(path, `${JSON.stringify(content)}\n`);
}

/** Reads scores back; undefined where there are none. Throws Error where the file is damaged. */
export async function readImageScores(path: string): Promise<CheckpointScores | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const { checkpoint, ids, dice, iou, positive, predicted_positive } = parseScores(text, path);
  const images = ids.map((id, place): ImageScore => {
    const figures = { dice: dice[place]!, iou: iou[place]! };
    return { id, ...figures, positive: positive[place] === 1, predictedPositive: predicted_positive[place] === 1 };
  });
  return { checkpoint, images };
}

function parseScores(text: string, path: string): z.infer<typeof file> {
  try {
    const scores = file.parse(JSON.parse(text));
    const { ids, dice, iou, positive, predicted_positive } = scores;
    if ([dice, iou, positive, predicted_positive].every(({ length }) => length === ids.length)) return scores;
    throw new Error('columns of different lengths');
  } catch (error) {
    const next = 'Remove it: it is computed again from the probabilities.';
    throw new Error(expected('scores of images', path, messageOf(error), next), { cause: error });
  }
}
