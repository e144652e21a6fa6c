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

/** Enlarges a field by a power of two, each doubling bilinear with half-pixel centres (Chaikin's corner cutting). */
export function enlarge(field: Field, size: number): Field {
  let grown = field;
  while (grown.size < size) grown = double(grown);
  return grown;
}

/** Every pixel becomes 2×2, at weights 3/4 and 1/4 along each axis; the border is repeated. */
function double({ size, data }: Field): Field {
  const out = zeroField(2 * size);
  const short = new Float32Array(size);
  for (let y = 0; y < 2 * size; y++) {
    const near = (y >> 1) * size;
    const far = Math.min(size - 1, Math.max(0, (y >> 1) + (y & 1 ? 1 : -1))) * size;
    for (let x = 0; x < size; x++) short[x] = 0.75 * data[near + x]! + 0.25 * data[far + x]!;
    doubleRow(out.data, 2 * size * y, short);
  }
  return out;
}

function doubleRow(out: Float32Array, start: number, row: Float32Array): void {
  const last = row.length - 1;
  for (let x = 0, k = start; x < last; x++, k += 2) {
    out[k + 1] = 0.75 * row[x]! + 0.25 * row[x + 1]!;
    out[k + 2] = 0.25 * row[x]! + 0.75 * row[x + 1]!;
  }
  out[start] = row[0]!;
  out[start + 2 * last + 1] = row[last]!;
}

/** White noise on a coarse grid, enlarged with cubic B-splines: no grid shows through. Mean 0, standard deviation 1. */
export function smoothNoise(rng: Rng, cells: number, size: number): Field {
  const coarse = zeroField(cells);
  const normal = fastNormal(rng);
  for (let i = 0; i < coarse.data.length; i++) coarse.data[i] = normal();
  const noise = splineUp(coarse, size);
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

/** Separable cubic B-spline interpolation, a row at a time: first down, while rows are short, then across. */
function splineUp({ size: from, data }: Field, size: number): Field {
  const { index, weight } = splineTaps(from, size);
  const short = new Float32Array(from);
  const out = zeroField(size);
  for (let y = 0; y < size; y++) {
    const rows = [0, 1, 2, 3].map((k) => index[4 * y + k]! * from) as [number, number, number, number];
    for (let x = 0; x < from; x++) {
      short[x] =
        weight[4 * y]! * data[rows[0] + x]! +
        weight[4 * y + 1]! * data[rows[1] + x]! +
        weight[4 * y + 2]! * data[rows[2] + x]! +
        weight[4 * y + 3]! * data[rows[3] + x]!;
    }
    for (let x = 0, k = 0; x < size; x++, k += 4) {
      out.data[y * size + x] =
        weight[k]! * short[index[k]!]! +
        weight[k + 1]! * short[index[k + 1]!]! +
        weight[k + 2]! * short[index[k + 2]!]! +
        weight[k + 3]! * short[index[k + 3]!]!;
    }
  }
  return out;
}

/** The four cells that each pixel mixes, and their weights; the border is repeated. */
function splineTaps(from: number, to: number): { index: Int32Array; weight: Float32Array } {
  const index = new Int32Array(4 * to);
  const weight = new Float32Array(4 * to);
  for (let x = 0; x < to; x++) {
    const position = ((x + 0.5) * from) / to - 0.5;
    const cell = Math.floor(position);
    const f = position - cell;
    const g = 1 - f;
    weight.set([g * g * g, 3 * f * f * f - 6 * f * f + 4, 3 * g * g * g - 6 * g * g + 4, f * f * f], 4 * x);
    for (let k = 4 * x; k < 4 * x + 4; k++) {
      index[k] = Math.min(from - 1, Math.max(0, cell - 1 + (k & 3)));
      weight[k] = weight[k]! / 6;
    }
  }
  return { index, weight };
}
