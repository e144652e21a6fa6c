import type { Space } from './search.ts';
import type { MaskSetting, PassSetting, Setting, Tabulated } from './setting.ts';

/** What can be tuned, in the order in which the gain of each is reported. */
export const STEPS = [
  'weights',
  'threshold',
  'min_component_area',
  'largest_components',
  'fill_holes',
  'triplet',
  'gate',
] as const;
export type Step = (typeof STEPS)[number];

/** The values that are tried first; around the best of them finer ones follow. */
export interface Grid {
  /** Ascending, in hundredths. */
  thresholds: readonly number[];
  /** Ascending, from 0, in pixels. */
  areas: readonly number[];
  /** Up to so many components. */
  largest: number;
  tripletScores: readonly number[];
  tripletAreas: readonly number[];
  /** Into how many parts, equally many images each, a gate's evidence is cut. */
  gateParts: number;
}

export const GRID: Grid = {
  thresholds: Array.from({ length: 18 }, (_, i) => (10 + 5 * i) / 100),
  areas: [0, 100, 250, 500, 750, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 7500, 10_000],
  largest: 3,
  tripletScores: [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95],
  tripletAreas: [0, 100, 250, 500, 1000, 2000, 4000],
  gateParts: 50,
};

/** How an untuned mask is made: what validation does in training. */
export const PLAIN: MaskSetting = { threshold: 0.5, fill_holes: false, min_component_area: 0 };

/** Thresholds and scores whose tables the grid needs. */
export function gridThresholds({ thresholds, tripletScores }: Grid): number[] {
  return ascending([...thresholds, ...tripletScores, PLAIN.threshold]);
}

/** All of the grid; a step that is not tuned is left out. */
export function gridSpace(tabulated: Tabulated, steps: ReadonlySet<Step>, grid: Grid): Space {
  const fromPlain = (a: number, b: number) => Math.abs(a - PLAIN.threshold) - Math.abs(b - PLAIN.threshold);
  const thresholds = steps.has('threshold') ? [...grid.thresholds].sort(fromPlain) : [PLAIN.threshold];
  const areas = steps.has('min_component_area') ? grid.areas : [0];
  const counts = steps.has('largest_components')
    ? Array.from({ length: grid.largest }, (_, i) => grid.largest - i)
    : [];
  const triplets = steps.has('triplet')
    ? grid.tripletScores.flatMap((score) => grid.tripletAreas.map((area) => ({ score, area })))
    : [];
  return {
    masks: cross(thresholds, areas, [undefined, ...counts], steps.has('fill_holes') ? [false, true] : [false]),
    triplets: [undefined, ...triplets],
    gates: steps.has('gate')
      ? tabulated.kinds.map((_, kind) => ({ kind, thresholds: gateThresholds(tabulated, kind, grid) }))
      : [],
  };
}

/** Finer values around a setting of the grid, its own among them. */
export function fineSpace(tabulated: Tabulated, steps: ReadonlySet<Step>, around: Setting, grid: Grid): Space {
  const { threshold, min_component_area: area, largest_components: largest, fill_holes: fills, triplet, gate } = around;
  const thresholds = steps.has('threshold') ? hundredthsAround(threshold) : [threshold];
  const areas = steps.has('min_component_area') ? between(grid.areas, area) : [area];
  const triplets: PassSetting['triplet'][] = [triplet];
  if (triplet !== undefined) {
    for (const score of hundredthsAround(triplet.score)) {
      for (const each of between(grid.tripletAreas, triplet.area)) triplets.push({ score, area: each });
    }
  }
  const gates = gate && [{ kind: gate.kind, thresholds: gateThresholdsAround(tabulated, gate, grid) }];
  return { masks: cross(thresholds, areas, [largest], [fills]), triplets, gates: gates ?? [] };
}

/** Thresholds and scores whose tables `fineSpace` needs. */
export function fineThresholds({ threshold, triplet }: Setting): number[] {
  return [...hundredthsAround(threshold), ...(triplet === undefined ? [] : hundredthsAround(triplet.score))];
}

/** Numbers once each, ascending. */
export function ascending(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

function cross(
  thresholds: readonly number[],
  areas: readonly number[],
  counts: readonly (number | undefined)[],
  fills: readonly boolean[],
): MaskSetting[] {
  return thresholds.flatMap((threshold) =>
    areas.flatMap((area) =>
      counts.flatMap((count) =>
        fills.map((fill_holes) => ({
          ...{ threshold, fill_holes, min_component_area: area },
          ...(count === undefined ? {} : { largest_components: count }),
        })),
      ),
    ),
  );
}

/** A threshold, and hundredths up to four away, nearest first. */
function hundredthsAround(threshold: number): number[] {
  const middle = Math.round(100 * threshold);
  const offsets = [0, -1, 1, -2, 2, -3, 3, -4, 4];
  return offsets.map((offset) => (middle + offset) / 100).filter((each) => each > 0 && each < 1);
}

/** A value of an ascending list, and whole numbers at quarters of the way to its neighbours. */
function between(values: readonly number[], value: number): number[] {
  const place = values.indexOf(value);
  const [before, after] = [values[place - 1] ?? value, values[place + 1] ?? value];
  const quarters = [0.25, 0.5, 0.75];
  const finer = quarters.flatMap((part) => [value + part * (before - value), value + part * (after - value)]);
  return [...new Set([value, ...finer.map(Math.round)])];
}

/** Thresholds that cut the images into parts by their evidence, of three digits. */
export function gateThresholds({ kinds, evidence }: Tabulated, kind: number, { gateParts }: Grid): number[] {
  const sorted = Float64Array.from(evidence[kind]!).sort();
  const isSum = kinds[kind]!.statistic === 'sum';
  const cuts = Array.from({ length: gateParts - 1 }, (_, part) => {
    const value = sorted[Math.floor(((part + 1) * sorted.length) / gateParts)]!;
    return Number(value.toPrecision(3));
  });
  return ascending(cuts).filter((cut) => cut > 0 && (isSum || cut < 1));
}

/** A gate's threshold, and eleven of four digits between its neighbours. */
function gateThresholdsAround(
  tabulated: Tabulated,
  { kind, threshold }: NonNullable<PassSetting['gate']>,
  grid: Grid,
): number[] {
  const cuts = gateThresholds(tabulated, kind, grid);
  const before = cuts.findLast((cut) => cut < threshold) ?? threshold;
  const after = cuts.find((cut) => cut > threshold) ?? threshold;
  const finer = Array.from({ length: 11 }, (_, i) => before + ((i + 1) / 12) * (after - before));
  return [threshold, ...finer.map((cut) => Number(cut.toPrecision(4)))];
}
