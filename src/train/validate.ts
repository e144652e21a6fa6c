import { setImmediate } from 'node:timers/promises';
import type { Loader } from '../data/loader.ts';
import { areaUnderRoc } from '../metrics/auc.ts';
import { type ImageScore, type ScoreSummary, summariseScores } from '../metrics/dice.ts';
import { imageScoresPath, scoreStored, writeImageScores } from '../predict/image-scores.ts';
import { quantize } from '../predict/predictor.ts';
import { createProbabilityStore } from '../predict/probability-store.ts';
import type { TrainStep } from './step.ts';

export interface Validation {
  /** The training loss of the batches, weighted by their images; a Dice `per: batch` depends on how they are cut. */
  loss: number;
  summary: ScoreSummary;
  images: ImageScore[];
  /** How well the presence head ranks images with a mask above those without; undefined where there is no such head. */
  presenceAuc: number | undefined;
}

/**
 * Scores the network as it stands on the validation images, at full resolution: without TTA or post-processing, masks
 * are the probabilities above 0.5. What is scored is what is stored (bytes), so the figures can be computed again;
 * beside it each image's own.
 */
export async function validate(
  step: Pick<TrainStep, 'evaluate'>,
  loader: Loader,
  indices: readonly number[],
  options: { batchSize: number; storePath: string; checkpoint: string; signal: AbortSignal },
): Promise<Validation> {
  const { dataset } = loader;
  const { resolution } = dataset;
  const area = resolution ** 2;
  const truths = new Map(indices.map((index) => [dataset.images[index]!.id, dataset.images[index]!.truth!]));
  const writer = await createProbabilityStore(options.storePath, {
    resolution,
    checkpoint: options.checkpoint,
    tta: ['none'],
  });
  const images: ImageScore[] = [];
  const presences: number[] = [];
  let loss = 0;
  try {
    for await (const batch of loader.orderedBatches(indices, options.batchSize)) {
      options.signal.throwIfAborted();
      const result = step.evaluate(batch);
      loss += result.loss * batch.count;
      for (const [place, id] of batch.ids.entries()) {
        const bytes = quantize(result.probabilities.subarray(place * area, (place + 1) * area));
        const presence = result.presence?.[place];
        if (presence !== undefined) presences.push(presence);
        await writer.append(id, bytes, presence);
        images.push(scoreStored(bytes, resolution, { id, truth: truths.get(id)! }));
      }
      await setImmediate();
    }
    await writer.finish();
    await writeImageScores(imageScoresPath(options.storePath), { checkpoint: options.checkpoint, images });
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  const scored = presences.map((score, place) => ({ score, positive: images[place]!.positive }));
  const presenceAuc = scored.length === 0 ? undefined : areaUnderRoc(scored);
  return { loss: loss / indices.length, summary: summariseScores(images), images, presenceAuc };
}
