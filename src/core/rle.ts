import { EMPTY_RLE, MASK_SIZE } from './competition.ts';
import { expected, UserError } from './errors.ts';
import type { Mask } from './image.ts';

/**
 * Where a mask is 1, as half-open intervals [start, end) of pixel indices in column-major order (index = x·height + y):
 * flat pairs, ascending, neither touching nor overlapping. An empty mask is an empty array.
 */
export type Runs = Int32Array;

/**
 * Reads the competition's code: pairs of (gap since the end of the previous run, run length), 0-based and
 * column-major over size×size pixels; `-1` is empty. Throws UserError where the text is no such code.
 * @param where what is being read, for the message: file and line, or image id.
 */
export function parseRle(text: string, where: string, size = MASK_SIZE): Runs {
  const trimmed = text.trim();
  if (trimmed === EMPTY_RLE) return new Int32Array(0);
  const tokens = trimmed.split(/\s+/);
  if (trimmed === '' || tokens.length % 2 !== 0) {
    const count = trimmed === '' ? 0 : tokens.length;
    throw new UserError(
      expected('-1 or pairs of gap and length', `the run-length code of ${where}`, `${count} tokens`),
    );
  }
  const runs: number[] = [];
  let position = 0;
  for (let i = 0; i < tokens.length; i += 2) {
    const start = position + readCount(tokens[i]!, 0, where);
    const end = start + readCount(tokens[i + 1]!, 1, where);
    if (end > size * size) {
      const next = `The image has ${size}×${size} pixels.`;
      throw new UserError(expected(`runs within ${size * size} pixels`, `the run-length code of ${where}`, end, next));
    }
    appendRun(runs, start, end);
    position = end;
  }
  return Int32Array.from(runs);
}

/** Writes the competition's code (see parseRle); `-1` when empty. */
export function formatRle(runs: Runs): string {
  if (runs.length === 0) return EMPTY_RLE;
  const tokens: number[] = [];
  let position = 0;
  for (let i = 0; i < runs.length; i += 2) {
    tokens.push(runs[i]! - position, runs[i + 1]! - runs[i]!);
    position = runs[i + 1]!;
  }
  return tokens.join(' ');
}

/** The runs of a mask of any size. */
export function maskToRuns(mask: Mask): Runs {
  const { width, height, data } = mask;
  const { top, bottom, left, right } = boundsOf(mask);
  // A run may go on at the top of the next column: appendRun joins what touches.
  const runs: number[] = [];
  for (let x = left; x < right; x++) {
    let start = -1;
    for (let y = top, index = top * width + x; y < bottom; y++, index += width) {
      if (data[index] !== 0) {
        if (start < 0) start = y;
      } else if (start >= 0) {
        appendRun(runs, x * height + start, x * height + y);
        start = -1;
      }
    }
    if (start >= 0) appendRun(runs, x * height + start, x * height + bottom);
  }
  return new Int32Array(runs);
}

/**
 * The half-open rows and columns that hold all of a mask; empty ones for an empty mask. Most masks are empty or small,
 * and walking down their columns is slow beside searching along their rows (a Buffer searches as C's memchr does).
 */
function boundsOf({ width, height, data }: Mask): { top: number; bottom: number; left: number; right: number } {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const first = bytes.indexOf(1);
  if (first < 0) return { top: height, bottom: 0, left: width, right: 0 };
  const top = Math.floor(first / width);
  const bottom = Math.floor(bytes.lastIndexOf(1) / width) + 1;
  const bounds = { top, bottom, left: width, right: 0 };
  for (let y = top; y < bottom; y++) {
    const row = bytes.subarray(y * width, (y + 1) * width);
    const start = row.indexOf(1);
    if (start < 0) continue;
    bounds.left = Math.min(bounds.left, start);
    bounds.right = Math.max(bounds.right, row.lastIndexOf(1) + 1);
  }
  return bounds;
}

/**
 * The square mask that the runs describe.
 * @param data its memory, size² bytes, which is cleared first; new memory when left out.
 */
export function runsToMask(runs: Runs, size = MASK_SIZE, data?: Uint8Array): Mask {
  const pixels = data?.fill(0) ?? new Uint8Array(size * size);
  for (let i = 0; i < runs.length; i += 2) {
    let x = Math.floor(runs[i]! / size);
    let y = runs[i]! % size;
    for (let left = runs[i + 1]! - runs[i]!; left > 0; left--) {
      pixels[y * size + x] = 1;
      if (++y < size) continue;
      y = 0;
      x++;
    }
  }
  return { width: size, height: size, data: pixels };
}

/** The union of several masks: overlapping rows of one image count once. */
export function uniteRuns(parts: readonly Runs[]): Runs {
  if (parts.length === 1) return parts[0]!;
  const pairs: [number, number][] = [];
  for (const runs of parts) for (let i = 0; i < runs.length; i += 2) pairs.push([runs[i]!, runs[i + 1]!]);
  pairs.sort((a, b) => a[0] - b[0]);
  const united: number[] = [];
  for (const [start, end] of pairs) appendRun(united, start, end);
  return Int32Array.from(united);
}

/** The number of pixels inside. */
export function areaOfRuns(runs: Runs): number {
  let area = 0;
  for (let i = 0; i < runs.length; i += 2) area += runs[i + 1]! - runs[i]!;
  return area;
}

/** The number of pixels inside both. */
export function intersectionArea(a: Runs, b: Runs): number {
  let area = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    area += Math.max(0, Math.min(a[i + 1]!, b[j + 1]!) - Math.max(a[i]!, b[j]!));
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return area;
}

/** Adds a run that starts no earlier than the last one, joining it where they touch or overlap; empty ones are dropped. */
function appendRun(runs: number[], start: number, end: number): void {
  if (end <= start) return;
  const lastEnd = runs.length > 0 ? runs[runs.length - 1]! : -1;
  if (start <= lastEnd) runs[runs.length - 1] = Math.max(lastEnd, end);
  else runs.push(start, end);
}

function readCount(token: string, least: number, where: string): number {
  const count = /^\d{1,9}$/.test(token) ? Number(token) : Number.NaN;
  if (count >= least) return count;
  throw new UserError(expected(`a whole number of at least ${least}`, `the run-length code of ${where}`, token));
}
