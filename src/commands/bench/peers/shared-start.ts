import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRng } from '../../../core/random.ts';
import { encodeSafetensors, type NamedTensors } from '../../../core/safetensors.ts';
import { tf } from '../../../engine/tf.ts';
import type { ModelConfig } from '../../../models/config.ts';
import { buildModel } from '../../../models/index.ts';
import { namedVariables } from '../../../models/weights.ts';

/** What every peer is measured on. */
export interface Workload {
  model: ModelConfig;
  resolution: number;
  batchSize: number;
  seed: number;
}

/** Files from which every peer starts. */
export interface SharedStart {
  /** safetensors: our initial weights under their names, then `batch/images` (0 to 255) and `batch/masks` (0 or 1). */
  tensors: string;
  /** Our network as plain tfjs reads it. */
  topology: string;
}

/** Writes the initial weights, one batch and the network's description into a folder. */
export async function writeSharedStart(workload: Workload, folder: string): Promise<SharedStart> {
  const { model: config, resolution, seed } = workload;
  const files = { tensors: join(folder, 'start.safetensors'), topology: join(folder, 'topology.json') };
  const model = buildModel(config, resolution, seed);
  const tensors = weightsOf(model);
  for (const [name, tensor] of drawBatch(workload)) tensors.set(`batch/${name}`, tensor);
  await writeFile(files.tensors, encodeSafetensors(tensors));
  await writeFile(files.topology, JSON.stringify(model.toJSON(undefined, false)));
  tf.dispose(model.weights.map((weight) => weight.read()));
  return files;
}

/** Every weight of a network under its name. */
export function weightsOf(model: tf.LayersModel): NamedTensors {
  return new Map(
    namedVariables(model).map(({ name, variable }) => [
      name,
      { shape: [...variable.shape], data: variable.dataSync() as Float32Array },
    ]),
  );
}

/** Noise for pictures, a disc in each for a mask: [N,R,R,1], whole numbers. */
export function drawBatch({ batchSize, resolution, seed }: Workload): NamedTensors {
  const rng = createRng(seed, 'bench-peers');
  const shape = [batchSize, resolution, resolution, 1];
  const size = batchSize * resolution ** 2;
  const images = Float32Array.from({ length: size }, () => rng.integer(0, 255));
  const masks = new Float32Array(size);
  for (let n = 0; n < batchSize; n++) {
    const [row, column] = [rng.between(0.3, 0.7) * resolution, rng.between(0.3, 0.7) * resolution];
    const radius = rng.between(0.1, 0.2) * resolution;
    for (let i = 0; i < resolution ** 2; i++) {
      const distance = Math.hypot(Math.floor(i / resolution) - row, (i % resolution) - column);
      masks[n * resolution ** 2 + i] = distance < radius ? 1 : 0;
    }
  }
  return new Map([
    ['images', { shape, data: images }],
    ['masks', { shape, data: masks }],
  ]);
}
