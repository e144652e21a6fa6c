import type { Bar, Bin } from '../../pages/charts.ts';
import type { CatalogueRow } from '../catalogue.ts';
import { countBy, countKindsInto, evenEdges } from './bins.ts';
import { quantile } from './masks.ts';

/** View, sex, age and pixel spacing of usable images, counted by KINDS (positive, negative, unlabelled). */
export interface PeopleFacts {
  views: Bar[];
  sexes: Bar[];
  /** In bins of five years. */
  ages: Bin[];
  /** Images without an age or with one over 120. */
  withoutAge: number;
  /** Pixel spacing in mm, down the columns. */
  spacings: Bin[];
  /** The least, the median and the greatest, in mm; empty where none is known. */
  spacingQuantiles: number[];
  withoutSpacing: number;
  /** Images whose pixels are not square. */
  notSquare: number;
}

const OLDEST = 120;
/** Widths of bins in mm; the first that gives few enough bins is taken. */
const SPACING_WIDTHS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 10];
const MOST_BINS = 48;

/** Counts usable images by what their headers say of the person and the exposure. */
export function countPeople(usable: readonly CatalogueRow[]): PeopleFacts {
  const ageOf = ({ age }: CatalogueRow) => (age !== undefined && age <= OLDEST ? age : undefined);
  const spacings = usable.map(readSpacing);
  const known = spacings.filter((spacing) => spacing !== undefined);
  const down = known.map(([millimetres]) => millimetres).sort((a, b) => a - b);
  return {
    views: countBy(usable, ({ view }) => view || 'not given'),
    sexes: countBy(usable, ({ sex }) => sex || 'not given'),
    ages: countKindsInto(evenEdges(0, OLDEST + 5, 5), usable, ageOf),
    withoutAge: usable.filter((row) => ageOf(row) === undefined).length,
    spacings: countKindsInto(spacingEdges(down), usable, (row) => readSpacing(row)?.[0]),
    spacingQuantiles: down.length === 0 ? [] : [0, 0.5, 1].map((share) => quantile(down, share)),
    withoutSpacing: usable.length - known.length,
    notSquare: known.filter(([down, across]) => down !== across).length,
  };
}

/** `row\column` in mm; undefined where it is not two positive numbers. */
function readSpacing({ pixelSpacing }: CatalogueRow): [down: number, across: number] | undefined {
  const [down = Number.NaN, across = Number.NaN] = pixelSpacing.split('\\').map(Number);
  return down > 0 && across > 0 && Number.isFinite(down + across) ? [down, across] : undefined;
}

function spacingEdges(ascending: readonly number[]): number[] {
  if (ascending.length === 0) return [0, 1];
  const [least, most] = [ascending[0]!, ascending.at(-1)!];
  const width =
    SPACING_WIDTHS.find((step) => Math.ceil((most - least) / step) < MOST_BINS) ?? (most - least) / MOST_BINS;
  const from = Math.floor(least / width) * width;
  return evenEdges(from, (Math.floor(most / width) + 1) * width, width);
}
