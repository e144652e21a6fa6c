import type { Rng } from '../core/random.ts';
import { reused } from './reused.ts';
import { nextXorshift } from './xorshift.ts';

/** A smooth random function over an image, by its values at every `step`-th pixel; between them it is as good as linear. */
export interface SmoothField {
  /** Pixels from node to node. */
  step: number;
  /** Nodes along each side; the first is at the first pixel, the last at or beyond the last one. */
  nodes: number;
  /** [nodes,nodes] row-major. */
  values: Float32Array;
}

/** Widths of the Gaussian that it is cut off at. */
const CUT = 3;

const noiseMemory = reused((length) => new Float32Array(length));
const rowMemory = reused((length) => new Float32Array(length));

/**
 * Noise uniform in ±1 at every pixel, smoothed by a Gaussian of standard deviation `sigma` in pixels. What is so smooth
 * need not be computed at every pixel: nodes are up to two thirds of sigma apart, and noise at each has the standard
 * deviation of the mean over its pixels.
 * @param memory where the values are put; taken anew for each field that is needed at once.
 */
export function drawSmoothField(
  size: number,
  sigma: number,
  memory: (length: number) => Float32Array,
  rng: Rng,
): SmoothField {
  const step = Math.max(1, Math.floor(sigma / 1.5));
  const nodes = Math.floor((size - 1) / step) + 2;
  const weights = gaussian(sigma / step);
  const taps = weights.length;
  const width = nodes + taps - 1;
  const noise = noiseMemory(width * width);
  drawUniform(noise, width * width, 1 / step, rng);
  const smooth = rowMemory(width * nodes);
  for (let row = 0; row < width; row++) {
    convolve({ source: noise, start: row * width, stride: 1 }, weights, smooth, row * nodes, nodes);
  }
  const values = memory(nodes * nodes);
  for (let row = 0; row < nodes; row++) {
    convolve({ source: smooth, start: row * nodes, stride: nodes }, weights, values, row * nodes, nodes);
  }
  return { step, nodes, values };
}

/** Weights that sum to 1 of a Gaussian at whole numbers. */
function gaussian(sigma: number): Float64Array {
  const radius = Math.max(1, Math.ceil(CUT * sigma));
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function drawUniform(noise: Float32Array, length: number, largest: number, rng: Rng): void {
  const scale = largest / 2 ** 31;
  for (let i = 0, state = rng.integer(1, 2 ** 31 - 1); i < length; i++) {
    state = nextXorshift(state);
    noise[i] = state * scale;
  }
}

/** `count` weighted sums of neighbours that lie `stride` apart; each begins one value further on. */
function convolve(
  { source, start, stride }: { source: Float32Array; start: number; stride: number },
  weights: Float64Array,
  target: Float32Array,
  to: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let tap = 0, at = start + i; tap < weights.length; tap++, at += stride) sum += weights[tap]! * source[at]!;
    target[to + i] = sum;
  }
}
