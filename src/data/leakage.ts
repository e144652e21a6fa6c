import type { FoldRow } from './folds.ts';
import { findDuplicates } from './perceptual-hash.ts';

/** What folds let through: the same patient, or nearly the same picture, on both sides of a split. */
export type Leakage = {
  /** Patients with images in more than one fold. */
  patients: number;
  /** Images whose patient has another image in another fold. */
  images: number;
  /** Pairs of nearly equal pictures in different folds; undefined where the catalogue has no hashes of pictures. */
  duplicates?: [string, string][] | undefined;
};

/**
 * What leaks between folds. Images without a patient or a hash leak unseen.
 * @param hashes perceptual hashes by image id, see perceptualHash; none when left out.
 */
export function findLeakage(rows: readonly FoldRow[], hashes?: ReadonlyMap<string, string>): Leakage {
  const foldsOf = foldsOfPatients(rows);
  const leaks = (patientId: string) => (foldsOf.get(patientId)?.size ?? 0) > 1;
  return {
    patients: [...foldsOf.keys()].filter(leaks).length,
    images: rows.filter(({ patientId }) => leaks(patientId)).length,
    duplicates: hashes === undefined ? undefined : duplicatesAcross(rows, hashes),
  };
}

/** The folds that each patient has images in; images without a patient are left out. */
export function foldsOfPatients(rows: readonly FoldRow[]): Map<string, Set<number>> {
  const folds = new Map<string, Set<number>>();
  for (const { patientId, fold } of rows) {
    if (patientId === '') continue;
    folds.set(patientId, (folds.get(patientId) ?? new Set()).add(fold));
  }
  return folds;
}

/** The hashes of pictures that a catalogue has; undefined where it has none. */
export function hashesOf(
  rows: readonly { imageId: string; phash?: string | undefined }[],
): Map<string, string> | undefined {
  const hashes = rows.flatMap(({ imageId, phash }): [string, string][] => (phash ? [[imageId, phash]] : []));
  return hashes.length === 0 ? undefined : new Map(hashes);
}

function duplicatesAcross(rows: readonly FoldRow[], hashes: ReadonlyMap<string, string>): [string, string][] {
  const foldOf = new Map(rows.map(({ imageId, fold }) => [imageId, fold]));
  const known = new Map([...hashes].filter(([id]) => foldOf.has(id)));
  return findDuplicates(known).filter(([a, b]) => foldOf.get(a) !== foldOf.get(b));
}
