import type { NamedTensors } from '../../src/core/safetensors.ts';

/** Numbers by the formula of test/golden/formula.py, so that no weights need to be stored. */

/** Mean and standard deviation of an array, and values of it at places that the formula chooses. */
export interface Digest {
  shape: number[];
  mean: number;
  std: number;
  values: number[];
}

/** A hash of 32 bits (lowbias32, https://nullprogram.com/blog/2018/07/31/). */
function mix(x: number): number {
  let bits = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return bits ^ (bits >>> 16);
}

/** FNV-1a of 32 bits. */
function seedOf(name: string): number {
  let seed = 0x811c9dc5;
  for (const byte of Buffer.from(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return seed;
}

/** `count` multiples of 2⁻²³ from −1 up to 1. */
export function uniform(name: string, count: number): Float64Array {
  const seed = seedOf(name);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = (mix(mix(i) ^ seed) >>> 8) / 2 ** 23 - 1;
  return values;
}

/** The weight of that name, `<layer>/<weight>`, as float32. */
export function formulaWeight(name: string, shape: readonly number[]): Float32Array {
  const sizeOf = (sides: readonly number[]) => sides.reduce((count, side) => count * side, 1);
  const bound = Math.sqrt(6 / sizeOf(name.endsWith('/depthwise_kernel') ? shape.slice(0, 2) : shape.slice(0, -1)));
  const kinds: Record<string, (u: number) => number> = {
    kernel: (u) => u * bound,
    depthwise_kernel: (u) => u * bound,
    bias: (u) => 0.1 * u,
    gamma: (u) => 0.75 + 0.25 * u,
    beta: (u) => 0.3 * u,
    moving_mean: (u) => 0.3 * u,
    moving_variance: (u) => 1 + 0.5 * u,
  };
  const u = uniform(name, sizeOf(shape));
  return new Float32Array(u.map(kinds[name.split('/').at(-1)!]!));
}

/** The weight of that name as PyTorch lays it out: [K,C,k,k] for [k,k,C,K], and [C,1,k,k] for a depthwise [k,k,C,1]. */
export function formulaInTorch(name: string, shape: readonly number[]): { shape: number[]; data: Float32Array } {
  const values = formulaWeight(name, shape);
  if (shape.length !== 4) return { shape: [...shape], data: values };
  const [height, width, inputs, outputs] = shape as [number, number, number, number];
  const depthwise = name.endsWith('/depthwise_kernel');
  const [first, second] = depthwise ? [inputs, outputs] : [outputs, inputs];
  const data = new Float32Array(values.length);
  let place = 0;
  for (let a = 0; a < first; a++) {
    for (let b = 0; b < second; b++) {
      const [input, output] = depthwise ? [a, b] : [b, a];
      for (let tap = 0; tap < height * width; tap++) data[place++] = values[(tap * inputs + input) * outputs + output]!;
    }
  }
  return { shape: [first, second, height, width], data };
}

/** Every weight of a network by the formula, from what the network has. */
export function formulaWeights(weights: NamedTensors): NamedTensors {
  return new Map([...weights].map(([name, { shape }]) => [name, { shape, data: formulaWeight(name, shape) }]));
}

/** Whole grey levels 0 to 255, [count,side,side,3]. */
export function formulaImages(count: number, side: number): Float32Array {
  return Float32Array.from(uniform('image', count * side * side * 3), (u) => Math.floor((u + 1) * 128));
}

/** As formula.py digests an array. */
export function digest(values: ArrayLike<number>, shape: readonly number[], samples = 64): Digest {
  const size = values.length;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < size; i++) sum += values[i]!;
  const mean = sum / size;
  for (let i = 0; i < size; i++) squares += (values[i]! - mean) ** 2;
  const places = Array.from(uniform('places', samples), (u) => Math.floor(((u + 1) / 2) * size));
  return { shape: [...shape], mean, std: Math.sqrt(squares / size), values: places.map((place) => values[place]!) };
}
