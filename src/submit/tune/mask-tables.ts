import { areaOfRuns, type Runs } from '../../core/rle.ts';
import { componentsOfSegments } from '../../postprocess/components.ts';
import { fillHolesOfSegments } from '../../postprocess/fill-holes.ts';

/**
 * What the masks of one image come to, without their pixels: of each threshold, holes left or filled, its components by area.
 * Whichever of them are kept by their size are the first ones, so that one sum up to there is their area, and another one
 * what of it lies in the truth. Table `2·t + fills` is that of threshold t.
 */
export interface MaskTables {
  /** Pixels of the truth. */
  truthArea: number;
  /** Where each table begins in the arrays below; one more, for where the last one ends. */
  starts: Int32Array;
  /** Of each component, largest first, of equal ones in the order of their first pixels. */
  areas: Int32Array;
  /** Summed from a table's beginning. */
  areaSums: Int32Array;
  overlapSums: Int32Array;
}

/** An image's truth, made ready to be counted within segments. */
export interface Truth {
  /** In pixels. */
  area: number;
  /** In every row of size + 1 numbers, how many pixels lie left of each column; undefined where there are none. */
  sums: Int32Array | undefined;
  size: number;
}

/** @param runs of a mask at size² */
export function prepareTruth(runs: Runs, size: number): Truth {
  return { area: areaOfRuns(runs), sums: runs.length === 0 ? undefined : sumRows(runs, size), size };
}

/** What is kept of a mask's components. */
export interface KeptComponents {
  min_component_area: number;
  largest_components?: number | undefined;
}

/**
 * The tables of an image at ascending thresholds.
 * @param mean its probabilities, [size, size] row-major
 * @param thresholds ascending
 */
export function tabulateMasks(
  mean: Float64Array,
  { area: truthArea, sums: truthSums, size }: Truth,
  thresholds: readonly number[],
): MaskTables {
  const starts = [0];
  const sorted: { area: number; overlap: number }[][] = [];
  let segments: Int32Array = Int32Array.from({ length: 2 * size }, (_, place) => ((place + 1) >> 1) * size);
  for (const threshold of thresholds) {
    // A higher threshold's mask lies within a lower one's.
    segments = segmentsAbove(mean, threshold, segments);
    const plain = sizeComponents(segments, size, truthSums);
    const filledSegments = fillHolesOfSegments(segments, size);
    const filled = filledSegments === segments ? plain : sizeComponents(filledSegments, size, truthSums);
    for (const table of [plain, filled]) {
      sorted.push(table);
      starts.push(starts.at(-1)! + table.length);
    }
  }
  const components = sorted.flat();
  const sumsOf = (figure: 'area' | 'overlap') =>
    Int32Array.from(sorted.flatMap((table) => sumUp(table.map((component) => component[figure]))));
  return {
    truthArea,
    starts: Int32Array.from(starts),
    areas: Int32Array.from(components, ({ area }) => area),
    areaSums: sumsOf('area'),
    overlapSums: sumsOf('overlap'),
  };
}

/** Dice of what a table's mask keeps, in [0, 1]: `diceOfRuns` of the same mask, to the bit. */
export function diceOfTable(tables: MaskTables, table: number, kept: KeptComponents): number {
  const start = tables.starts[table]!;
  const last = start + countKept(tables, table, kept) - 1;
  const area = last < start ? 0 : tables.areaSums[last]!;
  const overlap = last < start ? 0 : tables.overlapSums[last]!;
  const total = area + tables.truthArea;
  return total === 0 ? 1 : (2 * overlap) / total;
}

/** How many pixels a table's mask has in all. */
export function areaOfTable({ starts, areaSums }: MaskTables, table: number): number {
  const last = starts[table + 1]! - 1;
  return last < starts[table]! ? 0 : areaSums[last]!;
}

/** How many components a table's mask keeps: the first ones. */
export function countKept(
  { starts, areas }: MaskTables,
  table: number,
  { min_component_area: least, largest_components: most = Number.POSITIVE_INFINITY }: KeptComponents,
): number {
  const start = starts[table]!;
  let [low, high] = [start, starts[table + 1]!];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (areas[middle]! > least) low = middle + 1;
    else high = middle;
  }
  return Math.min(low - start, most);
}

/** The segments of what is above a threshold, strictly, within others. */
function segmentsAbove(mean: Float64Array, threshold: number, within: Int32Array): Int32Array {
  const segments: number[] = [];
  for (let i = 0; i < within.length; i += 2) {
    const end = within[i + 1]!;
    for (let at = within[i]!; at < end; at++) {
      if (!(mean[at]! > threshold)) continue;
      const start = at;
      while (at < end && mean[at]! > threshold) at++;
      segments.push(start, at);
    }
  }
  return new Int32Array(segments);
}

function sizeComponents(segments: Int32Array, size: number, truthSums: Int32Array | undefined) {
  const { areas, componentOf } = componentsOfSegments(segments, size);
  const components = Array.from(areas, (area) => ({ area, overlap: 0 }));
  if (truthSums !== undefined) {
    for (const [index, component] of componentOf.entries()) {
      const [start, end] = [segments[2 * index]!, segments[2 * index + 1]!];
      // Rows of sums are one longer than rows of pixels.
      const row = Math.floor(start / size);
      components[component]!.overlap += truthSums[end + row]! - truthSums[start + row]!;
    }
  }
  return components.sort((a, b) => b.area - a.area);
}

function sumRows(truth: Runs, size: number): Int32Array {
  const sums = new Int32Array(size * (size + 1));
  for (let i = 0; i < truth.length; i += 2) {
    for (let at = truth[i]!; at < truth[i + 1]!; at++) {
      const [x, y] = [Math.floor(at / size), at % size];
      sums[y * (size + 1) + x + 1] = 1;
    }
  }
  for (let y = 0; y < size; y++) {
    for (let at = y * (size + 1) + 1; at < (y + 1) * (size + 1); at++) sums[at] = sums[at]! + sums[at - 1]!;
  }
  return sums;
}

function sumUp(values: readonly number[]): number[] {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}
