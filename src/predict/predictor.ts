import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Dataset } from '../data/dataset.ts';
import { openLoader } from '../data/loader.ts';
import type { Predictor } from './compile-predictor.ts';
import { createProbabilityStore, type ProbabilityWriter } from './probability-store.ts';
import type { TtaView } from './tta.ts';

/** Where a run keeps the probabilities of a checkpoint on a target (`oof`, `stage1`, …) under a list of views. */
export function predictionsPath(runDir: string, checkpointId: string, target: string, tta: readonly TtaView[]): string {
  return join(runDir, 'predictions', `${checkpointId}-${target}-${tta.join('+')}.probs`);
}

/** Whose checkpoint's probabilities, whole or in part, or scores a file of that name has, by its id; undefined where it is no such file. */
export function checkpointOfPredictions(file: string): string | undefined {
  return /^([^.].*?)-(?:oof|stage1|stage2)-[^/]+\.(?:probs|probs\.part.*|scores\.json)$/.exec(file)?.[1];
}

/** Probabilities as they are stored, round(255·p). Throws where one is no number. */
export function quantize(probabilities: Float32Array): Uint8Array {
  if (probabilities.some(Number.isNaN)) throw new Error('Expected probabilities from the network but received NaN.');
  return Uint8Array.from(probabilities, (p) => Math.round(255 * p));
}

export interface PredictOptions {
  storePath: string;
  checkpoint: string;
  tta: readonly TtaView[];
  batchSize: number;
  /** Threads that load images; as many as the machine is good for when left out. */
  workers?: number | undefined;
  signal: AbortSignal;
}

/**
 * Predicts images of a dataset and stores the mean over the views, batch by batch; `advance` hears of each batch. Images are loaded, and
 * maps packed and written, while the network computes. What is there when it is killed is taken up the next time.
 */
export async function predictImages(
  predictor: Predictor,
  dataset: Dataset,
  indices: readonly number[],
  options: PredictOptions,
  advance: (images: number) => void,
): Promise<void> {
  const { storePath, checkpoint, tta, batchSize, workers, signal } = options;
  const area = dataset.resolution ** 2;
  const facts = { resolution: dataset.resolution, checkpoint, tta: [...tta] };
  const writer = await createProbabilityStore(storePath, facts, { takeUp: dataset.digest });
  // What an earlier attempt has written, from the first image on, stands.
  const left = leftOf(dataset, indices, writer.ids);
  if (left === undefined) {
    await writer.abandon();
    return await predictImages(predictor, dataset, indices, options, advance);
  }
  advance(indices.length - left.length);
  let writing = Promise.resolve();
  const loader = openLoader(dataset, { workers, signal });
  try {
    for await (const batch of loader.orderedBatches(left, batchSize)) {
      signal.throwIfAborted();
      const { probabilities, presence } = predictor.predict(batch);
      const [bytes, presences, { ids }] = [quantize(probabilities), presence?.slice(), batch];
      // The batch before is packed and written while this one was predicted.
      await writing;
      writing = writeAll(writer, [...ids], { bytes, area, presences });
      writing.catch(() => {});
      advance(batch.count);
      await setImmediate();
    }
    await writing;
    await writer.finish();
  } catch (error) {
    await writing.catch(() => {});
    await writer.leave();
    throw error;
  } finally {
    await loader.close();
  }
}

async function writeAll(
  writer: ProbabilityWriter,
  ids: readonly string[],
  { bytes, area, presences }: { bytes: Uint8Array; area: number; presences: Float32Array | undefined },
): Promise<void> {
  for (const [place, id] of ids.entries()) {
    await writer.append(id, bytes.subarray(place * area, (place + 1) * area), presences?.[place]);
  }
}

/** The images after those that are there; undefined where others are there than the first ones. */
function leftOf(dataset: Dataset, indices: readonly number[], there: readonly string[]): readonly number[] | undefined {
  const same = there.every((id, place) => indices[place] !== undefined && dataset.images[indices[place]]!.id === id);
  return same ? indices.slice(there.length) : undefined;
}
