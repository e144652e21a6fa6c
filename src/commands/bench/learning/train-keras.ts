import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Experiment } from '../../../config/experiment.ts';
import { encodeSafetensors } from '../../../core/safetensors.ts';
import type { Terminal } from '../../../core/terminal.ts';
import type { Batch } from '../../../data/batch.ts';
import { type Loader, openLoader } from '../../../data/loader.ts';
import { tf } from '../../../engine/tf.ts';
import { buildModel } from '../../../models/index.ts';
import { epochBatches } from '../../../train/fit.ts';
import { validate } from '../../../train/validate.ts';
import { weightsOf } from '../peers/shared-start.ts';
import type { Learned, Scores } from './figures.ts';
import { countImages, type OpenData } from './open.ts';
import type { TrainPlace } from './train-ours.ts';

/** What Keras says at its end. */
type KerasResult = Pick<Learned, 'losses' | 'parameters' | 'versions'>;

/**
 * Trains the experiment's network in Keras from the same initial weights, on the same batches byte by byte, at the
 * learning rates that ours had, and scores its probabilities as ours are scored.
 * @param python of Keras's environment
 */
export async function trainKeras(
  experiment: Experiment,
  data: OpenData,
  place: Omit<TrainPlace, 'tensorflow'> & { rates: number[]; python: string },
  terminal: Terminal,
): Promise<Learned> {
  const { rates, python, folder, workers, signal } = place;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const loader = openLoader(data.dataset, { workers, signal });
  try {
    const job = await writeJob(experiment, data, loader, place);
    terminal.say(`Keras: ${rates.length} updates`);
    const result = await runKeras(python, job, terminal, signal);
    const epochs: Scores[] = [];
    for (let epoch = 1; epoch <= experiment.epochs; epoch++) {
      const path = join(folder, `epoch-${epoch}.f32`);
      epochs.push(await scoreFile(path, { experiment, data, loader, folder, signal }));
    }
    return { ...result, rates, epochs, ...countImages(data) };
  } finally {
    await loader.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes weights and batches, and returns what Keras is told. */
async function writeJob(
  experiment: Experiment,
  { split }: OpenData,
  loader: Loader,
  { rates, folder, start }: { rates: number[]; folder: string; start: string | undefined },
) {
  const { model: config, resolution, batch_size, loss } = experiment;
  const weights = start ?? (await writeInitial(experiment, join(folder, 'start.safetensors')));
  const epochs: string[] = [];
  for (let epoch = 0; epoch < experiment.epochs; epoch++) {
    const path = join(folder, `epoch-${epoch + 1}.batches`);
    await writeBatches(path, epochBatches({ experiment, loader, split }, epoch), ({ images, masks }) => [
      images,
      masks,
    ]);
    epochs.push(path);
  }
  const validation = join(folder, 'validation.images');
  await writeBatches(validation, loader.orderedBatches(split.validation, batch_size), ({ images }) => [images]);
  const bce = [loss].flat().find(({ name }) => name === 'bce');
  const same = { encoder: config.encoder, resolution, batch_size, norm_momentum: config.norm_momentum };
  return { ...same, bce_weight: bce!.weight, weights, epochs, rates, validation, out: folder };
}

/** The weights that the experiment's seed gives. */
async function writeInitial({ model: config, resolution, seed }: Experiment, path: string): Promise<string> {
  const model = buildModel(config, resolution, seed);
  await writeFile(path, encodeSafetensors(weightsOf(model)));
  tf.dispose(model.weights.map((weight) => weight.read()));
  return path;
}

/** Some arrays of each batch, one after the other. */
async function writeBatches(path: string, batches: AsyncIterable<Batch>, arraysOf: (batch: Batch) => Uint8Array[]) {
  const file = await open(path, 'w');
  try {
    for await (const batch of batches) for (const bytes of arraysOf(batch)) await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

async function runKeras(python: string, job: object, terminal: Terminal, signal: AbortSignal): Promise<KerasResult> {
  const script = join(import.meta.dirname, 'keras_train.py');
  const env = { TF_CPP_MIN_LOG_LEVEL: '2', CUDA_VISIBLE_DEVICES: '-1' };
  const child = execa(python, [script], { input: JSON.stringify(job), env, cancelSignal: signal });
  const told = (async () => {
    for await (const line of child.iterable({ from: 'stderr' })) {
      if (String(line).startsWith('epoch ')) terminal.say(`Keras: ${line}`);
    }
  })();
  try {
    const [{ stdout }] = await Promise.all([child, told]);
    return JSON.parse(stdout) as KerasResult;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

interface Scoring {
  experiment: Experiment;
  data: OpenData;
  loader: Loader;
  folder: string;
  signal: AbortSignal;
}

/** Scores probabilities, float32 in the order of the validation images, by the harness's own validation. */
async function scoreFile(path: string, { experiment, data, loader, folder, signal }: Scoring): Promise<Scores> {
  const bytes = await readFile(path);
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / Float32Array.BYTES_PER_ELEMENT);
  let at = 0;
  const evaluate = ({ images }: Batch) => {
    const probabilities = all.slice(at, at + images.length);
    at += images.length;
    return { loss: 0, probabilities, presence: undefined };
  };
  const { summary } = await validate({ evaluate }, loader, data.split.validation, {
    batchSize: experiment.validation_batch_size,
    storePath: join(folder, 'probabilities'),
    checkpoint: '',
    signal,
  });
  await rm(join(folder, 'probabilities'), { recursive: true });
  return { dice: summary.dice, dice_positive: summary.dice_positive, dice_empty: summary.dice_empty };
}
