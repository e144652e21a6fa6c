import { setImmediate } from 'node:timers/promises';
import type { GrayImage } from '../../core/image.ts';
import type { Bin } from '../../pages/charts.ts';
import { shrink } from '../../pages/picture.ts';
import type { CatalogueRow } from '../catalogue.ts';
import { countKindsInto, evenEdges } from './bins.ts';
import { type ReportPixels, SAMPLED_PIXELS } from './pixels.ts';

/** Grey levels of usable images, 0 to 255, after the normalisation of the pixel cache, or as the files give them where there is none. */
export interface ExposureFacts {
  /** How many images were looked at: all, or an even spread of them. */
  images: number;
  /** Images by their mean grey level in bins of 8, by KINDS. */
  means: Bin[];
  /** Share of pixels by grey level, in 64 bins of 4. */
  levels: number[];
  /** The extremes, most extreme first. */
  darkest: ImageLevel[];
  brightest: ImageLevel[];
  /** Images whose 1st and 99th percentile are less than 64 grey levels apart. */
  flat: string[];
}

export interface ImageLevel {
  imageId: string;
  /** Mean grey level. */
  mean: number;
}

/** What looking at the pixels gives: facts, and the mean picture (absent without images). */
export interface Exposure {
  facts: ExposureFacts;
  meanPicture: GrayImage | undefined;
}

const EXTREMES = 4;
const FLAT = 64;
const MEAN_SIDE = 256;
const MEAN_OF = 300;

/** Looks at the sampled pictures. Rejects where `signal` aborts. */
export async function measureExposure(
  usable: readonly CatalogueRow[],
  pixels: ReportPixels,
  onImage: () => void,
  signal?: AbortSignal,
): Promise<Exposure> {
  const levels = new Float64Array(256);
  const means = new Map<string, number>();
  const flat: string[] = [];
  const meanSum = new Float64Array(MEAN_SIDE * MEAN_SIDE);
  const everySo = Math.max(1, Math.ceil(pixels.sample.length / MEAN_OF));
  let averaged = 0;
  for (const [position, index] of pixels.sample.entries()) {
    const image = await pixels.read(index);
    const counts = countLevels(image);
    const { imageId } = usable[index]!;
    means.set(imageId, meanOf(counts));
    if (levelAt(counts, 0.99) - levelAt(counts, 0.01) < FLAT) flat.push(imageId);
    const total = counts.reduce((sum, value) => sum + value, 0);
    for (let level = 0; level < 256; level++) levels[level]! += counts[level]! / total;
    if (position % everySo === 0) {
      const small = await stretched(image);
      for (let i = 0; i < meanSum.length; i++) meanSum[i]! += small[i]!;
      averaged++;
    }
    onImage();
    // Reading the cache is synchronous: without a pause no signal would be heard.
    if (position % 64 === 0) await setImmediate();
    signal?.throwIfAborted();
  }
  const data = Uint8Array.from(meanSum, (sum) => sum / averaged);
  return {
    facts: toFacts(usable, means, levels, flat),
    meanPicture: averaged === 0 ? undefined : { width: MEAN_SIDE, height: MEAN_SIDE, data },
  };
}

function toFacts(
  usable: readonly CatalogueRow[],
  means: ReadonlyMap<string, number>,
  levels: Float64Array,
  flat: string[],
): ExposureFacts {
  const ordered = [...means]
    .sort(([, a], [, b]) => a - b)
    .map(([imageId, mean]): ImageLevel => ({ imageId, mean: Number(mean.toFixed(1)) }));
  const share = (bin: number) => {
    const sum = levels.subarray(4 * bin, 4 * bin + 4).reduce((total, value) => total + value, 0);
    return Number((sum / Math.max(1, means.size)).toFixed(6));
  };
  return {
    images: means.size,
    means: countKindsInto(evenEdges(0, 256, 8), usable, ({ imageId }) => means.get(imageId)),
    levels: Array.from({ length: 64 }, (_, bin) => share(bin)),
    darkest: ordered.slice(0, EXTREMES),
    brightest: ordered.slice(-EXTREMES).reverse(),
    flat,
  };
}

/** Counts grey levels of at most SAMPLED_PIXELS evenly spread pixels. */
function countLevels({ data }: GrayImage): Float64Array {
  const counts = new Float64Array(256);
  const step = Math.max(1, Math.floor(data.length / SAMPLED_PIXELS));
  for (let i = 0; i < data.length; i += step) counts[data[i]!]! += 1;
  return counts;
}

function meanOf(counts: Float64Array): number {
  let [sum, total] = [0, 0];
  for (let level = 0; level < 256; level++) {
    sum += level * counts[level]!;
    total += counts[level]!;
  }
  return sum / total;
}

/** The grey level below or at which a share of the pixels lies. */
function levelAt(counts: Float64Array, share: number): number {
  const wanted = share * counts.reduce((sum, value) => sum + value, 0);
  let sum = 0;
  for (let level = 0; level < 256; level++) {
    sum += counts[level]!;
    if (sum >= wanted) return level;
  }
  return 255;
}

/** As a square, whatever its shape, as masks are. */
async function stretched(image: GrayImage): Promise<Uint8Array> {
  return (await shrink(image, MEAN_SIDE, 'fill')).data;
}
