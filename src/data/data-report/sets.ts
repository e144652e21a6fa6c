import { IMAGE_SETS } from '../../core/competition.ts';
import type { CatalogueRow } from '../catalogue.ts';

/** Images of a set by what is known of them; files is the sum of images and quarantined. */
export interface SetCounts {
  files: number;
  /** Those that can be used. */
  images: number;
  labelled: number;
  positive: number;
  negative: number;
  unlabelled: number;
  quarantined: number;
}

/** The kinds that images are counted by, and their colours, in the order of every count by kind. */
export const KINDS = [
  { name: 'positive', tone: 'positive' },
  { name: 'negative', tone: 'negative' },
  { name: 'unlabelled', tone: 'unlabelled' },
] as const;

/** Which of KINDS an image is. */
export function kindOf({ labelled, positive }: CatalogueRow): 0 | 1 | 2 {
  if (!labelled) return 2;
  return positive ? 0 : 1;
}

/** Counts by KINDS. */
export function countKinds(rows: readonly CatalogueRow[]): number[] {
  const counts = [0, 0, 0];
  for (const row of rows) counts[kindOf(row)]! += 1;
  return counts;
}

/** Counts of everything, and of each set that has files. */
export function countSets(rows: readonly CatalogueRow[]) {
  const sets = IMAGE_SETS.map((set) => ({ set, ...countSet(rows.filter((row) => row.set === set)) }));
  return { counts: countSet(rows), sets: sets.filter(({ files }) => files > 0) };
}

function countSet(rows: readonly CatalogueRow[]): SetCounts {
  const usable = rows.filter((row) => row.quarantined === '');
  const [positive = 0, negative = 0, unlabelled = 0] = countKinds(usable);
  return {
    files: rows.length,
    images: usable.length,
    labelled: positive + negative,
    positive,
    negative,
    unlabelled,
    quarantined: rows.length - usable.length,
  };
}
