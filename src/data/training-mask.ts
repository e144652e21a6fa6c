import { MASK_SIZE } from '../core/competition.ts';
import type { Runs } from '../core/rle.ts';

/** Half-open rows and columns of the coarser grid. */
interface Bounds {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** What two areas may differ by and still count as equal. */
const ROUNDING = 1e-9;

/**
 * A mask at the network's resolution: 1 where at least half of a pixel's area is inside, [resolution, resolution]
 * row-major. Exact for any resolution, by the area that each run covers of each coarser pixel.
 */
export function maskAtResolution(runs: Runs, resolution: number, size = MASK_SIZE): Uint8Array {
  const mask = new Uint8Array(resolution * resolution);
  drawMask(runs, resolution, mask, size);
  return mask;
}

/** The same into an existing mask of [resolution, resolution], whatever was in it. */
export function drawMask(runs: Runs, resolution: number, mask: Uint8Array, size = MASK_SIZE): void {
  mask.fill(0);
  const segments = splitByColumn(runs, size);
  if (segments.length === 0) return;
  const scale = resolution / size;
  const bounds = boundsOf(segments, resolution, scale);
  const width = bounds.right - bounds.left;
  // Most masks are small beside the image.
  const coverage = new Float64Array(width * (bounds.bottom - bounds.top));
  for (let i = 0; i < segments.length; i += 3) {
    coverColumn(coverage, bounds, segments[i]! * scale, segments[i + 1]! * scale, segments[i + 2]! * scale, scale);
  }
  for (let i = 0, y = bounds.top; y < bounds.bottom; y++) {
    for (let x = bounds.left; x < bounds.right; x++, i++) {
      if (coverage[i]! >= 0.5 - ROUNDING) mask[y * resolution + x] = 1;
    }
  }
}

/** Runs as flat triples of a column and its half-open rows: a run may go on at the top of the next column. */
function splitByColumn(runs: Runs, size: number): number[] {
  const segments: number[] = [];
  for (let i = 0; i < runs.length; i += 2) {
    for (let start = runs[i]!; start < runs[i + 1]!; ) {
      const column = Math.floor(start / size);
      const end = Math.min(runs[i + 1]!, (column + 1) * size);
      segments.push(column, start - column * size, end - column * size);
      start = end;
    }
  }
  return segments;
}

/** Where the coarser pixels lie that the segments touch; those are in ascending order of columns. */
function boundsOf(segments: readonly number[], side: number, scale: number): Bounds {
  let top = Number.POSITIVE_INFINITY;
  let bottom = 0;
  for (let i = 0; i < segments.length; i += 3) {
    top = Math.min(top, segments[i + 1]!);
    bottom = Math.max(bottom, segments[i + 2]!);
  }
  const lastColumn = segments[segments.length - 3]!;
  return {
    left: Math.floor(segments[0]! * scale),
    right: lastTouched((lastColumn + 1) * scale, side),
    top: Math.floor(top * scale),
    bottom: lastTouched(bottom * scale, side),
  };
}

/** Adds the area of one source column, between two heights, to every target pixel that it lies in. */
function coverColumn(
  coverage: Float64Array,
  bounds: Bounds,
  left: number,
  top: number,
  bottom: number,
  scale: number,
): void {
  const right = left + scale;
  const width = bounds.right - bounds.left;
  const [lastX, lastY] = [lastTouched(right, bounds.right), lastTouched(bottom, bounds.bottom)];
  for (let x = Math.floor(left); x < lastX; x++) {
    const across = Math.min(right, x + 1) - Math.max(left, x);
    for (let y = Math.floor(top); y < lastY; y++) {
      const i = (y - bounds.top) * width + (x - bounds.left);
      coverage[i] = coverage[i]! + across * (Math.min(bottom, y + 1) - Math.max(top, y));
    }
  }
}

/** The end of the half-open range of pixels that reaches `end`, but for rounding. */
function lastTouched(end: number, limit: number): number {
  return Math.min(limit, Math.ceil(end - ROUNDING));
}
