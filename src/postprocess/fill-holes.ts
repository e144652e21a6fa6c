import { z } from 'zod';
import type { Mask } from '../core/image.ts';
import { type Components, findOutsides, outsidesOfSegments } from './components.ts';

/** Whether what a mask encloses belongs to it. */
export const fillHolesConfig = z.boolean().default(false);

/**
 * The mask with its holes: whatever cannot be left for the picture's edge without crossing the mask, at its corners
 * neither (4-connected outside). The same mask where there is no hole.
 */
export function fillHoles(mask: Mask): Mask {
  // Searched as memory is, in no time: most masks are empty.
  if (!Buffer.from(mask.data.buffer, mask.data.byteOffset, mask.data.byteLength).includes(1)) return mask;
  const holes = segmentsOfHoles(findOutsides(mask), mask.width, mask.height);
  if (holes.length === 0) return mask;
  const data = mask.data.slice();
  for (let i = 0; i < holes.length; i += 2) data.fill(1, holes[i]!, holes[i + 1]!);
  return { ...mask, data };
}

/** The same on segments as `Components` has them: those of the filled mask; the same ones where there is no hole. */
export function fillHolesOfSegments(segments: Int32Array, width: number): Int32Array {
  if (segments.length === 0) return segments;
  // Above the first row of the mask and below its last there is none.
  const top = segments[0]! - (segments[0]! % width);
  const shifted = segments.map((place) => place - top);
  const height = Math.floor((shifted.at(-1)! - 1) / width) + 1;
  const holes = segmentsOfHoles(outsidesOfSegments(shifted, width, height), width, height);
  if (holes.length === 0) return segments;
  return mergeSegments(
    segments,
    holes.map((place) => place + top),
    width,
  );
}

/** The segments of an outside that belong to a component which reaches no edge. */
function segmentsOfHoles({ areas, segments, componentOf }: Components, width: number, height: number): number[] {
  const reachesEdge = new Uint8Array(areas.length);
  for (const [index, component] of componentOf.entries()) {
    const [start, end] = [segments[2 * index]!, segments[2 * index + 1]!];
    const atEdge = start < width || end > (height - 1) * width || start % width === 0 || end % width === 0;
    if (atEdge) reachesEdge[component] = 1;
  }
  const holes: number[] = [];
  for (const [index, component] of componentOf.entries()) {
    if (reachesEdge[component] === 0) holes.push(segments[2 * index]!, segments[2 * index + 1]!);
  }
  return holes;
}

/** Two ascending lists of segments that do not overlap, as one; what touches within a row is joined. */
function mergeSegments(a: Int32Array, b: readonly number[], width: number): Int32Array {
  const merged: number[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const takesA = j >= b.length || (i < a.length && a[i]! < b[j]!);
    const [start, end] = takesA ? [a[i]!, a[i + 1]!] : [b[j]!, b[j + 1]!];
    if (takesA) i += 2;
    else j += 2;
    if (merged.at(-1) === start && start % width !== 0) merged[merged.length - 1] = end;
    else merged.push(start, end);
  }
  return new Int32Array(merged);
}
