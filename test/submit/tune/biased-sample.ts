import { createRng, type Rng } from '../../../src/core/random.ts';
import { crossFit } from '../../../src/submit/tune/cross-fit.ts';
import type { MaskTables } from '../../../src/submit/tune/mask-tables.ts';
import { scoreSetting, type Tabulated } from '../../../src/submit/tune/setting.ts';
import { GRID, gridThresholds } from '../../../src/submit/tune/space.ts';
import { weightKey } from '../../../src/submit/tune/weights.ts';

/** What one repetition of tuning says, and what is true of it. */
export interface Repetition {
  naive: number;
  honest: number;
  /** What the setting that was found comes to on many new images. */
  truth: number;
}

export interface ChanceOptions {
  repetitions: number;
  /** To tune on in each repetition, a multiple of 50. */
  images: number;
  /** On which the settings found are then scored. */
  newImages: number;
  /** Whether one image in ten has no mask, and gates are tuned too. */
  gated: boolean;
}

const KINDS = [
  { statistic: 'max' as const },
  { statistic: 'top_mean' as const, pixels: 100 },
  { statistic: 'sum' as const, above: 0.5 },
];

/**
 * Tunes on images whose scores depend little on the settings and much on chance, as of a network that is as good as it gets:
 * what the best of thousands of settings gains on them is mostly chance.
 */
export async function tuneOnChance({ repetitions, images, newImages, gated }: ChanceOptions): Promise<Repetition[]> {
  const results: Repetition[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const rng = createRng(20190904, repetition);
    const sample = drawImages(images, rng, gated);
    const parts = Int32Array.from({ length: images }, (_, image) => Math.floor(image / 10) % 5);
    const tabulate = async () => new Map([[weightKey([1]), sample]]);
    const masks = ['threshold', 'min_component_area', 'largest_components'] as const;
    const steps = gated ? [...masks, 'gate' as const] : masks;
    const { fits } = await crossFit([steps], { tabulate, parts, weights: [1], grid: GRID });
    const { best, honest } = fits[0]!;
    const { dice } = scoreSetting(drawImages(newImages, rng, gated), best.setting);
    results.push({ naive: best.mean, honest: meanOf(honest.dice), truth: meanOf(dice) });
  }
  return results;
}

/** All thresholds that the search may ask for. */
const THRESHOLDS = Array.from({ length: 99 }, (_, i) => (i + 1) / 100).filter(
  (each) => each >= 0.05 || gridThresholds(GRID).includes(each),
);

function drawImages(count: number, rng: Rng, gated: boolean): Tabulated {
  const images = Array.from({ length: count }, (_, place) => drawImage(rng, !gated || place % 10 > 0));
  return {
    thresholds: THRESHOLDS,
    images,
    kinds: KINDS,
    // Evidence that says a little.
    evidence: KINDS.map(() =>
      Float64Array.from(images, ({ truthArea }) => clamp(0.5 + 0.1 * rng.normal() + (truthArea > 0 ? 0.15 : 0))),
    ),
  };
}

/** Two components whose overlap at each threshold is drawn anew about one mean. */
function drawImage(rng: Rng, positive: boolean): MaskTables {
  const truthArea = positive ? 4000 : 0;
  const [starts, areas, areaSums, overlapSums]: number[][] = [[0], [], [], []];
  for (let table = 0; table < 2 * THRESHOLDS.length; table++) {
    const [large, small] = [4000, 100 + rng.integer(0, 3000)];
    const overlap = truthArea === 0 ? 0 : Math.round(4000 * clamp(0.75 + 0.08 * rng.normal()));
    areas!.push(large, small);
    areaSums!.push(large, large + small);
    overlapSums!.push(overlap, overlap);
    starts!.push(areas!.length);
  }
  const arrays = [starts, areas, areaSums, overlapSums].map((values) => Int32Array.from(values!));
  return { truthArea, starts: arrays[0]!, areas: arrays[1]!, areaSums: arrays[2]!, overlapSums: arrays[3]! };
}

function clamp(value: number): number {
  return Math.min(0.999, Math.max(0.001, value));
}

export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
