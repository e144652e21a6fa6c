import { basename } from 'node:path';
import { sha256 } from '../../core/atomic-file.ts';
import type { CatalogueRow } from '../catalogue.ts';
import type { IngestReport } from '../ingest.ts';
import type { Labels } from '../labels.ts';
import { countDuplicates, type DuplicateFacts } from './duplicates.ts';
import type { ExposureFacts } from './exposure.ts';
import { countFiles, type FileFacts } from './files.ts';
import { describeLabels, type LabelFacts } from './label-facts.ts';
import { countMasks, type MaskFacts } from './masks.ts';
import { countPatients, type PatientFacts } from './patients.ts';
import { countPeople, type PeopleFacts } from './people.ts';
import { countSets, type SetCounts } from './sets.ts';

/** Everything that the report says, without its pictures: what its JSON file holds (docs/reference/files.md). */
export interface DataFacts {
  format: 1;
  /** The data root's own name. */
  name: string;
  /** SHA-256 over every file's path and digest and its label columns: other data, another digest. */
  digest: string;
  /** Usable images, and files that are not. */
  counts: SetCounts;
  /** The same by set. */
  sets: ({ set: string } & SetCounts)[];
  labels: LabelFacts;
  masks: MaskFacts;
  people: PeopleFacts;
  patients: PatientFacts;
  exposure: ExposureFacts;
  duplicates: DuplicateFacts;
  files: FileFacts;
  /** Every file that cannot be used and why. */
  quarantine: { file: string; reason: string }[];
}

/** Counts an ingested data set, all but the exposure, which needs the pixels. */
export function countFacts(report: IngestReport, labels: Labels, exposure: ExposureFacts): DataFacts {
  const usable = report.rows.filter((row) => row.quarantined === '');
  const bad = report.rows.filter((row) => row.quarantined !== '');
  return {
    format: 1,
    name: basename(report.root),
    digest: digestOf(report.rows),
    ...countSets(report.rows),
    labels: describeLabels(report, labels),
    masks: countMasks(usable, labels),
    people: countPeople(usable),
    patients: countPatients(usable),
    exposure,
    duplicates: countDuplicates(usable),
    files: countFiles(usable),
    quarantine: bad.map(({ file, quarantined }) => ({ file, reason: quarantined })),
  };
}

function digestOf(rows: readonly CatalogueRow[]): string {
  const lines = rows.map(({ file, sha256, labelled, maskArea, rleRows }) =>
    [file, sha256, labelled, maskArea, rleRows].join(' '),
  );
  return sha256(lines.join('\n'));
}
