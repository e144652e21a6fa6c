import { expected, UserError } from '../core/errors.ts';
import { assignGroups, type DrawOptions, type FoldImage, groupImages } from './draw-folds.ts';
import type { FoldRow } from './folds.ts';

/**
 * Folds for more images: the lines that are there stay as they are and come first; a new image goes to the fold of its
 * patient, and new patients go where they bring the folds closest to the shares that they have (see drawFolds).
 * @param images all labelled images, those that have a fold among them.
 * Throws UserError where there is no new image, or where an image that has a fold is gone or of another patient now.
 */
export function extendFolds(
  rows: readonly FoldRow[],
  images: readonly FoldImage[],
  { group, seed }: Pick<DrawOptions, 'group' | 'seed'>,
): FoldRow[] {
  const fixed = new Map(rows.map(({ imageId, fold }) => [imageId, fold]));
  const added = images.filter(({ id }) => !fixed.has(id));
  if (added.length === 0) {
    const next = 'For the labels that stage 2 brings: stage=2.';
    throw new UserError(expected('labelled images that have no fold yet', 'extend', 'none', next));
  }
  requireSamePatients(rows, images);
  const names = [...new Set(rows.map(({ fold }) => fold))].sort((a, b) => a - b);
  const shares = names.map((name) => rows.filter(({ fold }) => fold === name).length / rows.length);
  const foldOf = assignGroups(images, groupImages(images, group), { names, shares, seed, fixed });
  const more = added.map(({ id, patientId }): FoldRow => ({ imageId: id, fold: foldOf.get(id)!, patientId }));
  return [...rows, ...more];
}

/** Under other patient ids, a patient's new images would not find their fold. */
function requireSamePatients(rows: readonly FoldRow[], images: readonly FoldImage[]): void {
  const patients = new Map(images.map(({ id, patientId }) => [id, patientId]));
  const others = rows.filter(({ imageId, patientId }) => patients.get(imageId) !== patientId);
  if (others.length === 0) return;
  const absent = rows.filter(({ imageId }) => !patients.has(imageId));
  if (absent.length > 0) {
    const next = `It is one of ${absent.length}: the folds file and the data set do not belong together.`;
    throw new UserError(expected('only labelled images of the data set', 'the folds file', absent[0]!.imageId, next));
  }
  const { imageId, patientId } = others[0]!;
  const received = `${patients.get(imageId)} and ${others.length - 1} others`;
  const next = 'Give the patients=… that the folds were drawn with.';
  throw new UserError(expected(`the patient "${patientId}" that the folds file has`, imageId, received, next));
}
