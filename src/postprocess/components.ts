import type { Mask } from '../core/image.ts';

/** The 8-connected components of a mask, as the horizontal segments that they are made of. */
export interface Components {
  /** Of each component, in pixels; in the order of their first pixels, row by row. */
  areas: Int32Array;
  /** Flat pairs [start, end) of row-major pixel indices, ascending, each within one row. */
  segments: Int32Array;
  /** Of each segment, its component's place in `areas`. */
  componentOf: Int32Array;
}

/**
 * Finds the 8-connected components of a mask by union-find over its horizontal segments.
 * Source: Wu, Otoo and Suzuki (2009), Optimizing two-pass connected-component labeling algorithms, the array-based
 * union-find, applied to runs of pixels.
 */
export function findComponents(mask: Mask): Components {
  return joinSegments(listSegments(mask, 1), mask.width, 1);
}

/** The 8-connected components of segments as `Components` has them. */
export function componentsOfSegments(segments: Int32Array, width: number): Components {
  return joinSegments(segments, width, 1);
}

/** The 4-connected components of what lies between such segments. */
export function outsidesOfSegments(segments: Int32Array, width: number, height: number): Components {
  return joinSegments(segmentsBetween(segments, width, height), width, 0);
}

/** The 4-connected components of what is outside of a mask: with 8-connected insides, its surroundings and its holes. */
export function findOutsides(mask: Mask): Components {
  return joinSegments(listSegments(mask, 0), mask.width, 0);
}

/** @param reach how many columns beside a segment one in the row above may lie and still touch it: 1 where corners do. */
function joinSegments(segments: Int32Array, width: number, reach: 0 | 1): Components {
  const parents = new Int32Array(segments.length / 2);
  for (let index = 0; index < parents.length; index++) parents[index] = index;
  joinNeighbours(segments, parents, width, reach);
  const { componentOf, count } = numberRoots(parents);
  const areas = new Int32Array(count);
  for (let index = 0; index < componentOf.length; index++) {
    const component = componentOf[index]!;
    areas[component] = areas[component]! + segments[2 * index + 1]! - segments[2 * index]!;
  }
  return { areas, segments, componentOf };
}

/** A search as memory is searched has a price for each call: shorter gaps are walked through. */
const SHORT_GAP = 32;

function listSegments({ width, height, data }: Mask, value: 0 | 1): Int32Array {
  let segments = new Int32Array(1024);
  let length = 0;
  for (let y = 0; y < height; y++) {
    const rowStart = y * width;
    const row = data.subarray(rowStart, rowStart + width);
    for (let at = row.indexOf(value); at >= 0 && at < width; ) {
      const start = at;
      while (at < width && row[at] === value) at++;
      if (length === segments.length) segments = grow(segments);
      segments[length++] = rowStart + start;
      segments[length++] = rowStart + at;
      const walked = Math.min(at + SHORT_GAP, width);
      while (at < walked && row[at] !== value) at++;
      if (at === walked) at = row.indexOf(value, at);
    }
  }
  return segments.slice(0, length);
}

function grow(segments: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * segments.length);
  larger.set(segments);
  return larger;
}

function segmentsBetween(segments: Int32Array, width: number, height: number): Int32Array {
  const between: number[] = [];
  let next = 0;
  for (let rowStart = 0; rowStart < width * height; rowStart += width) {
    let start = rowStart;
    for (; next < segments.length && segments[next]! < rowStart + width; next += 2) {
      if (segments[next]! > start) between.push(start, segments[next]!);
      start = segments[next + 1]!;
    }
    if (start < rowStart + width) between.push(start, rowStart + width);
  }
  return new Int32Array(between);
}

/** Unites each segment with those of the row above that it touches. */
function joinNeighbours(segments: Int32Array, parents: Int32Array, width: number, reach: 0 | 1): void {
  let above = 0;
  let rowEnd = width;
  for (let index = 0; index < parents.length; index++) {
    const start = segments[2 * index]!;
    const end = segments[2 * index + 1]!;
    while (start >= rowEnd) rowEnd += width;
    // In the row above, what reaches from `reach` columns before this segment to as many after it touches it.
    const from = start - width - (start > rowEnd - width ? reach : 0);
    const to = end - 1 - width + (end < rowEnd ? reach : 0);
    while (above < index && segments[2 * above + 1]! <= from) above++;
    for (let other = above; other < index && segments[2 * other]! <= to; other++) unite(parents, index, other);
  }
}

/** Points the later of two roots at the earlier one, so that a component's root is its first segment. */
function unite(parents: Int32Array, a: number, b: number): void {
  if (parents[a] === parents[b]) return;
  const rootA = rootOf(parents, a);
  const rootB = rootOf(parents, b);
  parents[Math.max(rootA, rootB)] = Math.min(rootA, rootB);
}

/** The root of a tree, halving the path to it on the way. */
function rootOf(parents: Int32Array, index: number): number {
  let at = index;
  while (parents[at] !== at) {
    parents[at] = parents[parents[at]!]!;
    at = parents[at]!;
  }
  return at;
}

function numberRoots(parents: Int32Array): { componentOf: Int32Array; count: number } {
  const componentOf = new Int32Array(parents.length);
  let count = 0;
  // A root comes before all that point at it.
  for (let index = 0; index < parents.length; index++) {
    componentOf[index] = parents[index] === index ? count++ : componentOf[rootOf(parents, index)]!;
  }
  return { componentOf, count };
}
