import { createRng, type Rng } from '../../core/random.ts';

/** A square map of real numbers over the picture, row-major: attenuation, distance or weight. */
export interface Field {
  size: number;
  data: Float32Array;
}

/** A field of zeros. */
export function zeroField(size: number): Field {
  return { size, data: new Float32Array(size * size) };
}

/** A field whose value at each pixel is `value(u, v)`, u to the right and v down in [-1, 1], at pixel centres. */
export function mapField(size: number, value: (u: number, v: number) => number): Field {
  const field = zeroField(size);
  for (let row = 0, i = 0; row < size; row++) {
    const v = centreOf(row, size);
    for (let column = 0; column < size; column++, i++) field.data[i] = value(centreOf(column, size), v);
  }
  return field;
}

/** The coordinate in [-1, 1] of the centre of a pixel. */
export function centreOf(index: number, size: number): number {
  return ((index + 0.5) * 2) / size - 1;
}

/** Enlarges a field bilinearly with half-pixel centres; `size` is a multiple of the field's. */
export function enlarge(field: Field, size: number): Field {
  return convolveUp(field, size, [0, 1], (f) => [1 - f, f]);
}

/** White noise on a coarse grid, enlarged with cubic B-splines: no grid shows through. Mean 0, standard deviation 1. */
export function smoothNoise(rng: Rng, cells: number, size: number): Field {
  const coarse = zeroField(cells);
  const normal = fastNormal(rng);
  for (let i = 0; i < coarse.data.length; i++) coarse.data[i] = normal();
  const noise = convolveUp(coarse, size, [-1, 0, 1, 2], cubicWeights);
  let power = 0;
  for (const value of noise.data) power += value * value;
  const scale = Math.sqrt(noise.data.length / power);
  for (let i = 0; i < noise.data.length; i++) noise.data[i] = noise.data[i]! * scale;
  return noise;
}

/**
 * A stream of nearly normal numbers (mean 0, standard deviation 1): the sum of a random word's four bytes, from the
 * generator xorshift32 (Marsaglia 2003, doi:10.18637/jss.v008.i14), since a picture needs a million of them.
 */
export function fastNormal(rng: Rng): () => number {
  let state = rng.integer(1, 0x7fffffff);
  // A byte is uniform over 0…255: variance (256² − 1)/12; four of them have mean 4 · 127.5 = 510.
  const scale = 1 / Math.sqrt((4 * (256 * 256 - 1)) / 12);
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state & 255) + ((state >>> 8) & 255) + ((state >>> 16) & 255) + (state >>> 24) - 510) * scale;
  };
}

/** A stream for one purpose of one image; the same whatever thread draws it. */
export function streamOf(seed: number, purpose: string, key: string | number): Rng {
  return createRng(seed, 'phantom', purpose, key);
}

/** 0 below `from`, 1 above `to`, smooth between. */
export function smoothstep(from: number, to: number, x: number): number {
  const t = Math.min(1, Math.max(0, (x - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

/** 1 at 0, falling smoothly; the normal curve without its factor. */
export function bell(x: number): number {
  return Math.exp(-0.5 * x * x);
}

type Weights = (fraction: number) => readonly number[];

function cubicWeights(f: number): number[] {
  const g = 1 - f;
  return [(g * g * g) / 6, (3 * f * f * f - 6 * f * f + 4) / 6, (3 * g * g * g - 6 * g * g + 4) / 6, (f * f * f) / 6];
}

/** Separable interpolation, a row at a time: first down, while rows are short, then across; the border is repeated. */
function convolveUp(field: Field, size: number, offsets: readonly number[], weights: Weights): Field {
  const { size: from, data } = field;
  const taps = tapsOf(from, size, offsets, weights);
  const count = offsets.length;
  const short = new Float32Array(from);
  const out = zeroField(size);
  for (let y = 0; y < size; y++) {
    short.fill(0);
    for (let k = y * count; k < (y + 1) * count; k++) addRow(short, data, taps.index[k]! * from, taps.weight[k]!);
    const row = out.data.subarray(y * size, (y + 1) * size);
    if (count === 2) widenByTwo(row, short, taps);
    else widenByFour(row, short, taps);
  }
  return out;
}

function addRow(sum: Float32Array, data: Float32Array, start: number, weight: number): void {
  for (let x = 0; x < sum.length; x++) sum[x] = sum[x]! + weight * data[start + x]!;
}

interface Taps {
  index: Int32Array;
  weight: Float32Array;
}

function widenByTwo(row: Float32Array, short: Float32Array, { index, weight }: Taps): void {
  for (let x = 0, k = 0; x < row.length; x++, k += 2) {
    row[x] = weight[k]! * short[index[k]!]! + weight[k + 1]! * short[index[k + 1]!]!;
  }
}

function widenByFour(row: Float32Array, short: Float32Array, { index, weight }: Taps): void {
  for (let x = 0, k = 0; x < row.length; x++, k += 4) {
    row[x] =
      weight[k]! * short[index[k]!]! +
      weight[k + 1]! * short[index[k + 1]!]! +
      weight[k + 2]! * short[index[k + 2]!]! +
      weight[k + 3]! * short[index[k + 3]!]!;
  }
}

function tapsOf(from: number, to: number, offsets: readonly number[], weights: Weights): Taps {
  const index = new Int32Array(to * offsets.length);
  const weight = new Float32Array(to * offsets.length);
  for (let x = 0; x < to; x++) {
    const position = ((x + 0.5) * from) / to - 0.5;
    const cell = Math.floor(position);
    weights(position - cell).forEach((value, k) => {
      index[x * offsets.length + k] = Math.min(from - 1, Math.max(0, cell + offsets[k]!));
      weight[x * offsets.length + k] = value;
    });
  }
  return { index, weight };
}
