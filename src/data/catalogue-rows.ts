import type { CatalogueRow } from './catalogue.ts';
import type { ImageFile } from './find-images.ts';
import type { Inspection } from './inspect-image.ts';
import { contradictoryIds, joinLabels } from './join-labels.ts';
import type { Labels } from './labels.ts';

/**
 * The catalogue of inspected files: each with what its header says and its labels. A second file of an id is
 * quarantined, and so is an image whose mask cannot be read, since nobody knows whether it is positive.
 * @param refusedMasks why a mask cannot be read, by image id.
 */
export function catalogueRows(
  files: readonly ImageFile[],
  inspections: readonly Inspection[],
  labels: Labels,
  refusedMasks: ReadonlyMap<string, string> = new Map(),
): CatalogueRow[] {
  const contradictory = contradictoryIds(labels);
  const firstFile = new Map<string, string>();
  const rows = files.map((file, index) => {
    const row = toRow(file, inspections[index]!);
    const first = firstFile.get(file.imageId);
    firstFile.set(file.imageId, first ?? file.file);
    const refused = refusedMasks.get(file.imageId);
    if (row.quarantined === '' && refused !== undefined) row.quarantined = `its mask: ${refused}`;
    if (first !== undefined && row.quarantined === '') row.quarantined = `another file of this id: ${first}`;
    if (contradictory.has(file.imageId)) row.notes = addNote(row.notes, 'both an empty label row and a mask');
    return row;
  });
  return joinLabels(rows, labels);
}

function toRow(
  { imageId, set, file, bytes: packed }: ImageFile,
  { bytes, sha256, header, notes, quarantined, phash }: Inspection,
): CatalogueRow {
  return {
    imageId,
    set,
    file,
    bytes: packed ?? bytes,
    sha256,
    patientId: header?.patientId ?? '',
    sex: header?.sex ?? '',
    age: header?.age,
    view: header?.view ?? '',
    pixelSpacing: header?.pixelSpacing ?? '',
    rows: header?.rows,
    columns: header?.columns,
    transferSyntax: header?.transferSyntax ?? '',
    labelled: false,
    positive: false,
    maskArea: 0,
    rleRows: 0,
    notes: notes.join('; '),
    quarantined,
    phash,
  };
}

function addNote(notes: string, note: string): string {
  return notes === '' ? note : `${notes}; ${note}`;
}
