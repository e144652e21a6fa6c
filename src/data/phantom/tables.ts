import { CSV_COLUMNS, EMPTY_RLE, IMAGE_FOLDERS, LABEL_FILES, STAGE_FILES } from '../../core/competition.ts';
import type { PhantomImage } from './plan.ts';

/** An image and the codes of its label rows; none where it is negative. */
export interface LabelledImage {
  image: PhantomImage;
  codes: readonly string[];
}

/** The truth of stage 2's images, which the competition keeps to itself: in the dialect of stage_2_train.csv. */
export const STAGE2_TRUTH_FILE = 'phantom_stage_2_truth.csv';

/**
 * The label files and samples of a phantom by name, in the competition's own dialects: spaces after commas in stage 1's
 * labels; stage 1's sample with a byte order mark, without header and final newline.
 */
export function writeTables(made: readonly LabelledImage[], shuffle: <T>(rows: readonly T[]) => T[]) {
  const labelled = made.filter(({ image }) => image.labelled);
  const rowsOf = (...sets: string[]) =>
    shuffle(labelled.filter(({ image }) => sets.includes(image.set)).flatMap(labelRows));
  const sampleOf = (set: string) =>
    labelled.filter(({ image }) => image.set === set).map(({ image }) => `${image.id},${EMPTY_RLE}`);
  const header = CSV_COLUMNS.join(',');
  const lines = (rows: readonly string[]) => `${[header, ...rows].join('\n')}\n`;
  const spaced = rowsOf('stage1-train').map((row) => row.replace(',', ', '));
  return {
    [LABEL_FILES[1]]: `${[CSV_COLUMNS.join(', '), ...spaced].join('\n')}\n`,
    [LABEL_FILES[2]]: lines(rowsOf('stage1-train', 'stage1-test')),
    [STAGE_FILES[1].sample]: `\uFEFF${sampleOf(STAGE_FILES[1].images).join('\n')}`,
    [STAGE_FILES[2].sample]: lines(sampleOf(STAGE_FILES[2].images)),
    [STAGE2_TRUTH_FILE]: lines(rowsOf('stage2-test')),
  };
}

/** Where a set's images lie. */
export function folderOf(image: PhantomImage): string {
  return IMAGE_FOLDERS[image.set];
}

function labelRows({ image, codes }: LabelledImage): string[] {
  return codes.length === 0 ? [`${image.id},${EMPTY_RLE}`] : codes.map((code) => `${image.id},${code}`);
}
