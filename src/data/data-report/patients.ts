import type { Bar } from '../../pages/charts.ts';
import type { CatalogueRow } from '../catalogue.ts';
import { groupBy } from './bins.ts';

/** Patients of usable images, as far as the files name them. */
export interface PatientFacts {
  patients: number;
  /** Images of patients that have others. */
  sharing: number;
  withoutPatient: number;
  /** Patients by their number of images. */
  imagesEach: Bar[];
  /** Labelled images whose patient has another labelled one: where one of the others is positive, and where none is. */
  besidePositive: { images: number; positive: number };
  besideNegative: { images: number; positive: number };
  /** The patients with most images. */
  largest: { patientId: string; images: number; positive: number }[];
}

const LARGEST = 5;
/** Patients with this many images and more are counted together. */
const MANY = 10;

/** Counts usable images by patient, and how much a patient's other images tell of one. */
export function countPatients(usable: readonly CatalogueRow[]): PatientFacts {
  const known = usable.filter(({ patientId }) => patientId !== '');
  const groups = [...groupBy(known, ({ patientId }) => patientId)];
  const several = groups.filter(([, rows]) => rows.length > 1).sort((a, b) => b[1].length - a[1].length);
  return {
    patients: groups.length,
    sharing: several.reduce((sum, [, rows]) => sum + rows.length, 0),
    withoutPatient: usable.length - known.length,
    imagesEach: countSizes(groups.map(([, rows]) => rows.length)),
    ...countNeighbours(several.map(([, rows]) => rows)),
    largest: several
      .slice(0, LARGEST)
      .map(([patientId, rows]) => ({ patientId, images: rows.length, positive: countPositive(rows) })),
  };
}

function countNeighbours(groups: readonly CatalogueRow[][]) {
  const besidePositive = { images: 0, positive: 0 };
  const besideNegative = { images: 0, positive: 0 };
  for (const rows of groups) {
    const labelled = rows.filter((row) => row.labelled);
    const positives = countPositive(labelled);
    if (labelled.length < 2) continue;
    for (const { positive } of labelled) {
      const others = positives - (positive ? 1 : 0);
      const beside = others > 0 ? besidePositive : besideNegative;
      beside.images++;
      if (positive) beside.positive++;
    }
  }
  return { besidePositive, besideNegative };
}

function countSizes(sizes: readonly number[]): Bar[] {
  const counts = new Map<number, number>();
  for (const size of sizes) counts.set(Math.min(size, MANY), (counts.get(Math.min(size, MANY)) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([size, patients]) => ({ name: size === MANY ? `${MANY} or more` : String(size), counts: [patients] }));
}

function countPositive(rows: readonly CatalogueRow[]): number {
  return rows.filter((row) => row.positive).length;
}
