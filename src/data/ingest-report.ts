import { IMAGE_SETS } from '../core/competition.ts';
import type { CatalogueRow } from './catalogue.ts';
import type { IngestReport } from './ingest.ts';

/** An ingest in numbers and lists: images are those that can be used, labelled or not. */
export interface IngestSummary {
  images: number;
  labelled: number;
  unlabelled: number;
  positives: number;
  quarantined: number;
  patients: number;
  /** `stage1-train 20, stage2-test 5`. */
  bySet: string;
  quarantinedReasons: string[];
  /** Ids of unlabelled images in sets that the label file is about. */
  oddlyUnlabelled: string[];
  /** `<id>: <notes>`. */
  notes: string[];
}

/** Counts what ingest found. */
export function summarise({ rows, labelFile }: IngestReport): IngestSummary {
  const usable = rows.filter((row) => row.quarantined === '');
  const labelled = usable.filter((row) => row.labelled);
  const reasons = rows.filter((row) => row.quarantined !== '').map((row) => row.quarantined);
  const unlabelled = usable.filter((row) => !row.labelled);
  const expectsLabel = ({ set }: CatalogueRow) =>
    set === 'stage1-train' || (set === 'stage1-test' && labelFile?.stage === 2);
  return {
    images: usable.length,
    labelled: labelled.length,
    unlabelled: unlabelled.length,
    positives: labelled.filter((row) => row.positive).length,
    quarantined: reasons.length,
    patients: new Set(usable.map((row) => row.patientId).filter((id) => id !== '')).size,
    bySet: countSets(usable),
    quarantinedReasons: reasons,
    oddlyUnlabelled: unlabelled.filter(expectsLabel).map((row) => row.imageId),
    notes: usable.filter((row) => row.notes !== '').map((row) => `${row.imageId}: ${row.notes}`),
  };
}

function countSets(rows: readonly CatalogueRow[]): string {
  return IMAGE_SETS.map((set) => [set, rows.filter((row) => row.set === set).length] as const)
    .filter(([, count]) => count > 0)
    .map(([set, count]) => `${set} ${count}`)
    .join(', ');
}
