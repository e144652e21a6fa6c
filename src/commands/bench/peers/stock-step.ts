import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { messageOf } from '../../../core/errors.ts';
import { readSafetensors } from '../../../core/safetensors.ts';
import { silentTerminal } from '../../../core/terminal.ts';
import { loadEngine } from '../../../engine/load.ts';
import { tf } from '../../../engine/tf.ts';
import { namedVariables, setWeights } from '../../../models/weights.ts';
import { medianOf } from './figures.ts';
import type { SharedStart } from './shared-start.ts';

/**
 * A process of its own: a training step, or a prediction, of our network as plain tfjs-node runs it, kernel by kernel, with
 * its own layers and its own Adam. The first word is the JSON of a StockTask; one JSON line goes to stdout.
 */
export interface StockTask extends SharedStart {
  task: 'train' | 'predict';
  steps: number;
  cacheDir: string;
}

const WARM_UP = 2;

async function main({ task, tensors, topology, steps, cacheDir }: StockTask): Promise<object> {
  // Where memory runs out, the kernel ends this process and not a neighbour.
  writeFileSync('/proc/self/oom_score_adj', '1000');
  const { tensorflow } = await loadEngine({ device: 'cpu', cacheDir, deterministic: false }, silentTerminal);
  const model = await tf.models.modelFromJSON(JSON.parse(readFileSync(topology, 'utf8')));
  const values = await readSafetensors(tensors);
  const [images, masks] = ['batch/images', 'batch/masks'].map((name) => {
    const { shape, data } = values.get(name)!;
    values.delete(name);
    return tf.tensor(Uint8Array.from(data), shape, 'int32');
  });
  setWeights(model, values, 'the shared weights');
  values.clear();
  const step = task === 'train' ? trainStep(model, images!, masks!) : () => predict(model, images!);
  const { first, ...times } = await timeSteps(step, steps);
  const rate = (1000 * images!.shape[0]!) / times.median_ms;
  const parameters = trainedWeights(model).reduce((sum, { size }) => sum + size, 0);
  const own = task === 'train' ? { first_loss: first, parameters } : { images_per_second: rate };
  const tfjs = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/package.json') as { version: string };
  return { ...times, ...own, versions: { 'tfjs-node': tfjs.version, tensorflow }, peak_rss_bytes: peakRssBytes() };
}

function trainStep(model: tf.LayersModel, images: tf.Tensor, masks: tf.Tensor): () => number {
  const optimizer = tf.train.adam(1e-4, 0.9, 0.999, 1e-7);
  const weights = trainedWeights(model);
  const loss = () => bceDice(model.apply(images.toFloat(), { training: true }) as tf.Tensor4D, masks.toFloat());
  return () => tf.tidy(() => optimizer.minimize(loss, true, weights)!.dataSync()[0]!);
}

function predict(model: tf.LayersModel, images: tf.Tensor): number {
  return tf.tidy(() => tf.sigmoid(model.apply(images.toFloat()) as tf.Tensor).dataSync()[0]!);
}

function trainedWeights(model: tf.LayersModel): tf.Variable[] {
  return namedVariables(model).flatMap(({ variable, trainable }) => (trainable ? [variable] : []));
}

function bceDice(logits: tf.Tensor, masks: tf.Tensor): tf.Scalar {
  const bce = tf.losses.sigmoidCrossEntropy(masks, logits);
  const probabilities = tf.sigmoid(logits);
  const both = probabilities.mul(masks).sum();
  const dice = both.mul(2).add(1).div(probabilities.sum().add(masks.sum()).add(1));
  return bce.add(tf.sub(1, dice)) as tf.Scalar;
}

async function timeSteps(step: () => number, steps: number) {
  const first = step();
  for (let i = 1; i < WARM_UP; i++) step();
  const milliseconds: number[] = [];
  for (let i = 0; i < steps; i++) {
    // Lets the garbage of the last step go: everything in tfjs-node is synchronous.
    await new Promise((resolve) => setImmediate(resolve));
    const start = performance.now();
    step();
    milliseconds.push(performance.now() - start);
  }
  return { first, median_ms: medianOf(milliseconds), min_ms: Math.min(...milliseconds) };
}

function peakRssBytes(): number {
  return 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
}

try {
  process.stdout.write(`${JSON.stringify(await main(JSON.parse(process.argv[2]!) as StockTask))}\n`);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
