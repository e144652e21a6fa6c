import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MASK_SIZE } from '../../core/competition.ts';
import { createRng, type Rng } from '../../core/random.ts';
import { maskToRuns, type Runs } from '../../core/rle.ts';
import type { Dataset } from '../../data/dataset.ts';
import { openPixelFile } from '../../data/pixel-file.ts';

/** The share of positives in the real training set: 2,669 of 12,047. */
const POSITIVE_SHARE = 0.22;
/** Union areas of the real masks in pixels at 1024², by quantile. */
const AREAS = [
  { quantile: 0, area: 55 },
  { quantile: 0.05, area: 1_364 },
  { quantile: 0.5, area: 8_630 },
  { quantile: 0.95, area: 45_772 },
  { quantile: 1, area: 161_421 },
] as const;
/** The share of positives that have at most 1, 2, 3 components; the rest is given 4. */
const COMPONENTS = [0.69, 0.89, 0.95] as const;
/** Length over breadth of a component. */
const ASPECT = 4;

/** A pixel cache of `count` images of noise in a folder, with masks as large and as many as the real ones. */
export async function writeLoaderData(folder: string, count: number, resolution: number): Promise<Dataset> {
  const pixelsPath = join(folder, 'bench.pixels');
  await writeFile(pixelsPath, makeNoise(count * resolution ** 2));
  const images = Array.from({ length: count }, (_, index) => ({
    id: `image-${index}`,
    set: 'stage1-train' as const,
    patientId: '',
    truth: drawTruth(createRng(1, 'truth', index)),
  }));
  const file = openPixelFile(pixelsPath, count, resolution);
  const readPixels = (index: number) => {
    const pixels = new Uint8Array(resolution ** 2);
    file.read(index, pixels);
    return pixels;
  };
  return { root: folder, resolution, digest: '', images, pixelsPath, readPixels, close: file.close };
}

/** Grey levels; what they are changes no time, but that they differ may. */
function makeNoise(length: number): Uint8Array {
  const pixels = new Uint8Array(length);
  // xorshift (Marsaglia, 2003): some hundred million levels are wanted at once.
  for (let i = 0, state = 1; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    pixels[i] = state & 0xff;
  }
  return pixels;
}

/** The mask of one image: empty, or ellipses somewhere. */
function drawTruth(rng: Rng): Runs {
  if (!rng.chance(POSITIVE_SHARE)) return new Int32Array(0);
  const area = drawArea(rng);
  const most = rng.uniform();
  const components = 1 + COMPONENTS.filter((share) => most >= share).length;
  const data = new Uint8Array(MASK_SIZE ** 2);
  const breadth = Math.sqrt(area / components / (Math.PI * ASPECT));
  for (let i = 0; i < components; i++) fillEllipse(data, breadth, ASPECT * breadth, rng);
  return maskToRuns({ width: MASK_SIZE, height: MASK_SIZE, data });
}

/** Log-linear between the known quantiles. */
function drawArea(rng: Rng): number {
  const at = rng.uniform();
  const upper = Math.max(
    1,
    AREAS.findIndex(({ quantile }) => quantile >= at),
  );
  const [from, to] = [AREAS[upper - 1]!, AREAS[upper]!];
  const share = (at - from.quantile) / (to.quantile - from.quantile);
  return from.area * (to.area / from.area) ** share;
}

/** An upright ellipse by its half axes in pixels, at a random place inside the image. */
function fillEllipse(data: Uint8Array, halfWidth: number, halfHeight: number, rng: Rng): void {
  const x = rng.between(halfWidth, MASK_SIZE - halfWidth);
  const y = rng.between(Math.min(halfHeight, MASK_SIZE / 2), Math.max(MASK_SIZE - halfHeight, MASK_SIZE / 2));
  for (let row = Math.max(0, Math.floor(y - halfHeight)); row < Math.min(MASK_SIZE, y + halfHeight); row++) {
    const half = halfWidth * Math.sqrt(Math.max(0, 1 - ((row + 0.5 - y) / halfHeight) ** 2));
    const [from, to] = [Math.max(0, Math.round(x - half)), Math.min(MASK_SIZE, Math.round(x + half))];
    if (to > from) data.fill(1, row * MASK_SIZE + from, row * MASK_SIZE + to);
  }
}
