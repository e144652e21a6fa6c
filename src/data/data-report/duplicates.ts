import type { CatalogueRow } from '../catalogue.ts';
import { findDuplicates } from '../perceptual-hash.ts';

/** Usable images that show nearly the same picture. */
export interface DuplicateFacts {
  /** Images that have a perceptual hash. */
  hashed: number;
  /** Groups of images of which each is nearly the same as another, largest first. */
  groups: DuplicateGroup[];
}

export interface DuplicateGroup {
  ids: string[];
  /** Whether some of its images are positive and others negative. */
  contradicts: boolean;
  /** Whether its images are of different patients. */
  severalPatients: boolean;
}

/** Finds groups of nearly equal pictures by the catalogue's perceptual hashes. */
export function countDuplicates(usable: readonly CatalogueRow[]): DuplicateFacts {
  const hashed = usable.filter(({ phash }) => phash !== '');
  const pairs = findDuplicates(new Map(hashed.map(({ imageId, phash }) => [imageId, phash])));
  const byId = new Map(hashed.map((row) => [row.imageId, row]));
  const groups = joinPairs(pairs).map((ids): DuplicateGroup => {
    const rows = ids.map((id) => byId.get(id)!);
    const labels = new Set(rows.filter((row) => row.labelled).map((row) => row.positive));
    const patients = new Set(rows.map(({ patientId }) => patientId).filter((id) => id !== ''));
    return { ids, contradicts: labels.size > 1, severalPatients: patients.size > 1 };
  });
  return { hashed: hashed.length, groups: groups.sort((a, b) => b.ids.length - a.ids.length) };
}

/** Joins pairs that share an id into groups, ids in order of first appearance. */
function joinPairs(pairs: readonly [string, string][]): string[][] {
  const groupOf = new Map<string, string[]>();
  for (const [a, b] of pairs) {
    const first = groupOf.get(a) ?? [a];
    const second = groupOf.get(b) ?? [b];
    if (first === second) continue;
    first.push(...second);
    for (const id of [a, ...second]) groupOf.set(id, first);
  }
  return [...new Set(groupOf.values())];
}
