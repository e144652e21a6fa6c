import { MASK_SIZE } from '../../core/competition.ts';
import type { Runs } from '../../core/rle.ts';
import type { Bar, Bin } from '../../pages/charts.ts';
import type { CatalogueRow } from '../catalogue.ts';
import type { Labels } from '../labels.ts';
import { countInto } from './bins.ts';

/** Masks of the usable positive images: unions of their label rows at 1024². */
export interface MaskFacts {
  /** Pixels at 1024² at these shares of the positive images, from the smallest to the largest. */
  areas: { share: number; area: number }[];
  /** Areas in bins that grow by √2 (by 2 below 16 pixels). */
  bins: Bin[];
  /** Positive images by their number of label rows. */
  rows: Bar[];
  /** Share of all pixels of labelled images that are positive. */
  positivePixels: number;
  /** Positive images with a mask in the picture's left half alone, its right half alone, both. */
  halves: { left: number; right: number; both: number };
  /** Share of positive images' area that is positive, by cell of a square grid over the picture, row-major. */
  positions: { side: number; values: number[] };
}

/** Cells along a side of the grid of positions; it divides MASK_SIZE. */
const GRID = 32;
const SHARES = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1];
/** From one pixel to the whole picture: doublings, and from 16 on two bins for each. */
const AREA_EDGES = [1, 2, 4, 8, ...Array.from({ length: 33 }, (_, i) => Math.round(2 ** (4 + i / 2)))];

/** Measures the masks of positive images. */
export function countMasks(usable: readonly CatalogueRow[], labels: Labels): MaskFacts {
  const positives = usable.filter((row) => row.positive);
  const truths = positives.map(({ imageId }) => labels.truth.get(imageId) ?? new Int32Array(0));
  const areas = positives.map(({ maskArea }) => maskArea).sort((a, b) => a - b);
  const total = areas.reduce((sum, area) => sum + area, 0);
  const labelled = usable.filter((row) => row.labelled).length;
  return {
    areas: areas.length === 0 ? [] : SHARES.map((share) => ({ share, area: quantile(areas, share) })),
    bins: countInto(
      AREA_EDGES,
      areas.map((area) => [area, 0]),
    ),
    rows: countRows(positives),
    positivePixels: labelled === 0 ? 0 : total / (labelled * MASK_SIZE ** 2),
    halves: countHalves(truths),
    positions: { side: GRID, values: meanPositions(truths) },
  };
}

/** The value at a share of ascending values (nearest rank). */
export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.round(share * (ascending.length - 1))]!;
}

function countRows(positives: readonly CatalogueRow[]): Bar[] {
  const counts = new Map<number, number>();
  for (const { rleRows } of positives) counts.set(rleRows, (counts.get(rleRows) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b).map(([rows, images]) => ({ name: String(rows), counts: [images] }));
}

function countHalves(truths: readonly Runs[]): MaskFacts['halves'] {
  const halves = { left: 0, right: 0, both: 0 };
  // Codes go down the columns: the left half's pixels come first.
  const middle = MASK_SIZE ** 2 / 2;
  for (const runs of truths) {
    const left = runs.length > 0 && runs[0]! < middle;
    const right = runs.length > 0 && runs.at(-1)! > middle;
    if (left && right) halves.both++;
    else if (left) halves.left++;
    else if (right) halves.right++;
  }
  return halves;
}

function meanPositions(truths: readonly Runs[]): number[] {
  const cell = MASK_SIZE / GRID;
  const pixels = new Array<number>(GRID * GRID).fill(0);
  for (const runs of truths) {
    for (let i = 0; i < runs.length; i += 2) {
      // A run is cut where a cell or a column ends: cells are whole parts of columns, so every multiple of `cell` is a cut.
      for (let start = runs[i]!; start < runs[i + 1]!; ) {
        const end = Math.min(runs[i + 1]!, (Math.floor(start / cell) + 1) * cell);
        const column = Math.floor(start / MASK_SIZE / cell);
        const row = Math.floor((start % MASK_SIZE) / cell);
        pixels[row * GRID + column]! += end - start;
        start = end;
      }
    }
  }
  const whole = Math.max(1, truths.length) * cell * cell;
  return pixels.map((sum) => Number((sum / whole).toFixed(5)));
}
