import { MASK_SIZE } from '../core/competition.ts';
import type { Runs } from '../core/rle.ts';

/**
 * A mask at the network's resolution: 1 where at least half of a pixel's area is inside, [resolution, resolution]
 * row-major. Exact for any resolution, by the area that each run covers of each coarser pixel.
 */
export function maskAtResolution(runs: Runs, resolution: number, size = MASK_SIZE): Uint8Array {
  const mask = new Uint8Array(resolution * resolution);
  if (runs.length === 0) return mask;
  const coverage = new Float64Array(resolution * resolution);
  const scale = resolution / size;
  for (let i = 0; i < runs.length; i += 2) {
    for (let start = runs[i]!; start < runs[i + 1]!; ) {
      const column = Math.floor(start / size);
      const end = Math.min(runs[i + 1]!, (column + 1) * size);
      coverColumn(coverage, resolution, column * scale, start - column * size, end - column * size, scale);
      start = end;
    }
  }
  for (let i = 0; i < mask.length; i++) mask[i] = coverage[i]! >= 0.5 - 1e-9 ? 1 : 0;
  return mask;
}

/** Adds the area of one source column, between two source rows, to every target pixel that it lies in. */
function coverColumn(coverage: Float64Array, side: number, left: number, top: number, bottom: number, scale: number) {
  const right = left + scale;
  for (let x = Math.floor(left); x < Math.min(side, Math.ceil(right - 1e-9)); x++) {
    const width = Math.min(right, x + 1) - Math.max(left, x);
    for (let y = Math.floor(top * scale); y < Math.min(side, Math.ceil(bottom * scale - 1e-9)); y++) {
      const height = Math.min(bottom * scale, y + 1) - Math.max(top * scale, y);
      coverage[y * side + x] = coverage[y * side + x]! + width * height;
    }
  }
}
