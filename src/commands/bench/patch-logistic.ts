import type { Rng } from '../../core/random.ts';
import type { Example, ScoreMap } from './score-maps.ts';

/** Side of a patch in pixels. */
export const PATCH = 15;
const REACH = (PATCH - 1) / 2;
const FEATURES = PATCH * PATCH;
/** Patches drawn of each class, passes over them, patches a step, and Adam's step size. */
const DRAWN = 12_000;
const PASSES = 12;
const BATCH = 256;
const RATE = 0.003;

/** The patches' standardised grey levels [N, PATCH²] and whether their centre is inside. */
interface Patches {
  features: Float32Array;
  inside: Uint8Array;
  mean: Float32Array;
  deviation: Float32Array;
}

/**
 * Logistic regression of a pixel on the 15×15 grey levels around it: trained on as many patches inside as outside, by Adam
 * (Kingma and Ba, arXiv:1412.6980).
 * @param size side of the examples in pixels.
 */
export function fitPatchLogistic(examples: readonly Example[], size: number, rng: Rng): ScoreMap {
  const patches = drawPatches(examples, size, rng);
  const weights = fitWeights(patches, rng);
  const filter = new Float32Array(FEATURES);
  let bias = weights[FEATURES]!;
  for (let k = 0; k < FEATURES; k++) {
    filter[k] = weights[k]! / patches.deviation[k]!;
    bias -= filter[k]! * patches.mean[k]!;
  }
  return ({ pixels }) => scorePixels(pixels, size, filter, bias);
}

function drawPatches(examples: readonly Example[], size: number, rng: Rng): Patches {
  const positives = examples.filter(({ mask }) => mask.includes(1));
  const features = new Float32Array(2 * DRAWN * FEATURES);
  const inside = new Uint8Array(2 * DRAWN);
  for (let n = 0; n < 2 * DRAWN; n++) {
    const wanted = n % 2;
    const from = wanted === 1 ? positives : examples;
    const example = from[rng.integer(0, from.length - 1)]!;
    copyPatch(features, n * FEATURES, example.pixels, size, drawPixel(example.mask, wanted, rng));
    inside[n] = wanted;
  }
  return { features, inside, ...standardise(features) };
}

function drawPixel(mask: Uint8Array, wanted: number, rng: Rng): number {
  for (;;) {
    const index = rng.integer(0, mask.length - 1);
    if (mask[index] === wanted) return index;
  }
}

/** The grey levels around a pixel; the picture's border is repeated. */
function copyPatch(out: Float32Array, at: number, pixels: Uint8Array, size: number, centre: number): void {
  const row = Math.floor(centre / size);
  const column = centre % size;
  const clamp = (index: number) => Math.min(size - 1, Math.max(0, index));
  for (let dy = -REACH, k = at; dy <= REACH; dy++) {
    const start = clamp(row + dy) * size;
    for (let dx = -REACH; dx <= REACH; dx++, k++) out[k] = pixels[start + clamp(column + dx)]!;
  }
}

/** Shifts and scales every feature to mean 0 and deviation 1 in place; returns both. */
function standardise(features: Float32Array): { mean: Float32Array; deviation: Float32Array } {
  const count = features.length / FEATURES;
  const [mean, deviation] = [new Float32Array(FEATURES), new Float32Array(FEATURES)];
  for (let k = 0; k < FEATURES; k++) {
    let [sum, squares] = [0, 0];
    for (let i = k; i < features.length; i += FEATURES) {
      sum += features[i]!;
      squares += features[i]! ** 2;
    }
    mean[k] = sum / count;
    deviation[k] = Math.sqrt(Math.max(1e-6, squares / count - (sum / count) ** 2));
    for (let i = k; i < features.length; i += FEATURES) features[i] = (features[i]! - mean[k]!) / deviation[k]!;
  }
  return { mean, deviation };
}

/** The weights of the features, then the bias. */
function fitWeights({ features, inside }: Patches, rng: Rng): Float64Array {
  const weights = new Float64Array(FEATURES + 1);
  const [first, second] = [new Float64Array(FEATURES + 1), new Float64Array(FEATURES + 1)];
  let step = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    const order = rng.shuffle([...inside.keys()]);
    for (let start = 0; start + BATCH <= order.length; start += BATCH) {
      const gradient = gradientOf(weights, features, inside, order.slice(start, start + BATCH));
      const rate = (RATE * Math.sqrt(1 - 0.999 ** ++step)) / (1 - 0.9 ** step);
      for (let k = 0; k <= FEATURES; k++) {
        first[k] = 0.9 * first[k]! + 0.1 * gradient[k]!;
        second[k] = 0.999 * second[k]! + 0.001 * gradient[k]! ** 2;
        weights[k] = weights[k]! - (rate * first[k]!) / (Math.sqrt(second[k]!) + 1e-8);
      }
    }
  }
  return weights;
}

/** Of the mean cross-entropy over a batch: (probability − truth) · feature. */
function gradientOf(weights: Float64Array, features: Float32Array, inside: Uint8Array, batch: readonly number[]) {
  const gradient = new Float64Array(FEATURES + 1);
  for (const n of batch) {
    const at = n * FEATURES;
    let logit = weights[FEATURES]!;
    for (let k = 0; k < FEATURES; k++) logit += weights[k]! * features[at + k]!;
    const error = (1 / (1 + Math.exp(-logit)) - inside[n]!) / batch.length;
    for (let k = 0; k < FEATURES; k++) gradient[k] = gradient[k]! + error * features[at + k]!;
    gradient[FEATURES] = gradient[FEATURES]! + error;
  }
  return gradient;
}

function scorePixels(pixels: Uint8Array, size: number, filter: Float32Array, bias: number): Uint8Array {
  const scores = new Uint8Array(pixels.length);
  const patch = new Float32Array(FEATURES);
  for (let i = 0; i < scores.length; i++) {
    copyPatch(patch, 0, pixels, size, i);
    let logit = bias;
    for (let k = 0; k < FEATURES; k++) logit += filter[k]! * patch[k]!;
    scores[i] = Math.round(255 / (1 + Math.exp(-logit)));
  }
  return scores;
}
